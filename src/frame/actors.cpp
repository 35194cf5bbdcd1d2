// SPDX-License-Identifier: MIT
// Actors come and go: spawn, setup, failure, destruction (R4).
#include "frame/engine.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace takt::detail {

namespace {

/// A setup on its way to the serial phase.
struct Birth {
    ActorRef actor;
    Setup setup;
};

} // namespace

namespace {

// Throws takt::Error where it is none.
void require_limit(const MailLimit& limit, bool next_round) {
    if (limit.max == 0)
        throw Error("actor.mail.max", "0", "an actor has room for 1 message or more",
                    "Leave it out for no limit");
    if (limit.max == kUnboundedBytes && limit.overflow != Overflow::reject)
        throw Error("actor.mail.overflow", std::to_string(static_cast<int>(limit.overflow)),
                    "nothing overflows without a limit", "Set actor.mail.max, too");
    if (limit.max != kUnboundedBytes && next_round && asks_senders(limit.overflow))
        throw Error("actor.mail.overflow",
                    limit.overflow == Overflow::reject ? "reject" : "drop_newest",
                    "with next_round delivery no answer may depend on timing",
                    "Use drop_oldest or keep_latest, which the reader does");
}

} // namespace

bool Engine::is_alive(ActorRef ref) const noexcept {
    const ActorCell* const cell = table_.find(ref);
    return cell != nullptr && cell->read_word().life != Life::dying;
}

bool Engine::in_parallel() const noexcept {
    return current_phase() == Phase::parallel;
}

// --- birth ---

ActorRef Engine::spawn(ActorOptions&& options, BehaviourTable* shared, void* state,
                       void (*destroy_state)(void*) noexcept, Setup setup) {
    auto& here = static_cast<FrameWorker&>(*actor_context());
    require_running();
    if (options.worker >= workers())
        throw Error("actor.worker", std::to_string(options.worker),
                    "there are " + std::to_string(workers()) + " workers, numbered from 0",
                    "Name one of them, or -1 for any");
    require_limit(options.mail, options_.next_round);
    const int worker = options.worker >= 0 ? options.worker : here.next_home(workers());
    const bool is_limited = options.mail.max != kUnboundedBytes;
    auto more = !options.name.empty() || options.parent || options.on_failure ||
                        shared == nullptr || is_limited
                    ? std::make_unique<ActorMore>()
                    : nullptr;
    if (more != nullptr) {
        more->name = std::move(options.name);
        more->parent = options.parent;
        more->policy = options.on_failure;
        more->destroy_state = destroy_state;
    }
    void* const at = in_parallel() ? here.memory.take(sizeof(Birth), alignof(Birth)) : nullptr;
    const ActorRef ref = table_.take(worker, options.worker >= 0, here.spare_slots(), options.mail);
    ActorCell& cell = table_.cell(ref.slot());
    cell.more = std::move(more);
    if (is_limited)
        cell.more->room = &table_.room(ref.slot());
    cell.state = state;
    cell.shared = shared;
    if (shared != nullptr)
        shared->references.fetch_add(1, std::memory_order_relaxed); // relaxed: the caller has one
    cell.settle();
    if (at == nullptr) {
        try {
            begin_life(ref, setup);
        } catch (...) {
            if (state != nullptr)
                cell.state = nullptr; // it stays the caller's
            throw;
        }
        return ref;
    }
    here.commit(
        [](ActorContext& context, void* data, bool) {
            Birth& birth = *static_cast<Birth*>(data);
            struct End {
                ~End() { birth.~Birth(); }
                Birth& birth;
            } const end{birth};
            Engine& engine = static_cast<FrameWorker&>(context).engine();
            try {
                engine.begin_life(birth.actor, birth.setup);
            } catch (...) {
                engine.fail(context.actor, "", std::current_exception());
            }
        },
        ::new (at) Birth{ref, std::move(setup)});
    return ref;
}

// In the serial phase. Throws what setup threw; the actor is dying then.
void Engine::begin_life(ActorRef ref, Setup& setup) {
    ActorCell& cell = table_.cell(ref.slot());
    cell.id = next_actor_id_++;
    ++actors_;
    if (cell.more != nullptr && cell.more->parent) {
        ActorCell* const parent =
            is_alive(cell.more->parent) ? table_.find(cell.more->parent) : nullptr;
        if (parent == nullptr) {
            destroy(ref);
            return;
        }
        parent->need_more().children.push_back(ref);
    }
    AsActor const as(*this, &ActorAccess::actor(cell));
    TaskHandle task;
    try {
        task = setup(ActorAccess::actor(cell));
    } catch (...) {
        destroy(ref);
        throw;
    }
    if (!task) {
        bring_to_life(cell);
        return;
    }
    Task<> owned = Task<>::adopt(task);
    cell.need_more().setup = std::move(setup); // the task uses its closure
    frame_thread().start_task(&cell, std::move(owned), nullptr, nullptr, true);
}

