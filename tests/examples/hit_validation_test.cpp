// SPDX-License-Identifier: MIT
// The second seed's raycast case: many may hit a block in one round, one destroys it.
#include "hit_validation/game.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>

namespace {

using example::GameRun;
using example::Map;
using example::MapLine;
using example::RayHit;
using example::Scene;
using example::Stage;
using example::Vec3;
using example::Verdict;

/// Two rooms with a step between their floors and one between their ceilings.
Map two_rooms() {
    Map map;
    map.sectors = {{0, 128, false}, {32, 96, false}};
    const auto line = [&](float x0, float y0, float x1, float y1, int right, int left) {
        map.lines.push_back(MapLine{{x0, y0}, {x1, y1}, right, left});
    };
    line(0, 0, 0, 256, 0, -1);
    line(0, 256, 256, 256, 0, -1);
    line(256, 0, 0, 0, 0, -1);
    line(256, 256, 256, 0, 0, 1); // the gap
    line(256, 256, 512, 256, 1, -1);
    line(512, 256, 512, 0, 1, -1);
    line(512, 0, 256, 0, 1, -1);
    return map;
}

TEST(Level, one_sided_lines_are_walls_and_two_sided_ones_have_a_gap) {
    const Map map = two_rooms();
    const auto walls = walls_of(map);
    EXPECT_EQ(walls.size(), 6u + 2u);
    const Scene scene(walls, std::vector<Vec3>{{400, 128, 32}});
    const auto what = [&](Vec3 from, Vec3 to) { return scene.cast(from, to).what; };
    EXPECT_EQ(what({128, 128, 64}, {300, 128, 64}), RayHit::What::nothing);
    EXPECT_EQ(what({128, 128, 16}, {300, 128, 16}), RayHit::What::wall);
    EXPECT_EQ(what({128, 128, 112}, {300, 128, 112}), RayHit::What::wall);
    EXPECT_EQ(what({128, 128, 64}, {-100, 128, 64}), RayHit::What::wall);
    EXPECT_EQ(what({128, 128, 64}, {400, 128, 64}), RayHit::What::block);
    EXPECT_EQ(what({128, 128, 90}, {400, 128, 90}), RayHit::What::nothing); // over it
}

TEST(Level, a_block_that_is_gone_lets_shots_pass) {
    Scene scene(walls_of(two_rooms()), std::vector<Vec3>{{300, 128, 32}, {400, 128, 32}});
    const auto block = [&] { return scene.cast({128, 128, 64}, {500, 128, 64}).block; };
    EXPECT_EQ(block(), 0u);
    scene.show(0, false);
    EXPECT_EQ(block(), 1u);
    scene.show(0, true);
    EXPECT_EQ(block(), 0u);
}

TEST(Level, a_point_knows_its_sector) {
    const Map map = two_rooms();
    EXPECT_EQ(map.sector_at(128, 128), 0);
    EXPECT_EQ(map.sector_at(300, 10), 1);
    EXPECT_EQ(map.sector_at(-5, 128), -1);
    EXPECT_EQ(map.sector_at(600, 128), -1);
}

TEST(Level, what_is_no_wad_is_refused_with_a_sentence) {
    EXPECT_THROW(example::read_map("/nonexistent.wad", "E1M1"), std::runtime_error);
    std::ofstream("short.wad") << "IWAD";
    EXPECT_THROW(example::read_map("short.wad", "E1M1"), std::runtime_error);
    std::ofstream("lying.wad") << std::string("IWAD\xff\xff\0\0\xff\xff\0\0", 12);
    EXPECT_THROW(example::read_map("lying.wad", "E1M1"), std::runtime_error);
}

/// Eight players around few blocks, so that several hit the same one in a round.
Stage crowded() {
    Stage stage;
    stage.map = two_rooms();
    stage.walls = walls_of(stage.map);
    for (int player = 0; player < 8; ++player)
        stage.players.push_back({20, static_cast<float>(20 + 25 * player), 60});
    stage.blocks = {{150, 60, 0}, {150, 190, 0}};
    return stage;
}

class Playing : public testing::TestWithParam<int> {};

TEST_P(Playing, each_shot_has_one_verdict_and_a_block_hit_twice_is_destroyed_once) {
    const GameRun run = play(crowded(), {.workers = GetParam(), .frames = 300});
    std::uint64_t verdicts = 0;
    for (const std::uint64_t count : run.verdicts)
        verdicts += count;
    EXPECT_GT(run.sent, 300u);
    EXPECT_EQ(verdicts, run.sent);
    EXPECT_EQ(run.latencies_ns.size(), run.sent);
    EXPECT_EQ(run.refused, 0u);
    EXPECT_GT(run.count(Verdict::destroyed), 0u);
    EXPECT_GT(run.count(Verdict::rejected), 0u); // or nobody needed the second look
    EXPECT_EQ(run.count(Verdict::destroyed), run.lives_ended);
    EXPECT_EQ(run.lives_begun - run.lives_ended, run.standing);
    // three points to a life: two hits that damage for each that destroys, and what is left over
    EXPECT_GE(run.count(Verdict::damaged), 2 * run.count(Verdict::destroyed));
    EXPECT_LE(run.count(Verdict::damaged), 2 * (run.count(Verdict::destroyed) + run.standing));
}
INSTANTIATE_TEST_SUITE_P(workers, Playing, testing::Values(1, 2, 4));

} // namespace
