// SPDX-License-Identifier: MIT
#include "router_skew/config.hpp"

#include <memory>

namespace takt::bench::router_skew {

void add_takt();
void add_sort_and_pick();

namespace {

using Run = std::function<Outcome(const Workload&)>;

struct Case {
    const char* name;
    Workload work;
};

bool repeats(const Run& run, Workload work) {
    work.jobs = kProofJobs;
    return run(work).fingerprint == run(work).fingerprint;
}

void report_row(benchmark::State& state, const Outcome& outcome) {
    state.counters["p50"] = outcome.latency_at(0.5);
    state.counters["p99"] = outcome.latency_at(0.99);
    state.counters["max_queue"] = static_cast<double>(outcome.max_queue);
    state.counters["mean_queue"] = outcome.mean_queue;
    state.counters["share_max"] = outcome.share_max;
    state.counters["imbalance"] = static_cast<double>(outcome.imbalance);
    state.counters["spread"] = static_cast<double>(outcome.spread);
}

void measure(benchmark::State& state, const Run& run, const Workload& work) {
    Outcome outcome;
    for (auto _ : state) {
        outcome = run(work);
        state.SetIterationTime(outcome.latency_at(0.99) * 1e-6);
    }
    report_row(state, outcome);
    if (!outcome.wrong.empty())
        state.SkipWithError(outcome.wrong.c_str());
    else if (!repeats(run, work))
        state.SkipWithError("the same seed gave another run");
}

} // namespace

void add(const std::string& name, const Run& run) {
    for (const Case& each : {Case{"equal", equal()}, Case{"slow_server", slow_server()},
                             Case{"heavy_tail", heavy_tail()}}) {
        auto next = std::make_shared<Workload>(each.work); // of the next repetition
        benchmark::RegisterBenchmark(("router_skew/" + name + "/" + each.name).c_str(),
                                     [run, next](benchmark::State& state) {
                                         measure(state, run, *next);
                                         ++next->seed;
                                     })
            ->Iterations(1)
            ->UseManualTime();
    }
}

} // namespace takt::bench::router_skew

int main(int argc, char** argv) {
    using namespace takt::bench;
    router_skew::add_takt();
    router_skew::add_sort_and_pick();
    return run(argc, argv);
}
