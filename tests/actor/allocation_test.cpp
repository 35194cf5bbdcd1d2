// SPDX-License-Identifier: MIT
// What allocates and what does not, and what happens when an allocation is refused. The program's
// operator new is replaced here. (noinline: else g++ 12 takes delete for free, and warns.)
#include "takt/actor.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace allocations {

long made = 0;
long until_refusal = -1; // -1: never refuse

void* make(std::size_t bytes, std::size_t alignment) {
    ++made;
    if (until_refusal >= 0 && until_refusal-- == 0)
        throw std::bad_alloc();
    void* const memory =
        std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (memory == nullptr)
        throw std::bad_alloc();
    return memory;
}

/// Runs `body` again and again with another one of its allocations refused, until none is; calls
/// `check` after each refusal. Returns how many there were.
template <class Body, class Check>
int refuse_each(Body body, Check check) {
    for (int refused = 0;; ++refused) {
        until_refusal = refused;
        try {
            body();
            until_refusal = -1;
            return refused;
        } catch (const std::bad_alloc&) {
            until_refusal = -1;
            check();
        }
    }
}

} // namespace allocations

[[gnu::noinline]] void* operator new(std::size_t bytes) {
    return allocations::make(bytes, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return allocations::make(bytes, static_cast<std::size_t>(alignment));
}
// The array forms too: the default ones call those above, but the sanitizers bring their own.
[[gnu::noinline]] void* operator new[](std::size_t bytes) {
    return allocations::make(bytes, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new[](std::size_t bytes, std::align_val_t alignment) {
    return allocations::make(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

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
    const long before = allocations::made;
    for (std::uint64_t task = 0; task < 2'000; ++task) {
        board[*selector.select(board)].add();
        board[*exact.select(board)].add();
        board[*two_choices.select(board)].add();
        board[*round_robin.select(board)].add();
        board[*takt::Sticky(task).select(board)].add();
        if (task % 100 == 0)
            takt::refresh_selector(selector, board);
    }
    EXPECT_EQ(allocations::made, before);
}

TEST(Allocation, a_refused_one_changes_nothing) {
    LoadBoard board(3);
    board[2].add(5);
    LeastBusy selector({.exact_up_to = 0});
    selector.fit(3);
    const int of_board = allocations::refuse_each([&] { board.resize(1'000); },
                                                  [&] {
                                                      EXPECT_EQ(board.size(), 3u);
                                                      EXPECT_EQ(board.total(), 5u);
                                                  });
    EXPECT_GT(of_board, 3); // the chunks and their list; what was made by one try is kept
    board.resize(3);
    const int of_selector = allocations::refuse_each(
        [&] { selector.fit(1'000); }, [&] { EXPECT_LT(*selector.select(board), 2u); });
    EXPECT_EQ(of_selector, 2);
    EXPECT_LT(*selector.select(board), 2u);
}

} // namespace
