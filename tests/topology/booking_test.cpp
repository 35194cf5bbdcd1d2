// SPDX-License-Identifier: MIT
#include "takt/topology.hpp"

#include "topology/expect_error.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace takt {
namespace {

TEST(Booking, lasts_as_long_as_its_object) {
    {
        const Booking booking = Booking::take({1, 2});
        EXPECT_EQ(booking.cpus(), (CpuSet{1, 2}));
        EXPECT_EQ(Booking::current(), (CpuSet{1, 2}));
    }
    EXPECT_TRUE(Booking::current().empty());
}

TEST(Booking, K1_never_overlaps_another_and_a_refused_one_books_nothing) {
    const Booking booking = Booking::take({1, 2});
    test::expect_error(
        [] {
            const Booking second = Booking::take({2, 3});
        },
        "workers.cpus", "2-3", "has booked 2");
    EXPECT_EQ(Booking::current(), (CpuSet{1, 2}));
    const Booking beside = Booking::take({3});
    EXPECT_EQ(Booking::current(), (CpuSet{1, 2, 3}));
}

TEST(Booking, moves_with_its_object_and_is_released_once) {
    Booking first = Booking::take({1});
    Booking second = std::move(first);
    EXPECT_EQ(Booking::current(), CpuSet{1});
    second = Booking::take({2});
    EXPECT_EQ(Booking::current(), CpuSet{2});
    second = {};
    EXPECT_TRUE(Booking::current().empty());
}

TEST(Booking, K1_holds_when_many_threads_want_the_same_cpus) {
    std::atomic<int> holders{0};
    std::atomic<int> most{0};
    std::atomic<int> granted{0};
    const auto take_often = [&] {
        for (int i = 0; i < 500; ++i) {
            try {
                const Booking booking = Booking::take({4, 5});
                const int now =
                    holders.fetch_add(1, std::memory_order_relaxed) + 1; // relaxed: only counted
                if (now > most.load(std::memory_order_relaxed))          // relaxed: only counted
                    most.store(now, std::memory_order_relaxed);          // relaxed: only counted
                granted.fetch_add(1, std::memory_order_relaxed);         // relaxed: only counted
                std::this_thread::yield();
                holders.fetch_sub(1, std::memory_order_relaxed); // relaxed: only counted
            } catch (const Error&) {
                std::this_thread::yield();
            }
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back(take_often);
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(most.load(), 1);
    EXPECT_GT(granted.load(), 0);
    EXPECT_TRUE(Booking::current().empty());
}

} // namespace
} // namespace takt
