// SPDX-License-Identifier: MIT
// A small value that every thread reads and writes.
#include "levels/levels_support.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <thread>
#include <vector>

namespace {

using takt::Safe;
using takt::testing_support::checked;

constexpr takt::Topic<> kGo{"Go"};

struct Point {
    std::int32_t x = 0;
    std::int32_t y = 0;
    bool operator==(const Point&) const = default;
};

TEST(SafeTest, each_operation_does_what_it_says) {
    Safe<int> number(3);
    EXPECT_EQ(number.load(), 3);
    number.store(4);
    EXPECT_EQ(number.exchange(5), 4);
    EXPECT_EQ(number.fetch_add(2), 5);
    int expected = 5;
    EXPECT_FALSE(number.compare_exchange(expected, 9));
    EXPECT_EQ(expected, 7);
    EXPECT_TRUE(number.compare_exchange(expected, 9));
    EXPECT_EQ(number.load(), 9);
    EXPECT_EQ(Safe<Point>().load(), Point{});
    Safe<Point> point(Point{1, 2});
    EXPECT_EQ(point.exchange({3, 4}), (Point{1, 2}));
    EXPECT_EQ(point.load(), (Point{3, 4}));
    Safe<double> share(0.5);
    double half = 0.5;
    EXPECT_TRUE(share.compare_exchange(half, 0.25));
    EXPECT_EQ(share.load(), 0.25);
}

class SafeLevel : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Workers, SafeLevel, ::testing::Values(1, 2, 4));

TEST_P(SafeLevel, all_phases_and_threads_outside_count_on_it_and_nothing_is_lost) {
    constexpr int kAdds = 2'000;
    constexpr int kActors = 8;
    takt::Runtime runtime(checked(GetParam()));
    Safe<int> count(0);
    Safe<int> turns(0);
    for (int index = 0; index < kActors; ++index) {
        const takt::ActorRef actor = runtime.spawn_actor({}, [&](takt::Actor& self) {
            self.bind_parallel(kGo, [&] {
                for (int add = 0; add < kAdds; ++add)
                    count.fetch_add(1);
            });
            self.bind(kGo, [&] { turns.store(turns.load() + 1); });
        });
        actor.send(kGo);
    }
    std::thread outside([&] {
        for (int add = 0; add < kAdds; ++add)
            for (int seen = count.load(); !count.compare_exchange(seen, seen + 1);) {
            }
    });
    runtime.run_until_idle();
    outside.join();
    EXPECT_EQ(count.load(), (kActors + 1) * kAdds);
    EXPECT_EQ(turns.load(), kActors);
}

TEST_P(SafeLevel, who_loads_a_value_sees_all_that_its_writer_did_before) {
    takt::Runtime runtime(checked(GetParam()));
    for (int round = 0; round < 100; ++round) {
        int plain = 0;
        Safe<bool> ready(false);
        int seen = 0;
        std::thread outside([&] {
            while (!ready.load())
                std::this_thread::yield();
            seen = plain;
        });
        runtime
            .spawn_actor({},
                         [&](takt::Actor& self) {
                             self.bind_parallel(kGo, [&] {
                                 plain = 42;
                                 ready.store(true);
                             });
                         })
            .send(kGo);
        runtime.run_until_idle();
        outside.join();
        ASSERT_EQ(seen, 42);
    }
}

} // namespace
