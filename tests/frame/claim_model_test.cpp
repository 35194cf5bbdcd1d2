// SPDX-License-Identifier: MIT
// Workers that claim each other's shards, under the explorer: a phase is not over while a claim is
// open, each actor runs on one worker, and its mail comes in order.
#include "frame/claim_scenarios.hpp"
#include "protocol/model.hpp"

#include <gtest/gtest.h>

namespace {

using claim_test::each_piece_is_claimed_once;
using claim_test::letters_until_the_end;
using protocol::expect_no_schedule_breaks;
using protocol::Policies;
using protocol::PolicyNames;

template <class P>
class Claims : public ::testing::Test {};
TYPED_TEST_SUITE(Claims, Policies, PolicyNames);

TYPED_TEST(Claims, N7_a_worker_at_rest_claims_before_the_phase_is_over) {
    expect_no_schedule_breaks(letters_until_the_end<TypeParam>({}));
    expect_no_schedule_breaks(letters_until_the_end<TypeParam>({.owner = 0}));
}

TYPED_TEST(Claims, N6_nothing_is_lost_between_one_list_and_the_next) {
    expect_no_schedule_breaks(
        letters_until_the_end<TypeParam>({.phases = 2, .letters = 2, .phases_max = 2}));
    expect_no_schedule_breaks(
        letters_until_the_end<TypeParam>({.owner = 0, .phases = 3, .phases_max = 3}));
}

TYPED_TEST(Claims, N6_each_piece_is_claimed_once_whoever_stalls) {
    for (const int others : {1, 2}) {
        const explorer::Report report =
            explorer::explore_all(each_piece_is_claimed_once<TypeParam>(others, 1));
        EXPECT_TRUE(report.ok) << report;
    }
    expect_no_schedule_breaks(each_piece_is_claimed_once<TypeParam>(2, 3));
}

TYPED_TEST(Claims, N8_what_comes_later_follows_the_shard) {
    expect_no_schedule_breaks(letters_until_the_end<TypeParam>({.hops = 1}));
    expect_no_schedule_breaks(
        letters_until_the_end<TypeParam>({.owner = 0, .phases = 2, .hops = 2, .phases_max = 2}));
}

TYPED_TEST(Claims, N8_an_actor_that_wrote_in_the_serial_phase_stays) {
    expect_no_schedule_breaks(letters_until_the_end<TypeParam>(
        {.phases = 2, .hops = 1, .serial_sender = 0, .phases_max = 2}));
}

TYPED_TEST(Claims, N8_a_shard_stays_while_mail_is_left) {
    expect_no_schedule_breaks(letters_until_the_end<TypeParam>(
        {.phases = 2, .letters = 2, .hops = 1, .serial_sender = 1, .budget = 2, .phases_max = 40}));
}

TYPED_TEST(Claims, A2_a_shard_that_moves_leaves_no_mail_behind) {
    expect_no_schedule_breaks(letters_until_the_end<TypeParam>(
        {.moves = true, .phases = 3, .hops = 1, .serial_sender = 0, .phases_max = 3}));
    expect_no_schedule_breaks(letters_until_the_end<TypeParam>({.moves = true,
                                                                .phases = 3,
                                                                .hops = 1,
                                                                .serial_sender = 1,
                                                                .budget = 2,
                                                                .phases_max = 60}));
}

TYPED_TEST(Claims, three_workers) {
    expect_no_schedule_breaks(letters_until_the_end<TypeParam>(
        {.workers = 3, .actors = 3, .phases = 2, .hops = 1, .phases_max = 2}));
}

} // namespace
