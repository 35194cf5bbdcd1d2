// SPDX-License-Identifier: MIT
// Random operations on the tree of instances, against a simple model of it.
#include "model/model_support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace {

using takt::Instance;
using takt::testing::for_model;

constexpr takt::Attribute<std::int64_t> kOne{"One"};
constexpr takt::Attribute<std::string> kTwo{"Two"};

/// What the tree should be: who is in whom, by number.
struct Model {
    struct Node {
        std::string name;
        int parent = -1;
        std::vector<int> children = {};
        std::optional<std::int64_t> one = {};
        std::optional<std::string> two = {};
        takt::ActorRef actor = {};
        int owner = -1; // whose actor is this one's actor's parent
    };

    bool is_below(int node, int other) const {
        while (node != 0) {
            node = nodes.at(node).parent;
            if (node == other)
                return true;
        }
        return false;
    }
    void leave(int node) { std::erase(nodes.at(nodes.at(node).parent).children, node); }
    void destroy(int node) {
        leave(node);
        erase(node);
        for (const auto& [other, its] : nodes)
            if (its.owner != -1 && nodes.count(its.owner) == 0) {
                destroy(other);
                return; // which has seen to the rest
            }
    }
    void erase(int node) {
        for (const int child : nodes.at(node).children)
            erase(child);
        nodes.erase(node);
    }
    takt::ActorRef actor_of(int node) const {
        for (; node != -1; node = nodes.at(node).parent)
            if (nodes.at(node).actor)
                return nodes.at(node).actor;
        return {};
    }
    std::string full_name(int node) const {
        const int parent = nodes.at(node).parent;
        return parent <= 0 ? nodes.at(node).name : full_name(parent) + "." + nodes.at(node).name;
    }

    std::map<int, Node> nodes{{0, {"root"}}};
};

class RandomTree {
  public:
    explicit RandomTree(std::uint64_t seed) : random_(seed) {}

    void run(int operations) {
        for (int count = 0; count < operations && !::testing::Test::HasFailure(); ++count) {
            step();
            if (count % 1000 == 0) {
                runtime_.step(); // buries actors
                compare_all();
            }
        }
        compare_all();
    }

  private:
    int draw(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
    int any() { return std::next(model_.nodes.begin(), draw(static_cast<int>(size())))->first; }
    std::size_t size() const { return model_.nodes.size(); }
    Instance handle(int node) { return handles_.at(node); }

    void step() {
        const int kind = draw(100);
        if (kind < 35 && size() < 400)
            add(any());
        else if (kind < 55)
            move(any(), any());
        else if (kind < 62)
            destroy(any());
        else if (kind < 70)
            rename(any());
        else if (kind < 88)
            change_attributes(any());
        else
            compare(any());
    }
    void add(int parent) {
        const int node = next_++;
        Model::Node made{.name = "n" + std::to_string(draw(7)), .parent = parent};
        if (draw(6) == 0) {
            if (const int owner = any(); model_.nodes.at(owner).actor && draw(2) == 0)
                made.owner = owner;
            made.actor = runtime_.spawn_actor(
                {.parent = made.owner == -1 ? takt::ActorRef() : model_.nodes.at(made.owner).actor},
                [](takt::Actor&) {});
        }
        handles_[node] = handle(parent).add_child(serial_, made.name, made.actor);
        model_.nodes.at(parent).children.push_back(node);
        model_.nodes[node] = made;
    }
    void move(int node, int parent) {
        if (node == 0)
            return;
        if (node == parent || model_.is_below(parent, node)) {
            EXPECT_THROW(handle(node).set_parent(serial_, handle(parent)), takt::Error);
            return;
        }
        handle(node).set_parent(serial_, handle(parent));
        if (model_.nodes.at(node).parent == parent)
            return;
        model_.leave(node);
        model_.nodes.at(node).parent = parent;
        model_.nodes.at(parent).children.push_back(node);
    }
    void destroy(int node) {
        if (node == 0)
            return;
        const takt::ActorRef actor = model_.nodes.at(node).actor;
        if (actor && draw(2) == 0)
            actor.destroy();
        else
            handle(node).destroy(serial_);
        model_.destroy(node);
        EXPECT_FALSE(handle(node).alive());
    }
    void rename(int node) {
        const std::string name = "renamed " + std::to_string(draw(3));
        handle(node).set_name(serial_, name);
        model_.nodes.at(node).name = name;
    }
    void change_attributes(int node) {
        Model::Node& expected = model_.nodes.at(node);
        switch (draw(4)) {
        case 0:
            expected.one = draw(1000);
            handle(node).set_attribute(serial_, kOne, *expected.one);
            return;
        case 1:
            expected.two = "text of some length " + std::to_string(draw(1000));
            handle(node).set_attribute(serial_, kTwo, *expected.two);
            return;
        case 2:
            EXPECT_EQ(handle(node).erase_attribute(serial_, kOne), expected.one.has_value());
            expected.one.reset();
            return;
        default:
            EXPECT_EQ(handle(node).erase_attribute(serial_, kTwo), expected.two.has_value());
            expected.two.reset();
        }
    }

    void compare(int node) {
        const Model::Node& expected = model_.nodes.at(node);
        const Instance it = handle(node);
        EXPECT_EQ(it.name(), expected.name);
        EXPECT_EQ(it.parent(), expected.parent < 0 ? Instance() : handle(expected.parent));
        EXPECT_EQ(it.full_name(), model_.full_name(node));
        EXPECT_EQ(it.actor(), model_.actor_of(node));
        std::vector<Instance> children;
        for (const Instance child : it.children())
            children.push_back(child);
        std::vector<Instance> expected_children;
        for (const int child : expected.children)
            expected_children.push_back(handle(child));
        EXPECT_EQ(children, expected_children);
        const std::int64_t* const one = it.attribute(kOne);
        EXPECT_EQ(one == nullptr ? std::nullopt : std::optional(*one), expected.one);
        const std::string* const two = it.attribute(kTwo);
        EXPECT_EQ(two == nullptr ? std::nullopt : std::optional(*two), expected.two);
        const int other = any();
        EXPECT_EQ(it.is_descendant_of(handle(other)), model_.is_below(node, other));
        const std::string name = "n" + std::to_string(draw(7));
        const auto named =
            std::find_if(expected.children.begin(), expected.children.end(),
                         [&](int child) { return model_.nodes.at(child).name == name; });
        EXPECT_EQ(it.find_first_child(name),
                  named == expected.children.end() ? Instance() : handle(*named));
    }
    void compare_all() {
        std::uint64_t actors = 0;
        for (const auto& [node, expected] : model_.nodes) {
            compare(node);
            if (expected.actor) {
                ++actors;
                EXPECT_TRUE(expected.actor.alive());
            }
        }
        for (const auto& [node, handle] : handles_)
            EXPECT_EQ(handle.alive(), model_.nodes.count(node) == 1);
        runtime_.step();
        EXPECT_EQ(runtime_.actors(), actors);
    }

    std::mt19937_64 random_;
    takt::Runtime runtime_{for_model(1)};
    takt::Serial serial_ = runtime_.serial();
    Model model_;
    std::map<int, Instance> handles_{{0, runtime_.root()}};
    int next_ = 1;
};

class RandomTreeOf : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Seeds, RandomTreeOf, ::testing::Range(1, 5));

TEST_P(RandomTreeOf, random_operations_leave_the_tree_as_a_simple_model_says) {
    RandomTree(static_cast<std::uint64_t>(GetParam())).run(100'000);
}

} // namespace
