// SPDX-License-Identifier: MIT
// What the recorder says of frames is what they did.
#include "takt/profiler.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::ActorRef;
using takt::Capture;
using takt::CapturedFrame;
using takt::CapturedLane;
using takt::CapturedRow;
using takt::CapturedScope;
using takt::Delivery;
using takt::FrameReport;
using takt::Label;
using takt::Recorder;
using takt::Runtime;
using takt::Scope;
using takt::ScopeKind;
using takt::Task;

constexpr takt::Topic<int> kWork{"Work"};
constexpr takt::Topic<int> kNote{"Note"};

takt::Config two_workers(Delivery delivery = Delivery::immediate) {
    return {.workers = {.count = 2}, .frame = {.delivery = delivery}};
}

std::vector<CapturedScope> scopes_of(const Capture& capture, ScopeKind kind) {
    std::vector<CapturedScope> found;
    for (const CapturedLane& lane : capture.lanes)
        for (const CapturedScope& scope : lane.scopes)
            if (scope.kind == kind)
                found.push_back(scope);
    return found;
}

std::vector<CapturedScope> scopes_of(const Capture& capture, std::string_view name) {
    std::vector<CapturedScope> found;
    for (const CapturedLane& lane : capture.lanes)
        for (const CapturedScope& scope : lane.scopes)
            if (capture.name(scope.name) == name)
                found.push_back(scope);
    return found;
}

const CapturedRow* row_of(const Capture& capture, ScopeKind kind, std::string_view name,
                          std::string_view actor) {
    for (const CapturedRow& row : capture.rows)
        if (row.kind == kind && capture.name(row.name) == name && capture.name(row.actor) == actor)
            return &row;
    return nullptr;
}

/// Each scope lies in the one that its depth says.
void expect_nested(const Capture& capture) {
    for (const CapturedLane& lane : capture.lanes) {
        std::vector<const CapturedScope*> open;
        for (const CapturedScope& scope : lane.scopes) {
            ASSERT_LE(scope.begin_ns, scope.end_ns);
            ASSERT_LE(scope.depth, open.size()) << lane.name;
            open.resize(scope.depth);
            if (!open.empty()) {
                EXPECT_GE(scope.begin_ns, open.back()->begin_ns);
                EXPECT_LE(scope.end_ns, open.back()->end_ns);
            }
            open.push_back(&scope);
        }
    }
}

TEST(Recorder, tells_what_each_frame_did) {
    Runtime runtime(two_workers());
    std::vector<ActorRef> actors;
    for (const char* name : {"ann", "bob", "cid"})
        actors.push_back(runtime.spawn_actor({.name = name}, [](Actor& self) {
            self.bind_parallel(kWork, [](int) {});
            self.bind(kNote, [](int) {});
        }));
    Recorder recorder(runtime);
    std::uint64_t messages = 0;
    for (int frame = 0; frame < 10; ++frame) {
        for (const ActorRef& actor : actors)
            for (int send = 0; send <= frame; ++send)
                actor.send(kWork, send);
        actors[0].send(kNote, frame);
        messages += runtime.step().messages;
    }
    const Capture capture = recorder.capture();
    expect_nested(capture);
    ASSERT_EQ(capture.frames.size(), 10u);
    EXPECT_EQ(capture.dropped, 0u);
    EXPECT_EQ(capture.dropped_frames, 0u);
    for (std::size_t at = 0; at < 10; ++at) {
        const CapturedFrame& frame = capture.frames[at];
        EXPECT_EQ(frame.number, capture.frames[0].number + at);
        EXPECT_EQ(frame.phases.size(), 1u);
        EXPECT_EQ(frame.parallel_ns + frame.serial_ns, frame.end_ns - frame.begin_ns);
        EXPECT_GT(frame.parallel_ns, 0);
    }
    EXPECT_EQ(messages, 175u);
    EXPECT_EQ(scopes_of(capture, ScopeKind::handler).size(), 165u);
    EXPECT_EQ(scopes_of(capture, ScopeKind::commit).size(), 10u);
    EXPECT_EQ(scopes_of(capture, "heartbeat").size(), 10u);
    for (const ScopeKind kind : {ScopeKind::frame, ScopeKind::stage, ScopeKind::round,
                                 ScopeKind::parallel, ScopeKind::serial})
        EXPECT_EQ(scopes_of(capture, kind).size(), 10u) << name_of(kind);
    for (const char* name : {"ann", "bob", "cid"}) {
        const CapturedRow* const row = row_of(capture, ScopeKind::handler, "Work", name);
        ASSERT_NE(row, nullptr) << name;
        EXPECT_EQ(row->count, 55u);
        EXPECT_EQ(row->waits, 55u);
        EXPECT_LE(row->run_p50_ns, row->run_p99_ns);
        EXPECT_LE(row->run_p99_ns, row->run_max_ns);
        EXPECT_LE(row->run_max_ns, row->total_ns);
        EXPECT_LE(row->critical_ns, row->total_ns);
    }
    ASSERT_NE(row_of(capture, ScopeKind::commit, "Note", "ann"), nullptr);
    EXPECT_EQ(row_of(capture, ScopeKind::commit, "Note", "ann")->count, 10u);
}

