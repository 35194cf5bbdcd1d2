// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, model. The handle of an instance: 8 bytes that can be copied, sent and kept. Below:
// instance_tree (what it names), attribute. Above: runtime, which has the root.

#include "takt/model/instance_tree.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace takt {

namespace detail {
class AttributeNames;
class InstanceChildren;
} // namespace detail

/// Names one instance of one runtime's tree, for ever: one that is gone is never mistaken for a later
/// one. The tree is what the actors of a runtime know of the world and of each other: places with a
/// name, attributes and children, some of which stand for an actor.
///
///     takt::Instance house = runtime.root().add_child(serial, "House");
///     takt::Instance npc = house.add_child(serial, "Npc", npc_actor);
///     npc.set_attribute(serial, health, 95.0);           // in the serial phase, with its token
///     if (const double* left = npc.attribute(health))    // in both phases: plain loads
///         house.find_first_child("Npc").actor().send(heal, *left);
///
/// Reading is for both phases, and wait-free: there is no lock and no atomic in it, since the tree
/// changes in the serial phase only, and the barrier orders the two. Outside the frame it is a
/// PhaseError; in the serial phase what it returns is good until the next change.
///
/// An instance that is gone, and an Instance that names none, may be read all the same: no name, no
/// children, no attributes, nobody above. Changing one throws takt::Error, which names it.
///
/// An actor and the instance that stands for it go together, whichever is destroyed, and the subtree
/// below with them. An actor's `parent` (ActorOptions) is not the tree's affair: it ties two actors'
/// ends and no more.
///
/// Memory: 80 bytes for each, names of more than 15 letters aside; 40 and the value for each attribute,
/// as the heap rounds that up.
class Instance {
  public:
    /// Names none.
    constexpr Instance() = default;

    // --- reading: in the parallel phase what it was at its begin -------------------------------------

    /// True until it is destroyed.
    bool alive() const { return node("takt::Instance::alive") != nullptr; }
    explicit operator bool() const noexcept { return generation_ != 0; }
    /// Need not be unique.
    std::string_view name() const {
        const detail::InstanceNode* const it = node("takt::Instance::name");
        return it == nullptr ? std::string_view() : std::string_view(it->name);
    }
    /// "House.Npc": the names from below the root on. O(depth), and allocates.
    std::string full_name() const;
    /// Of the root: names none.
    Instance parent() const {
        const detail::InstanceNode* const it = node("takt::Instance::parent");
        return it == nullptr ? Instance() : relative(it->parent);
    }
    /// In the order in which they came. The one that a loop is at may be destroyed or moved there; of
    /// the others none. Nothing is copied; O(1) for each.
    detail::InstanceChildren children() const;
    /// The first child of that name; names none when there is none. O(children).
    Instance find_first_child(std::string_view name) const;
    /// O(depth). Nobody lies in itself.
    bool is_descendant_of(Instance other) const;
    /// The actor that it stands for, or the closest one above; names nobody when there is none.
    /// O(depth).
    ActorRef actor() const;
    /// Its value; null: it has no such attribute. Good until it is set or erased. O(attributes).
    /// Throws takt::Error when it has one of that name and another type.
    template <class T>
    const T* attribute(const Attribute<T>& key) const {
        if (node("takt::Instance::attribute") == nullptr)
            return nullptr;
        const detail::AttributeValue* const found =
            tree().attribute(slot_, key, detail::attribute_type<T>);
        return found == nullptr ? nullptr
                                : &static_cast<const detail::AttributeValueOf<T>*>(found)->value;
    }
    /// Of all its attributes, in the order in which they were first set.
    detail::AttributeNames attribute_names() const;

    // --- changing: in the serial phase ---------------------------------------------------------------
    // All throw PhaseError in other places, also when the token is of an earlier phase, and
    // takt::Error when the instance is gone.

