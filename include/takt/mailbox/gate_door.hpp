// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. What a gate knows of one sender, how senders come and go, and how the gate is
// closed against them. Below: lane, credit, wakeup. Above: producer, gate.

#include "takt/mailbox/credit.hpp"
#include "takt/mailbox/lane.hpp"
#include "takt/mailbox/send_result.hpp"
#include "takt/mailbox/wakeup.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace takt {

/// How a gate is laid out.
struct GateConfig {
    /// For each sender; to split a budget: share_of(budget, senders).
    Bounds bounds = {};
    LaneConfig lane = {};
};

/// What went through a gate; exact whenever no sender is inside. The law:
///     entered = routed + dropped_oldest + discarded + inside
/// and every send was answered `ok` (entered + dropped_newest times) or is under refused_*.
struct GateCounts {
    std::uint64_t entered = 0;
    std::uint64_t routed = 0;
    std::uint64_t dropped_newest = 0;
    std::uint64_t dropped_oldest = 0; ///< also by keep_latest
    std::uint64_t discarded = 0;      ///< destroyed by discard(), unrouted
    std::uint64_t refused_full = 0;
    std::uint64_t refused_closed = 0;
    std::uint64_t refused_no_memory = 0;

    std::uint64_t inside() const noexcept { return entered - routed - dropped_oldest - discarded; }
    std::uint64_t accepted() const noexcept { return entered + dropped_newest; }
};

namespace detail {

/// A count with a single writer, which others may look at.
template <class P>
class Figure {
  public:
    void add(std::uint64_t by) noexcept {
        count_.store(read() + by, std::memory_order_relaxed); // relaxed: a figure
    }
    std::uint64_t read() const noexcept {
        return count_.load(std::memory_order_relaxed); // relaxed: a figure
    }

  private:
    typename P::template Atomic<std::uint64_t> count_{0};
};

/// What ordinary mail asks besides the gate's bounds: nothing. Others look like this. All are asked inside
/// the gate, so what they read lives as long as the gate's owner waits for quiet().
struct AskNobody {
    bool enter() noexcept { return true; } // false: the send is answered `full`
    void leave() noexcept {}               // it has entered, and was not sent after all
    bool has_room() const noexcept { return true; }
};

/// Leaves again what its sender has asked, unless the mail was sent.
template <class Ask>
class Asking {
  public:
    explicit Asking(Ask& ask) noexcept : ask_(ask), entered_(ask.enter()) {}
    ~Asking() {
        if (entered_)
            ask_.leave();
    }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;

    bool entered() const noexcept { return entered_; }
    void is_sent() noexcept { entered_ = false; }

  private:
    Ask& ask_;
    bool entered_;
};

/// A gate's closing, as senders see it.
///
/// G1  A sender says that it is inside before it looks whether the gate is closed. Who closes says
///     so before he looks who is inside. So of the two at least one sees the other; the closer pays
///     for the ordering where the kernel has membarrier.
/// G2  Who has been seen outside after the close sees the gate closed from then on. What was sent
///     before is visible to who saw it.
template <class P>
class Closing {
  public:
    /// From its return on senders that come see the gate closed. Anyone, any number of times.
    void close() noexcept {
        closed_.store(1, std::memory_order_seq_cst); // cross door, side B
        P::sleeper_barrier();
        settled_.store(1, std::memory_order_release); // edge settled, release side
    }
    bool closed() const noexcept {
        return closed_.load(std::memory_order_seq_cst) != 0; // cross door, side A
    }
    /// True when a close() has passed its barrier: who looks into the doors now may rest on G2.
    bool settled() const noexcept {
        return settled_.load(std::memory_order_acquire) != 0; // edge settled, acquire side
    }

  private:
    // Read by senders at each send, written once.
    alignas(kInterference) typename P::template Atomic<std::uint32_t> closed_{0};
    typename P::template Atomic<std::uint32_t> settled_{0};
};

/// One sender of a gate. The owner of the gate destroys it, once its sender has left.
template <class P>
class GateDoor {
  public:
    GateDoor(const GateConfig& config)
        : credit(push_limit(config.bounds), config.lane.start), admitted(config.lane.start) {}
    GateDoor(const GateDoor&) = delete;
    GateDoor& operator=(const GateDoor&) = delete;

    /// The sender's last word: it never touches this door again.
    void leave_for_good() noexcept {
        left_.store(1, std::memory_order_release); // edge left, release side
    }
    bool sender_left() const noexcept {
        return left_.load(std::memory_order_acquire) != 0; // edge left, acquire side
    }

    /// The sender itself: is it in mid-send?
    bool sending() const noexcept {
        return inside_.load(std::memory_order_relaxed) != 0; // relaxed: its own word
    }

