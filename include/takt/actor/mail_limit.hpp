// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. What an actor may have of mail that has not ended: the limit that its maker sets, and
// the counts by which senders and the actor's worker keep to it. Below: mailbox (Overflow). Above:
// actor_table, which has the rooms, send, the frame.

#include "takt/base.hpp"
#include "takt/mailbox.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace takt {

/// How many messages may be on their way to an actor or with it, and what becomes of more: docs/model.md,
/// "Limits".
struct MailLimit {
    /// Messages, at least 1. The default: no limit.
    std::uint64_t max = kUnboundedBytes;
    /// reject, drop_newest: `max` bounds what has been sent and has not ended, tasks that handlers began
    /// included; never exceeded. Not with next_round delivery, where no answer may depend on timing.
    /// drop_oldest, keep_latest: the actor's worker drops a message when its turn comes and, with those
    /// that are newer and what has begun, there are more than `max`; keep_latest drops then all but
    /// the newest.
    Overflow overflow = Overflow::reject;
};

namespace detail {

/// True when senders keep to the limit; false: the reader does.
constexpr bool asks_senders(Overflow overflow) noexcept {
    return overflow == Overflow::reject || overflow == Overflow::drop_newest;
}

/// The mail of one limited actor. Each worker counts what it sends in a row of its own, threads outside
/// share one, and who runs the actor counts what has ended: nobody waits for a counter, and no
/// worker writes another's line. (A Credit for each sender would do without the look at the others' rows,
/// but would leave a lone sender the n-th part of the limit on n workers: no limit of few messages could
/// be split.)
///
/// | operation                                | who                          | progress            |
/// |------------------------------------------|------------------------------|---------------------|
/// | enter                                    | who sends in a phase         | wait-free, n loads  |
/// | enter_anyway, leave                      | the same                     | wait-free           |
/// | enter_from_outside                       | threads outside              | wait-free, n loads  |
/// | leave_from_outside                       | the same, the frame thread   | wait-free           |
/// | has_room                                 | anyone                       | wait-free, n loads  |
/// | open, end, is_excess, ...               | who runs the actor           | wait-free, n loads  |
///
/// J5  What has entered by enter() or enter_from_outside() and has not left or ended is never more than
///     the limit: who enters says so before it looks, so of several the last one sees all. Of two
///     who come for the last place both may be refused.
/// J6  Mail that its reader drops is dropped by turn, oldest first, in runs: how much is too much is
///     found out once, and after that many one message is handled, whatever came meanwhile. So a
///     flood does not starve the actor.
template <class P>
class MailRoom {
  public:
    explicit MailRoom(int workers)
        : workers_(workers), rows_(new Row[static_cast<std::size_t>(workers)]) {}
    MailRoom(const MailRoom&) = delete;
    MailRoom& operator=(const MailRoom&) = delete;

    /// Before anybody knows the actor.
    void set(const MailLimit& limit) noexcept {
        // relaxed: the reference hands them over
        max_.store(limit.max, std::memory_order_relaxed);
        overflow_.store(limit.overflow, std::memory_order_relaxed); // relaxed: as above
    }
    std::uint64_t max() const noexcept {
        return max_.load(std::memory_order_relaxed); // relaxed: see set()
    }
    Overflow overflow() const noexcept {
        return overflow_.load(std::memory_order_relaxed); // relaxed: see set()
    }

    // --- senders ---------------------------------------------------------------------------------

    /// One more message, sent by that worker. False: there is no room, and it has not entered.
    [[nodiscard]] bool enter(int worker) noexcept {
        Row& row = row_of(worker);
        const std::uint64_t sent = row.sent.load(std::memory_order_relaxed); // relaxed: its own
        row.sent.store(sent + 1, std::memory_order_seq_cst);                 // cross room, side A
        if (unended() <= max()) [[likely]]
            return true;
        leave(worker);
        return false;
    }
    /// The same without a look at the limit.
    void enter_anyway(int worker) noexcept { add_to(row_of(worker).sent, 1); }
    /// It was not sent after all.
    void leave(int worker) noexcept { add_to(row_of(worker).sent, std::uint64_t(-1)); }
    /// The sender has dropped one, which had not entered.
    void note_dropped(int worker) noexcept { add_to(row_of(worker).dropped, 1); }

    [[nodiscard]] bool enter_from_outside() noexcept {
        outside_.fetch_add(1, std::memory_order_seq_cst); // cross room, side A
        if (unended() <= max())
            return true;
        leave_from_outside();
        return false;
    }
    void leave_from_outside() noexcept {
        outside_.fetch_sub(1, std::memory_order_relaxed); // relaxed: late news only refuse
    }
    /// A hint, for who waits for room.
    bool has_room() const noexcept { return unended() < max(); }

    // --- who runs the actor ----------------------------------------------------------------------

