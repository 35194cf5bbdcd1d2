// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. What lies in a lane when actors write to each other. Below: topic, load, mailbox
// (record). Above: handler (which opens it), actor_ref (which writes it).

#include "takt/actor/load.hpp"
#include "takt/actor/topic.hpp"
#include "takt/mailbox.hpp"

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace takt::detail {

/// What all mail begins with.
struct MailHead {
    const char* topic_name; // for people
    std::uint64_t topic;    // hash of the name
    std::uint64_t sender;   // its place in commit order, 0: no actor; or a SendStamp

    // Of the sender, in the gate: what its receiver's limit said.
    static constexpr std::uint64_t kEntered = 1; // it has a place there
    static constexpr std::uint64_t kExcess = 2;  // it is to be dropped
};

/// When and by which worker mail was sent, in one word: the low 52 bits of the tick and the worker.
struct SendStamp {
    std::uint64_t tick;
    int worker;

    static constexpr unsigned kWorkerBits = 12;
    std::uint64_t packed() const noexcept {
        return tick << kWorkerBits | static_cast<std::uint64_t>(worker);
    }
    /// `now`: a tick after it.
    static SendStamp unpack(std::uint64_t packed, std::uint64_t now) noexcept {
        constexpr std::uint64_t kWorkers = (1U << kWorkerBits) - 1;
        const std::uint64_t ago = ((now << kWorkerBits) - (packed & ~kWorkers)) >> kWorkerBits;
        const bool is_later = ago >> 51 != 0; // counters of two cores may differ a little
        return {is_later ? now : now - ago, static_cast<int>(packed & kWorkers)};
    }
};

/// The types of a topic's arguments: one object for each list of types. Its address is compared at
/// bind and at delivery.
struct Signature {
    const char* name;        // for people
    bool copyable;           // false: one handler only, which gets the arguments moved
    bool is_request = false; // the same; it answers
};

/// What takt does itself, on the receiver's worker; not for handlers.
struct ActorContext;
class TicketCore;
using ControlCall = void (*)(ActorContext& here, std::uint64_t address, MailHead& mail);

/// What a worker has to know of a piece of mail beyond its record.
struct MailType : RecordType {
    constexpr MailType(const RecordType& record, std::size_t alignment,
                       void (*mover)(void*, void*) noexcept, const Signature* args,
                       Busy* (*busy)(MailHead&) noexcept, ControlCall call,
                       TicketCore* (*ticket)(MailHead&) noexcept)
        : RecordType(record), align(alignment), move_to(mover), signature(args), busy_of(busy),
          control(call), ticket_of(ticket) {}

    std::size_t align;
    void (*move_to)(void* to, void* from) noexcept; // constructs at `to`; `from` is still destroyed
    const Signature* signature;                     // null for control mail
    Busy* (*busy_of)(MailHead&) noexcept;           // null, or gives null: it counts on no load
    ControlCall control;                            // null for mail of topics
    TicketCore* (*ticket_of)(MailHead&) noexcept;   // null: it is no request
};

template <class... Args>
inline constexpr Signature signature_of{type_name<std::tuple<Args...>>(),
                                        (std::is_copy_constructible_v<Args> && ...)};

/// A message.
template <class... Args>
struct TopicMail : MailHead {
    template <class... Given>
    explicit TopicMail(const MailHead& head, Given&&... given)
        : MailHead(head), args(std::forward<Given>(given)...) {}

    std::tuple<Args...> args;
};

/// A message that counts on its receiver's load until it has been handled, or is destroyed. To
/// handlers it is a TopicMail.
template <class... Args>
struct DispatchedMail : TopicMail<Args...> {
    template <class... Given>
    explicit DispatchedMail(const MailHead& head, Load<StdPolicy>& load, Given&&... given)
        : TopicMail<Args...>(head, std::forward<Given>(given)...), busy(load) {}

    Busy busy;
};

template <class... Args>
Busy* busy_of(MailHead& mail) noexcept {
    return &static_cast<DispatchedMail<Args...>&>(mail).busy;
}

template <class M>
void move_mail(void* to, void* from) noexcept {
    ::new (to) M(std::move(*static_cast<M*>(from)));
}

template <class M>
constexpr MailType mail_type(const Signature* args, Busy* (*busy)(MailHead&) noexcept = nullptr,
                             ControlCall control = nullptr,
                             TicketCore* (*ticket)(MailHead&) noexcept = nullptr) {
    return {{std::is_trivially_destructible_v<M> ? nullptr : &destroy_payload<M>,
             static_cast<std::uint32_t>(units_for<StdPolicy>(sizeof(M))),
             static_cast<std::uint32_t>(sizeof(M)), type_name<M>()},
            alignof(M),
            &move_mail<M>,
            args,
            busy,
            control,
            ticket};
}

} // namespace takt::detail

namespace takt {

// Workers know all records that they drain as mail.
template <class... Args>
inline constexpr detail::MailType record_type_of<detail::TopicMail<Args...>> =
    detail::mail_type<detail::TopicMail<Args...>>(&detail::signature_of<Args...>);
template <class... Args>
inline constexpr detail::MailType record_type_of<detail::DispatchedMail<Args...>> =
    detail::mail_type<detail::DispatchedMail<Args...>>(&detail::signature_of<Args...>,
                                                       &detail::busy_of<Args...>);

} // namespace takt
