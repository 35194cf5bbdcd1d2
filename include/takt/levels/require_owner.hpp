// SPDX-License-Identifier: MIT
#pragma once
// Layer 8, levels. What belongs to one actor: the check for functions. Below: actor, phase. Beside:
// local_safe.

#include "takt/actor.hpp"
#include "takt/phase.hpp"

namespace takt {

namespace detail {

/// check_failed(), with the owner in the remedy.
[[gnu::cold]] void owner_check_failed(ActorRef owner, const char* member);

} // namespace detail

/// For functions that change what belongs to one actor: raises PhaseError, with this name, unless the
/// caller is that actor's code or in the serial phase of its runtime. Wait-free: one thread-local
/// compare, and in the parallel phase one look at the actor. Where checks are off it lets the
/// parallel phase pass, and in an UncheckedScope everybody.
inline void require_owner(ActorRef owner, const char* member) {
    const detail::ActorContext* const here = detail::context_in(owner.runtime());
    if (here == nullptr || (here->phase != Phase::serial && !detail::runs_as(*here, owner)))
        [[unlikely]]
        detail::owner_check_failed(owner, member);
}

} // namespace takt
