// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. Where threads from outside send: each that registered through a lane of its
// own, all others through a queue. Its owner, one worker, admits their mail at the start of a round
// and routes it. Below: producer, gate_box, gate_queue. Above: the layers that know actors.

#include "takt/mailbox/gate_box.hpp"
#include "takt/mailbox/gate_door.hpp"
#include "takt/mailbox/gate_queue.hpp"
#include "takt/mailbox/producer.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace takt {

namespace detail {

/// The door of a thread that sends through the queue.
template <class P>
struct QueueDoor : GateDoor<P> {
    using GateDoor<P>::GateDoor;

    // arrived: payloads made.   writes: the sender   reads: the owner, before it sleeps
    alignas(kInterference) typename P::template Atomic<std::uint32_t> arrived{0};
    // The owner's:
    alignas(kCacheLine) std::uint32_t taken = 0; // of arrived: admitted
    std::uint32_t admitted_units = 0;            // admitted and not routed
    std::uint32_t returned = 0;                  // units routed; wraps
};

/// All of a gate that outlives it until its last sender has gone.
template <class P, class Queue>
struct GateCore : GateYard<P> {
    using GateYard<P>::GateYard;
    ~GateCore() {
        while (pop_some(SIZE_MAX) != 0) {
        }
    }
    GateCore(const GateCore&) = delete;
    GateCore& operator=(const GateCore&) = delete;

    /// The owner: moves some items from the queue to `queued`; returns how many.
    std::size_t pop_some(std::size_t most) noexcept {
        std::array<void*, 64> items;
        const std::size_t count = queue.pop(items.data(), std::min(most, items.size()));
        for (std::size_t at = 0; at < count; ++at)
            queued.push(static_cast<GateBox<P>*>(items[at]));
        return count;
    }

    Queue queue;
    GateRoster<P, LaneDoor<P>> lanes;
    GateRoster<P, QueueDoor<P>> threads;
    GateBoxes<P> queued;   // the owner's: taken out of the queue, not yet ready
    GateBoxes<P> admitted; // the owner's
};

} // namespace detail

/// A thread's way through the queue of a gate, which it may outlive. One thread at a time uses it.
///
/// | operation          | progress                                                          |
/// |--------------------|-------------------------------------------------------------------|
/// | send, send_control | lock-free, allocates; a system call when the owner sleeps         |
/// | send_until         | blocks while it is refused as full, until its deadline            |
///
/// Order, visibility and what a payload's constructor may not do: as Producer.
template <class P, class Queue = GateQueue>
class GateSender {
  public:
    explicit GateSender(std::shared_ptr<detail::GateCore<P, Queue>> core) noexcept;
    GateSender(GateSender&& other) noexcept
        : core_(std::move(other.core_)), door_(std::exchange(other.door_, nullptr)),
          token_(other.token_), refusal_(other.refusal_), spent_(other.spent_),
          arrived_(other.arrived_) {}
    GateSender& operator=(GateSender&&) = delete;
    ~GateSender();

    /// As those of Producer.
    template <class T, class... Args>
    SendResult send(std::uint64_t address, Args&&... args) {
        detail::AskNobody nobody;
        return send_if<T>(nobody, address, std::forward<Args>(args)...);
    }
    template <class T, class Ask, class... Args>
    SendResult send_if(Ask& ask, std::uint64_t address, Args&&... args) {
        return answer(
            attempt<T>(detail::Mail::ordinary, ask, address, std::forward<Args>(args)...));
    }
    template <class T, class... Args>
    SendResult send_control(std::uint64_t address, Args&&... args) {
        detail::AskNobody nobody;
        return answer(
            attempt<T>(detail::Mail::control, nobody, address, std::forward<Args>(args)...));
    }
    template <class T, class... Args>
    SendResult send_until(std::int64_t deadline_ns, std::uint64_t address, Args&&... args) {
        detail::AskNobody nobody;
        return send_until_if<T>(deadline_ns, nobody, address, std::forward<Args>(args)...);
    }
    template <class T, class Ask, class... Args>
    SendResult send_until_if(std::int64_t deadline_ns, Ask& ask, std::uint64_t address,
                             Args&&... args);

