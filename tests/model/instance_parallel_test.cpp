// SPDX-License-Identifier: MIT
// The tree is read by all workers in the parallel phase, and changes between.
#include "model/model_support.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace {

using takt::Instance;
using takt::testing::for_model;

constexpr takt::Topic<> kGo{"Go"};
constexpr takt::Attribute<std::int64_t> kSum{"Sum"};
constexpr takt::Attribute<std::string> kText{"Text"};

/// All that can be read below an instance, as one text.
std::string dump(Instance at) {
    std::string text(at.name());
    if (const std::int64_t* const sum = at.attribute(kSum))
        text += "=" + std::to_string(*sum);
    if (const std::string* const words = at.attribute(kText))
        text += ":" + *words;
    for (const std::string_view name : at.attribute_names())
        text += std::string(".").append(name);
    text += at.actor() ? "*(" : "(";
    for (const Instance child : at.children())
        text += dump(child) + " ";
    return text + ")";
}

/// In the serial phase: one change to some instance below the root.
class Changes {
  public:
    explicit Changes(Instance root) : root_(root) {}

    void make(takt::Runtime& runtime, takt::Serial serial) {
        const Instance at = any();
        switch (draw(6)) {
        case 0:
        case 1:
            at.add_child(serial, "n" + std::to_string(draw(5)),
                         draw(4) == 0 ? runtime.spawn_actor({}, [](takt::Actor&) {})
                                      : takt::ActorRef());
            return;
        case 2:
            at.set_attribute(serial, kSum, draw(1000));
            return;
        case 3:
            at.set_attribute(serial, kText, std::string(static_cast<std::size_t>(draw(40)), 'x'));
            return;
        case 4:
            if (const Instance to = any(); at != root_ && at != to && !to.is_descendant_of(at))
                at.set_parent(serial, to);
            return;
        default:
            if (at != root_ && draw(3) == 0)
                at.destroy(serial);
        }
    }

  private:
    int draw(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
    Instance any() {
        Instance at = root_;
        while (!at.children().empty() && draw(4) != 0)
            for (const Instance child : at.children()) {
                at = child;
                if (draw(3) == 0)
                    break;
            }
        return at;
    }

    Instance root_;
    std::mt19937 random_{7};
};

class TreeInParallel : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Workers, TreeInParallel, ::testing::Values(1, 2, 4));

TEST_P(TreeInParallel, all_workers_read_the_tree_of_the_last_barrier_while_it_changes_between) {
    constexpr int kReaders = 8;
    constexpr int kFrames = 200;
    takt::Runtime runtime(for_model(GetParam()));
    const Instance world = runtime.root().add_child(runtime.serial(), "World");
    Changes changes(world);
    std::string expected;
    std::atomic<int> wrong{0};
    std::atomic<int> reads{0};
    std::vector<takt::ActorRef> readers;
    for (int index = 0; index < kReaders; ++index)
        readers.push_back(
            runtime.spawn_actor({.worker = index % runtime.workers()}, [&](takt::Actor& self) {
                self.bind_parallel(kGo, [&] {
                    if (dump(world) != expected)
                        wrong.fetch_add(1);
                    reads.fetch_add(1);
                });
                self.bind(kGo, [&](takt::Serial serial) { changes.make(runtime, serial); });
            }));
    for (int frame = 0; frame < kFrames; ++frame) {
        expected = dump(world);
        for (const takt::ActorRef reader : readers)
            reader.send(kGo);
        runtime.step();
    }
    EXPECT_EQ(wrong.load(), 0);
    EXPECT_EQ(reads.load(), kReaders * kFrames);
    EXPECT_GT(expected.size(), 100u);
}

TEST_P(TreeInParallel, two_actors_decide_to_destroy_one_instance_and_it_goes_once) {
    takt::Runtime runtime(for_model(GetParam()));
    const Instance prey = runtime.root().add_child(runtime.serial(), "Prey");
    int destroyed = 0;
    int late = 0;
    std::vector<takt::ActorRef> hunters;
    for (int index = 0; index < 2; ++index)
        hunters.push_back(runtime.spawn_actor({}, [&](takt::Actor& self) {
            self.bind_parallel(kGo, [&] {
                EXPECT_TRUE(prey.alive()); // so both decide to
                takt::commit([&](takt::Serial serial) {
                    if (!prey.alive()) {
                        ++late;
                        return;
                    }
                    prey.destroy(serial);
                    ++destroyed;
                });
            });
        }));
    for (const takt::ActorRef hunter : hunters)
        hunter.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(destroyed, 1);
    EXPECT_EQ(late, 1);
}

std::string grown_on(int workers) {
    takt::Config config = for_model(workers);
    config.frame.delivery = takt::Delivery::next_round;
    takt::Runtime runtime(config);
    const Instance world = runtime.root().add_child(runtime.serial(), "World");
    std::vector<takt::ActorRef> growers;
    for (int index = 0; index < 16; ++index)
        growers.push_back(runtime.spawn_actor({}, [&, index](takt::Actor& self) {
            self.bind_parallel(kGo, [&, index] {
                const std::string own = std::to_string(index);
                const Instance there = world.find_first_child(own);
                takt::commit([&, own, there](takt::Serial serial) {
                    if (!there)
                        world.add_child(serial, own).set_attribute(serial, kSum, 0);
                    else if (*there.attribute(kSum) < 3)
                        there.set_attribute(serial, kSum, *there.attribute(kSum) + 1);
                    else
                        there.set_parent(serial, *world.children().begin() == there
                                                     ? world.parent()
                                                     : *world.children().begin());
                });
            });
        }));
    for (int frame = 0; frame < 10; ++frame) {
        for (const takt::ActorRef grower : growers)
            grower.send(kGo);
        runtime.run_until_idle();
    }
    return dump(runtime.root());
}

TEST(TreeInParallelTest, the_same_tree_grows_on_1_2_and_4_workers) {
    const std::string on_one = grown_on(1);
    EXPECT_GT(on_one.size(), 200u);
    EXPECT_EQ(grown_on(2), on_one);
    EXPECT_EQ(grown_on(4), on_one);
}

} // namespace
