// SPDX-License-Identifier: MIT
#pragma once
// Layer 4, phase. What is said, and done, when a member is used in the wrong phase. Below: context,
// level.

#include "takt/phase/context.hpp"
#include "takt/phase/level.hpp"
#include "takt/phase/unchecked_scope.hpp"

#include <stdexcept>
#include <string>

namespace takt {

/// A member was used where it must not be. `what()` names member, phase, actor, level and remedy:
/// `takt: <member> was used in <phase> by actor "<name>". It is <level>: <where it may be used>.
/// <remedy>.`
class PhaseError : public std::logic_error {
  public:
    PhaseError(std::string member, Level level, Phase phase, std::string actor,
               const std::string& remedy);

    /// The member at fault, for example "takt::ReadParallel::write".
    const std::string& member() const noexcept { return member_; }
    /// What it may be used for.
    Level level() const noexcept { return level_; }
    /// The phase that it was used in.
    Phase phase() const noexcept { return phase_; }
    /// Whose code used it; empty outside actors.
    const std::string& actor() const noexcept { return actor_; }

  private:
    std::string member_;
    Level level_;
    Phase phase_;
    std::string actor_;
};

namespace detail {

/// Throws PhaseError, or aborts with its text, as the current runtime is configured.
[[noreturn]] void violated(const char* member, const char* remedy, Level level = Level::unsafe);
/// The same, unless checks are off, in the runtime or by an UncheckedScope.
[[gnu::cold]] void check_failed(const char* member, Level level, const char* remedy);

/// Set by the layer that knows actors: the name of the actor whose code runs.
inline std::string (*name_of_current_actor)() = nullptr;

} // namespace detail

/// For functions that change the world: raises PhaseError, with this name, unless the caller is in
/// the serial phase. Wait-free: one thread-local compare. Where checks are off it lets the parallel
/// phase pass, and in an UncheckedScope everybody.
inline void require_serial(const char* member, Level level = Level::unsafe) {
    if (current_phase() != Phase::serial) [[unlikely]]
        detail::check_failed(member, level,
                             "Call it from the serial phase: from a handler that was bound with "
                             "bind(), from commit(), or after co_await takt::synchronize()");
}

} // namespace takt
