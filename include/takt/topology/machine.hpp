// SPDX-License-Identifier: MIT
#pragma once
// Layer 1, topology. The machine as takt sees it: which CPUs there are, what they share, and which
// of them this process may use. Found by hwloc, which stays behind src/; plan.hpp builds on it.

#include "takt/topology/limits.hpp"

#include <iosfwd>
#include <string>
#include <vector>

namespace takt {

/// Where the description of a machine came from.
enum class MachineSource {
    native,    ///< this machine, through hwloc
    synthetic, ///< TopologyConfig::synthetic
    xml,       ///< TopologyConfig::xml_path
    flat,      ///< the affinity mask alone, because nothing better could be had
};

const char* to_string(MachineSource source) noexcept;

enum class OnFailure {
    refuse, ///< throw Error
    flat,   ///< go on with the flat machine, marked degraded, and say why in its notes
};

struct TopologyConfig {
    /// A machine in hwloc's synthetic form, "package:2 l3:4 core:8 pu:2"; empty for the real one.
    std::string synthetic = {};
    /// A machine exported by `lstopo --of xml`, 1 MiB at most; empty for the real one.
    std::string xml_path = {};
    /// What to do when the machine cannot be found out. `flat` costs the knowledge of cores,
    /// caches and NUMA nodes: every CPU counts as a core.
    OnFailure on_failure = OnFailure::refuse;
    LimitsConfig limits = {};
};

/// One hardware thread. All indices but os_index are dense and start at 0, in topological order.
struct Cpu {
    int os_index = 0;
    int core = 0;
    int smt_rank = 0; ///< 0 for the first hardware thread of its core
    int llc = 0;      ///< the CPUs that share a last-level cache
    int numa = 0;
    int package = 0;
    int efficiency = -1; ///< kind of core, higher is faster; -1 when unknown
};

/// A machine. A value: plain data, made by discover_machine() or by hand.
///
/// T1  `allowed` is what the machine and the affinity mask have in common; a synthetic or XML
///     machine is another machine, so all of its CPUs are allowed.
/// T2  Only a native or flat machine is bindable. Nobody is ever told that a worker is pinned to
///     a CPU of a machine that is not this one.
/// T3  CPUs that are offline do not appear.
struct Machine {
    MachineSource source = MachineSource::flat;
    bool degraded = false;      ///< cores, caches and nodes are unknown
    bool bindable = false;      ///< pins can be real (T2)
    std::vector<Cpu> cpus = {}; ///< in topological order: siblings, then caches, then nodes
    int cores = 0;
    int llcs = 0;
    int numas = 0;
    int packages = 0;
    CpuSet allowed = {}; ///< T1
    Limits limits = {};
    std::vector<std::string> notes = {}; ///< what was noticed, one sentence each

    /// Every CPU of the machine, allowed or not.
    CpuSet all_cpus() const;
    /// One screen for people; the form is not a format.
    void print(std::ostream& out) const;
};

/// Finds out about the machine. Throws Error, with the setting or environment variable at fault,
/// when it cannot or when the description is not of this machine (`on_failure` permitting).
/// Never changes the binding of the calling thread. Thread-safe; takes milliseconds.
Machine discover_machine(const TopologyConfig& config = {});

} // namespace takt