void Engine::setup_ended(ActorCell& cell, const std::exception_ptr& failure) {
    if (in_parallel()) { // it goes on in the serial phase
        auto& here = static_cast<FrameWorker&>(*actor_context());
        void* const at = here.memory.take(sizeof(std::exception_ptr), alignof(std::exception_ptr));
        here.commits.push_back({cell.id, cell.sequence++, ActorAccess::actor(cell).ref().address(),
                                [](ActorContext& context, void* data, bool run) {
                                    auto& threw = *static_cast<std::exception_ptr*>(data);
                                    if (run)
                                        static_cast<FrameWorker&>(context).engine().setup_ended(
                                            ActorAccess::cell(*context.actor), threw);
                                    threw.~exception_ptr();
                                },
                                ::new (at) std::exception_ptr(failure)});
        return;
    }
    cell.need_more().setup = nullptr;
    if (failure == nullptr) {
        bring_to_life(cell);
        return;
    }
    fail(&ActorAccess::actor(cell), "", failure);
    destroy(ActorAccess::actor(cell).ref());
}

void Engine::bring_to_life(ActorCell& cell) {
    ActorWord word = cell.read_word();
    if (word.life != Life::unborn)
        return; // its setup destroyed it
    word.life = Life::live;
    cell.write_word(word);
    begin_listeners_of(cell);
    kept_is_due(cell);
}

// --- handlers ---

void Engine::kept_is_due(ActorCell& cell) {
    if (cell.more == nullptr || cell.more->kept.empty() || cell.more->kept_is_due ||
        cell.read_word().life == Life::unborn) // then it is due when its setup has finished
        return;
    cell.more->kept_is_due = true;
    cell.settle();
    if (in_parallel()) {
        static_cast<FrameWorker&>(*actor_context())
            .kept_due()
            .push_back(ActorAccess::actor(cell).ref());
    } else {
        worker(balance_.opener(cell.read_word().shard))
            .kept_due()
            .push_back(ActorAccess::actor(cell).ref());
        kept_due_ = true;
    }
}

void Engine::handlers_changed(ActorCell& cell) {
    cell.settle();
    kept_is_due(cell);
    if (cell.more != nullptr && !cell.more->to_sweep) {
        cell.more->to_sweep = true;
        static_cast<FrameWorker&>(*actor_context()).to_sweep().push_back(&cell);
    }
}

void Engine::drop(ActorRef actor, const MailHead& mail) {
    static_cast<FrameWorker&>(*actor_context()).drop(actor, mail);
}

void Engine::disconnect(ActorRef actor, std::uint64_t handler) {
    auto& here = static_cast<FrameWorker&>(*actor_context());
    ActorCell* const cell = table_.find(actor);
    if (cell == nullptr)
        return;
    if (!in_parallel() || &ActorAccess::actor(*cell) == here.actor) {
        if (cell->more != nullptr)
            cell->more->own.disconnect(handler);
        handlers_changed(*cell);
        return;
    }
    struct Later {
        ActorRef actor;
        std::uint64_t handler;
    };
    void* const at = here.memory.take(sizeof(Later), alignof(Later));
    here.commit(
        [](ActorContext& context, void* data, bool run) {
            const Later later = *static_cast<Later*>(data);
            if (run)
                context.host->disconnect(later.actor, later.handler);
        },
        ::new (at) Later{actor, handler});
}

// --- failure ---

FailurePolicy Engine::failure_policy_of(const ActorCell& cell) const noexcept {
    return cell.more != nullptr && cell.more->policy ? *cell.more->policy : options_.failure_policy;
}

