// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. Which thread acts for a runtime between its frames. Below: actor, task. Above:
// engine.

#include "takt/actor.hpp"

#include <atomic>

namespace takt::detail {

/// The seat of a runtime's frame thread. Whoever takes it is in the serial phase from then on, and
/// whoever had it is outside; so that a thread that made a runtime for another one to run does not
/// act for it for ever.
///
/// | operation | who                                    | progress                               |
/// |-----------|----------------------------------------|----------------------------------------|
/// | take      | the frame thread, or who follows it    | wait-free; a mutex when another had it |
/// | is_here   | anyone                                 | wait-free                              |
///
/// Who takes it from another thread comes after what that one did for the runtime (R1).
class FrameThread {
  public:
    FrameThread();
    /// Whoever has it is outside.
    ~FrameThread();
    FrameThread(const FrameThread&) = delete;
    FrameThread& operator=(const FrameThread&) = delete;

    void take(Context& context, FramePool& frames) noexcept;
    /// The calling thread has it.
    bool is_here() const noexcept;

  private:
    friend struct ThreadEnd;
    struct Thread;

    void leave() noexcept;

    Context* context_ = nullptr;
    FramePool* frames_ = nullptr;
    // thread_: null: nobody.   writes: under the mutex   reads: anyone
    std::atomic<Thread*> thread_{nullptr};
};

} // namespace takt::detail
