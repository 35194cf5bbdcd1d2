// SPDX-License-Identifier: MIT
#pragma once
// Layer 1, topology. The plan: which worker runs on which CPU, and why. A pure function of the
// machine and a few settings, so that the plan of any machine can be tested on any other.

#include "takt/topology/machine.hpp"

#include <iosfwd>
#include <string>
#include <vector>

namespace takt {

/// More workers than this are refused.
inline constexpr int kWorkersMax = 4096;

/// The order in which workers take the allowed CPUs. All use the second hardware threads of cores
/// before two workers share a CPU.
enum class Placement {
    one_per_core, ///< a worker per core, faster kinds of cores first; the default for latency
    one_per_pu,   ///< a worker per hardware thread, first threads of all cores before second ones
    compact,      ///< hardware threads of one core next to each other, as few caches as possible
    spread,       ///< as far apart as possible: packages, then NUMA nodes, caches, cores, threads
};

const char* to_string(Placement placement) noexcept;

struct PlanConfig {
    /// Workers, the calling thread included (it is worker 0); 0 for automatic: one per allowed core
    /// (one_per_pu: per hardware thread), and no more than the CPU quota keeps running. A larger
    /// number is honoured: CPUs are shared, the plan is oversubscribed and says so.
    int workers = 0;
    Placement placement = Placement::one_per_core;
    /// "2-7,10": exactly these CPUs, worker by worker in the order given; empty for `placement`.
    std::string cpus = {};
    /// CPUs to leave alone, in the same form.
    std::string exclude = {};
    /// False leaves the workers to the scheduler.
    bool pin = true;
};

struct PlannedWorker {
    int worker = 0;
    int cpu = 0; ///< the operating system's number; the other indices are Cpu's
    int core = 0;
    int llc = 0;
    int numa = 0;
    int package = 0;
    std::string why = {}; ///< one phrase: "first thread of core 3"
};

/// P1  Every CPU of the plan is allowed by the machine, not excluded, and not booked.
/// P2  Distinct CPUs are used up before one is shared.
/// P3  With one_per_core and compact the workers of one last-level cache have consecutive numbers
///     (one_per_core: within one kind of core).
struct Plan {
    std::vector<PlannedWorker> workers = {}; ///< by worker number, 0 is the caller
    /// CPUs the workers can run on. For another machine's plan never more than this process has.
    int allowed_cpus = 0;
    /// More workers than allowed_cpus, or than the quota keeps running: waiting must not spin.
    bool oversubscribed = false;
    /// The workers will be pinned: asked for, and the machine is bindable.
    bool pin = false;
    std::vector<std::string> notes = {}; ///< what differs from what one would expect

    /// The distinct CPUs of the plan, which is what a runtime books.
    CpuSet cpus() const;
    /// One line per worker; the form is not a format.
    void print(std::ostream& out) const;
};

/// Makes the plan. `booked` are CPUs that another runtime of this process has; automatic placement
/// avoids them, an explicit list must not name them. Throws Error with key "workers.count",
/// "workers.cpus" or "workers.exclude"; depends on nothing but its arguments.
Plan make_plan(const Machine& machine, const PlanConfig& config = {}, const CpuSet& booked = {});

} // namespace takt