// The hook must not throw: there is nobody left to tell.
void Engine::fail(Actor* actor, const char* topic, std::exception_ptr exception) noexcept {
    ++failures_;
    Failure failure{{}, {}, topic, time_.frame, std::move(exception)};
    if (actor != nullptr) {
        failure.actor = actor->ref();
        failure.name =
            actor->name().empty() ? "#" + std::to_string(actor->id()) : std::string(actor->name());
    }
    if (on_failure_)
        on_failure_(failure);
    else
        std::fprintf(stderr, "%s\n", failure.text().c_str());
    if (actor == nullptr)
        return;
    ActorCell& cell = ActorAccess::cell(*actor);
    switch (failure_policy_of(cell)) {
    case FailurePolicy::resume:
        return;
    case FailurePolicy::abort:
        std::fprintf(stderr, "%s\ntakt: the actor's failure policy is abort.\n",
                     failure.text().c_str());
        std::abort();
    case FailurePolicy::stop:
        ActorWord word = cell.read_word();
        if (word.life == Life::live) {
            word.life = Life::stopped;
            cell.write_word(word);
        }
        expire_kept(cell, DeadLetter::Reason::stopped);
        stop_listeners_of(cell);
        return;
    }
}

void Engine::expire_kept(ActorCell& cell, DeadLetter::Reason reason) {
    if (cell.more == nullptr)
        return;
    for (const std::unique_ptr<KeptMail>& mail : std::exchange(cell.more->kept, {}))
        frame_thread().expire(&cell, ActorAccess::actor(cell).ref().address(), mail->head(),
                              mail->type, reason);
}

// --- death ---

void Engine::destroy(ActorRef actor) {
    auto& here = static_cast<FrameWorker&>(*actor_context());
    if (in_parallel()) {
        const auto finish = [](ActorContext& context, void* data, bool) {
            context.host->destroy(*static_cast<ActorRef*>(data));
        };
        here.commit(finish,
                    ::new (here.memory.take(sizeof(ActorRef), alignof(ActorRef))) ActorRef(actor));
        return;
    }
    ActorCell* const cell = table_.find(actor);
    if (cell == nullptr)
        return;
    ActorWord word = cell->read_word();
    if (word.life == Life::dying)
        return;
    word.life = Life::dying;
    cell->write_word(word);
    try {
        dying_.push_back(actor);
    } catch (const std::bad_alloc&) { // it goes all the same
        has_unlisted_dying_ = true;
    }
    if (cell->more == nullptr)
        return;
    for (const std::shared_ptr<Listener>& listener : cell->more->listeners)
        listener->until = std::min(listener->until, signal_clock_ + 1); // Y2
    for (const ActorRef child : cell->more->children)
        destroy(child);
    if (cell->more->instance != 0)
        tree_->actor_dies(std::exchange(cell->more->instance, 0));
}

void Engine::bury_dying() {
    AsActor const as_nobody(*this, nullptr);
    for (std::size_t at = 0; at < dying_.size(); ++at) // destructors may add to it
        if (ActorCell* const cell = table_.find(dying_[at]))
            bury(*cell);
    dying_.clear();
    if (std::exchange(has_unlisted_dying_, false))
        for (std::uint32_t slot = 0; slot < table_.slots(); ++slot)
            if (ActorCell& cell = table_.cell(slot); cell.read_word().life == Life::dying)
                bury(cell);
}

void Engine::bury(ActorCell& cell) {
    const ActorRef ref = ActorAccess::actor(cell).ref();
    observation_.recording.note_gone(ref.address(),
                                     cell.more == nullptr ? std::string() : cell.more->name);
    expire_kept(cell, DeadLetter::Reason::destroyed);
    call_pending_of(cell);
    bool is_used = false;           // by a task on a background thread
    while (cell.tasks != nullptr) { // one may take others with it
        auto& waiting = static_cast<ActorTask&>(*cell.tasks);
        if (waiting.where == Whereabouts::away) {
            frame_thread().orphan(waiting);
            is_used = true;
        } else {
            frame_thread().drop_task(waiting);
        }
        ++tasks_dropped_;
    }
    end_listeners_of(cell);
    if (cell.more != nullptr && cell.more->parent)
        if (ActorCell* const parent = table_.find(cell.more->parent); parent != nullptr)
            std::erase(parent->need_more().children, ref);
    if (cell.state != nullptr) {
        const auto destroy_state =
            cell.shared != nullptr ? cell.shared->destroy_state : cell.more->destroy_state;
        destroy_state(std::exchange(cell.state, nullptr));
    }
    if (cell.more != nullptr && cell.more->room != nullptr)
        cell.more->room->reset();
    remains_.push_back({std::move(cell.more), std::exchange(cell.shared, nullptr)});
    cell.settle();
    if (!is_used && offload_.tasks() == 0)
        release_remains();
    cell.load.store(nullptr, std::memory_order_relaxed); // relaxed: the barrier hands it over
    cell.handled = cell.sequence = cell.id = cell.in_flight = 0;
    --actors_;
    table_.give_back(ref.slot());
}

