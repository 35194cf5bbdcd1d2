// SPDX-License-Identifier: MIT
// TestRuntime: one thread, virtual time, the serial phase, failures, the law of messages.
#include "takt/takt.hpp"
#include "takt/testing.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::ActorRef;
using takt::Task;
using takt::testing::TestFailure;
using takt::testing::TestRuntime;

constexpr takt::Topic<int> kNumber{"Number"};
constexpr takt::Topic<std::string> kText{"Text"};
constexpr takt::Topic<> kGo{"Go"};
constexpr takt::Topic<ActorRef, int> kBall{"Ball"};

/// The text of what `body` throws as an E; "nothing" when it does not.
template <class E>
std::string thrown_by(const std::function<void()>& body) {
    try {
        body();
    } catch (const E& error) {
        return error.what();
    }
    return "nothing";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

ActorRef spawn_thrower(TestRuntime& test, takt::FailurePolicy policy) {
    return test.spawn_actor({.name = "thrower", .on_failure = policy}, [](Actor& actor) {
        actor.bind_parallel(kNumber, [](int number) {
            if (number < 0)
                throw std::runtime_error("negative");
        });
    });
}

// --- one thread ---

TEST(TestRuntimeTest, everything_runs_on_the_calling_thread) {
    TestRuntime test;
    std::set<std::thread::id> threads;
    const ActorRef actor = test.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kGo, [&]() -> Task<> {
            threads.insert(std::this_thread::get_id());
            co_await takt::offload();
            threads.insert(std::this_thread::get_id());
            co_await takt::synchronize();
            threads.insert(std::this_thread::get_id());
        });
    });
    actor.send(kGo);
    test.run_until_idle();
    EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
    EXPECT_EQ(test.runtime().workers(), 1);
    EXPECT_FALSE(test.runtime().worker_status().front().pinned);
    EXPECT_EQ(test.unaccounted(), 0u);
}

TEST(TestRuntimeTest, takes_no_cpu_from_a_runtime_and_wants_none_that_is_free) {
    const takt::Runtime server; // has booked every allowed CPU
    TestRuntime test;
    const ActorRef actor = test.spawn_actor({}, [](Actor& self) { self.bind(kGo, [] {}); });
    actor.send(kGo);
    test.run_until_idle();
    EXPECT_EQ(test.runtime().mail().handled, 1u);
}

TEST(TestRuntimeTest, an_offloaded_task_is_outside_its_actor_and_comes_home_to_its_phase) {
    TestRuntime test;
    std::vector<takt::Phase> phases;
    const ActorRef actor = test.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kGo, [&]() -> Task<> {
            co_await takt::offload();
            phases.push_back(takt::current_phase());
            EXPECT_THROW(takt::this_actor(), takt::PhaseError);
            co_await takt::desynchronize();
            phases.push_back(takt::current_phase());
            EXPECT_EQ(takt::this_actor().ref(), actor);
            co_await takt::offload();
            co_await takt::synchronize();
            phases.push_back(takt::current_phase());
        });
    });
    actor.send(kGo);
    test.run_until_idle();
    EXPECT_EQ(phases,
              (std::vector{takt::Phase::outside, takt::Phase::parallel, takt::Phase::serial}));
}

TEST(TestRuntimeTest, a_task_that_offloads_in_each_round_of_a_frame_is_run_to_its_end) {
    TestRuntime test({.frame = {.max_rounds = 2}});
    int trips = 0;
    const ActorRef actor = test.spawn_actor({}, [&](Actor& self) {
        self.bind(kGo, [&]() -> Task<> {
            for (; trips < 9; ++trips) {
                co_await takt::offload();
                co_await takt::synchronize();
            }
        });
    });
    actor.send(kGo);
    EXPECT_GT(test.run_until_idle(), 1u);
    EXPECT_EQ(trips, 9);
}

