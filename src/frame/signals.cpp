// SPDX-License-Identifier: MIT
// Signals: who listens (Y1), what a fire does in each phase, and how listeners go (Y2, Y3).
#include "frame/engine.hpp"

#include <algorithm>
#include <utility>

namespace takt::detail {

namespace {

/// From outside: a signal is fired. The record's address is its id.
struct FireMail : MailHead {
    explicit FireMail(std::shared_ptr<SignalEvent> given)
        : MailHead{"", 0, 0}, event(std::move(given)) {}

    std::shared_ptr<SignalEvent> event;
};

/// From outside: a listener is to be disconnected.
struct EndListenerMail : MailHead {
    explicit EndListenerMail(std::shared_ptr<Listener> given)
        : MailHead{"", 0, 0}, listener(std::move(given)) {}

    std::shared_ptr<Listener> listener;
};

/// From outside: a signal is gone.
struct CloseMail : MailHead {
    explicit CloseMail(std::shared_ptr<SignalCore> given)
        : MailHead{"", 0, 0}, signal(std::move(given)) {}

    std::shared_ptr<SignalCore> signal;
};

/// What an actor's commit does when the actor has gone before it.
enum class WhenGone : std::uint8_t { nothing, the_same };

/// In the parallel phase: does `action(engine)` in this round's serial phase, in the place of the
/// actor whose code runs.
template <WhenGone kWhenGone, class Action>
void run_at_commit(FrameWorker& here, Action action) {
    auto* const at =
        ::new (here.memory.take(sizeof(Action), alignof(Action))) Action(std::move(action));
    const auto finish = [](ActorContext& context, void* data, bool run) {
        Action& later = *static_cast<Action*>(data);
        struct End {
            ~End() { later.~Action(); }
            Action& later;
        } const end{later};
        if (run || kWhenGone == WhenGone::the_same)
            later(static_cast<FrameWorker&>(context).engine());
    };
    try {
        here.commit(finish, at);
    } catch (...) { // out of memory
        at->~Action();
        throw;
    }
}

FrameWorker& this_worker() noexcept {
    return static_cast<FrameWorker&>(*actor_context());
}

/// Leaves the list empty.
template <class T, class Each>
void for_each_once(std::vector<T*>& list, Each each) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    for (T* const one : list)
        each(*one);
    list.clear();
}

} // namespace
} // namespace takt::detail

namespace takt {

template <>
inline constexpr detail::MailType
    record_type_of<detail::FireMail> = detail::mail_type<detail::FireMail>(
        nullptr, nullptr, [](detail::ActorContext& here, std::uint64_t id, detail::MailHead& mail) {
            detail::Engine& engine = static_cast<detail::FrameWorker&>(here).engine();
            if (detail::SignalCore* const signal = engine.find_signal(id))
                engine.fire(*signal, std::move(static_cast<detail::FireMail&>(mail).event), true);
        });

template <>
inline constexpr detail::MailType
    record_type_of<detail::EndListenerMail> = detail::mail_type<detail::EndListenerMail>(
        nullptr, nullptr, [](detail::ActorContext&, std::uint64_t, detail::MailHead& mail) {
            detail::Engine::end_listener(*static_cast<detail::EndListenerMail&>(mail).listener);
        });

template <>
inline constexpr detail::MailType
    record_type_of<detail::CloseMail> = detail::mail_type<detail::CloseMail>(
        nullptr, nullptr, [](detail::ActorContext&, std::uint64_t, detail::MailHead& mail) {
            static_cast<detail::CloseMail&>(mail).signal->close();
        });

namespace detail {

/// A fire that serial listeners hear in the next serial phase.
struct Engine::PendingFire {
    PendingFire(std::shared_ptr<SignalCore> of, std::shared_ptr<SignalEvent> what)
        : signal(std::move(of)), event(std::move(what)) {}

    static void* operator new(std::size_t bytes) { return FramePool::allocate(bytes); }
    static void operator delete(void* at) noexcept { FramePool::release(at); }

