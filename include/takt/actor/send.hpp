// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. Sending: from a phase into a lane of the sender's worker, from outside through the
// gate. Below: actor, actor_table. Above: dispatcher.

#include "takt/actor/actor.hpp"

#include <chrono>
#include <cstdint>
#include <new>
#include <utility>

namespace takt {

namespace detail {

/// send_here() to other workers, and where something is to be done first.
template <class M, class... Given>
[[gnu::noinline]] SendResult send_farther(ActorContext& here, ActorRef to, const char* name,
                                          std::uint64_t topic, Given&&... given) {
    const ActorWord word = here.table->cell(to.slot()).read_word();
    if (word.generation != to.generation() || !word.takes_mail()) [[unlikely]]
        return here.refuse(SendResult::dead);
    const MailHead head{name, topic, here.sender_mark()};
    MailRoom<StdPolicy>* const room = word.is_limited ? &here.table->room(to.slot()) : nullptr;
    if (room != nullptr && !here.enter(*room)) {
        // A request is no message that nobody waits for: its ticket says what became of it.
        if (room->overflow() == Overflow::reject || record_type_of<M>.ticket_of != nullptr)
            return here.refuse(SendResult::full);
        here.host->drop(to, head);
        return SendResult::ok;
    }
    struct Undo { // unless it is sent
        ~Undo() {
            if (room != nullptr)
                room->leave(row);
        }
        MailRoom<StdPolicy>* room;
        const int row;
    } undo{room, here.worker};
    const int worker = here.table->owner(word);
    if (!here.outbox->push<M>(worker, to.address(), head, std::forward<Given>(given)...))
        [[unlikely]]
        return here.refuse(here.outbox->refused_as_full(worker) ? SendResult::full
                                                                : SendResult::no_memory);
    undo.room = nullptr;
    ++here.sent;
    return SendResult::ok;
}

/// Sends as `M` from the calling worker, or the frame thread. The arguments after the head go to M's
/// constructor.
template <class M, class... Given>
inline SendResult send_here(ActorContext& here, ActorRef to, const char* name, std::uint64_t topic,
                            Given&&... given) {
    const std::uint64_t packed = here.table->cell(to.slot()).read_packed_word();
    const ActorWord word = ActorWord::unpack(packed);
    if (word.generation == to.generation() && ActorWord::takes_any_mail(packed) &&
        here.outbox->has_room_for_own<M>(here.table->owner(word))) {
        here.outbox->push_own<M>(to.address(), MailHead{name, topic, here.sender_mark()},
                                 std::forward<Given>(given)...);
        ++here.sent;
        return SendResult::ok;
    }
    return send_farther<M>(here, to, name, topic, std::forward<Given>(given)...);
}

/// What a message from outside asks of its receiver, where that is limited. Asked inside the gate, where
/// the table still is; writes the answer into the mail's head.
class AskReceiver {
  public:
    AskReceiver(const ActorTable* table, ActorRef to, MailHead& head) noexcept
        : table_(table), to_(to), head_(head) {}

    bool enter() noexcept {
        head_.sender = 0;
        MailRoom<StdPolicy>* const room = find_room();
        if (room == nullptr || !asks_senders(room->overflow()))
            return true;
        if (room->enter_from_outside())
            head_.sender = MailHead::kEntered;
        else if (room->overflow() == Overflow::drop_newest)
            head_.sender = MailHead::kExcess; // counted by who admits it
        else
            return false;
        return true;
    }
    void leave() noexcept {
        if (head_.sender == MailHead::kEntered)
            table_->room(to_.slot()).leave_from_outside();
    }
    bool has_room() const noexcept {
        const MailRoom<StdPolicy>* const room = find_room();
        return room == nullptr || room->overflow() != Overflow::reject || room->has_room();
    }

  private:
    // Null: there is no such actor, or it is not limited. A program that limits none never looks at
    // cells, which their workers write.
    MailRoom<StdPolicy>* find_room() const noexcept {
        if (table_ == nullptr || !table_->has_rooms())
            return nullptr;
        const ActorWord word = table_->cell(to_.slot()).read_word();
        return word.is_limited && word.generation == to_.generation() ? &table_->room(to_.slot())
                                                                      : nullptr;
    }

