// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. The way out: from workers to one outside thread, a lane for each worker that
// has used it, and a file descriptor for a receiver that waits in epoll. Below: lane, doorbell,
// credit, event_fd. Above: the layers that answer requests.

#include "takt/mailbox/credit.hpp"
#include "takt/mailbox/doorbell.hpp"
#include "takt/mailbox/event_fd.hpp"
#include "takt/mailbox/gate_door.hpp"
#include "takt/mailbox/lane.hpp"
#include "takt/mailbox/send_result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace takt {

/// How an outlet is laid out.
struct OutletConfig {
    /// For each worker. Outlets carry no control mail: is_control is not asked.
    Bounds bounds = {};
    LaneConfig lane = {};
};

/// What went through an outlet; exact whenever no worker is pushing. The law:
///     pushed = received + dropped_oldest + inside
struct OutletCounts {
    std::uint64_t pushed = 0;
    std::uint64_t received = 0;
    std::uint64_t dropped_newest = 0;
    std::uint64_t dropped_oldest = 0; ///< also by keep_latest
    std::uint64_t refused_full = 0;
    std::uint64_t refused_closed = 0;
    std::uint64_t refused_no_memory = 0;

    std::uint64_t inside() const noexcept { return pushed - received - dropped_oldest; }
};

namespace detail {

/// What the receiver of an outlet does.
///
/// O1  The receiver says that it sleeps or is armed before it looks for mail once more. A worker
///     looks at that after its mail is visible. So of the two at least one sees the other.
/// O2  Of all workers that find the receiver armed one raises the descriptor: one system call for
///     each arming.
template <class P, class Signal>
class Attention {
  public:
    /// A worker, after its mail is visible.
    void look() noexcept {
        const std::uint32_t state = state_.load(std::memory_order_seq_cst); // cross outlet, side A
        if (state == kAwake) [[likely]]
            return;
        if (state == kAsleep)
            bell_.ring();
        else
            raise();
    }

    // --- the receiver ----------------------------------------------------------------------------
    template <class Moved>
    bool sleep(Moved moved, std::int64_t deadline_ns) noexcept {
        state_.store(kAsleep, std::memory_order_seq_cst);   // cross outlet, side B
        const bool found = bell_.sleep(moved, deadline_ns); // goes through the sleeper's barrier
        rise();
        return found;
    }
    template <class Moved>
    bool arm(Moved moved) noexcept {
        signal_.clear();
        state_.store(kArmed, std::memory_order_seq_cst); // cross outlet, side B
        P::sleeper_barrier();
        if (!moved()) // O1
            return true;
        rise();
        return false;
    }
    Signal& signal() noexcept { return signal_; }

  private:
    enum State : std::uint32_t { kAwake, kAsleep, kArmed };

    void rise() noexcept {
        state_.store(kAwake, std::memory_order_relaxed); // relaxed: a late signal is harmless
    }
    void raise() noexcept {
        std::uint32_t armed = kArmed;
        // relaxed: only who wins counts; the look before has seen the descriptor (O2)
        if (state_.compare_exchange_strong(armed, kAwake, std::memory_order_relaxed,
                                           std::memory_order_relaxed))
            signal_.raise();
    }

    Doorbell<P> bell_;
    Signal signal_; // opened by the receiver before it is armed for the first time
    // state_:   writes: the receiver, and the worker that raises the descriptor
    //   reads: workers, at each flush
    alignas(kInterference) typename P::template Atomic<std::uint32_t> state_{kAwake};
};

/// A worker's lane of an outlet.
template <class P>
struct OutletLane {
    OutletLane(Tail<P>& tail, const OutletConfig& config)
        : lane(tail, config.lane), credit(push_limit(config.bounds), config.lane.start) {}

    Lane<P> lane;
    Credit<P> credit;
    // The receiver's:
    alignas(kInterference) std::uint64_t received = 0;
    std::uint64_t dropped_oldest = 0;
};

/// Where a worker's lane hangs, if there is one.
template <class P>
struct alignas(kInterference) OutletSlot {
    // lane: writes: the worker, before it publishes for the first time   reads: the worker, and the
    //   receiver after it has seen the tail move (edge tail)
    Tail<P> tail{0};
    typename P::template Plain<OutletLane<P>*> lane{nullptr};
    Figure<P> pushed;
    Figure<P> dropped_newest;
    std::array<Figure<P>, 5> refused; // by SendResult

    ~OutletSlot() { delete lane.get(); }
};

template <class P, class Signal>
struct OutletCore {
    OutletCore(int workers, const OutletConfig& layout)
        : config(layout), slots(static_cast<std::size_t>(workers)) {
        for (OutletSlot<P>& slot : slots)
            // relaxed: nobody knows the outlet yet
            slot.tail.store(config.lane.start, std::memory_order_relaxed);
    }

    const OutletConfig config;
    std::vector<OutletSlot<P>> slots;
    Attention<P, Signal> attention;
    // closed: 1 once the receiver has gone.   writes: the receiver   reads: workers, at each push
    alignas(kInterference) typename P::template Atomic<std::uint32_t> closed{0};
};

} // namespace detail

