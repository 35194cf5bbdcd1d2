// SPDX-License-Identifier: MIT
#include "takt/base.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <thread>

#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using takt::StdPolicy;
constexpr std::int64_t kMillisecond = 1'000'000;

TEST(StdPolicy, uses_membarrier_exactly_where_the_kernel_has_it) {
    const long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    const bool offered = commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0;
    EXPECT_EQ(StdPolicy::sleeper_pays(), offered);
    StdPolicy::sleeper_barrier();
}

TEST(StdPolicy, does_not_park_on_a_word_that_has_changed) {
    std::atomic<std::uint64_t> word{7};
    const std::int64_t begin = takt::now_ns();
    StdPolicy::park(word, 6, begin + 10'000 * kMillisecond);
    EXPECT_LT(takt::now_ns() - begin, 5'000 * kMillisecond);
}

TEST(StdPolicy, compares_the_low_half_of_the_word) {
    std::atomic<std::uint64_t> word{(std::uint64_t{9} << 32) | 7};
    const std::int64_t begin = takt::now_ns();
    StdPolicy::park(word, 7, begin + 20 * kMillisecond); // equal: sleeps until the deadline
    EXPECT_GE(takt::now_ns() - begin, 20 * kMillisecond);
}

TEST(StdPolicy, a_deadline_in_the_past_returns_at_once) {
    std::atomic<std::uint64_t> word{7};
    const std::int64_t begin = takt::now_ns();
    StdPolicy::park(word, 7, begin - kMillisecond);
    EXPECT_LT(takt::now_ns() - begin, 5'000 * kMillisecond);
}

TEST(StdPolicy, unpark_wakes_every_parked_thread) {
    std::atomic<std::uint64_t> word{0};
    std::atomic<int> risen{0};
    std::vector<std::thread> sleepers;
    for (int sleeper = 0; sleeper < 3; ++sleeper)
        sleepers.emplace_back([&] {
            while (word.load(std::memory_order_acquire) == 0)
                StdPolicy::park(word, 0, takt::kNever);
            risen.fetch_add(1);
        });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(risen.load(), 0);
    word.store(1, std::memory_order_release);
    StdPolicy::unpark_all(word);
    for (std::thread& sleeper : sleepers)
        sleeper.join();
    EXPECT_EQ(risen.load(), 3);
}

TEST(StdPolicy, a_signal_does_not_lengthen_a_sleep_with_a_deadline) {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    struct sigaction before {};
    ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
    std::atomic<std::uint64_t> word{0};
    std::atomic<bool> done{false};
    std::int64_t slept_ns = 0;
    std::thread sleeper([&] {
        const std::int64_t begin = takt::now_ns();
        const std::int64_t deadline = begin + 50 * kMillisecond;
        while (takt::now_ns() < deadline)
            StdPolicy::park(word, 0, deadline);
        slept_ns = takt::now_ns() - begin;
        done.store(true);
    });
    while (!done.load()) {
        pthread_kill(sleeper.native_handle(), SIGUSR1);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    sleeper.join();
    sigaction(SIGUSR1, &before, nullptr);
    EXPECT_GE(slept_ns, 50 * kMillisecond);
    EXPECT_LT(slept_ns, 5'000 * kMillisecond);
}

TEST(Clock, never_goes_back) {
    std::int64_t last = takt::now_ns();
    for (int read = 0; read < 10'000; ++read) {
        const std::int64_t now = takt::now_ns();
        ASSERT_GE(now, last);
        last = now;
    }
}

} // namespace