    const ActorTable* const table_;
    const ActorRef to_;
    MailHead& head_;
};

template <class M, class... Given>
[[gnu::noinline]] SendResult send_from_outside(ActorRef to, MailHead head, Given&&... given) {
    if (!to)
        return SendResult::dead;
    if (Gate<StdPolicy>* const gate = gate_of(to.runtime())) {
        AskReceiver ask(table_of(to.runtime()), to, head);
        return gate->send_if<M>(ask, to.address(), std::as_const(head),
                                std::forward<Given>(given)...);
    }
    return SendResult::closed;
}

/// Why a request ends that was not sent.
constexpr TicketStatus status_of(SendResult refused) noexcept {
    switch (refused) {
    case SendResult::ok:
        return TicketStatus::pending;
    case SendResult::dead:
        return TicketStatus::dead;
    case SendResult::full:
        return TicketStatus::full;
    case SendResult::closed:
        return TicketStatus::closed;
    case SendResult::no_memory:
        break;
    }
    return TicketStatus::no_memory;
}

/// Sends the request from the calling worker, or the frame thread. `load`: on which it counts; may be
/// null.
template <class R, class... Args, class... Given>
Ticket<R> submit_here(ActorContext& here, ActorRef to, Load<StdPolicy>* load,
                      const Request<R(Args...)>& request, Given&&... given) {
    static_assert(std::is_constructible_v<std::tuple<Args...>, Given&&...>,
                  "takt: the arguments do not fit the request's types");
    auto* const core = new (std::nothrow)
        TicketCoreOf<R>(request.name(), here.runtime, here.sender_id(), here.take_sequence());
    if (core == nullptr)
        return TicketAccess::refused<R>(request.name(),
                                        status_of(here.refuse(SendResult::no_memory)));
    Ticket<R> ticket = TicketAccess::make<R>(TicketHold::adopt(*core));
    Answer<R> answer(*core);
    const SendResult sent = send_here<RequestMail<R, Args...>>(
        here, to, request.name(), request.hash(), load, answer, std::forward<Given>(given)...);
    if (sent == SendResult::ok)
        return ticket;
    answer.forget();
    return TicketAccess::refused<R>(request.name(), status_of(sent));
}

} // namespace detail

template <class... Args, class... Given>
SendResult ActorRef::send(const Topic<Args...>& topic, Given&&... args) const {
    static_assert(std::is_constructible_v<std::tuple<Args...>, Given&&...>,
                  "takt: the arguments do not fit the topic's types");
    if (detail::ActorContext* const here = detail::context_in(runtime())) [[likely]]
        return detail::send_here<detail::TopicMail<Args...>>(
            *here, *this, topic.name(), topic.hash(), std::forward<Given>(args)...);
    return detail::send_from_outside<detail::TopicMail<Args...>>(
        *this, detail::MailHead{topic.name(), topic.hash(), 0}, std::forward<Given>(args)...);
}

template <class... Args, class... Given>
SendResult ActorRef::send_within(std::chrono::nanoseconds timeout, const Topic<Args...>& topic,
                                 Given&&... args) const {
    if (detail::context_in(runtime()) != nullptr)
        return send(topic, std::forward<Given>(args)...);
    if (!*this)
        return SendResult::dead;
    if (Gate<StdPolicy>* const gate = detail::gate_of(runtime())) {
        detail::MailHead head{topic.name(), topic.hash(), 0};
        detail::AskReceiver ask(detail::table_of(runtime()), *this, head);
        return gate->send_until_if<detail::TopicMail<Args...>>(later(now_ns(), timeout.count()),
                                                               ask, address_, std::as_const(head),
                                                               std::forward<Given>(args)...);
    }
    return SendResult::closed;
}

template <class R, class... Args, class... Given>
Ticket<R> ActorRef::submit(const Request<R(Args...)>& request, Given&&... args) const {
    detail::ActorContext& here = detail::need_actor_context("takt::ActorRef::submit");
    if (*this && here.runtime != runtime())
        detail::violated("takt::ActorRef::submit",
                         "Ask in a frame of its own runtime; actors of another one send messages",
                         Level::in_frame);
    return detail::submit_here(here, *this, nullptr, request, std::forward<Given>(args)...);
}

/// From parallel code: `function()` or `function(Serial)` runs in this round's serial phase, in
/// commit order (actor, then sequence), once, unless its actor is gone by then. From serial code it
/// runs at once. In a phase only.
template <class F>
void commit(F&& function) {
    using Closure = std::decay_t<F>;
    static_assert(std::is_invocable_v<Closure&> || std::is_invocable_v<Closure&, Serial>,
                  "takt: commit() wants a function of nothing or of takt::Serial");
    detail::ActorContext& here = detail::need_actor_context("takt::commit");
    if (here.phase == Phase::serial) {
        detail::call_with_token(function, detail::TokenMint::serial());
        return;
    }
    void* const at = ::new (here.memory.take(sizeof(Closure), alignof(Closure)))
        Closure(std::forward<F>(function));
    here.commit(
        [](detail::ActorContext&, void* data, bool run) {
            Closure& closure = *static_cast<Closure*>(data);
            struct End {
                ~End() { closure.~Closure(); }
                Closure& closure;
            } const end{closure};
            if (run)
                detail::call_with_token(closure, detail::TokenMint::serial());
        },
        at);
}

/// Memory until the end of this round, for parallel code: nobody frees it, and destructors do not
/// run. For std::pmr containers. In a phase only.
inline std::pmr::memory_resource& frame_memory() {
    return detail::need_actor_context("takt::frame_memory").memory;
}

namespace detail {

template <class F>
Setup make_setup(F&& setup) {
    return Setup(
        [setup = std::decay_t<F>(std::forward<F>(setup))](Actor& actor) mutable -> TaskHandle {
            if constexpr (is_task<std::invoke_result_t<std::decay_t<F>&, Actor&>>) {
                return setup(actor).release();
            } else {
                setup(actor);
                return nullptr;
            }
        });
}

} // namespace detail

template <class F>
requires std::invocable<F&, Actor&> ActorRef spawn_actor(ActorOptions options, F&& setup) {
    return detail::need_actor_context("takt::spawn_actor")
        .host->spawn(std::move(options), nullptr, nullptr, nullptr,
                     detail::make_setup(std::forward<F>(setup)));
}

} // namespace takt