TEST(TestRuntimeTest, an_offloaded_task_of_a_destroyed_actor_is_destroyed) {
    const auto token = std::make_shared<int>(1);
    TestRuntime test;
    const ActorRef actor = test.spawn_actor({}, [&](Actor& self) {
        self.bind(kGo, [&, token]() -> Task<> {
            const std::shared_ptr<int> held = token;
            co_await takt::offload();
            co_await takt::synchronize();
            ADD_FAILURE() << "its actor is gone";
        });
    });
    actor.send(kGo);
    test.runtime().post([actor] { actor.destroy(); });
    test.run_until_idle();
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_EQ(test.unaccounted(), 0u);
}

TEST(TestRuntimeTest, takes_a_servers_config_and_replaces_what_a_test_decides) {
    const takt::Config server{.preset = takt::Preset::latency,
                              .workers = {.count = 8, .pin_caller = true},
                              .frame = {.pacing = takt::Pacing::fixed,
                                        .rate_hz = 100,
                                        .max_rounds = 3,
                                        .phase_time_ns = 5'000},
                              .clock = {.kind = takt::ClockKind::real},
                              .offload = {.threads = 7}};
    TestRuntime test(server);
    const takt::EffectiveConfig& config = test.runtime().config();
    EXPECT_EQ(config.workers.count.value, 1);
    EXPECT_FALSE(config.workers.pin.value);
    EXPECT_FALSE(config.workers.pin_caller.value);
    EXPECT_EQ(config.frame.pacing.value, takt::Pacing::manual);
    EXPECT_EQ(config.frame.phase_time_ns.value, takt::kNever);
    EXPECT_EQ(config.clock.kind.value, takt::ClockKind::virtual_time);
    EXPECT_EQ(config.checks.level.value, takt::CheckLevel::always);
    EXPECT_EQ(config.frame.max_rounds.value, 3); // the server's
    EXPECT_EQ(test.step().time.step_ns, 10'000'000);
}

TEST(TestRuntimeTest, checks_phases_unless_the_config_says_otherwise) {
    TestRuntime test({.checks = {.level = takt::CheckLevel::off}});
    EXPECT_EQ(test.runtime().config().checks.level.value, takt::CheckLevel::off);
}

TEST(TestRuntimeTest, a_config_that_is_not_valid_is_refused_with_its_sentence) {
    EXPECT_TRUE(
        contains(thrown_by<takt::Error>([] { const TestRuntime test({.frame = {.rate_hz = -1}}); }),
                 "takt: frame.rate_hz = \"-1 Hz\""));
}

// --- time ---

TEST(TestRuntimeTest, time_passes_by_frames_and_by_nothing_else) {
    TestRuntime test({.frame = {.rate_hz = 100}});
    EXPECT_EQ(test.now(), 0ns);
    std::this_thread::sleep_for(1ms);
    EXPECT_EQ(test.now(), 0ns);
    test.step();
    EXPECT_EQ(test.now(), 10ms);
    test.advance(25ms);
    EXPECT_EQ(test.now(), 35ms);
    test.advance(0ns);
    EXPECT_EQ(test.runtime().last_frame().time.frame, 4u); // 10, 20, 30, 35
    test.run_until_idle();
    EXPECT_EQ(test.now(), 45ms);
}

TEST(TestRuntimeTest, advance_fires_timers_at_their_frames_in_the_order_of_their_times) {
    TestRuntime test({.frame = {.rate_hz = 10}});
    std::vector<std::pair<int, std::int64_t>> fired;
    test.spawn_actor({}, [&](Actor&) {
        for (const int ms : {950, 150, 50, 5000, 149})
            takt::delay(std::chrono::milliseconds(ms), [&, ms] {
                fired.push_back({ms, test.now().count()});
            });
    });
    test.advance(4999ms);
    // Frames at 100 ms, 200 ms, ...: each fires what is due, in the order of due times. The report
    // of the frame before is the last one while a frame runs.
    ASSERT_EQ(fired.size(), 4u);
    EXPECT_EQ(fired[0].first, 50);
    EXPECT_EQ(fired[1].first, 149);
    EXPECT_EQ(fired[2].first, 150);
    EXPECT_EQ(fired[3].first, 950);
    EXPECT_EQ(fired[0].second, (0ns).count());
    EXPECT_EQ(fired[1].second, std::chrono::nanoseconds(100ms).count());
    EXPECT_EQ(fired[3].second, std::chrono::nanoseconds(900ms).count());
    test.advance(1ms);
    ASSERT_EQ(fired.size(), 5u);
    EXPECT_EQ(fired[4].first, 5000);
}

TEST(TestRuntimeTest, a_wait_ends_exactly_when_its_time_has_been_advanced) {
    TestRuntime test;
    bool over = false;
    const ActorRef actor = test.spawn_actor({}, [&](Actor& self) {
        self.bind(kGo, [&]() -> Task<> {
            const auto passed = co_await takt::wait(5s);
            EXPECT_EQ(passed, 5s);
            over = true;
        });
    });
    actor.send(kGo);
    test.run_until_idle();
    test.advance(5s - 1ns);
    EXPECT_FALSE(over);
    test.advance(1ns);
    EXPECT_TRUE(over);
}

TEST(TestRuntimeTest, a_task_that_waits_in_the_parallel_phase_goes_on_there_after_advance) {
    TestRuntime test;
    takt::Phase phase = takt::Phase::outside;
    const ActorRef actor = test.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kGo, [&]() -> Task<> {
            co_await takt::wait(1s);
            phase = takt::current_phase();
        });
    });
    actor.send(kGo);
    test.run_until_idle();
    EXPECT_EQ(test.unaccounted(), 1u); // its message has not ended
    test.advance(1s);
    EXPECT_EQ(phase, takt::Phase::parallel);
    EXPECT_EQ(test.unaccounted(), 0u);
}

