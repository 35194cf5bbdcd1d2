// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. How a reader sleeps until one of its lanes moves, and how a writer finds out
// that it does. Below: lane. Above: mailbox, gate. The protocol is that of the event count
// (src/worker/PARKING.md) with many writers: what is looked at is the lanes' tails, and the word
// that is slept on changes only while somebody sleeps.

#include "takt/mailbox/lane.hpp"

#include <cstdint>

namespace takt {

/// | operation | who        | progress                                                  |
/// |-----------|------------|-----------------------------------------------------------|
/// | publish   | any writer | wait-free; one system call when the reader sleeps         |
/// | look      | anyone     | the same                                                  |
/// | ring      | anyone     | wait-free, one system call                                |
/// | sleep     | the reader | blocks until something moved, or it is time               |
///
/// D1  The reader looks at its lanes after it has announced that it sleeps, and again after each
///     ring.
/// D2  A writer looks for a sleeper after its tail is visible, so that of the two at least one sees
///     the other.
template <class P>
class Doorbell {
  public:
    Doorbell() = default;
    Doorbell(const Doorbell&) = delete;
    Doorbell& operator=(const Doorbell&) = delete;

    /// Publishes a lane of this reader, and wakes the reader if it sleeps.
    void publish(LaneWriter<P>& writer) noexcept;

    /// Wakes the reader if it sleeps, after a store by detail::publish_before_look of something that
    /// its `moved` reads.
    void look() noexcept {
        if (asleep_.load(std::memory_order_seq_cst) != 0) [[unlikely]] // cross doorbell, side A
            ring();
    }

    /// Makes a sleeping reader look at `moved` again.
    void ring() noexcept;

    /// Times that somebody rang. Anyone; wait-free.
    std::uint64_t rings() const noexcept {
        return rings_.load(std::memory_order_relaxed); // relaxed: a count
    }

    /// Sleeps until `moved()` holds or until `deadline_ns` (now_ns time, kNever for none). Returns
    /// what moved() said last. `moved` reads what writers published with seq_cst, as Board::moved.
    template <class Moved>
    bool sleep(Moved moved, std::int64_t deadline_ns = kNever) noexcept;

  private:
    // asleep_: 1 between the reader's announcement and its rising.
    //   writes: the reader   reads: writers, at each publish: so on a line of its own, which nobody
    //   writes while the reader is awake.
    alignas(kInterference) typename P::template Atomic<std::uint32_t> asleep_{0};

    // rings_: what the reader sleeps on.   writes: whoever rings   reads: the reader
    //   edge ring: ring releases -> sleep acquires, so that who sees the ring sees the tail.
    alignas(kCacheLine) typename P::template Atomic<std::uint64_t> rings_{0};
};

template <class P>
void Doorbell<P>::publish(LaneWriter<P>& writer) noexcept {
    writer.publish_before_look();
    look();
}

template <class P>
void Doorbell<P>::ring() noexcept {
    rings_.fetch_add(1, std::memory_order_release); // edge ring, release side
    P::unpark_all(rings_);
}

template <class P>
template <class Moved>
bool Doorbell<P>::sleep(Moved moved, std::int64_t deadline_ns) noexcept {
    asleep_.store(1, std::memory_order_seq_cst); // cross doorbell, side B
    P::sleeper_barrier();
    bool found = false;
    for (;;) {
        const std::uint64_t rings =
            rings_.load(std::memory_order_acquire); // edge ring, acquire side
        found = moved();                            // D1
        if (found || (deadline_ns != kNever && P::now_ns() >= deadline_ns))
            break;
        P::park(rings_, static_cast<std::uint32_t>(rings), deadline_ns);
    }
    asleep_.store(0, std::memory_order_relaxed); // relaxed: too late a ring is harmless
    return found;
}

} // namespace takt
