// SPDX-License-Identifier: MIT
// The tree of instances: names, places, moving, going.
#include "model/model_support.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

namespace {

using takt::Instance;
using takt::testing::Alive;
using takt::testing::for_model;
using takt::testing::names_of;
using takt::testing::refusal_of;
using Names = std::vector<std::string>;

constexpr takt::Topic<> kGo{"Go"};
constexpr takt::Topic<Instance> kLookAt{"LookAt"};
constexpr takt::Attribute<Alive> kThing{"Thing"};

class InstanceTest : public ::testing::Test {
  protected:
    int alive = 0; // what is left at the runtime's end counts on it, too
    takt::Runtime runtime{for_model(1)};
    takt::Serial serial = runtime.serial();
    Instance root = runtime.root();

    takt::ActorRef actor(const std::string& name = {}) {
        return runtime.spawn_actor({.name = name}, [](takt::Actor&) {});
    }
    /// An actor whose state counts on `alive`.
    takt::ActorRef counted_actor(std::string name) {
        return runtime.spawn_actor({.name = std::move(name)},
                                   [this](takt::Actor& self) { self.emplace_state<Alive>(alive); });
    }
};

TEST_F(InstanceTest, the_root_is_there_and_lies_in_nothing) {
    EXPECT_TRUE(root.alive());
    EXPECT_EQ(root.name(), "root");
    EXPECT_FALSE(root.parent());
    EXPECT_FALSE(root.actor());
    EXPECT_TRUE(root.children().empty());
    EXPECT_EQ(root.full_name(), "root");
    EXPECT_EQ(root, runtime.root());
}

TEST_F(InstanceTest, children_have_names_and_come_in_the_order_of_their_coming) {
    const Instance house = root.add_child(serial, "House");
    const Instance door = house.add_child(serial, "Door");
    house.add_child(serial, "Window");
    house.add_child(serial, "Door");
    EXPECT_EQ(names_of(house), (Names{"Door", "Window", "Door"}));
    EXPECT_EQ(door.parent(), house);
    EXPECT_EQ(house.parent(), root);
    EXPECT_EQ(door.name(), "Door");
    EXPECT_EQ(door.full_name(), "House.Door");
}

TEST_F(InstanceTest, find_first_child_gives_the_first_of_that_name_and_looks_no_deeper) {
    const Instance house = root.add_child(serial, "House");
    const Instance first = house.add_child(serial, "Door");
    house.add_child(serial, "Door");
    EXPECT_EQ(house.find_first_child("Door"), first);
    EXPECT_FALSE(house.find_first_child("Window"));
    EXPECT_FALSE(root.find_first_child("Door"));
}

TEST_F(InstanceTest, a_name_can_change_and_is_found_by_the_new_one_only) {
    const Instance door = root.add_child(serial, "Door");
    door.set_name(serial, "a name of more than fifteen letters");
    EXPECT_EQ(door.name(), "a name of more than fifteen letters");
    EXPECT_EQ(root.find_first_child("a name of more than fifteen letters"), door);
    EXPECT_FALSE(root.find_first_child("Door"));
}

TEST_F(InstanceTest, is_descendant_of_all_above_and_not_of_itself_or_beside) {
    const Instance house = root.add_child(serial, "House");
    const Instance door = house.add_child(serial, "Door");
    const Instance lock = door.add_child(serial, "Lock");
    const Instance tree = root.add_child(serial, "Tree");
    EXPECT_TRUE(lock.is_descendant_of(door));
    EXPECT_TRUE(lock.is_descendant_of(house));
    EXPECT_TRUE(lock.is_descendant_of(root));
    EXPECT_FALSE(lock.is_descendant_of(lock));
    EXPECT_FALSE(lock.is_descendant_of(tree));
    EXPECT_FALSE(house.is_descendant_of(door));
    EXPECT_FALSE(root.is_descendant_of(root));
    EXPECT_FALSE(lock.is_descendant_of(Instance()));
}

TEST_F(InstanceTest, actor_is_the_closest_one_at_or_above) {
    const takt::ActorRef outer = actor("outer");
    const takt::ActorRef inner = actor("inner");
    const Instance village = root.add_child(serial, "Village", outer);
    const Instance house = village.add_child(serial, "House");
    const Instance npc = house.add_child(serial, "Npc", inner);
    const Instance hat = npc.add_child(serial, "Hat");
    EXPECT_EQ(village.actor(), outer);
    EXPECT_EQ(house.actor(), outer);
    EXPECT_EQ(npc.actor(), inner);
    EXPECT_EQ(hat.actor(), inner);
    EXPECT_FALSE(root.actor());
}

// --- moving ---

TEST_F(InstanceTest, set_parent_moves_the_subtree_to_the_end_of_the_new_parents_children) {
    const Instance left = root.add_child(serial, "Left");
    const Instance right = root.add_child(serial, "Right");
    const Instance door = left.add_child(serial, "Door");
    const Instance lock = door.add_child(serial, "Lock");
    left.add_child(serial, "Last");
    right.add_child(serial, "First");
    door.set_parent(serial, right);
    EXPECT_EQ(names_of(left), (Names{"Last"}));
    EXPECT_EQ(names_of(right), (Names{"First", "Door"}));
    EXPECT_EQ(lock.full_name(), "Right.Door.Lock");
    EXPECT_TRUE(lock.is_descendant_of(right));
    EXPECT_FALSE(lock.is_descendant_of(left));
}

TEST_F(InstanceTest, a_move_to_where_it_is_changes_nothing) {
    const Instance first = root.add_child(serial, "First");
    root.add_child(serial, "Second");
    first.set_parent(serial, root);
    EXPECT_EQ(names_of(root), (Names{"First", "Second"}));
}

TEST_F(InstanceTest, a_subtree_that_moves_has_the_actor_of_its_new_place) {
    const takt::ActorRef one = actor();
    const takt::ActorRef other = actor();
    const Instance from = root.add_child(serial, "From", one);
    const Instance to = root.add_child(serial, "To", other);
    const Instance door = from.add_child(serial, "Door");
    const Instance lock = door.add_child(serial, "Lock");
    EXPECT_EQ(lock.actor(), one);
    door.set_parent(serial, to);
    EXPECT_EQ(lock.actor(), other);
}

TEST_F(InstanceTest, a_cycle_is_refused_with_both_names_and_changes_nothing) {
    const Instance house = root.add_child(serial, "House");
    const Instance door = house.add_child(serial, "Door");
    const Instance lock = door.add_child(serial, "Lock");
    EXPECT_EQ(refusal_of([&] { house.set_parent(serial, lock); }),
              "takt: instance = \"House\": it would lie in itself: its new parent is "
              "\"House.Door.Lock\". Move it to where it is not above.");
    EXPECT_EQ(refusal_of([&] { door.set_parent(serial, door); }),
              "takt: instance = \"House.Door\": it would lie in itself: its new parent is "
              "\"House.Door\". Move it to where it is not above.");
    EXPECT_EQ(lock.full_name(), "House.Door.Lock");
    EXPECT_EQ(names_of(root), (Names{"House"}));
}

TEST_F(InstanceTest, a_move_into_nothing_into_what_is_gone_or_of_the_root_is_refused) {
    const Instance door = root.add_child(serial, "Door");
    const Instance gone = root.add_child(serial, "Gone");
    gone.destroy(serial);
    EXPECT_EQ(refusal_of([&] { door.set_parent(serial, Instance()); }),
              "takt: instance = \"Door\": its new parent names none. Move it within its runtime's "
              "tree, or destroy it.");
    EXPECT_EQ(refusal_of([&] { door.set_parent(serial, gone); }),
              "takt: instance = \"Door\": its new parent, \"Gone\", is gone. Ask alive() before.");
    EXPECT_EQ(refusal_of([&] { root.set_parent(serial, door); }),
              "takt: instance = \"root\": it is the root, which lies in nothing. Move its "
              "children.");
    EXPECT_EQ(refusal_of([&] { root.destroy(serial); }),
              "takt: instance = \"root\": it is the root, which is always there. Destroy its "
              "children.");
}

TEST_F(InstanceTest, a_move_to_another_runtime_is_refused) {
    const Instance door = root.add_child(serial, "Door");
    takt::Runtime other(for_model(1));
    const Instance there = other.root();
    serial = runtime.serial();
    EXPECT_EQ(refusal_of([&] { door.set_parent(serial, there); }),
              "takt: instance = \"Door\": its new parent is another runtime's. Move it within its "
              "runtime's tree, or destroy it.");
}

TEST_F(InstanceTest, an_actor_of_another_runtime_gets_no_instance) {
    takt::Runtime other(for_model(1));
    const takt::ActorRef there = other.spawn_actor({}, [](takt::Actor&) {});
    serial = runtime.serial();
    EXPECT_EQ(
        refusal_of([&] { root.add_child(serial, "Npc", there); }),
        "takt: instance = \"Npc\": the actor that it is to stand for is another runtime's. Give "
        "one of this runtime.");
    EXPECT_TRUE(root.children().empty());
}

TEST_F(InstanceTest, an_instance_is_used_in_its_own_runtime_only) {
    const Instance door = root.add_child(serial, "Door");
    takt::Runtime other(for_model(1));
    serial = other.serial();
    EXPECT_NE(refusal_of([&] {
                  door.set_name(serial, "Gate");
              }).find("takt::Instance::set_name was used"),
              std::string::npos);
    EXPECT_NE(
        refusal_of([&] { static_cast<void>(door.name()); }).find("takt::Instance::name was used"),
        std::string::npos);
    EXPECT_FALSE(other.root().is_descendant_of(door));
    runtime.serial();
    EXPECT_EQ(door.name(), "Door");
}

// --- going ---

TEST_F(InstanceTest, destroy_takes_the_subtree_and_leaves_the_rest) {
    const Instance house = root.add_child(serial, "House");
    const Instance door = house.add_child(serial, "Door");
    const Instance lock = door.add_child(serial, "Lock");
    const Instance window = house.add_child(serial, "Window");
    door.destroy(serial);
    EXPECT_FALSE(door.alive());
    EXPECT_FALSE(lock.alive());
    EXPECT_TRUE(window.alive());
    EXPECT_EQ(names_of(house), (Names{"Window"}));
}

TEST_F(InstanceTest, what_is_gone_reads_as_nothing) {
    const takt::ActorRef npc = actor();
    const Instance house = root.add_child(serial, "House", npc);
    const Instance door = house.add_child(serial, "Door");
    house.destroy(serial);
    for (const Instance gone : {house, door, Instance()}) {
        EXPECT_FALSE(gone.alive());
        EXPECT_EQ(gone.name(), "");
        EXPECT_EQ(gone.full_name(), "");
        EXPECT_FALSE(gone.parent());
        EXPECT_TRUE(gone.children().empty());
        EXPECT_FALSE(gone.find_first_child("Door"));
        EXPECT_FALSE(gone.is_descendant_of(root));
        EXPECT_FALSE(root.is_descendant_of(gone));
        EXPECT_FALSE(gone.actor());
        EXPECT_EQ(gone.attribute(kThing), nullptr);
        EXPECT_TRUE(gone.attribute_names().empty());
    }
}

TEST_F(InstanceTest, changing_what_is_gone_is_refused_with_its_name) {
    const Instance door = root.add_child(serial, "Door");
    door.destroy(serial);
    const std::string gone =
        "takt: instance = \"Door\": it is gone. Ask alive() before changing it.";
    EXPECT_EQ(refusal_of([&] { door.set_name(serial, "Gate"); }), gone);
    EXPECT_EQ(refusal_of([&] { door.add_child(serial, "Lock"); }), gone);
    EXPECT_EQ(refusal_of([&] { door.set_parent(serial, root); }), gone);
    EXPECT_EQ(refusal_of([&] { door.destroy(serial); }), gone);
    EXPECT_EQ(refusal_of([&] { door.erase_attribute(serial, kThing); }), gone);
    EXPECT_EQ(refusal_of([&] { Instance().destroy(serial); }),
              "takt: instance = \"\": it names none. Take it from add_child() or root().");
}

TEST_F(InstanceTest, who_is_gone_is_never_taken_for_who_came_after) {
    const Instance before = root.add_child(serial, "Before");
    before.destroy(serial);
    const Instance after = root.add_child(serial, "After");
    EXPECT_NE(before, after);
    EXPECT_FALSE(before.alive());
    EXPECT_EQ(before.name(), "");
    EXPECT_EQ(after.name(), "After");
    EXPECT_TRUE(std::hash<Instance>()(before) != std::hash<Instance>()(after));
    EXPECT_EQ(refusal_of([&] { before.destroy(serial); }),
              "takt: instance = \"#1\": it is gone. Ask alive() before changing it.");
}

TEST_F(InstanceTest, a_handle_of_a_runtime_that_is_gone_names_nothing_in_a_later_one) {
    Instance stale;
    {
        takt::Runtime gone(for_model(1));
        for (int count = 0; count < 2000; ++count) // more than the later one has slots for
            stale = gone.root().add_child(gone.serial(), "Door");
    }
    takt::Runtime later(for_model(1));
    later.root().add_child(later.serial(), "Door");
    EXPECT_FALSE(stale.alive());
}

TEST_F(InstanceTest, the_child_that_a_loop_is_at_may_be_destroyed_or_moved) {
    const Instance house = root.add_child(serial, "House");
    for (const char* const name : {"1", "2", "3", "4"})
        house.add_child(serial, name);
    Names seen;
    for (const Instance child : house.children()) {
        seen.emplace_back(child.name());
        if (child.name() == "2")
            child.set_parent(serial, root);
        else
            child.destroy(serial);
    }
    EXPECT_EQ(seen, (Names{"1", "2", "3", "4"}));
    EXPECT_TRUE(house.children().empty());
    EXPECT_EQ(names_of(root), (Names{"House", "2"}));
}

TEST_F(InstanceTest, instances_are_values_for_messages_and_sets) {
    std::vector<std::string> seen;
    const takt::ActorRef looker = runtime.spawn_actor({}, [&](takt::Actor& self) {
        self.bind_parallel(kLookAt, [&](Instance at) { seen.emplace_back(at.name()); });
    });
    const Instance door = root.add_child(serial, "Door");
    std::unordered_set<Instance> set{door, root, door};
    looker.send(kLookAt, door);
    runtime.run_until_idle();
    EXPECT_EQ(seen, (Names{"Door"}));
    EXPECT_EQ(set.size(), 2u);
}

// --- instances and actors ---

TEST_F(InstanceTest, destroying_an_instance_destroys_the_actors_of_its_subtree_once) {
    const takt::ActorRef outer = counted_actor("outer");
    const takt::ActorRef inner = counted_actor("inner");
    const takt::ActorRef apart = counted_actor("apart");
    const Instance house = root.add_child(serial, "House", outer);
    house.add_child(serial, "Room").add_child(serial, "Npc", inner);
    root.add_child(serial, "Tree", apart);
    house.destroy(serial);
    EXPECT_FALSE(outer.alive());
    EXPECT_FALSE(inner.alive());
    EXPECT_TRUE(apart.alive());
    EXPECT_EQ(alive, 3); // their states go at the end of this serial phase
    runtime.run_until_idle();
    EXPECT_EQ(alive, 1);
    EXPECT_EQ(runtime.actors(), 1u);
}

TEST_F(InstanceTest, destroying_an_actor_takes_its_instances_subtree_along) {
    const takt::ActorRef outer = counted_actor("outer");
    const takt::ActorRef inner = counted_actor("inner");
    const Instance house = root.add_child(serial, "House", outer);
    const Instance npc = house.add_child(serial, "Npc", inner);
    npc.set_attribute(serial, kThing, Alive(alive));
    EXPECT_EQ(alive, 3);
    outer.destroy();
    EXPECT_FALSE(house.alive());
    EXPECT_FALSE(npc.alive());
    EXPECT_FALSE(inner.alive());
    EXPECT_TRUE(root.children().empty());
    runtime.run_until_idle();
    EXPECT_EQ(alive, 0);
}

TEST_F(InstanceTest, destroyed_from_the_parallel_phase_an_actor_takes_it_along_at_its_commit) {
    std::optional<bool> in_phase;
    Instance house;
    const takt::ActorRef npc = runtime.spawn_actor({}, [&](takt::Actor& self) {
        self.bind_parallel(kGo, [&] {
            takt::this_actor().destroy();
            in_phase = house.alive();
        });
    });
    house = root.add_child(serial, "House", npc);
    npc.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(in_phase, true);
    EXPECT_FALSE(house.alive());
}

TEST_F(InstanceTest,
       a_child_by_ActorOptions_goes_with_its_parent_and_takes_its_own_instance_along) {
    const takt::ActorRef parent = actor("parent");
    const takt::ActorRef child =
        runtime.spawn_actor({.name = "child", .parent = parent}, [](takt::Actor&) {});
    const Instance house = root.add_child(serial, "House", parent);
    const Instance elsewhere = root.add_child(serial, "Elsewhere", child);
    EXPECT_EQ(elsewhere.actor(), child); // the tree does not ask who was whose parent
    house.destroy(serial);
    EXPECT_FALSE(child.alive());
    EXPECT_FALSE(elsewhere.alive());
}

TEST_F(InstanceTest, actors_that_are_parent_and_child_may_lie_in_one_subtree) {
    const takt::ActorRef parent = counted_actor("parent");
    const auto child_of_parent = [&] {
        return runtime.spawn_actor({.parent = parent},
                                   [&](takt::Actor& self) { self.emplace_state<Alive>(alive); });
    };
    const Instance house = root.add_child(serial, "House", parent);
    house.add_child(serial, "Room").add_child(serial, "Npc", child_of_parent());
    house.add_child(serial, "Cat", child_of_parent());
    house.destroy(serial);
    EXPECT_TRUE(root.children().empty());
    runtime.run_until_idle();
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(runtime.actors(), 0u);

    const takt::ActorRef again = counted_actor("again");
    const takt::ActorRef above =
        runtime.spawn_actor({.parent = again}, [](takt::Actor&) {}); // the other way round
    root.add_child(serial, "Above", above).add_child(serial, "Below", again);
    again.destroy();
    EXPECT_TRUE(root.children().empty());
    runtime.run_until_idle();
    EXPECT_EQ(runtime.actors(), 0u);
}

TEST_F(InstanceTest, the_actors_of_a_subtree_go_in_tree_order) {
    std::vector<std::string> order;
    struct Notes {
        ~Notes() { order.push_back(name); }
        std::vector<std::string>& order;
        std::string name;
    };
    const auto noting = [&](const std::string& name) {
        return runtime.spawn_actor({}, [&, name](takt::Actor& self) {
            self.emplace_state<Notes>(Notes{order, name});
        });
    };
    const takt::ActorRef c = noting("c"); // spawned in another order than they are placed in
    const takt::ActorRef b = noting("b");
    const takt::ActorRef d = noting("d");
    const takt::ActorRef a = noting("a");
    order.clear(); // of temporaries
    const Instance first = root.add_child(serial, "A", a);
    const Instance second = first.add_child(serial, "B", b);
    second.add_child(serial, "C", c);
    first.add_child(serial, "D", d);
    first.destroy(serial);
    runtime.run_until_idle();
    EXPECT_EQ(order, (Names{"a", "b", "c", "d"}));
}

TEST_F(InstanceTest, an_actor_that_is_gone_or_has_an_instance_is_refused) {
    const takt::ActorRef npc = actor("npc");
    const takt::ActorRef dead = actor("dead");
    dead.destroy();
    const Instance house = root.add_child(serial, "House");
    house.add_child(serial, "Npc", npc);
    EXPECT_EQ(refusal_of([&] { house.add_child(serial, "Twin", npc); }),
              "takt: instance = \"House.Twin\": the actor that it is to stand for has an instance, "
              "\"House.Npc\". Move that one with set_parent(), or add a child without an actor.");
    EXPECT_EQ(refusal_of([&] { house.add_child(serial, "Ghost", dead); }),
              "takt: instance = \"House.Ghost\": the actor that it is to stand for is gone. Give "
              "one that is alive.");
    EXPECT_EQ(names_of(house), (Names{"Npc"}));
}

TEST_F(InstanceTest, what_goes_with_a_subtree_sees_all_of_it_gone_and_may_change_the_tree) {
    struct Last {
        ~Last() {
            if (tree == nullptr)
                return;
            seen->push_back(sibling->alive() ? "alive" : "gone");
            tree->root().add_child(tree->serial(), "Grave");
        }
        takt::Runtime* tree = nullptr;
        Instance* sibling = nullptr;
        Names* seen = nullptr;
    };
    static constexpr takt::Attribute<std::shared_ptr<Last>> kLast{"Last"};
    Names seen;
    const Instance house = root.add_child(serial, "House");
    const Instance first = house.add_child(serial, "First");
    Instance second = house.add_child(serial, "Second");
    first.set_attribute(serial, kLast, std::make_shared<Last>(Last{&runtime, &second, &seen}));
    seen.clear();
    for (const Instance grave : root.children()) // of the temporary
        if (grave.name() == "Grave")
            grave.destroy(serial);
    house.destroy(serial);
    EXPECT_EQ(seen, (Names{"gone"}));
    EXPECT_EQ(names_of(root), (Names{"Grave"}));
}

TEST_F(InstanceTest, the_runtimes_end_destroys_what_instances_hold_in_the_serial_phase) {
    struct Phases {
        ~Phases() {
            if (seen != nullptr)
                seen->push_back(takt::current_phase());
        }
        std::vector<takt::Phase>* seen = nullptr;
    };
    static constexpr takt::Attribute<std::shared_ptr<Phases>> kPhases{"Phases"};
    std::vector<takt::Phase> seen;
    {
        takt::Runtime ending(for_model(2));
        const auto phases = [&] {
            auto made = std::make_shared<Phases>();
            made->seen = &seen;
            return made;
        };
        const takt::Serial token = ending.serial();
        ending.root().set_attribute(token, kPhases, phases());
        ending.root()
            .add_child(token, "House")
            .add_child(token, "Door")
            .set_attribute(token, kPhases, phases());
    }
    EXPECT_EQ(seen, (std::vector{takt::Phase::serial, takt::Phase::serial}));
}

TEST_F(InstanceTest, a_deep_tree_is_named_and_destroyed_without_recursion) {
    Instance deepest = root.add_child(serial, "Top");
    const Instance top = deepest;
    for (int depth = 0; depth < 200'000; ++depth)
        deepest = deepest.add_child(serial, "Next");
    EXPECT_TRUE(deepest.full_name().ends_with(".Next.Next"));
    EXPECT_TRUE(deepest.is_descendant_of(top));
    top.destroy(serial);
    EXPECT_FALSE(deepest.alive());
    EXPECT_TRUE(root.children().empty());
}

TEST_F(InstanceTest, an_instance_costs_80_bytes_of_the_runtime) {
    const std::size_t before = runtime.memory_bytes();
    constexpr std::size_t kCount = 100 * 1024;
    for (std::size_t count = 0; count < kCount; ++count)
        root.add_child(serial, "Npc");
    const std::size_t bytes = runtime.memory_bytes() - before;
    EXPECT_GE(bytes, kCount * 80);
    EXPECT_LE(bytes, kCount * 81);
    for (const Instance child : root.children())
        child.destroy(serial);
    for (std::size_t count = 0; count < kCount; ++count) // in the slots of those that went
        root.add_child(serial, "Npc");
    EXPECT_EQ(runtime.memory_bytes() - before, bytes);
}

// --- phases ---

TEST_F(InstanceTest, the_wrong_phase_raises_an_error_with_member_level_phase_actor_and_remedy) {
    const Instance door = root.add_child(serial, "Door");
    std::string written;
    std::string moved;
    std::string read_outside;
    const takt::ActorRef npc = runtime.spawn_actor({.name = "npc"}, [&](takt::Actor& self) {
        self.bind_parallel(kGo, [&] {
            written = refusal_of([&] { door.destroy(serial); }); // a token that was kept
            moved = refusal_of([&] { door.set_parent(serial, root); });
            std::thread([&] {
                read_outside = refusal_of([&] { static_cast<void>(door.name()); });
            }).join();
        });
    });
    npc.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(written, "takt: takt::Instance::destroy was used in the parallel phase by actor "
                       "\"npc\". It is Unsafe: in the serial phase only. Call it from the serial "
                       "phase: from a handler that was bound with bind(), from commit(), or after "
                       "co_await takt::synchronize().");
    EXPECT_EQ(moved, "takt: takt::Instance::set_parent was used in the parallel phase by actor "
                     "\"npc\". It is Read Parallel: read in both phases, written in the serial "
                     "phase. Call it from the serial phase: from a handler that was bound with "
                     "bind(), from commit(), or after co_await takt::synchronize().");
    EXPECT_EQ(read_outside, "takt: takt::Instance::name was used outside the frame. It is Read "
                            "Parallel: read in both phases, written in the serial phase. Read it "
                            "in a frame of its runtime, or on the frame thread between frames; "
                            "other threads send a message or post().");
    EXPECT_TRUE(door.alive());
}

} // namespace
