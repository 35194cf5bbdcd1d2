// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. The engine of a runtime: frames, rounds and phases over actors. Not installed:
// what users see of it is Runtime (layer 10), and the hosts that tasks and actors know.

#include "frame/balance.hpp"
#include "frame/frame_thread.hpp"
#include "frame/frame_worker.hpp"
#include "frame/offload.hpp"
#include "takt/frame.hpp"
#include "takt/topology.hpp"
#include "takt/worker.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace takt::detail {

/// All settings, resolved; what each means: Config.
struct EngineOptions {
    Plan plan;
    WorkersConfig workers;
    bool next_round = false;
    int max_rounds = 10;
    std::uint64_t phase_messages = 65'536;
    std::int64_t phase_time_ns = kNever;
    std::uint32_t kept_max = 1024;
    bool checks = true;
    OnViolation on_violation = OnViolation::raise;
    FailurePolicy failure_policy = FailurePolicy::stop;
    bool virtual_clock = false;
    double rate_hz = 60;     // of frames, where the clock is virtual
    int offload_threads = 2; // 0: offloaded tasks run on the frame thread, before the next round
    /// For tests, with one worker: what is left open is drawn from it.
    std::optional<std::uint64_t> seed = {};
    BalanceOptions balance;
    GateConfig gate;
    LaneConfig lane;
};

/// When a step is due that comes at a fixed rate. From its number, not from the step before: nothing
/// adds up.
std::int64_t time_of_step(std::uint64_t step, double rate_hz) noexcept;

/// The number of a runtime among those of this process.
class RuntimeNumber {
  public:
    RuntimeNumber();
    ~RuntimeNumber();
    RuntimeNumber(const RuntimeNumber&) = delete;
    RuntimeNumber& operator=(const RuntimeNumber&) = delete;
    operator unsigned() const noexcept { return number_; }

  private:
    unsigned number_;
};

/// R1  One thread at a time steps; between frames it is in the serial phase.
/// R2  Commits run by (actor, sequence), each once, alone; what they send is for the next round.
/// R3  accepted = handled + failed + expired + in flight, for each actor, each topic, and all.
/// R4  Destroying takes its place in commit order; what an actor holds goes at the end of that
///     serial phase, in the serial phase.
class Engine final : public ActorHost, public TaskHost {
  public:
    explicit Engine(EngineOptions options);
    ~Engine();

    FrameReport step();
    /// Nothing is to be done but what waits for a time or for background threads.
    bool idle() noexcept;
    /// Tasks on background threads.
    std::size_t offloaded() const noexcept { return offload_.tasks(); }
    /// Those of one actor. In the serial phase.
    std::uint64_t offloaded(ActorRef actor) const noexcept;
    /// Sleeps until something is to be done, somebody rings, or `deadline_ns` (now_ns time).
    void sleep(std::int64_t deadline_ns) noexcept;
    void ring() noexcept;
    ShutdownReport shutdown(std::int64_t deadline_ns);
    bool shut_down() const noexcept { return shut_down_; }

    /// The calling thread is the frame thread from now on (R1).
    void take_over_thread() noexcept;
    /// The caller acts for the runtime from now on: it is in one of its phases, or its frame thread,
    /// which may have acted for another one before. PhaseError on other threads.
    void enter(const char* member, Level level);
    /// PhaseError while a frame runs.
    void require_no_frame(const char* member) const;
    /// On the frame thread: a frame, or between frames a setup, a task or a listener, is running.
    bool runs_code() const noexcept;
    /// PhaseError while a frame runs, but for its serial phase; where checks are on.
    void require_standstill(const char* member) const;
    /// PhaseError while a frame runs, but for what it runs itself; where checks are on.
    void require_no_stranger(const char* member) const;
    bool in_frame() const noexcept {
        return in_frame_.load(std::memory_order_relaxed); // relaxed: for who uses it out of turn
    }
    /// When the next parallel phase is expected (now_ns time): workers that sleep rise before.
    void expect_phase(std::int64_t due_ns) noexcept { phase_due_ns_ = due_ns; }
    void request_stop() noexcept {
        stop_requested_.store(true, std::memory_order_seq_cst); // cross stop, side A
        ring();
    }
    bool stop_requested() const noexcept {
        return stop_requested_.load(std::memory_order_seq_cst); // cross stop, side B
    }
    void clear_stop() noexcept {
        stop_requested_.store(false, std::memory_order_relaxed); // relaxed: the frame thread's own
    }
    /// Sleeps until `deadline_ns`, or a stop is requested.
    void sleep_until(std::int64_t deadline_ns) noexcept;
    /// When something is due that waits for a time, as frame time; kNever: nothing.
    std::int64_t next_due_ns() const noexcept;
    const FrameTime& time() const noexcept { return time_; }
    std::int64_t real_time_of(std::int64_t frame_time_ns) const noexcept;
    /// What a frame's time would be, began it now: that of the last one where the clock is virtual.
    std::int64_t present_ns() const noexcept;
    /// Where the clock is virtual.
    void advance_clock(std::int64_t by_ns) noexcept { advanced_ns_ += by_ns; }
    /// With a virtual clock: the time of the next frame.
    std::int64_t next_frame_ns() const noexcept {
        return later(advanced_ns_, time_of_step(time_.frame + 1, options_.rate_hz));
    }

