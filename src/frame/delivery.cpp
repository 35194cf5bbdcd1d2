// SPDX-License-Identifier: MIT
// What becomes of a message: handlers are called, tasks begin, commits are noted, mail is kept or
// expires, and each end is counted once (R3).
#include "frame/engine.hpp"
#include "frame/frame_worker.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

namespace takt::detail {

namespace {

/// A message for serial handlers, in the worker's memory until the serial phase.
struct SerialMail {
    const MailType* type;
    MailHead* mail;
    Delivery* delivery; // of its parallel handlers, if they began tasks
    MailEnd end;        // of its parallel handlers
    bool has_begun;     // it has some
    std::uint64_t to;
};

bool is_bound(const ActorCell& cell, std::uint64_t topic) noexcept {
    const Bound bound(cell, topic);
    return bound.in(Phase::parallel) || bound.in(Phase::serial);
}

bool may_handle(const ActorCell& cell) noexcept {
    return cell.read_word().life == Life::live && (cell.more == nullptr || !cell.more->stopping);
}

// Calls that are pending when an actor goes still come (Y2); a task that waits goes with it.
bool may_hear(const ActorCell& cell, bool is_task) noexcept {
    const Life life = cell.read_word().life;
    return is_task ? life != Life::dying
                   : life != Life::stopped && (cell.more == nullptr || !cell.more->stopping);
}

// The message of a signature that is not the handlers'.
[[noreturn, gnu::cold]] void refuse_types(const TopicHandlers& entry, const MailHead& mail,
                                          const MailType& type) {
    throw Error("topic", mail.topic_name,
                std::string("it was sent with ") + type.signature->name + " and is bound with " +
                    entry.signature->name,
                "Use one name for one list of types");
}

std::optional<Busy> take_busy(MailHead& mail, const MailType& type) noexcept {
    Busy* const busy = type.busy_of == nullptr ? nullptr : type.busy_of(mail);
    return busy == nullptr ? std::nullopt : std::optional<Busy>(std::move(*busy));
}

/// Nobody waits for an answer any more.
bool is_over(MailHead& mail, const MailType& type) noexcept {
    const TicketCore* const ticket = type.ticket_of == nullptr ? nullptr : type.ticket_of(mail);
    return ticket != nullptr && ticket->is_over();
}

/// Of a request that expires so.
TicketStatus status_of(DeadLetter::Reason reason, const Engine& engine) noexcept {
    switch (reason) {
    case DeadLetter::Reason::gone:
    case DeadLetter::Reason::destroyed:
        return engine.status_of_the_gone();
    case DeadLetter::Reason::stopped:
        return TicketStatus::actor_stopped;
    case DeadLetter::Reason::kept_full:
    case DeadLetter::Reason::overflow:
        return TicketStatus::full;
    case DeadLetter::Reason::cancelled:
        return TicketStatus::cancelled; // or its deadline has passed; it has ended already
    case DeadLetter::Reason::no_memory:
        break;
    }
    return TicketStatus::no_memory;
}

void drop_busy(MailHead& mail, const MailType& type) noexcept {
    if (Busy* const busy = type.busy_of == nullptr ? nullptr : type.busy_of(mail))
        busy->drop();
}

void end_ticket_of(MailHead& mail, const MailType& type, TicketStatus status) noexcept {
    if (TicketCore* const ticket = type.ticket_of == nullptr ? nullptr : type.ticket_of(mail))
        end_ticket(*ticket, status);
}

/// The request that the mail asks, if nobody has answered it or begun to.
const TicketCore* unanswered(MailHead& mail, const MailType& type) noexcept {
    const TicketCore* const ticket = type.ticket_of == nullptr ? nullptr : type.ticket_of(mail);
    return ticket == nullptr || ticket->is_over() ? nullptr : ticket;
}

void finish_serial_mail(ActorContext& context, void* data, bool run) {
    auto& here = static_cast<FrameWorker&>(context);
    const SerialMail held = *static_cast<SerialMail*>(data);
    struct End {
        ~End() {
            if (held.type->destroy != nullptr)
                held.type->destroy(held.mail);
        }
        const SerialMail& held;
    } const at_end{held};
    ActorCell* const cell = run ? &ActorAccess::cell(*here.actor) : nullptr;
    here.engine().name_commit(held.mail->topic_name);
    MailEnd end = held.end;
    Delivery* delivery = held.delivery;
    Expiry why = run ? Expiry::stopped : Expiry::destroyed;
    bool may_run = run && may_handle(*cell);
    if (may_run && is_over(*held.mail, *held.type)) {
        may_run = false;
        why = Expiry::cancelled;
    }
    if (run && !held.has_begun && here.is_excess_in_serial(*cell) && may_run) {
        may_run = false;
        why = Expiry::overflow;
    }
    if (may_run) {
        delivery = here.call_handlers(*cell, Bound(*cell, held.mail->topic), *held.mail, *held.type,
                                      delivery, end);
        // Its handler was disconnected since the parallel phase: as if it had not been there.
        if (delivery == nullptr && end == MailEnd::handled && unanswered(*held.mail, *held.type)) {
            here.keep(*cell, *held.mail, *held.type);
            if (is_bound(*cell, held.mail->topic))
                here.engine().handlers_changed(*cell);
            return;
        }
    } else {
        if (end != MailEnd::failed) {
            end = MailEnd::expired;
            drop_busy(*held.mail, *held.type);
            here.note_dead_letter(held.to, *held.mail, why);
        }
        end_ticket_of(*held.mail, *held.type, status_of(why, here.engine()));
    }
    here.finish_message(cell, *held.mail, delivery, end, why);
}

} // namespace

// What open_simple() began and does not end at once.
void FrameWorker::take_in_flight(ActorCell& cell, const MailHead& mail) {
    ++topics_.of(mail.topic, mail.topic_name).in_flight;
    ++cell.in_flight;
}

void FrameWorker::open_any(std::uint64_t address, const MailType& type, MailHead& mail) {
    if (type.control != nullptr) {
        type.control(*this, address, mail);
        return;
    }
    ++topics_.of(mail.topic, mail.topic_name).in_flight;
    const ActorRef to = ActorRef::from_address(address);
    ActorCell& cell = table->cell(to.slot());
    const ActorWord word = cell.read_word();
    if (word.generation != to.generation() || word.life == Life::none) [[unlikely]] {
        expire(nullptr, address, mail, type, DeadLetter::Reason::gone);
        return;
    }
    ++cell.in_flight;
    MailRoom<StdPolicy>* const room = word.is_limited ? cell.more->room : nullptr;
    if (room != nullptr)
        room->open();
    if (room != nullptr && room->is_excess(begun_of(cell, 1), is_reproducible))
        expire(&cell, address, mail, type, Expiry::overflow);
    else if (word.life == Life::live) [[likely]]
        deliver(cell, mail, type);
    else if (word.life == Life::unborn)
        keep(cell, mail, type);
    else
        expire(&cell, address, mail, type,
               word.life == Life::dying ? DeadLetter::Reason::destroyed
                                        : DeadLetter::Reason::stopped);
}

void FrameWorker::deliver(ActorCell& cell, MailHead& mail, const MailType& type) {
    if (cell.more != nullptr && cell.more->kept_is_due)
        open_kept(cell); // older mail first
    if (!may_handle(cell)) [[unlikely]] {
        expire(&cell, ActorAccess::actor(cell).ref().address(), mail, type,
               DeadLetter::Reason::stopped);
        return;
    }
    if (is_over(mail, type)) [[unlikely]] {
        expire(&cell, ActorAccess::actor(cell).ref().address(), mail, type,
               DeadLetter::Reason::cancelled);
        return;
    }
    const Bound bound(cell, mail.topic);
    const bool in_parallel = bound.in(Phase::parallel);
    const bool in_serial = bound.in(Phase::serial);
    if (!in_parallel && !in_serial) [[unlikely]] {
        keep(cell, mail, type);
        return;
    }
    MailEnd end = MailEnd::handled;
    Delivery* delivery = nullptr;
    if (in_parallel)
        delivery = call_handlers(cell, bound, mail, type, delivery, end);
    if (!in_serial) {
        finish_message(&cell, mail, delivery, end);
        return;
    }
    try {
        to_serial_phase(cell, mail, type, delivery, end, in_parallel);
    } catch (const std::bad_alloc&) {
        end_ticket_of(mail, type, TicketStatus::no_memory);
        finish_message(&cell, mail, delivery, MailEnd::failed);
        throw;
    }
}

Delivery* FrameWorker::call_handlers(ActorCell& cell, const Bound& bound, MailHead& mail,
                                     const MailType& type, Delivery* delivery, MailEnd& end) {
    has_called_ = true;
    // All that is read of the tables is read before a handler may change them.
    const auto first_of = [&](const TopicHandlers* entry) -> Handler* {
        if (entry == nullptr)
            return nullptr;
        if (entry->signature != type.signature) [[unlikely]]
            refuse_types(*entry, mail, type);
        return entry->first_of(phase);
    };
    Actor* const before = std::exchange(actor, &ActorAccess::actor(cell));
    try {
        Handler* const shared = first_of(bound.shared);
        Handler* const own = first_of(bound.own);
        if (shared != nullptr)
            call_all(cell, shared, UINT64_MAX, false, mail, type, delivery, end);
        if (own != nullptr && (shared == nullptr || may_handle(cell)))
            call_all(cell, own, cell.more->own.next_id(), true, mail, type, delivery, end);
    } catch (...) {
        end = MailEnd::failed;
        if (TicketCore* const ticket = type.ticket_of == nullptr ? nullptr : type.ticket_of(mail)) {
            ticket->failure = std::current_exception();
            end_ticket(*ticket, TicketStatus::threw);
        }
        report(&cell, mail.topic_name, std::current_exception());
    }
    actor = before;
    return delivery;
}

void FrameWorker::begin_task(ActorCell& cell, Handler& handler, TaskHandle handle, MailHead& mail,
                             const MailType& type) {
    Task<> task = Task<>::adopt(handle);
    auto* const delivery =
        new Delivery{1, MailEnd::handled, mail.topic, mail.topic_name, take_busy(mail, type)};
    MailEnd end = MailEnd::handled;
    try {
        start_task(&cell, std::move(task), cell.shared == nullptr ? &handler : nullptr, delivery,
                   false);
    } catch (...) { // out of memory; the delivery, and the load that it holds, still end
        end = MailEnd::failed;
        report(&cell, mail.topic_name, std::current_exception());
    }
    take_in_flight(cell, mail);
    finish_message(&cell, mail, delivery, end);
}

void FrameWorker::fail_message(ActorCell& cell, const MailHead& mail) {
    take_in_flight(cell, mail);
    report(&cell, mail.topic_name, std::current_exception());
    finish_message(&cell, mail, nullptr, MailEnd::failed);
}

// From `first` on, those that are bound before `bound_later`; the actor may handle mail. Handlers of
// a behaviour live as long as the actor; its own may be disconnected.
void FrameWorker::call_all(ActorCell& cell, Handler* first, std::uint64_t bound_later, bool is_own,
                           MailHead& mail, const MailType& type, Delivery*& delivery,
                           MailEnd& end) {
    for (Handler* handler = first; handler != nullptr && handler->id < bound_later;) {
        if (handler->connected) {
            try {
                if (const TaskHandle handle = handler->call(cell.state, mail)) {
                    Task<> task = Task<>::adopt(handle);
                    if (delivery == nullptr)
                        delivery = new Delivery{1, end, mail.topic, mail.topic_name,
                                                take_busy(mail, type)};
                    start_task(&cell, std::move(task), is_own ? handler : nullptr, delivery, false);
                }
            } catch (...) {
                end = MailEnd::failed;
                report(&cell, mail.topic_name, std::current_exception());
            }
        }
        handler = handler->next.get();
        if (handler != nullptr && !may_handle(cell))
            return;
    }
}

void FrameWorker::to_serial_phase(ActorCell& cell, MailHead& mail, const MailType& type,
                                  Delivery* delivery, MailEnd end, bool has_begun) {
    if (commits.size() == commits.capacity())
        commits.reserve(2 * commits.size() + 16); // before the mail is moved
    void* const at = memory.take(sizeof(SerialMail), alignof(SerialMail));
    const std::uint64_t to = ActorAccess::actor(cell).ref().address();
    commits.push_back(
        {cell.id, cell.sequence++, to, &finish_serial_mail,
         ::new (at) SerialMail{&type, move_to_memory(mail, type), delivery, end, has_begun, to}});
    if (!has_begun && cell.more != nullptr && cell.more->room != nullptr)
        cell.more->room->wait_for_serial();
}

void FrameWorker::finish_message(ActorCell* cell, const MailHead& mail, Delivery* delivery,
                                 MailEnd end, Expiry why) {
    if (delivery == nullptr) [[likely]] {
        count(cell, mail.topic, mail.topic_name, end, why);
        return;
    }
    if (end != MailEnd::handled) {
        delivery->end = end;
        delivery->why = why;
    }
    close(cell, delivery);
}

// One of those that keep a delivery open has ended.
void FrameWorker::close(ActorCell* cell, Delivery* delivery) {
    if (--delivery->open != 0)
        return;
    count(cell, delivery->topic, delivery->topic_name, delivery->end, delivery->why);
    if (delivery->end == MailEnd::expired && delivery->busy)
        delivery->busy->drop();
    delete delivery;
}

void FrameWorker::count(ActorCell* cell, std::uint64_t topic, const char* name, MailEnd end,
                        Expiry why) {
    TopicCounts& place = topics_.place_of(topic, name);
    MailCounts& of_topic = place.counts;
    --of_topic.in_flight;
    if (cell != nullptr) {
        --cell->in_flight;
        if (cell->more != nullptr && cell->more->room != nullptr)
            cell->more->room->end();
    }
    switch (end) {
    case MailEnd::handled:
        ++of_topic.handled;
        if (cell != nullptr)
            ++cell->handled;
        return;
    case MailEnd::failed:
        ++of_topic.failed;
        if (cell != nullptr)
            ++cell->need_more().failed;
        return;
    case MailEnd::expired:
        ++of_topic.expired;
        ++place.expired[why];
        if (cell != nullptr)
            ++cell->need_more().expired[why];
        return;
    }
}

void FrameWorker::expire(ActorCell* cell, std::uint64_t address, MailHead& mail,
                         const MailType& type, DeadLetter::Reason reason) {
    count(cell, mail.topic, mail.topic_name, MailEnd::expired, reason);
    drop_busy(mail, type);
    end_ticket_of(mail, type, status_of(reason, engine_));
    note_dead_letter(address, mail, reason);
}

void FrameWorker::note_dead_letter(std::uint64_t address, const MailHead& mail,
                                   DeadLetter::Reason reason) {
    if (engine_.wants_dead_letters())
        dead_letters_.push_back({ActorRef::from_address(address), mail.topic_name, reason});
}

void FrameWorker::lose(std::uint64_t address, MailHead& mail, const MailType& type, Expiry why) {
    ++topics_.of(mail.topic, mail.topic_name).in_flight;
    expire(nullptr, address, mail, type, why);
    if (ActorCell* const cell = table->find(ActorRef::from_address(address)))
        ++cell->need_more().expired[why];
}

void FrameWorker::lose_on_the_way(std::uint64_t address, MailHead& mail, const MailType& type) {
    if (type.control != nullptr) { // step() says so
        failure_ = std::make_exception_ptr(std::bad_alloc());
        return;
    }
    ++topics_.of(mail.topic, mail.topic_name).in_flight;
    expire(nullptr, address, mail, type, Expiry::no_memory);
    if (MailRoom<StdPolicy>* const room = room_of(address))
        room->leave(worker);
}

void FrameWorker::discard_mail() {
    mailbox_.drain([this](std::uint64_t address, const RecordType& record, void* payload) {
        ++taken_;
        MailHead& mail = *static_cast<MailHead*>(payload);
        const auto& type = static_cast<const MailType&>(record);
        if (type.control != nullptr)
            return;
        ++topics_.of(mail.topic, mail.topic_name).in_flight;
        expire(nullptr, address, mail, type, DeadLetter::Reason::destroyed);
    });
}

// --- limits ---

MailRoom<StdPolicy>* FrameWorker::room_of(std::uint64_t address) const noexcept {
    const ActorRef to = ActorRef::from_address(address);
    const ActorWord word = table->cell(to.slot()).read_word();
    return word.is_limited && word.generation == to.generation() ? &table->room(to.slot())
                                                                 : nullptr;
}

std::uint64_t FrameWorker::begun_of(const ActorCell& cell, std::uint64_t others) noexcept {
    return cell.in_flight - others - cell.more->kept.size() - cell.more->room->in_serial();
}

bool FrameWorker::is_excess_in_serial(ActorCell& cell) {
    if (cell.more == nullptr || cell.more->room == nullptr)
        return false;
    MailRoom<StdPolicy>& room = *cell.more->room;
    room.stop_waiting();
    return room.is_excess_in_serial(begun_of(cell, 1));
}

void FrameWorker::drop(ActorRef to, const MailHead& mail) {
    TopicCounts& place = topics_.place_of(mail.topic, mail.topic_name);
    ++place.counts.expired;
    ++place.expired[Expiry::overflow];
    if (MailRoom<StdPolicy>* const room = room_of(to.address()))
        room->note_dropped(worker);
    note_dead_letter(to.address(), mail, Expiry::overflow);
}

// The oldest of what is kept go, where the reader drops.
void FrameWorker::make_place(ActorCell& cell) {
    ActorMore& more = *cell.more;
    const std::uint64_t kept = more.kept.size();
    const std::uint64_t excess = more.room->excess_of(kept + 1, begun_of(cell, 1));
    const auto end = more.kept.begin() + static_cast<std::ptrdiff_t>(std::min(excess, kept));
    const std::uint64_t address = ActorAccess::actor(cell).ref().address();
    for (auto mail = more.kept.begin(); mail != end; ++mail)
        expire(&cell, address, (*mail)->head(), (*mail)->type, Expiry::overflow);
    more.kept.erase(more.kept.begin(), end);
}

// --- kept mail ---

void FrameWorker::keep(ActorCell& cell, MailHead& mail, const MailType& type) {
    DeadLetter::Reason reason = DeadLetter::Reason::kept_full;
    try {
        std::vector<std::unique_ptr<KeptMail>>& kept = cell.need_more().kept;
        if (kept.size() >= engine_.options().kept_max)
            expire_unwanted(cell);
        if (cell.more->room != nullptr)
            make_place(cell);
        if (kept.size() < engine_.options().kept_max) {
            kept.push_back(std::make_unique<KeptMail>(mail, type));
            return;
        }
    } catch (const std::bad_alloc&) {
        reason = DeadLetter::Reason::no_memory;
    }
    expire(&cell, ActorAccess::actor(cell).ref().address(), mail, type, reason);
}

// Requests among what is kept that nobody waits for any more.
void FrameWorker::expire_unwanted(ActorCell& cell) {
    std::vector<std::unique_ptr<KeptMail>>& kept = cell.more->kept;
    const auto unwanted =
        std::stable_partition(kept.begin(), kept.end(), [](const std::unique_ptr<KeptMail>& mail) {
            return !is_over(mail->head(), mail->type);
        });
    const std::uint64_t address = ActorAccess::actor(cell).ref().address();
    for (auto mail = unwanted; mail != kept.end(); ++mail)
        expire(&cell, address, (*mail)->head(), (*mail)->type, DeadLetter::Reason::cancelled);
    kept.erase(unwanted, kept.end());
}

void FrameWorker::open_kept(ActorCell& cell) {
    if (cell.more == nullptr || cell.read_word().life != Life::live)
        return;
    ActorMore& more = *cell.more;
    while (more.kept_is_due) {
        more.kept_is_due = false;
        for (std::unique_ptr<KeptMail>& mail : std::exchange(more.kept, {})) {
            // Once a handler has bound more, the rest waits behind what was passed over before.
            if (!more.kept_is_due && may_handle(cell) && is_bound(cell, mail->head().topic))
                deliver(cell, mail->head(), mail->type);
            else if (is_over(mail->head(), mail->type))
                expire(&cell, ActorAccess::actor(cell).ref().address(), mail->head(), mail->type,
                       DeadLetter::Reason::cancelled);
            else
                more.kept.push_back(std::move(mail));
        }
    }
    cell.settle();
}

// --- tasks ---

void FrameWorker::start_task(ActorCell* cell, Task<> task, Handler* handler, Delivery* delivery,
                             bool is_setup) {
    const TaskHandle frame = task.release();
    ActorTask* started = nullptr;
    try {
        started = &adopt(cell, frame, frame.promise());
    } catch (...) {
        const LosingAnswers scope(TicketStatus::no_memory);
        frame.destroy();
        throw;
    }
    started->handler = handler;
    started->delivery = delivery;
    started->is_setup = is_setup;
    if (handler != nullptr)
        ++handler->tasks;
    if (delivery != nullptr)
        ++delivery->open;
    run_task(*started);
}

ActorTask& FrameWorker::adopt(ActorCell* cell, std::coroutine_handle<> frame,
                              PromiseBase& promise) {
    auto* const task = new ActorTask;
    task->host = &engine_;
    task->outermost = task->leaf = frame;
    task->phase = phase;
    promise.root = task;
    if (cell != nullptr) {
        task->actor = ActorAccess::actor(*cell).ref();
        task->actor_id = cell->id;
    }
    RootTask*& list = engine_.tasks_of(cell);
    task->next = list;
    if (list != nullptr)
        list->previous = task;
    list = task;
    return *task;
}

namespace {

/// Whose listener began the task; empty: nobody's.
const char* name_of_signal(const ActorTask& task) noexcept {
    const bool is_listeners = task.handler != nullptr && task.handler->listener != nullptr;
    return is_listeners ? task.handler->listener->name : "";
}

} // namespace

// Who goes on when a task ends comes after it, not inside it.
void FrameWorker::run_task(ActorTask& first) {
    ActorCell* const cell = table->find(first.actor);
    Actor* const before =
        std::exchange(actor, cell == nullptr ? nullptr : &ActorAccess::actor(*cell));
    Listener* const listener_before = listener;
    ++running_tasks_;
    for (ActorTask* task = &first; task != nullptr;) {
        if (task->cancelled) { // on its way here
            drop_task(*task);
            break;
        }
        task->where = Whereabouts::running;
        listener = task->handler == nullptr ? nullptr : task->handler->listener;
        const bool ended = task->ended || resume(*task);
        task = ended ? end_task(*task) : nullptr;
    }
    --running_tasks_;
    actor = before;
    listener = listener_before;
}

// What is to be noted of a task that waits has to be read before: it may go on elsewhere at once.
bool FrameWorker::resume(ActorTask& task) noexcept {
    Probe* const probe = current_probe();
    task.below = probe == nullptr ? nullptr : probe->open;
    ScopeMark::resume(probe, std::exchange(task.scopes, nullptr));
    if (probe == nullptr) [[likely]]
        return resume_task(task);
    if (task.number == 0)
        task.number =
            static_cast<std::uint64_t>(index_ + 1) << 48 | ++tasks_recorded_; // on all workers
    const char* const name =
        task.delivery != nullptr ? task.delivery->topic_name : name_of_signal(task);
    if (phase == Phase::serial)
        engine_.name_commit(name);
    const std::uint64_t number = task.number;
    const std::uint64_t address = task.actor.address();
    const std::uint64_t begin = tick();
    const bool ended = resume_task(task);
    probe->write(ProbeKind::task, begin, tick(), name, address);
    probe->write(ProbeKind::number, 0, 0, nullptr, number);
    return ended;
}

// --- listeners ---

void FrameWorker::call_pending(Listener& to) {
    if (!to.has_pending()) // it was disconnected, or its actor is gone
        return;
    const ActorCell* const cell = table->find(to.actor);
    if (cell == nullptr || cell->read_word().life == Life::dying)
        return; // Y2
    const std::shared_ptr<SignalEvent> heard = to.take_pending();
    call_listener(to, heard);
    if (to.until != Listener::kOpen && !to.has_pending()) // the signal is gone
        Engine::end_listener(to);
}

void FrameWorker::call_listener(Listener& to, const std::shared_ptr<SignalEvent>& heard) {
    ActorCell* const cell = table->find(to.actor);
    if (cell != nullptr && !may_hear(*cell, to.wait != nullptr))
        return;
    SignalWait* const wait = std::exchange(to.wait, nullptr);
    if (to.once)
        Engine::end_listener(to);
    Actor* const actor_before =
        std::exchange(actor, cell == nullptr ? nullptr : &ActorAccess::actor(*cell));
    Listener* const listener_before = std::exchange(listener, &to);
    const SignalEvent* const event_before = std::exchange(event, heard.get());
    Probe* const probe = current_probe();
    const std::uint64_t begin = probe == nullptr ? 0 : tick();
    const std::uint64_t address = to.actor.address();
    try {
        if (wait != nullptr) {
            wait->event = heard;
            run_task(static_cast<ActorTask&>(*wait->task));
        } else if (const TaskHandle handle = to.handler->call(nullptr, heard->mail)) {
            start_task(cell, Task<>::adopt(handle), to.handler.get(), nullptr, false);
        }
    } catch (...) {
        report(cell, heard->name(), std::current_exception());
    }
    if (probe != nullptr && wait == nullptr)
        probe->write(ProbeKind::handler, begin, tick(), heard->name(), address);
    actor = actor_before;
    listener = listener_before;
    event = event_before;
}

// --- how tasks end ---

// Returns the task that goes on now; null: none.
ActorTask* FrameWorker::end_task(ActorTask& task) {
    if (task.member != nullptr)
        return end_member(task);
    ActorCell* const cell = table->find(task.actor);
    const std::exception_ptr failure = task.failure;
    Delivery* const delivery = std::exchange(task.delivery, nullptr);
    const bool was_setup = task.is_setup;
    const char* const topic = delivery != nullptr ? delivery->topic_name : name_of_signal(task);
    drop_task(task);
    if (failure != nullptr && !was_setup)
        report(cell, topic, failure);
    if (delivery != nullptr) {
        if (failure != nullptr)
            delivery->end = MailEnd::failed;
        close(cell, delivery);
    }
    if (was_setup)
        engine_.setup_ended(*cell, failure);
    return nullptr;
}

// A task goes on in its own phase, whichever its members end in.
ActorTask* FrameWorker::end_member(ActorTask& task) {
    GroupMember& member = *std::exchange(task.member, nullptr);
    TaskGroup& group = *member.group;
    task.outermost = nullptr; // the group's
    const bool goes_on = group.ended(member);
    drop_task(task);
    if (!goes_on)
        return nullptr;
    auto& parent = static_cast<ActorTask&>(group.parent());
    if (parent.phase == phase)
        return &parent;
    engine_.change_phase(parent);
    return nullptr;
}

void FrameWorker::drop_task(ActorTask& task) noexcept {
    leave(task);
    engine_.forget(task);
    if (const std::coroutine_handle<> frame = std::exchange(task.outermost, nullptr))
        frame.destroy();
    release_handler(task);
    if (task.delivery != nullptr) {
        task.delivery->end = MailEnd::expired;
        close(table->find(task.actor), task.delivery);
    }
    delete &task;
}

void FrameWorker::release_handler(ActorTask& task) noexcept {
    if (task.handler == nullptr || --task.handler->tasks != 0)
        return;
    Listener* const of_signal = task.handler->listener;
    if (of_signal != nullptr && !of_signal->is_connected())
        ended_listeners_.add(*of_signal); // Y3
    else if (!task.handler->connected)
        engine_.handlers_changed(*table->find(task.actor));
}

// Who could find the task does not find it any more.
void FrameWorker::leave(ActorTask& task) noexcept {
    unlink(task);
    forget_reference(task);
    if (GroupMember* const member = std::exchange(task.member, nullptr))
        member->forget();
}

void FrameWorker::forget_reference(ActorTask& task) noexcept {
    if (task.slot != 0)
        engine_.give_back_slot(std::exchange(task.slot, 0));
}

// What others still point to stays: as an empty task in its actor's list while it is on its way or
// away, in `to_reap_` while it is in a list of the frame thread.
CancelResult FrameWorker::cancel_task(ActorTask& task) noexcept {
    task.cancelled = true;
    forget_reference(task);
    switch (task.where) {
    case Whereabouts::running:
    case Whereabouts::away:
        return CancelResult::pending;
    case Whereabouts::on_its_way:
        std::exchange(task.outermost, nullptr).destroy();
        return CancelResult::done;
    case Whereabouts::next_frame:
    case Whereabouts::timers:
        if (phase == Phase::parallel) {
            unlink(task);
            std::exchange(task.outermost, nullptr).destroy();
            task.next = std::exchange(to_reap_, &task);
            return CancelResult::done;
        }
        [[fallthrough]];
    case Whereabouts::group:
    case Whereabouts::signal:
    case Whereabouts::ticket:
        drop_task(task);
    }
    return CancelResult::done;
}

void FrameWorker::reap() noexcept {
    while (to_reap_ != nullptr) {
        auto& task = static_cast<ActorTask&>(*std::exchange(to_reap_, to_reap_->next));
        engine_.forget(task);
        delete &task;
    }
}

void FrameWorker::orphan(ActorTask& task) noexcept {
    leave(task);
    if (Delivery* const delivery = std::exchange(task.delivery, nullptr)) {
        delivery->end = MailEnd::expired;
        close(table->find(task.actor), delivery);
    }
    if (task.errand != nullptr)
        end_ticket(*task.errand, lost_answers);
    task.orphan = true;
}

void FrameWorker::unlink(ActorTask& task) noexcept {
    RootTask*& list = engine_.tasks_of(table->find(task.actor));
    (task.previous == nullptr ? list : task.previous->next) = task.next;
    if (task.next != nullptr)
        task.next->previous = task.previous;
}

void resume_from_mail(ActorContext& here, std::uint64_t, ResumeMail& mail) {
    // The task goes with its actor.
    const ActorCell* const cell = here.table->find(mail.actor);
    if (cell != nullptr && cell->read_word().life != Life::dying)
        static_cast<FrameWorker&>(here).run_task(*mail.task);
}

// --- tickets ---

// A task that goes on in the parallel phase does so in this one, where the order of things may depend
// on timing.
void FrameWorker::wake(TicketCore& ticket) noexcept {
    if (ticket.phase == Phase::parallel && !is_reproducible) {
        const ActorCell* const cell = table->find(ActorRef::from_address(ticket.actor));
        if (cell == nullptr)
            return; // gone, and who waits with it
        const int to = table->owner(cell->read_word());
        if (void* const room = outbox->reserve_exempt(to, sizeof(WakeMail), alignof(WakeMail))) {
            ::new (room) WakeMail(ticket);
            outbox->commit(to, record_type_of<WakeMail>, ticket.actor);
            ++sent;
            return;
        }
    }
    ticket.tells = true;
    list_ended(ticket);
}

void FrameWorker::go_on(TicketCore& ticket) {
    if (phase == Phase::serial && ticket.runtime == runtime)
        engine_.unwatch(ticket);
    if (ticket.waiter_id != runtime_id) // he waited in one that had this number before
        return;
    if (phase == Phase::serial) {
        engine_.tell(ticket);
        return;
    }
    const ActorCell* const cell = table->find(ActorRef::from_address(ticket.actor));
    if (cell == nullptr || cell->read_word().life == Life::dying) // the task goes with its actor
        return;
    if (RootTask* const task = std::exchange(ticket.waiting, nullptr))
        run_task(static_cast<ActorTask&>(*task));
}

void FrameWorker::list_ended(TicketCore& ticket) noexcept {
    if (std::exchange(ticket.is_listed, true))
        return;
    ticket.state.acquire();
    (last_ended_ == nullptr ? ended_tickets_ : last_ended_->next_ended) = &ticket;
    last_ended_ = &ticket;
}

TicketHold FrameWorker::pop_ended() noexcept {
    if (ended_tickets_ == nullptr)
        return {};
    TicketCore& first = *ended_tickets_;
    ended_tickets_ = std::exchange(first.next_ended, nullptr);
    if (ended_tickets_ == nullptr)
        last_ended_ = nullptr;
    first.is_listed = false;
    return TicketHold::adopt(first);
}

// --- failures ---

namespace {

struct FailureNote {
    const char* topic;
    std::exception_ptr exception;
};

} // namespace

void FrameWorker::report(ActorCell* cell, const char* topic, std::exception_ptr exception) {
    Actor* const who = cell == nullptr ? nullptr : &ActorAccess::actor(*cell);
    if (phase == Phase::serial) {
        engine_.fail(who, topic, std::move(exception));
        return;
    }
    if (engine_.failure_policy_of(*cell) == FailurePolicy::stop) {
        cell->need_more().stopping = true;
        cell->settle();
    }
    void* const at = memory.take(sizeof(FailureNote), alignof(FailureNote));
    const auto finish = [](ActorContext& context, void* data, bool) {
        auto& note = *static_cast<FailureNote*>(data);
        static_cast<FrameWorker&>(context).engine().fail(context.actor, note.topic,
                                                         std::move(note.exception));
        note.~FailureNote();
    };
    commits.push_back({cell->id, cell->sequence++, who->ref().address(), finish,
                       ::new (at) FailureNote{topic, std::move(exception)}});
}

} // namespace takt::detail