    /// A new child, after the others. With an actor it stands for that one: takt::Error when the actor
    /// is gone, or has an instance. O(1).
    Instance add_child(Serial, std::string name, ActorRef actor = {}) const;
    void set_name(Serial, std::string name) const;
    /// Moves it, and all below it, to the end of another parent's children; nothing happens where it
    /// is there already. What was bound at them stays with the actors that it was bound to.
    /// takt::Error where it would lie in itself, and for the root. O(depth).
    void set_parent(Serial, Instance parent) const;
    /// It goes, and all below it: from here on all of them are gone. Then, in tree order, the actors
    /// that they stand for are destroyed as by ActorRef::destroy; then handlers that were bound at
    /// them are disconnected from the actors that stay, and their attributes are destroyed.
    /// takt::Error for the root. O(subtree).
    void destroy(Serial) const;

    /// takt::Error when it has an attribute of that name and another type. An attribute's first value
    /// costs an allocation, and a new one an assignment. Then attribute_changed() fires, unless the
    /// value is equal to what was there, where T has a ==; what listeners that are called at once do is
    /// done when this returns, and what their chain throws comes from here.
    template <class T>
    void set_attribute(Serial, const Attribute<T>& key, std::type_identity_t<T> value) const {
        detail::InstanceTree& tree = tree_to_change("takt::Instance::set_attribute");
        auto* const there = static_cast<detail::AttributeValueOf<T>*>(
            tree.attribute(slot_, key, detail::attribute_type<T>));
        if (there == nullptr) {
            tree.add_attribute(
                slot_, std::make_unique<detail::AttributeValueOf<T>>(key, std::move(value)));
        } else {
            if constexpr (detail::is_comparable<T>)
                if (there->value == value)
                    return;
            using std::swap;
            swap(there->value, value); // what was there goes last: its end may change the tree
        }
        tree.fire_changed(slot_, key);
    }
    /// False: it had none. Then attribute_changed() fires, too.
    template <class T>
    bool erase_attribute(Serial, const Attribute<T>& key) const {
        detail::InstanceTree& tree = tree_to_change("takt::Instance::erase_attribute");
        const auto erased = tree.take_attribute(slot_, key, detail::attribute_type<T>);
        if (erased != nullptr)
            tree.fire_changed(slot_, key);
        return erased != nullptr;
    }
    /// Fires after each change of that attribute, which need not be there yet; listeners read the new
    /// value. It is made where somebody asks for it first: attributes that nobody asks about cost
    /// nothing for it. It goes with the instance, after the calls that are pending.
    template <class T>
    SignalSource<> attribute_changed(Serial, const Attribute<T>& key,
                                     Firing firing = Firing::immediate) const {
        detail::InstanceTree& tree = tree_to_change("takt::Instance::attribute_changed");
        static_cast<void>(tree.attribute(slot_, key, detail::attribute_type<T>)); // or refuses it
        return SignalSource<>(tree.change_signal(slot_, key, firing));
    }

    // --- handlers at an instance -------------------------------------------------------------------
    // They belong to its actor(), as it is now, as if that had bound them: they run in its name, and
    // go with it. They are disconnected when the instance is destroyed. takt::Error without an actor.

