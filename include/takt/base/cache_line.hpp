// SPDX-License-Identifier: MIT
#pragma once
// Layer 0, base. The two distances that keep data of different writers apart.

#include <cstddef>

namespace takt {

/// Bytes that move between cores as one unit on the machines takt is built for (x86-64, most
/// ARM64).
inline constexpr std::size_t kCacheLine = 64;

/// Bytes between words of different writers. Two lines, because x86's adjacent-line prefetcher
/// fetches them in pairs (folly and crossbeam use the same distance for the same reason).
inline constexpr std::size_t kInterference = 2 * kCacheLine;

} // namespace takt
