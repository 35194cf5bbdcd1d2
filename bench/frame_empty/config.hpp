// SPDX-License-Identifier: MIT
#pragma once
// frame_empty/<contender>/<workers>: a frame in which every worker runs one empty handler.
//
//   caller    --+ fork +--  handler 0  --+ join +--    one operation = one frame, from the caller's
//   worker 1    +------+--  handler 1  --+------+      last line before it to its first line after
//   worker n    +------+--  handler n  --+------+
//
// takt pays for a message to each worker, the proof that no mail is under way, and a serial phase;
// the others pay for a fork and a join. off_caller: share of handlers that ran on another thread
// than the caller's; the same handler is much cheaper where it never leaves it. Where the contender
// promises a worker of its own to each handler, a handler that ran elsewhere fails the row. The time
// is that of the median frame: one that another program interrupted says nothing of the contender.

#include "support/window.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sched.h>

namespace takt::bench::frame_empty {

inline constexpr int kFrames = 1'000;
inline constexpr int kWarmUpFrames = 200;
inline constexpr int kWindows = 15;
// Before each window: the threads of the contender before it are to have gone to sleep.
inline constexpr int kPauseMs = 20;

/// The handler: notes that it ran, and on which thread.
class alignas(kInterference) Seat {
  public:
    void run() noexcept {
        const char* const here = &thread;
        moved_ |= count_ != 0 && here != ran_on_;
        ran_on_ = here;
        ++count_;
        off_caller_ += here != caller_;
    }
    void begin(const char* caller) noexcept {
        count_ = off_caller_ = 0;
        caller_ = caller;
    }
    static const char* this_thread() noexcept { return &thread; }

    std::uint64_t count() const noexcept { return count_; }
    std::uint64_t off_caller() const noexcept { return off_caller_; }
    const char* ran_on() const noexcept { return ran_on_; }
    bool moved() const noexcept { return moved_; }

  private:
    static inline thread_local char thread = 0; // its address names the thread

    std::uint64_t count_ = 0;
    std::uint64_t off_caller_ = 0;
    const char* ran_on_ = nullptr;
    const char* caller_ = nullptr;
    bool moved_ = false;
};

using Seats = std::vector<Seat>;

/// The answer of a window: every seat ran once in each frame, and on a thread of its own.
bool is_wrong(const Seats& seats, int frames, bool own_worker);
void rest(int ms);

/// Frames are back to back; the caller samples each. What a contender provides: frame() runs each
/// seat once; kOwnWorker: seat n runs on worker n, and nowhere else.
template <class C>
Window window(int workers) {
    rest(kPauseMs);
    Seats seats(static_cast<std::size_t>(workers));
    C contender(seats);
    Window result;
    result.samples.reserve(kFrames);
    for (int frame = 0; frame < kWarmUpFrames; ++frame)
        contender.frame();
    for (Seat& seat : seats)
        seat.begin(Seat::this_thread());
    measure::Span span{measure::ticks(), 0, sched_getcpu()};
    std::uint64_t last = measure::ticks();
    for (int frame = 0; frame < kFrames; ++frame) {
        contender.frame();
        const std::uint64_t now = measure::ticks();
        result.samples.add(static_cast<double>(now - last) * measure::ns_per_tick());
        last = now;
    }
    span.end = last;
    result.spans = {span};
    result.ns_per_operation = result.samples.percentile(0.5);
    result.wrong = is_wrong(seats, kFrames, C::kOwnWorker);
    double off_caller = 0;
    for (const Seat& seat : seats)
        off_caller += static_cast<double>(seat.off_caller());
    result.counters["off_caller"] = off_caller / (static_cast<double>(workers) * kFrames);
    return result;
}

template <class C>
void add(Field& field, const std::string& name, int workers) {
    field.add("frame_empty/" + name + "/" + std::to_string(workers),
              [workers] { return [workers] { return window<C>(workers); }; });
}

} // namespace takt::bench::frame_empty