    /// As Actor::bind.
    template <class... Args, class F>
    Connection bind(Serial, const Topic<Args...>& topic, F&& handler) const {
        detail::InstanceTree& tree = tree_to_change("takt::Instance::bind");
        Actor& owner = tree.need_actor(slot_, "takt::Instance::bind");
        return tree.keep(slot_, owner, owner.bind(topic, std::forward<F>(handler)));
    }
    /// As Actor::bind_parallel.
    template <class... Args, class F>
    Connection bind_parallel(Serial, const Topic<Args...>& topic, F&& handler) const {
        detail::InstanceTree& tree = tree_to_change("takt::Instance::bind_parallel");
        Actor& owner = tree.need_actor(slot_, "takt::Instance::bind_parallel");
        return tree.keep(slot_, owner, owner.bind_parallel(topic, std::forward<F>(handler)));
    }
    /// As SignalSource::connect.
    template <class... Args, class F>
    Connection connect(Serial, SignalSource<Args...> signal, F&& listener) const {
        detail::InstanceTree& tree = tree_to_change("takt::Instance::connect");
        Actor& owner = tree.need_actor(slot_, "takt::Instance::connect");
        const detail::InTheNameOf as_owner(owner);
        return tree.keep(slot_, owner, signal.connect(std::forward<F>(listener)));
    }
    /// As SignalSource::connect_parallel.
    template <class... Args, class F>
    Connection connect_parallel(Serial, SignalSource<Args...> signal, F&& listener) const {
        detail::InstanceTree& tree = tree_to_change("takt::Instance::connect_parallel");
        Actor& owner = tree.need_actor(slot_, "takt::Instance::connect_parallel");
        const detail::InTheNameOf as_owner(owner);
        return tree.keep(slot_, owner, signal.connect_parallel(std::forward<F>(listener)));
    }

    // --- without the token of the serial phase they do not compile, and say why ----------------------

    template <class... Given>
    requires detail::lacks_serial<Given...>
    void add_child(const Given&...) const { detail::token_is_missing<Lacks<Given...>>(); }
    template <class... Given>
    requires detail::lacks_serial<Given...>
    void set_name(const Given&...) const { detail::token_is_missing<Lacks<Given...>>(); }
    template <class... Given>
    requires detail::lacks_serial<Given...>
    void set_parent(const Given&...) const { detail::token_is_missing<Lacks<Given...>>(); }
    template <class... Given>
    requires detail::lacks_serial<Given...>
    void destroy(const Given&...) const { detail::token_is_missing<Lacks<Given...>>(); }
    template <class... Given>
    requires detail::lacks_serial<Given...>
    void set_attribute(const Given&...) const { detail::token_is_missing<Lacks<Given...>>(); }
    template <class... Given>
    requires detail::lacks_serial<Given...>
    void erase_attribute(const Given&...) const { detail::token_is_missing<Lacks<Given...>>(); }
    template <class... Given>
    requires detail::lacks_serial<Given...>
    void bind(const Given&...) const { detail::token_is_missing<Lacks<Given...>>(); }
    template <class... Given>
    requires detail::lacks_serial<Given...>
    void bind_parallel(const Given&...) const { detail::token_is_missing<Lacks<Given...>>(); }
    template <class... Given>
    requires detail::lacks_serial<Given...>
    void attribute_changed(const Given&...) const { detail::token_is_missing<Lacks<Given...>>(); }
    template <class... Given>
    requires detail::lacks_serial<Given...>
    void connect(const Given&...) const { detail::token_is_missing<Lacks<Given...>>(); }
    template <class... Given>
    requires detail::lacks_serial<Given...>
    void connect_parallel(const Given&...) const { detail::token_is_missing<Lacks<Given...>>(); }

    auto operator<=>(const Instance&) const = default;

    // --- for the runtime ---
    constexpr Instance(unsigned runtime, std::uint32_t slot, std::uint32_t generation) noexcept
        : generation_(generation), slot_(slot & ((1u << 26) - 1)), runtime_(runtime & 63u) {}

  private:
    /// void, by a detour: compilers would take it for known where nobody has called.
    template <class... Given>
    using Lacks = std::enable_if_t<detail::lacks_serial<Given...>>;

    friend class detail::InstanceChildren;
    friend struct std::hash<Instance>;