    void set_on_failure(UniqueFunction<void(const Failure&)> hook) {
        on_failure_ = std::move(hook);
    }
    void set_on_dead_letter(UniqueFunction<void(const DeadLetter&)> hook) {
        on_dead_letter_ = std::move(hook);
    }
    /// Runs in the serial phase, at the barrier of each round before the commits.
    std::uint64_t at_barrier(UniqueFunction<void()> hook) {
        require_standstill("takt::World::at_barrier");
        barrier_hooks_.push_back({next_hook_, std::move(hook)});
        return next_hook_++;
    }
    /// While a frame runs, from this or the next round on, but for its serial phase.
    void forget_barrier_hook(std::uint64_t number) noexcept;
    std::uint64_t rounds() const noexcept { return rounds_; }
    std::uint64_t messages() const noexcept { return taken_before_; }
    std::uint64_t commits() const noexcept { return commits_run_; }
    std::uint64_t failures() const noexcept { return failures_; }
    /// In the serial phase.
    std::vector<ActorState> actor_states() const;
    /// What each frame fires, in this order.
    enum Stage : std::uint8_t { kPreSimulation, kPostSimulation, kHeartbeat, kStages };
    const std::shared_ptr<SignalCore>& frame_signal(Stage stage) const noexcept {
        return frame_signals_[stage];
    }
    /// From any thread: `closure` runs in the serial phase of the next round.
    SendResult post(UniqueFunction<void()> closure);
    void run_next(UniqueFunction<void()> closure);
    /// Moves the actor's shard, as soon as no mail is under way.
    void move(ActorRef actor, int worker) { moves_.push_back({actor, worker}); }

    int workers() const noexcept { return static_cast<int>(frame_workers_.size()); }
    const Workers& crew() const noexcept { return workers_; }
    FrameWorker& worker(int index) noexcept {
        return *frame_workers_[static_cast<std::size_t>(index)];
    }
    const FrameWorker& worker(int index) const noexcept {
        return *frame_workers_[static_cast<std::size_t>(index)];
    }
    Mailboxes<StdPolicy>& mailboxes() noexcept { return mailboxes_; }
    Gate<StdPolicy>& gate() noexcept { return gate_; }
    const Recording& recording() const noexcept { return observation_.recording; }
    /// Workers mark what they run, for another thread. Between frames, or in the serial phase.
    void watch(bool is_on) noexcept { observation_.is_watched = is_on; }
    bool is_watched() const noexcept { return observation_.is_watched; }
    /// Between frames, or in the serial phase.
    void set_hooks(const ProfilerHooks* hooks) noexcept;
    const ProfilerHooks* hooks() const noexcept { return observation_.hooks; }
    /// Workers end serve(), and begin it again with the next phase. Between frames.
    void dismiss() noexcept;
    /// Between frames, or in the serial phase.
    void start_recording(std::size_t records);
    void stop_recording() noexcept;
    /// In the serial phase: what the commit that runs is called in records.
    void name_commit(const char* name) noexcept {
        commit_name_ = name;
        frame_thread().note_topic(name);
    }
    Balance& balance() noexcept { return balance_; }
    const Balance& balance() const noexcept { return balance_; }
    /// In the serial phase: the worker in whose outbox the actor's mail belongs (N8).
    int runner(std::uint16_t shard) const noexcept { return balance_.runner(shard); }
    ActorTable& table() noexcept { return table_; }
    const ActorTable& table() const noexcept { return table_; }
    Quiescence<StdPolicy>& quiescence() noexcept { return quiescence_; }
    const EngineOptions& options() const noexcept { return options_; }
    std::uint64_t actors() const noexcept { return actors_; }
    MailCounts mail_counts() const;
    ExpiryCounts expiry_counts() const;
    /// In the serial phase: mail in lanes, tasks on their way to a worker among it.
    std::uint64_t mail_left() const noexcept {
        return quiescence_.left() + (frame_workers_.front()->sent - sent_before_);
    }
    std::uint64_t refused(SendResult why) const noexcept;
    std::vector<TopicCounts> topic_counts() const;
    std::size_t memory_bytes();
    /// Before anything uses it; it lives longer than this.
    void set_tree(ActorTree& tree) noexcept;
    /// Until nothing counts on them any more.
    void keep_loads(std::shared_ptr<LoadBoard<StdPolicy>> loads);