    bool registered() const noexcept { return door_ != nullptr; }
    /// Whose sender this is.
    const void* core() const noexcept { return core_.get(); }
    bool closed() const noexcept { return core_->closing.closed(); }
    /// True in a payload's constructor.
    bool sending() const noexcept { return door_ != nullptr && door_->sending(); }

  private:
    using Box = detail::GateBox<P>;

    template <class T, class Ask, class... Args>
    SendResult attempt(detail::Mail mail, Ask& ask, std::uint64_t address, Args&&... args);
    template <class T, class... Args>
    void make_payload(Box& box, std::uint64_t address, Args&&... args);
    SendResult answer(SendResult result) noexcept { return core_->answer(result, door_); }
    bool covers(std::size_t bytes) noexcept {
        return door_->credit.covers(spent_, units_for<P>(bytes));
    }
    void arrive(std::size_t bytes) noexcept;

    std::shared_ptr<detail::GateCore<P, Queue>> core_;
    detail::QueueDoor<P>* door_ = nullptr;
    typename Queue::Token* token_ = nullptr;
    SendResult refusal_ = SendResult::closed;
    std::uint32_t spent_ = 0; // units; wraps
    std::uint32_t arrived_ = 0;
};

namespace detail {

/// The GateSender of the calling thread, made at its first send through that gate and ended with
/// the thread. Null, with the reason, when there can be none.
GateSender<StdPolicy>*
sender_of_this_thread(const std::shared_ptr<GateCore<StdPolicy, GateQueue>>& core,
                      SendResult& reason) noexcept;

} // namespace detail

/// | operation                  | who       | progress                                            |
/// |----------------------------|-----------|-----------------------------------------------------|
/// | register_producer, sender  | anyone    | lock-free, but for memory                           |
/// | send                       | anyone    | as GateSender                                       |
/// | close                      | anyone    | never waits; a system call or two                   |
/// | admit, route, quiet, moved, counts, discard | the owner | never waits for a sender           |
/// | sleep                      | the owner | blocks                                              |
///
/// G4  A round admits what had arrived at its start: each lane up to its tail, read once, and what
///     the queue held. Nothing new is admitted before all that was admitted is routed.
/// G5  Mail of one sender is routed in its order. Producers come in the order of their
///     registration, then the queue. Each payload is destroyed exactly once.
/// G6  After close() sends answer `closed`. What entered before is admitted by a later admit(), or
///     is destroyed with the gate and was counted by counts(), which is exact once quiet() holds.
///     Who finds quiet() sees all that the closer did before.
/// G7  A gate is destroyed once quiet() holds, or its doorbell outlives its senders.
///
/// A sender that stops in mid-send holds up its own mail only; then quiet() stays false.
template <class P, class Queue = GateQueue>
class Gate {
  public:
    /// `owner_bell`: what the owner sleeps on.
    explicit Gate(Doorbell<P>& owner_bell, const GateConfig& config = {})
        : core_(std::make_shared<detail::GateCore<P, Queue>>(owner_bell, config)) {}
    ~Gate() {
        close();
        discard();
    }
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    // --- anyone ----------------------------------------------------------------------------------

    /// A lane for one thread. When the gate is closed or there is no memory, the producer is not
    /// registered and its sends say why.
    Producer<P> register_producer(Publishing publishing = Publishing::at_once) noexcept;
    /// A way through the queue, for threads that keep it themselves.
    GateSender<P, Queue> sender() noexcept { return GateSender<P, Queue>(core_); }

