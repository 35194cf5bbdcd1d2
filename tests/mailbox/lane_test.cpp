// SPDX-License-Identifier: MIT
// One lane, one thread: order, payloads of all kinds, memory. What threads do to it: scenarios.hpp.
#include "support/allocations.hpp"
#include "takt/mailbox.hpp"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using takt::LaneConfig;
using takt::RecordType;
using takt::StdPolicy;

constexpr std::uint32_t kShortlyBeforeTheWrap = 0xffff'fffb; // 2^32 - 5

struct Line {
    explicit Line(const LaneConfig& config = {}) : tail(config.start), lane(tail, config) {}
    takt::Tail<StdPolicy> tail;
    takt::Lane<StdPolicy> lane;
    takt::LaneWriter<StdPolicy>& writer = lane.writer();
    takt::LaneReader<StdPolicy>& reader = lane.reader();

    template <class T, class... Args>
    void push(std::uint64_t address, Args&&... args) {
        ASSERT_TRUE(writer.push<T>(address, std::forward<Args>(args)...));
    }
    // The addresses of what a drain visits.
    std::vector<std::uint64_t> drain(std::size_t limit = SIZE_MAX) {
        std::vector<std::uint64_t> seen;
        reader.drain(
            [&](std::uint64_t address, const RecordType&, void*) { seen.push_back(address); },
            limit);
        return seen;
    }
};

using Addresses = std::vector<std::uint64_t>;

// Counts the living; throws on demand.
struct Counted {
    explicit Counted(int& living, bool throws = false) : count(living) {
        if (throws)
            throw std::runtime_error("no");
        ++count;
    }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --count; }
    int& count;
};

TEST(Lane, records_come_in_order_with_their_addresses_and_types) { // M4
    Line line;
    line.push<int>(7, 70);
    line.push<std::string>(8, "eighty");
    line.push<int>(9, 90);
    line.writer.publish();
    std::string seen;
    const auto count =
        line.reader.drain([&](std::uint64_t address, const RecordType& type, void* payload) {
            seen += std::to_string(address) + ":";
            if (&type == &takt::record_type_of<int>)
                seen += std::to_string(*static_cast<int*>(payload)) + " ";
            else if (&type == &takt::record_type_of<std::string>)
                seen += *static_cast<std::string*>(payload) + " ";
        });
    EXPECT_EQ(count, 3U);
    EXPECT_EQ(seen, "7:70 8:eighty 9:90 ");
    EXPECT_EQ(line.drain(), Addresses{});
}

TEST(Lane, a_type_knows_its_size_and_name) {
    const RecordType& type = takt::record_type_of<std::array<char, 17>>;
    EXPECT_EQ(type.payload_bytes, 17U);
    EXPECT_EQ(type.units, 3U);
    EXPECT_EQ(type.destroy, nullptr);
    EXPECT_NE(std::string(type.name).find("array"), std::string::npos);
}

TEST(Lane, nothing_is_seen_before_it_is_published) {
    Line line;
    line.push<int>(1, 1);
    EXPECT_TRUE(line.writer.holds_back());
    EXPECT_TRUE(line.reader.empty());
    EXPECT_EQ(line.drain(), Addresses{});
    line.writer.publish();
    EXPECT_FALSE(line.writer.holds_back());
    EXPECT_FALSE(line.reader.empty());
    line.push<int>(2, 2);
    EXPECT_EQ(line.drain(), Addresses{1});
}

TEST(Lane, a_drain_stops_at_its_limit_and_the_next_goes_on_there) {
    Line line;
    for (std::uint64_t number = 0; number < 5; ++number)
        line.push<int>(number, 0);
    line.writer.publish();
    EXPECT_EQ(line.drain(0), Addresses{});
    EXPECT_EQ(line.drain(2), (Addresses{0, 1}));
    EXPECT_EQ(line.reader.unread_units(), 6U);
    EXPECT_EQ(line.drain(2), (Addresses{2, 3}));
    EXPECT_EQ(line.drain(2), (Addresses{4}));
}