    // --- for FrameWorker and the tasks -------------------------------------------------------------
    /// In the serial phase: tells the hook, and applies the actor's policy.
    void fail(Actor* actor, const char* topic, std::exception_ptr exception) noexcept;
    bool wants_dead_letters() const noexcept { return static_cast<bool>(on_dead_letter_); }
    FailurePolicy failure_policy_of(const ActorCell& cell) const noexcept;
    /// The tasks of an actor, or of nobody.
    RootTask*& tasks_of(ActorCell* cell) noexcept {
        return cell == nullptr ? world_tasks_ : cell->tasks;
    }
    /// In either phase. `failure`: null when it ended well.
    void setup_ended(ActorCell& cell, const std::exception_ptr& failure);
    void await_next_frame(ActorTask& task);
    void await_time(ActorTask& task);
    /// The task, which waited for a group, goes on in its phase, which is not the caller's.
    void change_phase(ActorTask& task);
    void give_back_slot(std::uint32_t slot) noexcept;
    /// In the serial phase: the task, which goes, waits for nothing any more.
    void forget(ActorTask& task) noexcept;
    /// In the serial phase: who waits for the ticket, which has ended, goes on in the next round.
    void tell(TicketCore& ticket) noexcept;
    /// How a request ends whose actor is gone.
    TicketStatus status_of_the_gone() const noexcept {
        return shut_down_ ? TicketStatus::shut_down : TicketStatus::actor_gone;
    }
    std::uint64_t frame_group() const noexcept { return frame_group_; }
    /// Of the next thing that is done in nobody's name, in the serial phase.
    std::uint64_t& world_sequence() noexcept { return world_sequence_; }
    /// Workers that sleep find out that there is a phase, or that it was closed.
    void wake_sleepers() noexcept;

    // --- signals -----------------------------------------------------------------------------------
    std::shared_ptr<SignalCore> make_signal(const char* name, bool is_deferred);
    void close_signal(SignalCore& core);
    Connection connect(SignalCore& core, Phase phase, bool once, std::unique_ptr<Handler> handler);
    void wait(SignalCore& core, SignalWait& wait, RootTask& task);
    /// In the serial phase: parallel listeners get the call in the next parallel phase, serial ones
    /// now, or in the next serial phase.
    SendResult fire(SignalCore& core, std::shared_ptr<SignalEvent> event, bool is_deferred);
    SignalCore* find_signal(std::uint64_t id) const noexcept;
    /// From now on it is not called. By who runs its actor, or in the serial phase.
    static void end_listener(Listener& listener);
    Connection bind_to_simulation(double rate_hz, int priority, std::unique_ptr<Handler> handler);
    std::uint64_t skipped_steps() const noexcept { return skipped_steps_; }

    // --- ActorHost, TaskHost -----------------------------------------------------------------------
    /// `state` stays the caller's when it throws.
    ActorRef spawn(ActorOptions&& options, BehaviourTable* shared, void* state,
                   void (*destroy_state)(void*) noexcept, Setup setup) override;
    void destroy(ActorRef actor) override;
    void handlers_changed(ActorCell& actor) override;
    void disconnect(ActorRef actor, std::uint64_t handler) override;
    void disconnect(Listener& listener) override;
    void drop(ActorRef actor, const MailHead& mail) override;
    SendResult fire(std::uint64_t signal, std::shared_ptr<SignalEvent> event) override;
    void start(Task<> task) override;
    void synchronize(RootTask& task) override;
    void desynchronize(RootTask& task) override;
    void next_frame(RootTask& task) override;
    void wait(RootTask& task, std::int64_t ns) override;
    void offload(RootTask& task) override;
    void await_group(RootTask& task) override;
    TaskRef launch(Task<> task, Begin when, std::int64_t ns) override;
    CancelResult cancel(TaskRef task) override;
    void begin_member(const RootTask& parent, GroupMember& member) override;
    void abandon(RootTask& member) noexcept override;
    bool await_ticket(RootTask& task, TicketCore& ticket) override;
    void wake(TicketCore& ticket) noexcept override;
    void tell_last(TicketCore& ticket) noexcept override;
    void call_with(TicketCore& ticket, UniqueFunction<void(TicketCore&)> function) override;
    void watch(TicketCore& ticket, std::int64_t due_ns) override;
    void unwatch(TicketCore& ticket) noexcept override;
    std::int64_t frame_time_ns() const noexcept override { return time_.time_ns; }
    std::int64_t frame_step_ns() const noexcept override { return time_.step_ns; }
    std::uint64_t frame_number() const noexcept override { return time_.frame; }

