// SPDX-License-Identifier: MIT
// Ranges: each index once, results in their order, failures, cancelling, and who takes part.
#include "runtime/expect_law.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::Task;
using takt::Ticket;
using takt::TicketStatus;
using takt::testing_support::expect_law;

constexpr takt::Topic<> kGo{"Go"};

struct Setting {
    int workers;
    takt::Delivery delivery;
};

class Ranges : public testing::TestWithParam<Setting> {
  protected:
    takt::Runtime runtime{takt::Config{.workers = {.count = GetParam().workers},
                                       .frame = {.delivery = GetParam().delivery},
                                       .clock = {.kind = takt::ClockKind::virtual_time}}};
    int failures = 0;

    void SetUp() override {
        runtime.on_failure([this](const takt::Failure&) { ++failures; });
    }
    void TearDown() override { expect_law(runtime); }
    takt::Dispatcher<> pool(std::uint32_t actors = 5) {
        return takt::Dispatcher(runtime, {.actors = actors}, [](Actor&) {});
    }
    template <class T>
    T answer(Ticket<T>& ticket) {
        runtime.run_until_idle();
        return ticket.get();
    }
};

TEST_P(Ranges, each_index_is_called_once_whatever_the_grain) {
    takt::Dispatcher<> actors = pool();
    for (const std::size_t size : {0u, 1u, 2u, 7u, 100u, 5'000u})
        for (const std::size_t grain : {0u, 1u, 3u, 100u, 10'000u}) {
            std::vector<std::atomic<int>> calls(size);
            EXPECT_EQ(actors.dispatch_range(size, [&calls](std::size_t index) { ++calls[index]; },
                                            {.grain = grain}),
                      takt::SendResult::ok);
            runtime.run_until_idle();
            for (std::size_t index = 0; index < size; ++index)
                ASSERT_EQ(calls[index], 1) << index << " of " << size << " by " << grain;
        }
    EXPECT_EQ(actors.total_load(), 0u);
}

TEST_P(Ranges, results_come_in_the_order_of_the_indices) {
    takt::Dispatcher<> actors = pool();
    for (const std::size_t size : {0u, 1u, 13u, 1'000u}) {
        Ticket<std::vector<std::string>> words = actors.submit_range(
            size, [](std::size_t index) { return std::to_string(index); }, {.grain = 3});
        const std::vector<std::string> got = answer(words);
        ASSERT_EQ(got.size(), size);
        for (std::size_t index = 0; index < size; ++index)
            EXPECT_EQ(got[index], std::to_string(index));
    }
    std::atomic<int> calls{0};
    Ticket<> nothing = actors.submit_range(10, [&](std::size_t) { ++calls; });
    answer(nothing);
    EXPECT_EQ(calls, 10);
    EXPECT_EQ(actors.total_load(), 0u);
}

TEST_P(Ranges, a_handler_awaits_a_range_and_others_that_it_begins) {
    takt::Dispatcher<> actors = pool();
    std::size_t sum = 0;
    for (const bool serial : {true, false}) {
        const takt::ActorRef asker = runtime.spawn_actor({}, [&](Actor& self) {
            const auto ask = [&]() -> Task<> {
                std::vector<Ticket<std::vector<std::size_t>>> ranges;
                for (std::size_t times = 1; times <= 3; ++times)
                    ranges.push_back(actors.submit_range(
                        50, [times](std::size_t index) { return times * index; }));
                for (const std::vector<std::size_t>& one : co_await takt::when_all(ranges))
                    sum += std::accumulate(one.begin(), one.end(), std::size_t{0});
            };
            if (serial)
                self.bind(kGo, ask);
            else
                self.bind_parallel(kGo, ask);
        });
        asker.send(kGo);
        runtime.run_until_idle();
        EXPECT_EQ(std::exchange(sum, 0u), 6u * 49 * 25);
    }
}

TEST_P(Ranges, what_is_thrown_first_in_the_order_of_the_indices_ends_it) {
    takt::Dispatcher<> actors = pool();
    std::vector<std::atomic<int>> calls(1'000);
    Ticket<std::vector<int>> ticket =
        actors.submit_range(calls.size(),
                            [&calls](std::size_t index) -> int {
                                ++calls[index];
                                if (index >= 20)
                                    throw std::runtime_error(std::to_string(index / 10));
                                return 0;
                            },
                            {.grain = 10});
    try {
        answer(ticket);
        FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
        // Chunk 2, but where another worker threw before anybody took that one.
        EXPECT_GE(std::stoi(error.what()), 2);
        if (GetParam().workers == 1 || GetParam().delivery == takt::Delivery::next_round) {
            EXPECT_STREQ(error.what(), "2");
        }
    }
    const auto called = std::count_if(calls.begin(), calls.end(),
                                      [](const std::atomic<int>& count) { return count != 0; });
    EXPECT_LE(called, 20 + 2 * 5) << "a chunk ends where it throws, and no more are taken";
    EXPECT_GE(failures, 1);
    EXPECT_EQ(actors.total_load(), 0u);
}

TEST_P(Ranges, of_a_detached_range_one_failing_call_costs_no_other) {
    takt::Dispatcher<> actors = pool();
    std::vector<std::atomic<int>> calls(200);
    actors.dispatch_range(calls.size(), [&calls](std::size_t index) {
        ++calls[index];
        if (index % 3 == 0)
            throw std::runtime_error("every third");
    });
    runtime.run_until_idle();
    for (const std::atomic<int>& count : calls)
        EXPECT_EQ(count, 1);
    EXPECT_GE(failures, 1);
    EXPECT_LE(failures, 5) << "one for each part";
    EXPECT_EQ(actors.total_load(), 0u);
}

TEST_P(Ranges, of_nobody_are_refused) {
    takt::Dispatcher<> nobody = pool(0);
    EXPECT_EQ(nobody.dispatch_range(10, [](std::size_t) {}), takt::SendResult::dead);
    Ticket<std::vector<int>> ticket = nobody.submit_range(10, [](std::size_t) { return 1; });
    EXPECT_EQ(ticket.status(), TicketStatus::dead);
    EXPECT_THROW(ticket.get(), takt::TicketError);
}

TEST_P(Ranges, a_cancelled_one_ends_between_two_chunks_and_is_told) {
    takt::Dispatcher<> actors = pool();
    std::atomic<int> calls{0};
    Ticket<> ticket = actors.submit_range(1'000, [&](std::size_t) { ++calls; }, {.grain = 1});
    ticket.cancel();
    runtime.run_until_idle();
    EXPECT_EQ(ticket.status(), TicketStatus::cancelled);
    EXPECT_EQ(calls, 0);

    // In the middle: some chunk cancels it.
    if (GetParam().delivery == takt::Delivery::next_round)
        return; // there it would end after the phase
    Ticket<> other;
    std::atomic<int> after{0};
    other = actors.submit_range(1'000,
                                [&](std::size_t index) {
                                    if (index == 5)
                                        other.cancel();
                                    else if (takt::cancelled())
                                        ++after; // of chunks that others had taken by then
                                },
                                {.grain = 1});
    runtime.run_until_idle();
    EXPECT_EQ(other.status(), TicketStatus::cancelled);
    EXPECT_LE(after, GetParam().workers);
    EXPECT_EQ(actors.total_load(), 0u);
}

TEST_P(Ranges, those_whose_actors_go_before_end_as_actor_gone) {
    auto actors = std::make_unique<takt::Dispatcher<>>(pool());
    Ticket<std::vector<int>> ticket = actors->submit_range(10, [](std::size_t) { return 1; });
    actors.reset();
    runtime.run_until_idle();
    EXPECT_EQ(ticket.status(), TicketStatus::actor_gone);
}

TEST_P(Ranges, the_function_goes_when_the_last_part_has) {
    takt::Dispatcher<> actors = pool();
    const auto kept = std::make_shared<int>(3);
    Ticket<std::vector<int>> ticket =
        actors.submit_range(100, [kept](std::size_t) { return *kept; });
    EXPECT_EQ(kept.use_count(), 2);
    EXPECT_EQ(answer(ticket), std::vector<int>(100, 3));
    EXPECT_EQ(kept.use_count(), 1);
}

// An actor that is gone, and was not noticed yet: it is no reason to leave anything out.
TEST_P(Ranges, of_those_that_are_left_are_whole) {
    for (const bool parallel : {false, true}) {
        takt::Dispatcher<> actors = pool();
        actors.actor(0).destroy();
        actors.actor(3).destroy();
        runtime.run_until_idle();
        std::vector<std::atomic<int>> calls(100);
        std::optional<takt::SendResult> sent;
        const auto dispatch = [&] {
            sent = actors.dispatch_range(
                calls.size(), [&calls](std::size_t index) { ++calls[index]; }, {.grain = 1});
        };
        if (parallel) {
            const takt::ActorRef asker = runtime.spawn_actor(
                {}, [&](Actor& self) { self.bind_parallel(kGo, [&] { dispatch(); }); });
            asker.send(kGo);
        } else {
            runtime.serial();
            dispatch();
        }
        runtime.run_until_idle();
        EXPECT_EQ(sent, takt::SendResult::ok);
        for (const std::atomic<int>& count : calls)
            EXPECT_EQ(count, 1);
        EXPECT_EQ(actors.size(), 3u) << "they are noticed";
        EXPECT_EQ(actors.total_load(), 0u);
    }
}

TEST_P(Ranges, a_part_that_is_lost_is_taken_by_the_others_where_chunks_are_claimed) {
    takt::Dispatcher<> actors = pool();
    Ticket<std::vector<int>> ticket =
        actors.submit_range(100, [](std::size_t) { return 1; }, {.grain = 1});
    std::atomic<int> calls{0};
    EXPECT_EQ(actors.dispatch_range(100, [&](std::size_t) { ++calls; }, {.grain = 1}),
              takt::SendResult::ok);
    for (takt::Target target = 0; target < actors.size(); ++target)
        if (actors.load(target) != 0) {
            actors.actor(target).destroy();
            break;
        }
    runtime.run_until_idle();
    if (GetParam().delivery == takt::Delivery::next_round) {
        EXPECT_EQ(ticket.status(), TicketStatus::actor_gone) << "the shares are fixed";
        EXPECT_EQ(calls, 80);
    } else if (GetParam().workers == 1) {
        EXPECT_EQ(ticket.status(), TicketStatus::actor_gone);
        EXPECT_EQ(calls, 100) << "the second range is another actor's, the least busy one";
    } else {
        EXPECT_EQ(ticket.get(), std::vector<int>(100, 1));
        EXPECT_EQ(calls, 100);
    }
}

TEST_P(Ranges, a_range_begins_others) {
    takt::Dispatcher<> actors = pool();
    std::vector<std::atomic<int>> calls(400);
    Ticket<> outer = actors.submit_range(
        20,
        [&](std::size_t first) {
            const auto call = [&calls, first](std::size_t second) { ++calls[20 * first + second]; };
            if (first % 2 == 0)
                actors.dispatch_range(20, call);
            else
                static_cast<void>(actors.submit_range(20, call)); // detached
        },
        {.grain = 1});
    answer(outer);
    for (const std::atomic<int>& count : calls)
        EXPECT_EQ(count, 1);
    EXPECT_EQ(actors.total_load(), 0u);
}

TEST_P(Ranges, what_is_too_large_is_refused) {
    takt::Dispatcher<> actors = pool();
    const std::uint64_t before = runtime.refused(takt::SendResult::no_memory);
    Ticket<std::vector<int>> ticket = actors.submit_range(SIZE_MAX, [](std::size_t) { return 1; });
    EXPECT_EQ(ticket.status(), TicketStatus::no_memory);
    EXPECT_EQ(runtime.refused(takt::SendResult::no_memory), before + 1);
    EXPECT_EQ(actors.total_load(), 0u);
}

TEST_P(Ranges, of_more_indices_than_there_is_time_end_when_they_are_cancelled) {
    takt::Dispatcher<> actors = pool();
    if (GetParam().delivery == takt::Delivery::next_round)
        return; // there it would end after the phase
    Ticket<> ticket;
    std::atomic<std::size_t> calls{0};
    ticket = actors.submit_range(SIZE_MAX,
                                 [&](std::size_t) {
                                     if (++calls == 100)
                                         ticket.cancel();
                                 },
                                 {.grain = 10});
    runtime.run_until_idle();
    EXPECT_EQ(ticket.status(), TicketStatus::cancelled);
    EXPECT_GE(calls, 100u);
}

TEST_P(Ranges, one_actor_of_each_worker_takes_part) {
    if (GetParam().delivery == takt::Delivery::next_round)
        return; // all do, in turn
    takt::Dispatcher<> actors = pool(7);
    // Nobody goes on before each worker has begun.
    std::atomic<int> begun{0};
    std::atomic<bool> gave_up{false};
    Ticket<std::vector<std::uint64_t>> ticket =
        actors.submit_range(static_cast<std::size_t>(GetParam().workers),
                            [&](std::size_t) {
                                ++begun;
                                const std::int64_t end_ns = takt::now_ns() + 20'000'000'000;
                                while (begun < GetParam().workers && !gave_up) {
                                    if (takt::now_ns() > end_ns)
                                        gave_up = true;
                                    std::this_thread::yield();
                                }
                                return takt::this_actor().ref().address();
                            },
                            {.grain = 1});
    const std::vector<std::uint64_t> who = answer(ticket);
    EXPECT_FALSE(gave_up);
    EXPECT_EQ(std::set<std::uint64_t>(who.begin(), who.end()).size(), who.size());
}

std::string name_of(const testing::TestParamInfo<Setting>& info) {
    return std::to_string(info.param.workers) +
           (info.param.delivery == takt::Delivery::next_round ? "_next_round" : "_immediate");
}

INSTANTIATE_TEST_SUITE_P(
    all, Ranges,
    testing::Values(Setting{1, takt::Delivery::immediate}, Setting{2, takt::Delivery::immediate},
                    Setting{4, takt::Delivery::immediate}, Setting{1, takt::Delivery::next_round},
                    Setting{2, takt::Delivery::next_round}, Setting{4, takt::Delivery::next_round}),
    name_of);

// What the parts commit comes in one order, whoever ran them.
TEST(ReproducibleRanges, in_next_round_nothing_depends_on_the_number_of_workers) {
    const auto run = [](int workers) {
        takt::Runtime runtime(
            {.preset = takt::Preset::deterministic, .workers = {.count = workers}});
        std::vector<std::string> log;
        takt::Dispatcher actors(runtime, {.actors = 6}, [](Actor&) {});
        for (int times = 0; times < 3; ++times) {
            actors.dispatch_range(100, [&log](std::size_t index) {
                takt::commit([&log, index, who = takt::this_actor().name()] {
                    log.push_back(std::string(who) + " " + std::to_string(index));
                });
            });
            runtime.run_until_idle();
        }
        return log;
    };
    const std::vector<std::string> with_one = run(1);
    EXPECT_EQ(with_one.size(), 300u);
    EXPECT_EQ(run(2), with_one);
    EXPECT_EQ(run(4), with_one);
}

// A worker that is in a long handler has its part in its mail still; nobody waits for that.
TEST(LateRanges, the_answer_comes_with_the_last_index) {
    takt::Runtime runtime(
        {.workers = {.count = 2}, .clock = {.kind = takt::ClockKind::virtual_time}});
    takt::Dispatcher actors(runtime, {.actors = 2}, [](Actor&) {});
    std::atomic<bool> is_busy{false};
    std::atomic<bool> is_answered{false};
    bool came_in_time = false;
    const takt::ActorRef busy = runtime.spawn_actor({.worker = 1}, [&](Actor& self) {
        self.bind_parallel(kGo, [&] {
            is_busy = true;
            const std::int64_t end_ns = takt::now_ns() + 10'000'000'000;
            while (!is_answered && takt::now_ns() < end_ns)
                std::this_thread::yield();
            came_in_time = is_answered;
        });
    });
    const takt::ActorRef asker = runtime.spawn_actor({.worker = 0}, [&](Actor& self) {
        self.bind_parallel(kGo, [&]() -> Task<> {
            while (!is_busy)
                std::this_thread::yield();
            Ticket<std::vector<std::size_t>> squares = actors.submit_range(
                100, [](std::size_t index) { return index * index; }, {.grain = 1});
            EXPECT_EQ((co_await squares).at(99), 99u * 99);
            is_answered = true;
        });
    });
    busy.send(kGo);
    asker.send(kGo);
    runtime.run_until_idle();
    EXPECT_TRUE(came_in_time);
    EXPECT_EQ(actors.total_load(), 0u);
    expect_law(runtime);
}

// Of a job of more chunks than a counter goes on from after its end.
class FailingJob final : public takt::detail::RangeJob {
  public:
    using RangeJob::RangeJob;
    int calls = 0;

  private:
    void run_chunk(std::size_t, std::size_t, std::exception_ptr&) override {
        ++calls;
        throw std::runtime_error("failed");
    }
    void complete() noexcept override {}
};

TEST(HugeRanges, take_no_chunk_after_one_has_failed) {
    for (const std::size_t grain : {std::size_t{1}, SIZE_MAX / 100, SIZE_MAX / 4}) {
        FailingJob job({SIZE_MAX, grain, 8, false});
        EXPECT_THROW(job.run(0), std::runtime_error);
        for (std::uint32_t part = 1; part < 8; ++part)
            EXPECT_NO_THROW(job.run(part)) << "grain " << grain;
        EXPECT_EQ(job.calls, 1) << "grain " << grain;
    }
}

} // namespace