TEST(TestRuntimeTest, a_negative_time_is_refused_with_a_sentence) {
    TestRuntime test;
    EXPECT_EQ(thrown_by<takt::Error>([&] { test.advance(-3ns); }),
              "takt: by = \"-3 ns\": time does not go back. Give the time that is to pass.");
    EXPECT_EQ(test.now(), 0ns);
}

TEST(TestRuntimeTest, run_until_idle_ends_with_a_sentence_when_actors_never_rest) {
    TestRuntime test({}, 3);
    const ActorRef actor = test.spawn_actor(
        {}, [](Actor& self) { self.bind(kGo, [] { takt::this_actor().ref().send(kGo); }); });
    actor.send(kGo);
    EXPECT_EQ(thrown_by<TestFailure>([&] { test.run_until_idle(20); }),
              "takt: seed 3: after 20 frames there is still something to do; actors that write to "
              "each other for ever are never idle. TAKT_SEED=3 repeats it.");
}

TEST(TestRuntimeTest, two_actors_that_play_ball_for_ever_do_not_hang_a_frame) {
    TestRuntime test({.frame = {.phase_messages = 100}});
    int hits = 0;
    const auto player = [&](Actor& self) {
        self.bind_parallel(kBall, [&](ActorRef other, int) {
            ++hits;
            other.send(kBall, takt::this_actor().ref(), 0);
        });
    };
    const ActorRef one = test.spawn_actor({}, player);
    const ActorRef two = test.spawn_actor({}, player);
    one.send(kBall, two, 0);
    EXPECT_TRUE(test.step().left_over);
    EXPECT_EQ(hits, 1000); // of ten rounds
    test.step();
    EXPECT_EQ(hits, 2000);
    EXPECT_EQ(test.unaccounted(), 1u);
}

// --- the serial phase ---

void write_to(takt::ReadParallel<int>& value, takt::Serial serial, int number) {
    value.write(serial) = number;
}

TEST(TestRuntimeTest, gives_a_serial_to_plain_functions) {
    TestRuntime test;
    takt::ReadParallel<int> value;
    write_to(value, test.serial(), 1);
    EXPECT_EQ(*value, 1);
    EXPECT_EQ(test.serial([&](takt::Serial serial) {
        write_to(value, serial, 2);
        return 7;
    }),
              7);
    EXPECT_EQ(*value, 2);
}

