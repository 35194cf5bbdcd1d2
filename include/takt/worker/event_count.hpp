// SPDX-License-Identifier: MIT
#pragma once
// Layer 2, worker. A word that one thread advances and others await: where workers sleep between
// turns. A reader of many writers sleeps on a Doorbell (mailbox). Below: base (policy). Above: barrier. The protocol, its proof and what was
// rejected: src/worker/PARKING.md.

#include "takt/base.hpp"

#include <cstdint>

namespace takt {

/// How a thread waits: it spins, then yields its CPU, then sleeps in the kernel.
struct Waiting {
    /// Nanoseconds to spin before anything else, kNever for ever. Too small: wakes cost
    /// microseconds. Too large: CPU is burnt in the slack. 0 when threads outnumber CPUs, or the
    /// spinner holds up who it awaits.
    std::int64_t spin_ns = 50'000;
    /// Times to yield the CPU after spinning. Only of use when threads share CPUs.
    std::uint32_t yields = 0;
    /// Where the time of the next event is known, a sleeper rises this many nanoseconds before it
    /// and spins the rest.
    std::int64_t prewake_ns = 100'000;
};

/// What an EventCount holds: how often it was advanced, and 16 bits that travel with the count.
struct Event {
    std::uint64_t sequence = 0; // 48 bits: 890 years at 10,000 frames a second
    std::uint16_t payload = 0;

    static constexpr int kSequenceBits = 48;
    static constexpr std::uint64_t kSequenceMask = (std::uint64_t{1} << kSequenceBits) - 1;

    // bits 0-47 sequence (the kernel's futex compares bits 0-31), bits 48-63 payload
    constexpr std::uint64_t pack() const noexcept {
        return (std::uint64_t{payload} << kSequenceBits) | (sequence & kSequenceMask);
    }
    static constexpr Event unpack(std::uint64_t word) noexcept {
        return {word & kSequenceMask, static_cast<std::uint16_t>(word >> kSequenceBits)};
    }
};

/// An eventcount (D. Reed, R. Kanodia, "Synchronization with Eventcounts and Sequencers", 1979)
/// with a single writer, on futex.
///
/// | operation | who      | progress                                              |
/// |-----------|----------|-------------------------------------------------------|
/// | advance   | writer   | wait-free; one system call when somebody sleeps       |
/// | read      | anyone   | wait-free                                             |
/// | await     | anyone   | blocks until the writer has advanced far enough       |
///
/// All that the writer did before advance() is visible to who awaited or read that event. It
/// outlives the advance() of the last event, not only its coming: the writer looks for sleepers
/// after it.
///
/// E1  One thread at a time advances; each event has a larger sequence than the one before.
/// E2  Nobody sleeps on a word that he has not looked at again after announcing himself.
/// E3  Who advances looks for sleepers after the word is visible, so that of a writer and a sleeper
///     who meet at least one sees the other.
template <class P>
class EventCount {
  public:
    explicit EventCount(Event start = {}) noexcept : word_(start.pack()) {}
    EventCount(const EventCount&) = delete;
    EventCount& operator=(const EventCount&) = delete;

    /// Publishes `event` and wakes whoever sleeps.
    void advance(Event event) noexcept;

    /// The latest event that this thread can see.
    Event read() const noexcept {
        return Event::unpack(word_.load(std::memory_order_acquire)); // edge event, acquire side
    }

    /// Waits until `ready(event)` holds and returns that event. `ready` must stay true for later
    /// events or only one thread may depend on it. `due_ns`: when the event is expected (now_ns
    /// time), kNever if that is unknown.
    template <class Ready>
    Event await(Ready ready, const Waiting& waiting, std::int64_t due_ns = kNever) const noexcept;

