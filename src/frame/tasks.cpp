// SPDX-License-Identifier: MIT
// Where tasks go when they wait, and how they come back.
#include "frame/engine.hpp"

#include <utility>

namespace takt::detail {

namespace {

ActorTask& of(RootTask& task) noexcept {
    return static_cast<ActorTask&>(task);
}

void finish_resume(ActorContext& here, void* data, bool run) {
    if (run) // else it goes, or has gone, with its actor
        static_cast<FrameWorker&>(here).run_task(*static_cast<ActorTask*>(data));
}

template <void (Engine::*kWait)(ActorTask&)>
void finish_waiting(ActorContext& context, void* data, bool run) {
    auto& here = static_cast<FrameWorker&>(context);
    auto& task = *static_cast<ActorTask*>(data);
    if (run && task.cancelled)
        here.drop_task(task);
    else if (run)
        (here.engine().*kWait)(task);
}

} // namespace

void Engine::start(Task<> task) {
    if (in_parallel())
        violated("takt::Runtime::start",
                 "Start tasks in the serial phase, for example from commit()");
    require_running();
    AsActor const as_nobody(*this, nullptr);
    frame_thread().start_task(nullptr, std::move(task), nullptr, nullptr, false);
}

// A cancelled task that would wait ends instead: resume_task() returns as if it had finished. True:
// so it is. Else its scopes close. Not on a background thread, whose task the frame thread takes when it
// comes home.
bool Engine::must_end(RootTask& task) noexcept {
    if (!of(task).cancelled) {
        if (Probe* const probe = current_probe())
            task.scopes = ScopeMark::suspend(*probe, task.below);
        return false;
    }
    task_thread().finished = &task;
    return true;
}

// From the parallel phase or a background thread; the serial phase does not wait.
void Engine::synchronize(RootTask& task) {
    if (current_context() == nullptr) {
        task.phase = Phase::serial;
        offload_.come_home(of(task));
        return;
    }
    if (must_end(task))
        return;
    task.phase = Phase::serial;
    when_serial(task, &finish_resume);
}

void Engine::desynchronize(RootTask& task) {
    if (!of(task).actor)
        violated("takt::desynchronize", "Only a task of an actor can run in the parallel phase");
    if (current_context() == nullptr) {
        task.phase = Phase::parallel;
        offload_.come_home(of(task));
        return;
    }
    if (must_end(task))
        return;
    task.phase = Phase::parallel;
    make_ready(of(task));
}

void Engine::next_frame(RootTask& task) {
    need_actor_context("takt::next_frame");
    if (must_end(task))
        return;
    task.phase = current_phase();
    if (in_parallel())
        when_serial(task, &finish_waiting<&Engine::await_next_frame>);
    else
        await_next_frame(of(task));
}

void Engine::wait(RootTask& task, std::int64_t ns) {
    need_actor_context("takt::wait");
    if (must_end(task))
        return;
    task.phase = current_phase();
    of(task).due_ns = later(time_.time_ns, ns);
    if (in_parallel())
        when_serial(task, &finish_waiting<&Engine::await_time>);
    else
        await_time(of(task));
}

void Engine::await_group(RootTask& task) {
    if (must_end(task))
        return;
    task.phase = current_phase();
    of(task).where = Whereabouts::group;
}

void Engine::await_next_frame(ActorTask& task) {
    task.where = Whereabouts::next_frame;
    task.due_frame = time_.frame + 1;
    next_frame_.add(task);
}

void Engine::await_time(ActorTask& task) {
    task.where = Whereabouts::timers;
    timers_.add(task, task.due_ns);
}

void Engine::forget(ActorTask& task) noexcept {
    if (task.where == Whereabouts::timers)
        timers_.remove(task);
    else if (task.where == Whereabouts::next_frame)
        next_frame_.remove(task);
}

std::uint64_t Engine::offloaded(ActorRef actor) const noexcept {
    const ActorCell* const cell = table_.find(actor);
    std::uint64_t count = 0;
    for (const RootTask* task = cell == nullptr ? nullptr : cell->tasks; task != nullptr;
         task = task->next)
        count += static_cast<const ActorTask*>(task)->where == Whereabouts::away;
    return count;
}

void Engine::offload(RootTask& task) {
    if (must_end(task))
        return;
    task.scopes = nullptr; // they may end there
    std::string name = "a task outside actors";
    if (const ActorCell* const cell = table_.find(of(task).actor)) {
        const Actor& actor = ActorAccess::actor(const_cast<ActorCell&>(*cell));
        name = actor.name().empty() ? "#" + std::to_string(actor.id()) : std::string(actor.name());
    }
    of(task).where = Whereabouts::away; // before it runs elsewhere
    try {
        offload_.run(of(task), std::move(name));
    } catch (...) {
        of(task).where = Whereabouts::running;
        throw;
    }
}

// In the parallel phase: a commit of the task's actor.
void Engine::when_serial(RootTask& task, void (*finish)(ActorContext&, void*, bool)) {
    of(task).where = Whereabouts::on_its_way;
    actor_context()->commit(finish, &of(task));
}

// In the serial phase: the task goes on as its phase says.
void Engine::make_ready(ActorTask& task) {
    if (task.phase == Phase::serial) {
        commit_resume(task);
        return;
    }
    frame_thread().send_resume(task);
}

void FrameWorker::send_resume(ActorTask& task) {
    task.where = Whereabouts::on_its_way;
    const ActorWord word = table->find(task.actor)->read_word();
    const int to = table->owner(word);
    Outbox<StdPolicy>& from =
        phase == Phase::parallel ? *outbox : engine_.mailboxes().outbox(engine_.runner(word.shard));
    void* const room = from.reserve_exempt(to, sizeof(ResumeMail), alignof(ResumeMail));
    if (room == nullptr)
        throw std::bad_alloc();
    ::new (room) ResumeMail(task);
    from.commit(to, record_type_of<ResumeMail>, task.actor.address());
    ++sent;
}

void Engine::commit_resume(ActorTask& task) {
    task.where = Whereabouts::on_its_way;
    ActorCell* const cell = table_.find(task.actor);
    commits_.push_back({task.actor_id, cell == nullptr ? world_sequence_++ : cell->sequence++,
                        task.actor.address(), &finish_resume, &task});
}

void Engine::change_phase(ActorTask& task) {
    if (in_parallel())
        when_serial(task, &finish_resume);
    else
        make_ready(task);
}

// --- tasks that begin on their own ---

// Whose list a slot is taken from.
FrameWorker& Engine::worker_of(const ActorCell* cell) noexcept {
    if (in_parallel())
        return static_cast<FrameWorker&>(*actor_context());
    return cell == nullptr ? frame_thread() : worker(table_.owner(cell->read_word()));
}

void Engine::give_back_slot(std::uint32_t slot) noexcept {
    FrameWorker& home = worker(tasks_.home_of(slot));
    ActorContext* const here = actor_context();
    const bool is_foreign = in_parallel() && here != &home;
    tasks_.give_back(is_foreign ? static_cast<FrameWorker&>(*here).foreign_task_slots()
                                : home.free_task_slots(),
                     slot);
}

TaskRef Engine::launch(Task<> task, Begin when, std::int64_t ns) {
    auto& here = static_cast<FrameWorker&>(*actor_context());
    require_running();
    if (here.actor == nullptr && in_parallel()) // whose list of tasks would it be in?
        violated("takt::spawn",
                 "A message's payload goes, in nobody's name; let a handler begin the "
                 "task",
                 Level::in_frame);
    ActorCell* const cell = here.actor == nullptr ? nullptr : &ActorAccess::cell(*here.actor);
    const ActorRef owner = cell == nullptr ? ActorRef(number_, 0, 0) : here.actor->ref();
    const TaskHandle frame = task.release();
    ActorTask* launched = nullptr;
    TaskRef ref;
    try {
        launched = &here.adopt(cell, frame, frame.promise());
    } catch (...) {
        frame.destroy();
        throw;
    }
    try {
        FrameWorker& home = worker_of(cell);
        const TaskTable::Slot slot =
            tasks_.take(home.free_task_slots(), static_cast<std::uint16_t>(home.worker), *launched);
        launched->slot = slot.number;
        ref = {owner.address(), slot.number, slot.generation};
        if (when != Begin::now)
            begin_later(*launched, when, ns);
    } catch (...) {
        here.drop_task(*launched);
        throw;
    }
    if (when == Begin::now)
        here.run_task(*launched);
    return ref;
}

void Engine::begin_later(ActorTask& task, Begin when, std::int64_t ns) {
    if (when == Begin::delayed) {
        task.due_ns = later(time_.time_ns, ns);
        if (in_parallel())
            when_serial(task, &finish_waiting<&Engine::await_time>);
        else
            await_time(task);
    } else if (in_parallel()) {
        static_cast<FrameWorker&>(*actor_context()).send_resume(task);
    } else {
        commit_resume(task);
    }
}

// Who may look at the task decides; else it is looked at in the serial phase.
CancelResult Engine::cancel(TaskRef task) {
    auto& here = static_cast<FrameWorker&>(*actor_context());
    if (!task || ActorRef::from_address(task.owner()).runtime() != number_)
        return CancelResult::nothing;
    if (in_parallel() && this_actor().ref().address() != task.owner()) {
        void* const at = here.memory.take(sizeof(TaskRef), alignof(TaskRef));
        here.commit(
            [](ActorContext& context, void* data, bool) {
                static_cast<FrameWorker&>(context).engine().cancel(*static_cast<TaskRef*>(data));
            },
            ::new (at) TaskRef(task));
        return CancelResult::pending;
    }
    ActorTask* const found = tasks_.find(task.slot(), task.generation());
    return found == nullptr ? CancelResult::nothing : here.cancel_task(*found);
}

void Engine::begin_member(const RootTask& parent, GroupMember& member) {
    auto& here = static_cast<FrameWorker&>(*actor_context());
    ActorTask& task = here.adopt(table_.find(static_cast<const ActorTask&>(parent).actor),
                                 member.frame, *member.promise);
    task.member = &member;
    if (parent.errand != nullptr) {
        task.errand = parent.errand;
        task.errand_hold = TicketHold(*parent.errand);
    }
    member.root = &task;
    here.run_task(task);
}

void Engine::abandon(RootTask& member) noexcept {
    member.member = nullptr;
    static_cast<FrameWorker&>(*actor_context()).cancel_task(of(member));
}

} // namespace takt::detail
