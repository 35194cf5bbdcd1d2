// SPDX-License-Identifier: MIT
// Mailboxes, boards and the doorbell, without races: who gets what, what it costs in memory, when a
// sleeper rises. With races: scenarios.hpp.
#include "mailbox/moodycamel_mailboxes.hpp"
#include "support/allocations.hpp"
#include "takt/mailbox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {

using takt::Board;
using takt::BoardLayout;
using takt::RecordType;
using takt::StdPolicy;
using Mailboxes = takt::Mailboxes<StdPolicy>;
using Addresses = std::vector<std::uint64_t>;

constexpr std::uint32_t kShortlyBeforeTheWrap = 0xffff'fffb; // 2^32 - 5

std::vector<int> one_cache(int workers) {
    return std::vector<int>(static_cast<std::size_t>(workers), 0);
}

template <class Mailbox>
Addresses drain(Mailbox& mailbox, std::size_t limit = SIZE_MAX) {
    Addresses seen;
    mailbox.drain([&](std::uint64_t address, const RecordType&, void*) { seen.push_back(address); },
                  limit);
    return seen;
}

template <class M>
class AnyMailboxes : public ::testing::Test {};
struct Names {
    template <class M>
    static std::string GetName(int) {
        return std::is_same_v<M, Mailboxes> ? "takt" : "moodycamel";
    }
};
using Kinds = ::testing::Types<Mailboxes, takt::MoodycamelMailboxes>;
TYPED_TEST_SUITE(AnyMailboxes, Kinds, Names);

TYPED_TEST(AnyMailboxes, mail_reaches_its_reader_and_nobody_else) {
    TypeParam all{one_cache(3)};
    EXPECT_EQ(all.workers(), 3);
    ASSERT_TRUE(all.outbox(0).template push<int>(1, 10, 0));
    ASSERT_TRUE(all.outbox(0).template push<int>(2, 20, 0));
    ASSERT_TRUE(all.outbox(0).template push<int>(0, 5, 0)); // to itself
    EXPECT_EQ(drain(all.mailbox(1)), Addresses{});
    all.outbox(0).publish();
    EXPECT_EQ(drain(all.mailbox(0)), Addresses{5});
    EXPECT_EQ(drain(all.mailbox(1)), Addresses{10});
    EXPECT_EQ(drain(all.mailbox(2)), Addresses{20});
    EXPECT_EQ(drain(all.mailbox(1)), Addresses{});
}

