// SPDX-License-Identifier: MIT
#pragma once
// Layer 0, base. The one clock of takt: monotonic, never the wall clock.

#include <cstdint>

namespace takt {

/// Nanoseconds of CLOCK_MONOTONIC. Wait-free.
std::int64_t now_ns() noexcept;

/// A deadline that never comes.
inline constexpr std::int64_t kNever = INT64_MAX;

/// `by_ns` after `time_ns` (before it, if negative); kNever where that is beyond all time.
constexpr std::int64_t later(std::int64_t time_ns, std::int64_t by_ns) noexcept {
    if (by_ns >= 0)
        return time_ns > kNever - by_ns ? kNever : time_ns + by_ns;
    return time_ns < INT64_MIN - by_ns ? INT64_MIN : time_ns + by_ns;
}

} // namespace takt
