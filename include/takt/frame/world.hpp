// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. What the layers between frame and runtime are given of a runtime. Below: actor.
// Above: dispatcher, signal, runtime (which converts to it).

#include "takt/actor.hpp"

#include <cstdint>
#include <memory>

namespace takt {

namespace detail {
class Engine;
class SignalCore;
} // namespace detail

/// A reference to a runtime, for what is built on it. A Runtime converts to it.
class World {
  public:
    explicit World(detail::Engine& engine) noexcept : engine_(&engine) {}

    /// The caller acts in this world from now on: in one of its phases, or as its frame thread.
    /// PhaseError on other threads, about this member.
    void enter(const char* member = "takt::World::enter", Level level = Level::in_frame) const;
    int workers() const noexcept;
    /// next_round delivery: nothing may depend on timing.
    bool is_reproducible() const noexcept;
    /// Rounds since the runtime began.
    std::uint64_t round() const noexcept;
    /// Calls `hook()` at the barrier of each round, in the serial phase. Returns its number. In the
    /// serial phase.
    std::uint64_t at_barrier(UniqueFunction<void()> hook) const;
    /// Any thread. Outside the serial phase it may be called once more: it must know by itself
    /// whether what it serves is still there.
    void forget_barrier_hook(std::uint64_t number) const noexcept;
    /// Tasks of the actor that are on background threads. In the serial phase.
    std::uint64_t offloaded(ActorRef actor) const noexcept;
    /// Begins a task of nobody. In the serial phase.
    void start(Task<> task) const;
    /// The tree of instances of this world, which lives longer than it. Once, before anything uses it.
    void set_tree(detail::ActorTree& tree) const noexcept;
    /// Keeps the loads while mail counts on them.
    void keep(std::shared_ptr<LoadBoard<StdPolicy>> loads) const;
    /// A signal without listeners. `name` lives as long as the program. In the serial phase.
    std::shared_ptr<detail::SignalCore> make_signal(const char* name, bool is_deferred) const;

  private:
    detail::Engine* engine_;
};

} // namespace takt
