// SPDX-License-Identifier: MIT
#include "doctor/diagnosis.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace takt::doctor {
namespace {

constexpr int kRawRounds = 20'000;
constexpr int kMatrixRounds = 2'000;
constexpr int kMatrixWindows = 5;
constexpr int kMatrixCpusMax = 16; // 120 pairs; beyond that, evenly chosen CPUs stand for the rest
constexpr int kWakeRounds = 300;
constexpr std::int64_t kWakePauseNs = 500'000;
constexpr int kTurns = 20'000;
constexpr std::int64_t kTurnsNsMax = 1'000'000'000; // with many workers on few CPUs

Percentiles percentiles(const measure::Samples& samples) {
    return {samples.percentile(0.5), samples.percentile(0.99), samples.percentile(1)};
}

std::vector<int> distinct_cpus(const Plan& plan) {
    std::vector<int> cpus;
    for (const PlannedWorker& worker : plan.workers)
        if (std::find(cpus.begin(), cpus.end(), worker.cpu) == cpus.end())
            cpus.push_back(worker.cpu);
    return cpus;
}

std::vector<int> matrix_cpus(const std::vector<int>& cpus) {
    if (cpus.size() <= kMatrixCpusMax)
        return cpus;
    std::vector<int> chosen;
    for (std::size_t index = 0; index < kMatrixCpusMax; ++index)
        chosen.push_back(cpus[index * cpus.size() / kMatrixCpusMax]);
    return chosen;
}

Percentiles measure_turns(Workers& workers) {
    measure::Samples samples;
    samples.reserve(kTurns);
    const std::int64_t until_ns = now_ns() + kTurnsNsMax;
    for (int turn = 0; turn < kTurns && now_ns() < until_ns; ++turn) {
        const std::uint64_t begin = measure::ticks();
        workers.run([](int) {});
        samples.add(static_cast<double>(measure::ticks() - begin) * measure::ns_per_tick());
    }
    return percentiles(samples);
}

// The best of a few windows: what the two CPUs can do, not what else ran meanwhile. 0: nothing.
double one_way_ns(const Plan& pair) {
    double best = 0;
    for (int window = 0; window < kMatrixWindows; ++window)
        if (const auto trips = measure::raw_round_trips(pair, kMatrixRounds))
            if (const double ns = trips->percentile(0.5) / 2; best == 0 || ns < best)
                best = ns;
    return best;
}

void measure_transfer(Figures& figures, const Machine& machine, const std::vector<int>& cpus) {
    figures.matrix_cpus = matrix_cpus(cpus);
    const std::size_t size = figures.matrix_cpus.size();
    figures.transfer.assign(size, std::vector<double>(size, 0.0));
    for (std::size_t row = 0; row < size; ++row)
        for (std::size_t column = row + 1; column < size; ++column) {
            const Plan pair =
                measure::plan_on(machine, {figures.matrix_cpus[row], figures.matrix_cpus[column]});
            figures.transfer[row][column] = figures.transfer[column][row] = one_way_ns(pair);
        }
}

std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

void advise_on_plan(const Diagnosis& diagnosis, std::vector<Advice>& advice) {
    const Machine& machine = diagnosis.machine;
    if (machine.degraded)
        advice.push_back({true, "the machine's cores and caches are unknown (flat fallback)",
                          "see the notes above; a plan without cache groups costs latency"});
    if (diagnosis.plan.oversubscribed)
        advice.push_back({true, "there are more workers than CPUs to run them",
                          "plan fewer workers, widen the affinity mask, or raise the CPU quota; "
                          "until then workers do not spin and a frame costs microseconds more"});
    for (const WorkerStatus& worker : diagnosis.workers)
        if (!worker.pinned)
            advice.push_back(
                {true, "worker " + std::to_string(worker.worker) + " is not pinned: " + worker.why,
                 "choose CPUs inside this process's cpuset"});
    if (diagnosis.plan.pin && diagnosis.plan.workers.size() > 1 &&
        static_cast<int>(diagnosis.plan.workers.size()) == machine.cores)
        advice.push_back({false, "every core has a worker, none is left for the rest of the system",
                          "for the smallest tail latency exclude one core (workers.exclude)"});
}

void advise_on_system(std::vector<Advice>& advice) {
    const std::string governor =
        first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    if (!governor.empty() && governor != "performance")
        advice.push_back({true, "the CPU frequency governor is \"" + governor + "\"",
                          "cpupower frequency-set -g performance"});
    if (first_line("/sys/devices/system/cpu/isolated").empty())
        advice.push_back({false, "no CPUs are isolated from the scheduler",
                          "for single-digit microsecond tails boot with isolcpus= and nohz_full= "
                          "on the workers' CPUs, and keep interrupts off them (irqaffinity=)"});
    std::ifstream cpuinfo("/proc/cpuinfo");
    std::stringstream text;
    text << cpuinfo.rdbuf();
    if (text.str().find(" hypervisor") != std::string::npos)
        advice.push_back({false, "this is a virtual machine",
                          "the host may take a CPU away for milliseconds: measure tails on the "
                          "machine you will run on, with dedicated CPUs"});
    if (!StdPolicy::sleeper_pays())
        advice.push_back({true, "the kernel has no membarrier (private expedited)",
                          "every publish costs a full fence; allow membarrier(2) in the seccomp "
                          "profile or use Linux 4.14 or later"});
}

} // namespace

void measure_into(Diagnosis& diagnosis) {
    Figures figures;
    figures.rmw = measure::rmw_ns();
    {
        Workers workers(diagnosis.plan, {.pin_caller = true});
        diagnosis.workers = workers.status();
        figures.turn = measure_turns(workers);
    }
    const std::vector<int> cpus = distinct_cpus(diagnosis.plan);
    if (cpus.size() >= 2 && diagnosis.plan.pin) {
        const Plan pair = measure::plan_on(diagnosis.machine, {cpus[0], cpus[1]});
        if (const auto trips = measure::raw_round_trips(pair, kRawRounds))
            figures.raw = percentiles(*trips);
        figures.futex_wake = percentiles(measure::futex_wakes(pair, kWakeRounds, kWakePauseNs));
        measure_transfer(figures, diagnosis.machine, cpus);
    }
    diagnosis.figures = figures;
}

void advise(Diagnosis& diagnosis) {
    advise_on_plan(diagnosis, diagnosis.advice);
    if (diagnosis.machine.bindable)
        advise_on_system(diagnosis.advice);
}

} // namespace takt::doctor
