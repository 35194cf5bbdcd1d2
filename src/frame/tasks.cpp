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

void finish_next_frame(ActorContext& here, void* data, bool run) {
    if (run)
        static_cast<FrameWorker&>(here).engine().await_next_frame(*static_cast<ActorTask*>(data));
}

void finish_wait(ActorContext& here, void* data, bool run) {
    if (run)
        static_cast<FrameWorker&>(here).engine().await_time(*static_cast<ActorTask*>(data));
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

// From the parallel phase or a background thread; the serial phase does not wait.
void Engine::synchronize(RootTask& task) {
    task.phase = Phase::serial;
    if (current_context() == nullptr)
        offload_.come_home(of(task));
    else
        when_serial(task, &finish_resume);
}

void Engine::desynchronize(RootTask& task) {
    if (!of(task).actor)
        violated("takt::desynchronize", "Only a task of an actor can run in the parallel phase");
    task.phase = Phase::parallel;
    if (current_context() == nullptr)
        offload_.come_home(of(task));
    else
        make_ready(of(task));
}

void Engine::next_frame(RootTask& task) {
    need_actor_context("takt::next_frame");
    task.phase = current_phase();
    if (in_parallel())
        when_serial(task, &finish_next_frame);
    else
        await_next_frame(of(task));
}

void Engine::wait(RootTask& task, std::int64_t ns) {
    need_actor_context("takt::wait");
    task.phase = current_phase();
    of(task).due_ns = later(time_.time_ns, ns > 0 ? ns : 0);
    if (in_parallel())
        when_serial(task, &finish_wait);
    else
        await_time(of(task));
}

void Engine::await_next_frame(ActorTask& task) {
    task.where = Whereabouts::next_frame;
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

void Engine::offload(RootTask& task) {
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
    task.where = Whereabouts::on_its_way;
    if (task.phase == Phase::serial) {
        commit_resume(task);
        return;
    }
    ActorCell& cell = *table_.find(task.actor);
    const int worker = table_.owner(cell.read_word());
    FrameWorker& here = frame_thread();
    Outbox<StdPolicy>& outbox = mailboxes_.outbox(worker);
    void* const room = outbox.reserve_exempt(worker, sizeof(ResumeMail), alignof(ResumeMail));
    if (room == nullptr)
        throw std::bad_alloc();
    ::new (room) ResumeMail(task);
    outbox.commit(worker, record_type_of<ResumeMail>, task.actor.address());
    ++here.sent;
}

void Engine::commit_resume(ActorTask& task) {
    task.where = Whereabouts::on_its_way;
    ActorCell* const cell = table_.find(task.actor);
    commits_.push_back({task.actor_id, cell == nullptr ? world_sequence_++ : cell->sequence++,
                        task.actor.address(), &finish_resume, &task});
}

} // namespace takt::detail