    /// As Producer's, through the queue, with a sender that each thread keeps for itself: made at
    /// its first send, which allocates, and ended with the thread.
    template <class T, class... Args>
    requires std::same_as<P, StdPolicy> SendResult send(std::uint64_t address, Args&&... args) {
        return with_sender([&](GateSender<P>& sender) {
            return sender.template send<T>(address, std::forward<Args>(args)...);
        });
    }
    template <class T, class Ask, class... Args>
    requires std::same_as<P, StdPolicy> SendResult send_if(Ask& ask, std::uint64_t address,
                                                           Args&&... args) {
        return with_sender([&](GateSender<P>& sender) {
            return sender.template send_if<T>(ask, address, std::forward<Args>(args)...);
        });
    }
    template <class T, class... Args>
    requires std::same_as<P, StdPolicy> SendResult send_control(std::uint64_t address,
                                                                Args&&... args) {
        return with_sender([&](GateSender<P>& sender) {
            return sender.template send_control<T>(address, std::forward<Args>(args)...);
        });
    }
    template <class T, class... Args>
    requires std::same_as<P, StdPolicy>
        SendResult send_until(std::int64_t deadline_ns, std::uint64_t address, Args&&... args) {
        return with_sender([&](GateSender<P>& sender) {
            return sender.template send_until<T>(deadline_ns, address, std::forward<Args>(args)...);
        });
    }
    template <class T, class Ask, class... Args>
    requires std::same_as<P, StdPolicy> SendResult send_until_if(std::int64_t deadline_ns, Ask& ask,
                                                                 std::uint64_t address,
                                                                 Args&&... args) {
        return with_sender([&](GateSender<P>& sender) {
            return sender.template send_until_if<T>(deadline_ns, ask, address,
                                                    std::forward<Args>(args)...);
        });
    }

    /// Ends all sending (G6), also that of senders who wait for room.
    void close() noexcept {
        core_->closing.close();
        core_->room.ring();
    }
    bool closed() const noexcept { return core_->closing.closed(); }

    // --- the owner -------------------------------------------------------------------------------

    /// Takes in what has arrived, at the start of a round (G4), and forgets senders that have left.
    void admit() noexcept;

    /// Visits what was admitted, up to `limit` messages, as LaneReader::drain does. What the limit
    /// leaves comes first next time. Returns the number of messages visited.
    template <class Visit>
    std::size_t route(Visit&& visit, std::size_t limit = SIZE_MAX) {
        return route(
            visit, [](std::uint64_t, const RecordType&, void*) {}, limit);
    }
    /// The same; `lose` sees what the bounds make the gate drop.
    template <class Visit, class Lose>
    std::size_t route(Visit&& visit, Lose&& lose, std::size_t limit) requires
        std::invocable<Lose&, std::uint64_t, const RecordType&, void*>;
    /// There may be room where senders have asked (see AskNobody): those who wait look again.
    void note_room() noexcept { core_->note_room(); }

    /// True when the gate is closed and no sender is inside, nor ever will be.
    bool quiet() noexcept;

    /// True when something is here to admit or to route; exact, for who is about to sleep.
    bool moved() const noexcept;

    /// Sleeps until something moved() or `also()` holds, or until `deadline_ns`; a ring of the bell
    /// makes it look again. `also` reads as Doorbell::sleep wants it. Returns whether one held.
    template <class Also>
    bool sleep(Also also, std::int64_t deadline_ns = kNever) noexcept {
        return core_->arrivals.sleep([&] { return moved() || also(); }, deadline_ns);
    }

    /// Destroys all that has arrived, and counts it. Returns how much that was.
    std::uint64_t discard() noexcept {
        return discard([](std::uint64_t, const RecordType&, void*) {});
    }
    /// The same; `visit` sees each before, as that of route() does.
    template <class Visit>
    std::uint64_t discard(Visit visit);

    GateCounts counts() noexcept;
    /// Senders that the owner knows, of both kinds.
    std::size_t senders() const noexcept;

  private:
    using LaneDoor = detail::LaneDoor<P>;
    using QueueDoor = detail::QueueDoor<P>;
    using Box = detail::GateBox<P>;

