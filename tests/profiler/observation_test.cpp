// SPDX-License-Identifier: MIT
// What can be seen of a runtime from outside: its numbers, its actors, who takes too long, and what a
// profiler that is there already is told.
#include "takt/profiler.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::ActorRef;
using takt::ActorState;
using takt::Latencies;
using takt::Phase;
using takt::ProfilerHooks;
using takt::Recorder;
using takt::Runtime;
using takt::SlowScope;
using takt::Stats;
using takt::Task;
using takt::Watchdog;

constexpr takt::Topic<int> kWork{"Work"};
constexpr takt::Topic<int> kNote{"Note"};
constexpr takt::Topic<int> kUnknown{"Unknown"};

const takt::Config kTwoWorkers{.workers = {.count = 2}};

ActorRef worker_actor(Runtime& runtime, const char* name, int worker = -1) {
    return runtime.spawn_actor({.name = name, .worker = worker}, [](Actor& self) {
        self.bind_parallel(kWork, [](int ms) {
            if (ms > 0)
                std::this_thread::sleep_for(ms * 1ms);
        });
        self.bind(kNote, [](int ms) { std::this_thread::sleep_for(ms * 1ms); });
    });
}

// --- stats ---

TEST(Stats, are_those_of_the_single_questions) {
    Runtime runtime(kTwoWorkers);
    runtime.on_failure([](const takt::Failure&) {});
    const ActorRef actor = worker_actor(runtime, "a");
    const ActorRef fails = runtime.spawn_actor({}, [](Actor& self) {
        self.bind_parallel(kWork, [](int) { throw std::runtime_error("no"); });
    });
    for (int frame = 0; frame < 7; ++frame) {
        actor.send(kWork, 0);
        actor.send(kNote, 0);
        runtime.step();
    }
    fails.send(kWork, 0);
    fails.send(kWork, 0); // it will have stopped
    runtime.step();
    fails.send(kWork, 0); // it has
    actor.send(kUnknown, 0);
    runtime.step();
    actor.send(kWork, 0); // not taken yet
    const Stats stats = runtime.stats();
    EXPECT_EQ(stats.frames, 9u);
    EXPECT_GE(stats.rounds, 9u);
    EXPECT_EQ(stats.messages, 17u);
    EXPECT_GE(stats.commits, 7u);
    EXPECT_EQ(stats.failures, 1u);
    EXPECT_EQ(stats.mail.handled, 14u);
    EXPECT_EQ(stats.mail.failed, 1u);
    EXPECT_EQ(stats.mail.expired, 1u);
    EXPECT_EQ(stats.mail.in_flight, 1u);
    EXPECT_EQ(stats.expired[takt::Expiry::stopped], 1u);
    EXPECT_EQ(stats.refused, 1u);
    EXPECT_EQ(stats.load, 2u);
    EXPECT_EQ(stats.actors, 2u);
    EXPECT_EQ(stats.memory_bytes, runtime.memory_bytes());
    EXPECT_EQ(stats.balance.claims, runtime.balance().claims);
}

