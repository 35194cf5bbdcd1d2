// SPDX-License-Identifier: MIT
#include "takt/base.hpp"

#include <gtest/gtest.h>

namespace {

TEST(Error, is_one_sentence_that_names_key_value_problem_and_remedy) {
    const takt::Error error("workers.cpus", "0-9", "CPU 9 is not in this machine",
                            "use CPUs 0 to 3");
    EXPECT_STREQ(error.what(),
                 "takt: workers.cpus = \"0-9\": CPU 9 is not in this machine. Use CPUs 0 to 3.");
    EXPECT_EQ(error.key(), "workers.cpus");
    EXPECT_EQ(error.value(), "0-9");
    EXPECT_EQ(error.problem(), "CPU 9 is not in this machine");
    EXPECT_EQ(error.remedy(), "use CPUs 0 to 3");
}

TEST(Error, shortens_an_enormous_value_and_says_how_long_it_was) {
    const takt::Error error("workers.cpus", std::string(100'000, '7'), "too long", "Shorten it");
    EXPECT_LT(std::string(error.what()).size(), 300u);
    EXPECT_NE(error.value().find("(100000 bytes)"), std::string::npos);
}

} // namespace