    /// A message is taken out of a lane.
    void open() noexcept { ++opened_; }
    /// With next_round delivery: it is one of this round's.
    void arrive() noexcept { ++arrived_; }
    /// A message that was opened has ended.
    void end() noexcept {
        const std::uint64_t ended = ended_.load(std::memory_order_relaxed); // relaxed: its own
        ended_.store(ended + 1, std::memory_order_release); // edge ended, release side
    }
    /// Is a message that was just opened to be dropped (J6)? `begun`: messages with tasks.
    bool is_excess(std::uint64_t begun, bool by_rounds) noexcept;
    /// A message waits for the serial phase, or does no more.
    void wait_for_serial() noexcept { ++in_serial_; }
    void stop_waiting() noexcept { --in_serial_; }
    std::uint64_t in_serial() const noexcept { return in_serial_; }
    /// The same question when its turn in the serial phase has come.
    bool is_excess_in_serial(std::uint64_t begun) noexcept;
    /// The same of mail that is kept: how many of so many are to go.
    std::uint64_t excess_of(std::uint64_t waiting, std::uint64_t begun) const noexcept;

    /// What senders have dropped. In the serial phase, or by who runs the actor.
    std::uint64_t dropped_by_senders() const noexcept {
        std::uint64_t sum = 0;
        for (int worker = 0; worker < workers_; ++worker) // relaxed: a figure
            sum += row_of(worker).dropped.load(std::memory_order_relaxed);
        return sum;
    }
    /// In the serial phase: the actor is gone. Mail that is under way finds that out, and does not come
    /// here; what is still in the gate leaves from there.
    void reset() noexcept;

  private:
    using Count = typename P::template Atomic<std::uint64_t>;
    struct alignas(kInterference) Row {
        Count sent{0};    // and entered
        Count dropped{0}; // and not entered
    };

    Row& row_of(int worker) const noexcept { return rows_[static_cast<std::size_t>(worker)]; }
    static void add_to(Count& own, std::uint64_t by) noexcept {
        const std::uint64_t before = own.load(std::memory_order_relaxed); // relaxed: its own
        own.store(before + by,
                  std::memory_order_relaxed); // relaxed: late news refuse, or drop later
    }
    /// What has entered in phases.
    std::uint64_t sent() const noexcept {
        std::uint64_t sum = 0;
        for (int worker = 0; worker < workers_; ++worker)
            sum += row_of(worker).sent.load(std::memory_order_seq_cst); // cross room, side B
        return sum;
    }
    // What has ended is read first: all of it is among what has entered then.
    std::uint64_t unended() const noexcept {
        const std::uint64_t ended =
            ended_.load(std::memory_order_acquire); // edge ended, acquire side
        // cross room, side B
        return outside_.load(std::memory_order_seq_cst) + sent() - ended;
    }

    const int workers_;
    // max_, overflow_:   writes: who makes an actor   reads: all
    Count max_{kUnboundedBytes};
    typename P::template Atomic<Overflow> overflow_{Overflow::reject};
    // rows_: one for each worker, who alone writes it; the frame thread as worker 0.
    const std::unique_ptr<Row[]> rows_;
    // outside_: mail from outside that the frame thread has not admitted.   writes: threads outside, and
    //   the frame thread
    alignas(kInterference) Count outside_{0};
    // ended_:   writes: who runs the actor   reads: who enters
    //   edge ended: who sees that a message has ended sees that it had entered.
    alignas(kInterference) Count ended_{0};
    // Of who runs the actor:
    std::uint64_t opened_ = 0;
    std::uint64_t arrived_ = 0;
    std::uint64_t in_serial_ = 0;
    std::uint64_t to_drop_ = 0;           // of this run (J6)
    std::uint64_t to_drop_in_serial_ = 0; // the same
    bool spares_next_ = false;            // a run has ended
};

template <class P>
std::uint64_t MailRoom<P>::excess_of(std::uint64_t waiting, std::uint64_t begun) const noexcept {
    if (asks_senders(overflow()))
        return 0;
    const std::uint64_t places = begun < max() ? max() - begun : 0;
    if (waiting <= places)
        return 0;
    return overflow() == Overflow::keep_latest && places != 0 ? waiting - 1 : waiting - places;
}

template <class P>
bool MailRoom<P>::is_excess(std::uint64_t begun, bool by_rounds) noexcept {
    if (asks_senders(overflow()))
        return false;
    if (to_drop_ == 0) {
        if (std::exchange(spares_next_, false))
            return false;
        const std::uint64_t behind = (by_rounds ? arrived_ : sent()) - opened_;
        to_drop_ = excess_of(behind + 1, begun);
        if (to_drop_ == 0)
            return false;
        spares_next_ = to_drop_ <= behind; // else there is no place for anybody
    }
    --to_drop_;
    return true;
}

template <class P>
bool MailRoom<P>::is_excess_in_serial(std::uint64_t begun) noexcept {
    if (to_drop_in_serial_ == 0)
        to_drop_in_serial_ = excess_of(in_serial_ + 1, begun);
    if (to_drop_in_serial_ == 0)
        return false;
    --to_drop_in_serial_;
    return true;
}

template <class P>
void MailRoom<P>::reset() noexcept {
    for (int worker = 0; worker < workers_; ++worker) {
        // relaxed: the barrier hands them over
        row_of(worker).sent.store(0, std::memory_order_relaxed);
        row_of(worker).dropped.store(0, std::memory_order_relaxed); // relaxed: as above
    }
    ended_.store(0, std::memory_order_relaxed); // relaxed: as above
    opened_ = arrived_ = in_serial_ = to_drop_ = to_drop_in_serial_ = 0;
    spares_next_ = false;
}

} // namespace detail
} // namespace takt