TEST(Lane, tail_minus_head_is_what_is_unread) {
    Line line({.start = kShortlyBeforeTheWrap});
    for (std::uint32_t number = 1; number <= 4; ++number) {
        line.push<std::array<char, 30>>(number);
        EXPECT_EQ(line.writer.tail() - line.reader.head(), 3 * number);
    }
    line.writer.publish();
    EXPECT_EQ(line.reader.unread_units(), 12U);
    line.drain();
    EXPECT_EQ(line.reader.unread_units(), 0U);
    EXPECT_EQ(line.writer.tail(), line.reader.head());
}

TEST(Lane, payloads_may_be_moved_in_and_out) {
    Line line;
    line.push<std::unique_ptr<int>>(0, std::make_unique<int>(42));
    line.writer.publish();
    std::unique_ptr<int> taken;
    line.reader.drain([&](std::uint64_t, const RecordType&, void* payload) {
        taken = std::move(*static_cast<std::unique_ptr<int>*>(payload));
    });
    ASSERT_NE(taken, nullptr);
    EXPECT_EQ(*taken, 42);
}

template <std::size_t Align>
struct alignas(Align) Aligned {
    explicit Aligned(std::uint64_t number) : value(number) {}
    std::uint64_t value;
};

template <std::size_t Align>
void expect_aligned(std::uint64_t address, const RecordType& type, void* payload, int& seen) {
    if (&type != &takt::record_type_of<Aligned<Align>>)
        return;
    ++seen;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(payload) % Align, 0U) << Align;
    EXPECT_EQ(static_cast<Aligned<Align>*>(payload)->value, address);
}

TEST(Lane, over_aligned_payloads_are_aligned) {
    Line line({.start = kShortlyBeforeTheWrap});
    constexpr std::uint64_t kEach = 200;
    for (std::uint64_t number = 0; number < kEach; ++number) {
        line.push<char>(number, 'x');
        line.push<Aligned<32>>(number, number);
        line.push<Aligned<64>>(number, number);
        line.push<Aligned<256>>(number, number);
        line.push<Aligned<4096>>(number, number);
    }
    line.writer.publish();
    int seen = 0;
    const auto count =
        line.reader.drain([&](std::uint64_t address, const RecordType& type, void* payload) {
            expect_aligned<32>(address, type, payload, seen);
            expect_aligned<64>(address, type, payload, seen);
            expect_aligned<256>(address, type, payload, seen);
            expect_aligned<4096>(address, type, payload, seen);
        });
    EXPECT_EQ(count, 5 * kEach);
    EXPECT_EQ(seen, 4 * int{kEach});
    EXPECT_EQ(line.writer.tail(), line.reader.head());
}

template <std::size_t Bytes>
struct Block {
    explicit Block(unsigned char with) { content.fill(with); }
    bool intact(unsigned char with) const {
        return std::all_of(content.begin(), content.end(), [=](auto byte) { return byte == with; });
    }
    std::array<unsigned char, Bytes> content;
};

template <std::size_t Bytes>
int intact_blocks(Line& line) {
    int intact = 0;
    line.reader.drain([&](std::uint64_t address, const RecordType& type, void* payload) {
        if (&type == &takt::record_type_of<Block<Bytes>>)
            intact +=
                static_cast<Block<Bytes>*>(payload)->intact(static_cast<unsigned char>(address));
    });
    return intact;
}

