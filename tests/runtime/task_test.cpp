// SPDX-License-Identifier: MIT
// Tasks: phases, order, frames, timers, background threads, lifetimes.
#include "runtime/expect_law.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::ActorRef;
using takt::Phase;
using takt::Task;
using takt::testing_support::expect_law;

constexpr takt::Topic<int> kJob{"Job"};
constexpr takt::Topic<> kGo{"Go"};

class Tasks : public testing::TestWithParam<int> {
  protected:
    takt::Config config() const {
        return {.workers = {.count = GetParam()},
                .failure = {.policy = takt::FailurePolicy::resume},
                .clock = {.kind = takt::ClockKind::virtual_time}};
    }
};

TEST_P(Tasks, change_the_phase_and_do_nothing_where_they_are_in_it) {
    takt::Runtime runtime(config());
    std::string trace;
    const auto note = [&trace] { trace += takt::current_phase() == Phase::serial ? "s" : "p"; };
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kGo, [&]() -> Task<> {
            note();
            co_await takt::desynchronize();
            note();
            co_await takt::synchronize();
            note();
            co_await takt::synchronize();
            note();
            co_await takt::desynchronize();
            note();
            co_await takt::synchronize();
            note();
        });
    });
    actor.send(kGo);
    const takt::FrameReport report = runtime.step();
    EXPECT_EQ(trace, "ppssps");
    EXPECT_EQ(report.rounds, 2u);
    EXPECT_EQ(runtime.mail().handled, 1u);
    expect_law(runtime);
}

Task<int> add(int one, int other) {
    co_await takt::synchronize();
    co_return one + other;
}

TEST_P(Tasks, await_tasks_and_get_their_results_and_exceptions) {
    takt::Runtime runtime(config());
    int sum = 0;
    std::string caught;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kJob, [&](int number) -> Task<> {
            sum = co_await add(number, 1);
            sum = co_await add(sum, 1);
            const auto fail = []() -> Task<> {
                co_await takt::desynchronize();
                throw std::runtime_error("inner");
            };
            try {
                co_await fail();
            } catch (const std::runtime_error& error) {
                caught = error.what();
            }
        });
    });
    actor.send(kJob, 5);
    runtime.run_until_idle();
    EXPECT_EQ(sum, 7);
    EXPECT_EQ(caught, "inner");
    expect_law(runtime);
}

TEST_P(Tasks, a_million_awaits_in_a_loop_do_not_grow_the_stack) {
    takt::Runtime runtime(config());
    const auto nothing = [](int value) -> Task<int> { co_return value; };
    int count = 0;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kGo, [&]() -> Task<> {
            for (int round = 0; round < 1'000'000; ++round)
                count += co_await nothing(1);
            co_await takt::synchronize();
            for (int round = 0; round < 1'000'000; ++round)
                co_await takt::synchronize(); // goes on at once
        });
    });
    actor.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(count, 1'000'000);
    expect_law(runtime);
}

TEST_P(Tasks, next_frame_and_wait_keep_the_phase_and_tell_the_time) {
    takt::Runtime runtime(config());
    std::vector<std::uint64_t> frames;
    std::chrono::nanoseconds waited{};
    Phase after_wait = Phase::outside;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kGo, [&]() -> Task<> {
            for (int times = 0; times < 3; ++times) {
                const takt::FrameTime frame = co_await takt::next_frame();
                EXPECT_EQ(takt::current_phase(), Phase::parallel);
                frames.push_back(frame.frame);
            }
            co_await takt::synchronize();
            waited = co_await takt::wait(100ms);
            after_wait = takt::current_phase();
        });
    });
    actor.send(kGo);
    runtime.run_for(1s);
    EXPECT_EQ(frames, (std::vector<std::uint64_t>{2, 3, 4}));
    EXPECT_GE(waited, 100ms);
    EXPECT_LT(waited, 120ms);
    EXPECT_EQ(after_wait, Phase::serial);
    expect_law(runtime);
}

TEST_P(Tasks, offloaded_work_runs_outside_and_comes_home) {
    takt::Runtime runtime(config());
    bool outside = false;
    bool home = false;
    const ActorRef actor = runtime.spawn_actor({.name = "thinker"}, [&](Actor& self) {
        self.bind_parallel(kGo, [&]() -> Task<> {
            co_await takt::offload();
            outside = takt::current_phase() == Phase::outside;
            std::this_thread::sleep_for(5ms);
            co_await takt::synchronize();
            home = takt::current_phase() == Phase::serial && takt::this_actor().name() == "thinker";
        });
    });
    actor.send(kGo);
    runtime.run_until_idle();
    EXPECT_TRUE(outside);
    EXPECT_TRUE(home);
    expect_law(runtime);
}

TEST_P(Tasks, destroying_the_actor_destroys_what_its_tasks_hold) {
    const auto held = std::make_shared<int>(0);
    {
        takt::Runtime runtime(config());
        const ActorRef actor = runtime.spawn_actor({}, [held](Actor& self) {
            self.bind_parallel(kJob, [held](int kind) -> Task<> {
                const std::shared_ptr<int> mine = held;
                if (kind == 0)
                    co_await takt::wait(1h);
                else if (kind == 1)
                    co_await takt::next_frame();
                else if (kind == 2)
                    takt::this_actor().destroy();
                co_await takt::synchronize();
                co_await takt::desynchronize();
                ADD_FAILURE() << "it is gone";
            });
        });
        actor.send(kJob, 0);
        actor.send(kJob, 1);
        runtime.step();
        EXPECT_GT(held.use_count(), 2);
        actor.send(kJob, 2);
        actor.send(kJob, 3);
        runtime.step();
        EXPECT_EQ(held.use_count(), 1);
        EXPECT_EQ(runtime.mail().expired, 4u);
        expect_law(runtime);
        runtime.step();
    }
    EXPECT_EQ(held.use_count(), 1);
}

