// SPDX-License-Identifier: MIT
// Attributes: typed, by name; read in both phases, written in the serial one.
#include "model/model_support.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace {

using takt::Attribute;
using takt::Instance;
using takt::testing::Alive;
using takt::testing::for_model;
using takt::testing::refusal_of;
using Names = std::vector<std::string>;

constexpr takt::Topic<> kGo{"Go"};
constexpr Attribute<double> kHealth{"Health"};
constexpr Attribute<bool> kOpen{"Open"};
constexpr Attribute<std::int64_t> kTasks{"Tasks"};
constexpr Attribute<std::string> kTeam{"Team"};
constexpr Attribute<takt::Vector3> kPosition{"Position"};
constexpr Attribute<Alive> kThing{"Thing"};

class AttributeTest : public ::testing::Test {
  protected:
    takt::Runtime runtime{for_model(1)};
    takt::Serial serial = runtime.serial();
    Instance npc = runtime.root().add_child(serial, "Npc");
};

TEST_F(AttributeTest, bool_number_string_vector_and_user_types_are_values) {
    struct Inventory {
        std::vector<std::string> things;
    };
    static constexpr Attribute<Inventory> kInventory{"Inventory"};
    npc.set_attribute(serial, kHealth, 95);
    npc.set_attribute(serial, kOpen, true);
    npc.set_attribute(serial, kTasks, std::numeric_limits<std::int64_t>::min());
    npc.set_attribute(serial, kTeam, "the red ones, of which there are many");
    npc.set_attribute(serial, kPosition, {1, 2, 3});
    npc.set_attribute(serial, kInventory, {{"sword", "bow"}});
    EXPECT_EQ(*npc.attribute(kHealth), 95.0);
    EXPECT_EQ(*npc.attribute(kOpen), true);
    EXPECT_EQ(*npc.attribute(kTasks), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(*npc.attribute(kTeam), "the red ones, of which there are many");
    EXPECT_EQ(*npc.attribute(kPosition), (takt::Vector3{1, 2, 3}));
    EXPECT_EQ(npc.attribute(kInventory)->things, (Names{"sword", "bow"}));
}

TEST_F(AttributeTest, one_that_was_never_set_is_null_and_the_parents_are_not_inherited) {
    const Instance hat = npc.add_child(serial, "Hat");
    npc.set_attribute(serial, kHealth, 95);
    EXPECT_EQ(hat.attribute(kHealth), nullptr);
    EXPECT_EQ(npc.attribute(kOpen), nullptr);
}

TEST_F(AttributeTest, a_new_value_takes_the_place_of_the_old_one) {
    npc.set_attribute(serial, kHealth, 95);
    const double* const place = npc.attribute(kHealth);
    npc.set_attribute(serial, kHealth, 90);
    EXPECT_EQ(npc.attribute(kHealth), place);
    EXPECT_EQ(*place, 90);
}

TEST_F(AttributeTest, erase_takes_it_away_and_says_whether_it_was_there) {
    npc.set_attribute(serial, kHealth, 95);
    npc.set_attribute(serial, kOpen, true);
    npc.set_attribute(serial, kTasks, 3);
    EXPECT_TRUE(npc.erase_attribute(serial, kOpen));
    EXPECT_FALSE(npc.erase_attribute(serial, kOpen));
    EXPECT_EQ(npc.attribute(kOpen), nullptr);
    EXPECT_EQ(*npc.attribute(kHealth), 95);
    EXPECT_EQ(*npc.attribute(kTasks), 3);
}

TEST_F(AttributeTest, names_come_in_the_order_in_which_they_were_first_set) {
    EXPECT_TRUE(npc.attribute_names().empty());
    npc.set_attribute(serial, kTeam, "red");
    npc.set_attribute(serial, kHealth, 95);
    npc.set_attribute(serial, kOpen, true);
    npc.set_attribute(serial, kTeam, "blue");
    npc.erase_attribute(serial, kHealth);
    npc.set_attribute(serial, kHealth, 90);
    const auto names = npc.attribute_names();
    EXPECT_EQ((Names{names.begin(), names.end()}), (Names{"Team", "Open", "Health"}));
}

TEST_F(AttributeTest, one_name_with_another_type_is_refused_by_name_where_it_is_used) {
    static constexpr Attribute<int> kOther{"Health"};
    npc.set_attribute(serial, kHealth, 95);
    const std::string sentence = "takt: attribute = \"Health\": \"Npc\" has it as double, and it "
                                 "is used as int. Use one name for one type.";
    EXPECT_EQ(refusal_of([&] { npc.set_attribute(serial, kOther, 1); }), sentence);
    EXPECT_EQ(refusal_of([&] { static_cast<void>(npc.attribute(kOther)); }), sentence);
    EXPECT_EQ(refusal_of([&] { npc.erase_attribute(serial, kOther); }), sentence);
    EXPECT_EQ(*npc.attribute(kHealth), 95);
    npc.erase_attribute(serial, kHealth);
    npc.set_attribute(serial, kOther, 1); // nobody has it any more
    EXPECT_EQ(*npc.attribute(kOther), 1);
}

TEST_F(AttributeTest, an_attribute_is_known_by_its_letters_not_by_its_address) {
    static constexpr char letters[] = {'H', 'e', 'a', 'l', 't', 'h', '\0'};
    static constexpr Attribute<double> kSame{letters};
    npc.set_attribute(serial, kHealth, 95);
    ASSERT_NE(npc.attribute(kSame), nullptr);
    EXPECT_EQ(*npc.attribute(kSame), 95);
}

TEST_F(AttributeTest, values_are_destroyed_once_when_set_erased_or_gone_with_their_instance) {
    int alive = 0;
    int other = 0;
    npc.set_attribute(serial, kThing, Alive(alive));
    EXPECT_EQ(alive, 1);
    npc.add_child(serial, "Hat").set_attribute(serial, kThing, Alive(other));
    EXPECT_EQ(other, 1);
    npc.erase_attribute(serial, kThing);
    EXPECT_EQ(alive, 0);
    npc.set_attribute(serial, kThing, Alive(alive));
    npc.destroy(serial);
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(other, 0);
}

TEST_F(AttributeTest, a_value_whose_copy_throws_leaves_what_was_there) {
    struct Throws {
        Throws(int given, bool may) : number(given), may_copy(may) {}
        Throws(const Throws& from) : number(from.number), may_copy(from.may_copy) {
            if (!may_copy)
                throw std::runtime_error("no copies");
        }
        Throws& operator=(const Throws& from) {
            if (!from.may_copy)
                throw std::runtime_error("no copies");
            number = from.number;
            return *this;
        }
        int number;
        bool may_copy;
    };
    static constexpr Attribute<Throws> kThrows{"Throws"};
    EXPECT_THROW(npc.set_attribute(serial, kThrows, Throws(1, false)), std::runtime_error);
    EXPECT_EQ(npc.attribute(kThrows), nullptr);
    npc.set_attribute(serial, kThrows, Throws(2, true));
    EXPECT_THROW(npc.set_attribute(serial, kThrows, Throws(3, false)), std::runtime_error);
    EXPECT_EQ(npc.attribute(kThrows)->number, 2);
}

TEST_F(AttributeTest, an_instance_may_be_a_value_and_reads_as_nothing_once_it_is_gone) {
    static constexpr Attribute<Instance> kTarget{"Target"};
    const Instance prey = runtime.root().add_child(serial, "Prey");
    npc.set_attribute(serial, kTarget, prey);
    EXPECT_EQ(npc.attribute(kTarget)->name(), "Prey");
    prey.destroy(serial);
    EXPECT_FALSE(npc.attribute(kTarget)->alive());
}

// The rows of Parallel Luau's attributes: reading is for both phases, writing for the serial one.

class AttributesOn : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Workers, AttributesOn, ::testing::Values(1, 2, 4));

