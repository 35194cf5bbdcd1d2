// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. An actor as its own code sees it, and what runs in its name. Below: actor_table.
// Beside: send. Above: the frame (the ActorHost), behaviour.

#include "takt/actor/actor_table.hpp"
#include "takt/phase.hpp"

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace takt {

class Actor;

namespace detail {
struct ActorAccess;
}

/// How an actor is made.
struct ActorOptions {
    /// For people: errors, statistics and traces. Need not be unique.
    std::string name = {};
    /// It is destroyed with its parent. Empty: it has none.
    ActorRef parent = {};
    /// The worker that runs it, always; -1: takt chooses, and may choose again (docs/balance.md).
    int worker = -1;
    /// Empty: as the runtime is configured.
    std::optional<FailurePolicy> on_failure = {};
    /// What it may have of mail that has not ended.
    MailLimit mail = {};
};

namespace detail {

using Setup = UniqueFunction<TaskHandle(Actor&)>;

struct ActorContext;

/// What is to be done in the serial phase, in the name of an actor.
struct Commit {
    std::uint64_t actor;    // its place in commit order, then
    std::uint64_t sequence; // its own
    std::uint64_t address;  // of the actor; when it is gone, the commit is destroyed, not run
    /// Runs and destroys, or only destroys, what `data` points to.
    void (*finish)(ActorContext& here, void* data, bool run);
    void* data;
};

/// Something that changed, and that others are to see from the next barrier on; what changed in the
/// serial phase, from the next parallel phase on. In a list of its worker's until then.
class Publication {
  public:
    /// `publish(it)` is called in the serial phase; it is in no list any more.
    explicit Publication(void (*publish)(Publication&) noexcept) noexcept : publish_(publish) {}
    /// In the phase that it was added in, by the same thread, or in the serial phase.
    ~Publication() {
        if (is_due())
            leave();
    }
    Publication(const Publication&) = delete;
    Publication& operator=(const Publication&) = delete;

    bool is_due() const noexcept { return link_ != nullptr; }
    void add_to(Publication*& first) noexcept {
        next_ = first;
        link_ = &first;
        if (next_ != nullptr)
            next_->link_ = &next_;
        first = this;
    }
    static void publish_all(Publication*& first) noexcept {
        while (Publication* const one = first) {
            one->leave();
            one->publish_(*one);
        }
    }

  private:
    void leave() noexcept {
        *link_ = next_;
        if (next_ != nullptr)
            next_->link_ = link_;
        link_ = nullptr;
    }

    void (*const publish_)(Publication&) noexcept;
    Publication* next_ = nullptr;
    Publication** link_ = nullptr; // what points to it; null: it is in no list
};

/// The part of a frame that actors know. Each is called in a phase, by who runs the actor.
class ActorHost {
  public:
    virtual ActorRef spawn(ActorOptions&& options, BehaviourTable* shared, void* state,
                           void (*destroy_state)(void*) noexcept, Setup setup) = 0;
    virtual void destroy(ActorRef actor) = 0;
    /// Its own handlers have changed: mail that was kept may be due, handlers may be gone.
    virtual void handlers_changed(ActorCell& actor) = 0;
    virtual void disconnect(ActorRef actor, std::uint64_t handler) = 0;
    /// The caller drops mail to the actor, which is limited, and counts it as expired.
    virtual void drop(ActorRef actor, const MailHead& mail) = 0;
    virtual void disconnect(Listener& listener) = 0;
    /// `dead`: the signal is gone, as far as the caller can know.
    virtual SendResult fire(std::uint64_t signal, std::shared_ptr<SignalEvent> event) = 0;
    /// Runs the task in the name of the context's actor, now.
    virtual void start(Task<> task) = 0;
    /// The task, which runs here, waits for the ticket, or ends. False: the ticket has ended.
    virtual bool await_ticket(RootTask& task, TicketCore& ticket) = 0;
    /// The ticket, which somebody here waits for, has ended. In a phase.
    virtual void wake(TicketCore& ticket) noexcept = 0;
    /// The ticket had ended before; in a shutdown nobody may come any more to tell who waits.
    virtual void tell_last(TicketCore& ticket) noexcept = 0;
    /// The ticket has ended: `function(ticket)` is called in a serial phase, in the name of whose code
    /// runs here.
    virtual void call_with(TicketCore& ticket, UniqueFunction<void(TicketCore&)> function) = 0;
    /// The ticket ends as `deadline` at that frame time.
    virtual void watch(TicketCore& ticket, std::int64_t due_ns) = 0;
    /// The ticket, which may be watched, has ended.
    virtual void unwatch(TicketCore& ticket) noexcept = 0;

  protected:
    ~ActorHost() = default;
};

/// The part of the tree of instances that frames know. All in the serial phase.
class ActorTree {
  public:
    /// The actor that the instance in this slot stood for is dying; the instance goes with it.
    virtual void actor_dies(std::uint32_t instance) = 0;
    /// The runtime ends: all instances but the root go.
    virtual void clear() = 0;

  protected:
    ~ActorTree() = default;
};

} // namespace detail

/// One binding, or connection. Does not own it: when this object goes, the handler stays.
class Connection {
  public:
    Connection() = default;
    Connection(ActorRef actor, std::uint64_t handler) noexcept : actor_(actor), handler_(handler) {}
    explicit Connection(std::shared_ptr<detail::Listener> listener) noexcept
        : listener_(std::move(listener)) {}

    /// The handler is not called again; mail for a topic without handlers is kept, calls of a
    /// listener that are pending are dropped. On another actor from the parallel phase: from this
    /// round's serial phase on; from outside: from the start of a round on.
    void disconnect();
    /// False as soon as the handler is disconnected, whoever did that. Any thread; another one's news
    /// may be late, and of another actor's binding outside the serial phase only what was done
    /// through this object is known.
    bool connected() const noexcept;
    explicit operator bool() const noexcept { return handler_ != 0 || listener_ != nullptr; }

  private:
    ActorRef actor_;
    std::uint64_t handler_ = 0;
    std::shared_ptr<detail::Listener> listener_; // of a signal; then the others are empty
};

/// Disconnects when it goes.
class ScopedConnection {
  public:
    ScopedConnection() = default;
    ScopedConnection(Connection connection) noexcept : connection_(std::move(connection)) {}
    ScopedConnection(ScopedConnection&& other) noexcept
        : connection_(std::exchange(other.connection_, {})) {}
    ScopedConnection& operator=(ScopedConnection&& other) noexcept {
        std::swap(connection_, other.connection_);
        return *this;
    }
    ~ScopedConnection() {
        if (connection_)
            connection_.disconnect();
    }

  private:
    Connection connection_;
};

/// An actor, for its own code: setup, handlers, tasks. One memory domain, run by one thread at a
/// time. Everybody else has its ActorRef: in the parallel phase PhaseError, where checks are on.
class Actor : private detail::ActorCell {
  public:
    /// In a phase of its runtime only.
    ActorRef ref() const;
    /// Its place in commit order; given out in the serial phase, so it does not depend on timing.
    std::uint64_t id() const noexcept { return ActorCell::id; }
    std::string_view name() const {
        require_own("takt::Actor::name");
        return more == nullptr ? std::string_view() : std::string_view(more->name);
    }
    ActorRef parent() const {
        require_own("takt::Actor::parent");
        return more == nullptr ? ActorRef() : more->parent;
    }

    /// Handles the topic in the serial phase: `handler([Serial], args...)`, a function or a coroutine
    /// that returns Task<>. Arguments come as const&; those of mail that can only be moved, as &&.
    /// From its own code it counts at once, and mail that was kept for the topic comes first. Throws
    /// takt::Error when the topic is known with other types.
    template <class... Args, class F>
    Connection bind(const Topic<Args...>& topic, F&& handler) {
        return add<Phase::serial>(topic, std::forward<F>(handler));
    }
    /// The same in the parallel phase: `handler([Parallel], args...)`.
    template <class... Args, class F>
    Connection bind_parallel(const Topic<Args...>& topic, F&& handler) {
        return add<Phase::parallel>(topic, std::forward<F>(handler));
    }
    /// Answers the request in the serial phase: `handler([Serial], args...)`, a function that returns
    /// R, or a coroutine that returns Task<R>. The arguments are moved. What it throws goes to who
    /// awaits the answer, and fails the message. Throws takt::Error where there is a handler already:
    /// a request has one.
    template <class R, class... Args, class F>
    Connection bind(const Request<R(Args...)>& request, F&& handler) {
        return add<Phase::serial>(request, std::forward<F>(handler));
    }
    /// The same in the parallel phase: `handler([Parallel], args...)`.
    template <class R, class... Args, class F>
    Connection bind_parallel(const Request<R(Args...)>& request, F&& handler) {
        return add<Phase::parallel>(request, std::forward<F>(handler));
    }

    /// Makes the actor's state, which is destroyed with it. Once; throws takt::Error the second time.
    template <class T, class... Given>
    T& emplace_state(Given&&... given) {
        auto made = std::make_unique<T>(std::forward<Given>(given)...);
        own_state(made.get(), [](void* at) noexcept { delete static_cast<T*>(at); });
        return *made.release();
    }
    /// The state, of which the caller knows the type.
    template <class T>
    T& state() {
        require_own("takt::Actor::state");
        return *static_cast<T*>(ActorCell::state);
    }

    void destroy() { ref().destroy(); }

    std::uint64_t load() const { return ref().ActorRef::load(); }
    MailCounts counts() const;
    /// Of what has expired, that for this reason.
    std::uint64_t expired(Expiry reason) const;

  private:
    friend class detail::ActorTable;
    friend struct detail::ActorAccess;

    void require_own(const char* member) const;
    template <Phase kPhase, class... Args, class F>
    Connection add(const Topic<Args...>& topic, F&& handler) {
        using Made = detail::HandlerOf<kPhase, void, std::decay_t<F>, Args...>;
        return add_handler(kPhase, topic.hash(), topic.name(), detail::signature_of<Args...>,
                           std::make_unique<Made>(std::forward<F>(handler)));
    }
    template <Phase kPhase, class R, class... Args, class F>
    Connection add(const Request<R(Args...)>& request, F&& handler) {
        using Made = detail::RequestHandlerOf<kPhase, void, std::decay_t<F>, R, Args...>;
        return add_handler(kPhase, request.hash(), request.name(),
                           detail::request_signature_of<R, Args...>,
                           std::make_unique<Made>(std::forward<F>(handler)));
    }
    Connection add_handler(Phase phase, std::uint64_t topic, const char* name,
                           const detail::Signature& signature,
                           std::unique_ptr<detail::Handler> handler);
    void own_state(void* made, void (*destroy_made)(void*) noexcept);

    std::uint32_t slot_ = 0;
};

namespace detail {

/// For the runtime: an actor and what is kept of it are one object.
struct ActorAccess {
    static ActorCell& cell(Actor& actor) noexcept { return actor; }
    static Actor& actor(ActorCell& cell) noexcept { return static_cast<Actor&>(cell); }
    static std::uint32_t slot(const ActorCell& cell) noexcept {
        return static_cast<const Actor&>(cell).slot_;
    }
    static void set_slot(Actor& actor, std::uint32_t slot) noexcept { actor.slot_ = slot; }
};

/// The part of a worker's context that actors' code uses.
struct ActorContext : TaskContext {
    unsigned runtime = 0;         // its number
    std::uint64_t runtime_id = 0; // which no other one has had, as it may its number
    ActorTable* table = nullptr;
    ActorHost* host = nullptr;
    ActorTree* tree = nullptr;
    Actor* actor = nullptr;                 // whose code runs; null: nobody's
    Outbox<StdPolicy>* outbox = nullptr;    // in the serial phase that of the actor's worker
    int worker = 0;                         // its number
    std::uint64_t sent = 0;                 // mail pushed by this context
    std::array<std::uint64_t, 5> refused{}; // sends that were, by SendResult
    Arena memory;                           // until the end of the round
    std::vector<Commit> commits;            // of this round
    std::uint64_t nobodys_sequence = 0;     // of commits in nobody's name, from a parallel phase
    std::uint64_t* world_sequence = &nobodys_sequence; // the same from the serial phase
    Publication* publications = nullptr;               // the first of those that are due

    bool stamps_mail = false;                             // mail says when it was sent
    TicketStatus lost_answers = TicketStatus::actor_gone; // how tickets end that nobody answers

    const SignalEvent* event = nullptr; // that is being heard
    Listener* listener = nullptr;       // whose code runs

    /// Notes a commit in the name of the actor whose code runs, or, in the destructor of a payload,
    /// of nobody, before all actors' commits.
    void commit(void (*finish)(ActorContext&, void*, bool), void* data);
    SendResult refuse(SendResult why) noexcept {
        ++refused[static_cast<std::size_t>(why)];
        return why;
    }
    /// One more message to an actor that is limited. False: it is not to be sent.
    bool enter(MailRoom<StdPolicy>& room) const noexcept {
        if (asks_senders(room.overflow()))
            return room.enter(worker);
        room.enter_anyway(worker);
        return true;
    }
    /// The place in commit order of whose code runs; 0: nobody's.
    std::uint64_t sender_id() const noexcept { return actor == nullptr ? 0 : actor->id(); }
    /// For MailHead::sender: that, or, where nothing depends on it, when the mail was sent.
    std::uint64_t sender_mark() const noexcept {
        return stamps_mail ? SendStamp{tick(), worker}.packed() : sender_id();
    }
    /// Of the next thing that whose code runs does. Nobody's does not depend on the number of workers,
    /// but for what payloads do as they go in a parallel phase.
    std::uint64_t take_sequence() noexcept {
        if (actor != nullptr)
            return ActorAccess::cell(*actor).sequence++;
        return phase == Phase::serial ? (*world_sequence)++ : nobodys_sequence++;
    }
};

inline ActorContext* actor_context() noexcept {
    return static_cast<ActorContext*>(current_context());
}
/// The context that may push mail to actors of that runtime; null: the caller is outside of it.
inline ActorContext* context_in(unsigned runtime) noexcept {
    ActorContext* const here = actor_context();
    return here != nullptr && here->runtime == runtime ? here : nullptr;
}
/// That of the calling thread; PhaseError outside.
ActorContext& need_actor_context(const char* member, Level level = Level::in_frame);
/// The code that runs there is that of the actor.
inline bool runs_as(const ActorContext& here, ActorRef actor) noexcept {
    if (here.actor == nullptr)
        return false;
    const ActorCell& cell = ActorAccess::cell(*here.actor);
    return here.table->ref_of(cell, ActorAccess::slot(cell)) == actor;
}

/// In the parallel phase, or outside, for who is not that actor.
[[gnu::cold]] void own_check_failed(const char* member);

/// ActorRef::destroy and Connection::disconnect for threads outside.
void destroy_from_outside(ActorRef actor) noexcept;
void disconnect_from_outside(ActorRef actor, std::uint64_t handler) noexcept;

/// The ticket has ended: tells the runtime of that number, if it is there, in its next round.
void wake_from_outside(unsigned runtime, TicketCore& ticket) noexcept;

/// The way into a runtime from outside; null: there is no such runtime.
Gate<StdPolicy>* gate_of(unsigned runtime) noexcept;
/// With null: waits until nobody uses it any more.
void set_gate(unsigned runtime, Gate<StdPolicy>* gate, const ActorTable* table = nullptr) noexcept;
/// The actors behind that gate; valid while it is.
const ActorTable* table_of(unsigned runtime) noexcept;

/// While it lives, the gate does: for who cannot know whether the runtime still is. Wait-free.
class GateUse {
  public:
    explicit GateUse(unsigned runtime) noexcept;
    ~GateUse();
    GateUse(const GateUse&) = delete;
    GateUse& operator=(const GateUse&) = delete;
    Gate<StdPolicy>* gate() const noexcept { return gate_; }

  private:
    const unsigned runtime_;
    Gate<StdPolicy>* gate_;
};

} // namespace detail

// Another actor's is changed by another worker.
inline void Actor::require_own(const char* member) const {
    const detail::ActorContext* const here = detail::actor_context();
    if (here == nullptr || (here->phase == Phase::parallel && here->actor != this)) [[unlikely]]
        detail::own_check_failed(member);
}

/// The actor whose code runs. PhaseError where there is none.
Actor& this_actor();

/// Of the listener whose code runs, so that it can disconnect itself; also in the task that it is, but
/// not in tasks that this one begins. PhaseError where there is none.
Connection this_connection();

/// Makes an actor. `setup(Actor&)` binds its handlers; it runs in the serial phase, and finishes
/// before the actor's first message, also if it is a coroutine. From the serial phase it runs at
/// once, from the parallel phase in this round's serial phase; the reference can be used at once.
/// In a phase only.
template <class F>
requires std::invocable<F&, Actor&> ActorRef spawn_actor(ActorOptions options, F&& setup);

} // namespace takt
