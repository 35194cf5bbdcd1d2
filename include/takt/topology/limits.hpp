// SPDX-License-Identifier: MIT
#pragma once
// Layer 1, topology. What the operator allows this process: the CPUs of its affinity mask and the
// CPU time of its cgroups. Below: base; machine.hpp and plan.hpp use it.

#include "takt/topology/cpu_set.hpp"

#include <limits>
#include <string>
#include <vector>

namespace takt {

struct LimitsConfig {
    /// Put before every path that is read ("/proc", "/sys"), so that tests can bring a tree of
    /// their own. Empty on a real machine.
    std::string filesystem_root = {};
};

/// Q1  The affinity mask is the one the process had before takt pinned anything.
/// Q2  Of the quotas of all ancestor cgroups, v1 and v2, the tightest counts.
/// Q3  A file that cannot be read or understood is ignored and named in `notes`.
struct Limits {
    /// CPUs the process may run on (Q1). Empty when the kernel would not say; `notes` says why.
    CpuSet affinity = {};
    /// CPU time per second of wall time, in CPUs; infinity without a quota (Q2).
    double cpus = std::numeric_limits<double>::infinity();
    /// The file that set `cpus`; empty without a quota.
    std::string source = {};
    /// What was noticed and could not be used, one sentence each.
    std::vector<std::string> notes = {};

    /// Workers that the quota can keep running: max(1, floor(cpus)), and INT_MAX without one.
    /// Rounded down, because one worker too many stops all of them for the rest of each period.
    int workers_by_quota() const noexcept;
};

/// Reads the limits of the calling thread's process. Never throws for what the files contain.
Limits read_limits(const LimitsConfig& config = {});

namespace detail {

/// Whoever pins a thread calls this first. From then on read_limits() reports the mask that was
/// last read before (or the calling thread's, if none was): a pinned thread's own mask would say
/// that the process may use one CPU. Any thread; does nothing after the first time.
void note_first_pin();

} // namespace detail
} // namespace takt
