// SPDX-License-Identifier: MIT
// Parallel phases on real threads.
#include "frame/scenarios.hpp"
#include "protocol/threads.hpp"

#include <gtest/gtest.h>

namespace {

using namespace frame_test;
using protocol::stress;
using protocol::Threads;
using protocol::ThreadsWithoutMembarrier;

template <class P>
void stress_all() {
    for (const int workers : {1, 2, 3, 4})
        for (const int yields : {0, 100}) {
            const std::vector<int> throwers =
                workers == 1 ? std::vector{0} : std::vector{0, workers - 1};
            stress(balls_until_the_end<P>({.workers = workers,
                                           .phases = 1000,
                                           .throwers = {},
                                           .yields = yields,
                                           .phases_max = 1000}),
                   1);
            stress(balls_until_the_end<P>({.workers = workers,
                                           .phases = 100,
                                           .hops = 50,
                                           .yields = yields,
                                           .phases_max = 100}),
                   1);
            stress(balls_until_the_end<P>({.workers = workers,
                                           .phases = 20,
                                           .balls = 20,
                                           .throwers = throwers,
                                           .hops = 30,
                                           .budget = 25,
                                           .yields = yields,
                                           .to_itself = true,
                                           .phases_max = 100'000}),
                   10);
            stress(balls_until_the_end<P>({.workers = workers,
                                           .phases = 20,
                                           .throwers = throwers,
                                           .hops = 3,
                                           .yields = yields,
                                           .next_round = true,
                                           .dismiss = true,
                                           .phases_max = 100}),
                   10);
        }
}

TEST(Stress, the_end_of_phases) {
    stress_all<Threads>();
}

TEST(Stress, the_end_of_phases_without_membarrier) {
    stress_all<ThreadsWithoutMembarrier>();
}

} // namespace