TEST(Recorder, the_last_frames_are_those_that_were_asked_for) {
    Runtime runtime(two_workers());
    Recorder recorder(runtime);
    for (int frame = 0; frame < 5; ++frame)
        runtime.step();
    const Capture capture = recorder.capture(2);
    ASSERT_EQ(capture.frames.size(), 2u);
    EXPECT_EQ(capture.frames[1].number, runtime.last_frame().time.frame);
    EXPECT_EQ(capture.frames[0].begin_ns, 0);
    EXPECT_EQ(capture.dropped_frames, 0u);
}

TEST(Recorder, who_holds_the_barrier_is_named) {
    Runtime runtime(two_workers());
    const ActorRef slow = runtime.spawn_actor({.name = "slow", .worker = 1}, [](Actor& self) {
        self.bind_parallel(kWork, [](int) { std::this_thread::sleep_for(3ms); });
    });
    const ActorRef quick = runtime.spawn_actor(
        {.name = "quick", .worker = 0}, [](Actor& self) { self.bind_parallel(kWork, [](int) {}); });
    Recorder recorder(runtime);
    slow.send(kWork, 1);
    quick.send(kWork, 1);
    runtime.step();
    const Capture capture = recorder.capture();
    ASSERT_EQ(capture.frames.size(), 1u);
    ASSERT_EQ(capture.frames[0].phases.size(), 1u);
    const takt::CapturedPhase& phase = capture.frames[0].phases[0];
    EXPECT_EQ(capture.name(phase.last_actor), "slow");
    EXPECT_EQ(capture.name(phase.last_name), "Work");
    EXPECT_GE(capture.frames[0].wait_ns, 2'000'000);
    const CapturedRow* const row = row_of(capture, ScopeKind::handler, "Work", "slow");
    ASSERT_NE(row, nullptr);
    EXPECT_GE(row->run_max_ns, 3'000'000);
    EXPECT_EQ(row->critical_ns, row->total_ns);
}

TEST(Recorder, four_workers_are_seen_side_by_side) {
    Runtime runtime({.workers = {.count = 4}});
    std::vector<ActorRef> actors;
    actors.reserve(4);
    for (int worker = 0; worker < 4; ++worker)
        actors.push_back(runtime.spawn_actor({.worker = worker}, [](Actor& self) {
            self.bind_parallel(kWork, [](int) { std::this_thread::sleep_for(30ms); });
        }));
    const Recorder recorder(runtime);
    for (const ActorRef& actor : actors)
        actor.send(kWork, 1);
    runtime.step();
    const Capture capture = recorder.capture();
    std::int64_t last_begin_ns = 0;
    std::int64_t first_end_ns = INT64_MAX;
    ASSERT_EQ(capture.lanes.size(), 5u);
    for (std::size_t lane = 1; lane < 5; ++lane)
        for (const CapturedScope& scope : capture.lanes[lane].scopes)
            if (scope.kind == ScopeKind::handler) {
                last_begin_ns = std::max(last_begin_ns, scope.begin_ns);
                first_end_ns = std::min(first_end_ns, scope.end_ns);
            }
    EXPECT_EQ(scopes_of(capture, ScopeKind::handler).size(), 4u);
    EXPECT_LT(last_begin_ns, first_end_ns);
}

