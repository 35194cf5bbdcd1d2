// SPDX-License-Identifier: MIT
#pragma once
// Layer 0, base. The one clock of takt: monotonic, never the wall clock.

#include <cstdint>

namespace takt {

/// Nanoseconds of CLOCK_MONOTONIC. Wait-free.
std::int64_t now_ns() noexcept;

/// A deadline that never comes.
inline constexpr std::int64_t kNever = INT64_MAX;

} // namespace takt
