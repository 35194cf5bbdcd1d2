// SPDX-License-Identifier: MIT
// A frame that does what earlier ones did allocates nothing.
#include "runtime/expect_law.hpp"
#include "support/allocations.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

namespace {

using takt::Actor;
using takt::ActorRef;

constexpr takt::Topic<int> kBegin{"Begin"};
constexpr takt::Topic<int, int> kPass{"Pass"};
constexpr takt::Topic<std::uint64_t> kTell{"Tell"};
constexpr takt::Topic<int> kJob{"Job"};

class SteadyFrames : public testing::TestWithParam<std::tuple<int, takt::Delivery>> {
  protected:
    static constexpr int kActors = 16;
    static constexpr int kMessages = 40;

    takt::Config config() const {
        return {.workers = {.count = std::get<0>(GetParam())},
                .frame = {.delivery = std::get<1>(GetParam())}};
    }
    /// Allocations of 50 frames, after 150 others. How much mail waits at a time is a matter of
    /// timing, so lanes may still grow then: the least of several tries.
    template <class Frame>
    static std::uint64_t allocations_in(Frame frame) {
        for (int warm_up = 0; warm_up < 150; ++warm_up)
            frame();
        std::uint64_t least = UINT64_MAX;
        for (int tried = 0; tried < 20 && least != 0; ++tried) {
            const std::uint64_t before = allocations::count();
            for (int measured = 0; measured < 50; ++measured)
                frame();
            least = std::min(least, allocations::count() - before);
        }
        return least;
    }
};

TEST_P(SteadyFrames, with_messages_and_commits_allocate_nothing) {
    takt::Runtime runtime(config());
    std::vector<ActorRef> actors;
    std::uint64_t passed = 0;
    std::uint64_t told = 0;
    for (int index = 0; index < kActors; ++index)
        actors.push_back(runtime.spawn_actor({}, [&, index](Actor& self) {
            self.bind_parallel(kBegin, [&, index](int messages) {
                for (int message = 0; message < messages; ++message)
                    actors[static_cast<std::size_t>(index + message) % kActors].send(kPass, index,
                                                                                     message);
            });
            self.bind_parallel(kPass, [&](int, int message) {
                takt::commit([&passed] { ++passed; });
                if (message % 8 == 0)
                    takt::this_actor().ref().send(kTell, 1u);
            });
            self.bind(kTell, [&](takt::Serial, std::uint64_t count) { told += count; });
        }));
    std::uint64_t frames = 0;
    EXPECT_EQ(allocations_in([&] {
                  for (const ActorRef actor : actors)
                      actor.send(kBegin, kMessages);
                  runtime.run_until_idle();
                  ++frames;
              }),
              0u);
    EXPECT_EQ(passed, frames * kActors * kMessages);
    EXPECT_EQ(told, frames * kActors * kMessages / 8);
    takt::testing_support::expect_law(runtime);
}

TEST_P(SteadyFrames, with_tasks_that_synchronize_allocate_nothing) {
    takt::Runtime runtime(config());
    std::vector<ActorRef> actors;
    std::uint64_t steps = 0;
    std::atomic<std::uint64_t> ends{0};
    for (int index = 0; index < kActors; ++index)
        actors.push_back(runtime.spawn_actor({}, [&](Actor& self) {
            self.bind_parallel(kBegin, [&](int) -> takt::Task<> {
                co_await takt::synchronize();
                ++steps;
                co_await takt::desynchronize();
                co_await takt::synchronize();
                ++steps;
                co_await takt::next_frame();
                co_await takt::wait(std::chrono::nanoseconds(1));
                ++ends;
            });
        }));
    std::uint64_t frames = 0;
    EXPECT_EQ(allocations_in([&] {
                  for (const ActorRef actor : actors)
                      actor.send(kBegin, 0);
                  runtime.step();
                  runtime.step();
                  runtime.step();
                  ++frames;
              }),
              0u);
    EXPECT_EQ(steps, frames * kActors * 2);
    EXPECT_EQ(ends, frames * kActors);
    takt::testing_support::expect_law(runtime);
}

TEST_P(SteadyFrames, with_dispatches_allocate_nothing) {
    takt::Runtime runtime(config());
    std::uint64_t done = 0;
    takt::Dispatcher jobs(runtime, {.actors = 80}, [&](Actor& actor) {
        actor.bind_parallel(kJob, [&](int) -> takt::Task<> {
            co_await takt::synchronize();
            ++done;
        });
    });
    std::uint64_t frames = 0;
    EXPECT_EQ(allocations_in([&] {
                  for (int job = 0; job < 200; ++job)
                      jobs.dispatch(kJob, job);
                  runtime.run_until_idle();
                  ++frames;
              }),
              0u);
    EXPECT_EQ(done, frames * 200);
    EXPECT_EQ(jobs.total_load(), 0u);
    takt::testing_support::expect_law(runtime);
}

TEST_P(SteadyFrames, with_signals_allocate_nothing) {
    takt::Runtime runtime(config());
    takt::Signal<int> hit{runtime, "hit"};
    takt::Signal<> told{runtime, "told", takt::Firing::deferred};
    std::uint64_t serial = 0;
    std::atomic<std::uint64_t> parallel{0};
    std::vector<ActorRef> actors;
    for (int index = 0; index < kActors; ++index)
        actors.push_back(runtime.spawn_actor({}, [&](Actor& self) {
            self.bind_parallel(kBegin, [&](int value) { hit.fire(value); });
            hit.connect([&](int) { ++serial; });
            hit.connect_parallel([&](int) { ++parallel; });
            told.connect([&] { ++serial; });
        }));
    runtime.bind_to_simulation(60, 0, [&](takt::SimulationStep) {});
    std::uint64_t frames = 0;
    EXPECT_EQ(allocations_in([&] {
                  for (const ActorRef actor : actors)
                      actor.send(kBegin, 1);
                  told.fire();
                  runtime.run_until_idle();
                  ++frames;
              }),
              0u);
    EXPECT_EQ(serial, frames * (kActors + 1) * kActors);
    EXPECT_EQ(parallel, frames * kActors * kActors);
    takt::testing_support::expect_law(runtime);
}

INSTANTIATE_TEST_SUITE_P(workers, SteadyFrames,
                         testing::Combine(testing::Values(1, 2, 4),
                                          testing::Values(takt::Delivery::immediate,
                                                          takt::Delivery::next_round)));

} // namespace