TYPED_TEST(AnyMailboxes, mail_of_one_writer_comes_in_its_order) {
    TypeParam all{one_cache(4)};
    for (std::uint64_t number = 0; number < 1'000; ++number)
        for (int from = 0; from < 3; ++from) {
            ASSERT_TRUE(all.outbox(from).template push<std::string>(
                3, number * 10 + std::uint64_t(from), "content " + std::to_string(number)));
            if (number % 7 == 0)
                all.outbox(from).publish();
        }
    for (int from = 0; from < 3; ++from)
        all.outbox(from).publish();
    std::map<std::uint64_t, std::uint64_t> next;
    all.mailbox(3).drain([&](std::uint64_t address, const RecordType&, void* payload) {
        EXPECT_EQ(address / 10, next[address % 10]++);
        EXPECT_EQ(*static_cast<std::string*>(payload), "content " + std::to_string(address / 10));
    });
    EXPECT_EQ(next, (std::map<std::uint64_t, std::uint64_t>{{0, 1'000}, {1, 1'000}, {2, 1'000}}));
}

TYPED_TEST(AnyMailboxes, unread_payloads_are_destroyed_with_the_mailboxes) {
    const auto shared = std::make_shared<int>(1);
    {
        TypeParam all{one_cache(2)};
        for (int number = 0; number < 100; ++number)
            ASSERT_TRUE((all.outbox(0).template push<std::shared_ptr<int>>(1, 0, shared)));
        all.outbox(0).publish();
        ASSERT_TRUE((all.outbox(0).template push<std::shared_ptr<int>>(1, 0, shared)));
        EXPECT_EQ(drain(all.mailbox(1), 10).size(), 10U);
        EXPECT_EQ(shared.use_count(), 1 + 91);
    }
    EXPECT_EQ(shared.use_count(), 1);
}

TEST(Mailbox, memory_is_proportional_to_the_lanes_in_use) {
    constexpr int kWorkers = 64;
    Mailboxes all(one_cache(kWorkers));
    EXPECT_EQ(all.outbox(0).memory_bytes(), 0U);
    ASSERT_TRUE(all.outbox(0).push<int>(1, 0, 0));
    const std::size_t one = all.outbox(0).memory_bytes();
    EXPECT_LE(one, 5'000U);
    ASSERT_TRUE(all.outbox(0).push<int>(2, 0, 0));
    EXPECT_EQ(all.outbox(0).memory_bytes(), 2 * one);
    // A slot of 4 bytes and its head for each worker, a few lines for the rest.
    EXPECT_LE(all.mailbox(0).memory_bytes(), kWorkers * 8U + 1'024U);
}

TEST(Mailbox, a_limit_is_kept_and_what_it_leaves_comes_first_next_time) {
    Mailboxes all(one_cache(40));
    for (const int from : {3, 20, 39})
        for (std::uint64_t number = 0; number < 4; ++number)
            ASSERT_TRUE(all.outbox(from).push<int>(0, std::uint64_t(from) * 10 + number, 0));
    for (const int from : {3, 20, 39})
        all.outbox(from).publish();
    EXPECT_EQ(drain(all.mailbox(0), 3), (Addresses{30, 31, 32}));
    EXPECT_EQ(drain(all.mailbox(0), 3), (Addresses{200, 201, 202}));
    EXPECT_EQ(drain(all.mailbox(0), 5), (Addresses{390, 391, 392, 393, 33}));
    EXPECT_EQ(drain(all.mailbox(0)), (Addresses{203}));
    EXPECT_EQ(drain(all.mailbox(0)), Addresses{});
}

TEST(Mailbox, a_lane_with_short_mail_hides_no_other_lane) {
    for (const int workers : {3, 40}) { // boards of one line and of three
        Mailboxes all(one_cache(workers));
        const auto send = [&](int from, std::uint64_t address) {
            ASSERT_TRUE(all.outbox(from).push<int>(0, address, 0));
            all.outbox(from).publish();
        };
        for (std::uint64_t round = 0; round < 3; ++round) {
            send(1, round);
            EXPECT_EQ(drain(all.mailbox(0)), Addresses{round});
        }
        send(1, 10);
        send(2, 20);
        EXPECT_EQ(drain(all.mailbox(0)), (Addresses{10, 20}));
        send(1, 11); // lane 2 had the last short mail
        EXPECT_EQ(drain(all.mailbox(0)), Addresses{11});
        EXPECT_EQ(drain(all.mailbox(0)), Addresses{});
    }
}

TEST(Mailbox, one_writers_mail_can_be_drained_by_itself) {
    Mailboxes all(one_cache(3));
    for (const int from : {1, 2}) {
        ASSERT_TRUE(all.outbox(from).push<int>(0, std::uint64_t(from), 0));
        all.outbox(from).publish();
    }
    const auto count_of = [&](int from) {
        return all.mailbox(0).drain_from(from, [&](std::uint64_t address, const RecordType&,
                                                   void*) { EXPECT_EQ(int(address), from); });
    };
    EXPECT_EQ(count_of(0), 0U); // there is no lane
    EXPECT_EQ(count_of(2), 1U);
    EXPECT_EQ(count_of(2), 0U);
    EXPECT_EQ(drain(all.mailbox(0)), Addresses{1});
}

// Segments of two records, of which there may be two: what the visits add comes round to where the
// tail was published last, for some number of them.
TEST(Mailbox, own_mail_that_the_visits_add_is_drained_and_not_left_as_unread) {
    Mailboxes all(one_cache(2), {.segment_units = 4, .unread_bytes_max = 256});
    for (std::uint64_t last = 1; last < 40; ++last) {
        ASSERT_TRUE(all.outbox(0).push<int>(0, 1, 0));
        std::uint64_t seen = 0;
        all.mailbox(0).drain_own([&](std::uint64_t address, const RecordType&, void*) {
            EXPECT_EQ(address, ++seen);
            if (address < last) {
                ASSERT_TRUE(all.outbox(0).push<int>(0, address + 1, 0));
            }
        });
        EXPECT_EQ(seen, last);
        EXPECT_FALSE(all.mailbox(0).moved()) << last;
        EXPECT_EQ(all.mailbox(0).head(0), all.outbox(0).tail(0));
    }
}

TEST(Mailbox, own_mail_that_a_limit_leaves_is_seen_by_all_who_look) {
    Mailboxes all(one_cache(2));
    for (std::uint64_t number = 0; number < 3; ++number)
        ASSERT_TRUE(all.outbox(0).push<int>(0, number, 0));
    EXPECT_FALSE(all.mailbox(0).moved());
    EXPECT_FALSE(all.outbox(0).publish_to_others());
    EXPECT_EQ(all.mailbox(0).drain_own([](std::uint64_t, const RecordType&, void*) {}, 1), 1U);
    EXPECT_TRUE(all.mailbox(0).moved());
    EXPECT_EQ(drain(all.mailbox(0)), (Addresses{1, 2}));
    ASSERT_TRUE(all.outbox(0).push<int>(0, 3, 0));
    all.outbox(0).publish();
    EXPECT_EQ(drain(all.mailbox(0)), Addresses{3});
}

TEST(Mailbox, what_is_unread_can_be_told_on_both_sides) {
    Mailboxes all(one_cache(2), {.start = kShortlyBeforeTheWrap});
    EXPECT_EQ(all.outbox(0).tail(1) - all.mailbox(1).head(0), 0U);
    for (int number = 0; number < 4; ++number)
        ASSERT_TRUE(all.outbox(0).push<int>(1, 0, 0));
    EXPECT_EQ(all.mailbox(1).unread_units(), 0U);
    all.outbox(0).publish();
    EXPECT_EQ(all.mailbox(1).unread_units(), 8U);
    drain(all.mailbox(1), 3);
    EXPECT_EQ(all.mailbox(1).unread_units(), 2U);
    EXPECT_EQ(all.outbox(0).tail(1) - all.mailbox(1).head(0), 2U);
}

TEST(Mailbox, a_visitor_that_throws_leaves_the_rest_for_the_next_drain) {
    Mailboxes all(one_cache(2));
    for (std::uint64_t number = 0; number < 3; ++number)
        ASSERT_TRUE(all.outbox(0).push<int>(1, number, 0));
    all.outbox(0).publish();
    EXPECT_THROW(all.mailbox(1).drain([](std::uint64_t, const RecordType&, void*) { throw 1; }),
                 int);
    EXPECT_EQ(drain(all.mailbox(1)), (Addresses{1, 2}));
}

TEST(Mailbox, the_steady_state_allocates_nothing) {
    Mailboxes all(one_cache(3));
    const auto round = [&] {
        for (int number = 0; number < 3'000; ++number)
            (void)all.outbox(0).push<std::uint64_t>(1 + number % 2, 0, 0U);
        all.outbox(0).publish();
        std::size_t count = 0;
        for (const int reader : {1, 2})
            count += all.mailbox(reader).drain([](std::uint64_t, const RecordType&, void*) {});
        all.outbox(0).recycle();
        return count;
    };
    round();
    round();
    const std::uint64_t before = allocations::count();
    for (int again = 0; again < 10; ++again)
        EXPECT_EQ(round(), 3'000U);
    EXPECT_EQ(allocations::count(), before);
}

TEST(Mailbox, without_memory_a_push_says_so_and_changes_nothing) { // M2
    int failed = 0;
    for (std::uint64_t allowed = 0; allowed < 20; ++allowed) {
        Mailboxes all(one_cache(2), {.segment_units = 8});
        allocations::fail_after(allowed);
        std::uint64_t number = 0;
        for (; number < 12; ++number)
            if (!all.outbox(0).push<int>(1, number, 0)) {
                ++failed;
                EXPECT_EQ(all.outbox(0).tail(1), static_cast<std::uint32_t>(2 * number));
                ASSERT_TRUE(all.outbox(0).push<int>(1, number, 0)); // there is some again
            }
        allocations::fail_no_more();
        all.outbox(0).publish();
        const Addresses seen = drain(all.mailbox(1));
        ASSERT_EQ(seen.size(), number);
        EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    }
    EXPECT_EQ(failed, 4); // the lane, and three segments of four records
}

TEST(Mailbox, made_without_memory_they_throw_and_leave_nothing_behind) {
    const std::vector<int> caches{0, 1, 0, 1, 0};
    std::uint64_t thrown = 0;
    std::int64_t leaked = 0;
    const std::uint64_t failures = allocations::fail_each([&] {
        const std::int64_t before = allocations::live();
        try {
            const Mailboxes all(caches);
        } catch (const std::bad_alloc&) {
            ++thrown;
        }
        leaked += allocations::live() - before;
    });
    EXPECT_EQ(thrown, failures);
    EXPECT_EQ(leaked, 0);
    EXPECT_GE(failures, 2 * caches.size()) << "a mailbox and an outbox for each worker";
}

TEST(BoardLayout, writers_of_one_cache_share_lines_and_no_others_do) {
    std::vector<int> groups;
    for (int writer = 0; writer < 50; ++writer)
        groups.push_back(writer % 3 * 100 - 7);
    const BoardLayout layout(groups);
    EXPECT_EQ(layout.writers(), 50U);
    EXPECT_EQ(layout.lines(), 5U); // for 17, 17 and 16 writers
    std::map<std::size_t, int> group_of_line;
    for (int writer = 0; writer < 50; ++writer) {
        const std::size_t slot = layout.slot_of(writer);
        EXPECT_EQ(layout.writer_at(slot), writer);
        const int group = groups[static_cast<std::size_t>(writer)];
        EXPECT_EQ(group_of_line.emplace(slot / takt::kTailsPerLine, group).first->second, group);
    }
    EXPECT_EQ(group_of_line.size(), layout.lines());
}

// The slots that a poll finds; notes their tails as read.
std::vector<std::size_t> moved_slots(Board<StdPolicy>& board) {
    std::vector<std::size_t> slots;
    board.poll([&](std::size_t slot, std::uint32_t tail) {
        slots.push_back(slot);
        board.set_head(slot, tail);
        return true;
    });
    return slots;
}

TEST(Board, a_poll_finds_exactly_the_slots_that_moved) { // M7, M8
    for (const std::size_t lines : {1U, 2U, 3U, 16U, 17U}) {
        Board<StdPolicy> board(lines, kShortlyBeforeTheWrap);
        EXPECT_EQ(moved_slots(board), std::vector<std::size_t>{});
        for (std::size_t slot = 0; slot < lines * takt::kTailsPerLine; ++slot)
            for (const std::uint32_t by : {1U, 3U, 10U}) {
                const std::size_t other = (slot * 7 + by) % (lines * takt::kTailsPerLine);
                std::vector<std::size_t> expected{slot};
                board.tail(slot).fetch_add(by);
                if (other != slot) {
                    board.tail(other).fetch_add(4);
                    expected.push_back(other);
                }
                std::sort(expected.begin(), expected.end());
                EXPECT_TRUE(board.moved());
                EXPECT_EQ(board.unread_units(), by + (other != slot ? 4 : 0));
                EXPECT_EQ(moved_slots(board), expected);
                EXPECT_FALSE(board.moved());
                EXPECT_EQ(moved_slots(board), std::vector<std::size_t>{});
            }
    }
}

TEST(Board, writers_ahead_by_opposite_amounts_are_both_seen) { // M8
    Board<StdPolicy> board(2, 0);
    board.tail(3).store(0x8000'0000U);
    board.tail(3 + takt::kTailsPerLine).store(0x7fff'ffffU); // one less than 2^32 together
    EXPECT_EQ(moved_slots(board), (std::vector<std::size_t>{3, 3 + takt::kTailsPerLine}));
}

TEST(Doorbell, a_reader_with_mail_does_not_sleep) { // D1
    Mailboxes all(one_cache(2));
    ASSERT_TRUE(all.outbox(0).push<int>(1, 0, 0));
    all.outbox(0).publish();
    EXPECT_TRUE(all.mailbox(1).sleep());
}

TEST(Doorbell, a_sleeper_rises_at_its_deadline) {
    Mailboxes all(one_cache(2));
    const std::int64_t deadline_ns = takt::now_ns() + 2'000'000;
    EXPECT_FALSE(all.mailbox(1).sleep(deadline_ns));
    EXPECT_GE(takt::now_ns(), deadline_ns);
}

TEST(Doorbell, a_sleeper_rises_when_mail_comes) { // D2
    Mailboxes all(one_cache(2));
    std::thread writer([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        (void)all.outbox(0).push<int>(1, 77, 0);
        all.outbox(0).publish();
    });
    EXPECT_TRUE(all.mailbox(1).sleep());
    EXPECT_EQ(drain(all.mailbox(1)), Addresses{77});
    writer.join();
}

} // namespace