    template <class Send>
    SendResult with_sender(Send send) {
        SendResult reason = SendResult::closed;
        if (auto* const sender = detail::sender_of_this_thread(core_, reason)) [[likely]]
            return send(*sender);
        core_->turn_away(reason);
        return reason;
    }
    bool has_admitted() const noexcept;
    void admit_queue() noexcept;
    void remove_leavers() noexcept;
    static bool is_over(LaneDoor& door) noexcept;
    static bool is_over(QueueDoor& door) noexcept;
    template <class Visit, class Lose>
    std::size_t route_lane(LaneDoor& door, Visit& visit, Lose& lose, std::size_t limit);
    template <class Visit, class Lose>
    std::size_t route_queue(Visit& visit, Lose& lose, std::size_t limit);
    template <class Visit, class Lose>
    bool route_box(Box& box, Visit& visit, Lose& lose);

    const std::shared_ptr<detail::GateCore<P, Queue>> core_;
    // The owner's:
    std::uint32_t leavers_removed_ = 0;
    std::uint64_t discarded_ = 0;
    GateCounts gone_; // of doors that are no more
};

// --- GateSender ---

template <class P, class Queue>
GateSender<P, Queue>::GateSender(std::shared_ptr<detail::GateCore<P, Queue>> core) noexcept
    : core_(std::move(core)) {
    if (closed())
        return;
    refusal_ = SendResult::no_memory;
    token_ = core_->queue.make_token();
    if (token_ == nullptr)
        return;
    door_ = new (std::nothrow) detail::QueueDoor<P>(core_->config);
    if (door_ == nullptr)
        core_->queue.drop_token(token_);
    else
        core_->threads.add(door_);
}

template <class P, class Queue>
GateSender<P, Queue>::~GateSender() {
    if (door_ == nullptr)
        return;
    core_->queue.drop_token(token_);
    door_->leave_for_good();
    core_->note_leaver();
}

template <class P, class Queue>
template <class T, class Ask, class... Args>
SendResult GateSender<P, Queue>::attempt(detail::Mail mail, Ask& ask, std::uint64_t address,
                                         Args&&... args) {
    if (door_ == nullptr) [[unlikely]]
        return refusal_;
    const detail::InsideGate<P> inside(*door_, core_->closing);
    if (!inside.open()) [[unlikely]]
        return SendResult::closed;
    if (mail == detail::Mail::ordinary && !covers(sizeof(T))) [[unlikely]]
        return SendResult::full;
    detail::Asking<Ask> asking(ask);
    if (!asking.entered()) [[unlikely]]
        return SendResult::full;
    Box* const box = Box::allocate(sizeof(T), alignof(T), *door_);
    if (box == nullptr) [[unlikely]]
        return SendResult::no_memory;
    if (!core_->queue.push(*token_, box)) [[unlikely]] {
        Box::destroy(box);
        return SendResult::no_memory;
    }
    make_payload<T>(*box, address, std::forward<Args>(args)...);
    asking.is_sent();
    arrive(sizeof(T));
    return SendResult::ok;
}

template <class P, class Queue>
template <class T, class... Args>
void GateSender<P, Queue>::make_payload(Box& box, std::uint64_t address, Args&&... args) {
    struct Abandon { // unless the payload was made
        ~Abandon() {
            if (box != nullptr)
                box->abandon();
        }
        Box* box;
    } unmade{&box};
    ::new (box.payload()) T(std::forward<Args>(args)...);
    unmade.box = nullptr;
    box.commit(record_type_of<T>, address);
}

template <class P, class Queue>
void GateSender<P, Queue>::arrive(std::size_t bytes) noexcept {
    spent_ += static_cast<std::uint32_t>(units_for<P>(bytes));
    door_->entered.add(1);
    detail::publish_before_look<P, std::uint32_t>(door_->arrived, ++arrived_);
    core_->arrivals.look();
}

template <class P, class Queue>
template <class T, class Ask, class... Args>
SendResult GateSender<P, Queue>::send_until_if(std::int64_t deadline_ns, Ask& ask,
                                               std::uint64_t address, Args&&... args) {
    return answer(core_->attempt_until(
        deadline_ns,
        [&] {
            return attempt<T>(detail::Mail::ordinary, ask, address, std::forward<Args>(args)...);
        },
        [&] { return covers(sizeof(T)) && core_->has_room(*door_, ask); }));
}