/// A worker's end of an outlet. One thread at a time uses the senders of one worker. It may outlive
/// the outlet.
///
/// | operation | progress                                                         |
/// |-----------|------------------------------------------------------------------|
/// | push      | wait-free: LaneWriter::push; the first one makes the lane        |
/// | flush     | wait-free; a system call when the receiver sleeps or is armed    |
///
/// Results of one worker come in its order. All that the worker did before the flush is visible to
/// the receiver.
template <class T, class P = StdPolicy, class Signal = EventFd>
class OutletSender {
  public:
    /// Constructs a T for the receiver, who sees it after flush(). Throws what T's constructor
    /// throws; then nothing was sent.
    template <class... Args>
    SendResult push(Args&&... args) {
        return answer(attempt(std::forward<Args>(args)...));
    }
    /// Shows the receiver what was pushed; at the end of a turn, or when it shall not wait for
    /// that.
    void flush() noexcept;

  private:
    template <class, class, class>
    friend class Outlet;
    using Core = detail::OutletCore<P, Signal>;

    OutletSender(std::shared_ptr<Core> core, int worker) noexcept
        : core_(std::move(core)), slot_(&core_->slots[static_cast<std::size_t>(worker)]) {}

    template <class... Args>
    SendResult attempt(Args&&... args);
    SendResult answer(SendResult result) noexcept;
    detail::OutletLane<P>* lane() noexcept;

    std::shared_ptr<Core> core_;
    detail::OutletSlot<P>* slot_;
};

/// The receiver's end of an outlet. One thread at a time uses it. Where it dies, workers' pushes
/// are answered `closed`.
///
/// | operation                       | progress                                        |
/// |---------------------------------|-------------------------------------------------|
/// | try_receive, drain              | never wait: one step for each worker and record |
/// | arm                             | never waits; two system calls                   |
/// | wait                            | blocks                                          |
template <class T, class P = StdPolicy, class Signal = EventFd>
class Outlet {
  public:
    explicit Outlet(int workers, const OutletConfig& config = {})
        : core_(std::make_shared<Core>(workers, config)) {}
    ~Outlet() {
        close();
        drain([](T&&) {});
    }
    Outlet(const Outlet&) = delete;
    Outlet& operator=(const Outlet&) = delete;

    /// For one worker; all threads may call it.
    OutletSender<T, P, Signal> sender(int worker) { return {core_, worker}; }

    /// One result, if there is one; workers take turns.
    std::optional<T> try_receive();
    /// Calls `visit(T&&)` for each result that was flushed before; returns how many.
    template <class Visit>
    std::size_t drain(Visit&& visit);

    /// Sleeps until there is a result or `deadline_ns` (now_ns time, kNever for none). True: there
    /// is one.
    bool wait(std::int64_t deadline_ns = kNever) noexcept {
        return core_->attention.sleep([this] { return moved(); }, deadline_ns);
    }

    /// The descriptor for epoll or poll; throws Error when the system grants none.
    int event_fd() { return signal().open(); }
    /// Before a wait in epoll: makes the descriptor unreadable until the next result. False: there
    /// is a result already; do not wait. Wants a call of event_fd() before.
    [[nodiscard]] bool arm() noexcept {
        return core_->attention.arm([this] { return moved(); });
    }

    /// From now on workers' pushes are answered `closed`, as soon as each sees it.
    void close() noexcept {
        core_->closed.store(1, std::memory_order_relaxed); // relaxed: hands nothing over
    }
    OutletCounts counts() const noexcept;

    /// What stands behind event_fd().
    Signal& signal() noexcept { return core_->attention.signal(); }

  private:
    using Core = detail::OutletCore<P, Signal>;
    using Slot = detail::OutletSlot<P>;

    bool moved() const noexcept;
    std::uint32_t head(const Slot& slot) const noexcept;
    template <class Visit>
    std::size_t drain_slot(Slot& slot, Visit&& visit, std::size_t limit);

    const std::shared_ptr<Core> core_;
    std::size_t next_ = 0;                                            // where try_receive begins
    std::vector<bool> seen_ = std::vector<bool>(core_->slots.size()); // slots that ever moved
};

// --- OutletSender ---

template <class T, class P, class Signal>
template <class... Args>
SendResult OutletSender<T, P, Signal>::attempt(Args&&... args) {
    // relaxed: hands nothing over
    if (core_->closed.load(std::memory_order_relaxed) != 0) [[unlikely]]
        return SendResult::closed;
    detail::OutletLane<P>* const to = lane();
    if (to == nullptr) [[unlikely]]
        return SendResult::no_memory;
    LaneWriter<P>& writer = to->lane.writer();
    if (!to->credit.covers(writer.tail(), units_for<P>(sizeof(T)))) [[unlikely]] {
        flush(); // what is held back may be what uses up the credit
        return SendResult::full;
    }
    if (!writer.template push<T>(0, std::forward<Args>(args)...)) [[unlikely]]
        return SendResult::no_memory;
    return SendResult::ok;
}

