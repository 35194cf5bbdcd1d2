// SPDX-License-Identifier: MIT
#pragma once
// Layer 0, base. What a lock-free structure is written on: atomics, plain shared variables, the
// spin hint, the clock and the way to sleep come from a policy. The product uses StdPolicy; the
// interleaving explorer in tests/support has its own, so one source serves both.
//
// The asymmetric barrier. A publisher stores and then looks for sleepers; a sleeper announces
// itself and then looks at what was published. Each must see the other's store, which takes a full
// fence on both sides. Publishing is hot and sleeping is rare, so the sleeper pays for both: where
// the kernel has membarrier(2), sleeper_barrier() runs a full fence on every thread of the process
// and publisher_barrier() only keeps the compiler from reordering. Where it has not,
// sleeper_pays() is false and both sides use seq_cst operations.

#include "takt/base/clock.hpp"

#include <atomic>
#include <cstdint>
#include <utility>

namespace takt {

/// A variable that threads share without atomics, handed over by an edge. Costs nothing here; the
/// explorer's counterpart reports a race when two accesses are not ordered.
template <class T>
class Plain {
  public:
    Plain() = default;
    explicit Plain(T value) : value_(std::move(value)) {}
    const T& get() const noexcept { return value_; }
    void set(T value) noexcept { value_ = std::move(value); }

  private:
    T value_{};
};

struct StdPolicy {
    template <class T>
    using Atomic = std::atomic<T>;
    template <class T>
    using Plain = takt::Plain<T>;

    /// One spin step while `word` still holds `seen`: tells the core (and its SMT sibling) that
    /// this thread only waits. Where the CPU has WAITPKG it waits for a store to the line (umwait,
    /// state C0.1, 500 cycles at most), otherwise for the length of one pause instruction.
    static void relax(const std::atomic<std::uint64_t>& word, std::uint64_t seen) noexcept {
        if (umwait_works_) [[unlikely]]
            umwait(word, seen);
        else
            pause();
    }
    /// Gives the CPU to another runnable thread, if there is one.
    static void yield() noexcept;
    static std::int64_t now_ns() noexcept { return takt::now_ns(); }

    /// Sleeps while the low 32 bits of `word` equal `seen` and `deadline_ns` (takt::now_ns, kNever
    /// for none) has not passed. May return early for no reason: callers check again.
    static void park(const std::atomic<std::uint64_t>& word, std::uint32_t seen,
                     std::int64_t deadline_ns) noexcept;
    /// Wakes every thread that is parked on `word`.
    static void unpark_all(const std::atomic<std::uint64_t>& word) noexcept;

    /// True where membarrier(2) works; never changes once static initialisation has begun.
    static bool sleeper_pays() noexcept { return membarrier_works_; }
    /// The sleeper's half: a full fence on every thread of the process. Nothing where
    /// !sleeper_pays(); the caller's seq_cst operations carry the ordering then. Aborts with the
    /// cure when the kernel takes membarrier away after start-up (a late sandbox): publishers rely
    /// on it by then, and a lost wake-up would be a hang without a trace.
    static void sleeper_barrier() noexcept;
    /// The publisher's half, free at run time.
    static void publisher_barrier() noexcept {
        std::atomic_signal_fence(std::memory_order_seq_cst); // fence park: compiler only, see above
    }

    /// Finds out what kernel and CPU offer. Called once, before ordinary static initialisers.
    static void detect() noexcept;

    /// One spin step of who waits for several words: a pause instruction.
    static void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        // `yield` is a no-op on most ARM cores; isb waits about as long as x86's pause.
        asm volatile("isb");
#endif
    }

  private:
    static void umwait(const std::atomic<std::uint64_t>& word, std::uint64_t seen) noexcept;

    static bool membarrier_works_;
    static bool umwait_works_;
};

} // namespace takt
