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
    const int worker = here.table->owner(word);
    if (!here.outbox->push<M>(worker, to.address(), MailHead{name, topic, here.sender_id()},
                              std::forward<Given>(given)...)) [[unlikely]]
        return here.refuse(here.outbox->refused_as_full(worker) ? SendResult::full
                                                                : SendResult::no_memory);
    ++here.sent;
    return SendResult::ok;
}

/// Sends as `M` from the calling worker, or the frame thread. The arguments after the head go to M's
/// constructor.
template <class M, class... Given>
inline SendResult send_here(ActorContext& here, ActorRef to, const char* name, std::uint64_t topic,
                            Given&&... given) {
    const ActorWord word = here.table->cell(to.slot()).read_word();
    if (word.generation == to.generation() && word.takes_mail() &&
        here.outbox->has_room_for_own<M>(here.table->owner(word))) {
        here.outbox->push_own<M>(to.address(), MailHead{name, topic, here.sender_id()},
                                 std::forward<Given>(given)...);
        ++here.sent;
        return SendResult::ok;
    }
    return send_farther<M>(here, to, name, topic, std::forward<Given>(given)...);
}

template <class M, class... Given>
[[gnu::noinline]] SendResult send_from_outside(ActorRef to, const MailHead& head,
                                               Given&&... given) {
    if (!to)
        return SendResult::dead;
    if (Gate<StdPolicy>* const gate = gate_of(to.runtime()))
        return gate->send<M>(to.address(), head, std::forward<Given>(given)...);
    return SendResult::closed;
}

/// The context that may push mail to actors of that runtime; null: the sender is outside of it.
inline ActorContext* context_in(unsigned runtime) noexcept {
    ActorContext* const here = actor_context();
    return here != nullptr && here->runtime == runtime ? here : nullptr;
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
    if (Gate<StdPolicy>* const gate = detail::gate_of(runtime()))
        return gate->send_until<detail::TopicMail<Args...>>(
            later(now_ns(), timeout.count()), address_,
            detail::MailHead{topic.name(), topic.hash(), 0}, std::forward<Given>(args)...);
    return SendResult::closed;
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