  private:
    friend class AsActor;
    struct PendingFire;
    class OpenFire;
    /// Fixed-rate work, a signal with one listener.
    struct Simulation {
        std::shared_ptr<SignalCore> signal;
        std::shared_ptr<Listener> listener;
        double rate_hz;
        int priority;
        std::uint64_t next;    // step
        std::uint64_t skipped; // before that
    };
    /// What sweep_listeners() works on.
    struct ListenerSweep {
        std::vector<std::shared_ptr<Listener>> listeners;
        std::vector<std::unique_ptr<Handler>> closures;
        std::vector<ActorCell*> actors;
        std::vector<SignalCore*> signals;
        std::vector<std::shared_ptr<SignalEvent>> events;
    };
    struct Move {
        ActorRef actor;
        int worker;
    };
    struct BarrierHook {
        std::uint64_t number;
        UniqueFunction<void()> hook;
    };
    struct CommitSource {
        const Commit* next;
        const Commit* end;
    };
    /// What a task on a background thread still uses of an actor that is gone.
    struct Remains {
        std::unique_ptr<ActorMore> more;
        BehaviourTable* shared;
    };

    bool must_end(RootTask& task) noexcept;
    void take_ended_tickets(FrameWorker& worker) noexcept;
    static void finish_watch(ActorContext& here, void* data, bool run);
    static void finish_tell(ActorContext& here, void* data, bool run);
    FrameWorker& worker_of(const ActorCell* cell) noexcept;
    void begin_later(ActorTask& task, Begin when, std::int64_t ns);
    void begin_frame(std::int64_t now);
    bool open_stage(Stage stage);
    void run_rounds(FrameReport& report, bool is_first_stage, FrameMarks& marks);
    bool resume_due();
    std::shared_ptr<Listener> add_listener(SignalCore& core, Phase phase, bool once,
                                           const char* member);
    void register_listener(SignalCore& core, const std::shared_ptr<Listener>& listener);
    void register_in_order(SignalCore& core, std::shared_ptr<Listener> listener);
    void call_in_parallel(SignalCore& core, const std::shared_ptr<SignalEvent>& event);
    void call_in_serial(SignalCore& core, const std::shared_ptr<SignalEvent>& event);
    void call_pending_of(ActorCell& cell);
    void settle(SignalCore& core);
    void begin_listeners_of(ActorCell& cell);
    void stop_listeners_of(ActorCell& cell);
    void end_listeners_of(ActorCell& cell);
    void end_signals();
    void sweep_listeners(FrameWorker& worker);
    void take_ended(EndedListeners& ended);
    void sweep_events();
    static void finish_fire(ActorContext& here, void* data, bool run);
    bool skip_simulation();
    void run_simulation();
    std::int64_t next_simulation_ns() const noexcept;
    void admit(bool is_first);
    void admit(std::uint64_t address, const MailType& type, MailHead& mail);
    std::uint64_t leave_gate(std::uint64_t address, MailHead& mail) noexcept;
    void come_home();
    void make_ready(ActorTask& task);
    bool has_work() noexcept;
    bool has_mail() const noexcept;
    void parallel_phase(FrameMarks& marks);
    /// Calls `visit(FrameWorker&)` for those that left something to the serial phase: the others'
    /// lines stay where they are.
    template <class Visit>
    void for_each_left(Visit visit) {
        visit(frame_thread());
        for (int index = 1; index < workers(); ++index)
            if (quiescence_.has_more(index))
                visit(worker(index));
    }
    void serial_phase(FrameReport& report);
    std::uint64_t run_commits();
    void run(const Commit& commit);
    void publish_all() noexcept;
    void tidy_up();
    void send_home() noexcept;
    void make_moves();
    void bury_dying();
    void bury(ActorCell& cell);
    void bring_to_life(ActorCell& cell);
    void kept_is_due(ActorCell& cell);
    void begin_life(ActorRef ref, Setup& setup);
    void send_dead_letters();
    void commit_resume(ActorTask& task);
    void require_running() const;
    bool is_alive(ActorRef ref) const noexcept;
    bool in_parallel() const noexcept;
    void when_serial(RootTask& task, void (*finish)(ActorContext&, void*, bool));
    void expire_kept(ActorCell& cell, DeadLetter::Reason reason);
    void release_remains() noexcept;
    void drain_all_mail();
    void drop_world_tasks();

