// SPDX-License-Identifier: MIT
#include "topology/hwloc_reader.hpp"

#include "takt/base.hpp"
#include "topology/file.hpp"
#include "topology/xml_check.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <hwloc.h>
#include <memory>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

// What hwloc does that a caller would not expect, and what is done about it here:
//
// - HWLOC_XMLFILE and its kin replace the machine behind the program's back; binding then returns
//   0 and does nothing, and HWLOC_THISSYSTEM=1 makes the replacement claim to be real. So the
//   variables are refused by name before hwloc sees them, and is_thissystem is asked afterwards.
// - A file given by the API that cannot be read is forgotten, and the next load describes the real
//   machine. So every return value counts, and the file is read and capped here.
// - It crashes on XML with incomplete objects. So xml_check.hpp reads the file first.
// - A load can succeed without cores. So the result is validated.
//
// Two flags are left out on purpose. IS_THISSYSTEM declares a claim that is to be tested here.
// RESTRICT_TO_CPUBINDING asks for the calling thread's binding, which after the first pin of takt
// is one CPU; the mask taken before any pin is intersected by discover_machine() instead, which
// also leaves the CPUs outside the mask visible, so that they can be named.

namespace takt::detail {
namespace {

constexpr std::size_t kXmlBytesMax = 1024 * 1024;
constexpr std::size_t kSyntheticBytesMax = 4096;
// hwloc's memory grows with the square of the CPUs; this many take about 100 MB.
constexpr long kSyntheticCpusMax = 8192;

constexpr const char* kForeignMachine[] = {"HWLOC_XMLFILE", "HWLOC_SYNTHETIC", "HWLOC_FSROOT",
                                           "HWLOC_CPUID_PATH"};
constexpr const char* kOtherInfluence[] = {"HWLOC_COMPONENTS", "HWLOC_THISSYSTEM"};

struct Destroy {
    void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
using Topology = std::unique_ptr<std::remove_pointer_t<hwloc_topology_t>, Destroy>;

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value ? value : "";
}

/// What the source of a machine is called in errors, and what to do about a bad one.
struct Origin {
    MachineSource source = MachineSource::native;
    std::string key = {};
    std::string value = {};
    std::string remedy = {};

    [[noreturn]] void refuse(std::string problem) const {
        throw Error(key, value, std::move(problem), remedy);
    }
};

constexpr const char* kUnsetRemedy =
    "Unset it for this program, or set topology.on_failure to flat; a machine to plan for goes "
    "into topology.xml_path or topology.synthetic";

Origin native_origin() {
    for (const char* const name : kOtherInfluence)
        if (std::string value = environment(name); !value.empty())
            return {MachineSource::native, name, std::move(value), kUnsetRemedy};
    return {MachineSource::native, "topology", "native",
            "Check that lstopo works here, or set topology.on_failure to flat"};
}

Origin origin_of(const TopologyConfig& config) {
    if (!config.synthetic.empty())
        return {MachineSource::synthetic, "topology.synthetic", config.synthetic,
                "Write levels from the outside in, like package:2 l3:4 core:8 pu:2, with " +
                    std::to_string(kSyntheticCpusMax) + " CPUs at most"};
    if (!config.xml_path.empty())
        return {MachineSource::xml, "topology.xml_path", config.xml_path,
                "Give a file made by: lstopo --of xml machine.xml"};
    return native_origin();
}

void refuse_foreign_machine() {
    for (const char* const name : kForeignMachine)
        if (std::string value = environment(name); !value.empty())
            throw Error(name, std::move(value),
                        "it makes hwloc describe another machine, on which no worker can be pinned",
                        kUnsetRemedy);
}

Topology make_topology() {
    hwloc_topology_t raw = nullptr;
    if (hwloc_topology_init(&raw) != 0)
        throw Error("topology", "hwloc", "hwloc cannot be initialised (" + error_text(errno) + ")",
                    "Check that lstopo works here, or set topology.on_failure to flat");
    Topology topology(raw);
    // Without this flag one component of hwloc walks the calling thread over all CPUs, which
    // stalls behind real-time threads (open-mpi/hwloc#474) and disturbs an embedding program.
    hwloc_topology_set_flags(raw, HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING);
    return topology;
}

/// The factor of one level of a synthetic description: 4 for "l3:4", "core:4(indexes=...)" and
/// "4", 1 for what is not a level.
long level_factor(std::string_view level) {
    const std::size_t colon = level.find(':');
    const std::string_view digits = colon == level.npos ? level : level.substr(colon + 1);
    long factor = 1;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), factor);
    if (read.ec == std::errc::result_out_of_range)
        return kSyntheticCpusMax + 1;
    return read.ec == std::errc{} && factor > 0 ? factor : 1;
}

