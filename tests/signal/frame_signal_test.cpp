// SPDX-License-Identifier: MIT
// What a frame fires by itself: the signals of its stages, and steps at a fixed rate.
#include "signal/signal_support.hpp"

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::ActorRef;
using takt::FrameTime;
using takt::Runtime;
using takt::SimulationStep;
using takt::Task;

constexpr takt::Topic<> kGo{"Go"};

class FrameSignals : public ::testing::TestWithParam<int> {
  protected:
    Runtime runtime{{.preset = takt::Preset::deterministic,
                     .workers = {.count = GetParam()},
                     .failure = {.policy = takt::FailurePolicy::resume}}};
    std::string order;
    auto mark(char letter) {
        return [this, letter](auto) { order += letter; };
    }
};

/// With runtimes of their own.
class SimulationSteps : public ::testing::TestWithParam<int> {};

TEST_P(FrameSignals, stages_come_in_order_once_a_frame_with_its_time) {
    std::vector<FrameTime> times;
    runtime.heartbeat().connect([&](FrameTime time) {
        order += 'h';
        times.push_back(time);
    });
    runtime.post_simulation().connect(mark('o'));
    runtime.pre_simulation().connect(mark('p'));
    runtime.spawn_actor({}, [&](Actor&) {
        runtime.pre_simulation().connect_parallel(mark('P'));
        runtime.heartbeat().connect_parallel(mark('H'));
    });
    runtime.step();
    runtime.step();
    EXPECT_EQ(order, "PpoHhPpoHh");
    ASSERT_EQ(times.size(), 2u);
    EXPECT_EQ(times[1].frame, times[0].frame + 1);
    EXPECT_EQ(times[1].time_ns - times[0].time_ns, times[1].step_ns);
}

TEST_P(FrameSignals, mail_is_handled_in_the_first_stage_and_timers_in_the_heartbeat) {
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind(kGo, [&] { order += 'm'; });
        takt::delay(0ns, [&] { order += 't'; });
    });
    runtime.pre_simulation().connect(mark('p'));
    runtime.heartbeat().connect(mark('h'));
    actor.send(kGo);
    runtime.step();
    EXPECT_EQ(order, "pmht");
}

TEST_P(FrameSignals, who_waits_for_the_next_frame_in_an_early_stage_does_not_get_this_one) {
    std::vector<std::uint64_t> frames;
    runtime.pre_simulation().once([&](FrameTime time) {
        frames.push_back(time.frame);
        takt::spawn([&]() -> Task<> { frames.push_back((co_await takt::next_frame()).frame); });
    });
    runtime.step();
    EXPECT_EQ(frames.size(), 1u);
    runtime.step();
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_EQ(frames[1], frames[0] + 1);
}

TEST_P(FrameSignals, a_frame_without_listeners_has_no_rounds) {
    takt::Connection connection = runtime.heartbeat().connect(mark('h'));
    EXPECT_EQ(runtime.step().rounds, 1u);
    connection.disconnect();
    EXPECT_EQ(runtime.step().rounds, 0u);
    EXPECT_EQ(order, "h");
}