// --- Gate ---

template <class P, class Queue>
Producer<P> Gate<P, Queue>::register_producer(Publishing publishing) noexcept {
    if (closed())
        return Producer<P>(core_, SendResult::closed);
    auto* const door = new (std::nothrow) LaneDoor(core_->config);
    if (door == nullptr)
        return Producer<P>(core_, SendResult::no_memory);
    Producer<P> producer(core_, *door, publishing);
    core_->lanes.add(door);
    return producer;
}

template <class P, class Queue>
void Gate<P, Queue>::admit() noexcept {
    if (has_admitted())
        return; // G4
    remove_leavers();
    core_->lanes.collect();
    core_->threads.collect();
    core_->lanes.for_each([](LaneDoor& door) {
        door.admitted = door.tail.load(std::memory_order_acquire); // edge tail, acquire side
    });
    admit_queue();
}

template <class P, class Queue>
bool Gate<P, Queue>::has_admitted() const noexcept {
    return !core_->admitted.empty() || !core_->lanes.all_of([](LaneDoor& door) {
        return door.admitted == door.lane.reader().head();
    });
}

template <class P, class Queue>
void Gate<P, Queue>::admit_queue() noexcept {
    for (std::size_t arrived = core_->queue.size(); arrived > 0;) {
        const std::size_t count = core_->pop_some(arrived);
        if (count == 0)
            break;
        arrived -= count;
    }
    // Older boxes are looked at after newer ones were taken out (G3).
    detail::GateBoxes<P> making;
    while (Box* const box = core_->queued.pop()) {
        const auto state = box->state();
        if (state == Box::kMaking) {
            making.push(box);
        } else if (state == Box::kAbandoned) {
            Box::destroy(box);
        } else {
            auto& door = static_cast<QueueDoor&>(box->from());
            ++door.taken;
            door.admitted_units += box->units();
            core_->admitted.push(box);
        }
    }
    while (Box* const box = making.pop())
        core_->queued.push(box);
}

template <class P, class Queue>
void Gate<P, Queue>::remove_leavers() noexcept {
    // relaxed: a hint, left_ decides
    if (core_->leavers.load(std::memory_order_relaxed) == leavers_removed_)
        return;
    const auto bury = [this](auto& door) {
        if (!door.sender_left() || !is_over(door))
            return false;
        door.add_to(gone_);
        ++leavers_removed_;
        return true;
    };
    core_->lanes.remove_if(bury);
    core_->threads.remove_if(bury);
}

template <class P, class Queue>
bool Gate<P, Queue>::is_over(LaneDoor& door) noexcept {
    // relaxed: the sender has left
    return door.tail.load(std::memory_order_relaxed) == door.lane.reader().head();
}
template <class P, class Queue>
bool Gate<P, Queue>::is_over(QueueDoor& door) noexcept {
    return door.entered.read() == door.routed + door.dropped_oldest;
}

template <class P, class Queue>
template <class Visit, class Lose>
std::size_t Gate<P, Queue>::route(Visit&& visit, Lose&& lose, std::size_t limit) requires
    std::invocable<Lose&, std::uint64_t, const RecordType&, void*> {
    struct Room { // also when the visitor throws
        ~Room() { room.look(); }
        detail::Wakeup<P>& room;
    } const room{core_->room};
    std::size_t count = 0;
    core_->lanes.all_of([&](LaneDoor& door) {
        count += route_lane(door, visit, lose, limit - count);
        return count < limit;
    });
    return count + route_queue(visit, lose, limit - count);
}

