// SPDX-License-Identifier: MIT
#pragma once
// checked_access/<contender>/read and /write: what a look at the phase adds to an access.
//
//   values  | 0 | 1 | ... | 63 |     one operation = one access to the next of 64 values, by the
//             ^ read or written      frame thread; all in its cache
//
// The same loop for all; the compiler may neither leave an access out nor keep what it knows from
// one to the next, so the check is made anew each time. The answer is the sum of what was read, or
// of what stands there in the end.

#include "support/window.hpp"

#include "takt/takt.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace takt::bench::checked_access {

inline constexpr int kWindows = 20;
inline constexpr int kBatches = 51; // of a window, which gives their median
inline constexpr std::uint64_t kAccesses = 64 * 256;

using Values = std::array<std::uint64_t, 64>;

inline std::uint64_t sum_of(const Values& values) {
    std::uint64_t sum = 0;
    for (const std::uint64_t value : values)
        sum += value;
    return sum;
}

/// `batch()` makes kAccesses accesses and returns whether the answer was right.
template <class Batch>
Window time(Batch batch) {
    Window window;
    for (int count = 0; count < kBatches; ++count) {
        const std::uint64_t begin = measure::ticks();
        window.wrong |= !batch();
        const std::uint64_t end = measure::ticks();
        window.samples.add(static_cast<double>(end - begin) * measure::ns_per_tick() /
                           static_cast<double>(kAccesses));
    }
    window.ns_per_operation = window.samples.percentile(0.5);
    window.spans = {{0, 1}}; // one thread is measured
    return window;
}

/// `read()` gives the Values, by the contender's way.
template <class Read>
Window time_reads(const Values& initial, Read read) {
    return time([&] {
        std::uint64_t sum = 0;
        for (std::uint64_t access = 0; access < kAccesses; ++access) {
            sum += read()[access % 64];
            benchmark::ClobberMemory();
        }
        return sum == sum_of(initial) * (kAccesses / 64);
    });
}

/// `write()` gives the Values to change, by the contender's way; `read()` gives them afterwards.
template <class Write, class Read>
Window time_writes(Write write, Read read) {
    return time([&] {
        for (std::uint64_t access = 0; access < kAccesses; ++access) {
            write()[access % 64] = access;
            benchmark::ClobberMemory();
        }
        // The last 64 accesses have left their numbers.
        return sum_of(read()) == 64 * (kAccesses - 64) + 64 * 63 / 2;
    });
}

/// What all contenders run on: one pinned worker, which is the caller, and checks that are on.
inline Config config() {
    return {.workers = {.count = 1, .pin_caller = true}, .checks = {.level = CheckLevel::always}};
}

inline constexpr Values initial_values() {
    Values values{};
    for (std::size_t at = 0; at < values.size(); ++at)
        values[at] = 3 * at + 1;
    return values;
}

/// Registers the two rows of a contender, which is made anew for each repetition.
template <class C>
void add(Field& field, const std::string& name) {
    const auto row = [&](const char* what, Window (C::*window)()) {
        field.add("checked_access/" + name + "/" + what, [window] {
            auto contender = std::make_shared<C>();
            return [contender, window] { return ((*contender).*window)(); };
        });
    };
    row("read", &C::reads);
    row("write", &C::writes);
}

} // namespace takt::bench::checked_access
