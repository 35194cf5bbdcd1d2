// SPDX-License-Identifier: MIT
#pragma once
// Zones of a world, each an actor, share one table of how many live where. A status thread outside
// is handed one frozen view a frame, and reads it in its own time.
//
//   zones, in parallel         frame thread                status thread
//   increment("zone/7", 3) ─┐
//   increment("zone/8", 2) ─┼─> clone_and_freeze() ─outlet─> sums, lines, checks
//   increment("born", 5)   ─┘   once a frame

#include "support/report.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace example {

struct WorldOptions {
    std::optional<int> workers = {};
    std::uint64_t frames = 300;
    std::uint32_t zones = 64;
    std::uint64_t seed = 1;
    std::uint64_t frames_a_line = 60; ///< of the status
};

struct WorldRun {
    std::string workers;
    FrameLog log;
    std::uint64_t views = 0;     ///< that the status thread read
    std::uint64_t missed = 0;    ///< for which it was too slow
    std::uint64_t wrong = 0;     ///< in which the living were not those that should be
    std::uint64_t old_views = 0; ///< that a last look found changed, long after their frame
    std::int64_t born = 0;
    std::int64_t died = 0;
    std::int64_t alive = 0;
};

inline constexpr std::int64_t kAtFirst = 100; ///< living in each zone

/// `show` is called by the status thread, with a line of text.
WorldRun run_world(const WorldOptions& options,
                   const std::function<void(const std::string&)>& show);

} // namespace example
