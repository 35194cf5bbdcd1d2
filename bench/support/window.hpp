// SPDX-License-Identifier: MIT
#pragma once
// Shared by all benches: the pinned crew every contender runs on, windows in which the threads
// really ran side by side, and the counters that each row carries.

#include "doctor/measure.hpp"

#include <benchmark/benchmark.h>

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace takt::bench {

/// The machine the bench runs on, discovered once.
const Machine& machine();

/// `workers` workers, one per core as far as the cores go, sharing CPUs beyond that.
Plan plan_for(int workers);

/// For benches whose rows do not say how many: TAKT_BENCH_WORKERS of the environment, else one for each
/// CPU that we may use. Throws takt::Error where it says something else than a number from 1 to 4096.
int bench_workers();

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
    bool wrong = false;                          // the answer; Field reports it
    std::map<std::string, double> counters = {}; // Field reports the median over its windows
};

/// Runs `window` once per iteration of `state`, repeats windows whose threads did not overlap, and
/// reports time, percentiles, overlap and `cpus`, the CPUs that the threads really ran on. Gives up
/// with an error after too many refused windows.
void run_windows(benchmark::State& state, const std::function<Window()>& window);

/// Rows that are held against each other. Their windows take turns, one of each row after the
/// other: a machine that changes its pace from second to second changes it for all of them. So the
/// first row that is asked for measures all, also those that a filter leaves out.
class Field {
  public:
    explicit Field(int windows) : windows_(windows) {}

    /// Registers a row; its time is the median of its windows. `start` makes a contender for one
    /// repetition and returns its window.
    /// Lives as long as the benchmarks.
    void add(const std::string& name, std::function<std::function<Window()>()> start);

  private:
    struct Taken { // what one repetition of a row gave
        std::vector<double> ns_per_operation;
        measure::Samples samples;
        double overlap_min = 1;
        int cpus = 0;
        int refusals = 0;
        bool wrong = false;
        std::map<std::string, std::vector<double>> counters;
    };
    struct Row {
        std::function<std::function<Window()>()> start;
        std::deque<Taken> taken; // measured and not reported yet
    };

    void measure_all();
    void report_row(benchmark::State& state, Row& row);

    const int windows_;
    std::deque<Row> rows_; // their addresses are registered
};

} // namespace takt::bench
