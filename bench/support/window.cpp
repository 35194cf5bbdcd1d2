// SPDX-License-Identifier: MIT
#include "support/window.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

namespace takt::bench {

const Machine& machine() {
    static const Machine discovered = discover_machine({});
    return discovered;
}

Plan plan_for(int workers) {
    return make_plan(machine(), {.workers = workers});
}

int bench_workers() {
    const char* const given = std::getenv("TAKT_BENCH_WORKERS");
    if (given == nullptr)
        return machine().allowed.count();
    const std::string_view text = given;
    int workers = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), workers);
    if (error != std::errc() || end != text.end() || workers < 1 || workers > 4096)
        throw Error("TAKT_BENCH_WORKERS", given, "it is a whole number from 1 to 4096",
                    "Set it to one, or unset it");
    return workers;
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

namespace {

constexpr int kRefusalsMax = 20;

// A window whose threads overlapped, unless too many were refused.
Window take(const std::function<Window()>& window, int& refusals) {
    for (;;) {
        Window taken = window();
        if (measure::overlap(taken.spans) >= kOverlapMin || ++refusals > kRefusalsMax)
            return taken;
    }
}

void report_run(benchmark::State& state, const measure::Samples& samples, double overlap_min,
                int cpus, int refusals) {
    report(state, samples);
    state.counters["overlap"] = overlap_min;
    state.counters["cpus"] = cpus;
    state.counters["refused_windows"] = refusals;
}

// A window that another program interrupted says nothing of the row.
double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

constexpr const char* kTooBusy = "the threads did not run side by side: the machine is too busy";

} // namespace

void run_windows(benchmark::State& state, const std::function<Window()>& window) {
    int refusals = 0;
    double overlap_min = 1;
    int cpus = 0;
    measure::Samples samples;
    for (auto _ : state) {
        const Window taken = take(window, refusals);
        if (refusals > kRefusalsMax) {
            state.SkipWithError(kTooBusy);
            return;
        }
        overlap_min = std::min(overlap_min, measure::overlap(taken.spans));
        cpus = measure::distinct_cpus(taken.spans);
        samples.add(taken.samples);
        state.SetIterationTime(taken.ns_per_operation * 1e-9);
    }
    report_run(state, samples, overlap_min, cpus, refusals);
}

void Field::add(const std::string& name, std::function<std::function<Window()>()> start) {
    Row& row = rows_.emplace_back(Row{std::move(start), {}});
    benchmark::RegisterBenchmark(name.c_str(),
                                 [this, &row](benchmark::State& state) { report_row(state, row); })
        ->Iterations(windows_)
        ->UseManualTime();
}

void Field::measure_all() {
    std::vector<std::function<Window()>> windows;
    for (Row& row : rows_) {
        windows.push_back(row.start());
        row.taken.emplace_back();
    }
    for (int turn = 0; turn < windows_; ++turn)
        for (std::size_t at = 0; at < rows_.size(); ++at) {
            Taken& row = rows_[at].taken.back();
            const Window taken = take(windows[at], row.refusals);
            row.overlap_min = std::min(row.overlap_min, measure::overlap(taken.spans));
            row.cpus = measure::distinct_cpus(taken.spans);
            row.samples.add(taken.samples);
            row.ns_per_operation.push_back(taken.ns_per_operation);
            row.wrong |= taken.wrong;
            for (const auto& [name, value] : taken.counters)
                row.counters[name].push_back(value);
        }
}

void Field::report_row(benchmark::State& state, Row& row) {
    if (row.taken.empty())
        measure_all();
    const Taken taken = std::move(row.taken.front());
    row.taken.pop_front();
    if (taken.refusals > kRefusalsMax) {
        state.SkipWithError(kTooBusy);
        return;
    }
    const double ns_per_operation = median(taken.ns_per_operation);
    for (auto _ : state)
        state.SetIterationTime(ns_per_operation * 1e-9);
    for (const auto& [name, values] : taken.counters)
        state.counters[name] = median(values);
    report_run(state, taken.samples, taken.overlap_min, taken.cpus, taken.refusals);
    if (taken.wrong)
        state.SkipWithError("the answer is wrong");
}

} // namespace takt::bench
