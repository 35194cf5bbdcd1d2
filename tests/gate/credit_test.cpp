// SPDX-License-Identifier: MIT
#include "takt/mailbox.hpp"

#include <gtest/gtest.h>

namespace {

using Credit = takt::Credit<takt::StdPolicy>;

TEST(Credit, C1_covers_up_to_its_limit_and_again_what_is_given_back) {
    Credit credit(4);
    EXPECT_TRUE(credit.covers(0, 4));
    EXPECT_FALSE(credit.covers(0, 5));
    EXPECT_TRUE(credit.covers(3, 1));
    EXPECT_FALSE(credit.covers(4, 1));
    credit.give_back(2);
    EXPECT_TRUE(credit.covers(4, 2));
    EXPECT_FALSE(credit.covers(4, 3));
}

TEST(Credit, C1_counts_wrap) {
    const std::uint32_t start = 0xffff'fffe;
    Credit credit(4, start);
    EXPECT_TRUE(credit.covers(start, 4));
    EXPECT_TRUE(credit.covers(start + 3, 1));
    EXPECT_FALSE(credit.covers(start + 4, 1));
    credit.give_back(start + 4);
    EXPECT_TRUE(credit.covers(start + 4, 4));
}

TEST(Credit, bounds_that_are_unbounded_cover_everything) {
    Credit credit(takt::detail::push_limit({.share_bytes = takt::kUnboundedBytes}));
    EXPECT_TRUE(credit.covers(0xffff'ffff, 0xffff'ffff));
}

TEST(Credit, a_budget_is_split_into_equal_shares) {
    EXPECT_EQ(takt::share_of(100, 4), 25u);
    EXPECT_EQ(takt::share_of(100, 0), 100u);
}

} // namespace