TEST_P(Tasks, an_actor_whose_task_is_away_can_be_destroyed_and_the_runtime_too) {
    const auto held = std::make_shared<int>(0);
    const auto over = std::make_shared<std::atomic<bool>>(false);
    {
        takt::Runtime runtime(config());
        const auto setup = [held, over](Actor& self) {
            self.bind_parallel(kGo, [held, over]() -> Task<> {
                const std::shared_ptr<int> mine = held;
                co_await takt::offload();
                while (!over->load())
                    std::this_thread::sleep_for(1ms);
                EXPECT_GT(held.use_count(), 1);
                co_await takt::synchronize();
                ADD_FAILURE() << "it is gone";
            });
        };
        const ActorRef first = runtime.spawn_actor({}, setup);
        const ActorRef second = runtime.spawn_actor({.name = "away"}, setup);
        first.send(kGo);
        second.send(kGo);
        runtime.step();
        first.destroy();
        runtime.step();
        EXPECT_EQ(runtime.mail().expired, 1u);
        const takt::ShutdownReport report = runtime.shutdown(0ns);
        EXPECT_EQ(report.actors, 1u);
        EXPECT_GE(report.tasks_destroyed, 1u);
        EXPECT_EQ(report.offloaded_left.size(), 2u);
        expect_law(runtime);
        over->store(true);
    }
    EXPECT_EQ(held.use_count(), 1);
}

TEST_P(Tasks, a_setup_that_suspends_finishes_before_the_first_message) {
    takt::Runtime runtime(config());
    bool ready = false;
    int handled = 0;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) -> Task<> {
        self.bind_parallel(kJob, [&](int) {
            EXPECT_TRUE(ready);
            ++handled;
        });
        co_await takt::next_frame();
        co_await takt::next_frame();
        co_await takt::desynchronize();
        co_await takt::synchronize();
        ready = true;
    });
    actor.send(kJob, 1);
    actor.send(kJob, 2);
    runtime.step();
    EXPECT_EQ(handled, 0);
    runtime.run_until_idle();
    runtime.step();
    EXPECT_EQ(handled, 2);
    expect_law(runtime);
}

TEST_P(Tasks, a_disconnected_handler_lives_as_long_as_its_tasks) {
    takt::Runtime runtime(config());
    const auto text = std::make_shared<std::string>("still here");
    std::string seen;
    const ActorRef actor = runtime.spawn_actor({}, [&seen, text](Actor& self) {
        takt::Connection connection =
            self.bind_parallel(kGo, [&seen, copy = std::string(*text)]() -> Task<> {
                co_await takt::next_frame();
                co_await takt::synchronize();
                seen = copy;
            });
        self.bind(kJob, [connection](int) mutable { connection.disconnect(); });
    });
    actor.send(kGo);
    actor.send(kJob, 1);
    runtime.step();
    runtime.step();
    EXPECT_EQ(seen, "still here");
    actor.send(kGo); // nobody handles it now
    runtime.step();
    expect_law(runtime, 1);
}

TEST_P(Tasks, outside_actors_run_in_the_serial_phase_only) {
    takt::Runtime runtime(config());
    std::string error;
    bool ended = false;
    runtime.start([](std::string& what, bool& over) -> Task<> {
        EXPECT_EQ(takt::current_phase(), Phase::serial);
        co_await takt::next_frame();
        EXPECT_EQ(takt::current_phase(), Phase::serial);
        try {
            co_await takt::desynchronize();
        } catch (const takt::PhaseError& wrong) {
            what = wrong.what();
        }
        over = true;
    }(error, ended));
    runtime.step();
    runtime.step();
    EXPECT_TRUE(ended);
    EXPECT_NE(error.find("takt::desynchronize"), std::string::npos) << error;
}

TEST_P(Tasks, posted_functions_run_in_the_serial_phase_in_order) {
    takt::Runtime runtime(config());
    std::vector<int> seen;
    std::thread([&] {
        for (int number = 0; number < 100; ++number)
            EXPECT_EQ(runtime.post([&seen, number] {
                EXPECT_EQ(takt::current_phase(), Phase::serial);
                seen.push_back(number);
            }),
                      takt::SendResult::ok);
    }).join();
    runtime.run_until_idle();
    ASSERT_EQ(seen.size(), 100u);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST_P(Tasks, heartbeats_reach_those_who_listen) {
    takt::Runtime runtime(config());
    std::vector<std::uint64_t> frames;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        takt::Connection beat = runtime.heartbeat().connect_parallel(
            [&](takt::FrameTime time) { frames.push_back(time.frame); });
        self.bind(kGo, [beat]() mutable { beat.disconnect(); });
    });
    runtime.step();
    runtime.step();
    actor.send(kGo);
    runtime.step();
    runtime.step();
    EXPECT_EQ(frames, (std::vector<std::uint64_t>{1, 2, 3}));
    expect_law(runtime);
}

INSTANTIATE_TEST_SUITE_P(workers, Tasks, testing::Values(1, 2, 4));

} // namespace
