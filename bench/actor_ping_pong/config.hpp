// SPDX-License-Identifier: MIT
#pragma once
// actor_ping_pong/<contender>/<where>: two actors that write to each other.
//
//   same_worker   actor 0 <--> actor 1      both on worker 0: one operation = one message, sent and
//                                           handled
//   across        actor 0  --> actor 1      on workers 0 and 1: one operation = there and back, as
//                         <--               actor 0 sees it
//
// Each message carries how many are to come; who gets another number than it expects fails the row.
// raw is two cache lines with nothing else, one for each direction. The rows of a place are one
// field: their windows take turns.

#include "support/window.hpp"

#include <cstdint>

namespace takt::bench::actor_ping_pong {

inline constexpr int kWindows = 15;
/// In one frame; short enough to come through without an interruption.
inline constexpr std::uint64_t kMessages = 1'000;
inline constexpr int kFrames = 200;
inline constexpr std::uint64_t kRoundTrips = 20'000;

} // namespace takt::bench::actor_ping_pong
