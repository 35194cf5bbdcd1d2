// SPDX-License-Identifier: MIT
#pragma once
// Shared by all benches: the pinned crew every contender runs on, windows in which the threads
// really ran side by side, and the counters that each row carries.

#include "doctor/measure.hpp"

#include <benchmark/benchmark.h>

#include <functional>
#include <string>
#include <vector>

namespace takt::bench {

/// The machine the bench runs on, discovered once.
const Machine& machine();

/// `workers` workers, one per core as far as the cores go, sharing CPUs beyond that.
Plan plan_for(int workers);

/// The main of every bench: measures the yardsticks, then runs what was registered.
int run(int argc, char** argv);

/// Adds p50_ns, p99_ns, p999_ns and max_ns of the samples, and the yardsticks of this run: rmw_ns,
/// an uncontended fetch_add, and raw_ns, the median round trip over two cache lines (0 on one CPU).
void report(benchmark::State& state, const measure::Samples& samples);

/// Share of a window in which all threads were inside; a window below it is measured again.
inline constexpr double kOverlapMin = 0.9;

/// What one window gave.
struct Window {
    double ns_per_operation = 0;
    std::vector<measure::Span> spans;
    measure::Samples samples;
};

/// Runs `window` once per iteration of `state`, repeats windows whose threads did not overlap, and
/// reports time, percentiles, overlap and `cpus`, the CPUs that the threads really ran on. Gives up
/// with an error after too many refused windows.
void run_windows(benchmark::State& state, const std::function<Window()>& window);

} // namespace takt::bench