TEST(TestRuntimeTest, run_as_runs_in_the_name_of_an_actor) {
    TestRuntime test;
    takt::testing::Probe probe = test.probe("probe", kNumber);
    const ActorRef actor = test.spawn_actor({.name = "me"}, [](Actor&) {});
    takt::LocalSafe<int> own(actor, 0);
    test.run_as(actor, [&](takt::Serial) {
        EXPECT_EQ(takt::this_actor().name(), "me");
        EXPECT_EQ(takt::current_phase(), takt::Phase::serial);
        own.write() = 4;
        probe.ref().send(kNumber, 1);
    });
    EXPECT_THROW(takt::this_actor(), takt::PhaseError); // the test is no actor
    test.run_until_idle();
    EXPECT_EQ(probe.count(kNumber), 1u);
    EXPECT_EQ(own.read(), 4);
}

TEST(TestRuntimeTest, what_run_as_throws_comes_back_to_the_test) {
    TestRuntime test;
    const ActorRef actor = test.spawn_actor({}, [](Actor&) {});
    EXPECT_THROW(test.run_as(actor, [] { throw std::runtime_error("mine"); }), std::runtime_error);
    EXPECT_TRUE(test.failures().empty());
    EXPECT_THROW(takt::this_actor(), takt::PhaseError);
}

TEST(TestRuntimeTest, run_as_of_no_actor_is_refused_with_a_sentence) {
    TestRuntime test, other;
    const ActorRef gone = test.spawn_actor({}, [](Actor&) {});
    gone.destroy();
    const ActorRef others = other.spawn_actor({}, [](Actor&) {});
    for (const ActorRef ref : {gone, others, ActorRef()})
        EXPECT_TRUE(contains(thrown_by<takt::Error>([&] { test.run_as(ref, [] {}); }),
                             "it is no actor of this runtime. Give one that has been made by it"));
}

// --- failures ---

TEST(TestRuntimeTest, a_failure_is_thrown_at_its_frame_with_seed_actor_topic_and_exception) {
    TestRuntime test({}, 17);
    const ActorRef actor = spawn_thrower(test, takt::FailurePolicy::resume);
    actor.send(kNumber, -1);
    EXPECT_EQ(
        thrown_by<TestFailure>([&] { test.step(); }),
        "takt: seed 17: takt: frame 1: actor \"thrower\", topic \"Number\", failed: negative. "
        "TAKT_SEED=17 repeats it.");
    ASSERT_EQ(test.failures().size(), 1u);
    EXPECT_EQ(test.failures()[0].actor, actor);
    EXPECT_EQ(test.failures()[0].topic, "Number");
    test.step(); // it was thrown for
    actor.send(kNumber, -1);
    EXPECT_THROW(test.run_until_idle(), TestFailure);
    actor.send(kNumber, -1);
    EXPECT_THROW(test.advance(1s), TestFailure);
    EXPECT_LT(test.now(), 1s); // it stopped where it failed
    EXPECT_EQ(test.unaccounted(), 0u);
}

TEST(TestRuntimeTest, several_failures_of_a_frame_are_all_named) {
    TestRuntime test;
    const ActorRef actor = spawn_thrower(test, takt::FailurePolicy::resume);
    actor.send(kNumber, -1);
    actor.send(kNumber, 1);
    actor.send(kNumber, -2);
    const std::string text = thrown_by<TestFailure>([&] { test.step(); });
    EXPECT_TRUE(contains(text, "2 failures:")) << text;
    EXPECT_EQ(test.failures().size(), 2u);
}

TEST(TestRuntimeTest, collected_failures_are_returned_and_not_thrown) {
    TestRuntime test;
    const ActorRef actor = spawn_thrower(test, takt::FailurePolicy::stop);
    const std::vector<takt::Failure> failures = test.collect_failures([&] {
        actor.send(kNumber, -1);
        test.run_until_idle();
    });
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_EQ(failures[0].name, "thrower");
    EXPECT_THROW(std::rethrow_exception(failures[0].exception), std::runtime_error);
    test.step();
    test.expect_no_failures();
    EXPECT_EQ(actor.try_send(kNumber, 1), takt::SendResult::dead); // it was stopped
    EXPECT_TRUE(test.collect_failures([&] { test.step(); }).empty());
}

