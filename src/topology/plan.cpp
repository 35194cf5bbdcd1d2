// SPDX-License-Identifier: MIT
#include "takt/topology/plan.hpp"

#include "takt/base.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <ostream>
#include <sstream>
#include <tuple>
#include <utility>

namespace takt {
namespace {

/// A CPU that a worker may get, with its place among the others that a worker may get.
struct Candidate {
    Cpu cpu;
    int thread = 0; // rank among the usable threads of its core
    int core = 0;   // rank of its core among the usable cores of its cache
    int llc = 0;    // rank of its cache in its node
    int numa = 0;   // rank of its node in its package
};

/// Ranks the children of each parent by first appearance.
class Ranks {
  public:
    int of(std::array<int, 4> parent, int child) {
        auto& children = ranks_[parent];
        return children.emplace(child, static_cast<int>(children.size())).first->second;
    }

  private:
    std::map<std::array<int, 4>, std::map<int, int>> ranks_;
};

std::vector<Candidate> candidates(const Machine& machine, const CpuSet& usable) {
    std::vector<Candidate> found;
    Ranks threads, cores, llcs, numas;
    for (const Cpu& cpu : machine.cpus)
        if (usable.contains(cpu.os_index))
            found.push_back({.cpu = cpu,
                             .thread = threads.of({cpu.core}, cpu.os_index),
                             .core = cores.of({cpu.package, cpu.numa, cpu.llc}, cpu.core),
                             .llc = llcs.of({cpu.package, cpu.numa}, cpu.llc),
                             .numa = numas.of({cpu.package}, cpu.numa)});
    return found;
}

template <class Key>
void order_by(std::vector<Candidate>& cpus, Key key) {
    std::stable_sort(cpus.begin(), cpus.end(),
                     [&key](const Candidate& a, const Candidate& b) { return key(a) < key(b); });
}

// The candidates come in topological order, which is what `compact` wants.
void sort_for(Placement placement, std::vector<Candidate>& cpus) {
    switch (placement) {
    case Placement::one_per_core:
    case Placement::one_per_pu:
        return order_by(cpus,
                        [](const Candidate& c) { return std::pair(c.thread, -c.cpu.efficiency); });
    case Placement::spread:
        return order_by(cpus, [](const Candidate& c) {
            return std::tuple(c.thread, c.core, c.llc, c.numa, c.cpu.package);
        });
    case Placement::compact:
        return;
    }
}

std::string ordinal_thread(const Candidate& candidate) {
    static constexpr const char* kNames[] = {"first", "second", "third", "fourth"};
    const auto rank = static_cast<std::size_t>(candidate.cpu.smt_rank);
    const std::string name =
        rank < std::size(kNames) ? kNames[rank] : "number " + std::to_string(rank + 1);
    return name + " thread of core " + std::to_string(candidate.cpu.core);
}

std::string counted(int count, const char* thing) {
    return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string named(const CpuSet& cpus) {
    return (cpus.count() == 1 ? "CPU " : "CPUs ") + cpus.to_string();
}

std::string that_are(const CpuSet& cpus) {
    return named(cpus) + (cpus.count() == 1 ? " is " : " are ");
}

/// Makes one plan; each step narrows what the step before left.
class Planner {
  public:
    Planner(const Machine& machine, const PlanConfig& config, const CpuSet& booked)
        : machine_(machine), config_(config), booked_(booked) {}

    Plan make() {
        check_count();
        exclude();
        if (config_.cpus.empty())
            place();
        else
            follow_list();
        assign();
        judge();
        return std::move(plan_);
    }

  private:
    void check_count() const {
        if (config_.workers < 0 || config_.workers > kWorkersMax)
            throw Error("workers.count", std::to_string(config_.workers),
                        "takt runs 1 to " + std::to_string(kWorkersMax) + " workers",
                        "Use 0 for one worker per allowed core");
    }

    void exclude() {
        if (machine_.allowed.empty())
            throw Error("topology", to_string(machine_.source), "the machine has no allowed CPU",
                        "Make the machine with discover_machine, or fill in Machine::allowed");
        const CpuSet excluded = CpuSet::parse("workers.exclude", config_.exclude);
        if (const CpuSet unknown = excluded - machine_.all_cpus(); !unknown.empty())
            note("workers.exclude names " + named(unknown) + ", which the machine does not have");
        usable_ = machine_.allowed - excluded;
        if (usable_.empty())
            throw Error("workers.exclude", config_.exclude, "no allowed CPU is left",
                        "Leave at least one of " + machine_.allowed.to_string());
    }

    void place() {
        const CpuSet free = usable_ - booked_;
        if (const CpuSet taken = usable_ & booked_; !taken.empty())
            note(that_are(taken) + "left to another runtime of this process");
        if (free.empty())
            throw Error("workers.count",
                        automatic() ? "automatic" : std::to_string(config_.workers),
                        "another runtime of this process has booked every allowed CPU (" +
                            usable_.to_string() + ")",
                        "Give each runtime its CPUs with workers.cpus, or end the other one first");
        order_ = candidates(machine_, free);
        sort_for(config_.placement, order_);
        count_ = automatic() ? automatic_count() : config_.workers;
    }

    bool automatic() const { return config_.workers == 0; }

    int automatic_count() {
        const auto wanted = config_.placement == Placement::one_per_pu
                                ? std::ssize(order_)
                                : std::count_if(order_.begin(), order_.end(),
                                                [](const Candidate& c) { return c.thread == 0; });
        const int count = static_cast<int>(std::min<std::ptrdiff_t>(wanted, kWorkersMax));
        if (wanted > kWorkersMax)
            note("takt runs " + std::to_string(kWorkersMax) + " workers at most");
        if (count <= quota())
            return count;
        note(counted(quota(), "worker") + " instead of " + std::to_string(count) + ": " +
             quota_text());
        return quota();
    }

    void follow_list() {
        const std::vector<int> list = parse_cpu_list("workers.cpus", config_.cpus);
        CpuSet listed;
        for (const int cpu : list)
            listed.insert(cpu);
        check_list(listed);
        std::map<int, Cpu> by_number;
        for (const Cpu& cpu : machine_.cpus)
            by_number.emplace(cpu.os_index, cpu);
        for (const int cpu : list)
            order_.push_back({.cpu = by_number.at(cpu)});
        count_ = static_cast<int>(std::min(list.size(), std::size_t{kWorkersMax} + 1));
        if (count_ > kWorkersMax)
            refuse_list("it lists more than " + std::to_string(kWorkersMax) + " CPUs",
                        "List one CPU per worker");
        if (!automatic() && config_.workers != count_)
            refuse_list("it lists " + counted(count_, "CPU") + " and workers.count is " +
                            std::to_string(config_.workers),
                        "List one CPU per worker, or leave workers.count at 0");
    }

    void check_list(const CpuSet& listed) const {
        const CpuSet free = usable_ - booked_;
        const std::string choose =
            free.empty() ? "End the other runtime first" : "Choose from " + free.to_string();
        if (const CpuSet unknown = listed - machine_.all_cpus(); !unknown.empty())
            refuse_list("the machine has no " + named(unknown), choose);
        if (const CpuSet forbidden = listed - machine_.allowed; !forbidden.empty())
            refuse_list(that_are(forbidden) + "outside this process's affinity mask", choose);
        if (const CpuSet both = listed - usable_; !both.empty())
            refuse_list(that_are(both) + "also in workers.exclude", choose);
        if (const CpuSet taken = listed & booked_; !taken.empty())
            refuse_list(that_are(taken) + "already booked by another runtime of this process",
                        choose);
    }

    [[noreturn]] void refuse_list(std::string problem, std::string remedy) const {
        throw Error("workers.cpus", config_.cpus, std::move(problem), std::move(remedy));
    }

    void assign() {
        const int distinct = static_cast<int>(order_.size());
        for (int worker = 0; worker < count_; ++worker) {
            const Candidate& from = order_[static_cast<std::size_t>(worker % distinct)];
            const Cpu& cpu = from.cpu;
            plan_.workers.push_back({.worker = worker,
                                     .cpu = cpu.os_index,
                                     .core = cpu.core,
                                     .llc = cpu.llc,
                                     .numa = cpu.numa,
                                     .package = cpu.package,
                                     .why = why(from, worker, distinct)});
        }
    }

    std::string why(const Candidate& from, int worker, int distinct) const {
        const bool shared = worker >= distinct || worker + distinct < count_;
        if (shared)
            return "shares CPU " + std::to_string(from.cpu.os_index) + ": " +
                   counted(count_, "worker") + " on " + counted(distinct, "CPU");
        return config_.cpus.empty() ? ordinal_thread(from) : "listed in workers.cpus";
    }

    void judge() {
        plan_.pin = config_.pin && machine_.bindable;
        plan_.allowed_cpus = static_cast<int>(order_.size());
        if (config_.pin && !machine_.bindable)
            note(std::string("the workers will not be pinned: the machine is ") +
                 to_string(machine_.source));
        if (count_ > plan_.allowed_cpus)
            oversubscribe(counted(plan_.allowed_cpus, "CPU"));
        judge_elsewhere();
        if (count_ > quota())
            oversubscribe(quota_text());
    }

    // Workers of another machine's plan, once started, run on the CPUs that there are here.
    void judge_elsewhere() {
        const int here = machine_.limits.affinity.count();
        if (machine_.bindable || here == 0 || here >= plan_.allowed_cpus)
            return;
        plan_.allowed_cpus = here;
        if (count_ > here)
            oversubscribe(counted(here, "CPU") + " of this process, if they are started here");
    }

    void oversubscribe(const std::string& supply) {
        plan_.oversubscribed = true;
        note("oversubscribed: " + counted(count_, "worker") + " on " + supply);
    }

    int quota() const { return machine_.limits.workers_by_quota(); }

    std::string quota_text() const {
        std::ostringstream text;
        text << "a CPU quota of " << machine_.limits.cpus << ", set by " << machine_.limits.source;
        return text.str();
    }

    void note(std::string text) { plan_.notes.push_back(std::move(text)); }

    const Machine& machine_;
    const PlanConfig& config_;
    const CpuSet& booked_;
    CpuSet usable_;                // allowed and not excluded
    std::vector<Candidate> order_; // distinct CPUs in the order in which workers take them
    int count_ = 0;
    Plan plan_;
};

} // namespace

const char* to_string(Placement placement) noexcept {
    switch (placement) {
    case Placement::one_per_core:
        return "one_per_core";
    case Placement::one_per_pu:
        return "one_per_pu";
    case Placement::compact:
        return "compact";
    case Placement::spread:
        break;
    }
    return "spread";
}

CpuSet Plan::cpus() const {
    CpuSet distinct;
    for (const PlannedWorker& worker : workers)
        distinct.insert(worker.cpu);
    return distinct;
}

void Plan::print(std::ostream& out) const {
    out << "plan: " << counted(static_cast<int>(workers.size()), "worker") << " on "
        << counted(cpus().count(), "CPU") << ", " << (pin ? "pinned" : "not pinned")
        << (oversubscribed ? ", oversubscribed" : "") << "\n";
    for (const PlannedWorker& worker : workers)
        out << "  worker " << worker.worker << ": CPU " << worker.cpu << ", core " << worker.core
            << ", cache " << worker.llc << ", NUMA node " << worker.numa << ", package "
            << worker.package << " (" << worker.why << ")\n";
    for (const std::string& note : notes)
        out << "  note: " << note << "\n";
}

Plan make_plan(const Machine& machine, const PlanConfig& config, const CpuSet& booked) {
    return Planner(machine, config, booked).make();
}

} // namespace takt
