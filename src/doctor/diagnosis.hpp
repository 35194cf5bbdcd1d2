// SPDX-License-Identifier: MIT
#pragma once
// takt-doctor: everything it finds out, and what it advises. The report prints it.

#include "doctor/measure.hpp"

#include <optional>
#include <string>
#include <vector>

namespace takt::doctor {

struct Percentiles {
    double p50 = 0;
    double p99 = 0;
    double max = 0;
};

/// All in ns; absent where the machine has too few CPUs to measure it.
struct Figures {
    double rmw = 0;                            ///< uncontended fetch_add
    std::optional<Percentiles> raw;            ///< round trip of two threads over two cache lines
    std::optional<Percentiles> futex_wake;     ///< waker's store to sleeper's first instruction
    Percentiles turn;                          ///< an empty turn of all planned workers
    std::vector<int> matrix_cpus;              ///< rows and columns of `transfer`
    std::vector<std::vector<double>> transfer; ///< one way, row to column; 0 on the diagonal
};

/// Something to know or to mend, and how.
struct Advice {
    bool mend = false; ///< false: only to know
    std::string finding;
    std::string remedy;
};

struct Diagnosis {
    Machine machine;
    Plan plan;
    std::vector<WorkerStatus> workers; ///< empty when nothing was started
    std::optional<Figures> figures;    ///< absent for a machine that is not this one
    std::vector<Advice> advice;
};

/// Starts the planned workers, pins them and measures. Takes a few seconds; the matrix of 16 CPUs
/// some more.
void measure_into(Diagnosis& diagnosis);
/// Looks at the diagnosis and at this machine's settings, and fills in the advice.
void advise(Diagnosis& diagnosis);

} // namespace takt::doctor
