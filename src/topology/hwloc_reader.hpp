// SPDX-License-Identifier: MIT
#pragma once
// Layer 1, topology, private. Gets the CPUs of a machine out of hwloc, and nothing that hwloc says
// without having been checked.

#include "takt/topology/machine.hpp"

namespace takt::detail {

/// The machine that `config` describes, or this one. Fills source, bindable, cpus, the counts and
/// notes; limits and allowed are the caller's. Throws Error whatever config.on_failure says.
Machine read_hwloc(const TopologyConfig& config);

/// Fills the four counts from the CPUs.
void count_groups(Machine& machine);

} // namespace takt::detail
