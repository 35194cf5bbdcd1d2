// SPDX-License-Identifier: MIT
// Handlers and listeners at instances: they belong to the closest actor above, and go with the instance.
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
    auto noting(std::string name) {
        return [this, name] { ran.push_back(name + " of " + who()); };
    }
    static std::string who() { return std::string(takt::this_actor().name()); }

    Names ran; // before the runtime, whose end may call listeners
    takt::Runtime runtime{for_model(GetParam())};
    takt::Serial serial = runtime.serial();
    takt::ActorRef outer = actor("outer");
    takt::ActorRef inner = actor("inner");
    Instance house = runtime.root().add_child(serial, "House", outer);
    Instance room = house.add_child(serial, "Room");
    Instance npc = room.add_child(serial, "Npc", inner);
    Instance hat = npc.add_child(serial, "Hat");
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
    takt::Signal<> signal(runtime, "Signal");
    EXPECT_EQ(refusal_of([&] { tree.connect(serial, signal, [] {}); }),
              "takt: instance = \"Forest.Tree\": takt::Instance::connect wants an actor, and there "
              "is none at it or above it. Place it below an actor's instance, or give add_child() "
              "an actor.");
}

// --- listeners ---

TEST_P(HandlersAt, listeners_under_nested_actors_belong_to_the_closest_one) {
    takt::Signal<> signal(runtime, "Signal");
    hat.connect(serial, signal, noting("hat"));
    room.connect(serial, signal, noting("room"));
    npc.connect_parallel(serial, signal, noting("npc"));
    signal.fire();
    EXPECT_EQ(ran, (Names{"hat of inner", "room of outer"}));
    runtime.run_until_idle();
    EXPECT_EQ(ran, (Names{"hat of inner", "room of outer", "npc of inner"}));
}

TEST_P(HandlersAt, listeners_are_disconnected_when_the_instance_is_destroyed) {
    takt::Signal<> signal(runtime, "Signal");
    const takt::Connection of_hat = hat.connect(serial, signal, noting("hat"));
    const takt::Connection of_npc = npc.connect(serial, signal, noting("npc"));
    hat.destroy(serial);
    EXPECT_FALSE(of_hat.connected());
    EXPECT_TRUE(of_npc.connected());
    signal.fire();
    runtime.run_until_idle();
    EXPECT_EQ(ran, (Names{"npc of inner"}));
}

TEST_P(HandlersAt, pending_calls_are_dropped_where_the_actor_stays_and_come_where_it_goes_too) {
    takt::Signal<> signal(runtime, "Signal", takt::Firing::deferred);
    hat.connect(serial, signal, [&] { ran.push_back("hat"); });
    npc.connect(serial, signal, [&] { ran.push_back("npc"); });
    signal.fire();
    hat.destroy(serial);
    npc.destroy(serial); // and `inner`
    runtime.run_until_idle();
    EXPECT_EQ(ran, (Names{"npc"}));
}

TEST_P(HandlersAt, a_listener_stays_with_its_actor_when_the_instance_moves) {
    takt::Signal<> signal(runtime, "Signal");
    hat.connect(serial, signal, noting("hat"));
    hat.set_parent(serial, room);
    signal.fire();
    EXPECT_EQ(ran, (Names{"hat of inner"}));
    inner.destroy();
    signal.fire();
    runtime.run_until_idle();
    EXPECT_EQ(ran, (Names{"hat of inner"}));
    EXPECT_TRUE(hat.alive());
}

TEST_P(HandlersAt, listeners_hear_a_stage_of_the_frame_until_their_instance_goes) {
    int beats = 0;
    hat.connect_parallel(serial, runtime.heartbeat(), [&](takt::FrameTime) { ++beats; });
    runtime.step();
    runtime.step();
    EXPECT_EQ(beats, 2);
    hat.destroy(runtime.serial());
    runtime.step();
    EXPECT_EQ(beats, 2);
}

TEST_P(HandlersAt, a_binding_knows_that_its_instance_has_ended_it) {
    const takt::Connection connection = hat.bind(serial, kHit, [](int) {});
    EXPECT_TRUE(connection.connected());
    hat.destroy(serial);
    EXPECT_FALSE(connection.connected());
}

} // namespace