template <class T, class P, class Signal>
SendResult OutletSender<T, P, Signal>::answer(SendResult result) noexcept {
    if (result == SendResult::ok) [[likely]] {
        slot_->pushed.add(1);
    } else if (result == SendResult::full &&
               core_->config.bounds.overflow == Overflow::drop_newest) {
        slot_->dropped_newest.add(1);
        return SendResult::ok;
    } else {
        slot_->refused[static_cast<std::size_t>(result)].add(1);
    }
    return result;
}

template <class T, class P, class Signal>
detail::OutletLane<P>* OutletSender<T, P, Signal>::lane() noexcept {
    if (slot_->lane.get() == nullptr) [[unlikely]] {
        auto* const made = new (std::nothrow) detail::OutletLane<P>(slot_->tail, core_->config);
        if (made == nullptr)
            return nullptr;
        slot_->lane.set(made);
    }
    return slot_->lane.get();
}

template <class T, class P, class Signal>
void OutletSender<T, P, Signal>::flush() noexcept {
    detail::OutletLane<P>* const lane = slot_->lane.get();
    if (lane == nullptr || !lane->lane.writer().holds_back())
        return;
    lane->lane.writer().publish_before_look();
    core_->attention.look();
    lane->lane.writer().recycle_now_and_then();
}

// --- Outlet ---

template <class T, class P, class Signal>
std::optional<T> Outlet<T, P, Signal>::try_receive() {
    std::optional<T> result;
    const std::size_t slots = core_->slots.size();
    for (std::size_t tried = 0; tried < slots && !result; ++tried) {
        Slot& slot = core_->slots[next_];
        next_ = (next_ + 1) % slots;
        drain_slot(
            slot, [&](T&& value) { result.emplace(std::move(value)); }, 1);
    }
    return result;
}

template <class T, class P, class Signal>
template <class Visit>
std::size_t Outlet<T, P, Signal>::drain(Visit&& visit) {
    std::size_t count = 0;
    for (Slot& slot : core_->slots)
        count += drain_slot(slot, visit, SIZE_MAX);
    return count;
}

template <class T, class P, class Signal>
template <class Visit>
std::size_t Outlet<T, P, Signal>::drain_slot(Slot& slot, Visit&& visit, std::size_t limit) {
    // edge tail, acquire side
    const std::uint32_t tail = slot.tail.load(std::memory_order_acquire);
    if (tail == head(slot))
        return 0;
    seen_[static_cast<std::size_t>(&slot - core_->slots.data())] = true;
    detail::OutletLane<P>& lane = *slot.lane.get();
    LaneReader<P>& reader = lane.lane.reader();
    struct Settle { // also when the visitor throws
        ~Settle() { lane.credit.give_back(lane.lane.reader().head()); }
        detail::OutletLane<P>& lane;
    } const settle{lane};
    const std::uint64_t before = lane.received;
    while (tail != reader.head() && lane.received - before < limit)
        reader.drain_to(
            tail,
            [&](std::uint64_t, const RecordType& type, void* payload) {
                if (detail::drops(core_->config.bounds, tail - reader.head(), units_of<P>(type), 0,
                                  type)) {
                    ++lane.dropped_oldest;
                    return;
                }
                ++lane.received;
                visit(std::move(*static_cast<T*>(payload)));
            },
            limit - (lane.received - before));
    return lane.received - before;
}

template <class T, class P, class Signal>
std::uint32_t Outlet<T, P, Signal>::head(const Slot& slot) const noexcept {
    const bool seen = seen_[static_cast<std::size_t>(&slot - core_->slots.data())];
    return seen ? slot.lane.get()->lane.reader().head() : core_->config.lane.start;
}

template <class T, class P, class Signal>
bool Outlet<T, P, Signal>::moved() const noexcept {
    for (const Slot& slot : core_->slots)
        if (slot.tail.load(std::memory_order_seq_cst) != head(slot)) // cross outlet, side B
            return true;
    return false;
}

template <class T, class P, class Signal>
OutletCounts Outlet<T, P, Signal>::counts() const noexcept {
    OutletCounts counts;
    for (std::size_t at = 0; at < core_->slots.size(); ++at) {
        const Slot& slot = core_->slots[at];
        const auto refused = [&](SendResult result) {
            return slot.refused[static_cast<std::size_t>(result)].read();
        };
        counts.pushed += slot.pushed.read();
        counts.dropped_newest += slot.dropped_newest.read();
        counts.refused_full += refused(SendResult::full);
        counts.refused_closed += refused(SendResult::closed);
        counts.refused_no_memory += refused(SendResult::no_memory);
        if (seen_[at]) {
            counts.received += slot.lane.get()->received;
            counts.dropped_oldest += slot.lane.get()->dropped_oldest;
        }
    }
    return counts;
}

} // namespace takt
