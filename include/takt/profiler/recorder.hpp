// SPDX-License-Identifier: MIT
#pragma once
// Layer 11, profiler. Records the frames of a runtime and gives the last ones as a Capture. Below:
// runtime, capture. The format of what is recorded: base/probe.hpp.

#include "takt/profiler/capture.hpp"
#include "takt/runtime.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace takt {

/// How long things took while they were recorded, in nanoseconds; of all workers together.
struct Latencies {
    Histogram frame;
    Histogram parallel;   ///< phase
    Histogram serial;     ///< phase
    Histogram barrier;    ///< each worker's, at rest up to the end of the phase
    Histogram handler;    ///< a message in the parallel phase
    Histogram queue_wait; ///< from its send to its handler; with immediate delivery
};

struct RecorderOptions {
    /// Of the ring of each worker and of the serial phase, rounded up to a power of two; 32 bytes each.
    /// A message is two records, a frame six and three for each further round.
    std::size_t records = 65'536;
    /// That a frame is to stay below; 0: none. Captures tell, and on_late_frame() goes by it.
    std::chrono::nanoseconds budget = {};
};

/// Records while it is on. Costs nothing but a test of a pointer for each message and send while it is
/// off; while it is on, two reads of a counter for each scope. Several share their rings; those of the
/// first one. Its members are for the serial phase, or between frames; the runtime outlives it.
class Recorder {
  public:
    /// Allocates the rings, and is on from the next frame on. Throws std::bad_alloc.
    explicit Recorder(Runtime& runtime, const RecorderOptions& options = {});
    ~Recorder();
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    /// Between frames. Throws std::bad_alloc where rings are to be made: what was recorded is forgotten
    /// then.
    void start();
    /// What was recorded stays.
    void stop() noexcept;
    bool is_on() const noexcept { return is_on_; }

    /// The last `frames` that were recorded whole. Throws std::bad_alloc.
    Capture capture(std::size_t frames = SIZE_MAX) const;
    /// Since the rings were made. 110 KB.
    Latencies latencies() const;
    /// Called after each frame that took longer than the budget, which capture() then ends with. It must
    /// not throw, nor make or destroy a Recorder.
    void on_late_frame(UniqueFunction<void(const FrameReport&)> hook) {
        on_late_frame_ = std::move(hook);
    }

  private:
    Runtime& runtime_;
    const RecorderOptions options_;
    bool is_on_ = false;
    UniqueFunction<void(const FrameReport&)> on_late_frame_;
};

} // namespace takt