    std::shared_ptr<SignalCore> signal;
    std::shared_ptr<SignalEvent> event;
};

/// While it lives, the listeners of a signal that is gone are still called.
class Engine::OpenFire {
  public:
    OpenFire(Engine& engine, SignalCore& core) : engine_(engine), core_(core.shared_from_this()) {
        ++core_->open_fires_;
    }
    ~OpenFire() {
        --core_->open_fires_;
        engine_.settle(*core_);
    }
    OpenFire(const OpenFire&) = delete;
    OpenFire& operator=(const OpenFire&) = delete;

  private:
    Engine& engine_;
    const std::shared_ptr<SignalCore> core_;
};

// --- signals come and go ---

std::shared_ptr<SignalCore> Engine::make_signal(const char* name, bool is_deferred) {
    require_running();
    static std::atomic<std::uint64_t> ids{0};
    // relaxed: only distinct
    const std::uint64_t id = ids.fetch_add(1, std::memory_order_relaxed) + 1;
    auto core = std::make_shared<SignalCore>(*this, number_, id, name, is_deferred);
    signals_.emplace(id, core);
    return core;
}

SignalCore* Engine::find_signal(std::uint64_t id) const noexcept {
    const auto found = signals_.find(id);
    return found == signals_.end() ? nullptr : found->second.get();
}

SignalCore::~SignalCore() {
    for (const Listeners* const list : {&serial_, &parallel_})
        for (const std::shared_ptr<Listener>& listener : *list)
            listener->signal = nullptr;
}

void SignalCore::close() {
    const ActorContext* const here = context_in(runtime_);
    if (here != nullptr && here->phase == Phase::serial) {
        if (engine_ != nullptr)
            engine_->close_signal(*this);
    } else if (here != nullptr) {
        run_at_commit<WhenGone::the_same>(
            this_worker(),
            [core = shared_from_this()](Engine& engine) { engine.close_signal(*core); });
    } else if (Gate<StdPolicy>* const gate = gate_of(runtime_)) {
        static_cast<void>(gate->send_control<CloseMail>(0, shared_from_this()));
    }
}

void Engine::close_signal(SignalCore& core) {
    if (std::exchange(core.is_closed_, true))
        return;
    const std::shared_ptr<SignalCore> keep = core.shared_from_this();
    signals_.erase(core.id_);
    for (SignalCore::Listeners* const list : {&core.serial_, &core.parallel_})
        for (const std::shared_ptr<Listener>& listener : *list)
            listener->until = std::min(listener->until, signal_clock_ + 1);
    settle(core);
}

// A signal that is gone: who has nothing pending goes too. Tasks that wait for it learn that.
void Engine::settle(SignalCore& core) {
    if (!core.is_closed_ || core.open_fires_ != 0)
        return;
    for (SignalCore::Listeners* const list : {&core.serial_, &core.parallel_})
        for (const std::shared_ptr<Listener>& listener : *list) {
            if (!listener->is_connected() || listener->has_pending())
                continue;
            end_listener(*listener);
            if (const SignalWait* const wait = std::exchange(listener->wait, nullptr))
                make_ready(static_cast<ActorTask&>(*wait->task));
        }
}

// Closures that tasks on background threads use stay until those have come home.
void Engine::end_signals() {
    while (!signals_.empty()) {
        const std::shared_ptr<SignalCore> core = signals_.begin()->second;
        close_signal(*core);
        core->engine_ = nullptr;
    }
    simulation_.clear();
    for (const auto& worker : frame_workers_)
        sweep_listeners(*worker);
    for (const std::shared_ptr<Listener>& listener : std::exchange(in_use_, {})) {
        listener->handler->listener = nullptr;
        closures_in_use_.push_back(std::move(listener->handler));
    }
    sweep_events();
}

// --- connecting ---

Connection SignalCore::connect(Phase phase, bool once, std::unique_ptr<Handler> handler) {
    if (is_gone())
        throw Error("signal", name_, "it is gone", "Connect before, or ask for it again");
    return engine_->connect(*this, phase, once, std::move(handler));
}

void SignalCore::wait(SignalWait& wait, RootTask& task) {
    if (is_gone())
        throw Error("signal", name_, "it is gone", "Wait for one that is there");
    engine_->wait(*this, wait, task);
}

std::shared_ptr<Listener> Engine::add_listener(SignalCore& core, Phase phase, bool once,
                                               const char* member) {
    enter(member, Level::in_frame);
    ActorContext& here = need_actor_context(member);
    if (here.actor == nullptr && phase == Phase::parallel)
        violated(member, "Call it from an actor's setup, handlers and tasks: what runs in the "
                         "parallel phase runs on its actor's worker");
    auto listener = std::allocate_shared<Listener>(PoolAllocator<Listener>());
    listener->phase = phase;
    listener->once = once;
    listener->runtime = number_;
    listener->name = core.name_;
    if (here.actor != nullptr) {
        listener->actor = here.actor->ref();
        ActorAccess::cell(*here.actor).need_more().listeners.push_back(listener);
    }
    return listener;
}

Connection Engine::connect(SignalCore& core, Phase phase, bool once,
                           std::unique_ptr<Handler> handler) {
    const std::shared_ptr<Listener> listener = add_listener(
        core, phase, once,
        phase == Phase::parallel ? "takt::Signal::connect_parallel" : "takt::Signal::connect");
    handler->listener = listener.get();
    listener->handler = std::move(handler);
    try {
        register_in_order(core, listener);
    } catch (...) { // out of memory
        end_listener(*listener);
        throw;
    }
    return Connection(listener);
}

void Engine::wait(SignalCore& core, SignalWait& wait, RootTask& task) {
    need_actor_context("takt::Signal::wait");
    if (task.host != this)
        throw Error("signal", core.name_, "it is another runtime's than the task that waits",
                    "Let a listener over there post() to this one");
    if (must_end(task))
        return;
    task.phase = current_phase();
    wait.task = &task;
    wait.listener = add_listener(core, task.phase, true, "takt::Signal::wait");
    wait.listener->wait = &wait;
    auto& waiting = static_cast<ActorTask&>(task);
    waiting.where = Whereabouts::signal;
    try {
        register_in_order(core, wait.listener);
    } catch (...) {
        waiting.where = Whereabouts::running;
        throw;
    }
}

void Engine::register_in_order(SignalCore& core, std::shared_ptr<Listener> listener) {
    if (!in_parallel()) {
        register_listener(core, listener);
        return;
    }
    run_at_commit<WhenGone::nothing>(
        this_worker(), [core = core.shared_from_this(), listener = std::move(listener)](
                           Engine& engine) { engine.register_listener(*core, listener); });
}

void Engine::register_listener(SignalCore& core, const std::shared_ptr<Listener>& listener) {
    if (!listener->is_connected())
        return;
    const ActorCell* const cell = table_.find(listener->actor);
    const Life life = cell == nullptr ? Life::live : cell->read_word().life;
    if (life != Life::unborn || listener->wait != nullptr) // a setup may wait, but is not called
        listener->since = ++signal_clock_;
    if (life == Life::dying)
        listener->until = listener->since;
    (listener->phase == Phase::serial ? core.serial_ : core.parallel_).push_back(listener);
    listener->signal = &core; // after what may fail: a signal knows who points to it
    settle(core);
}

// --- firing ---

SendResult Engine::fire(std::uint64_t signal, std::shared_ptr<SignalEvent> event) {
    if (in_parallel()) {
        run_at_commit<WhenGone::nothing>(
            this_worker(), [signal, event = std::move(event)](Engine& engine) mutable {
                if (SignalCore* const core = engine.find_signal(signal))
                    engine.fire(*core, std::move(event), false);
            });
        return SendResult::ok;
    }
    SignalCore* const core = find_signal(signal);
    return core == nullptr ? SendResult::dead : fire(*core, std::move(event), core->is_deferred_);
}

SendResult Engine::fire(SignalCore& core, std::shared_ptr<SignalEvent> event, bool is_deferred) {
    event->number = ++signal_clock_;
    call_in_parallel(core, event);
    if (!is_deferred) {
        call_in_serial(core, event);
    } else if (!core.serial_.empty()) {
        auto fire = std::make_unique<PendingFire>(core.shared_from_this(), std::move(event));
        commits_.push_back({0, world_sequence_++, 0, &finish_fire, fire.get()});
        ++core.open_fires_;
        static_cast<void>(fire.release()); // finish_fire frees it
    }
    return SendResult::ok;
}

void Engine::finish_fire(ActorContext& here, void* data, bool run) {
    const std::unique_ptr<PendingFire> fire(static_cast<PendingFire*>(data));
    Engine& engine = static_cast<FrameWorker&>(here).engine();
    const OpenFire open(engine, *fire->signal);
    --fire->signal->open_fires_; // it is `open` now
    if (run)
        engine.call_in_serial(*fire->signal, fire->event);
}

// In one lane for each worker, so that their order does not depend on how many there are.
void Engine::call_in_parallel(SignalCore& core, const std::shared_ptr<SignalEvent>& event) {
    Outbox<StdPolicy>& outbox = mailboxes_.outbox(0);
    if (!core.parallel_.empty())
        events_.push_back(event); // first, since mail cannot be called back
    for (const std::shared_ptr<Listener>& listener : core.parallel_) {
        if (!listener->hears(*event))
            continue;
        const int worker = table_.owner(table_.cell(listener->actor.slot()).read_word());
        listener->pending.push_back(event);
        void* const room =
            outbox.reserve_exempt(worker, sizeof(ListenerMail), alignof(ListenerMail));
        if (room == nullptr) {
            listener->pending.pop_back();
            throw std::bad_alloc();
        }
        ::new (room) ListenerMail(listener);
        outbox.commit(worker, record_type_of<ListenerMail>, listener->actor.address());
        ++frame_thread().sent;
    }
}

// Y1. Listeners may connect and disconnect meanwhile, and the signal may go. Nothing is swept while a
// fire runs, so those that are listed stay where they are.
void Engine::call_in_serial(SignalCore& core, const std::shared_ptr<SignalEvent>& event) {
    const OpenFire open(*this, core);
    const std::size_t count = core.serial_.size();
    for (std::size_t at = 0; at < count; ++at) {
        Listener& listener = *core.serial_[at];
        if (!listener.hears(*event))
            continue;
        ActorCell* const cell = table_.find(listener.actor);
        AsActor const as(*this, cell == nullptr ? nullptr : &ActorAccess::actor(*cell));
        frame_thread().call_listener(listener, event);
    }
}

// Y2: the calls that an actor still has to hear when it goes, in the order of the fires.
void Engine::call_pending_of(ActorCell& cell) {
    if (cell.more == nullptr || cell.more->listeners.empty())
        return;
    struct Call {
        std::shared_ptr<SignalEvent> event;
        std::shared_ptr<Listener> listener;
    };
    std::vector<Call> calls;
    for (const std::shared_ptr<Listener>& listener : cell.more->listeners) {
        while (listener->has_pending())
            calls.push_back({listener->take_pending(), listener});
        for (const Commit& commit : commits_) {
            if (commit.finish != &finish_fire || listener->phase != Phase::serial)
                continue;
            const PendingFire& fire = *static_cast<const PendingFire*>(commit.data);
            if (fire.signal.get() == listener->signal && listener->hears(*fire.event))
                calls.push_back({fire.event, listener});
        }
    }
    std::sort(calls.begin(), calls.end(), [](const Call& one, const Call& other) {
        return one.event->number != other.event->number
                   ? one.event->number < other.event->number
                   : one.listener->since < other.listener->since;
    });
    AsActor const as(*this, &ActorAccess::actor(cell));
    for (const Call& call : calls)
        if (call.listener->is_connected())
            frame_thread().call_listener(*call.listener, call.event);
}

SendResult fire_from_outside(unsigned runtime, std::uint64_t signal,
                             std::shared_ptr<SignalEvent> event) noexcept {
    Gate<StdPolicy>* const gate = gate_of(runtime);
    return gate == nullptr ? SendResult::closed : gate->send<FireMail>(signal, std::move(event));
}

// --- the end of listeners ---

void Engine::end_listener(Listener& listener) {
    if (!listener.is_connected())
        return;
    listener.connected.store(false, std::memory_order_relaxed); // relaxed: see is_connected()
    listener.drop_pending();
    this_worker().ended_listeners().add(listener);
}

void Engine::disconnect(Listener& listener) {
    const FrameWorker& here = this_worker();
    if (!in_parallel() || (here.actor != nullptr && here.actor->ref() == listener.actor)) {
        end_listener(listener);
        return;
    }
    run_at_commit<WhenGone::the_same>(
        this_worker(), [later = listener.shared_from_this()](Engine&) { end_listener(*later); });
}

void disconnect_from_outside(std::shared_ptr<Listener> listener) noexcept {
    if (Gate<StdPolicy>* const gate = gate_of(listener->runtime))
        static_cast<void>(gate->send_control<EndListenerMail>(0, std::move(listener)));
}

// Its setup comes first: from now on they hear.
void Engine::begin_listeners_of(ActorCell& cell) {
    if (cell.more == nullptr)
        return;
    for (const std::shared_ptr<Listener>& listener : cell.more->listeners)
        if (listener->signal != nullptr && listener->since == Listener::kOpen)
            listener->since = ++signal_clock_;
}

// It has failed, and nothing of it is called any more; its tasks go on.
void Engine::stop_listeners_of(ActorCell& cell) {
    if (cell.more == nullptr)
        return;
    for (const std::shared_ptr<Listener>& listener : cell.more->listeners)
        if (listener->handler != nullptr)
            end_listener(*listener);
}

// Their closures go with what is left of the actor.
void Engine::end_listeners_of(ActorCell& cell) {
    if (cell.more == nullptr)
        return;
    for (const std::shared_ptr<Listener>& listener : std::exchange(cell.more->listeners, {})) {
        end_listener(*listener);
        if (listener->handler == nullptr)
            continue;
        listener->handler->listener = nullptr;
        cell.more->closures.push_back(std::move(listener->handler));
    }
}

// What all have heard goes in the serial phase, where its memory returns to the pool that it came from
// (F2): the worker that hears it last is seldom the one that fires.
void Engine::sweep_events() {
    for (std::shared_ptr<SignalEvent>& event : events_)
        if (event.use_count() == 1)
            sweep_.events.push_back(std::move(event));
    std::erase(events_, nullptr);
    sweep_.events.clear(); // arguments that go may fire
}

// Into `sweep_`, in the order of their ends. All memory that the sweep wants is taken first.
void Engine::take_ended(EndedListeners& ended) {
    const std::size_t count = ended.size();
    sweep_.listeners.reserve(count);
    sweep_.closures.reserve(count + in_use_.size());
    sweep_.actors.reserve(count);
    sweep_.signals.reserve(count);
    in_use_.reserve(in_use_.size() + count);
    while (!ended.empty())
        sweep_.listeners.push_back(ended.pop());
    std::reverse(sweep_.listeners.begin(), sweep_.listeners.end());
}

void Engine::sweep_listeners(FrameWorker& worker) {
    if (worker.ended_listeners().empty())
        return;
    take_ended(worker.ended_listeners());
    for (const std::shared_ptr<Listener>& listener : sweep_.listeners) {
        if (listener->signal != nullptr)
            sweep_.signals.push_back(std::exchange(listener->signal, nullptr));
        ActorCell* const cell = table_.find(listener->actor);
        if (listener->handler == nullptr || listener->handler->tasks == 0) {
            sweep_.closures.push_back(std::move(listener->handler));
            if (cell != nullptr)
                sweep_.actors.push_back(cell);
        } else if (cell == nullptr) { // Y3: the last of its tasks brings it here again
            in_use_.push_back(listener);
        }
    }
    for_each_once(sweep_.signals, [](SignalCore& core) {
        const auto is_over = [](const auto& one) { return !one->is_connected(); };
        std::erase_if(core.serial_, is_over);
        std::erase_if(core.parallel_, is_over);
    });
    const auto has_gone = [](const auto& one) {
        return !one->is_connected() && one->handler == nullptr;
    };
    for_each_once(sweep_.actors, [&](ActorCell& cell) {
        if (cell.more != nullptr)
            std::erase_if(cell.more->listeners, has_gone);
    });
    std::erase_if(in_use_, has_gone);
    sweep_.closures.clear(); // closures that go may end others
    sweep_.listeners.clear();
}

} // namespace detail
} // namespace takt
