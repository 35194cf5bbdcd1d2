// SPDX-License-Identifier: MIT
#pragma once
// Layer 10, runtime. What a runtime has done so far, in numbers, and what its actors are at. Values.
// Below: frame. Above: the runtime, which fills them; monitoring.

#include "takt/actor.hpp"
#include "takt/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace takt {

/// Since the runtime began, but for what there is now.
struct Stats {
    std::uint64_t frames = 0;
    std::uint64_t rounds = 0;
    std::uint64_t messages = 0; ///< taken out of lanes
    std::uint64_t commits = 0;
    std::uint64_t failures = 0;
    MailCounts mail = {};      ///< `in_flight` is now
    ExpiryCounts expired = {}; ///< mail.expired, by reason
    std::uint64_t refused = 0; ///< sends from phases that were not answered `ok`
    std::uint64_t load = 0;    ///< now: messages that wait to be taken, or have not ended
    std::uint64_t parks = 0;   ///< times that a worker has gone to sleep
    std::uint64_t wakes = 0;   ///< system calls to wake one
    BalanceCounts balance = {};
    std::uint64_t actors = 0;     ///< now
    std::size_t memory_bytes = 0; ///< now; Runtime::memory_bytes()
};

/// One line for each actor, under a line of headings. The form is not a format.
void print(std::ostream& out, const std::vector<ActorState>& actors);

} // namespace takt