TEST(TestRuntimeTest, failures_of_frames_that_the_code_under_test_runs_are_not_lost) {
    TestRuntime test;
    const ActorRef actor = spawn_thrower(test, takt::FailurePolicy::resume);
    actor.send(kNumber, -1);
    test.runtime().run_until_idle();
    EXPECT_THROW(test.expect_no_failures(), TestFailure);
    test.expect_no_failures();
}

TEST(TestRuntimeTest, failures_that_the_test_has_not_seen_go_to_stderr_at_its_end) {
    ::testing::internal::CaptureStderr();
    {
        TestRuntime test({}, 5);
        const ActorRef actor = spawn_thrower(test, takt::FailurePolicy::resume);
        actor.send(kNumber, -1);
        test.runtime().step();
    }
    EXPECT_TRUE(contains(::testing::internal::GetCapturedStderr(),
                         "takt: seed 5, not seen by the test: takt: frame 1: actor \"thrower\""));
}

TEST(TestRuntimeTest, a_use_in_the_wrong_phase_is_a_failure) {
    TestRuntime test;
    takt::Unsafe<int> shared{1};
    const ActorRef actor = test.spawn_actor({.name = "reader"}, [&](Actor& self) {
        self.bind_parallel(kGo, [&] { static_cast<void>(shared.read()); });
    });
    actor.send(kGo);
    const std::string text = thrown_by<TestFailure>([&] { test.step(); });
    EXPECT_TRUE(contains(text, "actor \"reader\", topic \"Go\"")) << text;
    EXPECT_TRUE(contains(text, "takt::Unsafe")) << text;
    EXPECT_THROW(std::rethrow_exception(test.failures().at(0).exception), takt::PhaseError);
}

TEST(TestRuntimeTest, collects_dead_letters_with_their_reasons) {
    TestRuntime test;
    const ActorRef stopped = spawn_thrower(test, takt::FailurePolicy::stop);
    test.collect_failures([&] {
        stopped.send(kNumber, -1);
        stopped.send(kNumber, 1);
        test.run_until_idle();
    });
    ASSERT_EQ(test.dead_letters().size(), 1u);
    EXPECT_EQ(test.dead_letters()[0].topic, "Number");
    EXPECT_EQ(test.dead_letters()[0].actor, stopped);
    EXPECT_EQ(test.dead_letters()[0].reason, takt::DeadLetter::Reason::stopped);
}

// --- the law ---

TEST(TestRuntimeTest, counts_messages_that_have_not_ended) {
    TestRuntime test({}, 2);
    const ActorRef actor = test.spawn_actor({}, [](Actor& self) {
        self.bind(kNumber, [](int) -> Task<> { co_await takt::wait(1s); });
    });
    EXPECT_EQ(test.unaccounted(), 0u);
    actor.send(kNumber, 1);
    EXPECT_EQ(test.unaccounted(), 1u); // no frame has taken it
    test.step();
    EXPECT_EQ(test.unaccounted(), 1u); // its task waits
    actor.send(kText, "nobody listens");
    test.runtime().producer().send(actor, kNumber, 2);
    EXPECT_EQ(test.unaccounted(), 3u);
    test.step();
    EXPECT_EQ(
        thrown_by<TestFailure>([&] { test.expect_all_accounted(); }),
        "takt: seed 2: mail was accepted and has neither been handled, nor failed or expired: "
        "2 of topic \"Number\" (not bound, or held by a task that waits), 1 of topic \"Text\" "
        "(not bound, or held by a task that waits), 0 under way. TAKT_SEED=2 repeats it.");
    test.advance(2s);
    EXPECT_EQ(test.unaccounted(), 1u);
    actor.destroy();
    test.run_until_idle();
    test.expect_all_accounted();
}

} // namespace
