// SPDX-License-Identifier: MIT
#pragma once
// select/<contender>/<targets>: what it costs to find the least loaded of n targets.
//
//   loads   3 0 5 1 ... 2      one operation = one selection, by one thread; the loads of all
//             ^                contenders are the same, 0 to 7 tasks on each target
//
// Before a contender is timed it dispatches for a while, and each of its selections must be a least
// loaded target. *_dirty: another worker has written all counters just before. A refresh is an
// operation of its own; `takt` selects from a fresh snapshot.

#include "support/window.hpp"

#include "takt/actor.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace takt::bench::select {

inline constexpr int kWindows = 10;
inline constexpr int kBatches = 51; // of a window, which gives their median
inline constexpr int kProofSelections = 5'000;

using Board = LoadBoard<StdPolicy>;

/// The loads that every contender starts with.
void load(Board& board);

/// Throws unless `target` has the least of these loads; then adds one task to it.
void prove_least(std::vector<std::uint64_t>& loads, Target target);

/// `operations` calls of `operation` are one batch; `prepare` comes before each and is not timed.
struct Batches {
    int operations;
    std::function<void()> prepare = [] {};
};

template <class Operation>
Window time(const Batches& batches, Operation operation) {
    Window window;
    for (int batch = 0; batch < kBatches; ++batch) {
        batches.prepare();
        const std::uint64_t begin = measure::ticks();
        for (int count = 0; count < batches.operations; ++count)
            operation();
        const std::uint64_t end = measure::ticks();
        window.samples.add(static_cast<double>(end - begin) * measure::ns_per_tick() /
                           batches.operations);
    }
    window.ns_per_operation = window.samples.percentile(0.5);
    window.spans = {{0, 1}}; // one thread is measured
    return window;
}

/// Keeps the compiler from leaving out a selection.
inline void keep(Target target) {
    benchmark::DoNotOptimize(target);
}

/// Registers select/<name>/<targets>; C(targets) has prove() and window().
template <class C>
void add(const std::string& name,
         std::initializer_list<std::uint32_t> sizes = {4, 16, 64, 256, 1024}) {
    for (const std::uint32_t targets : sizes)
        benchmark::RegisterBenchmark(("select/" + name + "/" + std::to_string(targets)).c_str(),
                                     [targets](benchmark::State& state) {
                                         C contender(targets);
                                         try {
                                             contender.prove();
                                         } catch (const std::logic_error& wrong) {
                                             state.SkipWithError(wrong.what());
                                             return;
                                         }
                                         run_windows(state, [&] { return contender.window(); });
                                     })
            ->Iterations(kWindows)
            ->UseManualTime();
}

/// Two pinned workers; the second writes counters so that the first finds their lines dirty.
class Dirt {
  public:
    explicit Dirt(Board& board);
    void spread();

  private:
    Board* board_;
    Workers crew_;
};

} // namespace takt::bench::select
