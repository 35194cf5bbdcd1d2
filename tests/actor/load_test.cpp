// SPDX-License-Identifier: MIT
#include "takt/actor.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <type_traits>
#include <utility>

namespace {

using takt::Busy;
using Load = takt::Load<takt::StdPolicy>;
using LoadBoard = takt::LoadBoard<takt::StdPolicy>;

TEST(Load, counts_what_was_added_and_not_removed) {
    Load load;
    load.add();
    load.add(5);
    EXPECT_EQ(load.value(), 6u);
    load.remove(2);
    load.remove();
    EXPECT_EQ(load.value(), 3u);
    EXPECT_EQ(load.peek(), 3u);
    EXPECT_EQ(load.underflows(), 0u);
}

TEST(Load, a_removal_of_more_than_there_is_stops_at_0_and_is_counted_J1) {
    Load load;
    EXPECT_FALSE(load.try_remove());
    EXPECT_EQ(load.value(), 0u);
    load.add(3);
    EXPECT_FALSE(load.try_remove(5));
    EXPECT_EQ(load.value(), 0u);
    EXPECT_EQ(load.underflows(), 2u);
    load.add(2);
    EXPECT_TRUE(load.try_remove(2));
    EXPECT_EQ(load.value(), 0u) << "an underflow leaves no debt behind";
    EXPECT_EQ(load.underflows(), 2u);
}

TEST(LoadDeathTest, a_removal_of_more_than_there_is_stops_a_checked_build_with_rule_and_cure_J1) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    Load load;
#if TAKT_CHECKED
    EXPECT_DEATH(load.remove(), "rule J1 is broken.*only what was added");
#else
    load.remove();
    EXPECT_EQ(load.value(), 0u);
    EXPECT_EQ(load.underflows(), 1u);
#endif
}

TEST(Load, holds_more_than_32_bits) {
    Load load;
    for (int times = 0; times < 3; ++times)
        load.add(UINT32_MAX);
    EXPECT_EQ(load.value(), 3ull * UINT32_MAX);
}

TEST(Busy, adds_its_weight_for_as_long_as_it_lives) {
    Load load;
    {
        const Busy one(load);
        const Busy many(load, 7);
        EXPECT_EQ(load.value(), 8u);
        EXPECT_EQ(many.weight(), 7u);
    }
    EXPECT_EQ(load.value(), 0u);
}

TEST(Busy, moves_its_weight_and_never_copies_it) {
    static_assert(!std::is_copy_constructible_v<Busy> && !std::is_copy_assignable_v<Busy>);
    static_assert(std::is_nothrow_move_constructible_v<Busy> &&
                  std::is_nothrow_move_assignable_v<Busy>);
    Load load;
    std::optional<Busy> outer;
    {
        Busy inner(load, 2);
        outer.emplace(std::move(inner));
        EXPECT_EQ(inner.weight(), 0u); // NOLINT(bugprone-use-after-move): that is the question
    }
    EXPECT_EQ(load.value(), 2u);
    outer.reset();
    EXPECT_EQ(load.value(), 0u);
}

TEST(Busy, an_assignment_releases_what_was_held_before) {
    Load first;
    Load second;
    Busy busy(first, 3);
    busy = Busy(second, 4);
    EXPECT_EQ(first.value(), 0u);
    EXPECT_EQ(second.value(), 4u);
    Busy& itself = busy;
    busy = std::move(itself);
    EXPECT_EQ(second.value(), 4u) << "assigning it to itself keeps the weight";
    EXPECT_EQ(busy.weight(), 4u);
}

TEST(Busy, releases_early_and_only_once) {
    Load load;
    Busy busy(load, 2);
    busy.release();
    busy.release();
    EXPECT_EQ(busy.weight(), 0u);
    EXPECT_EQ(load.value(), 0u);
    EXPECT_EQ(load.underflows(), 0u);
}

TEST(Busy, an_exception_leaks_no_weight) {
    Load load;
    try {
        const Busy busy(load);
        throw 1;
    } catch (int) {
    }
    EXPECT_EQ(load.value(), 0u);
}

