// SPDX-License-Identifier: MIT
// What becomes of who waits for a request, and of its deadline. How it ends: takt/actor/ticket_state.hpp.
#include "frame/engine.hpp"

#include <memory>
#include <new>
#include <utility>

namespace takt::detail {

bool Engine::await_ticket(RootTask& task, TicketCore& ticket) {
    if (must_end(task))
        return true;
    if (ticket.waiting != nullptr || ticket.on_ready)
        throw Error("request", ticket.request, "somebody waits for its answer already",
                    "Give the answer on from there");
    auto& waiting = static_cast<ActorTask&>(task);
    task.phase = current_phase();
    if (!ticket.begin_wait(number_, frame_group_, waiting.actor.address(), waiting.actor_id,
                           task.phase))
        return false;
    ticket.waiting = &task;
    waiting.where = Whereabouts::ticket;
    if (ticket.state.await())
        return true;
    ticket.waiting = nullptr;
    waiting.where = Whereabouts::running;
    return false;
}

void Engine::wake(TicketCore& ticket) noexcept {
    if (in_parallel())
        static_cast<FrameWorker&>(*actor_context()).wake(ticket);
    else
        tell(ticket);
}

void wake_from_outside(unsigned runtime, TicketCore& ticket) noexcept {
    const GateUse use(runtime);
    Gate<StdPolicy>* const gate = use.gate();
    if (gate == nullptr)
        return; // gone, and who waited with it
    // `closed`: who waits is about to go.
    while (gate->send_control<WakeMail>(0, ticket) == SendResult::no_memory && !gate->closed())
        StdPolicy::yield();
}

// Without memory a task goes on in the next frame, and a function is called at once.
void Engine::tell(TicketCore& ticket) noexcept {
    if (RootTask* const waiting = std::exchange(ticket.waiting, nullptr)) {
        auto& task = static_cast<ActorTask&>(*waiting);
        try {
            make_ready(task);
        } catch (const std::bad_alloc&) {
            await_next_frame(task);
        }
        return;
    }
    if (!ticket.on_ready)
        return;
    ticket.state.acquire();
    const ActorCell* const cell = table_.find(ActorRef::from_address(ticket.actor));
    try {
        commits_.push_back(
            {ticket.actor_id,
             cell == nullptr ? world_sequence_++ : const_cast<ActorCell*>(cell)->sequence++,
             ticket.actor, &finish_tell, &ticket});
    } catch (const std::bad_alloc&) {
        finish_tell(frame_thread(), &ticket, ticket.actor == 0);
    }
}

// Tasks that wait are about to go then.
void Engine::tell_last(TicketCore& ticket) noexcept {
    if (shut_down_ && ticket.waiter_id == frame_group_ && ticket.on_ready)
        tell(ticket);
}

void Engine::finish_tell(ActorContext& here, void* data, bool run) {
    const TicketHold ticket = TicketHold::adopt(*static_cast<TicketCore*>(data));
    auto function = std::exchange(ticket->on_ready, nullptr);
    if (!function) // it was told twice
        return;
    // A runtime that ends runs no commits, but who asked for an answer learns that there is none.
    const bool is_last_call = ticket->actor == 0;
    if (!run && !is_last_call)
        return;
    try {
        function(*ticket);
    } catch (...) {
        static_cast<FrameWorker&>(here).engine().fail(here.actor, ticket->request,
                                                      std::current_exception());
    }
}

namespace {

/// A function that came after the end.
struct LateCall {
    TicketHold ticket;
    UniqueFunction<void(TicketCore&)> function;
    bool is_nobodys;
};

void finish_late_call(ActorContext& here, void* data, bool run) {
    const std::unique_ptr<LateCall> call(static_cast<LateCall*>(data));
    if (!run && !call->is_nobodys) // as finish_tell()
        return;
    try {
        call->function(*call->ticket);
    } catch (...) {
        static_cast<FrameWorker&>(here).engine().fail(here.actor, call->ticket->request,
                                                      std::current_exception());
    }
}

} // namespace

void Engine::call_with(TicketCore& ticket, UniqueFunction<void(TicketCore&)> function) {
    ActorContext& here = *actor_context();
    const bool is_nobodys = here.actor == nullptr;
    std::unique_ptr<LateCall> call(
        new LateCall{TicketHold(ticket), std::move(function), is_nobodys});
    if (shut_down_) { // there are no commits any more
        finish_late_call(here, call.release(), false);
        return;
    }
    if (in_parallel()) {
        here.commit(&finish_late_call, call.get());
    } else {
        commits_.push_back({here.sender_id(), here.take_sequence(),
                            is_nobodys ? 0 : here.actor->ref().address(), &finish_late_call,
                            call.get()});
    }
    static_cast<void>(call.release());
}

// --- deadlines ---

void Engine::watch(TicketCore& ticket, std::int64_t due_ns) {
    ticket.due_ns = due_ns;
    if (in_parallel()) {
        ActorContext& here = *actor_context();
        if (here.commits.size() == here.commits.capacity())
            here.commits.reserve(2 * here.commits.size() + 16); // before there is a reference
        void* const at = here.memory.take(sizeof(TicketHold), alignof(TicketHold));
        here.commits.push_back({here.sender_id(), here.take_sequence(), 0, &finish_watch,
                                ::new (at) TicketHold(ticket)});
        return;
    }
    ticket.state.acquire();
    ticket.is_watched = true;
    deadlines_.add(ticket, due_ns);
    if (!ticket.state.watch())
        unwatch(ticket);
}

void Engine::finish_watch(ActorContext& here, void* data, bool) {
    TicketHold& ticket = *static_cast<TicketHold*>(data);
    if (!ticket->is_over())
        static_cast<FrameWorker&>(here).engine().watch(*ticket, ticket->due_ns);
    std::destroy_at(&ticket);
}

void Engine::unwatch(TicketCore& ticket) noexcept {
    if (in_parallel()) {
        static_cast<FrameWorker&>(*actor_context()).list_ended(ticket);
        return;
    }
    if (!std::exchange(ticket.is_watched, false)) // its time has come
        return;
    deadlines_.remove(ticket);
    ticket.release();
}

void Engine::take_ended_tickets(FrameWorker& worker) noexcept {
    while (const TicketHold ticket = worker.pop_ended()) {
        // Another runtime's has its deadline there.
        if (ticket->runtime == number_)
            unwatch(*ticket);
        if (std::exchange(ticket->tells, false))
            tell(*ticket);
    }
}

} // namespace takt::detail
