// SPDX-License-Identifier: MIT
#include "takt/worker.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace {

using takt::Event;
using takt::EventCount;
using takt::StdPolicy;
using takt::Waiting;
constexpr std::int64_t kMillisecond = 1'000'000;

auto reached(std::uint64_t sequence) {
    return [sequence](Event event) { return event.sequence >= sequence; };
}

TEST(Event, packs_sequence_and_payload_without_loss) {
    const Event event{Event::kSequenceMask, 0xffff};
    const Event back = Event::unpack(event.pack());
    EXPECT_EQ(back.sequence, Event::kSequenceMask);
    EXPECT_EQ(back.payload, 0xffff);
    EXPECT_EQ(Event::unpack(Event{5, 3}.pack()).sequence, 5u);
}

TEST(EventCount, an_event_that_has_come_is_not_waited_for) {
    EventCount<StdPolicy> count;
    count.advance({3, 8});
    const Event event = count.await(reached(3), {.spin_ns = 0});
    EXPECT_EQ(event.sequence, 3u);
    EXPECT_EQ(event.payload, 8);
}

class EventCountWaiting : public ::testing::TestWithParam<Waiting> {};

TEST_P(EventCountWaiting, hands_over_every_event_with_what_was_written_before_it) {
    constexpr std::uint64_t kEvents = 3'000;
    EventCount<StdPolicy> there;
    EventCount<StdPolicy> back;
    std::uint64_t news = 0;
    std::uint64_t wrong = 0;
    std::thread reader([&] {
        for (std::uint64_t number = 1; number <= kEvents; ++number) {
            there.await(reached(number), GetParam());
            wrong += news != number;
            back.advance({number, 0});
        }
    });
    for (std::uint64_t number = 1; number <= kEvents; ++number) {
        news = number;
        there.advance({number, 0});
        back.await(reached(number), GetParam());
    }
    reader.join();
    EXPECT_EQ(wrong, 0u);
}

INSTANTIATE_TEST_SUITE_P(Ways, EventCountWaiting,
                         ::testing::Values(Waiting{.spin_ns = 0},
                                           Waiting{.spin_ns = 0, .yields = 8},
                                           Waiting{.spin_ns = 20'000, .yields = 2}),
                         [](const auto& ways) { return "way_" + std::to_string(ways.index); });

TEST(EventCount, works_while_the_low_half_of_the_sequence_wraps) {
    constexpr std::uint64_t kStart = 0xffff'fffd;
    EventCount<StdPolicy> count(Event{kStart, 0});
    std::thread reader([&] {
        for (std::uint64_t step = 1; step <= 6; ++step)
            count.await(reached(kStart + step), {.spin_ns = 0});
    });
    for (std::uint64_t step = 1; step <= 6; ++step) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        count.advance({kStart + step, 0});
    }
    reader.join();
    EXPECT_EQ(count.read().sequence, kStart + 6);
}

TEST(EventCount, a_sleeper_uses_no_cpu) {
    EventCount<StdPolicy> count;
    std::int64_t cpu_ns = -1;
    std::thread sleeper([&] {
        count.await(reached(1), {.spin_ns = 0});
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        cpu_ns = time.tv_sec * 1'000 * kMillisecond + time.tv_nsec;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    count.advance({1, 0});
    sleeper.join();
    EXPECT_LT(cpu_ns, 20 * kMillisecond) << "of 200 ms";
}

TEST(EventCount, who_knows_the_time_sleeps_until_shortly_before_it_and_spins_the_rest) {
    EventCount<StdPolicy> count;
    std::int64_t cpu_ns = -1;
    const std::int64_t due_ns = takt::now_ns() + 300 * kMillisecond;
    std::thread waiter([&] {
        const Waiting waiting{.spin_ns = 10'000, .prewake_ns = 50 * kMillisecond};
        count.await(reached(1), waiting, due_ns);
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        cpu_ns = time.tv_sec * 1'000 * kMillisecond + time.tv_nsec;
    });
    std::this_thread::sleep_for(std::chrono::nanoseconds(due_ns - takt::now_ns()));
    count.advance({1, 0});
    waiter.join();
    EXPECT_GT(cpu_ns, 1 * kMillisecond) << "it did not rise before its time";
    EXPECT_LT(cpu_ns, 200 * kMillisecond) << "it did not sleep before";
}

TEST(EventCount, who_may_spin_for_ever_spins_until_the_event) {
    EventCount<StdPolicy> count;
    std::int64_t cpu_ns = -1;
    std::thread spinner([&] {
        count.await(reached(1), {.spin_ns = takt::kNever});
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        cpu_ns = time.tv_sec * 1'000 * kMillisecond + time.tv_nsec;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    count.advance({1, 0});
    spinner.join();
    EXPECT_GT(cpu_ns, 20 * kMillisecond) << "of 200 ms: it slept instead";
}

// StdPolicy that counts how often a writer had somebody to wake.
struct CountingPolicy : StdPolicy {
    static inline int wake_ups = 0;
    static void unpark_all(const std::atomic<std::uint64_t>& word) noexcept {
        ++wake_ups;
        StdPolicy::unpark_all(word);
    }
};

TEST(EventCount, who_has_slept_signs_off_and_costs_later_events_nothing) {
    EventCount<CountingPolicy> count;
    std::thread sleeper([&] { count.await(reached(1), {.spin_ns = 0}); });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    count.advance({1, 0});
    sleeper.join();
    const int before = CountingPolicy::wake_ups;
    EXPECT_EQ(before, 1);
    for (std::uint64_t number = 2; number < 100; ++number)
        count.advance({number, 0});
    EXPECT_EQ(CountingPolicy::wake_ups, before);
}

TEST(Clock, later_saturates_at_both_ends_of_time) {
    EXPECT_EQ(takt::later(5, 7), 12);
    EXPECT_EQ(takt::later(5, -7), -2);
    EXPECT_EQ(takt::later(5, takt::kNever), takt::kNever);
    EXPECT_EQ(takt::later(takt::kNever, 1), takt::kNever);
    EXPECT_EQ(takt::later(INT64_MIN, -1), INT64_MIN);
}

TEST(EventCount, an_event_that_is_late_is_waited_for_all_the_same) {
    EventCount<StdPolicy> count;
    std::thread waiter([&] {
        count.await(reached(1), {.spin_ns = 1'000, .prewake_ns = 1'000},
                    takt::now_ns() + kMillisecond);
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    count.advance({1, 0});
    waiter.join();
    EXPECT_EQ(count.read().sequence, 1u);
}

TEST(EventCount, keeps_words_of_different_writers_apart) {
    static_assert(alignof(EventCount<StdPolicy>) == takt::kInterference);
    static_assert(sizeof(EventCount<StdPolicy>) == takt::kInterference);
}

} // namespace
