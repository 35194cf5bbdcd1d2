// SPDX-License-Identifier: MIT
// Sheep and wolves: each bite is accounted for, and the run does not depend on the workers.
#include "herd/herd.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace {

using example::HerdRun;
using example::run_herd;

class HerdOn : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Workers, HerdOn, testing::Values(1, 2, 4));

TEST_P(HerdOn, each_bite_is_a_sheeps_damage_and_each_sheep_is_killed_once) {
    const HerdRun run = run_herd({.workers = GetParam(), .frames = 900, .sheep = 80, .wolves = 6});
    EXPECT_GT(run.killed, 0u);
    EXPECT_GT(run.sheep_left, 0u);
    EXPECT_EQ(run.sheep_left + run.killed, 80u);
    EXPECT_EQ(static_cast<double>(run.bites) * example::kBite,
              static_cast<double>(run.killed) * example::kFullHealth + run.damage);
    // A bitten sheep hears of it, but of the bite that kills it.
    EXPECT_EQ(run.scares, run.bites - run.killed);
}

TEST(Herd, ends_the_same_on_1_2_and_4_workers) {
    const HerdRun one = run_herd({.workers = 1, .frames = 300});
    const HerdRun two = run_herd({.workers = 2, .frames = 300});
    const HerdRun four = run_herd({.workers = 4, .frames = 300});
    EXPECT_EQ(one.hash, two.hash);
    EXPECT_EQ(one.hash, four.hash);
    EXPECT_EQ(one.bites, two.bites);
    EXPECT_EQ(one.bites, four.bites);
    EXPECT_EQ(one.picture, four.picture);
    EXPECT_NE(one.hash, run_herd({.workers = 2, .frames = 300, .seed = 2}).hash);
}

} // namespace
