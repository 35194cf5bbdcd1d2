// SPDX-License-Identifier: MIT
#include "support/window.hpp"

#include <algorithm>

namespace takt::bench {

const Machine& machine() {
    static const Machine discovered = discover_machine({});
    return discovered;
}

Plan plan_for(int workers) {
    return make_plan(machine(), {.workers = workers});
}

namespace {

double rmw_ns = 0;
double raw_ns = 0;

// Before the first contender books the CPUs.
void measure_yardsticks() {
    constexpr int kRounds = 20'000;
    rmw_ns = measure::rmw_ns();
    if (machine().allowed.count() < 2)
        return;
    if (const auto trips = measure::raw_round_trips(plan_for(2), kRounds))
        raw_ns = trips->percentile(0.5);
}

} // namespace

int run(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 1;
    measure_yardsticks();
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}

void report(benchmark::State& state, const measure::Samples& samples) {
    state.counters["p50_ns"] = samples.percentile(0.5);
    state.counters["p99_ns"] = samples.percentile(0.99);
    state.counters["p999_ns"] = samples.percentile(0.999);
    state.counters["max_ns"] = samples.percentile(1);
    state.counters["rmw_ns"] = rmw_ns;
    state.counters["raw_ns"] = raw_ns;
}

void run_windows(benchmark::State& state, const std::function<Window()>& window) {
    constexpr int kRefusalsMax = 20;
    int refusals = 0;
    double overlap_min = 1;
    int cpus = 0;
    measure::Samples samples;
    for (auto _ : state) {
        Window taken = window();
        double shared = measure::overlap(taken.spans);
        while (shared < kOverlapMin && ++refusals <= kRefusalsMax) {
            taken = window();
            shared = measure::overlap(taken.spans);
        }
        if (shared < kOverlapMin) {
            state.SkipWithError("the threads did not run side by side: the machine is too busy");
            return;
        }
        overlap_min = std::min(overlap_min, shared);
        cpus = measure::distinct_cpus(taken.spans);
        samples.add(taken.samples);
        state.SetIterationTime(taken.ns_per_operation * 1e-9);
    }
    report(state, samples);
    state.counters["overlap"] = overlap_min;
    state.counters["cpus"] = cpus;
    state.counters["refused_windows"] = refusals;
}

} // namespace takt::bench
