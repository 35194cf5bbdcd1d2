// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. How a request ends, once, whoever ends it, and how those who wait learn that. Below:
// base (policy). Above: ticket.

#include "takt/base.hpp"

#include <cstdint>

namespace takt {

/// How a request stands. All but `pending` and `answered` are failures, which TicketError names.
enum class TicketStatus : std::uint8_t {
    pending,       ///< nobody has answered yet
    answered,      ///< the answer is there
    threw,         ///< the handler threw; who takes the answer gets that exception
    cancelled,     ///< Ticket::cancel()
    deadline,      ///< its deadline has passed
    actor_gone,    ///< the actor was destroyed before it had answered
    actor_stopped, ///< the actor was stopped by a failure before it had answered
    shut_down,     ///< the runtime ended before
    dead,          ///< not sent: there is no actor to answer it
    full,          ///< not sent, or not kept: there was no room for it
    closed,        ///< not sent: the dispatcher, or the way in, is closed
    no_memory,     ///< an allocation failed, at the sender or on the way
    taken,         ///< the answer was taken before, or there never was a request
};

constexpr const char* name_of(TicketStatus status) noexcept {
    constexpr const char* kNames[] = {
        "pending",   "answered", "threw", "cancelled", "deadline",  "actor_gone", "actor_stopped",
        "shut_down", "dead",     "full",  "closed",    "no_memory", "taken"};
    return kNames[static_cast<std::size_t>(status)];
}

namespace detail {

/// One word and a count of references: the part of a ticket that several threads write.
///
/// | operation           | who                         | progress                                |
/// |---------------------|-----------------------------|-----------------------------------------|
/// | acquire, release    | who has a reference         | wait-free                               |
/// | status              | who has a reference         | wait-free                               |
/// | end                 | the same                    | wait-free: the word changes a few times |
/// |                     |                             | at most; a system call where a thread   |
/// |                     |                             | sleeps                                  |
/// | await, forget       | who is to be told, one      | wait-free                               |
/// | watch               | who gave it a deadline, once | wait-free                              |
/// | wait                | any number of threads       | blocks                                  |
///
/// U1  Of those that end a ticket (who answers, who cancels, the deadline, the end of the actor) exactly
///     one does: the word leaves `pending` once.
/// U2  What the answer holds is written before the end, by who answers, and read after it, by who has
///     the ticket.
/// U3  Who waits says so in the word that the end is written to: he sees the end, or who ends sees him.
template <class P>
class TicketState {
  public:
    /// `references`: of the caller, to begin with.
    explicit TicketState(std::uint32_t references) noexcept : references_(references) {}
    TicketState(const TicketState&) = delete;
    TicketState& operator=(const TicketState&) = delete;

    void acquire() noexcept {
        references_.fetch_add(1, std::memory_order_relaxed); // relaxed: the caller has one
    }
    /// True: it was the last one, and the caller destroys what the ticket holds.
    [[nodiscard]] bool release() noexcept {
        // edge ticket_last, both sides: who is last sees what the others did
        return references_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }

    TicketStatus status() const noexcept {
        return status_of(word_.load(std::memory_order_acquire)); // edge ticket, acquire side
    }

    struct End {
        bool by_caller;  // else somebody else was first (U1)
        bool is_awaited; // by who called await(): the caller tells him
        bool is_watched; // the caller tells the runtime of its deadline
    };
    End end(TicketStatus status) noexcept;

    /// From now on who ends the ticket tells the caller, who has written where. False: it has ended;
    /// status() then hands the answer over.
    [[nodiscard]] bool await() noexcept {
        // edge ticket, release side: where the caller is to be told
        return status_of(word_.fetch_or(kAwaited, std::memory_order_release)) ==
               TicketStatus::pending;
    }
    /// The caller of await() is not to be told any more. Who has ended it already may still do so.
    void forget() noexcept {
        word_.fetch_and(~kAwaited, std::memory_order_relaxed); // relaxed: it hands nothing over
    }

    /// From now on who ends the ticket tells its runtime, where it has a deadline. False: it has ended.
    [[nodiscard]] bool watch() noexcept {
        // relaxed: it hands nothing over
        return status_of(word_.fetch_or(kWatched, std::memory_order_relaxed)) ==
               TicketStatus::pending;
    }

    /// Sleeps until it has ended or until `deadline_ns` (now_ns time, kNever for none). Returns the
    /// status then.
    TicketStatus wait(std::int64_t deadline_ns) noexcept;

  private:
    // bits 0-7 TicketStatus, bit 8 somebody is to be told, bit 9 somebody sleeps, or did,
    // bit 10 it has a deadline
    static constexpr std::uint64_t kStatus = 0xff;
    static constexpr std::uint64_t kAwaited = 0x100;
    static constexpr std::uint64_t kSleeps = 0x200;
    static constexpr std::uint64_t kWatched = 0x400;
    static constexpr TicketStatus status_of(std::uint64_t word) noexcept {
        return static_cast<TicketStatus>(word & kStatus);
    }

    // word_:   writes: who ends it, once; who waits   reads: who has a reference
    //   edge ticket: end releases the answer -> status, wait acquire it; await releases where
    //   the caller is to be told -> end acquires it.
    typename P::template Atomic<std::uint64_t> word_{0};
    // references_:   writes: who has one
    typename P::template Atomic<std::uint32_t> references_;
};

template <class P>
typename TicketState<P>::End TicketState<P>::end(TicketStatus status) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed); // relaxed: the exchange checks it
    do {
        if (status_of(seen) != TicketStatus::pending)
            return {false, false, false}; // U1
        // edge ticket, both sides. Failing it is relaxed: nothing is read then
    } while (!word_.compare_exchange_weak(seen, seen | static_cast<std::uint64_t>(status),
                                          std::memory_order_acq_rel, std::memory_order_relaxed));
    if ((seen & kSleeps) != 0) // U3
        P::unpark_all(word_);
    return {true, (seen & kAwaited) != 0, (seen & kWatched) != 0};
}

template <class P>
TicketStatus TicketState<P>::wait(std::int64_t deadline_ns) noexcept {
    for (;;) {
        // edge ticket, acquire side
        std::uint64_t seen = word_.load(std::memory_order_acquire);
        if (status_of(seen) == TicketStatus::pending && (seen & kSleeps) == 0)
            // edge ticket, acquire side
            seen = word_.fetch_or(kSleeps, std::memory_order_acquire) | kSleeps; // U3
        if (status_of(seen) != TicketStatus::pending ||
            (deadline_ns != kNever && P::now_ns() >= deadline_ns))
            return status_of(seen);
        P::park(word_, static_cast<std::uint32_t>(seen), deadline_ns);
    }
}

} // namespace detail
} // namespace takt
