// SPDX-License-Identifier: MIT
#pragma once
// Layer 4, phase. What the calling thread is doing, as takt sees it. Below: base. Above: the tokens,
// and the layers that extend a context with what they need.

#include <atomic>
#include <cstdint>

namespace takt {

/// Where a piece of code runs.
enum class Phase : std::uint8_t {
    outside,  ///< on a thread that is neither a worker in a phase nor the frame thread
    serial,   ///< on the frame thread, alone: the world may change
    parallel, ///< on a worker, beside others: shared state is read only
};

/// "outside", "the serial phase", "the parallel phase".
const char* name_of(Phase phase) noexcept;

/// What happens when a member is used in the wrong phase.
enum class OnViolation : std::uint8_t {
    raise, ///< PhaseError is thrown; it fails the message that is being handled
    abort, ///< the program ends with the error's text
};

namespace detail {

/// Of one worker of one runtime. The frame thread has that of worker 0, in both phases.
struct Context {
    Phase phase = Phase::serial;
    bool checks = true; // look at the phase where a member asks for it
    OnViolation on_violation = OnViolation::raise;
    bool is_reproducible = false; // nothing may depend on timing: next_round delivery
};

// t_context:   writes: its thread, and who sends a frame thread away   reads: its thread
inline constinit thread_local std::atomic<Context*> t_context{nullptr};

// clang before 16 may keep the address of a thread-local across a suspension, when it is inlined
// into a coroutine that goes on on another thread.
#if defined(__clang__) && __clang_major__ < 16
#define TAKT_THREAD_LOCAL_ACCESS [[gnu::noinline]] inline
#else
#define TAKT_THREAD_LOCAL_ACCESS inline
#endif

/// That of the calling thread; null outside.
TAKT_THREAD_LOCAL_ACCESS Context* current_context() noexcept {
    return t_context.load(std::memory_order_relaxed); // relaxed: the thread's own
}
TAKT_THREAD_LOCAL_ACCESS void set_current_context(Context* context) noexcept {
    t_context.store(context, std::memory_order_relaxed); // relaxed: the thread's own
}

} // namespace detail

/// The phase that the caller runs in. Wait-free: one thread-local read.
inline Phase current_phase() noexcept {
    const detail::Context* const context = detail::current_context();
    return context == nullptr ? Phase::outside : context->phase;
}

} // namespace takt
