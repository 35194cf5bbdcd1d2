// SPDX-License-Identifier: MIT
// The load counters on real threads: the scenarios as they are, and several dispatchers at once.
#include "actor/scenarios.hpp"
#include "protocol/threads.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <thread>
#include <vector>

namespace {

using protocol::stress;
using protocol::Threads;
using takt::LeastBusyConfig;
using Board = takt::LoadBoard<takt::StdPolicy>;

TEST(Stress, select_against_completion) {
    stress(actor::select_against_completion<Threads>([] { return takt::LeastBusy(); }, 200), 100);
    stress(actor::select_against_completion<Threads>([] { return takt::TwoChoices(); }, 200), 100);
}

TEST(Stress, who_reads_0_sees_what_was_done) {
    stress(actor::idle_means_done<Threads>(3), 1'000);
}

TEST(Stress, underflow_against_use) {
    stress(actor::underflow_against_use<Threads>(3), 1'000);
}

TEST(Stress, the_last_place) {
    stress(actor::the_last_place<Threads>(false), 1'000);
    stress(actor::the_last_place<Threads>(true), 1'000);
}

TEST(Stress, busy_moves_across_threads) {
    stress(actor::busy_moves_across_threads<Threads>(), 1'000);
}

// Each thread dispatches with a selector of its own, all at once; nothing completes.
void place_together(Board& board, int threads, int tasks, const LeastBusyConfig& config) {
    std::atomic<int> ready{0};
    std::vector<std::thread> dispatchers;
    for (int index = 0; index < threads; ++index)
        dispatchers.emplace_back([&, index] {
            LeastBusyConfig own = config;
            own.seat = {.index = std::uint32_t(index), .of = std::uint32_t(threads)};
            takt::LeastBusy selector(own);
            selector.fit(board.size());
            ready.fetch_add(1);
            while (ready.load() < threads)
                std::this_thread::yield();
            for (int task = 0; task < tasks / threads; ++task) {
                const takt::Target target = *selector.select(board);
                if (task % 8 == 0) // so that they meet between select and add, also on few CPUs
                    std::this_thread::yield();
                board[target].add();
            }
        });
    for (std::thread& thread : dispatchers)
        thread.join();
}

TEST(Stress, the_spread_of_several_dispatching_threads) {
    constexpr int kTasks = 10'000;
    constexpr std::uint32_t kTargets = 16;
    for (const std::uint32_t exact_up_to : {64u, 0u})
        for (const int threads : {1, 2, 4, 8}) {
            Board board(kTargets);
            place_together(board, threads, kTasks, {.exact_up_to = exact_up_to});
            std::uint64_t least = UINT64_MAX;
            std::uint64_t most = 0;
            for (takt::Target target = 0; target < kTargets; ++target) {
                least = std::min(least, board.peek(target));
                most = std::max(most, board.peek(target));
            }
            std::cout << (exact_up_to == 0 ? "snapshot" : "exact   ") << ", " << threads
                      << " threads: 10,000 tasks on 16 targets differ by " << most - least << "\n";
            EXPECT_EQ(board.total(), std::uint64_t(kTasks));
            if (threads == 1) {
                EXPECT_LE(most - least, 1u);
            } else {
                EXPECT_LE(most, 2 * least) << "threads herd";
            }
        }
}

TEST(Stress, weights_from_many_threads_leave_nothing_behind) {
    Board board(100);
    std::atomic<bool> stop{false};
    std::thread observer([&] {
        takt::LeastBusy selector({.exact_up_to = 0, .picks_per_refresh = 10});
        selector.fit(100);
        while (!stop.load()) {
            const auto target = selector.select(board);
            ASSERT_TRUE(target && *target < 100);
            ASSERT_LE(board.total(), 4u * 8 * 3) << "more than all threads ever hold";
        }
    });
    std::vector<std::thread> threads;
    for (int index = 0; index < 4; ++index)
        threads.emplace_back([&, index] {
            takt::TwoChoices selector(static_cast<std::uint64_t>(index));
            std::vector<takt::Busy> held;
            for (int task = 0; task < 50'000; ++task) {
                held.emplace_back(board[*selector.select(board)], 1 + std::uint32_t(task) % 3);
                if (held.size() == 8)
                    held.clear();
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    stop.store(true);
    observer.join();
    EXPECT_EQ(board.total(), 0u);
    EXPECT_EQ(board.underflows(), 0u);
}

} // namespace