// Before hwloc builds it: "pu:1000000" would cost gigabytes before its size can be asked.
void check_synthetic(const Origin& origin) {
    if (origin.value.size() > kSyntheticBytesMax)
        origin.refuse("it is longer than " + std::to_string(kSyntheticBytesMax) + " bytes");
    long cpus = 1;
    std::string_view rest = origin.value;
    while (!rest.empty() && cpus <= kSyntheticCpusMax) {
        const std::size_t blank = rest.find(' ');
        cpus *= level_factor(rest.substr(0, blank));
        rest.remove_prefix(blank == rest.npos ? rest.size() : blank + 1);
    }
    if (cpus > kSyntheticCpusMax)
        origin.refuse("it describes more than " + std::to_string(kSyntheticCpusMax) + " CPUs");
}

void set_synthetic(hwloc_topology_t topology, const Origin& origin) {
    check_synthetic(origin);
    if (hwloc_topology_set_synthetic(topology, origin.value.c_str()) != 0)
        origin.refuse("hwloc does not understand it");
}

void set_xml(hwloc_topology_t topology, const Origin& origin) {
    const FileText file = read_file(origin.value, kXmlBytesMax);
    if (file.error == EFBIG)
        origin.refuse("the file is larger than " + std::to_string(kXmlBytesMax) + " bytes");
    if (file.error != 0)
        origin.refuse("the file cannot be read (" + error_text(file.error) + ")");
    if (file.text.empty())
        origin.refuse("the file is empty");
    if (std::string fault = find_xml_fault(file.text); !fault.empty())
        origin.refuse(std::move(fault));
    const int bytes = static_cast<int>(file.text.size()) + 1; // with the final 0
    if (hwloc_topology_set_xmlbuffer(topology, file.text.c_str(), bytes) != 0)
        origin.refuse("the file is not XML that hwloc understands");
}

void load(hwloc_topology_t topology, const Origin& origin) {
    if (origin.source == MachineSource::native)
        refuse_foreign_machine();
    if (origin.source == MachineSource::synthetic)
        set_synthetic(topology, origin);
    if (origin.source == MachineSource::xml)
        set_xml(topology, origin);
    if (hwloc_topology_load(topology) != 0)
        origin.refuse("hwloc cannot load the topology (" + error_text(errno) + ")");
    if (origin.source == MachineSource::native && !hwloc_topology_is_thissystem(topology))
        origin.refuse("hwloc says that the machine it describes is not this one");
}

bool is_shared_cache(hwloc_obj_type_t type) {
    return type >= HWLOC_OBJ_L2CACHE && type <= HWLOC_OBJ_L5CACHE;
}

/// Gives every object a dense number in the order in which the CPUs meet it.
class Numbering {
  public:
    int of(hwloc_obj_t object) {
        return numbers_.emplace(object, static_cast<int>(numbers_.size())).first->second;
    }

  private:
    std::unordered_map<hwloc_obj_t, int> numbers_;
};

/// Reads the CPUs of one loaded topology in hwloc's logical order, which keeps siblings adjacent.
class CpuReader {
  public:
    CpuReader(hwloc_topology_t topology, const Origin& origin)
        : topology_(topology), origin_(origin) {}

    std::vector<Cpu> read() {
        const int count = hwloc_get_nbobjs_by_type(topology_, HWLOC_OBJ_PU);
        if (count <= 0)
            origin_.refuse("the topology has no CPUs");
        if (hwloc_get_nbobjs_by_type(topology_, HWLOC_OBJ_CORE) <= 0)
            origin_.refuse("the topology has no cores");
        if (count > kCpuLimit)
            origin_.refuse("the topology has more than " + std::to_string(kCpuLimit) + " CPUs");
        std::vector<Cpu> cpus;
        for (unsigned i = 0; i < static_cast<unsigned>(count); ++i)
            cpus.push_back(read_cpu(hwloc_get_obj_by_type(topology_, HWLOC_OBJ_PU, i)));
        return cpus;
    }