TEST(Stats, count_who_sleeps_and_who_is_woken) {
    Runtime runtime({.workers = {.count = 2}, .wait = {.spin_ns = 0, .yields = 0}});
    const ActorRef actor = worker_actor(runtime, "a", 1);
    const auto end = std::chrono::steady_clock::now() + 60s;
    while ((runtime.stats().parks < 5 || runtime.stats().wakes < 5) &&
           std::chrono::steady_clock::now() < end) {
        actor.send(kWork, 1);
        runtime.step();
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_GE(runtime.stats().parks, 5u);
    EXPECT_GE(runtime.stats().wakes, 5u);
}

TEST(Stats, memory_grows_by_the_rings_of_a_recorder) {
    Runtime runtime(kTwoWorkers);
    const std::size_t before = runtime.stats().memory_bytes;
    const Recorder recorder(runtime, {.records = 1024});
    EXPECT_GE(runtime.stats().memory_bytes, before + 3 * 1024 * 32);
}

// --- latencies ---

TEST(Latencies, count_each_frame_phase_and_message) {
    Runtime runtime(kTwoWorkers);
    const ActorRef actor = worker_actor(runtime, "a", 1);
    Recorder recorder(runtime, {.records = 16}); // no history is asked for
    for (int frame = 0; frame < 20; ++frame) {
        actor.send(kWork, frame == 10 ? 20 : 0);
        runtime.step();
    }
    const Latencies times = recorder.latencies();
    EXPECT_EQ(times.frame.count(), 20u);
    EXPECT_EQ(times.parallel.count(), 20u);
    EXPECT_EQ(times.serial.count(), 20u);
    EXPECT_EQ(times.handler.count(), 20u);
    EXPECT_EQ(times.queue_wait.count(), 20u);
    EXPECT_GT(times.barrier.count(), 20u);
    EXPECT_GE(times.handler.max(), 20'000'000);
    EXPECT_GE(times.frame.max(), times.parallel.max());
    EXPECT_GE(times.barrier.max(), 15'000'000) << "worker 0 has waited for it";
    EXPECT_LT(times.handler.percentile(50), 20'000'000);

    std::ostringstream text;
    times.frame.write_hdr(text);
    EXPECT_NE(text.str().find("Percentile"), std::string::npos);
}

// --- the actors ---

TEST(ActorStates, say_what_each_is_at) {
    Runtime runtime(kTwoWorkers);
    runtime.on_failure([](const takt::Failure&) {});
    const ActorRef waits = runtime.spawn_actor({.name = "waits", .worker = 1}, [](Actor& self) {
        self.bind_parallel(kWork, [](int) -> Task<> { co_await takt::wait(1h); });
    });
    const ActorRef nameless = runtime.spawn_actor({}, [](Actor& self) {
        self.bind_parallel(kWork, [](int) { throw std::runtime_error("no"); });
    });
    runtime.step();
    waits.send(kWork, 0);
    waits.send(kUnknown, 0);
    nameless.send(kWork, 0);
    runtime.step();
    const std::vector<ActorState> states = runtime.actor_states();
    ASSERT_EQ(states.size(), 2u);
    EXPECT_EQ(states[0].name, "waits");
    EXPECT_STREQ(states[0].life, "live");
    EXPECT_EQ(states[0].worker, 1);
    EXPECT_EQ(states[0].in_flight, 2u);
    EXPECT_EQ(states[0].kept, 1u);
    EXPECT_EQ(states[0].tasks, 1u);
    EXPECT_EQ(states[1].ref, nameless);
    EXPECT_EQ(states[1].name[0], '#');
    EXPECT_STREQ(states[1].life, "stopped");
    std::ostringstream text;
    takt::print(text, states);
    EXPECT_NE(text.str().find("waits\n"), std::string::npos);
    const std::string lines = text.str();
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 3);
}

TEST(ActorStates, a_shutdown_that_hangs_tells_whose_tasks_it_is) {
    Runtime runtime(kTwoWorkers);
    std::atomic<bool> may_end{false};
    const ActorRef hangs = runtime.spawn_actor({.name = "hangs"}, [&](Actor& self) {
        self.bind_parallel(kWork, [&](int) -> Task<> {
            co_await takt::offload();
            while (!may_end.load())
                std::this_thread::sleep_for(1ms);
        });
    });
    worker_actor(runtime, "fine");
    hangs.send(kWork, 0);
    runtime.step();
    const takt::ShutdownReport report = runtime.shutdown(10ms);
    may_end = true;
    ASSERT_EQ(report.actors_left.size(), 1u);
    EXPECT_EQ(report.actors_left[0].name, "hangs");
    EXPECT_EQ(report.actors_left[0].offloaded, 1u);
    EXPECT_EQ(report.actors_left[0].tasks, 1u);
}

TEST(ActorStates, a_shutdown_that_ends_tells_of_nobody) {
    Runtime runtime(kTwoWorkers);
    worker_actor(runtime, "fine");
    runtime.step();
    EXPECT_TRUE(runtime.shutdown(1s).actors_left.empty());
}

// --- the watchdog ---

struct Told {
    void operator()(const SlowScope& slow) {
        const std::lock_guard lock(mutex);
        all.push_back(slow);
    }
    std::vector<SlowScope> of(const std::string& topic) {
        const std::lock_guard lock(mutex);
        std::vector<SlowScope> found;
        for (const SlowScope& slow : all)
            if (slow.topic == topic)
                found.push_back(slow);
        return found;
    }
    std::mutex mutex;
    std::vector<SlowScope> all;
};

TEST(Watchdog, tells_once_while_it_runs) {
    Runtime runtime(kTwoWorkers);
    const ActorRef slow = worker_actor(runtime, "slow", 1);
    Told told;
    {
        Watchdog watchdog(runtime,
                          {.budget = 20ms, .on_slow = [&](const SlowScope& one) { told(one); }});
        slow.send(kWork, 300);
        runtime.step();
        slow.send(kNote, 300);
        runtime.step();
        for (int frame = 0; frame < 20; ++frame) {
            slow.send(kWork, 0);
            runtime.step();
        }
        EXPECT_GE(watchdog.slow(), 2u);
    }
    ASSERT_EQ(told.of("Work").size(), 1u);
    const SlowScope one = told.of("Work")[0];
    EXPECT_EQ(one.actor, slow);
    EXPECT_EQ(one.name, "slow");
    EXPECT_EQ(one.worker, 1);
    EXPECT_EQ(one.cpu, runtime.plan().workers[1].cpu);
    EXPECT_GE(one.running, 20ms);
    EXPECT_LT(one.running, 300ms) << "it was told while it ran";
    ASSERT_EQ(told.of("Note").size(), 1u);
    EXPECT_EQ(told.of("Note")[0].worker, 0) << "the serial phase is the frame thread's";
    EXPECT_EQ(told.of("Note")[0].name, "slow");
}

