// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. The handle of an actor: 8 bytes that can be copied, sent and kept. Below: topic.
// Beside: send (what it does), actor_table (what it names).

#include "takt/actor/ticket.hpp"
#include "takt/actor/topic.hpp"
#include "takt/mailbox.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>

namespace takt {

/// Names one actor of one runtime, for ever: an actor that is gone is never mistaken for a later
/// one. Usable from every phase and from outside, as long as the runtime lives.
class ActorRef {
  public:
    /// Names nobody: sends are answered `dead`.
    constexpr ActorRef() = default;

    /// Sends a message; the arguments are converted to the topic's types here. What the actor's
    /// handlers throw does not come back: see Failure. Refusals are counted, so the answer may be
    /// ignored.
    ///   ok         it will be handled, kept until it is bound, or counted as expired
    ///   dead       the actor is gone, was stopped, or is about to go
    ///   full       the sender's share is used up: from outside its own, else that of its worker; or the
    ///              actor is at its limit (MailLimit)
    ///   closed     from outside: the runtime is shutting down
    ///   no_memory  nothing was sent
    /// Wait-free in a phase, but for memory; lock-free from outside. The mail of one sender to one
    /// receiver is handled in the order of the sends, and who handles it sees all that the sender
    /// did before.
    template <class... Args, class... Given>
    SendResult send(const Topic<Args...>& topic, Given&&... args) const;

    /// The same, for who wants to know. A refusal leaves the arguments as they were, unless they had
    /// to be converted.
    template <class... Args, class... Given>
    [[nodiscard]] SendResult try_send(const Topic<Args...>& topic, Given&&... args) const {
        return send(topic, std::forward<Given>(args)...);
    }

    /// From outside: where send() would answer `full`, waits up to `timeout`.
    template <class... Args, class... Given>
    SendResult send_within(std::chrono::nanoseconds timeout, const Topic<Args...>& topic,
                           Given&&... args) const;

    /// Sends a request; the ticket has the answer, or, as send() refuses, why there will be none. What the
    /// handler throws comes back too. As plain sends it counts on no load. In a phase of its runtime
    /// only. Wait-free, but for memory.
    template <class R, class... Args, class... Given>
    Ticket<R> submit(const Request<R(Args...)>& request, Given&&... args) const;

    /// Ends the actor, at this place in commit order: from the parallel phase in this round's serial
    /// phase. From then on sends are answered `dead`, and mail that it has not handled expires.
    /// From outside at the start of a round.
    void destroy() const;

    /// Its load: what dispatchers gave it and is not complete, and the Busy of its own. 0 for an
    /// actor that is gone. In a phase of its runtime only.
    std::uint64_t load() const;

    /// True until it is destroyed. In the parallel phase: as of this phase's begin. In a phase of its
    /// runtime only; who names nobody is not alive anywhere.
    bool alive() const;

    explicit operator bool() const noexcept { return address_ != 0; }
    auto operator<=>(const ActorRef&) const = default;

    // --- for the runtime ---
    // bits 0-31 generation, bits 32-57 slot, bits 58-63 runtime
    static constexpr int kSlotBits = 26;
    static constexpr std::uint32_t kSlotsMax = std::uint32_t{1} << kSlotBits;
    static constexpr unsigned kRuntimesMax = 64;

    constexpr ActorRef(unsigned runtime, std::uint32_t slot, std::uint32_t generation) noexcept
        : address_((std::uint64_t{runtime} << (32 + kSlotBits)) | (std::uint64_t{slot} << 32) |
                   generation) {}
    static constexpr ActorRef from_address(std::uint64_t address) noexcept {
        ActorRef ref;
        ref.address_ = address;
        return ref;
    }
    constexpr std::uint64_t address() const noexcept { return address_; }
    constexpr std::uint32_t generation() const noexcept {
        return static_cast<std::uint32_t>(address_);
    }
    constexpr std::uint32_t slot() const noexcept {
        return static_cast<std::uint32_t>(address_ >> 32) & (kSlotsMax - 1);
    }
    constexpr unsigned runtime() const noexcept {
        return static_cast<unsigned>(address_ >> (32 + kSlotBits));
    }

  private:
    std::uint64_t address_ = 0;
};

static_assert(sizeof(ActorRef) == 8);

} // namespace takt

template <>
struct std::hash<takt::ActorRef> {
    std::size_t operator()(takt::ActorRef ref) const noexcept {
        return static_cast<std::size_t>((ref.address() ^ (ref.address() >> 32)) *
                                        0x9e37'79b9'7f4a'7c15u);
    }
};
