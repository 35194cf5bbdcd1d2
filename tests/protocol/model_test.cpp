// SPDX-License-Identifier: MIT
// The worker layer's protocols under the explorer. The standard scope at the smallest size, PCT and
// random schedules at the larger ones, where DFS would not end.
#include "protocol/model.hpp"
#include "protocol/scenarios.hpp"

#include <gtest/gtest.h>

namespace {

using namespace protocol;
using explorer::explore_all;

template <class P>
class Protocol : public ::testing::Test {};

TYPED_TEST_SUITE(Protocol, Policies, PolicyNames);

TYPED_TEST(Protocol, park_against_publish_of_one_event) {
    const auto report = explore_all(park_against_publish<TypeParam>({}));
    EXPECT_TRUE(report.ok) << report;
}

TYPED_TEST(Protocol, park_against_publish_of_several_events_and_waiters) {
    expect_no_schedule_breaks(park_against_publish<TypeParam>({.events = 3, .waiters = 2}));
}

TYPED_TEST(Protocol, park_against_publish_after_a_yield) {
    const Waiting waiting{.spin_ns = 0, .yields = 1, .prewake_ns = 0};
    expect_no_schedule_breaks(park_against_publish<TypeParam>({.events = 2, .waiting = waiting}));
}

TYPED_TEST(Protocol, park_against_publish_while_the_low_half_of_the_sequence_wraps) {
    expect_no_schedule_breaks(park_against_publish<TypeParam>({.events = 3, .start = 0xffff'fffe}));
}

TYPED_TEST(Protocol, park_until_shortly_before_the_event_is_due) {
    const Waiting waiting{.spin_ns = 0, .yields = 0, .prewake_ns = 5'000};
    expect_no_schedule_breaks(
        park_against_publish<TypeParam>({.events = 2, .waiting = waiting, .due_in_ns = 20'000}));
}

TYPED_TEST(Protocol, barrier_of_one_worker) {
    const auto report = explore_all(meet_in_rounds<TypeParam>({.shape = one_cache_group(1, 2)}));
    EXPECT_TRUE(report.ok) << report;
}

TYPED_TEST(Protocol, barrier_of_two_workers_with_early_re_entry) {
    const auto report = explore_all(meet_in_rounds<TypeParam>({.shape = one_cache_group(2, 2)}));
    EXPECT_TRUE(report.ok) << report;
}

TYPED_TEST(Protocol, barrier_of_three_workers_with_early_re_entry) {
    expect_no_schedule_breaks(meet_in_rounds<TypeParam>({.shape = one_cache_group(3, 4)}));
}

TYPED_TEST(Protocol, barrier_of_four_workers_on_a_tree) {
    expect_no_schedule_breaks(meet_in_rounds<TypeParam>({.shape = one_cache_group(4, 2)}));
}

TYPED_TEST(Protocol, barrier_of_four_workers_in_two_cache_groups) {
    expect_no_schedule_breaks(
        meet_in_rounds<TypeParam>({.shape = two_cache_groups(4), .start = 0xffff'ffff}));
}

TYPED_TEST(Protocol, barrier_whose_next_release_has_a_known_time) {
    const Waiting waiting{.spin_ns = 0, .yields = 0, .prewake_ns = 5'000};
    expect_no_schedule_breaks(meet_in_rounds<TypeParam>(
        {.shape = one_cache_group(3, 2), .waiting = waiting, .period_ns = 20'000}));
}

TYPED_TEST(Protocol, start_and_stop_without_a_turn) {
    const auto report =
        explore_all(start_turn_stop<TypeParam>({.shape = one_cache_group(2, 2), .active = {}}));
    EXPECT_TRUE(report.ok) << report;
}

TYPED_TEST(Protocol, start_turn_and_stop) {
    const auto report =
        explore_all(start_turn_stop<TypeParam>({.shape = one_cache_group(2, 2), .active = {2}}));
    EXPECT_TRUE(report.ok) << report;
}

TYPED_TEST(Protocol, a_turn_beside_worker_0) {
    const auto report = explore_all(start_turn_stop<TypeParam>(
        {.shape = one_cache_group(2, 2), .active = {2}, .begin_and_end = true}));
    EXPECT_TRUE(report.ok) << report;
    expect_no_schedule_breaks(start_turn_stop<TypeParam>({.shape = one_cache_group(3, 2),
                                                          .active = {3, 1, 3},
                                                          .throws_from = {takt::kWorkersMax, 1, 2},
                                                          .begin_and_end = true}));
}

TYPED_TEST(Protocol, workers_leave_and_come_back_between_turns) {
    expect_no_schedule_breaks(
        start_turn_stop<TypeParam>({.shape = one_cache_group(3, 2), .active = {3, 1, 2, 3, 1}}));
}

TYPED_TEST(Protocol, a_whole_cache_group_leaves_and_comes_back) {
    expect_no_schedule_breaks(
        start_turn_stop<TypeParam>({.shape = two_cache_groups(3), .active = {1, 3, 2}}));
}

TYPED_TEST(Protocol, an_exception_ends_one_turn_of_one_worker) {
    expect_no_schedule_breaks(start_turn_stop<TypeParam>(
        {.shape = one_cache_group(3, 2), .active = {3, 3}, .throws_from = {1, 2}}));
    expect_no_schedule_breaks(start_turn_stop<TypeParam>(
        {.shape = one_cache_group(3, 2), .active = {3, 3}, .throws_from = {0, 1}}));
}

} // namespace
