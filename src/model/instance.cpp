// SPDX-License-Identifier: MIT
#include "takt/model.hpp"

#include <utility>

namespace takt {

using detail::InstanceNode;
using detail::InstanceTree;

void Instance::refuse_outside(const char* member) {
    detail::violated(member,
                     "Read it in a frame of its runtime, or on the frame thread between frames; "
                     "other threads send a message or post()",
                     Level::read_parallel);
}

InstanceTree& Instance::tree_to_change(const char* member, Level level) const {
    require_serial(member, level);
    if (!*this)
        throw Error("instance", "", "it names none", "Take it from add_child() or root()");
    const detail::ActorContext* const here = detail::context_in(runtime_);
    if (here == nullptr)
        detail::violated(member, "Change it in the serial phase of its runtime", level);
    auto& tree = *static_cast<InstanceTree*>(here->tree);
    if (tree.find(slot_, generation_) == nullptr)
        throw Error("instance", tree.name_for_people(slot_, generation_), "it is gone",
                    "Ask alive() before changing it");
    return tree;
}

// --- reading ---

std::string Instance::full_name() const {
    return node("takt::Instance::full_name") == nullptr ? std::string() : tree().full_name(slot_);
}

Instance Instance::find_first_child(std::string_view name) const {
    const InstanceNode* const it = node("takt::Instance::find_first_child");
    if (it == nullptr)
        return {};
    std::uint32_t child = it->first_child;
    while (child != InstanceNode::kNone && tree().node(child).name != name)
        child = tree().node(child).next;
    return relative(child);
}

bool Instance::is_descendant_of(Instance other) const {
    return node("takt::Instance::is_descendant_of") != nullptr && runtime_ == other.runtime_ &&
           other.alive() && tree().is_below(slot_, other.slot_);
}

ActorRef Instance::actor() const {
    const InstanceNode* it = node("takt::Instance::actor");
    while (it != nullptr && !it->actor)
        it = it->parent == InstanceNode::kNone ? nullptr : &tree().node(it->parent);
    return it == nullptr ? ActorRef() : it->actor;
}

// --- changing ---

Instance Instance::add_child(Serial, std::string name, ActorRef actor) const {
    InstanceTree& tree = tree_to_change("takt::Instance::add_child");
    return relative(tree.add(slot_, std::move(name), actor));
}

void Instance::set_name(Serial, std::string name) const {
    tree_to_change("takt::Instance::set_name", Level::read_parallel).node(slot_).name =
        std::move(name);
}

void Instance::set_parent(Serial, Instance parent) const {
    InstanceTree& tree = tree_to_change("takt::Instance::set_parent", Level::read_parallel);
    if (!parent || parent.runtime_ != runtime_)
        throw Error("instance", tree.full_name(slot_),
                    parent ? "its new parent is another runtime's" : "its new parent names none",
                    "Move it within its runtime's tree, or destroy it");
    if (!parent.alive())
        throw Error("instance", tree.full_name(slot_),
                    "its new parent, \"" + tree.name_for_people(parent.slot_, parent.generation_) +
                        "\", is gone",
                    "Ask alive() before");
    tree.move(slot_, parent.slot_);
}

void Instance::destroy(Serial) const {
    InstanceTree& tree = tree_to_change("takt::Instance::destroy");
    if (slot_ == InstanceTree::kRoot)
        throw Error("instance", std::string(name()), "it is the root, which is always there",
                    "Destroy its children");
    tree.destroy(slot_);
}

} // namespace takt
