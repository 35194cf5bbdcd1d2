// SPDX-License-Identifier: MIT
// Handlers at instances: they belong to the closest actor above, and go with the instance.
#include "model/model_support.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using takt::Instance;
using takt::testing::for_model;
using takt::testing::refusal_of;
using Names = std::vector<std::string>;

constexpr takt::Topic<int> kHit{"Hit"};

/// House, of actor `outer`, with a Room, with an Npc of actor `inner`, with a Hat.
class HandlersAt : public ::testing::TestWithParam<int> {
  protected:
    takt::ActorRef actor(const std::string& name) {
        return runtime.spawn_actor({.name = name}, [](takt::Actor&) {});
    }
    static std::string who() { return std::string(takt::this_actor().name()); }

    takt::Runtime runtime{for_model(GetParam())};
    takt::Serial serial = runtime.serial();
    takt::ActorRef outer = actor("outer");
    takt::ActorRef inner = actor("inner");
    Instance house = runtime.root().add_child(serial, "House", outer);
    Instance room = house.add_child(serial, "Room");
    Instance npc = room.add_child(serial, "Npc", inner);
    Instance hat = npc.add_child(serial, "Hat");
    Names ran;
};
INSTANTIATE_TEST_SUITE_P(Workers, HandlersAt, ::testing::Values(1, 2, 4));

TEST_P(HandlersAt, under_nested_actors_they_belong_to_the_closest_one) {
    hat.bind(serial, kHit, [&](int) { ran.push_back("hat of " + who()); });
    npc.bind(serial, kHit, [&](int) { ran.push_back("npc of " + who()); });
    room.bind(serial, kHit, [&](int) { ran.push_back("room of " + who()); });
    inner.send(kHit, 1);
    runtime.run_until_idle();
    EXPECT_EQ(ran, (Names{"hat of inner", "npc of inner"}));
    ran.clear();
    outer.send(kHit, 1);
    runtime.run_until_idle();
    EXPECT_EQ(ran, (Names{"room of outer"}));
}

TEST_P(HandlersAt, of_the_parallel_phase_run_there_in_the_actors_name) {
    takt::Phase phase = takt::Phase::outside;
    hat.bind_parallel(serial, kHit, [&](int) {
        phase = takt::current_phase();
        ran.push_back(who());
    });
    inner.send(kHit, 1);
    runtime.run_until_idle();
    EXPECT_EQ(phase, takt::Phase::parallel);
    EXPECT_EQ(ran, (Names{"inner"}));
}

TEST_P(HandlersAt, are_disconnected_when_the_instance_is_destroyed) {
    hat.bind(serial, kHit, [&](int) { ran.push_back("hat"); });
    npc.bind(serial, kHit, [&](int) { ran.push_back("npc"); });
    hat.destroy(serial);
    inner.send(kHit, 1);
    runtime.run_until_idle();
    EXPECT_EQ(ran, (Names{"npc"}));
}

TEST_P(HandlersAt, can_be_disconnected_before) {
    takt::Connection connection = hat.bind(serial, kHit, [&](int) { ran.push_back("hat"); });
    hat.bind(serial, kHit, [&](int) { ran.push_back("other"); });
    connection.disconnect();
    inner.send(kHit, 1);
    runtime.run_until_idle();
    EXPECT_EQ(ran, (Names{"other"}));
    hat.destroy(serial);
}

TEST_P(HandlersAt, stay_with_their_actor_when_the_instance_moves_and_go_with_the_instance) {
    hat.bind(serial, kHit, [&](int) { ran.push_back("before of " + who()); });
    hat.set_parent(serial, room);
    hat.bind(serial, kHit, [&](int) { ran.push_back("after of " + who()); });
    inner.send(kHit, 1);
    runtime.run_until_idle();
    outer.send(kHit, 1);
    runtime.run_until_idle();
    EXPECT_EQ(ran, (Names{"before of inner", "after of outer"}));
    ran.clear();
    hat.destroy(serial);
    inner.send(kHit, 1);
    outer.send(kHit, 1);
    runtime.run_until_idle();
    EXPECT_EQ(ran, Names());
}

TEST_P(HandlersAt, go_with_their_actor_also_when_the_instance_stays) {
    hat.bind(serial, kHit, [&](int) { ran.push_back("hat"); });
    hat.set_parent(serial, room);
    inner.destroy();
    runtime.run_until_idle();
    EXPECT_TRUE(hat.alive());
    EXPECT_FALSE(npc.alive());
    hat.destroy(serial); // its handler is gone already
    runtime.run_until_idle();
    EXPECT_EQ(ran, Names());
}

TEST_P(HandlersAt, without_an_actor_above_are_refused_with_the_instances_name) {
    const Instance tree = runtime.root().add_child(serial, "Forest").add_child(serial, "Tree");
    EXPECT_EQ(refusal_of([&] { tree.bind(serial, kHit, [](int) {}); }),
              "takt: instance = \"Forest.Tree\": takt::Instance::bind wants an actor, and there is "
              "none at it or above it. Place it below an actor's instance, or give add_child() an "
              "actor.");
    EXPECT_EQ(refusal_of([&] { tree.bind_parallel(serial, kHit, [](int) {}); }),
              "takt: instance = \"Forest.Tree\": takt::Instance::bind_parallel wants an actor, and "
              "there is none at it or above it. Place it below an actor's instance, or give "
              "add_child() an actor.");
}

} // namespace