TEST(Recorder, has_a_lane_for_each_of_64_workers) {
    Runtime runtime({.preset = takt::Preset::shared, .workers = {.count = 64}});
    std::vector<ActorRef> actors;
    actors.reserve(64);
    for (int worker = 0; worker < 64; ++worker)
        actors.push_back(runtime.spawn_actor(
            {.worker = worker}, [](Actor& self) { self.bind_parallel(kWork, [](int) {}); }));
    const Recorder recorder(runtime, {.records = 1024});
    for (int frame = 0; frame < 5; ++frame) {
        for (const ActorRef& actor : actors)
            actor.send(kWork, 1);
        runtime.step();
    }
    const Capture capture = recorder.capture();
    expect_nested(capture);
    ASSERT_EQ(capture.lanes.size(), 65u);
    EXPECT_EQ(capture.frames.size(), 5u);
    for (std::size_t lane = 1; lane < 65; ++lane) {
        const std::vector<CapturedScope>& scopes = capture.lanes[lane].scopes;
        EXPECT_EQ(std::count_if(
                      scopes.begin(), scopes.end(),
                      [](const CapturedScope& scope) { return scope.kind == ScopeKind::handler; }),
                  5);
    }
}

TEST(Recorder, scopes_of_users_lie_in_their_handlers) {
    Runtime runtime(two_workers());
    const Label dynamic = Label::of(std::string("layer ") + "2");
    const ActorRef actor = runtime.spawn_actor({}, [dynamic](Actor& self) {
        self.bind_parallel(kWork, [dynamic](int) {
            const Scope outer{"ai"};
            const Scope inner{dynamic};
            takt::plot("load", 0.5);
        });
    });
    Recorder recorder(runtime);
    actor.send(kWork, 1);
    runtime.step();
    const Capture capture = recorder.capture();
    expect_nested(capture);
    ASSERT_EQ(scopes_of(capture, "ai").size(), 1u);
    ASSERT_EQ(scopes_of(capture, "layer 2").size(), 1u);
    EXPECT_EQ(scopes_of(capture, "layer 2")[0].depth, scopes_of(capture, "ai")[0].depth + 1);
    ASSERT_EQ(capture.values.size(), 1u);
    EXPECT_EQ(capture.values[0].value, 0.5);
    EXPECT_EQ(capture.name(capture.values[0].name), "load");
}

TEST(Recorder, labels_of_one_name_are_one) {
    EXPECT_EQ(Label::of("same").name(), Label::of(std::string("sa") + "me").name());
    EXPECT_NE(Label::of("same").name(), Label::of("other").name());
    EXPECT_STREQ(Label::of("").name(), "");
}

Task<> wanders(int rounds) {
    const Scope outer{"outer"};
    for (int round = 0; round < rounds; ++round) {
        const Scope inner{"inner"};
        co_await takt::synchronize();
        co_await takt::desynchronize();
    }
}

TEST(Recorder, scopes_close_where_their_task_waits_and_open_where_it_goes_on) {
    Runtime runtime(two_workers());
    const ActorRef actor = runtime.spawn_actor({.name = "a"}, [](Actor& self) {
        self.bind_parallel(kWork, [](int rounds) -> Task<> {
            const Scope first{"first"};
            co_await wanders(rounds);
        });
    });
    Recorder recorder(runtime);
    actor.send(kWork, 3);
    runtime.run_until_idle();
    const Capture capture = recorder.capture();
    expect_nested(capture);
    // Parts: begin, and after each of the six waits.
    const std::vector<CapturedScope> parts = scopes_of(capture, ScopeKind::task);
    ASSERT_EQ(parts.size(), 7u);
    for (const CapturedScope& part : parts) {
        EXPECT_NE(part.task, 0u);
        EXPECT_EQ(part.task, parts[0].task);
    }
    EXPECT_EQ(scopes_of(capture, "first").size(), 7u);
    EXPECT_EQ(scopes_of(capture, "outer").size(), 7u);
    EXPECT_EQ(scopes_of(capture, "inner").size(),
              3u + 6u); // a part ends with the next one's beginning
}

TEST(Recorder, a_scope_may_outlive_the_recording_and_the_other_way_round) {
    Runtime runtime(two_workers());
    const ActorRef actor = runtime.spawn_actor({}, [](Actor& self) {
        self.bind_parallel(kWork, [](int rounds) -> Task<> { return wanders(rounds); });
    });
    std::optional<Recorder> recorder(std::in_place, runtime);
    for (int turn = 0; turn < 40; ++turn) {
        actor.send(kWork, turn % 7);
        runtime.step();
        if (turn % 3 == 0)
            recorder->is_on() ? recorder->stop() : recorder->start();
        if (turn % 11 == 0) {
            expect_nested(recorder->capture());
            recorder.emplace(runtime);
        }
    }
    runtime.run_until_idle();
    expect_nested(recorder->capture());
}

