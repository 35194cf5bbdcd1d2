// SPDX-License-Identifier: MIT
// Projectiles: the battle with actors is the battle in a loop, on any number of workers.
#include "projectiles/projectiles.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace {

using example::Battle;
using example::fight_in_a_loop;
using example::kCasters;
using example::ProjectilesOptions;
using example::ProjectilesRun;
using example::run_projectiles;
using example::Tally;

class ProjectilesOn : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Workers, ProjectilesOn, testing::Values(1, 2, 4));

TEST_P(ProjectilesOn, hit_and_kill_what_a_plain_loop_hits_and_kills_in_its_order) {
    const ProjectilesOptions options{.workers = GetParam(), .frames = 300, .shots = 20};
    const ProjectilesRun run = run_projectiles(options);
    const Battle expected = fight_in_a_loop(options);
    EXPECT_EQ(run.battle.checksum, expected.checksum);
    EXPECT_EQ(run.battle, expected);
}

TEST_P(ProjectilesOn, load_each_actor_with_what_it_holds_and_all_alike) {
    const ProjectilesRun run = run_projectiles({.workers = GetParam(), .frames = 200});
    ASSERT_EQ(run.loads.size(), kCasters.size());
    for (std::size_t caster = 0; caster < kCasters.size(); ++caster) {
        const std::vector<std::uint64_t>& loads = run.loads[caster];
        ASSERT_EQ(loads.size(), 4u);
        EXPECT_EQ(std::accumulate(loads.begin(), loads.end(), std::uint64_t{0}),
                  run.battle.in_flight[caster]);
        EXPECT_GT(loads.front(), 1000u);
        EXPECT_LT(example::balance(loads), 1.05);
    }
}

TEST(Projectiles, do_not_depend_on_the_number_of_actors_but_on_the_seed) {
    const Battle one = run_projectiles({.workers = 2, .frames = 120, .actors = 1}).battle;
    EXPECT_EQ(one, run_projectiles({.workers = 2, .frames = 120, .actors = 7}).battle);
    EXPECT_NE(one, run_projectiles({.workers = 2, .frames = 120, .seed = 2}).battle);
}

TEST(Projectiles, of_each_caster_hit_and_kill_and_some_come_late) {
    const Battle battle = fight_in_a_loop({.frames = 400});
    ASSERT_EQ(battle.tallies.size(), kCasters.size());
    std::uint64_t late = 0;
    for (const Tally& tally : battle.tallies) {
        EXPECT_EQ(tally.casts, 400u * 50u);
        EXPECT_GT(tally.hits, 500u);
        EXPECT_GT(tally.kills, 10u);
        EXPECT_LT(tally.kills, tally.hits);
        late += tally.late;
    }
    EXPECT_GT(late, 0u);
}

// --- how projectiles fly ----------------------------------------------------------------------

class Flying : public testing::Test {
  protected:
    Flying() : field_(0, 1) {}
    /// Down from two metres, 1 m a frame.
    static constexpr example::Projectile falling(int bounces) {
        return {.place = {10, 1.5F, 10}, .velocity = {0, -60, 0}, .left_s = 1, .bounces = bounces};
    }

    example::Field field_;
    std::vector<example::Hit> hits_;
};

TEST_F(Flying, ends_on_the_ground) {
    example::Projectile it = falling(0);
    example::fly(it, {}, field_, hits_);
    EXPECT_FLOAT_EQ(it.place.y, 0.5F);
    EXPECT_GT(it.left_s, 0);
    example::fly(it, {}, field_, hits_);
    EXPECT_FLOAT_EQ(it.place.y, 0);
    EXPECT_LE(it.left_s, 0);
    EXPECT_TRUE(hits_.empty());
}

TEST_F(Flying, bounces_off_the_ground_within_the_frame) {
    example::Projectile it = falling(1);
    example::fly(it, {.bounciness = 0.5F}, field_, hits_);
    example::fly(it, {.bounciness = 0.5F}, field_, hits_);
    EXPECT_FLOAT_EQ(it.velocity.y, 30);
    EXPECT_FLOAT_EQ(it.place.y, 0.25F); // half a frame at half the speed
    EXPECT_EQ(it.bounces, 0);
}

TEST(Field, is_met_where_a_way_enters_its_target_and_not_from_inside) {
    const example::Field field(1, 1);
    const example::Target& target = field.targets().front();
    const example::Vector3 centre = target.centre();
    const example::Vector3 before = centre - example::Vector3{4 * target.radius, 0, 0};
    const auto touch = field.first_touch(before, centre, example::kGround);
    ASSERT_TRUE(touch.has_value());
    EXPECT_EQ(touch->target, 0u);
    EXPECT_NEAR(touch->share, 0.75F, 1e-5F);
    EXPECT_NEAR(touch->normal.x, -1, 1e-5F);
    EXPECT_FALSE(field.first_touch(before, centre, 0).has_value());
    EXPECT_FALSE(field.first_touch(centre, before, example::kGround).has_value());
}

TEST(Field, brings_a_target_back_a_while_after_it_was_killed_once) {
    example::Field field(1, 1);
    EXPECT_EQ(field.damage(0, 99), example::Outcome::damaged);
    EXPECT_EQ(field.damage(0, 99), example::Outcome::killed);
    EXPECT_EQ(field.damage(0, 99), example::Outcome::late);
    for (int frame = 0; frame < 179; ++frame)
        field.move();
    EXPECT_EQ(field.targets().front().health, 0);
    field.move();
    EXPECT_EQ(field.targets().front().health, 100);
}

} // namespace
