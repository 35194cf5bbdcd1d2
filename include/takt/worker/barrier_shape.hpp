// SPDX-License-Identifier: MIT
#pragma once
// Layer 2, worker. The tree along which workers meet, cut from where the plan puts them.
// Below: topology (plan). Above: barrier.

#include "takt/topology.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace takt {

/// Who waits for whom at a FrameBarrier. Worker 0 is the root.
///
/// S1  A parent has a smaller index than its children, so whoever takes part has a parent who does.
/// S2  A group holds consecutive levels of one cache: members of a group watch one release line.
struct BarrierShape {
    /// children[w]: the workers whose arrival worker w collects, ascending.
    std::vector<std::vector<int>> children;
    /// group[w]: the release line that worker w watches, 0 .. groups - 1.
    std::vector<int> group;
    /// first[g]: the smallest worker of group g.
    std::vector<int> first;

    int workers() const noexcept { return static_cast<int>(group.size()); }
    int groups() const noexcept { return static_cast<int>(first.size()); }
    /// Hand-overs from the farthest worker to the root.
    int depth() const;
};

/// Children a parent reads before a further level pays. Reading a line that another core wrote
/// costs about 7 ns when the addresses are known, a further level a whole hand-over (50 to 110 ns).
inline constexpr std::size_t kBarrierFanIn = 8;

/// The tree for these workers: cache groups first, then NUMA nodes, packages, the machine, in teams
/// of at most `fan_in` with their leader, as often as it takes: 64 workers behind one cache are 8
/// teams of 8, and then one team of 8 leaders. `fan_in` >= 2, at least one worker.
BarrierShape make_barrier_shape(std::span<const PlannedWorker> workers,
                                std::size_t fan_in = kBarrierFanIn);

} // namespace takt
