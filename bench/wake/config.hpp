// SPDX-License-Identifier: MIT
#pragma once
// wake/<contender>/<way of waiting>: from the store of the waker to the first instruction of the
// waiter, and what the waiting costs.
//
//   waker   ----pause----ring----------done?----pause----ring---
//   waiter  ....waits........woken, stamps.......waits........
//
// irregular: pauses of 20 us to 1 ms, so that nobody can guess; 60hz: rings at fixed times that are
// known beforehand. cpu_share: CPU time of the waiter / time of the window.

#include "support/window.hpp"

#include <cstdint>
#include <string>

namespace takt::bench::wake {

inline constexpr int kIrregularRings = 400;
inline constexpr int k60HzRings = 60;
inline constexpr std::int64_t kPeriodNs = 1'000'000'000 / 60;

/// What a contender provides: a bell that one thread rings and another awaits, by number.
class Bell {
  public:
    virtual ~Bell() = default;
    virtual void ring(std::uint64_t number) = 0;
    /// Returns once the bell has rung `number` times; `due_ns`: when that is expected, or kNever.
    virtual void await(std::uint64_t number, std::int64_t due_ns) = 0;
};

enum class Rhythm { irregular, every_60th };

/// Times the bell that `make` builds. Fails on a wake before its ring.
void run(benchmark::State& state, Bell& bell, Rhythm rhythm);

template <class Make>
void add(const std::string& name, Rhythm rhythm, Make make) {
    benchmark::RegisterBenchmark(("wake/" + name).c_str(),
                                 [rhythm, make](benchmark::State& state) {
                                     auto bell = make();
                                     run(state, *bell, rhythm);
                                 })
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(benchmark::kNanosecond);
}

} // namespace takt::bench::wake
