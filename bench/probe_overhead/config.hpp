// SPDX-License-Identifier: MIT
#pragma once
// probe_overhead/<contender>/<state>: what a mark in the code costs, and what recording costs a frame.
//
//   for each of 16,384:  { scope begins; scope ends; }     one operation = one scope that is empty, on
//                                                          one pinned thread
//
//   takt/off        the thread has no probe: nobody records
//   takt/on         a ring as a Recorder makes it, 65,536 records, which has been written before: the
//                   oldest is overwritten, and a batch is read between batches
//   takt/wrapping   256 records: all in the nearest cache
//   tick            one takt::tick() and no scope; a scope that is on needs two
//   microprofile/on, /off   its scope, its groups enabled or not. One Flip after each batch
//
// Refused: a count of records other than that of scopes, another name, a scope that ends before it
// begins or begins before the one before it ended; with microprofile, a sum of times that cannot be.
//
//   frame/off/<handlers>, frame/on/<handlers>   one operation = one frame of two workers, from before
//                   its messages are sent to its end; each worker has <handlers> handlers of 1 us. off
//                   and on are the same runtime, whose Recorder is stopped and started
//   ratio           on / off of two windows, one right after the other; the bar is 1.03
//   off_caller      share of the handlers that ran on another thread than the caller's
//
// These two stand for all frames, those of frame_empty and of the bench tick among them, which are not
// measured again with a recorder. A message pays for a stamp where it is sent, here by one thread for
// both workers, and for its handler's records; and, we believe, the processor no longer runs the end of
// one handler's arithmetic beside the beginning of the next one's, of which their 1 us knows nothing.
//
// Refused: a handler that did not run once in each frame, or did other work; a capture of the last frames
// that does not hold each of their handlers. Times are those of the median batch or frame.

#include "support/window.hpp"

#include "takt/takt.hpp"

#include <cstdint>

#include <sched.h>

namespace takt::bench::probe_overhead {

inline constexpr int kWindows = 15;
inline constexpr int kBatches = 31; // of a window, which gives their median
inline constexpr std::uint64_t kScopes = 16'384;

/// `batch()` makes kScopes operations; `is_right(begin, end)` judges them, by takt::tick() before and
/// after.
template <class Batch, class IsRight>
Window time_batches(Batch batch, IsRight is_right) {
    const ScopedPin pin(plan_for(1).workers[0].cpu);
    Window window;
    measure::Span span{measure::ticks(), 0, sched_getcpu()};
    for (int count = 0; count < kBatches; ++count) {
        const std::uint64_t begin = tick();
        const std::uint64_t measured = measure::ticks();
        batch();
        const std::uint64_t took = measure::ticks() - measured;
        window.wrong |= !is_right(begin, tick());
        window.samples.add(static_cast<double>(took) * measure::ns_per_tick() /
                           static_cast<double>(kScopes));
    }
    span.end = measure::ticks();
    window.spans = {span};
    window.ns_per_operation = window.samples.percentile(0.5);
    return window;
}

} // namespace takt::bench::probe_overhead
