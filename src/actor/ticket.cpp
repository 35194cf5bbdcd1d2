// SPDX-License-Identifier: MIT
#include "takt/actor.hpp"

#include <new>
#include <string>
#include <utility>

namespace takt {

namespace {

struct Reason {
    const char* problem;
    const char* remedy;
};

Reason reason_of(TicketStatus why) noexcept {
    switch (why) {
    case TicketStatus::cancelled:
        return {"it was cancelled", "Await what is still wanted"};
    case TicketStatus::deadline:
        return {"its deadline has passed", "Give it more time, or the actors less to do"};
    case TicketStatus::actor_gone:
        return {"the actor was destroyed before it had answered",
                "Let actors go when they have nothing to do, as Dispatcher::shrink() does"};
    case TicketStatus::actor_stopped:
        return {"the actor was stopped by a failure before it had answered",
                "Use FailurePolicy::resume, or repair the handler that threw"};
    case TicketStatus::shut_down:
        return {"the runtime has ended", "Wait for the answers before"};
    case TicketStatus::dead:
        return {"there is no actor that could answer it",
                "Allocate actors before, and keep them while there is work"};
    case TicketStatus::full:
        return {"there was no room for it", "Ask less at a time, or raise the bounds of the mail"};
    case TicketStatus::closed:
        return {"the way to the actors is closed", "Ask before that"};
    case TicketStatus::no_memory:
        return {"there was no memory for it", "Ask less at a time"};
    case TicketStatus::taken:
        return {"its answer was taken before, or there never was one", "Take an answer once"};
    case TicketStatus::pending:
    case TicketStatus::answered:
    case TicketStatus::threw:
        break;
    }
    return {"it has not failed", "This is an error of takt's"};
}

} // namespace

TicketError::TicketError(const char* request, TicketStatus why)
    : Error("request", request, reason_of(why).problem, reason_of(why).remedy), status_(why) {}

bool cancelled() noexcept {
    const detail::TicketCore* const errand = detail::task_thread().errand;
    return errand != nullptr && errand->is_over();
}

namespace detail {

namespace {

void finish_end(ActorContext&, void* data, bool) {
    auto& end = *static_cast<std::pair<TicketHold, TicketStatus>*>(data);
    end_ticket_now(*end.first, end.second);
    std::destroy_at(&end);
}

// Notes a commit that ends the ticket; at its place, or in the caller's name. False: there was no
// memory for that.
bool end_by_commit(ActorContext& here, TicketCore& core, TicketStatus status,
                   bool in_callers_name) noexcept {
    using End = std::pair<TicketHold, TicketStatus>;
    try {
        if (here.commits.size() == here.commits.capacity())
            here.commits.reserve(2 * here.commits.size() + 16);
        void* const at = here.memory.take(sizeof(End), alignof(End));
        End* const end = ::new (at) End(TicketHold(core), status);
        if (in_callers_name)
            here.commits.push_back({here.sender_id(), here.take_sequence(), 0, &finish_end, end});
        else
            here.commits.push_back({core.submitter, core.sequence, 0, &finish_end, end});
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

// Who waits in the runtime of `here` is told there, others from outside.
void wake(ActorContext* here, TicketCore& core) noexcept {
    if (here != nullptr && here->runtime_id == core.waiter_id)
        here->host->wake(core);
    else
        wake_from_outside(core.waiter, core);
}

void unwatch(ActorContext* here, TicketCore& core) noexcept {
    if (here != nullptr)
        here->host->unwatch(core);
    else
        wake_from_outside(core.runtime, core);
}

// Where nothing may depend on timing, tickets end in the serial phase.
bool ends_by_commit(const ActorContext* here) noexcept {
    return here != nullptr && here->phase == Phase::parallel && here->is_reproducible;
}

} // namespace

TicketStatus lost_answer_status() noexcept {
    const ActorContext* const here = actor_context();
    return here == nullptr ? TicketStatus::shut_down : here->lost_answers;
}

LosingAnswers::LosingAnswers(TicketStatus why) noexcept
    : before_(std::exchange(actor_context()->lost_answers, why)) {}

LosingAnswers::~LosingAnswers() {
    actor_context()->lost_answers = before_;
}

void end_ticket(TicketCore& core, TicketStatus status) noexcept {
    ActorContext* const here = context_in(core.runtime);
    if (!ends_by_commit(here) || !end_by_commit(*here, core, status, false))
        end_ticket_now(core, status);
}

bool end_ticket_now(TicketCore& core, TicketStatus status) noexcept {
    const TicketHold hold(core); // who waits may drop it at once
    const auto end = core.state.end(status);
    if (!end.by_caller) {
        // Who was first, outside, may have found the runtime of who waits closed.
        if (const ActorContext* const here = context_in(core.runtime))
            here->host->tell_last(core);
        return false;
    }
    if (end.is_awaited)
        wake(actor_context(), core);
    if (end.is_watched)
        unwatch(context_in(core.runtime), core);
    return true;
}

CancelResult cancel_ticket(TicketCore& core) noexcept {
    if (core.is_over())
        return CancelResult::nothing;
    ActorContext* const here = context_in(core.runtime);
    if (ends_by_commit(here) && end_by_commit(*here, core, TicketStatus::cancelled, true))
        return CancelResult::pending;
    return end_ticket_now(core, TicketStatus::cancelled) ? CancelResult::done
                                                         : CancelResult::nothing;
}

bool wait_for_ticket(TicketCore& core, const char* member, std::int64_t timeout_ns) {
    if (core.is_over())
        return true;
    if (current_context() != nullptr || task_thread().holds_up_frames)
        violated(
            member,
            "A frame would wait for itself: co_await the ticket in a task, or run frames until "
            "it is ready, Runtime::run_until(ticket)",
            Level::outside);
    return core.state.wait(later(now_ns(), timeout_ns)) != TicketStatus::pending;
}

void set_deadline(TicketCore& core, std::int64_t ns) {
    ActorContext& here = need_actor_context("takt::Ticket::with_deadline");
    const bool is_over = core.is_over(); // where it was refused it is no runtime's
    if (!is_over && here.runtime != core.runtime)
        throw Error("request", core.request, "it is another runtime's", "Give it a deadline there");
    if (core.has_deadline)
        throw Error("request", core.request, "it has a deadline already", "Give it one");
    if (!is_over && ns != kNever)
        here.host->watch(core, later(here.task_host->frame_time_ns(), ns));
    core.has_deadline = true;
}

void call_when_ready(TicketCore& core, UniqueFunction<void(TicketCore&)> function) {
    ActorContext& here = need_actor_context("takt::Ticket::on_ready");
    if (core.waiting != nullptr || core.on_ready)
        throw Error("request", core.request, "somebody waits for its answer already",
                    "Give the answer on from there");
    if (!core.is_over() && here.runtime != core.runtime)
        throw Error("request", core.request, "it is another runtime's",
                    "Let a task co_await it there");
    const std::uint64_t actor = here.actor == nullptr ? 0 : here.actor->ref().address();
    if (core.begin_wait(here.runtime, here.runtime_id, actor, here.sender_id(), Phase::serial)) {
        core.on_ready = std::move(function);
        if (core.state.await())
            return;
        function = std::exchange(core.on_ready, nullptr); // who has ended it told nobody
    }
    here.host->call_with(core, std::move(function));
}

bool ring_when_over(TicketCore* core) {
    if (core == nullptr || core->is_over())
        return false;
    const ActorContext& here = need_actor_context("takt::Runtime::run_until");
    const bool is_awaited = core->waiting != nullptr || core->on_ready;
    return is_awaited || (core->begin_wait(here.runtime, here.runtime_id, 0, 0, Phase::serial) &&
                          core->state.await());
}

bool await_ticket(RootTask& root, TicketCore& core) {
    return need_actor_context("takt::Ticket::operator co_await").host->await_ticket(root, core);
}

} // namespace detail
} // namespace takt
