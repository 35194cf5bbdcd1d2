// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. What a frame tells: how it went, and what failed in it. Below: actor.

#include "takt/actor.hpp"

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace takt {

/// What one step() did.
struct FrameReport {
    FrameTime time = {};
    std::int64_t duration_ns = 0; ///< from the begin of step() to its end
    std::uint32_t rounds = 0;
    std::uint64_t messages = 0; ///< taken out of lanes
    std::uint64_t commits = 0;
    std::uint64_t failures = 0;
    /// True: the phase budget or max_rounds ended it; mail or commits are left for the next frame.
    bool left_over = false;
};

/// A handler, a task, a commit or a setup that threw.
struct Failure {
    ActorRef actor = {};    ///< empty: code outside actors
    std::string name = {};  ///< the actor's
    std::string topic = {}; ///< of the message, or the signal; empty when it was none
    std::uint64_t frame = 0;
    std::exception_ptr exception = {};

    /// One line: frame, actor, topic and what().
    std::string text() const;
};

/// Mail that nobody handled.
struct DeadLetter {
    ActorRef actor = {};
    std::string topic = {};
    using Reason = Expiry;
    Reason reason = Reason::gone;
};

/// What was done since the runtime began so that workers have equally much to do.
struct BalanceCounts {
    std::uint64_t claims = 0;    ///< shards that an idle worker took from another one for a phase
    std::uint64_t passed_on = 0; ///< messages that came for those later in the phase
    std::uint64_t moves = 0;     ///< shards that got another worker
};

/// What an actor is at.
struct ActorState {
    ActorRef ref = {};
    std::string name = {}; ///< "#7" where it has none
    /// "unborn" until its setup has ended, "live", "stopped" after a failure, "dying".
    const char* life = "";
    int worker = 0;              ///< that it lives on
    std::uint64_t handled = 0;   ///< messages
    std::uint64_t in_flight = 0; ///< that were taken and have not ended; of those
    std::uint64_t kept = 0;      ///< that wait for a handler
    std::uint64_t tasks = 0;     ///< that have not ended
    std::uint64_t offloaded = 0; ///< of those, on background threads
};

/// What a shutdown left behind, or had to end.
struct ShutdownReport {
    std::uint64_t actors = 0;           ///< that it destroyed
    std::uint64_t messages_expired = 0; ///< unhandled mail that it destroyed
    std::uint64_t tasks_destroyed = 0;  ///< that had not ended
    /// Tasks on background threads that did not come home in time, by the names of their actors.
    /// They are waited for when the runtime is destroyed.
    std::vector<std::string> offloaded_left = {};
    /// Their actors, as they were when the shutdown began.
    std::vector<ActorState> actors_left = {};
};

} // namespace takt
