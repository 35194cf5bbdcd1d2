// SPDX-License-Identifier: MIT
// What allocates and what does not, and what happens when an allocation is refused.
#include "takt/actor.hpp"

#include "support/allocations.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <new>

namespace {

using takt::LeastBusy;
using LoadBoard = takt::LoadBoard<takt::StdPolicy>;

TEST(Allocation, selecting_and_refreshing_never_allocates) {
    LoadBoard board(300);
    LeastBusy exact({.exact_up_to = 300});
    LeastBusy selector;
    takt::TwoChoices two_choices;
    takt::RoundRobin round_robin;
    selector.fit(300);
    const std::uint64_t before = allocations::count();
    for (std::uint64_t task = 0; task < 2'000; ++task) {
        board[*selector.select(board)].add();
        board[*exact.select(board)].add();
        board[*two_choices.select(board)].add();
        board[*round_robin.select(board)].add();
        board[*takt::Sticky(task).select(board)].add();
        if (task % 100 == 0)
            takt::refresh_selector(selector, board);
    }
    EXPECT_EQ(allocations::count(), before);
}

TEST(Allocation, a_refused_one_changes_nothing) {
    LoadBoard board(3);
    board[2].add(5);
    LeastBusy selector({.exact_up_to = 0});
    selector.fit(3);
    const std::uint64_t of_board = allocations::fail_each([&] {
        try {
            board.resize(1'000);
        } catch (const std::bad_alloc&) {
            EXPECT_EQ(board.size(), 3u);
            EXPECT_EQ(board.total(), 5u);
        }
    });
    EXPECT_GT(of_board, 3u); // the chunks and their list; what was made by one try is kept
    board.resize(3);
    const std::uint64_t of_selector = allocations::fail_each([&] {
        try {
            selector.fit(1'000);
        } catch (const std::bad_alloc&) {
            EXPECT_LT(*selector.select(board), 2u);
        }
    });
    EXPECT_EQ(of_selector, 2u);
    EXPECT_LT(*selector.select(board), 2u);
}

} // namespace