TEST_P(AttributesOn, an_attribute_as_a_load_gauge_is_reported_by_commit_and_read_in_parallel) {
    constexpr int kActors = 8;
    constexpr int kFrames = 20;
    takt::Runtime runtime(for_model(GetParam()));
    const takt::Serial serial = runtime.serial();
    const Instance root = runtime.root();
    std::vector<takt::ActorRef> actors;
    std::vector<std::vector<std::int64_t>> seen(kActors);
    for (int index = 0; index < kActors; ++index) {
        actors.push_back(runtime.spawn_actor({}, [&, index](takt::Actor& self) {
            self.bind_parallel(kGo, [&, index] {
                std::int64_t sum = 0;
                for (const Instance other : root.children())
                    sum += *other.attribute(kTasks);
                seen[static_cast<std::size_t>(index)].push_back(sum);
                takt::commit([&, index](takt::Serial token) {
                    const Instance own = root.find_first_child(std::to_string(index));
                    own.set_attribute(token, kTasks, *own.attribute(kTasks) + 1);
                });
            });
        }));
        root.add_child(serial, std::to_string(index), actors.back())
            .set_attribute(serial, kTasks, 0);
    }
    for (int frame = 0; frame < kFrames; ++frame) {
        for (const takt::ActorRef actor : actors)
            actor.send(kGo);
        runtime.run_until_idle();
    }
    for (const std::vector<std::int64_t>& sums : seen) {
        ASSERT_EQ(sums.size(), static_cast<std::size_t>(kFrames));
        for (std::size_t frame = 0; frame < sums.size(); ++frame)
            EXPECT_EQ(sums[frame], static_cast<std::int64_t>(frame) * kActors);
    }
}

TEST_P(AttributesOn, setting_one_in_the_parallel_phase_is_unsafe_and_reading_is_not) {
    takt::Runtime runtime(for_model(GetParam()));
    takt::Serial serial = runtime.serial();
    const Instance npc = runtime.root().add_child(serial, "Npc");
    npc.set_attribute(serial, kHealth, 95);
    std::string set;
    std::string erased;
    std::string read;
    const takt::ActorRef actor = runtime.spawn_actor({.name = "npc"}, [&](takt::Actor& self) {
        self.bind_parallel(kGo, [&] {
            set = refusal_of([&] { npc.set_attribute(serial, kHealth, 1); });
            erased = refusal_of([&] { npc.erase_attribute(serial, kHealth); });
            read = refusal_of([&] { EXPECT_EQ(*npc.attribute(kHealth), 95); });
        });
    });
    actor.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(set.rfind("takt: takt::Instance::set_attribute was used in the parallel phase by "
                        "actor \"npc\". It is Unsafe",
                        0),
              0u)
        << set;
    EXPECT_EQ(erased.rfind("takt: takt::Instance::erase_attribute was used in the parallel", 0), 0u)
        << erased;
    EXPECT_EQ(read, "nothing");
    EXPECT_EQ(*npc.attribute(kHealth), 95);
}

} // namespace
