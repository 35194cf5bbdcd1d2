// SPDX-License-Identifier: MIT
#include "takt/topology.hpp"

#include "topology/expect_error.hpp"

#include <chrono>
#include <gtest/gtest.h>

namespace takt {
namespace {

using test::expect_error;

TEST(CpuSet, is_equal_to_every_set_with_the_same_members) {
    CpuSet set{3, 500};
    set.erase(500);
    EXPECT_EQ(set, CpuSet{3});
    EXPECT_NE(set, CpuSet{4});
    set.erase(3);
    EXPECT_EQ(set, CpuSet{});
    EXPECT_TRUE(set.empty());
}

TEST(CpuSet, iterates_in_ascending_order_over_word_boundaries) {
    const CpuSet set{64, 0, 63, 65535, 128};
    EXPECT_EQ(std::vector<int>(set.begin(), set.end()), (std::vector{0, 63, 64, 128, 65535}));
    EXPECT_EQ(set.count(), 5);
}

TEST(CpuSet, unites_intersects_and_subtracts_sets_of_different_sizes) {
    const CpuSet small{1, 2};
    const CpuSet large{2, 700};
    EXPECT_EQ(small | large, (CpuSet{1, 2, 700}));
    EXPECT_EQ(large | small, (CpuSet{1, 2, 700}));
    EXPECT_EQ(small & large, CpuSet{2});
    EXPECT_EQ(large & small, CpuSet{2});
    EXPECT_EQ(large - small, CpuSet{700});
    EXPECT_EQ(small - large, CpuSet{1});
}

TEST(CpuSet, writes_ranges_and_reads_them_back) {
    const CpuSet set{0, 1, 2, 3, 7, 9, 10};
    EXPECT_EQ(set.to_string(), "0-3,7,9-10");
    EXPECT_EQ(CpuSet::parse("cpus", set.to_string()), set);
    EXPECT_EQ(CpuSet{}.to_string(), "");
}

TEST(CpuSet, parses_what_the_kernel_writes) {
    EXPECT_EQ(CpuSet::parse("cpus", "0-1\n"), (CpuSet{0, 1}));
    EXPECT_EQ(CpuSet::parse("cpus", "\n"), CpuSet{});
    EXPECT_EQ(CpuSet::parse("cpus", ""), CpuSet{});
}

TEST(CpuSet, contains_no_number_that_is_no_cpu) {
    const CpuSet set{0};
    EXPECT_FALSE(set.contains(-1));
    EXPECT_FALSE(set.contains(kCpuLimit));
    EXPECT_FALSE(set.contains(INT32_MAX));
}

TEST(CpuSet, refuses_to_hold_a_number_that_is_no_cpu) {
    CpuSet set;
    expect_error([&] { set.insert(-1); }, "cpu", "-1", "not a CPU number");
    expect_error([&] { set.insert(kCpuLimit); }, "cpu", "65536", "not a CPU number");
}

TEST(CpuList, keeps_the_order_given) {
    EXPECT_EQ(parse_cpu_list("cpus", "10,2-4, 0"), (std::vector{10, 2, 3, 4, 0}));
    EXPECT_EQ(parse_cpu_list("cpus", "65535"), std::vector{65535});
}

struct Refused {
    const char* text;
    const char* said;
};

void PrintTo(const Refused& refused, std::ostream* out) {
    *out << refused.text;
}

class CpuListRefuses : public testing::TestWithParam<Refused> {};

TEST_P(CpuListRefuses, with_key_value_and_reason) {
    const auto [text, said] = GetParam();
    expect_error([text = text] { parse_cpu_list("workers.cpus", text); }, "workers.cpus", text,
                 said);
}

INSTANTIATE_TEST_SUITE_P(
    everything_else, CpuListRefuses,
    testing::Values(Refused{"", "missing"}, Refused{" ", "missing"}, Refused{",", "missing"},
                    Refused{"1,", "missing"}, Refused{",1", "missing"}, Refused{"1,,2", "missing"},
                    Refused{"3-1", "reversed"}, Refused{"1,1", "CPU 1 is listed twice"},
                    Refused{"0-3,2", "CPU 2 is listed twice"}, Refused{"a", "neither"},
                    Refused{"1a", "neither"}, Refused{"-1", "neither"}, Refused{"1-", "neither"},
                    Refused{"1--2", "neither"}, Refused{"+1", "neither"},
                    Refused{"1-2-3", "neither"}, Refused{"0x1", "neither"},
                    Refused{"0-31:2", "neither"}, Refused{"1.5", "neither"},
                    Refused{"%n%s", "neither"}, Refused{"1 2", "neither"},
                    Refused{"65536", "end at 65535"}, Refused{"4294967296", "end at 65535"},
                    Refused{"18446744073709551616", "end at 65535"}));

TEST(CpuList, refuses_a_range_of_four_billion_without_walking_it) {
    const auto start = std::chrono::steady_clock::now();
    expect_error([] { parse_cpu_list("cpus", "0-4294967295"); }, "cpus", "0-4294967295",
                 "end at 65535");
    expect_error([] { parse_cpu_list("cpus", "0-2147483647"); }, "cpus", "0-2147483647",
                 "end at 65535");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(CpuList, does_bounded_work_for_many_large_ranges) {
    std::string text = "0-65535";
    while (text.size() < kCpuListBytesMax - 16)
        text += ",0-65535";
    const auto start = std::chrono::steady_clock::now();
    EXPECT_THROW(parse_cpu_list("cpus", text), Error);
    EXPECT_THROW(CpuSet::parse("cpus", text), Error);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(CpuList, refuses_an_enormous_text_and_shortens_it_in_the_error) {
    const std::string text(kCpuListBytesMax + 1, '1');
    try {
        parse_cpu_list("cpus", text);
        FAIL() << "not refused";
    } catch (const Error& error) {
        EXPECT_NE(error.problem().find("longer than 65536 bytes"), std::string::npos);
        EXPECT_LT(std::string(error.what()).size(), 1000U);
    }
    EXPECT_THROW(CpuSet::parse("cpus", std::string(kCpuListBytesMax + 1, ' ') + "x"), Error);
}

} // namespace
} // namespace takt
