// SPDX-License-Identifier: MIT
#pragma once
// Layer 4, phase. What is said, and done, when a member is used in the wrong phase. Below: context.

#include "takt/phase/context.hpp"

#include <stdexcept>
#include <string>

namespace takt {

/// A member was used where it must not be. `what()` names member, phase, actor and remedy.
class PhaseError : public std::logic_error {
  public:
    PhaseError(std::string member, Phase phase, std::string actor, const std::string& remedy);

    /// The member at fault, for example "ReadParallel<Terrain>::write".
    const std::string& member() const noexcept { return member_; }
    /// The phase that it was used in.
    Phase phase() const noexcept { return phase_; }
    /// Whose code used it; empty outside actors.
    const std::string& actor() const noexcept { return actor_; }

  private:
    std::string member_;
    Phase phase_;
    std::string actor_;
};

namespace detail {

/// Throws PhaseError, or aborts with its text, as the current runtime is configured.
[[noreturn]] void violated(const char* member, const char* remedy);

/// Set by the layer that knows actors: the name of the actor whose code runs.
inline std::string (*name_of_current_actor)() = nullptr;

} // namespace detail

/// For functions that change the world: raises PhaseError unless the caller is in the serial phase.
/// One thread-local compare; nothing where checks are off.
inline void require_serial(const char* member) {
    const detail::Context* const context = detail::current_context();
    if (context == nullptr || (context->phase != Phase::serial && context->checks)) [[unlikely]]
        detail::violated(member,
                         "Call it from the serial phase: from a handler that was bound with "
                         "bind(), from commit(), or after co_await takt::synchronize()");
}

} // namespace takt