void Engine::release_remains() noexcept {
    for (const Remains& remains : remains_)
        if (remains.shared != nullptr)
            remains.shared->release();
    remains_.clear();
}

// Tasks outside actors, those on background threads among them.
void Engine::drop_world_tasks() {
    while (world_tasks_ != nullptr) {
        auto& task = static_cast<ActorTask&>(*world_tasks_);
        if (task.where == Whereabouts::away)
            frame_thread().orphan(task);
        else
            frame_thread().drop_task(task);
        ++tasks_dropped_;
    }
}

void Engine::require_running() const {
    if (shut_down_)
        throw Error("runtime", "shut down", "it takes no actors and no tasks any more",
                    "Make a new one");
}

ShutdownReport Engine::shutdown(std::int64_t deadline_ns) {
    ShutdownReport report;
    if (std::exchange(shut_down_, true))
        return report;
    take_over_thread();
    dismiss();
    frame_thread().leave_hooks();
    frame_thread().lost_answers = TicketStatus::shut_down;
    gate_.close();
    const MailCounts before = mail_counts();
    const std::uint64_t tasks_before = tasks_dropped_;
    report.actors = actors_;
    if (offload_.tasks() != 0) {
        report.actors_left = actor_states();
        std::erase_if(report.actors_left,
                      [](const ActorState& actor) { return actor.offloaded == 0; });
    }
    while (!gate_.quiet()) {
        StdPolicy::yield();
        if (now_ns() >= deadline_ns)
            break;
    }
    for (std::uint32_t slot = 0; slot < table_.slots(); ++slot) {
        ActorCell& cell = table_.cell(slot);
        if (cell.read_word().life != Life::none)
            destroy(ActorAccess::actor(cell).ref());
    }
    if (tree_ != nullptr)
        tree_->clear();
    gate_.discard([this](std::uint64_t, const RecordType& record, void* mail) {
        if (&record == &record_type_of<WakeMail>)
            tell_last(*static_cast<WakeMail*>(mail)->ticket);
    });
    drain_all_mail();
    bury_dying();
    drop_world_tasks();
    while (offload_.tasks() != 0) {
        come_home();
        if (offload_.tasks() == 0 || now_ns() >= deadline_ns)
            break;
        sleep(deadline_ns);
    }
    send_dead_letters();
    report.offloaded_left = offload_.names();
    if (report.offloaded_left.empty())
        report.actors_left.clear();
    report.messages_expired = mail_counts().expired - before.expired;
    report.tasks_destroyed = tasks_dropped_ - tasks_before;
    while (!commits_.empty()) // who hears of a ticket may ask for more
        for (const Commit& commit : std::exchange(commits_, {}))
            commit.finish(frame_thread(), commit.data, false);
    while (Timer* const timer =
               deadlines_.pop_due(kNever)) { // of those that were cancelled outside
        const TicketHold ticket = TicketHold::adopt(static_cast<TicketCore&>(*timer));
        ticket->is_watched = false;
    }
    end_signals();
    return report;
}

std::vector<ActorState> Engine::actor_states() const {
    constexpr std::array<const char*, 5> kLives{"none", "unborn", "live", "stopped", "dying"};
    std::vector<ActorState> states;
    for (std::uint32_t slot = 0; slot < table_.slots(); ++slot) {
        const ActorCell& cell = table_.cell(slot);
        const ActorWord word = cell.read_word();
        if (word.life == Life::none)
            continue;
        ActorState state;
        state.ref = ActorAccess::actor(table_.cell(slot)).ref();
        const bool has_name = cell.more != nullptr && !cell.more->name.empty();
        state.name = has_name ? cell.more->name : "#" + std::to_string(cell.id);
        state.life = kLives[static_cast<std::size_t>(word.life)];
        state.worker = table_.owner(word);
        state.handled = cell.handled;
        state.in_flight = cell.in_flight;
        state.kept = cell.more == nullptr ? 0 : cell.more->kept.size();
        for (const RootTask* task = cell.tasks; task != nullptr; task = task->next)
            ++state.tasks;
        state.offloaded = offloaded(state.ref);
        states.push_back(std::move(state));
    }
    return states;
}

// Mail in the lanes, which finds no receiver any more.
void Engine::drain_all_mail() {
    publish_all();
    for (int worker = 0; worker < workers(); ++worker)
        frame_workers_[static_cast<std::size_t>(worker)]->discard_mail();
}

} // namespace takt::detail
