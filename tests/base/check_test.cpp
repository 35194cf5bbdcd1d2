// SPDX-License-Identifier: MIT
#include "takt/base.hpp"

#include <gtest/gtest.h>

namespace {

TEST(CheckDeathTest, a_broken_rule_stops_a_checked_build_with_rule_and_cure) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
#if TAKT_CHECKED
    EXPECT_DEATH(TAKT_CHECK(1 + 1 == 3, "X7", "Count again"), "rule X7 is broken.*Count again");
#else
    int evaluated = 0;
    TAKT_CHECK(++evaluated == 2, "X7", "Count again");
    EXPECT_EQ(evaluated, 0) << "an unchecked build does not even evaluate the condition";
#endif
}

TEST(Check, a_kept_rule_costs_nothing_visible) {
    TAKT_CHECK(1 + 1 == 2, "X7", "Count again");
}

} // namespace