  private:
    template <class Ready>
    bool spin(Ready& ready, std::int64_t spin_ns, Event& event) const noexcept;
    template <class Ready>
    bool yield(Ready& ready, std::uint32_t yields, Event& event) const noexcept;
    template <class Ready>
    bool sleep(Ready& ready, std::int64_t deadline_ns, Event& event) const noexcept;
    template <class Ready>
    bool holds(Ready& ready, Event& event) const noexcept {
        event = read();
        return ready(event);
    }

    static constexpr int kPollsPerClockRead = 32; // a clock read costs as much as two pauses

    // --- written by the writer ------------------------------------------------------------------
    // word_: the packed event.      writes: the writer   reads: who awaits
    //   edge event: advance releases -> read acquires; hands over all that the writer did before.
    alignas(kInterference) typename P::template Atomic<std::uint64_t> word_;

    // --- written by who sleeps ------------------------------------------------------------------
    // sleepers_: threads between their announcement and their rising.
    //   writes: sleepers   reads: the writer, on every advance: so not on the word's line, where
    //   the read would wait for the line to come back from the spinning readers.
    alignas(kCacheLine) mutable typename P::template Atomic<std::uint32_t> sleepers_{0};
};

template <class P>
void EventCount<P>::advance(Event event) noexcept {
    if (P::sleeper_pays()) {
        word_.store(event.pack(), std::memory_order_release); // edge event, release side
        P::publisher_barrier();
    } else {
        // cross park, side A (and edge event, release side)
        word_.exchange(event.pack(), std::memory_order_seq_cst);
    }
    if (sleepers_.load(std::memory_order_seq_cst) != 0) [[unlikely]] // cross park, side A
        P::unpark_all(word_);
}

template <class P>
template <class Ready>
Event EventCount<P>::await(Ready ready, const Waiting& waiting,
                           std::int64_t due_ns) const noexcept {
    Event event;
    if (spin(ready, waiting.spin_ns, event) || yield(ready, waiting.yields, event))
        return event;
    if (due_ns != kNever) {
        const std::int64_t rise_ns = later(due_ns, -waiting.prewake_ns);
        if (P::now_ns() < rise_ns && sleep(ready, rise_ns, event))
            return event;
        if (spin(ready, later(later(due_ns, waiting.spin_ns), -P::now_ns()), event))
            return event;
    }
    sleep(ready, kNever, event);
    return event;
}

template <class P>
template <class Ready>
bool EventCount<P>::spin(Ready& ready, std::int64_t spin_ns, Event& event) const noexcept {
    if (holds(ready, event))
        return true;
    if (spin_ns <= 0)
        return false;
    for (std::int64_t until_ns = 0;;) {
        for (int polls = 0; polls < kPollsPerClockRead; ++polls) {
            P::relax(word_, event.pack());
            if (holds(ready, event))
                return true;
        }
        const std::int64_t now_ns = P::now_ns();
        if (until_ns == 0)
            until_ns = later(now_ns, spin_ns);
        if (now_ns >= until_ns)
            return false;
    }
}

template <class P>
template <class Ready>
bool EventCount<P>::yield(Ready& ready, std::uint32_t yields, Event& event) const noexcept {
    for (; yields > 0; --yields) {
        P::yield();
        if (holds(ready, event))
            return true;
    }
    return false;
}

template <class P>
template <class Ready>
bool EventCount<P>::sleep(Ready& ready, std::int64_t deadline_ns, Event& event) const noexcept {
    // Announce, then look again (E2).
    sleepers_.fetch_add(1, std::memory_order_seq_cst); // cross park, side B
    P::sleeper_barrier();
    for (;;) {
        // cross park, side B (and edge event, acquire side)
        event = Event::unpack(word_.load(std::memory_order_seq_cst));
        if (ready(event) || (deadline_ns != kNever && P::now_ns() >= deadline_ns))
            break;
        P::park(word_, static_cast<std::uint32_t>(event.sequence), deadline_ns);
    }
    sleepers_.fetch_sub(1, std::memory_order_relaxed); // relaxed: too late a wake-up is harmless
    return ready(event);
}

} // namespace takt