template <class P, class Queue>
template <class Visit, class Lose>
std::size_t Gate<P, Queue>::route_lane(LaneDoor& door, Visit& visit, Lose& lose,
                                       std::size_t limit) {
    LaneReader<P>& reader = door.lane.reader();
    if (door.admitted == reader.head())
        return 0;
    struct Settle { // also when the visitor throws
        ~Settle() { door.credit.give_back(door.lane.reader().head()); }
        LaneDoor& door;
    } const settle{door};
    const Bounds& bounds = core_->config.bounds;
    const std::uint64_t before = door.routed;
    while (door.admitted != reader.head() && door.routed - before < limit)
        reader.drain_to(
            door.admitted,
            [&](std::uint64_t address, const RecordType& type, void* payload) {
                const std::uint32_t behind = door.admitted - reader.head();
                if (detail::drops(bounds, behind, units_of<P>(type), address, type)) {
                    ++door.dropped_oldest;
                    lose(address, type, payload);
                    return;
                }
                ++door.routed;
                visit(address, type, payload);
            },
            limit - (door.routed - before));
    return door.routed - before;
}

template <class P, class Queue>
template <class Visit, class Lose>
std::size_t Gate<P, Queue>::route_queue(Visit& visit, Lose& lose, std::size_t limit) {
    std::size_t count = 0;
    while (count < limit) {
        Box* const box = core_->admitted.pop();
        if (box == nullptr)
            break;
        count += std::size_t{route_box(*box, visit, lose)};
    }
    return count;
}

// False: it was dropped.
template <class P, class Queue>
template <class Visit, class Lose>
bool Gate<P, Queue>::route_box(Box& box, Visit& visit, Lose& lose) {
    struct Settle { // also when the visitor throws
        ~Settle() {
            Box::destroy(&box);
            door.credit.give_back(door.returned);
        }
        Box& box;
        QueueDoor& door;
    } const settle{box, static_cast<QueueDoor&>(box.from())};
    QueueDoor& door = settle.door;
    const std::uint32_t units = box.units();
    door.returned += units;
    door.admitted_units -= units;
    if (detail::drops(core_->config.bounds, door.admitted_units, units, box.address(),
                      box.type())) {
        ++door.dropped_oldest;
        lose(box.address(), box.type(), box.payload());
        return false;
    }
    ++door.routed;
    visit(box.address(), box.type(), box.payload());
    return true;
}

template <class P, class Queue>
bool Gate<P, Queue>::quiet() noexcept {
    if (!core_->closing.settled())
        return false;
    core_->lanes.collect();
    core_->threads.collect();
    const auto outside = [](detail::GateDoor<P>& door) { return door.quiet(); };
    return core_->lanes.all_of(outside) && core_->threads.all_of(outside);
}

template <class P, class Queue>
bool Gate<P, Queue>::moved() const noexcept {
    if (core_->lanes.has_newcomers() || core_->threads.has_newcomers() || !core_->admitted.empty())
        return true;
    const bool lanes_rest = core_->lanes.all_of([](LaneDoor& door) {
        // cross wakeup, side B
        return door.tail.load(std::memory_order_seq_cst) == door.lane.reader().head();
    });
    // What was taken may be ahead: a box is ready a moment before it has arrived.
    return !lanes_rest || !core_->threads.all_of([](QueueDoor& door) {
        // cross wakeup, side B
        const std::uint32_t arrived = door.arrived.load(std::memory_order_seq_cst);
        return static_cast<std::int32_t>(arrived - door.taken) <= 0;
    });
}

template <class P, class Queue>
template <class Visit>
std::uint64_t Gate<P, Queue>::discard(Visit visit) {
    std::uint64_t count = route(visit);
    admit();
    count += route(visit);
    discarded_ += count;
    return count;
}

template <class P, class Queue>
GateCounts Gate<P, Queue>::counts() noexcept {
    core_->lanes.collect();
    core_->threads.collect();
    GateCounts counts = gone_;
    core_->add_to(counts);
    const auto add = [&](detail::GateDoor<P>& door) { door.add_to(counts); };
    core_->lanes.for_each(add);
    core_->threads.for_each(add);
    counts.routed -= discarded_;
    counts.discarded = discarded_;
    return counts;
}

template <class P, class Queue>
std::size_t Gate<P, Queue>::senders() const noexcept {
    std::size_t count = 0;
    const auto add = [&](detail::GateDoor<P>&) { ++count; };
    core_->lanes.for_each(add);
    core_->threads.for_each(add);
    return count;
}

} // namespace takt
