// SPDX-License-Identifier: MIT
// Parallel phases on real threads.
#include "frame/claim_scenarios.hpp"
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

template <class P>
void stress_claims() {
    using claim_test::letters_until_the_end;
    for (const int workers : {2, 3, 4})
        for (const int owner : {0, 1}) {
            stress(letters_until_the_end<P>({.workers = workers,
                                             .actors = 16,
                                             .owner = owner,
                                             .moves = true,
                                             .phases = 200,
                                             .letters = 3,
                                             .hops = 3,
                                             .serial_sender = 5,
                                             .phases_max = 200}),
                   3);
            stress(letters_until_the_end<P>({.workers = workers,
                                             .actors = 8,
                                             .owner = owner,
                                             .phases = 50,
                                             .letters = 2,
                                             .hops = 3,
                                             .serial_sender = 5,
                                             .budget = 20,
                                             .phases_max = 100'000}),
                   3);
        }
}

TEST(Stress, claims) {
    stress_claims<Threads>();
}

TEST(Stress, claims_without_membarrier) {
    stress_claims<ThreadsWithoutMembarrier>();
}

TEST(Stress, the_end_of_phases) {
    stress_all<Threads>();
}

TEST(Stress, the_end_of_phases_without_membarrier) {
    stress_all<ThreadsWithoutMembarrier>();
}

} // namespace