    FrameWorker& frame_thread() noexcept { return *frame_workers_.front(); }

    const EngineOptions options_;
    const std::uint64_t frame_group_ = FramePool::new_group();
    const RuntimeNumber number_;
    Workers workers_;
    ActorTable table_;
    Mailboxes<StdPolicy> mailboxes_;
    Quiescence<StdPolicy> quiescence_;
    std::vector<std::unique_ptr<FrameWorker>> frame_workers_;
    Gate<StdPolicy> gate_;
    OffloadPool offload_;
    Balance balance_;
    /// Workers read it in each phase: on lines that are written only where it changes.
    struct alignas(kInterference) Observation {
        explicit Observation(int workers) : recording(workers) {}
        Recording recording;
        bool is_watched = false;
        const ProfilerHooks* hooks = nullptr; // not owned
    } observation_;
    const char* commit_name_ = nullptr;

    // The frame thread's:
    FrameTime time_;
    std::int64_t began_ns_ = 0;
    std::int64_t advanced_ns_ = 0; // by advance_clock()
    std::uint64_t next_actor_id_ = 1;
    std::uint64_t actors_ = 0;
    std::vector<Commit> commits_; // of the next serial phase, from the frame thread
    std::vector<Commit> running_commits_;
    std::vector<CommitSource> sources_;
    std::uint64_t world_sequence_ = 0;
    std::uint64_t taken_before_ = 0;
    std::uint64_t sent_before_ = 0; // by the frame thread, when the last phase was over
    struct Serve {
        void operator()(int index) const noexcept {
            if (index != 0)
                engine.worker(index).serve();
        }
        Engine& engine;
    } serve_{*this};
    bool crew_serves_ = false; // the workers are in serve()
    std::uint64_t tasks_dropped_ = 0;
    TaskTable tasks_;
    TimerWheel timers_;
    TimerWheel deadlines_; // of tickets, a reference of each
    TimerList next_frame_;
    std::vector<Remains> remains_;
    std::array<std::shared_ptr<SignalCore>, kStages> frame_signals_;
    std::unordered_map<std::uint64_t, std::shared_ptr<SignalCore>> signals_; // by id
    std::uint64_t signal_clock_ = 0;                   // numbers fires and connections
    ListenerSweep sweep_;                              // empty; keeps its memory
    std::vector<std::shared_ptr<SignalEvent>> events_; // that parallel listeners hear
    std::vector<std::shared_ptr<Listener>> in_use_;    // ended, nobody's, and their tasks go on
    std::vector<std::unique_ptr<Handler>> closures_in_use_; // at the end, by orphaned tasks
    std::vector<Simulation> simulation_;                    // by priority, then in bind order
    std::uint64_t skipped_steps_ = 0;
    std::vector<ActorRef> dying_;
    bool has_unlisted_dying_ = false; // there was no memory to list them
    std::vector<Move> moves_;
    std::vector<BarrierHook> barrier_hooks_;
    std::uint64_t next_hook_ = 1;
    std::uint64_t rounds_ = 0;
    std::vector<std::shared_ptr<LoadBoard<StdPolicy>>> loads_;
    RootTask* world_tasks_ = nullptr;
    ActorTree* tree_ = nullptr;
    UniqueFunction<void(const Failure&)> on_failure_;
    UniqueFunction<void(const DeadLetter&)> on_dead_letter_;
    std::uint64_t failures_ = 0;
    std::uint64_t commits_run_ = 0;
    std::vector<ActorTask*> come_home_;
    bool kept_due_ = false; // some worker has kept mail to open
    // in_frame_:   writes: the frame thread   reads: anyone
    std::atomic<bool> in_frame_{false};
    std::int64_t phase_due_ns_ = kNever;
    FrameThread frame_thread_seat_;
    // stop_requested_:   writes: anyone   reads: the frame thread
    std::atomic<bool> stop_requested_{false};
    bool shut_down_ = false;
};

/// While it lives, the frame thread acts in the name of an actor, or of nobody.
class AsActor {
  public:
    AsActor(Engine& engine, Actor* actor) noexcept;
    ~AsActor();
    AsActor(const AsActor&) = delete;
    AsActor& operator=(const AsActor&) = delete;

  private:
    Engine& engine_;
    FrameWorker& here_;
    Actor* const actor_before_;
    Outbox<StdPolicy>* const outbox_before_;
    const std::uint64_t sent_before_;
    std::optional<std::uint16_t> shard_; // of the actor
};

} // namespace takt::detail
