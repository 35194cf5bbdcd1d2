// SPDX-License-Identifier: MIT
#pragma once
// round_trip/<contender>: a message to another worker and its answer.
//
//   worker 0  --ping-->  worker 1
//             <--pong--              one operation = there and back
//
// Both spin, but futex, which sleeps for each message. Each answer carries the number of its
// question, and is checked. raw is two cache lines with nothing else.

#include "support/window.hpp"
#include "takt/mailbox.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace takt::bench::round_trip {

inline constexpr int kWindows = 10;

/// How every contender that spins waits. Loads back to back hold the line up: they made the row raw
/// three times as slow as a round trip through mailboxes.
inline void spin_step() noexcept {
    static const std::atomic<std::uint64_t> still{0};
    StdPolicy::relax(still, 1);
}

/// What a contender provides: send(from, to, number) and receive(at) -> number, which waits.
template <class C>
Window window(C& contender, std::uint64_t rounds, bool& wrong) {
    Window result;
    result.spans.resize(2);
    result.samples.reserve(rounds);
    Workers crew(plan_for(2), {.pin_caller = true});
    crew.run([&](int worker) {
        measure::Span& span = result.spans[static_cast<std::size_t>(worker)];
        std::uint64_t last = span.begin = measure::ticks();
        for (std::uint64_t round = 1; round <= rounds; ++round) {
            if (worker == 1) {
                contender.send(1, 0, contender.receive(1));
                continue;
            }
            contender.send(0, 1, round);
            wrong |= contender.receive(0) != round;
            const std::uint64_t now = measure::ticks();
            result.samples.add(static_cast<double>(now - last) * measure::ns_per_tick());
            last = now;
        }
        span.end = measure::ticks();
    });
    const measure::Span& first = result.spans.front();
    result.ns_per_operation = static_cast<double>(first.end - first.begin) *
                              measure::ns_per_tick() / static_cast<double>(rounds);
    return result;
}

template <class C>
void add(const std::string& name, std::uint64_t rounds = 20'000) {
    benchmark::RegisterBenchmark(("round_trip/" + name).c_str(),
                                 [rounds](benchmark::State& state) {
                                     C contender;
                                     bool wrong = false;
                                     run_windows(state,
                                                 [&] { return window(contender, rounds, wrong); });
                                     if (wrong)
                                         state.SkipWithError("an answer to another question");
                                 })
        ->Iterations(kWindows)
        ->UseManualTime();
}

} // namespace takt::bench::round_trip
