// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. The end of a gate that a registered thread sends through: a lane of its own.
// Below: gate_door, lane. Above: gate, which hands it out.

#include "takt/mailbox/gate_door.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace takt {

/// When a Producer shows the gate what it has sent.
enum class Publishing : std::uint8_t {
    at_once,  ///< each send by itself
    in_batch, ///< at flush(), when the producer ends, and before it is refused as full
};

namespace detail {

/// The door of a registered producer.
template <class P>
struct LaneDoor : GateDoor<P> {
    explicit LaneDoor(const GateConfig& config)
        : GateDoor<P>(config), tail(config.lane.start), lane(tail, config.lane) {}

    alignas(kInterference) Tail<P> tail;
    Lane<P> lane;
};

/// Control mail asks no credit.
enum class Mail : std::uint8_t { ordinary, control };

} // namespace detail

/// One thread at a time uses a Producer; it may move to another. It may outlive its gate.
///
/// | operation          | progress                                                         |
/// |--------------------|------------------------------------------------------------------|
/// | send, send_control | wait-free: LaneWriter::push; a system call when the owner sleeps |
/// | send_until         | blocks while it is refused as full, until its deadline           |
/// | flush              | wait-free; a system call when the owner sleeps                   |
///
/// Mail of one producer is routed in the order of its sends. All that this thread did before a send
/// is visible to who handles it. A payload's constructor must not use the producer.
template <class P>
class Producer {
  public:
    /// Not registered: all sends are refused.
    Producer() = default;
    Producer(Producer&& other) noexcept { swap(other); }
    Producer& operator=(Producer&& other) noexcept {
        Producer(std::move(other)).swap(*this);
        return *this;
    }
    /// Publishes what is held back, and leaves the gate.
    ~Producer();

    /// False: the gate was closed, or there was no memory; sends say which.
    bool registered() const noexcept { return door_ != nullptr; }

    /// Constructs a T for the receiver `address`, an opaque number here. Throws what T's
    /// constructor throws; then nothing was sent.
    template <class T, class... Args>
    SendResult send(std::uint64_t address, Args&&... args) {
        detail::AskNobody nobody;
        return send_if<T>(nobody, address, std::forward<Args>(args)...);
    }
    /// The same, where `ask` agrees (see AskNobody).
    template <class T, class Ask, class... Args>
    SendResult send_if(Ask& ask, std::uint64_t address, Args&&... args) {
        return answer(
            attempt<T>(detail::Mail::ordinary, ask, address, std::forward<Args>(args)...));
    }
    /// The same, never `full`.
    template <class T, class... Args>
    SendResult send_control(std::uint64_t address, Args&&... args) {
        detail::AskNobody nobody;
        return answer(
            attempt<T>(detail::Mail::control, nobody, address, std::forward<Args>(args)...));
    }
    /// The same; where send would answer `full`, waits for the gate's owner until `deadline_ns`
    /// (now_ns time).
    template <class T, class... Args>
    SendResult send_until(std::int64_t deadline_ns, std::uint64_t address, Args&&... args) {
        detail::AskNobody nobody;
        return send_until_if<T>(deadline_ns, nobody, address, std::forward<Args>(args)...);
    }
    template <class T, class Ask, class... Args>
    SendResult send_until_if(std::int64_t deadline_ns, Ask& ask, std::uint64_t address,
                             Args&&... args);

    /// Shows the gate what was sent since the last flush.
    void flush() noexcept;

    void swap(Producer& other) noexcept {
        std::swap(yard_, other.yard_);
        std::swap(door_, other.door_);
        std::swap(publishing_, other.publishing_);
        std::swap(refusal_, other.refusal_);
    }

  private:
    template <class, class>
    friend class Gate;

    Producer(std::shared_ptr<detail::GateYard<P>> yard, SendResult refusal) noexcept
        : yard_(std::move(yard)), refusal_(refusal) {}
    Producer(std::shared_ptr<detail::GateYard<P>> yard, detail::LaneDoor<P>& door,
             Publishing publishing) noexcept
        : yard_(std::move(yard)), door_(&door), publishing_(publishing) {}

    template <class T, class Ask, class... Args>
    SendResult attempt(detail::Mail mail, Ask& ask, std::uint64_t address, Args&&... args);
    SendResult answer(SendResult result) noexcept {
        return yard_ == nullptr ? result : yard_->answer(result, door_);
    }
    bool covers(std::size_t bytes) noexcept {
        return door_->credit.covers(door_->lane.writer().tail(), units_for<P>(bytes));
    }
    void publish(bool open) noexcept;

    std::shared_ptr<detail::GateYard<P>> yard_;
    detail::LaneDoor<P>* door_ = nullptr;
    Publishing publishing_ = Publishing::at_once;
    SendResult refusal_ = SendResult::closed;
};

template <class P>
Producer<P>::~Producer() {
    if (door_ == nullptr)
        return;
    flush();
    door_->leave_for_good();
    yard_->note_leaver();
}

template <class P>
template <class T, class Ask, class... Args>
SendResult Producer<P>::attempt(detail::Mail mail, Ask& ask, std::uint64_t address,
                                Args&&... args) {
    if (door_ == nullptr) [[unlikely]]
        return refusal_;
    const detail::InsideGate<P> inside(*door_, yard_->closing);
    if (!inside.open()) [[unlikely]]
        return SendResult::closed;
    if (mail == detail::Mail::ordinary && !covers(sizeof(T))) [[unlikely]] {
        publish(true); // what is held back may be what uses up the credit
        return SendResult::full;
    }
    detail::Asking<Ask> asking(ask);
    if (!asking.entered()) [[unlikely]] {
        publish(true); // the same
        return SendResult::full;
    }
    if (!door_->lane.writer().template push<T>(address, std::forward<Args>(args)...)) [[unlikely]]
        return SendResult::no_memory;
    asking.is_sent();
    door_->entered.add(1);
    if (publishing_ == Publishing::at_once)
        publish(true);
    return SendResult::ok;
}

template <class P>
template <class T, class Ask, class... Args>
SendResult Producer<P>::send_until_if(std::int64_t deadline_ns, Ask& ask, std::uint64_t address,
                                      Args&&... args) {
    if (yard_ == nullptr)
        return refusal_;
    return answer(yard_->attempt_until(
        deadline_ns,
        [&] {
            return attempt<T>(detail::Mail::ordinary, ask, address, std::forward<Args>(args)...);
        },
        [&] { return covers(sizeof(T)) && yard_->has_room(*door_, ask); }));
}

template <class P>
void Producer<P>::flush() noexcept {
    if (door_ == nullptr || !door_->lane.writer().holds_back())
        return;
    const detail::InsideGate<P> inside(*door_, yard_->closing);
    publish(inside.open());
}

// After a close nobody rings: the owner may have gone, and its bell with it.
template <class P>
void Producer<P>::publish(bool open) noexcept {
    door_->lane.writer().publish_before_look();
    if (open)
        yard_->arrivals.look();
    door_->lane.writer().recycle_now_and_then();
}

} // namespace takt