TEST(LoadBoard, has_a_counter_on_a_cache_line_of_its_own_for_each_target) {
    LoadBoard board(130);
    EXPECT_EQ(board.size(), 130u);
    for (takt::Target target = 0; target + 1 < board.size(); ++target) {
        const auto here = reinterpret_cast<std::uintptr_t>(&board[target]);
        const auto next = reinterpret_cast<std::uintptr_t>(&board[target + 1]);
        EXPECT_EQ(here % takt::kCacheLine, 0u);
        EXPECT_NE(here / takt::kCacheLine, next / takt::kCacheLine);
    }
    board[0].add(1);
    board[129].add(2);
    EXPECT_EQ(board.peek(0), 1u);
    EXPECT_EQ(board.peek(129), 2u);
    EXPECT_EQ(board.total(), 3u);
}

TEST(LoadBoard, counters_stay_where_they_are_when_it_grows_and_shrinks_J4) {
    LoadBoard board(2);
    Load* const address = &board[1];
    Busy busy(board[1], 5);
    board.resize(5'000);
    EXPECT_EQ(&board[1], address);
    EXPECT_EQ(board.total(), 5u);
    board.resize(1);
    EXPECT_EQ(board.total(), 0u) << "who has left does not count";
    board.resize(2);
    EXPECT_EQ(board.total(), 5u) << "who comes back starts with what is still on it";
    board.resize(0);
    busy.release();
    board.resize(2);
    EXPECT_EQ(board.total(), 0u);
}

TEST(LoadBoard, those_behind_who_is_taken_out_move_up_and_every_weight_stays_where_it_is_J4) {
    LoadBoard board(3);
    Busy first(board[0], 1);
    Busy second(board[1], 2);
    Busy third(board[2], 3);
    Load& taken = board.take_out(0);
    EXPECT_EQ(board.size(), 2u);
    EXPECT_EQ(taken.value(), 1u);
    EXPECT_EQ(board.peek(0), 2u);
    EXPECT_EQ(board[1].value(), 3u);
    EXPECT_EQ(board.total(), 5u);
    board.resize(3);
    EXPECT_NE(&board[2], &taken) << "its weight is not that of who comes new";
    EXPECT_EQ(board[2].value(), 0u);
    first.release();
    board.put_back(taken);
    board.resize(4);
    EXPECT_EQ(&board[3], &taken);
    EXPECT_EQ(board.total(), 5u);
}

TEST(LoadBoard, counters_are_used_again_for_ever) {
    LoadBoard board(2);
    std::set<const Load*> ever;
    for (int turn = 0; turn < 1'000; ++turn) {
        board.resize(3);
        ever.insert(&board[2]);
        board.put_back(board.take_out(0));
    }
    EXPECT_LE(ever.size(), 3u);
    EXPECT_EQ(board.size(), 2u);
}

TEST(Load, a_task_that_is_dropped_is_noted_and_removed_once) {
    Load load;
    Busy handled(load);
    Busy dropped(load);
    dropped.drop();
    dropped.drop();
    EXPECT_EQ(load.value(), 1u);
    EXPECT_EQ(load.dropped(), 1u);
    handled.release();
    EXPECT_EQ(load.value(), 0u);
    EXPECT_EQ(load.dropped(), 1u);
}

TEST(LoadBoard, counts_the_underflows_of_all_targets) {
    LoadBoard board(3);
    EXPECT_FALSE(board[0].try_remove());
    EXPECT_FALSE(board[2].try_remove(4));
    EXPECT_EQ(board.underflows(), 2u);
    EXPECT_EQ(board.total(), 0u);
}

TEST(LoadBoard, refuses_more_targets_than_it_can_number) {
    LoadBoard board(3);
    try {
        board.resize(takt::kTargetsMax + 1);
        FAIL() << "it took 65,537 targets";
    } catch (const takt::Error& error) {
        EXPECT_EQ(error.key(), "targets");
        EXPECT_EQ(error.value(), "65537");
    }
    EXPECT_EQ(board.size(), 3u);
}

} // namespace