TEST(Lane, payloads_larger_than_a_segment_get_one_of_their_own_and_it_is_used_again) {
    using Large = Block<1 << 20>;
    static_assert(sizeof(Large) > takt::kInlinePayloadMax);
    Line line;
    std::uint64_t allocated = 0;
    for (std::uint64_t round = 0; round < 6; ++round) {
        const std::uint64_t before = allocations::count();
        line.push<int>(round, 0);
        line.push<Large>(round, static_cast<unsigned char>(round));
        line.push<int>(round, 0);
        line.writer.publish();
        EXPECT_EQ((intact_blocks<1 << 20>(line)), 1);
        line.writer.recycle();
        if (round >= 2)
            allocated += allocations::count() - before;
    }
    EXPECT_EQ(allocated, 0U);
    EXPECT_LT(line.writer.memory_bytes(), 2 * (std::size_t{2} << 20) + 64'000);
}

TEST(Lane, the_largest_inline_payload_fits_a_segment) {
    Line line;
    using Inline = Block<takt::kInlinePayloadMax>;
    line.push<Inline>(3, static_cast<unsigned char>(3));
    EXPECT_EQ(line.writer.memory_bytes(), 4096U);
    line.writer.publish();
    EXPECT_EQ(intact_blocks<takt::kInlinePayloadMax>(line), 1);
}

TEST(Lane, a_payload_beyond_two_gibibytes_is_refused) {
    Line line;
    EXPECT_EQ(line.writer.reserve(std::size_t{5} << 30, 8), nullptr);
    line.push<int>(1, 1);
    line.writer.publish();
    EXPECT_EQ(line.drain(), Addresses{1});
}

TEST(Lane, a_throwing_constructor_leaves_the_lane_as_before) { // M2
    int living = 0;
    // At each position in a segment, its end included.
    for (std::uint64_t before = 0; before < 12; ++before) {
        Line line({.segment_units = 8});
        for (std::uint64_t number = 0; number < before; ++number)
            line.push<Counted>(number, living);
        line.writer.publish();
        const std::uint32_t tail = line.writer.tail();
        EXPECT_THROW((void)line.writer.push<Counted>(99, living, true), std::runtime_error);
        EXPECT_EQ(line.writer.tail(), tail);
        EXPECT_FALSE(line.writer.holds_back());
        EXPECT_EQ(living, static_cast<int>(before));
        line.push<Counted>(before, living);
        line.writer.publish();
        const Addresses seen = line.drain();
        ASSERT_EQ(seen.size(), before + 1);
        EXPECT_EQ(seen.back(), before);
        EXPECT_EQ(living, 0);
    }
}

TEST(Lane, a_reserve_that_is_given_up_leaves_no_trace) { // M2
    Line line({.segment_units = 8});
    for (std::uint64_t number = 0; number < 50; ++number) {
        ASSERT_NE(line.writer.reserve(100, 8), nullptr);
        ASSERT_NE(line.writer.reserve(2'000, 64), nullptr);
        line.push<int>(number, 0);
        line.writer.publish();
        EXPECT_EQ(line.drain(), Addresses{number});
        line.writer.recycle();
    }
}

TEST(Lane, each_payload_is_destroyed_once_visited_or_not) { // M4
    int living = 0;
    {
        Line line({.segment_units = 8});
        for (std::uint64_t number = 0; number < 30; ++number)
            line.push<Counted>(number, living);
        line.writer.publish();
        line.push<Counted>(30, living); // stays unpublished
        EXPECT_EQ(living, 31);
        line.drain(10);
        EXPECT_EQ(living, 21);
    }
    EXPECT_EQ(living, 0);
}

TEST(Lane, a_visitor_that_throws_has_had_its_record) { // M4
    int living = 0;
    Line line;
    for (std::uint64_t number = 0; number < 3; ++number)
        line.push<Counted>(number, living);
    line.writer.publish();
    EXPECT_THROW(line.reader.drain([](std::uint64_t, const RecordType&, void*) {
        throw std::runtime_error("no");
    }),
                 std::runtime_error);
    EXPECT_EQ(living, 2);
    EXPECT_EQ(line.drain(), (Addresses{1, 2}));
    EXPECT_EQ(living, 0);
}

TEST(Lane, a_segment_is_taken_back_only_when_the_reader_has_left_it) { // M5
    Line line({.segment_units = 8});
    auto fill = [&] {
        for (std::uint64_t number = 0; number < 4; ++number)
            line.push<int>(number, 0); // a segment
    };
    fill();
    line.writer.publish();
    line.drain();
    line.writer.recycle(); // the reader still stands at its end
    const std::size_t one = line.writer.memory_bytes();
    fill();
    EXPECT_EQ(line.writer.memory_bytes(), 2 * one);
    line.writer.publish();
    line.drain();
    line.writer.recycle();
    fill();
    EXPECT_EQ(line.writer.memory_bytes(), 2 * one);
}

TEST(Lane, the_tail_wraps) { // M6
    Line line({.segment_units = 8, .start = kShortlyBeforeTheWrap});
    for (std::uint64_t number = 0; number < 20; ++number) {
        line.push<int>(number, 0);
        if (number % 3 == 2) {
            line.writer.publish();
            EXPECT_EQ(line.drain(), (Addresses{number - 2, number - 1, number}));
        }
    }
    EXPECT_LT(line.writer.tail(), 100U);
}

TEST(Lane, random_sizes_and_batches_keep_order_and_content) {
    for (const std::uint32_t segment_units : {4U, 9U, 33U, 252U}) {
        Line line({.segment_units = segment_units, .start = kShortlyBeforeTheWrap});
        std::mt19937 random(segment_units);
        std::deque<std::uint64_t> expected;
        std::uint64_t next = 0;
        for (int step = 0; step < 20'000; ++step) {
            switch (random() % 8) {
            case 0:
                line.push<Block<1>>(next, static_cast<unsigned char>(next));
                break;
            case 1:
                line.push<Block<48>>(next, static_cast<unsigned char>(next));
                break;
            case 2:
                line.push<Block<333>>(next, static_cast<unsigned char>(next));
                break;
            case 3:
                line.push<Aligned<64>>(next, next);
                break;
            case 4:
                line.writer.publish();
                continue;
            case 5:
                line.writer.recycle();
                continue;
            default:
                for (const std::uint64_t number : line.drain(random() % 20)) {
                    ASSERT_FALSE(expected.empty());
                    ASSERT_EQ(number, expected.front());
                    expected.pop_front();
                }
                continue;
            }
            expected.push_back(next++);
        }
        line.writer.publish();
        EXPECT_EQ(line.drain(), Addresses(expected.begin(), expected.end()));
    }
}

TEST(Lane, the_steady_state_allocates_nothing) {
    Line line;
    auto round = [&] {
        for (std::uint64_t number = 0; number < 2'000; ++number)
            (void)line.writer.push<Block<40>>(number, static_cast<unsigned char>(number));
        line.writer.publish();
        std::size_t count = line.reader.drain([](std::uint64_t, const RecordType&, void*) {});
        line.writer.recycle();
        return count;
    };
    round();
    round();
    const std::uint64_t before = allocations::count();
    for (int again = 0; again < 20; ++again)
        EXPECT_EQ(round(), 2'000U);
    EXPECT_EQ(allocations::count(), before);
}

TEST(Lane, without_memory_a_push_says_so_and_changes_nothing) { // M2
    const std::uint64_t failed = allocations::fail_each([] {
        int living = 0;
        {
            Line line({.segment_units = 8});
            std::uint64_t expected = 0;
            for (std::uint64_t number = 0; number < 20; ++number) {
                const std::uint32_t tail = line.writer.tail();
                if (!line.writer.push<Counted>(expected, living)) {
                    EXPECT_EQ(line.writer.tail(), tail);
                    ASSERT_TRUE(line.writer.push<Counted>(expected, living)); // there is again
                }
                ++expected;
            }
            line.writer.publish();
            std::uint64_t next = 0;
            line.reader.drain([&](std::uint64_t address, const RecordType&, void*) {
                EXPECT_EQ(address, next++);
            });
            EXPECT_EQ(next, 20U);
        }
        EXPECT_EQ(living, 0);
    });
    EXPECT_EQ(failed, 5U); // each segment holds four
}

} // namespace
