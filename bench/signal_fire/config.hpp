// SPDX-License-Identifier: MIT
#pragma once
// signal_fire/<contender>/<listeners>/<phase>: an event that so many listeners hear.
//
//   caller  --+ fire(n) +--  listener 0, 1, 2, ...  --+  all have heard it     one operation = one fire
//
// serial: one after the other, on the caller's thread. parallel: on two workers; takt pays for a frame
// (a message for each listener, which belongs to an actor of its own, the proof that no mail is under
// way, a serial phase), the others for a fork and a join. Each listener adds the number of the fire to
// a sum of its own, on a cache line of its own. off_caller: share of calls on another thread than the
// caller's.

#include "support/window.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sched.h>

namespace takt::bench::signal_fire {

inline constexpr int kWorkers = 2;
inline constexpr int kWindows = 15;
inline constexpr std::uint64_t kCalls = 200'000; // of listeners, in a window
inline constexpr std::uint64_t kFiresMax = 2'000;
inline constexpr std::uint64_t kWarmUpFires = 50;

/// What a listener writes to.
class alignas(kInterference) Seat {
  public:
    void hear(std::uint64_t fire) noexcept {
        sum_ += fire;
        off_caller_ += &thread != caller_;
    }
    void begin() noexcept {
        sum_ = off_caller_ = 0;
        caller_ = &thread;
    }
    std::uint64_t sum() const noexcept { return sum_; }
    std::uint64_t off_caller() const noexcept { return off_caller_; }

  private:
    static inline thread_local char thread = 0; // its address names the thread

    std::uint64_t sum_ = 0;
    std::uint64_t off_caller_ = 0;
    const char* caller_ = nullptr;
};

using Seats = std::vector<Seat>;

/// Contender C: a constructor that connects a listener for each seat, and fire(n), which returns when
/// all have heard n.
template <class C>
Window window(std::size_t listeners) {
    Seats seats(listeners);
    C contender(seats);
    const std::uint64_t fires = std::clamp<std::uint64_t>(kCalls / listeners, 50, kFiresMax);
    for (std::uint64_t fire = 0; fire < kWarmUpFires; ++fire)
        contender.fire(fire);
    for (Seat& seat : seats)
        seat.begin();
    Window result;
    result.samples.reserve(fires);
    measure::Span span{measure::ticks(), 0, sched_getcpu()};
    std::uint64_t last = span.begin;
    for (std::uint64_t fire = 1; fire <= fires; ++fire) {
        contender.fire(fire);
        const std::uint64_t now = measure::ticks();
        result.samples.add(static_cast<double>(now - last) * measure::ns_per_tick());
        last = now;
    }
    span.end = last;
    result.spans = {span};
    result.ns_per_operation = result.samples.percentile(0.5);
    std::uint64_t off_caller = 0;
    for (const Seat& seat : seats) {
        result.wrong |= seat.sum() != fires * (fires + 1) / 2; // each fire, once
        off_caller += seat.off_caller();
    }
    result.counters["off_caller"] =
        static_cast<double>(off_caller) / static_cast<double>(listeners * fires);
    return result;
}

template <class C>
void add_contender(Field& field, const char* name, std::size_t listeners, const char* phase) {
    field.add("signal_fire/" + std::string(name) + "/" + std::to_string(listeners) + "/" + phase,
              [listeners] { return [listeners] { return window<C>(listeners); }; });
}

} // namespace takt::bench::signal_fire