    void refuse(SendResult result) noexcept { refused_[static_cast<std::size_t>(result)].add(1); }
    void add_to(GateCounts& counts) const noexcept {
        counts.entered += std::max(entered.read(), routed + dropped_oldest);
        counts.routed += routed;
        counts.dropped_oldest += dropped_oldest;
        counts.dropped_newest += dropped_newest.read();
        counts.refused_full += refused_count(SendResult::full);
        counts.refused_closed += refused_count(SendResult::closed);
        counts.refused_no_memory += refused_count(SendResult::no_memory);
    }

    /// The owner, once the closing has settled: is the sender outside for good? (G2)
    bool quiet() noexcept {
        if (!seen_outside_)
            seen_outside_ = inside_.load(std::memory_order_seq_cst) == 0; // cross door, side B
        return seen_outside_;
    }

  private:
    template <class>
    friend class InsideGate;
    std::uint64_t refused_count(SendResult result) const noexcept {
        return refused_[static_cast<std::size_t>(result)].read();
    }

    // --- written by the sender ------------------------------------------------------------------
    // inside_: 1 while the sender may be sending.   reads: the owner, once the gate closes
    //   edge outside: the sender releases -> quiet() acquires; hands over what was sent.
    alignas(kInterference) typename P::template Atomic<std::uint32_t> inside_{0};
    // left_: edge left: hands the door over to the owner, who destroys it.
    typename P::template Atomic<std::uint32_t> left_{0};
    std::array<Figure<P>, 5> refused_; // by SendResult

  public:
    Figure<P> entered;
    Figure<P> dropped_newest;
    Credit<P> credit;

    // --- written by the owner, and once before the door is known ---
    alignas(kInterference) typename P::template Plain<GateDoor*> next{nullptr}; // of the GateRoster
    std::uint32_t admitted; // units, of a lane: how far route() may go
    std::uint64_t routed = 0;
    std::uint64_t dropped_oldest = 0;

  private:
    bool seen_outside_ = false;
};

/// While it lives its sender is inside the gate, or knows that the gate is closed (G1).
template <class P>
class InsideGate {
  public:
    InsideGate(GateDoor<P>& door, const Closing<P>& closing) noexcept : door_(door) {
        if (P::sleeper_pays()) {
            // relaxed: the closer's barrier orders it before the look at closed_ (G1)
            door_.inside_.store(1, std::memory_order_relaxed);
            P::publisher_barrier();
        } else {
            door_.inside_.exchange(1, std::memory_order_seq_cst); // cross door, side A
        }
        open_ = !closing.closed();
    }
    ~InsideGate() {
        // cross door, side A (and edge outside, release side)
        door_.inside_.store(0, std::memory_order_release);
    }
    InsideGate(const InsideGate&) = delete;
    InsideGate& operator=(const InsideGate&) = delete;

    bool open() const noexcept { return open_; }

  private:
    GateDoor<P>& door_;
    bool open_;
};

/// The doors of one kind. Newcomers are pushed by anyone (R. K. Treiber's stack, 1986; it is only
/// ever taken whole, so that no address comes back unnoticed); the owner keeps those it has seen in
/// a list of its own, in the order of their coming.
///
/// | operation              | who    | progress                                |
/// |------------------------|--------|-----------------------------------------|
/// | add                    | anyone | lock-free                               |
/// | collect                | owner  | one step for each newcomer              |
/// | for_each, remove_if    | owner  | one step for each door                  |
template <class P, class Door>
class GateRoster {
  public:
    GateRoster() = default;
    ~GateRoster() {
        collect();
        remove_if([](Door&) { return true; });
    }
    GateRoster(const GateRoster&) = delete;
    GateRoster& operator=(const GateRoster&) = delete;

    /// Takes possession of the door.
    void add(Door* door) noexcept {
        // relaxed: a guess, which the exchange below checks
        GateDoor<P>* first = newcomers_.load(std::memory_order_relaxed);
        do
            door->next.set(first);
        // cross door, side A (and edge newcomer, release side)
        while (!newcomers_.compare_exchange_weak(first, door, std::memory_order_seq_cst,
                                                 std::memory_order_relaxed));
    }

    /// True when somebody was added since the last collect().
    bool has_newcomers() const noexcept {
        return newcomers_.load(std::memory_order_seq_cst) != nullptr; // cross door, side B
    }
    void collect() noexcept {
        if (!has_newcomers())
            return;
        // cross door, side B, after has_newcomers() (and edge newcomer, acquire side)
        GateDoor<P>* door = newcomers_.exchange(nullptr, std::memory_order_acquire);
        GateDoor<P>* oldest_first = nullptr;
        while (door != nullptr) {
            GateDoor<P>* const next = door->next.get();
            door->next.set(oldest_first);
            oldest_first = door;
            door = next;
        }
        while (oldest_first != nullptr) {
            GateDoor<P>* const next = oldest_first->next.get();
            oldest_first->next.set(nullptr);
            link(oldest_first, first_, last_);
            oldest_first = next;
        }
    }

