// SPDX-License-Identifier: MIT
// Timers against a model: each comes once, at its time, in order; what was removed never comes.
#include "takt/task.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace {

using takt::kNever;
using takt::detail::Timer;
using takt::detail::TimerList;
using takt::detail::TimerWheel;

std::vector<std::int64_t> pop_all(TimerWheel& wheel, std::int64_t now_ns) {
    std::vector<std::int64_t> times;
    while (Timer* const timer = wheel.pop_due(now_ns))
        times.push_back(timer->due_ns);
    return times;
}

TEST(TimerWheel, gives_a_timer_at_its_time_and_not_a_nanosecond_earlier) {
    for (const std::int64_t due_ns :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{63}, std::int64_t{64}, std::int64_t{4'095},
          std::int64_t{4'096}, std::int64_t{16'666'667}, std::int64_t{3'600'000'000'000},
          kNever - 1}) {
        TimerWheel wheel;
        Timer timer;
        wheel.add(timer, due_ns);
        EXPECT_EQ(wheel.next_due_ns(), due_ns);
        EXPECT_EQ(wheel.pop_due(due_ns - 1), nullptr) << due_ns;
        EXPECT_EQ(wheel.next_due_ns(), due_ns);
        EXPECT_EQ(wheel.pop_due(due_ns), &timer) << due_ns;
        EXPECT_EQ(wheel.pop_due(kNever), nullptr);
        EXPECT_EQ(wheel.next_due_ns(), kNever);
    }
}

TEST(TimerWheel, gives_equal_times_in_the_order_of_their_coming_and_others_by_time) {
    TimerWheel wheel;
    std::vector<Timer> timers(300);
    // Equal ones come while others lie in between, and while the time has moved on.
    for (std::size_t at = 0; at < 200; ++at)
        wheel.add(timers[at], at % 2 == 0 ? 1'000'000 : 10 + static_cast<std::int64_t>(at));
    EXPECT_EQ(pop_all(wheel, 500'000).size(), 100u);
    for (std::size_t at = 200; at < 300; ++at)
        wheel.add(timers[at], 1'000'000);
    const Timer* before = nullptr;
    std::size_t count = 0;
    while (const Timer* const timer = wheel.pop_due(1'000'000)) {
        EXPECT_TRUE(before == nullptr || before < timer) << count;
        before = timer;
        ++count;
    }
    EXPECT_EQ(count, 200u);
}

TEST(TimerWheel, takes_a_time_that_has_passed_as_due_at_once) {
    TimerWheel wheel;
    Timer future;
    Timer past;
    EXPECT_EQ(wheel.pop_due(1'000), nullptr);
    wheel.add(future, 2'000);
    wheel.add(past, 5);
    EXPECT_LE(wheel.next_due_ns(), 1'000);
    EXPECT_EQ(wheel.pop_due(1'000), &past);
    EXPECT_EQ(wheel.pop_due(1'000), nullptr);
    EXPECT_EQ(wheel.pop_due(2'000), &future);
}

TEST(TimerWheel, finds_the_time_again_after_the_earliest_of_a_slot_was_removed) {
    TimerWheel wheel;
    Timer early;
    Timer late;
    Timer now;
    wheel.add(now, 0);
    EXPECT_EQ(wheel.pop_due(0), &now);
    wheel.add(early, 1'000'000);
    wheel.add(late, 1'000'100);
    wheel.remove(early);
    EXPECT_LE(wheel.next_due_ns(), 1'000'100); // never beyond what is due
    EXPECT_EQ(wheel.pop_due(1'000'000), nullptr);
    EXPECT_EQ(wheel.next_due_ns(), 1'000'100);
    EXPECT_EQ(wheel.pop_due(1'000'100), &late);
}

TEST(TimerList, keeps_the_order_of_coming_through_removals) {
    std::vector<Timer> timers(5);
    TimerList list;
    for (Timer& timer : timers)
        list.add(timer);
    list.remove(timers[0]);
    list.remove(timers[2]);
    list.remove(timers[4]);
    EXPECT_EQ(list.pop(), &timers[1]);
    EXPECT_EQ(list.pop(), &timers[3]);
    EXPECT_EQ(list.pop(), nullptr);
    EXPECT_TRUE(list.empty());
}

/// What the wheel must do, on a std::multimap: equal keys stay in the order of their coming.
class Model {
  public:
    explicit Model(std::uint32_t seed) : random_(seed) {}

    void run(int operations) {
        for (int count = 0; count < operations && !testing::Test::HasFailure(); ++count) {
            const std::uint64_t what = random_() % 100;
            if (what < 50)
                add();
            else if (what < 75)
                remove();
            else
                advance();
            ASSERT_EQ(wheel_.size(), model_.size());
            ASSERT_LE(wheel_.next_due_ns(), model_.empty() ? kNever : model_.begin()->first);
        }
        now_ns_ = kNever;
        pop();
        EXPECT_EQ(wheel_.size(), 0u);
    }

  private:
    // Of any size: a random number of bits.
    std::int64_t random_span() {
        return static_cast<std::int64_t>(random_() >> (1 + random_() % 63));
    }
    void add() {
        std::int64_t due_ns = takt::later(now_ns_, random_span());
        if (random_() % 8 == 0)
            due_ns =
                std::max(now_ns_, takt::later(kNever, -static_cast<std::int64_t>(random_() % 3)));
        else if (!model_.empty() && random_() % 4 == 0) // like another one
            due_ns = std::max(now_ns_, model_.begin()->first);
        timers_.push_back(std::make_unique<Timer>());
        wheel_.add(*timers_.back(), due_ns);
        model_.emplace(due_ns, timers_.back().get());
    }
    void remove() {
        if (model_.empty())
            return;
        auto victim = model_.begin();
        if (random_() % 4 != 0)
            std::advance(victim, static_cast<std::ptrdiff_t>(random_() % model_.size()));
        wheel_.remove(*victim->second);
        model_.erase(victim);
    }
    void advance() {
        if (random_() % 64 == 0 || now_ns_ < kNever / 2)
            now_ns_ = takt::later(now_ns_, random_span() >> (random_() % 16));
        pop();
    }
    void pop() {
        while (!model_.empty() && model_.begin()->first <= now_ns_) {
            ASSERT_EQ(wheel_.pop_due(now_ns_), model_.begin()->second) << now_ns_;
            model_.erase(model_.begin());
        }
        ASSERT_EQ(wheel_.pop_due(now_ns_), nullptr) << now_ns_;
    }

    std::mt19937_64 random_;
    std::int64_t now_ns_ = 0;
    TimerWheel wheel_;
    std::multimap<std::int64_t, Timer*> model_;
    std::vector<std::unique_ptr<Timer>> timers_;
};

TEST(TimerWheel, does_what_a_multimap_does_for_any_times_and_jumps) {
    for (std::uint32_t seed = 1; seed <= 200 && !HasFailure(); ++seed) {
        SCOPED_TRACE(seed);
        Model(seed).run(1'000);
    }
}

// A heap of a million takes twenty steps to remove one, and a list as many as wait. Held against the
// same work among a thousand; the bound is far from both, since a test shares its machine.
TEST(TimerWheel, asks_no_more_of_a_million_timers_than_of_a_thousand_where_none_is_due) {
    const auto time_of = [](std::size_t pending) {
        std::vector<Timer> timers(pending);
        TimerWheel wheel;
        std::mt19937_64 random(1);
        for (Timer& timer : timers)
            wheel.add(timer, 1'000'000'000 + static_cast<std::int64_t>(random() % 1'000'000'000));
        std::int64_t best_ns = kNever;
        for (int times = 0; times < 20; ++times) {
            const std::int64_t begin_ns = takt::now_ns();
            for (int frame = 0; frame < 1'000; ++frame) {
                EXPECT_EQ(wheel.pop_due(frame), nullptr);
                EXPECT_GE(wheel.next_due_ns(), 1'000'000'000);
            }
            best_ns = std::min(best_ns, takt::now_ns() - begin_ns);
        }
        return best_ns;
    };
    const std::int64_t few_ns = time_of(1'000);
    const std::int64_t many_ns = time_of(1'000'000);
    EXPECT_LT(many_ns, 10 * few_ns + 10'000);
}

} // namespace
