// SPDX-License-Identifier: MIT
// Who hears a signal, in which order and in which phase.
#include "runtime/expect_law.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>

#include <string>
#include <thread>
#include <vector>

namespace {

using takt::Actor;
using takt::Phase;
using takt::Runtime;
using takt::Signal;
using takt::Task;

constexpr takt::Topic<> kGo{"Go"};

class Signals : public testing::TestWithParam<int> {
  protected:
    Runtime runtime{{.preset = takt::Preset::deterministic,
                     .workers = {.count = GetParam()},
                     .failure = {.policy = takt::FailurePolicy::resume}}};
    std::vector<int> heard;
    auto note(int number) {
        return [this, number](int value) { heard.push_back(10 * number + value); };
    }
};

TEST_P(Signals, listeners_are_called_in_connect_order_at_once_in_the_serial_phase) {
    Signal<int> hit{runtime, "hit"};
    hit.connect(note(1));
    runtime.spawn_actor({}, [&](Actor&) { hit.connect(note(2)); });
    hit.connect(note(3));
    hit.fire(7);
    EXPECT_EQ(heard, (std::vector<int>{17, 27, 37}));
}

TEST_P(Signals, deferred_calls_come_in_the_next_round) {
    Signal<int> hit{runtime, "hit", takt::Firing::deferred};
    hit.connect(note(1));
    hit.fire(1);
    hit.fire(2);
    EXPECT_TRUE(heard.empty());
    runtime.step();
    EXPECT_EQ(heard, (std::vector<int>{11, 12}));
}

TEST_P(Signals, once_hears_one_of_three_queued_and_who_disconnects_none) {
    Signal<int> hit{runtime, "hit", takt::Firing::deferred};
    hit.once(note(1));
    takt::Connection gone = hit.connect(note(2));
    for (int value = 1; value <= 3; ++value)
        hit.fire(value);
    gone.disconnect();
    runtime.step();
    EXPECT_EQ(heard, (std::vector<int>{11}));
}

TEST_P(Signals, an_actor_that_goes_with_three_queued_hears_them_all) {
    Signal<int> hit{runtime, "hit", takt::Firing::deferred};
    const auto actor = runtime.spawn_actor({}, [&](Actor&) {
        hit.connect(note(1));
        hit.connect_parallel(note(2));
    });
    for (int value = 1; value <= 3; ++value)
        hit.fire(value);
    actor.destroy();
    hit.fire(4);
    runtime.run_until_idle();
    std::sort(heard.begin(), heard.end());
    EXPECT_EQ(heard, (std::vector<int>{11, 12, 13, 21, 22, 23}));
}

TEST_P(Signals, a_fire_of_the_parallel_phase_is_heard_in_commit_order) {
    Signal<int> hit{runtime, "hit"};
    hit.connect(note(0));
    std::vector<takt::ActorRef> actors;
    for (int index = 0; index < 8; ++index)
        actors.push_back(runtime.spawn_actor({}, [&, index](Actor& self) {
            self.bind_parallel(kGo, [&, index] { hit.fire(index); });
        }));
    for (std::size_t at = actors.size(); at-- > 0;)
        actors[at].send(kGo);
    runtime.step();
    EXPECT_EQ(heard, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST_P(Signals, a_listener_that_throws_stops_nobody_else) {
    int failures = 0;
    runtime.on_failure([&](const takt::Failure& failure) {
        ++failures;
        EXPECT_EQ(failure.topic, "hit");
    });
    Signal<int> hit{runtime, "hit"};
    hit.connect([](int) { throw std::runtime_error("hit"); });
    hit.connect(note(1));
    hit.fire(1);
    EXPECT_EQ(failures, 1);
    EXPECT_EQ(heard, (std::vector<int>{11}));
}

TEST_P(Signals, a_chain_ends_at_ten_with_its_names) {
    std::string text;
    runtime.on_failure([&](const takt::Failure& failure) { text = failure.text(); });
    Signal<> ping{runtime, "ping"};
    int calls = 0;
    ping.connect([&] {
        ++calls;
        ping.fire();
    });
    ping.fire();
    EXPECT_EQ(calls, 10);
    EXPECT_NE(text.find("ping > ping"), std::string::npos) << text;
}

TEST_P(Signals, a_task_that_waits_gets_the_arguments_in_its_phase) {
    Signal<int> hit{runtime, "hit"};
    const auto actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kGo, [&]() -> Task<> {
            const int value = co_await hit.wait();
            EXPECT_EQ(takt::current_phase(), Phase::parallel);
            heard.push_back(value);
        });
    });
    actor.send(kGo);
    runtime.step();
    hit.fire(5);
    hit.fire(6);
    runtime.run_until_idle();
    EXPECT_EQ(heard, (std::vector<int>{5}));
}

TEST_P(Signals, a_fire_from_outside_comes_in_the_next_round_and_finds_no_dead_signal) {
    auto hit = std::make_unique<Signal<int>>(runtime, "hit");
    hit->connect(note(1));
    const auto ref = hit->ref();
    std::thread([ref] { ref.fire(3); }).join();
    runtime.step();
    EXPECT_EQ(heard, (std::vector<int>{13}));
    hit.reset();
    std::thread([ref] { ref.fire(4); }).join();
    runtime.step();
    EXPECT_EQ(heard.size(), 1u);
}

TEST_P(Signals, stages_come_in_order_once_a_frame) {
    std::string order;
    runtime.heartbeat().connect([&](takt::FrameTime) { order += 'h'; });
    runtime.post_simulation().connect([&](takt::FrameTime) { order += 'o'; });
    runtime.pre_simulation().connect([&](takt::FrameTime) { order += 'p'; });
    runtime.step();
    runtime.step();
    EXPECT_EQ(order, "pohpoh");
}

TEST_P(Signals, parallel_listeners_are_called_in_the_next_parallel_phase_and_may_disconnect) {
    Signal<int> hit{runtime, "hit"};
    runtime.spawn_actor({}, [&](Actor&) {
        hit.connect_parallel([&](int value) {
            EXPECT_EQ(takt::current_phase(), Phase::parallel);
            heard.push_back(value);
            takt::this_connection().disconnect();
        });
    });
    hit.fire(1);
    hit.fire(2);
    EXPECT_TRUE(heard.empty());
    runtime.step();
    EXPECT_EQ(heard, (std::vector<int>{1}));
}

TEST_P(Signals, steps_of_fixed_rate_neither_drift_nor_spiral) {
    std::string order;
    runtime.bind_to_simulation(100, 2, [&](takt::SimulationStep) { order += 'b'; });
    std::uint64_t steps = 0;
    std::uint64_t skipped = 0;
    runtime.bind_to_simulation(100, 1, [&](takt::SimulationStep step) {
        order += 'a';
        ++steps;
        skipped += step.skipped;
        EXPECT_EQ(step.time_ns, static_cast<std::int64_t>(step.step) * 10'000'000);
    });
    for (int frame = 0; frame < 600; ++frame)
        runtime.step();
    const auto due = static_cast<std::uint64_t>(runtime.heartbeat().now().time_ns / 10'000'000);
    EXPECT_EQ(steps, due);
    EXPECT_EQ(order.substr(0, 4), "abab");
    EXPECT_EQ(runtime.skipped_steps(), 0u);
    runtime.advance(std::chrono::seconds(1));
    runtime.step();
    EXPECT_EQ(steps, due + 8);
    EXPECT_GT(skipped, 90u);
    EXPECT_EQ(runtime.skipped_steps(), 2 * skipped);
}

INSTANTIATE_TEST_SUITE_P(workers, Signals, testing::Values(1, 2, 4));

} // namespace
