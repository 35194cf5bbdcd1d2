// SPDX-License-Identifier: MIT
#include "takt/topology/machine.hpp"

#include "takt/base.hpp"
#include "topology/hwloc_reader.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <sstream>
#include <thread>

namespace takt {
namespace {

bool is_another_machine(const TopologyConfig& config) {
    return !config.synthetic.empty() || !config.xml_path.empty();
}

// The quota of this process does not bind another machine, unless the caller brought that
// machine's files. The mask stays: the plan says how many CPUs the workers would really have.
Limits limits_for(const TopologyConfig& config) {
    Limits limits = read_limits(config.limits);
    if (is_another_machine(config) && config.limits.filesystem_root.empty())
        return {.affinity = std::move(limits.affinity)};
    return limits;
}

CpuSet cpus_without_topology(const Limits& limits) {
    if (!limits.affinity.empty())
        return limits.affinity;
    CpuSet cpus;
    const int count = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    for (int cpu = 0; cpu < std::min(count, kCpuLimit); ++cpu)
        cpus.insert(cpu);
    return cpus;
}

Machine flat_machine(const Limits& limits, const Error& reason) {
    Machine machine;
    machine.source = MachineSource::flat;
    machine.degraded = true;
    machine.bindable = true;
    for (const int os_index : cpus_without_topology(limits))
        machine.cpus.push_back(
            {.os_index = os_index, .core = static_cast<int>(machine.cpus.size())});
    detail::count_groups(machine);
    machine.notes.push_back("flat topology, every CPU counts as a core, because of " +
                            reason.key() + " = \"" + reason.value() + "\": " + reason.problem());
    return machine;
}

Machine find_machine(const TopologyConfig& config, const Limits& limits) {
    try {
        return detail::read_hwloc(config);
    } catch (const Error& error) {
        if (config.on_failure == OnFailure::refuse)
            throw;
        return flat_machine(limits, error);
    }
}

std::string number(double value) {
    std::ostringstream text;
    text << value;
    return text.str();
}

void note_cpus(Machine& machine, const CpuSet& cpus, const char* problem) {
    if (!cpus.empty())
        machine.notes.push_back("CPUs " + cpus.to_string() + " " + problem);
}

void note_limits(Machine& machine) {
    const Limits& limits = machine.limits;
    if (std::isfinite(limits.cpus))
        machine.notes.push_back("CPU quota of " + number(limits.cpus) + " CPUs, set by " +
                                limits.source);
    machine.notes.insert(machine.notes.end(), limits.notes.begin(), limits.notes.end());
}

// T1.
void allow(Machine& machine) {
    const CpuSet all = machine.all_cpus();
    const CpuSet& mask = machine.limits.affinity;
    if (!machine.bindable || mask.empty()) {
        machine.allowed = all;
        return;
    }
    machine.allowed = all & mask;
    note_cpus(machine, all - mask, "are outside this process's affinity mask and stay unused");
    note_cpus(machine, mask - all, "are allowed, but hwloc does not list them; they stay unused");
}

void refuse_two_sources(const TopologyConfig& config) {
    if (!config.synthetic.empty() && !config.xml_path.empty())
        throw Error("topology.synthetic", config.synthetic,
                    "topology.xml_path is set too, and there can be one machine",
                    "Set one of the two");
}

} // namespace

const char* to_string(MachineSource source) noexcept {
    switch (source) {
    case MachineSource::native:
        return "native";
    case MachineSource::synthetic:
        return "synthetic";
    case MachineSource::xml:
        return "xml";
    case MachineSource::flat:
        break;
    }
    return "flat";
}

CpuSet Machine::all_cpus() const {
    CpuSet all;
    for (const Cpu& cpu : cpus)
        all.insert(cpu.os_index);
    return all;
}

void Machine::print(std::ostream& out) const {
    out << "machine (" << to_string(source) << (degraded ? ", degraded" : "")
        << (bindable ? "" : ", cannot be pinned to") << "): CPUs " << cpus.size() << ", cores "
        << cores << ", last-level caches " << llcs << ", NUMA nodes " << numas << ", packages "
        << packages << "\n";
    out << "  allowed CPUs: " << allowed.to_string() << "\n";
    int shown = -1;
    for (const Cpu& cpu : cpus) {
        if (cpu.llc != shown)
            out << (shown < 0 ? "" : "\n") << "  package " << cpu.package << ", NUMA node "
                << cpu.numa << ", cache " << cpu.llc << ": CPUs";
        shown = cpu.llc;
        out << (cpu.smt_rank == 0 ? " " : "+") << cpu.os_index;
    }
    out << "\n";
    for (const std::string& note : notes)
        out << "  note: " << note << "\n";
}

Machine discover_machine(const TopologyConfig& config) {
    refuse_two_sources(config);
    Limits limits = limits_for(config);
    Machine machine = find_machine(config, limits);
    machine.limits = std::move(limits);
    note_limits(machine);
    allow(machine);
    if (machine.allowed.empty())
        throw Error("topology", to_string(machine.source),
                    "none of its CPUs (" + machine.all_cpus().to_string() +
                        ") is in this process's affinity mask (" +
                        machine.limits.affinity.to_string() + ")",
                    "Start the program with CPUs that exist, or unset every HWLOC_ variable");
    return machine;
}

} // namespace takt