TEST(Recorder, a_scope_in_a_task_that_goes_is_closed_once) {
    Runtime runtime(two_workers());
    std::vector<ActorRef> actors;
    Recorder recorder(runtime);
    actors.reserve(8);
    for (int at = 0; at < 8; ++at)
        actors.push_back(runtime.spawn_actor({}, [](Actor& self) {
            self.bind_parallel(kWork, [](int) -> Task<> {
                const Scope scope{"waits"};
                co_await takt::wait(1h);
            });
            self.bind_parallel(kNote, [](int) -> Task<> {
                const Scope scope{"away"};
                co_await takt::offload();
                const Scope elsewhere{"elsewhere"};
                co_await takt::synchronize();
                const Scope back{"back"};
            });
        }));
    for (const ActorRef& actor : actors) {
        actor.send(kWork, 1);
        actor.send(kNote, 1);
    }
    runtime.step();
    for (std::size_t at = 0; at < actors.size(); at += 2)
        actors[at].destroy();
    runtime.run_until_idle();
    const Capture capture = recorder.capture();
    expect_nested(capture);
    EXPECT_EQ(scopes_of(capture, "waits").size(), 8u);
    EXPECT_EQ(scopes_of(capture, "away").size(), 8u);
    EXPECT_EQ(scopes_of(capture, "elsewhere").size(), 0u);
    EXPECT_GE(scopes_of(capture, "back").size(), 4u);
}

TEST(Recorder, a_ring_that_wraps_drops_the_oldest_and_counts_them) {
    Runtime runtime(two_workers());
    const ActorRef actor = runtime.spawn_actor(
        {.worker = 1}, [](Actor& self) { self.bind_parallel(kWork, [](int) {}); });
    Recorder recorder(runtime, {.records = 256});
    for (int frame = 0; frame < 200; ++frame) {
        for (int message = 0; message < 8; ++message)
            actor.send(kWork, message);
        runtime.step();
    }
    const Capture capture = recorder.capture();
    expect_nested(capture);
    EXPECT_GT(capture.lanes[2].dropped, 200u * 8 * 2 - 256);
    EXPECT_GE(capture.dropped, capture.lanes[2].dropped);
    ASSERT_FALSE(capture.frames.empty());
    EXPECT_LT(capture.frames.size(), 200u);
    EXPECT_EQ(capture.frames.back().number, runtime.last_frame().time.frame);
    EXPECT_EQ(capture.dropped_frames + capture.frames.size(), 200u);
    // Those that are there are whole.
    EXPECT_EQ(scopes_of(capture, ScopeKind::handler).size(), capture.frames.size() * 8);
}

TEST(Recorder, messages_are_followed_from_their_send) {
    Runtime runtime(two_workers());
    std::vector<ActorRef> actors(2);
    for (int at = 0; at < 2; ++at)
        actors[static_cast<std::size_t>(at)] = runtime.spawn_actor(
            {.name = at == 0 ? "ping" : "pong", .worker = at}, [&actors, at](Actor& self) {
                self.bind_parallel(kWork, [&actors, at](int left) {
                    if (left > 0)
                        actors[static_cast<std::size_t>(1 - at)].send(kWork, left - 1);
                });
            });
    Recorder recorder(runtime);
    actors[0].send(kWork, 9);
    runtime.step();
    const Capture capture = recorder.capture();
    ASSERT_EQ(scopes_of(capture, ScopeKind::handler).size(), 10u);
    int from_workers = 0;
    for (const takt::CapturedFlow& flow : capture.flows) {
        EXPECT_LE(flow.sent_ns, flow.handled_ns);
        from_workers += flow.from_lane != 0;
        if (flow.from_lane != 0) {
            EXPECT_NE(flow.from_lane, flow.to_lane) << "they write to each other only";
        }
    }
    EXPECT_EQ(from_workers, 9); // what was sent between frames is of no frame
}

