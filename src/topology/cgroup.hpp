// SPDX-License-Identifier: MIT
#pragma once
// Layer 1, topology, private. The CPU quota of the process's cgroups, v1, v2 or both.

#include "takt/topology/limits.hpp"

#include <string>

namespace takt::detail {

/// Lowers limits.cpus to the tightest quota of any ancestor (Q2), names its file in limits.source
/// and notes what could not be used (Q3).
void apply_cgroup_quota(const std::string& filesystem_root, Limits& limits);

} // namespace takt::detail
