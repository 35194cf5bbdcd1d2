// SPDX-License-Identifier: MIT
#pragma once
// Layer 1, topology, private. The affinity mask of the calling thread, and the one that the
// process had before takt pinned anything.

#include "takt/topology/cpu_set.hpp"

namespace takt::detail {

struct Affinity {
    CpuSet cpus = {};
    int error = 0; // errno of the system call, 0 when `cpus` was read
};

/// The calling thread's mask as the kernel has it now.
Affinity read_affinity();

/// The kernel's number of the calling thread, and "the calling thread" as a number.
int this_thread_id() noexcept;
inline constexpr int kCallingThread = 0;

/// Sets a thread's mask; returns 0 or errno.
int write_affinity(const CpuSet& cpus, int thread_id = kCallingThread) noexcept;

/// The process's mask before takt's first pin (rule Q1 in limits.hpp).
Affinity unpinned_affinity();

} // namespace takt::detail