TEST(Recorder, next_round_keeps_its_order_and_has_no_flows) {
    Runtime runtime(two_workers(Delivery::next_round));
    const ActorRef actor =
        runtime.spawn_actor({}, [](Actor& self) { self.bind_parallel(kWork, [](int) {}); });
    Recorder recorder(runtime);
    actor.send(kWork, 1);
    runtime.step();
    const Capture capture = recorder.capture();
    EXPECT_EQ(scopes_of(capture, ScopeKind::handler).size(), 1u);
    EXPECT_TRUE(capture.flows.empty());
}

TEST(Recorder, actors_that_are_gone_keep_their_names) {
    Runtime runtime(two_workers());
    const ActorRef actor = runtime.spawn_actor(
        {.name = "short-lived"}, [](Actor& self) { self.bind_parallel(kWork, [](int) {}); });
    const ActorRef nameless =
        runtime.spawn_actor({}, [](Actor& self) { self.bind_parallel(kWork, [](int) {}); });
    Recorder recorder(runtime);
    actor.send(kWork, 1);
    nameless.send(kWork, 1);
    runtime.step();
    actor.destroy();
    runtime.step();
    const Capture capture = recorder.capture();
    EXPECT_NE(row_of(capture, ScopeKind::handler, "Work", "short-lived"), nullptr);
    EXPECT_EQ(capture.rows.size(), 2u);
}

TEST(Recorder, is_off_until_it_is_on_and_after) {
    Runtime runtime(two_workers());
    const ActorRef actor = runtime.spawn_actor(
        {}, [](Actor& self) { self.bind_parallel(kWork, [](int) { const Scope scope{"s"}; }); });
    const auto frames = [&](int count) {
        for (int frame = 0; frame < count; ++frame) {
            actor.send(kWork, frame);
            runtime.step();
        }
    };
    frames(3);
    Recorder recorder(runtime);
    EXPECT_TRUE(recorder.capture().frames.empty());
    frames(4);
    recorder.stop();
    frames(5);
    EXPECT_EQ(recorder.capture().frames.size(), 4u);
    EXPECT_EQ(scopes_of(recorder.capture(), "s").size(), 4u);
    recorder.start();
    frames(2);
    EXPECT_EQ(recorder.capture().frames.size(), 2u) << "what was recorded before is forgotten";
}

TEST(Recorder, two_share_what_is_recorded) {
    Runtime runtime(two_workers());
    Recorder first(runtime);
    runtime.step();
    {
        Recorder second(runtime);
        runtime.step();
        EXPECT_EQ(second.capture().frames.size(), 2u);
    }
    runtime.step();
    EXPECT_EQ(first.capture().frames.size(), 3u);
}

TEST(Recorder, a_frame_beyond_its_budget_is_told) {
    Runtime runtime(two_workers());
    const ActorRef actor = runtime.spawn_actor({}, [](Actor& self) {
        self.bind_parallel(kWork, [](int ms) { std::this_thread::sleep_for(ms * 1ms); });
    });
    Recorder recorder(runtime, {.budget = 40ms});
    std::vector<std::uint64_t> late;
    recorder.on_late_frame([&](const FrameReport& report) {
        late.push_back(report.time.frame);
        EXPECT_EQ(recorder.capture(1).frames[0].number, report.time.frame);
    });
    for (const int ms : {0, 41, 0}) {
        actor.send(kWork, ms);
        runtime.step();
    }
    // The machine may be late by itself.
    EXPECT_EQ(std::count(late.begin(), late.end(), 2u), 1);
    EXPECT_EQ(recorder.capture().budget_ns, 40'000'000);
}

TEST(Recorder, captures_are_for_the_serial_phase) {
    Runtime runtime(two_workers());
    Recorder recorder(runtime);
    bool threw = false;
    std::size_t frames = 0;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kWork, [&](int) {
            try {
                recorder.capture();
            } catch (const takt::PhaseError&) {
                takt::commit([&] { threw = true; });
            }
        });
        self.bind(kNote, [&](int) { frames = recorder.capture().frames.size(); });
    });
    runtime.step();
    actor.send(kWork, 1);
    actor.send(kNote, 1);
    runtime.step();
    EXPECT_TRUE(threw || !TAKT_CHECKED);
    EXPECT_EQ(frames, 1u) << "the frame that runs is not whole";
}

