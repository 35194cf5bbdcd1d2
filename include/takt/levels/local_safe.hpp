// SPDX-License-Identifier: MIT
#pragma once
// Layer 8, levels. State that its actor changes in the parallel phase, while the others read what it
// was at the last barrier. Below: actor (Publication). Beside: require_owner.

#include "takt/levels/require_owner.hpp"

#include <type_traits>
#include <utility>

namespace takt {

/// Owned by one actor. In the parallel phase its owner reads and writes its own copy; everybody else
/// reads, without locks, the value of the last barrier. At the barrier of the round in which it was
/// written the change becomes the value. In the serial phase, where the world stands still, all read
/// and write the one value, and the parallel phase sees that from its begin on.
///
///     takt::LocalSafe<Position> position(hero, 0, 0);
///     position.write().x += 1;                   // hero's code, in the parallel phase
///     position->x;                               // anywhere in a frame
///
/// The first write() in a round costs one copy assignment of T, on the caller's thread; it reuses
/// what T's of two changes ago had, a vector's memory for example. Further ones cost a compare. set()
/// costs a move and no copy. The barrier turns the two copies round, whatever T is; for those that
/// were not written it does nothing at all. Memory: two T and 40 bytes.
///
/// When the owner is gone, its last value stays, and the serial phase may write it. May be made
/// anywhere. Goes in the serial phase, by its owner, or after the runtime; nobody may be reading.
/// All operations are wait-free, but for what T does.
template <class T>
class LocalSafe : private detail::Publication {
  public:
    static_assert(std::is_copy_constructible_v<T> && std::is_copy_assignable_v<T>,
                  "takt: the type of a LocalSafe cannot be copied; its owner writes a copy");

    /// `args`: of the first value. Throws takt::Error when `owner` names nobody.
    template <class... Args>
    explicit LocalSafe(ActorRef owner, Args&&... args)
        : Publication(&turn_round), owner_(owner), one_(std::forward<Args>(args)...), other_(one_) {
        if (!owner)
            throw Error("owner", "", "a LocalSafe belongs to an actor",
                        "Give the ActorRef that spawn_actor() returned, or actor.ref()");
    }
    LocalSafe(const LocalSafe&) = delete;
    LocalSafe& operator=(const LocalSafe&) = delete;

    ActorRef owner() const noexcept { return owner_; }

    /// PhaseError outside the frame. The reference is good until the phase ends.
    const T& read() const {
        const detail::ActorContext* const here = detail::context_in(owner_.runtime());
        if (here == nullptr) [[unlikely]]
            detail::check_failed("takt::LocalSafe::read", Level::local_safe,
                                 "Read it in a frame of its actor's runtime, or on the frame "
                                 "thread between frames; other threads send a message or post()");
        // In this order: is_due() is the writer's.
        return here != nullptr && sees_changes(*here) && is_due() ? changed() : value();
    }
    const T& operator*() const { return read(); }
    const T* operator->() const { return &read(); }

    /// To change the value. PhaseError in the parallel phase for all but the owner, and outside the
    /// frame. The reference is good until the phase ends.
    T& write() {
        detail::ActorContext& here = writer("takt::LocalSafe::write");
        if (!is_due()) {
            changed() = value();
            add_to(here.publications);
        }
        return changed();
    }
    /// A new value, whatever it was. PhaseError as write().
    void set(T next) {
        detail::ActorContext& here = writer("takt::LocalSafe::set");
        changed() = std::move(next);
        if (!is_due())
            add_to(here.publications);
    }

  private:
    static void turn_round(Publication& due) noexcept {
        auto& self = static_cast<LocalSafe&>(due);
        self.is_turned_ = !self.is_turned_;
    }

    detail::ActorContext& writer(const char* member) const {
        require_owner(owner_, member);
        detail::ActorContext* const here = detail::context_in(owner_.runtime());
        if (here == nullptr) [[unlikely]] // unchecked, and there is no barrier to publish it
            detail::violated(member, "Write it in a frame of its actor's runtime",
                             Level::local_safe);
        return *here;
    }
    bool sees_changes(const detail::ActorContext& here) const noexcept {
        return here.phase == Phase::serial || detail::runs_as(here, owner_);
    }
    const T& value() const noexcept { return is_turned_ ? other_ : one_; }
    T& changed() noexcept { return is_turned_ ? one_ : other_; }
    const T& changed() const noexcept { return is_turned_ ? one_ : other_; }

    const ActorRef owner_;
    bool is_turned_ = false; // written in the serial phase only
    T one_;
    T other_;
};

} // namespace takt