TEST_P(FrameSignals, the_virtual_clock_does_not_drift) {
    for (int frame = 0; frame < 600; ++frame)
        runtime.step();
    EXPECT_EQ(runtime.heartbeat().now().time_ns, 10'000'000'000); // 600 frames at 60 Hz
    runtime.advance(1s);
    for (int frame = 0; frame < 600; ++frame)
        runtime.step();
    EXPECT_EQ(runtime.heartbeat().now().time_ns, 21'000'000'000);
}

TEST_P(FrameSignals, steps_at_the_rate_of_the_frames_come_one_in_each) {
    std::vector<std::uint64_t> steps;
    runtime.bind_to_simulation(60, 0, [&](SimulationStep step) {
        steps.push_back(step.step);
        EXPECT_EQ(step.time_ns, runtime.heartbeat().now().time_ns);
    });
    for (std::uint64_t frame = 1; frame <= 1000; ++frame) {
        runtime.step();
        ASSERT_EQ(steps.size(), frame);
        ASSERT_EQ(steps.back(), frame);
    }
}

TEST_P(SimulationSteps, of_any_rate_are_as_many_as_their_time_has_room_for) {
    for (const double rate : {7.0, 30.0, 59.94, 60.0, 100.0, 144.0, 240.0, 1.0 / 3}) {
        Runtime own({.preset = takt::Preset::deterministic, .workers = {.count = GetParam()}});
        std::uint64_t count = 0;
        std::int64_t last_ns = 0;
        own.bind_to_simulation(rate, 0, [&](SimulationStep step) {
            EXPECT_EQ(step.step, ++count);
            EXPECT_GT(step.time_ns, last_ns);
            EXPECT_EQ(step.step_ns, step.time_ns - last_ns);
            last_ns = step.time_ns;
        });
        for (int frame = 0; frame < 600; ++frame)
            own.step();
        EXPECT_EQ(count, static_cast<std::uint64_t>(10 * rate)) << rate; // in ten seconds
        EXPECT_EQ(own.skipped_steps(), 0u);
    }
}

TEST_P(FrameSignals, a_late_frame_makes_up_for_eight_steps_and_counts_the_rest) {
    std::vector<SimulationStep> steps;
    takt::Connection connection =
        runtime.bind_to_simulation(100, 0, [&](SimulationStep step) { steps.push_back(step); });
    runtime.step();
    const std::size_t before = steps.size();
    runtime.advance(1s);
    runtime.step();
    const auto due = static_cast<std::uint64_t>(runtime.heartbeat().now().time_ns / 10'000'000);
    ASSERT_EQ(steps.size(), before + 8);
    EXPECT_EQ(steps[before].skipped, due - 8 - before);
    EXPECT_EQ(steps[before].step, due - 7);
    EXPECT_EQ(steps.back().step, due);
    EXPECT_EQ(steps.back().skipped, 0u);
    EXPECT_EQ(runtime.skipped_steps(), due - 8 - before);
    runtime.step(); // and is back in time
    EXPECT_LE(steps.size(), before + 10);
    connection.disconnect();
    const std::size_t ended = steps.size();
    runtime.step();
    EXPECT_EQ(steps.size(), ended);
}

TEST_P(FrameSignals, steps_come_by_time_then_by_priority_then_in_bind_order_after_pre_simulation) {
    runtime.bind_to_simulation(120, 2, mark('c'));
    runtime.bind_to_simulation(60, 1, mark('a'));
    runtime.bind_to_simulation(120, 2, mark('d'));
    runtime.bind_to_simulation(60, 1, mark('b'));
    runtime.pre_simulation().connect(mark('p'));
    runtime.post_simulation().connect(mark('o'));
    runtime.step();
    EXPECT_EQ(order, "pcdabcdo"); // 1/120 s: c d; 1/60 s: a b c d
}

TEST_P(FrameSignals, a_step_may_bind_and_disconnect_and_throw) {
    int failures = 0;
    runtime.on_failure([&](const takt::Failure&) { ++failures; });
    takt::Connection second;
    runtime.bind_to_simulation(60, 1, [&](takt::Serial, SimulationStep) {
        order += 'a';
        second.disconnect();
        if (order == "a")
            runtime.bind_to_simulation(60, 0, mark('n'));
        throw std::runtime_error("step");
    });
    second = runtime.bind_to_simulation(60, 2, mark('b'));
    runtime.step();
    runtime.step();
    EXPECT_EQ(order, "ana");
    EXPECT_EQ(failures, 2);
}

TEST_P(FrameSignals, steps_of_an_actor_end_with_it) {
    const ActorRef actor =
        runtime.spawn_actor({}, [&](Actor&) { runtime.bind_to_simulation(60, 0, mark('a')); });
    runtime.step();
    actor.destroy();
    runtime.step();
    EXPECT_EQ(order, "a");
    EXPECT_EQ(runtime.step().rounds, 0u);
}

TEST_P(FrameSignals, a_rate_that_is_none_is_refused) {
    for (const double rate : {0.0, 1e-11, 0.0009, -1.0, 2e9, 1.0 / 0.0, 0.0 / 0.0})
        EXPECT_THROW(runtime.bind_to_simulation(rate, 0, [](SimulationStep) {}), takt::Error);
}

TEST_P(SimulationSteps, are_what_a_runtime_rises_for_on_demand) {
    Runtime own({.workers = {.count = GetParam()}, .frame = {.pacing = takt::Pacing::on_demand}});
    int steps = 0;
    own.bind_to_simulation(500, 0, [&](SimulationStep) { ++steps; });
    own.run_for(40ms);
    EXPECT_GE(steps, 8);
    EXPECT_LE(steps, 60);
}

INSTANTIATE_TEST_SUITE_P(workers, FrameSignals, ::testing::Values(1, 2, 4));
INSTANTIATE_TEST_SUITE_P(workers, SimulationSteps, ::testing::Values(1, 2)); // thousands of frames

} // namespace