TEST(Recorder, what_is_claimed_is_told) {
    Runtime runtime({.workers = {.count = 2}, .wait = {.spin_ns = 1'000'000}});
    std::vector<ActorRef> actors;
    actors.reserve(64);
    for (int at = 0; at < 64; ++at) // on both workers, by turns
        actors.push_back(runtime.spawn_actor({}, [](Actor& self) {
            self.bind_parallel(
                kWork, [](int us) { std::this_thread::sleep_for(std::chrono::microseconds(us)); });
        }));
    Recorder recorder(runtime);
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (runtime.balance().claims == 0 && std::chrono::steady_clock::now() < end) {
        for (std::size_t at = 0; at < actors.size(); at += 2)
            actors[at].send(kWork, 50);
        runtime.step();
    }
    const Capture capture = recorder.capture();
    expect_nested(capture);
    const std::vector<CapturedScope> claims = scopes_of(capture, ScopeKind::claim);
    ASSERT_EQ(claims.size(), runtime.balance().claims);
    for (const CapturedScope& claim : claims)
        EXPECT_EQ(claim.note, 1u);
}

// For the thread sanitizer, too: it is switched while actors write to each other.
TEST(Recorder, is_switched_under_load) {
    Runtime runtime(two_workers());
    std::vector<ActorRef> actors;
    std::atomic<std::uint64_t> handled{0};
    actors.reserve(32);
    for (int at = 0; at < 32; ++at)
        actors.push_back(runtime.spawn_actor({}, [&](Actor& self) {
            self.bind_parallel(kWork, [&](int left) {
                const Scope scope{"load"};
                takt::plot("left", left);
                handled.fetch_add(1, std::memory_order_relaxed);
                if (left > 0)
                    actors[static_cast<std::size_t>(left * 7) % actors.size()].send(kWork,
                                                                                    left - 1);
            });
        }));
    Recorder recorder(runtime, {.records = 4096});
    std::uint64_t sent = 0;
    for (int frame = 0; frame < 300; ++frame) {
        for (const ActorRef& actor : actors)
            actor.send(kWork, 3);
        sent += actors.size() * 4;
        runtime.step();
        if (frame % 7 == 0)
            recorder.is_on() ? recorder.stop() : recorder.start();
        if (frame % 23 == 0)
            expect_nested(recorder.capture(3));
    }
    EXPECT_EQ(handled.load(), sent);
}

TEST(Tick, goes_forward_and_by_the_clock) {
    const takt::TickPair first = takt::TickPair::now();
    std::this_thread::sleep_for(20ms);
    const takt::TickPair last = takt::TickPair::now();
    EXPECT_GT(last.tick, first.tick);
    const takt::TickScale scale(first, last);
    EXPECT_EQ(scale.ns_of(first.tick), first.ns);
    EXPECT_NEAR(static_cast<double>(scale.ns_of(last.tick) - last.ns), 0, 1);
    const std::uint64_t middle = takt::tick();
    EXPECT_NEAR(static_cast<double>(scale.ns_of(middle) - takt::now_ns()), 0, 5e6);
}

TEST(Tick, a_clock_that_goes_backwards_makes_one_moment) {
    const takt::TickScale scale({1000, 500}, {900, 600});
    EXPECT_EQ(scale.ns_of(0), 500);
    EXPECT_EQ(scale.ns_of(UINT64_MAX), 500);
    const takt::TickScale stopped({1000, 500}, {1000, 900});
    EXPECT_EQ(stopped.ns_of(1000), 500);
    takt::detail::Probe probe(4);
    probe.write(takt::detail::ProbeKind::user, 1000, 900, "backwards", 0);
    EXPECT_EQ(probe.ring().record(0).begin, 1000u);
    EXPECT_EQ(probe.ring().record(0).ticks, 0u);
}

TEST(SendStamp, survives_a_word_that_lacks_its_high_bits) {
    using takt::detail::SendStamp;
    const std::uint64_t now = 0x1234'5678'9abc'def0;
    for (const std::uint64_t ago : {0u, 1u, 4095u, 4096u, 1'000'000'000u})
        for (const int worker : {0, 1, 4095}) {
            const SendStamp stamp = SendStamp::unpack(SendStamp{now - ago, worker}.packed(), now);
            EXPECT_EQ(stamp.tick, now - ago);
            EXPECT_EQ(stamp.worker, worker);
        }
    EXPECT_EQ(SendStamp::unpack(SendStamp{now + 100, 3}.packed(), now).tick, now)
        << "of a core ahead";
}

} // namespace
