// SPDX-License-Identifier: MIT
#pragma once
// Work of a known length, for benches whose handlers do something: arithmetic, since a look at the
// clock takes as long as a small handler does.

#include "support/window.hpp"

#include <algorithm>
#include <cstdint>

namespace takt::bench {

/// `rounds` steps, each of which waits for the one before; the result depends on all.
inline std::uint64_t work(std::uint64_t seed, std::uint64_t rounds) noexcept {
    std::uint64_t state = seed;
    for (std::uint64_t round = 0; round < rounds; ++round)
        state = (state ^ (state >> 29)) * 0xbf58'476d'1ce4'e5b9 + 1;
    return state;
}

/// Measured once, on the calling thread: the least of many short runs, as others may interrupt it.
inline double rounds_per_ns() {
    static const double measured = [] {
        constexpr std::uint64_t kRounds = 10'000;
        std::uint64_t least = UINT64_MAX;
        std::uint64_t state = 1;
        for (int run = 0; run < 200; ++run) {
            const std::uint64_t begin = measure::ticks();
            state = work(state, kRounds);
            benchmark::DoNotOptimize(state);
            least = std::min(least, measure::ticks() - begin);
        }
        return static_cast<double>(kRounds) / (static_cast<double>(least) * measure::ns_per_tick());
    }();
    return measured;
}
inline std::uint64_t rounds_of(double ns) {
    return static_cast<std::uint64_t>(ns * rounds_per_ns() + 0.5);
}

/// Its address names the calling thread.
inline const char* this_thread_mark() noexcept {
    thread_local char mark = 0;
    return &mark;
}

} // namespace takt::bench
