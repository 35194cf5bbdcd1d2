// SPDX-License-Identifier: MIT
#pragma once
// Layer 11, profiler. The last frames of a runtime as they were recorded, as a plain value. Below:
// runtime. Above: the files that are written of it (frame view, Chrome trace), and who wants numbers.

#include "takt/base.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace takt {

/// What a scope is of.
enum class ScopeKind : std::uint8_t {
    frame,    ///< on the serial lane; `note` is its number
    stage,    ///< of a frame, on the serial lane
    round,    ///< of a stage, on the serial lane
    parallel, ///< phase, on the serial lane
    serial,   ///< phase, on the serial lane
    handler,  ///< a message, or a listener's call, with its actor and topic
    commit,   ///< what an actor does in the serial phase: a serial handler, a closure
    task,     ///< a coroutine, from where it goes on to where it next waits
    claim,    ///< a shard of another worker's; `note` is the number of messages
    wait,     ///< at the barrier: nothing left to do, the phase is not over
    idle,     ///< no parallel phase
    park,     ///< asleep, in a wait or idle
    user,     ///< takt::Scope
};

/// "frame", "stage" and so on.
const char* name_of(ScopeKind kind) noexcept;

/// No index.
inline constexpr std::uint32_t kNoIndex = 0xffff'ffff;

/// Times are nanoseconds since Capture::begin_ns; names are indices into Capture::names.
struct CapturedScope {
    ScopeKind kind = ScopeKind::user;
    std::uint8_t depth = 0; ///< scopes of the lane that enclose it
    std::uint32_t name = kNoIndex;
    std::uint32_t actor = kNoIndex; ///< its name
    std::int64_t begin_ns = 0;
    std::int64_t end_ns = 0;
    std::uint64_t note = 0;
    std::uint64_t task = 0; ///< of a task: the same for all its parts; else 0
};

struct CapturedLane {
    std::string name = {}; ///< "serial", "worker 1"
    int worker = -1;       ///< -1: the serial lane
    int cpu = -1;          ///< logical CPU, -1: not pinned
    int cache_group = 0;   ///< workers with the same one share a last-level cache
    /// By begin, the enclosing one first; nested strictly.
    std::vector<CapturedScope> scopes = {};
    std::uint64_t dropped = 0; ///< records that were overwritten before the capture
};

/// A message's way from its send to its handler.
struct CapturedFlow {
    std::uint32_t from_lane = 0;
    std::uint32_t to_lane = 0;
    std::int64_t sent_ns = 0;
    std::int64_t handled_ns = 0; ///< its handler begins
    std::uint32_t name = kNoIndex;
    std::uint32_t actor = kNoIndex; ///< that handles it
};

/// A value that takt::plot() was given.
struct CapturedValue {
    std::uint32_t lane = 0;
    std::uint32_t name = kNoIndex;
    std::int64_t at_ns = 0;
    double value = 0;
};

/// A parallel phase, and who held its barrier: the worker that came to rest last, and what it ran last.
struct CapturedPhase {
    std::int64_t begin_ns = 0;
    std::int64_t end_ns = 0;
    std::uint32_t last_lane = kNoIndex;
    std::uint32_t last_name = kNoIndex;
    std::uint32_t last_actor = kNoIndex;
};

struct CapturedFrame {
    std::uint64_t number = 0;
    std::int64_t begin_ns = 0;
    std::int64_t end_ns = 0;
    /// Sums over the frame.
    std::int64_t parallel_ns = 0;
    std::int64_t serial_ns = 0; ///< serial phases, and what the frame thread does around them
    std::int64_t wait_ns = 0;   ///< of all workers together
    std::vector<CapturedPhase> phases = {};
};

/// All messages of one actor and topic in one kind of scope. Nanoseconds.
struct CapturedRow {
    ScopeKind kind = ScopeKind::handler; ///< handler, commit, task or user
    std::uint32_t name = kNoIndex;
    std::uint32_t actor = kNoIndex;
    std::uint64_t count = 0;
    std::int64_t total_ns = 0;
    std::int64_t run_p50_ns = 0;
    std::int64_t run_p99_ns = 0;
    std::int64_t run_max_ns = 0;
    std::uint64_t waits = 0;      ///< messages whose time of sending is known
    std::int64_t wait_p50_ns = 0; ///< from send to handler
    std::int64_t wait_p99_ns = 0;
    /// Of it on the critical path: in serial phases, and in parallel ones on the lane that held the
    /// barrier.
    std::int64_t critical_ns = 0;
};

/// The last frames of a runtime. Made by Recorder::capture().
struct Capture {
    std::int64_t begin_ns = 0;  ///< now_ns() time of its zero
    std::int64_t end_ns = 0;    ///< of its end, since begin_ns
    std::int64_t budget_ns = 0; ///< of a frame; 0: it has none
    std::string title = {};     ///< of the program
    std::vector<std::string> names = {};
    std::vector<CapturedLane> lanes = {}; ///< the serial one first, then the workers' by number
    std::vector<CapturedFrame> frames = {};
    std::vector<CapturedFlow> flows = {};
    std::vector<CapturedValue> values = {};
    std::vector<CapturedRow> rows = {}; ///< the dearest first
    std::uint64_t dropped = 0;          ///< of all lanes
    std::uint64_t dropped_frames = 0;   ///< frames whose begin was overwritten

    /// Empty for kNoIndex.
    const std::string& name(std::uint32_t index) const noexcept;
};

} // namespace takt