    /// Null when it is gone, or names none. PhaseError outside the frame.
    const detail::InstanceNode* node(const char* member) const {
        if (generation_ == 0)
            return nullptr;
        const detail::ActorContext* const here = detail::context_in(runtime_);
        if (here == nullptr) [[unlikely]]
            refuse_outside(member);
        return static_cast<const detail::InstanceTree*>(here->tree)->find(slot_, generation_);
    }
    /// The caller is in a phase of its runtime.
    const detail::InstanceTree& tree() const noexcept {
        return *static_cast<const detail::InstanceTree*>(detail::actor_context()->tree);
    }
    detail::InstanceTree& tree_to_change(const char* member, Level level = Level::unsafe) const;
    [[gnu::cold, noreturn]] static void refuse_outside(const char* member);
    Instance relative(std::uint32_t slot) const noexcept {
        return slot == detail::InstanceNode::kNone
                   ? Instance()
                   : Instance(runtime_, slot, tree().node(slot).generation);
    }

    std::uint32_t generation_ = 0; // 0: it names none
    std::uint32_t slot_ : 26 = 0;
    std::uint32_t runtime_ : 6 = 0;
};

static_assert(sizeof(Instance) == 8);

namespace detail {

/// The children of an instance, one after the other. It knows the one that comes next, so that the
/// one that the loop is at may go.
class InstanceChildren {
  public:
    class Iterator {
      public:
        using value_type = Instance;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        explicit Iterator(Instance first) { go_to(first); }

        Instance operator*() const noexcept { return at_; }
        Iterator& operator++() {
            go_to(next_);
            return *this;
        }
        Iterator operator++(int) {
            Iterator before = *this;
            ++*this;
            return before;
        }
        bool operator==(const Iterator& other) const noexcept { return at_ == other.at_; }

      private:
        void go_to(Instance child) {
            const InstanceNode* const it = child.node("takt::Instance::children");
            at_ = it == nullptr ? Instance() : child;
            next_ = it == nullptr ? Instance() : child.relative(it->next);
        }

        Instance at_;
        Instance next_;
    };

    explicit InstanceChildren(Instance first) noexcept : first_(first) {}
    Iterator begin() const { return Iterator(first_); }
    Iterator end() const noexcept { return {}; }
    bool empty() const noexcept { return !first_; }

  private:
    Instance first_;
};

/// The names of an instance's attributes, one after the other.
class AttributeNames {
  public:
    class Iterator {
      public:
        using value_type = std::string_view;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        explicit Iterator(const AttributeValue* at) noexcept : at_(at) {}

        std::string_view operator*() const noexcept { return at_->name.name(); }
        Iterator& operator++() noexcept {
            at_ = at_->next.get();
            return *this;
        }
        Iterator operator++(int) noexcept {
            const Iterator before = *this;
            ++*this;
            return before;
        }
        bool operator==(const Iterator&) const = default;

      private:
        const AttributeValue* at_ = nullptr;
    };

    explicit AttributeNames(const AttributeValue* first) noexcept : first_(first) {}
    Iterator begin() const noexcept { return Iterator(first_); }
    Iterator end() const noexcept { return {}; }
    bool empty() const noexcept { return first_ == nullptr; }

  private:
    const AttributeValue* first_;
};

static_assert(std::forward_iterator<AttributeNames::Iterator>);
static_assert(std::input_iterator<InstanceChildren::Iterator>);

} // namespace detail

inline detail::InstanceChildren Instance::children() const {
    const detail::InstanceNode* const it = node("takt::Instance::children");
    return detail::InstanceChildren(it == nullptr ? Instance() : relative(it->first_child));
}

inline detail::AttributeNames Instance::attribute_names() const {
    const detail::InstanceNode* const it = node("takt::Instance::attribute_names");
    return detail::AttributeNames(it == nullptr ? nullptr : it->attributes.get());
}

} // namespace takt

template <>
struct std::hash<takt::Instance> {
    std::size_t operator()(takt::Instance one) const noexcept {
        return static_cast<std::size_t>((std::uint64_t{one.slot_} << 32 | one.runtime_) *
                                            0x9e37'79b9'7f4a'7c15u ^
                                        one.generation_);
    }
};
