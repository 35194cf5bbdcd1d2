// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. Sleeping on a doorbell until some word moves, whoever writes it: the protocol
// of the event count (src/worker/PARKING.md) for words that are not a worker's lanes. Below:
// doorbell. Above: gate.

#include "takt/mailbox/doorbell.hpp"

#include <cstdint>

namespace takt::detail {

/// Stores so that a Wakeup::look() that follows cannot miss a sleeper who misses the value.
template <class P, class T>
void publish_before_look(typename P::template Atomic<T>& word, T value) noexcept {
    if (P::sleeper_pays()) {
        word.store(value, std::memory_order_release); // cross wakeup, side A
        P::publisher_barrier();
    } else {
        word.exchange(value, std::memory_order_seq_cst); // cross wakeup, side A
    }
}

/// | operation | who                       | progress                                      |
/// |-----------|---------------------------|-----------------------------------------------|
/// | look      | who has just published    | wait-free; a system call when somebody sleeps |
/// | ring      | anyone                    | wait-free, one system call                    |
/// | sleep     | anyone, several at a time | blocks                                        |
///
/// The bell may also serve others; it outlives all who look or ring.
template <class P>
class Wakeup {
  public:
    explicit Wakeup(Doorbell<P>& bell) noexcept : bell_(bell) {}
    Wakeup(const Wakeup&) = delete;
    Wakeup& operator=(const Wakeup&) = delete;

    /// Wakes who sleeps. Before it: publish_before_look, or a lane's publish in the same manner.
    void look() noexcept {
        if (sleepers_.load(std::memory_order_seq_cst) != 0) [[unlikely]] // cross wakeup, side A
            bell_.ring();
    }
    void ring() noexcept { bell_.ring(); }

    /// Sleeps until `moved()` holds or until `deadline_ns` (now_ns time, kNever for none). `moved`
    /// reads with seq_cst what others publish. Returns what it said last.
    template <class Moved>
    bool sleep(Moved moved, std::int64_t deadline_ns) noexcept {
        sleepers_.fetch_add(1, std::memory_order_seq_cst); // cross wakeup, side B
        // The bell goes through the sleeper's barrier, and looks after that.
        const bool found = bell_.sleep(moved, deadline_ns);
        sleepers_.fetch_sub(1, std::memory_order_relaxed); // relaxed: too late a ring is harmless
        return found;
    }

  private:
    Doorbell<P>& bell_;
    // sleepers_: threads between their announcement and their rising.   writes: sleepers
    //   reads: who publishes, each time: so on a line of its own.
    alignas(kInterference) typename P::template Atomic<std::uint32_t> sleepers_{0};
};

} // namespace takt::detail