  private:
    Cpu read_cpu(hwloc_obj_t pu) {
        const hwloc_obj_t package = ancestor_or_machine(pu, HWLOC_OBJ_PACKAGE);
        const hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology_, HWLOC_OBJ_CORE, pu);
        Cpu cpu;
        cpu.os_index = checked_index(pu);
        cpu.core = cores_.of(core ? core : pu); // a thread without a core is a core of its own
        cpu.smt_rank = threads_seen_[cpu.core]++;
        cpu.package = packages_.of(package);
        const hwloc_obj_t node = numa_node(pu);
        cpu.numa = numas_.of(node ? node : hwloc_get_root_obj(topology_));
        // Machines that hide their caches: assume that a node, else a package, shares one.
        const hwloc_obj_t cache = last_level_cache(pu);
        cpu.llc = llcs_.of(cache ? cache : node ? node : package);
        cpu.efficiency = efficiency(pu);
        return cpu;
    }

    int checked_index(hwloc_obj_t pu) {
        if (pu->os_index >= static_cast<unsigned>(kCpuLimit))
            origin_.refuse("a CPU has number " + std::to_string(pu->os_index) +
                           ", and CPU numbers end at " + std::to_string(kCpuLimit - 1));
        const int index = static_cast<int>(pu->os_index);
        if (seen_.contains(index))
            origin_.refuse("CPU " + std::to_string(index) + " appears twice");
        seen_.insert(index);
        return index;
    }

    hwloc_obj_t ancestor_or_machine(hwloc_obj_t pu, hwloc_obj_type_t type) const {
        const hwloc_obj_t found = hwloc_get_ancestor_obj_by_type(topology_, type, pu);
        return found ? found : hwloc_get_root_obj(topology_);
    }

    static hwloc_obj_t last_level_cache(hwloc_obj_t pu) {
        hwloc_obj_t last = nullptr;
        for (hwloc_obj_t object = pu->parent; object; object = object->parent)
            if (is_shared_cache(object->type))
                last = object;
        return last;
    }

    /// The smallest node around the CPU: nodes of fast memory may lie beside a larger one.
    hwloc_obj_t numa_node(hwloc_obj_t pu) const {
        hwloc_obj_t best = nullptr;
        hwloc_obj_t node = nullptr;
        while ((node = hwloc_get_next_obj_by_type(topology_, HWLOC_OBJ_NUMANODE, node))) {
            if (!node->cpuset || !hwloc_bitmap_isset(node->cpuset, pu->os_index))
                continue;
            if (!best || hwloc_bitmap_weight(node->cpuset) < hwloc_bitmap_weight(best->cpuset))
                best = node;
        }
        return best;
    }

    int efficiency(hwloc_obj_t pu) const {
        const int kind = hwloc_cpukinds_get_by_cpuset(topology_, pu->cpuset, 0);
        int value = -1;
        if (kind < 0 || hwloc_cpukinds_get_info(topology_, static_cast<unsigned>(kind), nullptr,
                                                &value, nullptr, nullptr, 0) != 0)
            return -1;
        return value;
    }

    hwloc_topology_t topology_;
    const Origin& origin_;
    CpuSet seen_;
    std::unordered_map<int, int> threads_seen_;
    Numbering cores_;
    Numbering llcs_;
    Numbering numas_;
    Numbering packages_;
};

/// CPUs that the kernel knows and that neither run nor are permitted (T3).
int count_hidden(hwloc_topology_t topology) {
    const hwloc_obj_t machine = hwloc_get_root_obj(topology);
    if (!machine->complete_cpuset || !machine->cpuset)
        return 0;
    return hwloc_bitmap_weight(machine->complete_cpuset) - hwloc_bitmap_weight(machine->cpuset);
}

} // namespace

void count_groups(Machine& machine) {
    for (const Cpu& cpu : machine.cpus) {
        machine.cores = std::max(machine.cores, cpu.core + 1);
        machine.llcs = std::max(machine.llcs, cpu.llc + 1);
        machine.numas = std::max(machine.numas, cpu.numa + 1);
        machine.packages = std::max(machine.packages, cpu.package + 1);
    }
}

Machine read_hwloc(const TopologyConfig& config) {
    const Origin origin = origin_of(config);
    const Topology topology = make_topology();
    load(topology.get(), origin);
    Machine machine;
    machine.source = origin.source;
    machine.bindable = origin.source == MachineSource::native;
    machine.cpus = CpuReader(topology.get(), origin).read();
    count_groups(machine);
    if (const int hidden = count_hidden(topology.get()); hidden > 0)
        machine.notes.push_back(std::to_string(hidden) +
                                " more CPUs are offline or outside this process's cpuset");
    return machine;
}

} // namespace takt::detail
