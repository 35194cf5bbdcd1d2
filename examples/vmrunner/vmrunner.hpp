// SPDX-License-Identifier: MIT
#pragma once
// The tests of VMsDispatcher: actors with a heartbeat loop, and tasks that keep one of them busy for
// hundreds of heartbeats.

#include "support/report.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace example {

struct VmOptions {
    std::uint32_t actors = 4;
    std::optional<int> workers = {};
    std::uint64_t frames = 6000;
    std::uint64_t seed = 1;
    std::size_t rows = 12; ///< of the loads over time
};

/// The loads of all actors after one frame.
struct VmLoads {
    double seconds = 0; ///< of frame time
    std::vector<std::uint64_t> loads;
};

struct VmRun {
    std::string workers;
    FrameLog log;
    std::vector<VmLoads> over_time;
    /// By actor: how often its heartbeat had which label.
    std::vector<std::map<std::string, std::uint64_t>> labels;
    std::uint64_t tasks = 0;
    double spread = 0;  ///< max - min load, the mean over the frames
    double balance = 1; ///< max load / mean load, both as means over the frames
};

/// `selector` is least_busy, two_choices or round_robin. The same options give the same tasks.
VmRun run_vms(const std::string& selector, const VmOptions& options);

} // namespace example
