// SPDX-License-Identifier: MIT
#pragma once
// barrier/<contender>/<workers>: what it costs n pinned threads to meet.
//
//   worker 0  --+      +--  worker 0
//   worker 1  --+ meet +--  worker 1      one operation = all have arrived, all have left
//   worker n  --+      +--  worker n
//
// Every contender runs the same loop on threads with the same pins; libgomp waits as it does by
// default (OMP_WAIT_POLICY and GOMP_SPINCOUNT are left to the caller). Before it is timed it must
// prove that it is a barrier: nobody leaves a round that somebody has not entered.

#include "support/window.hpp"

#include <atomic>
#include <memory>
#include <stdexcept>

#include <sched.h>

namespace takt::bench::barrier {

inline constexpr int kRounds = 2'000;
inline constexpr int kWindows = 10;
inline constexpr int kProofRounds = 500;

/// What a contender provides. A thread calls enter(worker) when it begins a window, meet(worker)
/// once per round and leave(worker) at the end.
class Contender {
  public:
    virtual ~Contender() = default;
    virtual void enter(int) {}
    virtual void meet(int worker) = 0;
    virtual void leave(int) {}
    /// Runs `body(worker)` on all workers at once. Those with threads of their own override it.
    virtual void parallel(const std::function<void(int)>& body) { crew_->run(body); }

  protected:
    explicit Contender(int workers)
        : crew_(std::make_unique<Workers>(plan_for(workers), WorkersConfig{.pin_caller = true})) {}
    Contender() = default;

  private:
    std::unique_ptr<Workers> crew_;
};

/// Throws when a worker leaves a round before all have entered it.
void prove(Contender& contender, int workers);

/// The timed loop; worker 0 samples each round.
template <class C>
Window window(C& contender, int workers) {
    Window result;
    result.spans.resize(static_cast<std::size_t>(workers));
    result.samples.reserve(kRounds);
    contender.parallel([&](int worker) {
        measure::Span& span = result.spans[static_cast<std::size_t>(worker)];
        contender.enter(worker);
        contender.meet(worker); // all are awake before the window opens
        span.cpu = sched_getcpu();
        span.begin = measure::ticks();
        if (worker == 0) {
            std::uint64_t last = span.begin;
            for (int round = 0; round < kRounds; ++round) {
                contender.meet(0);
                const std::uint64_t now = measure::ticks();
                result.samples.add(static_cast<double>(now - last) * measure::ns_per_tick());
                last = now;
            }
        } else {
            for (int round = 0; round < kRounds; ++round)
                contender.meet(worker);
        }
        span.end = measure::ticks();
        contender.leave(worker);
    });
    const measure::Span& first = result.spans.front();
    result.ns_per_operation =
        static_cast<double>(first.end - first.begin) * measure::ns_per_tick() / kRounds;
    return result;
}

template <class C>
void run(benchmark::State& state, int workers) {
    C contender(workers);
    try {
        prove(contender, workers);
    } catch (const std::logic_error& wrong) {
        state.SkipWithError(wrong.what());
        return;
    }
    run_windows(state, [&] { return window(contender, workers); });
}

template <class C>
void add(const std::string& name) {
    for (const int workers : {2, 4})
        benchmark::RegisterBenchmark(("barrier/" + name + "/" + std::to_string(workers)).c_str(),
                                     [workers](benchmark::State& state) { run<C>(state, workers); })
            ->Iterations(kWindows)
            ->UseManualTime();
}

} // namespace takt::bench::barrier