    template <class Each>
    void for_each(Each each) const {
        for (GateDoor<P>* door = first_; door != nullptr; door = door->next.get())
            each(static_cast<Door&>(*door));
    }
    /// Stops at the first for which `holds` is false.
    template <class Holds>
    bool all_of(Holds holds) const {
        for (GateDoor<P>* door = first_; door != nullptr; door = door->next.get())
            if (!holds(static_cast<Door&>(*door)))
                return false;
        return true;
    }
    template <class Condition>
    void remove_if(Condition condition) {
        GateDoor<P>* kept = nullptr;
        GateDoor<P>* last = nullptr;
        for (GateDoor<P>* door = first_; door != nullptr;) {
            GateDoor<P>* const next = door->next.get();
            if (condition(static_cast<Door&>(*door)))
                delete static_cast<Door*>(door);
            else
                link(door, kept, last);
            door = next;
        }
        if (last != nullptr)
            last->next.set(nullptr);
        first_ = kept;
        last_ = last;
    }

  private:
    static void link(GateDoor<P>* door, GateDoor<P>*& first, GateDoor<P>*& last) noexcept {
        if (last == nullptr)
            first = door;
        else
            last->next.set(door);
        last = door;
    }

    // newcomers_: the newest.   writes: who comes, and the owner, who takes all
    alignas(kInterference) typename P::template Atomic<GateDoor<P>*> newcomers_{nullptr};
    // The owner's:
    GateDoor<P>* first_ = nullptr;
    GateDoor<P>* last_ = nullptr;
};

/// The part of a gate that every sender needs. It lives as long as the gate or one of its senders.
template <class P>
struct GateYard {
    GateYard(Doorbell<P>& owner_bell, const GateConfig& layout)
        : config(layout), arrivals(owner_bell), room(room_bell) {}

    /// Attempts again whenever there is room, until the answer is another than `full` or the time
    /// has come; returns the last answer. `covered` asks for credit, as Wakeup::sleep wants it.
    template <class Attempt, class Covered>
    SendResult attempt_until(std::int64_t deadline_ns, Attempt attempt, Covered covered) {
        const auto worth_it = [&] { return closing.closed() || covered(); };
        for (;;) {
            const SendResult result = attempt();
            if (result != SendResult::full || config.bounds.overflow == Overflow::drop_newest ||
                !room.sleep(worth_it, deadline_ns))
                return result;
        }
    }
    /// What the sender's mail asks besides the bounds; true when the gate is closed.
    template <class Ask>
    bool has_room(GateDoor<P>& door, const Ask& ask) {
        const InsideGate<P> inside(door, closing);
        return !inside.open() || ask.has_room();
    }
    bool has_room(GateDoor<P>&, const AskNobody&) noexcept { return true; }
    /// The owner: there may be room where senders have asked.
    void note_room() noexcept {
        publish_before_look<P, std::uint32_t>(made_room, ++rooms_made);
        room.look();
    }
    /// What a sender is told of an attempt that ended with `result`, and the count of it. Null:
    /// the sender has no door.
    SendResult answer(SendResult result, GateDoor<P>* door) noexcept {
        if (result == SendResult::ok) [[likely]]
            return result;
        if (door == nullptr) {
            turn_away(result);
        } else if (result == SendResult::full && config.bounds.overflow == Overflow::drop_newest) {
            door->dropped_newest.add(1);
            return SendResult::ok;
        } else {
            door->refuse(result);
        }
        return result;
    }
    /// A sender has left: the owner may look for it.
    void note_leaver() noexcept {
        leavers.fetch_add(1, std::memory_order_relaxed); // relaxed: a hint, left_ decides
    }
    /// Counts the refusal of a send that has no door.
    void turn_away(SendResult result) noexcept {
        auto& count = result == SendResult::closed ? turned_away_closed : turned_away_no_memory;
        count.fetch_add(1, std::memory_order_relaxed); // relaxed: a figure
    }
    void add_to(GateCounts& counts) const noexcept {
        // relaxed: a figure
        counts.refused_closed += turned_away_closed.load(std::memory_order_relaxed);
        // relaxed: a figure
        counts.refused_no_memory += turned_away_no_memory.load(std::memory_order_relaxed);
    }

    const GateConfig config;
    Closing<P> closing;
    Wakeup<P> arrivals; // the owner sleeps until mail comes
    Doorbell<P> room_bell;
    Wakeup<P> room; // senders sleep until there is credit, or the gate is closed
    // made_room: nobody reads it: what there is room for was written before.   writes: the owner
    typename P::template Atomic<std::uint32_t> made_room{0};
    std::uint32_t rooms_made = 0;
    // leavers: how many have left.   writes: who leaves   reads: the owner
    alignas(kInterference) typename P::template Atomic<std::uint32_t> leavers{0};
    // Both: writes: who is refused and has no door, rarely   reads: the owner
    typename P::template Atomic<std::uint64_t> turned_away_closed{0};
    typename P::template Atomic<std::uint64_t> turned_away_no_memory{0};
};

} // namespace detail
} // namespace takt
