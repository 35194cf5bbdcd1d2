// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, model. Where the instances of a runtime are: slots that never move, linked as a tree.
// Below: attribute, frame (World), signal. Above: instance, the handle that users have.

#include "takt/frame.hpp"
#include "takt/model/attribute.hpp"
#include "takt/signal.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace takt::detail {

/// What few instances need: what was bound at them, and who hears of their attributes.
struct InstanceBonds {
    struct Bond {
        ActorRef actor; // that it belongs to
        Connection connection;
    };
    struct ChangeSignal {
        HashedName attribute;
        Firing firing;
        std::shared_ptr<SignalCore> core;
    };

    std::vector<Bond> bonds;
    std::size_t sweep_at = 8; // bonds: then those that are disconnected go
    std::vector<ChangeSignal> signals;
};

/// One instance, or a free slot. Relatives are slots.
struct InstanceNode {
    static constexpr std::uint32_t kNone = UINT32_MAX;

    std::string name; // of a free slot: of who was there last
    ActorRef actor;   // that it stands for; empty: none
    std::uint32_t generation = 0;
    std::uint32_t parent = kNone; // of the root, and of a free slot: none
    std::uint32_t first_child = kNone;
    std::uint32_t last_child = kNone;
    std::uint32_t next = kNone; // sibling; of a free slot: the next free one
    std::uint32_t previous = kNone;
    std::unique_ptr<AttributeValue> attributes;
    std::unique_ptr<InstanceBonds> bonds;
};

/// Everything that changes it belongs to the frame thread in the serial phase, so reading in either
/// phase is plain loads: wait-free, without a lock or an atomic. The barrier orders the two.
///
/// I1  Every instance but the root has a parent that is there, and lies below the root.
/// I2  A slot's address never changes, and its generation grows each time its instance goes.
/// I3  Of a subtree that is destroyed all are gone before anything that they held goes: first their
///     actors, then what was bound at them and their attributes, each in tree order (parents before
///     children, siblings in their order).
/// I4  An actor and the one instance that stands for it are gone together.
class InstanceTree final : public ActorTree {
  public:
    static constexpr std::uint32_t kRoot = 0;

    /// `runtime`: the number in its handles.
    InstanceTree(unsigned runtime, World world);
    ~InstanceTree();
    InstanceTree(const InstanceTree&) = delete;
    InstanceTree& operator=(const InstanceTree&) = delete;

    unsigned runtime() const noexcept { return runtime_; }
    std::uint32_t root_generation() const noexcept { return first_generation_; }

    /// Of a slot that a handle or a relative named.
    InstanceNode& node(std::uint32_t slot) const noexcept {
        return chunks_[slot / kChunk][slot % kChunk];
    }
    /// Null when it is gone.
    InstanceNode* find(std::uint32_t slot, std::uint32_t generation) const noexcept {
        if (slot >= fresh_) [[unlikely]] // of a runtime that is gone
            return nullptr;
        InstanceNode& found = node(slot);
        return found.generation == generation ? &found : nullptr;
    }
    bool is_below(std::uint32_t slot, std::uint32_t other) const noexcept;
    std::string full_name(std::uint32_t slot) const;
    /// For errors: also of an instance that is gone, as long as its slot has no other one.
    std::string name_for_people(std::uint32_t slot, std::uint32_t generation) const;
    /// Null: there is none. Throws takt::Error when there is one with another type.
    AttributeValue* attribute(std::uint32_t slot, const HashedName& name,
                              const AttributeType& type) const {
        for (AttributeValue* one = node(slot).attributes.get(); one != nullptr;
             one = one->next.get())
            if (one->name == name) {
                if (&one->type != &type) [[unlikely]]
                    refuse_type(slot, *one, type);
                return one;
            }
        return nullptr;
    }

    // --- in the serial phase -----------------------------------------------------------------------
    /// A child at the end. Throws takt::Error when the actor is gone, another runtime's, or has an
    /// instance; std::bad_alloc. Nothing has changed then.
    std::uint32_t add(std::uint32_t parent, std::string&& name, ActorRef actor);
    /// To the end of another parent's children. Throws takt::Error where it would lie in itself.
    void move(std::uint32_t slot, std::uint32_t parent);
    /// The instance, and all below it (I3).
    void destroy(std::uint32_t slot);
    void add_attribute(std::uint32_t slot, std::unique_ptr<AttributeValue> added) noexcept;
    /// Null: there was none.
    std::unique_ptr<AttributeValue> take_attribute(std::uint32_t slot, const HashedName& name,
                                                   const AttributeType& type);
    /// Its attribute has another value now, or none. What listeners do may be anything: the instance
    /// may be gone then.
    void fire_changed(std::uint32_t slot, const HashedName& attribute) const {
        if (node(slot).bonds != nullptr)
            fire_signals(slot, attribute);
    }
    /// The signal that fires then; made where there is none.
    std::shared_ptr<SignalCore> change_signal(std::uint32_t slot, const HashedName& attribute,
                                              Firing firing);
    /// The closest actor at or above it, to bind at it. Throws takt::Error when there is none.
    Actor& need_actor(std::uint32_t slot, const char* member) const;
    /// Goes with the instance.
    Connection keep(std::uint32_t slot, Actor& owner, Connection connection);

    void actor_dies(std::uint32_t instance) override { destroy(instance); }
    void clear() override;

    std::size_t memory_bytes() const noexcept;

  private:
    static constexpr std::uint32_t kChunk = 1024;
    static constexpr std::uint32_t kSlotsMax = std::uint32_t{1} << 26;

    [[gnu::cold, noreturn]] void refuse_type(std::uint32_t slot, const AttributeValue& there,
                                             const AttributeType& type) const;
    ActorCell* cell_for(std::uint32_t parent, const std::string& name, ActorRef actor) const;
    std::uint32_t take_slot();
    void link(std::uint32_t slot, std::uint32_t parent) noexcept;
    void unlink(std::uint32_t slot) noexcept;
    std::uint32_t next_in(std::uint32_t top, std::uint32_t slot) const noexcept;
    void release(std::uint32_t slot);
    void release_bonds(std::unique_ptr<InstanceBonds> bonds);
    void fire_signals(std::uint32_t slot, const HashedName& attribute) const;
    InstanceBonds& need_bonds(std::uint32_t slot);

    const unsigned runtime_;
    const std::uint32_t first_generation_;
    const World world_;
    std::vector<std::unique_ptr<InstanceNode[]>> chunks_;
    std::uint32_t fresh_ = 0; // slots that were never taken begin here
    std::uint32_t first_free_ = InstanceNode::kNone;
};

/// While it lives, what the frame thread connects is that actor's.
class InTheNameOf {
  public:
    explicit InTheNameOf(Actor& actor) noexcept
        : here_(*actor_context()), before_(std::exchange(here_.actor, &actor)) {}
    ~InTheNameOf() { here_.actor = before_; }
    InTheNameOf(const InTheNameOf&) = delete;
    InTheNameOf& operator=(const InTheNameOf&) = delete;

  private:
    ActorContext& here_;
    Actor* const before_;
};

} // namespace takt::detail
