// SPDX-License-Identifier: MIT
// The second seed's terrain, at full size.
#include "terrain/terrain.hpp"

#include <gtest/gtest.h>

#include <set>
#include <tuple>

namespace {

using example::generate_terrain;
using example::kChunks;
using example::TerrainRun;

class TerrainOn : public testing::TestWithParam<int> {};

TEST_P(TerrainOn, all_9261_chunks_are_committed_once) {
    const TerrainRun run = generate_terrain({.workers = GetParam()});
    EXPECT_EQ(run.terrain.committed(1), kChunks);
    EXPECT_EQ(run.terrain.log().size(), 9261u);
    std::set<std::tuple<int, int, int>> seen;
    for (const example::Committed& one : run.terrain.log())
        EXPECT_TRUE(seen.insert({one.x, one.y, one.z}).second);
    EXPECT_EQ(run.by_actor.size(), 32u);
    EXPECT_LT(example::balance(run.by_actor), 1.2);
}
INSTANTIATE_TEST_SUITE_P(workers, TerrainOn, testing::Values(1, 2, 4));

TEST(Terrain, in_next_round_the_commit_log_is_the_same_bytes_on_1_2_and_4_workers) {
    const auto log_on = [](int workers) {
        return generate_terrain({.workers = workers, .next_round = true}).terrain.log_bytes();
    };
    const std::string with_one = log_on(1);
    EXPECT_EQ(log_on(1), with_one);
    EXPECT_EQ(log_on(2), with_one);
    EXPECT_EQ(log_on(4), with_one);
}

TEST(Terrain, another_seed_is_another_world_and_all_orders_in_one_frame_are_all_handled) {
    const TerrainRun one = generate_terrain({.workers = 2, .frames = 1});
    EXPECT_EQ(one.terrain.committed(1), kChunks);
    EXPECT_NE(one.terrain.log_bytes(),
              generate_terrain({.workers = 2, .seed = 2, .frames = 1}).terrain.log_bytes());
}

} // namespace
