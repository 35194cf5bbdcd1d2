// SPDX-License-Identifier: MIT
#include "takt/actor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace {

using takt::LeastBusy;
using takt::LeastBusyConfig;
using takt::LoadSnapshot;
using takt::Target;
using LoadBoard = takt::LoadBoard<takt::StdPolicy>;

// Loads that a test sets at will.
struct Loads {
    std::vector<std::uint64_t> of;
    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(of.size()); }
    std::uint64_t peek(Target target) const noexcept { return of[target]; }
};

Loads random_loads(std::uint32_t targets, std::uint64_t bound, std::uint64_t offset = 0) {
    Loads loads;
    std::uint64_t random = targets;
    for (Target target = 0; target < targets; ++target) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        loads.of.push_back(offset + (random >> 33) % bound);
    }
    return loads;
}

TEST(LoadSnapshot, every_pick_is_a_minimum_of_the_loads_and_the_picks_since_V2) {
    for (const std::uint32_t targets : {1u, 2u, 3u, 16u, 65u, 256u, 1024u, 3000u})
        for (const std::uint64_t bound : {1ull, 2ull, 100ull, 256ull, 257ull, 60'000ull}) {
            const Loads loads = random_loads(targets, bound, 7);
            LoadSnapshot snapshot;
            snapshot.reserve(targets);
            snapshot.refresh(loads);
            std::vector<std::uint64_t> expected = loads.of;
            for (std::uint32_t picks = 0; picks < 3 * targets + 10; ++picks) {
                const Target target = snapshot.pick();
                ASSERT_LT(target, targets);
                ASSERT_EQ(expected[target], *std::min_element(expected.begin(), expected.end()))
                    << targets << " targets, bound " << bound << ", pick " << picks;
                ++expected[target];
            }
        }
}

TEST(LoadSnapshot, equal_loads_take_turns_also_across_refreshes_V2) {
    const Loads loads{{4, 4, 4, 4, 4}};
    LoadSnapshot snapshot;
    snapshot.reserve(5);
    std::vector<int> given(5, 0);
    for (int refresh = 0; refresh < 10; ++refresh) { // nothing that is placed stays: always equal
        snapshot.refresh(loads);
        for (int picks = 0; picks < 3; ++picks)
            ++given[snapshot.pick()];
    }
    EXPECT_EQ(given, (std::vector<int>{6, 6, 6, 6, 6}));
}

TEST(LoadSnapshot, loads_out_of_reach_of_16_bits_count_as_equal_V3) {
    const Loads loads{{1ull << 40, 70'000, 5, 90'000}};
    LoadSnapshot snapshot;
    snapshot.reserve(4);
    snapshot.refresh(loads);
    for (int picks = 0; picks < 65'534; ++picks)
        ASSERT_EQ(snapshot.pick(), 2u);
    std::vector<int> given(4, 0);
    for (int picks = 0; picks < 4'000; ++picks)
        ++given[snapshot.pick()];
    EXPECT_EQ(given, (std::vector<int>{1'000, 1'000, 1'000, 1'000}));
}

TEST(LoadSnapshot, holds_as_many_targets_as_a_board) {
    const Loads loads = random_loads(takt::kTargetsMax, 3);
    LoadSnapshot snapshot;
    snapshot.reserve(takt::kTargetsMax);
    snapshot.refresh(loads);
    std::vector<std::uint64_t> level = loads.of;
    for (std::uint32_t picks = 0; picks < 4 * takt::kTargetsMax; ++picks)
        ++level[snapshot.pick()];
    const auto [least, most] = std::minmax_element(level.begin(), level.end());
    EXPECT_LE(*most - *least, 1u);
}

TEST(LoadSnapshot, dispatchers_that_see_the_same_fill_up_together_what_is_lacking) {
    // 64 dispatchers, one target that lacks 10 tasks: alone, each would send its first task there.
    constexpr std::uint32_t kDispatchers = 64;
    Loads loads;
    loads.of.assign(256, 20);
    loads.of[100] = 10;
    std::vector<std::uint64_t> level = loads.of;
    for (std::uint32_t index = 0; index < kDispatchers; ++index) {
        LoadSnapshot snapshot;
        snapshot.reserve(256);
        snapshot.refresh(loads, {.index = index, .of = kDispatchers});
        for (int picks = 0; picks < 40; ++picks)
            ++level[snapshot.pick()];
    }
    const auto [least, most] = std::minmax_element(level.begin(), level.end());
    EXPECT_LE(*most - *least, 2u) << "2,560 tasks: 10 for each target, and 10 for the one";
}

// Exact, snapshot, and a snapshot that is seldom taken.
const std::vector<LeastBusyConfig> kForms = {
    {}, {.exact_up_to = 0}, {.exact_up_to = 0, .picks_per_refresh = LeastBusyConfig::kOnRequest}};

class LeastBusyForms : public ::testing::TestWithParam<LeastBusyConfig> {};
INSTANTIATE_TEST_SUITE_P(ExactSnapshotOnRequest, LeastBusyForms, ::testing::ValuesIn(kForms));

TEST_P(LeastBusyForms, ten_thousand_tasks_on_16_idle_targets_differ_by_at_most_1) {
    LoadBoard board(16);
    LeastBusy selector(GetParam());
    selector.fit(16);
    for (int task = 0; task < 10'000; ++task)
        board[*selector.select(board)].add();
    for (Target target = 0; target < 16; ++target)
        EXPECT_EQ(board.peek(target), 625u);
}

TEST_P(LeastBusyForms, fills_up_who_has_less) {
    LoadBoard board(4);
    board[0].add(5);
    board[2].add(2);
    LeastBusy selector(GetParam());
    selector.fit(4);
    for (int task = 0; task < 13; ++task)
        board[*selector.select(board)].add();
    for (Target target = 0; target < 4; ++target)
        EXPECT_EQ(board.peek(target), 5u);
}

TEST_P(LeastBusyForms, idle_targets_take_turns_when_every_task_completes_at_once) {
    LoadBoard board(10);
    LeastBusy selector(GetParam());
    selector.fit(10);
    std::vector<int> given(10, 0);
    for (int task = 0; task < 1'000; ++task) {
        const takt::Busy busy(board[*selector.select(board)]);
        for (Target target = 0; target < 10; ++target)
            given[target] += board.peek(target) > 0;
    }
    EXPECT_EQ(given, std::vector<int>(10, 100));
}

TEST(LeastBusy, the_exact_form_sees_a_completion_at_once) {
    LoadBoard board(3);
    for (Target target = 0; target < 3; ++target)
        board[target].add(4);
    LeastBusy selector;
    selector.fit(3);
    for (const Target done : {2u, 0u, 1u, 1u}) {
        board[done].remove();
        EXPECT_EQ(selector.select(board), done);
        board[done].add();
    }
}

TEST(LeastBusy, the_snapshot_form_sees_a_completion_at_the_next_refresh) {
    LoadBoard board(2);
    board[0].add(9);
    board[1].add(9);
    LeastBusy selector({.exact_up_to = 0, .picks_per_refresh = LeastBusyConfig::kOnRequest});
    selector.fit(2);
    EXPECT_EQ(selector.select(board), 0u);
    EXPECT_EQ(selector.select(board), 1u);
    board[1].remove(9);
    EXPECT_EQ(selector.select(board), 0u) << "it does not know yet";
    takt::refresh_selector(selector, board);
    for (int task = 0; task < 9; ++task)
        EXPECT_EQ(selector.select(board), 1u);
}

TEST(LeastBusy, takes_the_snapshot_anew_every_so_many_selections) {
    LoadBoard board(2);
    LeastBusy selector({.exact_up_to = 0, .picks_per_refresh = 3});
    selector.fit(2);
    EXPECT_EQ(selector.select(board), 0u);
    board[0].add(100);
    EXPECT_EQ(selector.select(board), 1u);
    EXPECT_EQ(selector.select(board), 0u);
    for (int task = 0; task < 30; ++task)
        EXPECT_EQ(selector.select(board), 1u);
}

TEST(LeastBusy, a_snapshot_does_not_outlive_a_change_of_the_set_V1) {
    LoadBoard board(100);
    LeastBusy selector({.exact_up_to = 0, .picks_per_refresh = LeastBusyConfig::kOnRequest});
    selector.fit(100);
    EXPECT_LT(*selector.select(board), 100u);
    for (const std::uint32_t targets : {10u, 90u, 100u, 1u}) { // it is not told
        board.resize(targets);
        for (std::uint32_t task = 0; task < 2 * targets; ++task)
            board[*selector.select(board)].add();
        for (Target target = 0; target < targets; ++target) {
            EXPECT_EQ(board.peek(target), 2u) << target << " of " << targets;
            board[target].remove(2);
        }
    }
}

TEST(LeastBusy, a_refresh_without_a_snapshot_does_nothing) {
    LoadBoard board(4);
    LeastBusy exact;
    exact.fit(4);
    LeastBusy unfitted({.exact_up_to = 0});
    for (LeastBusy* const selector : {&exact, &unfitted}) {
        selector->refresh(board);
        EXPECT_EQ(selector->select(board), 0u);
        selector->refresh(LoadBoard(0));
        EXPECT_EQ(selector->select(board), 1u);
    }
}

TEST(LeastBusy, without_room_for_a_snapshot_it_is_exact_V4) {
    LoadBoard board(200);
    LeastBusy selector;
    for (int task = 0; task < 1'000; ++task)
        board[*selector.select(board)].add();
    for (Target target = 0; target < 200; ++target)
        EXPECT_EQ(board.peek(target), 5u);
}

TEST(LeastBusy, two_dispatchers_do_not_begin_with_the_same_target) {
    LoadBoard board(4);
    LeastBusy first({.seat = {.index = 0, .of = 2}});
    LeastBusy second({.seat = {.index = 1, .of = 2}});
    EXPECT_NE(first.select(board), second.select(board));
}

TEST(LeastBusyDeathTest, a_seat_that_does_not_exist_stops_a_checked_build_V5) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
#if TAKT_CHECKED
    EXPECT_DEATH(LeastBusy({.seat = {.index = 2, .of = 2}}), "rule V5 is broken");
#endif
}

} // namespace
