// SPDX-License-Identifier: MIT
#include "takt/model/instance_tree.hpp"

#include <algorithm>
#include <utility>

namespace takt::detail {

static_assert(sizeof(InstanceNode) == 80);

InstanceTree::InstanceTree(unsigned runtime, World world)
    : runtime_(runtime), first_generation_(next_first_generation()), world_(world) {
    const std::uint32_t root = take_slot();
    node(root).name = "root";
    world.set_tree(*this);
}

InstanceTree::~InstanceTree() = default;

// --- reading ---

bool InstanceTree::is_below(std::uint32_t slot, std::uint32_t other) const noexcept {
    do
        slot = node(slot).parent;
    while (slot != InstanceNode::kNone && slot != other);
    return slot != InstanceNode::kNone;
}

// Not recursive: a tree may be as deep as it has instances.
std::string InstanceTree::full_name(std::uint32_t slot) const {
    std::vector<const std::string*> names{&node(slot).name};
    for (std::uint32_t at = node(slot).parent; at != InstanceNode::kNone && at != kRoot;
         at = node(at).parent)
        names.push_back(&node(at).name);
    std::string text = *names.back();
    for (std::size_t at = names.size() - 1; at-- > 0;)
        text.append(".").append(*names[at]);
    return text;
}

std::string InstanceTree::name_for_people(std::uint32_t slot, std::uint32_t generation) const {
    if (find(slot, generation) != nullptr)
        return full_name(slot);
    const bool was_last = slot < fresh_ && node(slot).generation == generation + 1 &&
                          node(slot).parent == InstanceNode::kNone;
    return was_last ? node(slot).name : "#" + std::to_string(slot);
}

// --- slots ---

std::uint32_t InstanceTree::take_slot() {
    if (first_free_ != InstanceNode::kNone) {
        const std::uint32_t slot = first_free_;
        first_free_ = std::exchange(node(slot).next, InstanceNode::kNone);
        return slot;
    }
    if (fresh_ == kSlotsMax)
        throw Error("instances", std::to_string(fresh_), "a runtime has no room for more",
                    "Destroy some");
    if (fresh_ % kChunk == 0) {
        auto chunk = std::make_unique<InstanceNode[]>(kChunk);
        std::for_each_n(chunk.get(), kChunk,
                        [&](InstanceNode& made) { made.generation = first_generation_; });
        chunks_.push_back(std::move(chunk));
    }
    return fresh_++;
}

void InstanceTree::link(std::uint32_t slot, std::uint32_t parent) noexcept {
    InstanceNode& it = node(slot);
    InstanceNode& above = node(parent);
    it.parent = parent;
    it.previous = above.last_child;
    it.next = InstanceNode::kNone;
    (above.last_child == InstanceNode::kNone ? above.first_child : node(above.last_child).next) =
        slot;
    above.last_child = slot;
}

void InstanceTree::unlink(std::uint32_t slot) noexcept {
    InstanceNode& it = node(slot);
    InstanceNode& above = node(it.parent);
    (it.previous == InstanceNode::kNone ? above.first_child : node(it.previous).next) = it.next;
    (it.next == InstanceNode::kNone ? above.last_child : node(it.next).previous) = it.previous;
    it.parent = it.next = it.previous = InstanceNode::kNone;
}

// What comes after `slot` in the subtree below `top`, parents before children.
std::uint32_t InstanceTree::next_in(std::uint32_t top, std::uint32_t slot) const noexcept {
    if (node(slot).first_child != InstanceNode::kNone)
        return node(slot).first_child;
    while (slot != top && node(slot).next == InstanceNode::kNone)
        slot = node(slot).parent;
    return slot == top ? InstanceNode::kNone : node(slot).next;
}

// --- changing ---

// The cell of an actor that is to have an instance; null: there is no actor.
ActorCell* InstanceTree::cell_for(std::uint32_t parent, const std::string& name,
                                  ActorRef actor) const {
    if (!actor)
        return nullptr;
    const auto refuse = [&](const std::string& problem, const char* remedy) {
        const std::string above = parent == kRoot ? std::string() : full_name(parent) + ".";
        throw Error("instance", above + name, problem, remedy);
    };
    if (actor.runtime() != runtime_)
        refuse("the actor that it is to stand for is another runtime's",
               "Give one of this runtime");
    if (!actor.alive())
        refuse("the actor that it is to stand for is gone", "Give one that is alive");
    ActorCell& cell = *actor_context()->table->find(actor);
    if (cell.more != nullptr && cell.more->instance != 0)
        refuse("the actor that it is to stand for has an instance, \"" +
                   full_name(cell.more->instance) + "\"",
               "Move that one with set_parent(), or add a child without an actor");
    return &cell;
}

std::uint32_t InstanceTree::add(std::uint32_t parent, std::string&& name, ActorRef actor) {
    ActorCell* const cell = cell_for(parent, name, actor);
    ActorMore* const more = cell == nullptr ? nullptr : &cell->need_more();
    const std::uint32_t slot = take_slot();
    node(slot).name = std::move(name);
    node(slot).actor = actor;
    if (more != nullptr)
        more->instance = slot;
    link(slot, parent);
    return slot;
}

void InstanceTree::move(std::uint32_t slot, std::uint32_t parent) {
    if (slot == kRoot)
        throw Error("instance", node(slot).name, "it is the root, which lies in nothing",
                    "Move its children");
    if (parent == slot || is_below(parent, slot))
        throw Error("instance", full_name(slot),
                    "it would lie in itself: its new parent is \"" + full_name(parent) + "\"",
                    "Move it to where it is not above");
    if (node(slot).parent == parent)
        return;
    unlink(slot);
    link(slot, parent);
}

void InstanceTree::destroy(std::uint32_t slot) {
    unlink(slot);
    std::uint32_t last = slot; // each one's `previous` names who is next to go: nothing to allocate
    for (std::uint32_t at = slot; (at = next_in(slot, at)) != InstanceNode::kNone; last = at)
        node(last).previous = at;
    node(last).previous = InstanceNode::kNone;
    const ActorContext& here = *actor_context();
    for (std::uint32_t at = slot; at != InstanceNode::kNone; at = node(at).previous) {
        InstanceNode& it = node(at);
        it.generation += it.generation == UINT32_MAX ? 2 : 1; // 0 names none
        it.parent = it.first_child = it.last_child = it.next = InstanceNode::kNone;
        if (ActorCell* const cell = here.table->find(it.actor))
            cell->more->instance = 0;
    }
    // I3: all of them are gone. One actor may take others of them along.
    for (std::uint32_t at = slot; at != InstanceNode::kNone; at = node(at).previous)
        if (node(at).actor)
            here.host->destroy(std::exchange(node(at).actor, {}));
    while (slot != InstanceNode::kNone) {
        const std::uint32_t next = node(slot).previous;
        release(slot);
        slot = next;
    }
}

// What an instance held may look at the tree when it goes, and change it: the slot is free last.
void InstanceTree::release(std::uint32_t slot) {
    InstanceNode& it = node(slot);
    release_bonds(std::move(it.bonds));
    it.attributes.reset();
    it.previous = InstanceNode::kNone;
    it.next = std::exchange(first_free_, slot);
}

void InstanceTree::clear() {
    while (node(kRoot).first_child != InstanceNode::kNone)
        destroy(node(kRoot).first_child);
    release_bonds(std::move(node(kRoot).bonds));
    const auto attributes = std::move(node(kRoot).attributes);
}

// --- what is bound at instances ---

Actor& InstanceTree::need_actor(std::uint32_t slot, const char* member) const {
    std::uint32_t at = slot;
    while (at != InstanceNode::kNone && !node(at).actor)
        at = node(at).parent;
    if (at == InstanceNode::kNone)
        throw Error("instance", full_name(slot),
                    std::string(member) + " wants an actor, and there is none at it or above it",
                    "Place it below an actor's instance, or give add_child() an actor");
    return ActorAccess::actor(*actor_context()->table->find(node(at).actor));
}

InstanceBonds& InstanceTree::need_bonds(std::uint32_t slot) {
    InstanceNode& it = node(slot);
    if (it.bonds == nullptr)
        it.bonds = std::make_unique<InstanceBonds>();
    return *it.bonds;
}

Connection InstanceTree::keep(std::uint32_t slot, Actor& owner, Connection connection) {
    try {
        InstanceBonds& all = need_bonds(slot);
        if (all.bonds.size() >= all.sweep_at) {
            std::erase_if(all.bonds, [](const InstanceBonds::Bond& bond) {
                return !bond.connection.connected();
            });
            all.sweep_at = 2 * all.bonds.size() + 8;
        }
        all.bonds.push_back({owner.ref(), connection});
    } catch (...) { // it would outlive the instance
        connection.disconnect();
        throw;
    }
    return connection;
}

// An actor that is going ends its handlers itself, and calls what was pending.
void InstanceTree::release_bonds(std::unique_ptr<InstanceBonds> bonds) {
    if (bonds == nullptr)
        return;
    for (InstanceBonds::Bond& bond : bonds->bonds)
        if (bond.actor.alive())
            bond.connection.disconnect();
    for (const InstanceBonds::ChangeSignal& signal : bonds->signals)
        signal.core->close();
}

std::size_t InstanceTree::memory_bytes() const noexcept {
    return sizeof(*this) + chunks_.size() * kChunk * sizeof(InstanceNode);
}

} // namespace takt::detail
