// SPDX-License-Identifier: MIT
// Zones that write one table in parallel, and what a thread outside reads of it.
#include "world_state/world_state.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using example::run_world;
using example::WorldRun;

class WorldOn : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Workers, WorldOn, testing::Values(1, 2, 4));

TEST_P(WorldOn, hands_out_one_view_a_frame_in_which_nobody_is_missing) {
    std::vector<std::string> lines;
    const WorldRun run =
        run_world({.workers = GetParam(), .frames = 240, .zones = 40, .frames_a_line = 60},
                  [&](const std::string& line) { lines.push_back(line); });
    EXPECT_EQ(run.views, 240u);
    EXPECT_EQ(run.missed, 0u);
    EXPECT_EQ(run.wrong, 0u);
    EXPECT_EQ(run.old_views, 0u);
    EXPECT_GT(run.born, 1000);
    EXPECT_GT(run.died, 1000);
    EXPECT_EQ(run.alive, 40 * example::kAtFirst + run.born - run.died);
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_EQ(lines[0].rfind("frame 60: ", 0), 0u) << lines[0];
    EXPECT_NE(lines[0].find("; rain"), std::string::npos) << lines[0];
    const std::string last = "frame 240: " + std::to_string(run.alive) + " alive, " +
                             std::to_string(run.born) + " born, " + std::to_string(run.died) +
                             " died; most in zone ";
    EXPECT_EQ(lines[3].substr(0, last.size()), last);
}

} // namespace
