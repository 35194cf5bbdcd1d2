// SPDX-License-Identifier: MIT
// Parallel phases under the explorer: over when all rest and no mail is under way, not before, and
// always in the end; and between them worker 0 has the world to itself. One poll of a mailbox is sixteen loads: too much for DFS.
#include "frame/scenarios.hpp"
#include "protocol/model.hpp"

#include <gtest/gtest.h>

namespace {

using namespace frame_test;
using protocol::expect_no_schedule_breaks;
using protocol::Policies;
using protocol::PolicyNames;

template <class P>
class Quiescence : public ::testing::Test {};
TYPED_TEST_SUITE(Quiescence, Policies, PolicyNames);

TYPED_TEST(Quiescence, phases_without_mail) {
    expect_no_schedule_breaks(
        balls_until_the_end<TypeParam>({.phases = 3, .throwers = {}, .phases_max = 3}));
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>({.workers = 3, .throwers = {}}));
}

TYPED_TEST(Quiescence, messages_of_the_serial_phase) {
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>({}));
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>({.throwers = {1}}));
    expect_no_schedule_breaks(
        balls_until_the_end<TypeParam>({.workers = 3, .throwers = {0, 1, 2}, .yields = 1}));
}

TYPED_TEST(Quiescence, messages_that_are_answered) {
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>({.hops = 2}));
    expect_no_schedule_breaks(
        balls_until_the_end<TypeParam>({.throwers = {0, 1}, .hops = 2, .yields = 2}));
}

TYPED_TEST(Quiescence, three_workers_pass_messages_round) {
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>({.workers = 3, .hops = 3}));
    expect_no_schedule_breaks(
        balls_until_the_end<TypeParam>({.workers = 3, .throwers = {1, 2}, .hops = 2, .yields = 1}));
}

TYPED_TEST(Quiescence, several_messages_and_own_ones) {
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>({.workers = 3,
                                                              .balls = 2,
                                                              .throwers = {0, 2},
                                                              .hops = 1,
                                                              .drain_limit = 1,
                                                              .to_itself = true}));
}

TYPED_TEST(Quiescence, N3_a_budget_that_is_used_up_leaves_mail_to_the_next_phase) {
    expect_no_schedule_breaks(
        balls_until_the_end<TypeParam>({.phases = 1, .balls = 2, .budget = 1, .phases_max = 20}));
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>(
        {.balls = 2, .throwers = {0, 1}, .hops = 1, .budget = 1, .phases_max = 20}));
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>({.workers = 3,
                                                              .phases = 1,
                                                              .throwers = {1, 2},
                                                              .hops = 2,
                                                              .budget = 1,
                                                              .yields = 1,
                                                              .phases_max = 20}));
}

TYPED_TEST(Quiescence, N3_a_closed_phase_in_which_one_has_nothing_to_do) {
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>(
        {.workers = 3, .phases = 1, .balls = 2, .budget = 1, .phases_max = 3}));
}

TYPED_TEST(Quiescence, N3_a_closed_phase_that_ends_with_all_mail_taken) {
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>(
        {.workers = 3, .phases = 1, .hops = 1, .budget = 2, .to_itself = true, .phases_max = 3}));
}

TYPED_TEST(Quiescence, N3_a_closed_phase_with_mail_on_its_way) {
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>(
        {.phases = 1, .balls = 3, .hops = 2, .budget = 2, .phases_max = 20}));
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>({.workers = 3,
                                                              .phases = 1,
                                                              .balls = 2,
                                                              .hops = 2,
                                                              .budget = 2,
                                                              .yields = 2,
                                                              .to_itself = true,
                                                              .phases_max = 20}));
}

TYPED_TEST(Quiescence, in_next_round_all_rest_for_good) {
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>(
        {.throwers = {0, 1}, .hops = 1, .next_round = true, .phases_max = 20}));
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>({.workers = 3,
                                                              .throwers = {0, 1},
                                                              .hops = 1,
                                                              .yields = 1,
                                                              .next_round = true,
                                                              .phases_max = 20}));
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>(
        {.hops = 1, .to_itself = true, .next_round = true, .phases_max = 20}));
}

TYPED_TEST(Quiescence, dismissed_after_each_phase) {
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>({.hops = 1, .dismiss = true}));
    expect_no_schedule_breaks(balls_until_the_end<TypeParam>(
        {.workers = 3, .throwers = {1}, .yields = 1, .dismiss = true}));
}

} // namespace
