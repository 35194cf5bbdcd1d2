// SPDX-License-Identifier: MIT
// What the tree allocates, and what is left when it cannot.
#include "model/model_support.hpp"
#include "support/allocations.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace {

using takt::Instance;
using takt::testing::for_model;
using takt::testing::names_of;

constexpr takt::Topic<> kGo{"Go"};
constexpr takt::Attribute<double> kHealth{"Health"};
constexpr takt::Attribute<std::string> kTeam{"Team"};

TEST(ModelAllocation, reading_and_changing_a_known_attribute_allocate_nothing) {
    takt::Runtime runtime(for_model(1));
    const takt::Serial serial = runtime.serial();
    const Instance house = runtime.root().add_child(serial, "House");
    const Instance npc = house.add_child(serial, "Npc");
    npc.set_attribute(serial, kHealth, 1);
    npc.set_attribute(serial, kTeam, "red");
    const std::uint64_t before = allocations::count();
    std::size_t letters = 0;
    for (int count = 0; count < 1000; ++count) {
        npc.set_attribute(serial, kHealth, *npc.attribute(kHealth) + 1);
        for (const Instance child : house.children())
            letters += child.name().size() + child.attribute(kTeam)->size();
        for (const std::string_view name : npc.attribute_names())
            letters += name.size();
        EXPECT_EQ(house.find_first_child("Npc"), npc);
        EXPECT_TRUE(npc.is_descendant_of(house));
        EXPECT_FALSE(npc.actor());
        npc.set_parent(serial, runtime.root());
        npc.set_parent(serial, house);
    }
    EXPECT_EQ(allocations::count() - before, 0u);
    EXPECT_EQ(letters, 1000u * (3 + 3 + 6 + 4));
}

TEST(ModelAllocation, a_child_that_comes_and_goes_in_a_slot_used_before_allocates_nothing) {
    takt::Runtime runtime(for_model(1));
    const takt::Serial serial = runtime.serial();
    const Instance root = runtime.root();
    const auto come_and_go = [&] { root.add_child(serial, "Door").destroy(serial); };
    come_and_go();
    const std::uint64_t before = allocations::count();
    come_and_go();
    EXPECT_EQ(allocations::count() - before, 0u);
}

// Binds and disconnects at one instance for a long time.
TEST(ModelAllocation, what_was_disconnected_before_is_not_kept_with_the_instance) {
    takt::Runtime runtime(for_model(1));
    const takt::Serial serial = runtime.serial();
    const takt::ActorRef actor =
        runtime.spawn_actor({}, [](takt::Actor& self) { self.bind(kGo, [] {}); });
    const Instance npc = runtime.root().add_child(serial, "Npc", actor);
    takt::Signal<> signal(runtime, "Signal");
    const auto bind_for_a_while = [&] {
        for (int count = 0; count < 1000; ++count) {
            npc.bind(serial, kGo, [] {}).disconnect();
            npc.connect(serial, signal, [] {}).disconnect();
            actor.send(kGo);
            runtime.step(); // a round, at whose end handlers that were disconnected go
        }
    };
    bind_for_a_while();
    const std::int64_t before = allocations::live();
    bind_for_a_while();
    EXPECT_LE(allocations::live() - before, 16);
}

TEST(ModelAllocation, a_write_that_finds_no_memory_leaves_the_tree_as_it_was) {
    takt::Runtime runtime(for_model(1));
    const takt::Serial serial = runtime.serial();
    const Instance root = runtime.root();
    std::vector<std::string> before;
    const auto each = [&](const char* what, auto change) {
        const std::uint64_t failed = allocations::fail_each([&] {
            const Instance house = root.add_child(serial, "House");
            try {
                change(house);
            } catch (const std::bad_alloc&) {
                allocations::fail_no_more();
                EXPECT_TRUE(house.children().empty()) << what;
                EXPECT_TRUE(house.attribute_names().empty()) << what;
                EXPECT_EQ(house.name(), "House") << what;
            }
            allocations::fail_no_more();
            house.destroy(serial);
        });
        EXPECT_GT(failed, 0u) << what;
    };
    root.add_child(serial, "Warm").destroy(serial);
    each("add_child",
         [&](Instance house) { house.add_child(serial, "a name of more than fifteen letters"); });
    each("set_attribute", [&](Instance house) { house.set_attribute(serial, kHealth, 1); });
    each("set_name",
         [&](Instance house) { house.set_name(serial, "a name of more than fifteen letters"); });
    EXPECT_TRUE(root.children().empty());
}

TEST(ModelAllocation, a_handler_that_cannot_be_kept_with_its_instance_is_not_bound) {
    takt::Runtime runtime(for_model(1));
    const takt::Serial serial = runtime.serial();
    int calls = 0;
    const takt::ActorRef actor =
        runtime.spawn_actor({}, [](takt::Actor& self) { self.bind(kGo, [] {}); });
    const Instance npc = runtime.root().add_child(serial, "Npc", actor);
    int expected = 0;
    const std::uint64_t failed = allocations::fail_each([&] {
        const Instance hat = npc.add_child(serial, "Hat");
        try {
            hat.bind(serial, kGo, [&calls] { ++calls; });
            ++expected;
        } catch (const std::bad_alloc&) {
        }
        allocations::fail_no_more();
        actor.send(kGo);
        runtime.step();
        EXPECT_EQ(calls, expected);
        hat.destroy(serial);
    });
    EXPECT_GT(failed, 1u);
    EXPECT_GT(expected, 0);
}

} // namespace
