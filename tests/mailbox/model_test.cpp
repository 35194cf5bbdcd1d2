// SPDX-License-Identifier: MIT
// Lanes, boards and doorbells under the explorer. The standard scope at the smallest size, PCT and
// random schedules at the larger ones, where DFS would not end.
#include "mailbox/scenarios.hpp"
#include "protocol/model.hpp"

#include <gtest/gtest.h>

namespace {

using namespace protocol;
using explorer::explore_all;

template <class P>
class Lanes : public ::testing::Test {};

TYPED_TEST_SUITE(Lanes, Policies, PolicyNames);

TYPED_TEST(Lanes, push_and_drain) {
    const auto report = explore_all(push_and_drain<TypeParam>({.letters = 1}));
    EXPECT_TRUE(report.ok) << report;
}

TYPED_TEST(Lanes, push_and_drain_in_batches_with_a_limit) {
    expect_no_schedule_breaks(
        push_and_drain<TypeParam>({.letters = 5, .batch = 2, .limit = 2, .unread = 1}));
}

TYPED_TEST(Lanes, a_segment_is_handed_over_and_comes_back) {
    const auto report =
        explore_all(push_and_drain<TypeParam>({.letters = 3, .letters_in_a_segment = 1}));
    EXPECT_TRUE(report.ok) << report;
}

TYPED_TEST(Lanes, segments_come_back_again_and_again) {
    expect_no_schedule_breaks(
        push_and_drain<TypeParam>({.letters = 7, .letters_in_a_segment = 1, .odd_units = 1}));
    expect_no_schedule_breaks(
        push_and_drain<TypeParam>({.letters = 7, .batch = 3, .letters_in_a_segment = 2}));
}

TYPED_TEST(Lanes, the_tail_wraps) {
    expect_no_schedule_breaks(push_and_drain<TypeParam>({.letters = 6, .start = 0xffff'fffb}));
}

TYPED_TEST(Lanes, a_lane_is_made_by_its_first_letter) {
    const auto report = explore_all(mail_to_one_reader<TypeParam>({}));
    EXPECT_TRUE(report.ok) << report;
}

TYPED_TEST(Lanes, a_reader_that_asks_for_one_writer_sees_the_lane_made) {
    const auto report = explore_all(mail_to_one_reader<TypeParam>({.by_writer = true}));
    EXPECT_TRUE(report.ok) << report;
}

TYPED_TEST(Lanes, board_against_late_publish_of_two_writers) {
    expect_no_schedule_breaks(mail_to_one_reader<TypeParam>(
        {.writers = 2, .letters = 2, .limit = 1, .start = 0xffff'fffb}));
}

TYPED_TEST(Lanes, a_lane_of_which_short_mail_is_expected) {
    const auto report =
        explore_all(mail_to_one_reader<TypeParam>({.letters = 2, .one_cache = true}));
    EXPECT_TRUE(report.ok) << report;
    expect_no_schedule_breaks(
        mail_to_one_reader<TypeParam>({.writers = 2, .letters = 3, .one_cache = true}));
    expect_no_schedule_breaks(mail_to_one_reader<TypeParam>(
        {.writers = 2, .letters = 2, .sleeps = true, .one_cache = true, .limit = 1}));
}

TYPED_TEST(Lanes, board_against_sleep) {
    expect_no_schedule_breaks(
        mail_to_one_reader<TypeParam>({.writers = 2, .letters = 2, .sleeps = true}));
}

TYPED_TEST(Lanes, doorbell_of_one_letter) {
    const auto report = explore_all(sleep_against_publish<TypeParam>({}));
    EXPECT_TRUE(report.ok) << report;
}

TYPED_TEST(Lanes, doorbell_of_several_letters_and_rings) {
    expect_no_schedule_breaks(sleep_against_publish<TypeParam>({.letters = 3, .rings = 1}));
    expect_no_schedule_breaks(sleep_against_publish<TypeParam>({.letters = 2, .sleep_ns = 5'000}));
}

} // namespace