TEST(Watchdog, says_what_runs_now) {
    Runtime runtime(kTwoWorkers);
    std::vector<SlowScope> seen;
    std::atomic<bool> has_seen{false};
    const ActorRef looked_at = worker_actor(runtime, "a-name-that-is-longer-than-31-bytes-are", 1);
    const std::unique_ptr<Watchdog> watchdog =
        std::make_unique<Watchdog>(runtime, takt::WatchdogOptions{.budget = 10s});
    looked_at.send(kWork, 200);
    std::thread outside([&] {
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (seen.empty() && std::chrono::steady_clock::now() < end)
            seen = watchdog->running();
        has_seen = true;
    });
    runtime.step();
    for (int frame = 0; frame < 100 && !has_seen; ++frame) {
        looked_at.send(kWork, 20);
        runtime.step();
    }
    outside.join();
    ASSERT_FALSE(seen.empty());
    EXPECT_EQ(seen[0].name, "a-name-that-is-longer-than-31-b");
    EXPECT_EQ(seen[0].topic, "Work");
    EXPECT_EQ(watchdog->slow(), 0u);
    EXPECT_NE(seen[0].text().find("actor \"a-name"), std::string::npos) << seen[0].text();
}

TEST(Watchdog, refuses_a_budget_that_it_cannot_keep) {
    Runtime runtime(kTwoWorkers);
    EXPECT_THROW(Watchdog(runtime, {.budget = 10us}), takt::Error);
}

// --- hooks ---

struct Calls {
    static Calls& of(void* user) { return *static_cast<Calls*>(user); }
    std::atomic<int> threads{0}, starts{0}, phases{0}, serial_phases{0}, scopes{0}, open{0},
        parks{0}, parked{0};
    std::atomic<bool> wrong{false};
    const ProfilerHooks hooks{this,
                              [](void* user, int) {
                                  ++of(user).threads;
                                  ++of(user).starts;
                              },
                              [](void* user, int) { --of(user).threads; },
                              [](void* user, int worker, Phase phase) {
                                  ++(phase == Phase::serial ? of(user).serial_phases
                                                            : of(user).phases);
                                  if (phase == Phase::serial && worker != 0)
                                      of(user).wrong = true;
                                  ++of(user).open;
                              },
                              [](void* user, int, Phase) { --of(user).open; },
                              [](void* user, int, const char* topic, ActorRef) {
                                  of(user).scopes += std::string_view(topic) == "Work";
                                  ++of(user).open;
                              },
                              [](void* user, int) { --of(user).open; },
                              [](void* user, int) {
                                  ++of(user).parks;
                                  ++of(user).parked;
                              },
                              [](void* user, int) { --of(user).parked; }};
};

TEST(ProfilerHooks, hear_of_threads_phases_and_scopes_in_pairs) {
    Calls calls;
    {
        Runtime runtime({.workers = {.count = 2}, .wait = {.spin_ns = 0, .yields = 0}});
        const ActorRef actor = worker_actor(runtime, "a", 1);
        actor.send(kWork, 0);
        runtime.step();
        runtime.set_profiler(&calls.hooks);
        for (int frame = 0; frame < 10; ++frame) {
            actor.send(kWork, 0);
            actor.send(kNote, 0);
            runtime.step();
        }
        EXPECT_EQ(calls.scopes, 10);
        EXPECT_GE(calls.phases, 20);
        EXPECT_GE(calls.serial_phases, 10);
        EXPECT_EQ(calls.threads, 2);
        runtime.set_profiler(nullptr);
        EXPECT_EQ(calls.threads, 0);
        EXPECT_EQ(calls.open, 0);
        EXPECT_EQ(calls.parked, 0);
        actor.send(kWork, 0);
        runtime.step();
        EXPECT_EQ(calls.scopes, 10);
        runtime.set_profiler(&calls.hooks);
        runtime.step();
        actor.send(kWork, 0);
        runtime.step();
        EXPECT_EQ(calls.threads, 2);
    }
    EXPECT_EQ(calls.threads, 0) << "the runtime is gone";
    EXPECT_EQ(calls.starts, 4);
    EXPECT_GT(calls.parks, 0);
    EXPECT_FALSE(calls.wrong);
}

} // namespace
