// SPDX-License-Identifier: MIT
#pragma once
// Layer 10, runtime. The one object that owns the rest: workers, actors, frames. Below: frame,
// config. Above: user code.

#include "takt/frame.hpp"
#include "takt/model.hpp"
#include "takt/runtime/config.hpp"
#include "takt/runtime/stats.hpp"
#include "takt/shared_table.hpp"
#include "takt/signal.hpp"

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace takt {

class Runtime;
namespace detail {
class Engine;
}
namespace testing {
class TestRuntime;
}

namespace detail {
/// What was recorded, and the names for it.
struct RecordingView {
    const Recording* recording;
    const Plan* plan;
    const ActorTable* table;

    /// "#7", where it has none.
    std::string name_of_actor(std::uint64_t address) const;
};
/// What TAKT_TRACE asks for, until it is destroyed; null: nothing. Defined in the profiler, which is
/// above: who sets the variable need not change the program.
std::shared_ptr<void> record_as_environment_says(Runtime& runtime);
} // namespace detail

/// The mail of one topic, by name.
struct TopicReport {
    std::string topic = {};
    MailCounts counts = {};
    ExpiryCounts expired = {}; ///< counts.expired, by reason
};

/// Sends from one thread outside through a lane of its own: wait-free, and FIFO. May move to another
/// thread, and may outlive the runtime: sends are then answered `closed`.
class MailProducer {
  public:
    MailProducer() = default;
    MailProducer(Producer<StdPolicy> producer, const detail::ActorTable& table) noexcept
        : producer_(std::move(producer)), table_(&table) {}

    /// As ActorRef::send. With Publishing::in_batch it is seen at flush(), at the end of this object
    /// or before a refusal as `full`.
    template <class... Args, class... Given>
    SendResult send(ActorRef to, const Topic<Args...>& topic, Given&&... args) {
        detail::MailHead head{topic.name(), topic.hash(), 0};
        detail::AskReceiver ask(table_, to, head);
        return producer_.send_if<detail::TopicMail<Args...>>(ask, to.address(), std::as_const(head),
                                                             std::forward<Given>(args)...);
    }
    /// The same; where send() would answer `full`, waits up to `timeout`.
    template <class... Args, class... Given>
    SendResult send_within(std::chrono::nanoseconds timeout, ActorRef to,
                           const Topic<Args...>& topic, Given&&... args) {
        detail::MailHead head{topic.name(), topic.hash(), 0};
        detail::AskReceiver ask(table_, to, head);
        return producer_.send_until_if<detail::TopicMail<Args...>>(
            later(now_ns(), timeout.count()), ask, to.address(), std::as_const(head),
            std::forward<Given>(args)...);
    }
    void flush() noexcept { producer_.flush(); }
    bool registered() const noexcept { return producer_.registered(); }

  private:
    Producer<StdPolicy> producer_;
    const detail::ActorTable* table_ = nullptr; // read inside the gate only, while that is open
};

/// What each frame fires at the begin of a stage; a listener is a function of `takt::FrameTime`.
class FrameSignal : public SignalSource<FrameTime> {
  public:
    /// The frame that runs, or ran last. In a frame, or between frames.
    FrameTime now() const;

  private:
    friend class Runtime;
    FrameSignal(detail::Engine& engine, std::shared_ptr<detail::SignalCore> core) noexcept
        : SignalSource(std::move(core)), engine_(&engine) {}

    detail::Engine* engine_;
};

/// Workers, actors and frames.
///
/// One thread at a time, the frame thread, uses a Runtime, but for stop(), post(), producer() and
/// shared_tables(), which any thread may call. It is the thread that made the runtime, or the last
/// one that called serial() or step(). PhaseError tells who comes while a frame runs
/// (docs/levels.md). Between frames it is in the serial phase: that is how a world is populated, and
/// how an engine embeds takt.
///
/// What is not handled when a Runtime is destroyed expires; shutdown() says how much that was. An
/// ActorRef of it may be used from outside until its destruction begins; a MailProducer also after.
class Runtime {
  public:
    /// Discovers the machine, makes the plan and starts the workers. Throws Error when the config
    /// is not valid, CPUs are booked by another runtime, or a thread cannot be started.
    explicit Runtime(const Config& config = {});
    /// The same for a machine that was described by somebody: tests, simulations.
    Runtime(const Config& config, const Machine& machine);
    ~Runtime();
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    // --- frames ----------------------------------------------------------------------------------

    /// One frame: rounds of a parallel and a serial phase, until nothing is to be done or
    /// frame.max_rounds is reached. PhaseError inside a frame. Leaves its caller on the CPU where it
    /// is, which may be another worker's: workers.pin_caller, or run(), keeps it on its own.
    FrameReport step();
    /// Frames, as frame.pacing says, until stop(). Pins the caller meanwhile, unless workers.pin is
    /// off.
    void run();
    /// The same until `done()`, which is asked after each frame.
    template <class Done>
    requires std::predicate<Done&>
    void run_until(Done done) {
        run_while("takt::Runtime::run_until", [&done] { return !done(); });
    }
    /// The same until the ticket is ready, whoever ends it.
    template <class R>
    void run_until(const Ticket<R>& ticket) {
        run_while("takt::Runtime::run_until", [core = detail::TicketAccess::hold(ticket)] {
            return detail::ring_when_over(core.get());
        });
    }
    /// The same for a duration from now; with a virtual clock of frame time, from the last frame on.
    void run_for(std::chrono::nanoseconds duration);
    /// Frames without a pause until nothing is to be done: no mail, no commit, no task that could go
    /// on, none on a background thread. Tasks that wait for a time or the next frame, and listeners,
    /// do not count; while tasks are on background threads they go on at their times, unless the clock
    /// is virtual, which stands then. Returns how many frames it took. Does not end while actors write to each other
    /// for ever; stop() ends it.
    std::uint64_t run_until_idle();
    /// Ends run() and its siblings after the current frame; what comes while none of them runs ends
    /// the next one after its first frame. Any thread; safe in a signal handler.
    void stop() noexcept;
    /// Ends what is left: closes the way in, destroys all actors, and waits for tasks on background
    /// threads. Afterwards sends are answered `closed`, and step() throws Error.
    ShutdownReport shutdown(std::chrono::nanoseconds patience);

    /// The calling thread is the frame thread from now on; the token of its serial phase.
    Serial serial();
    /// Runs `function()` in the serial phase of the next round. Any thread; lock-free.
    template <class F>
    requires std::invocable < std::decay_t<F>
    & > SendResult post(F&& function) {
        return post_closure(UniqueFunction<void()>(std::forward<F>(function)));
    }
    /// Runs a task of no actor, now, up to where it first waits; it runs in the serial phase only.
    void start(Task<> task);
    /// The stages of a frame, in this order. One that nobody listens to costs nothing.
    FrameSignal pre_simulation() noexcept;
    FrameSignal post_simulation() noexcept;
    FrameSignal heartbeat() noexcept;
    /// `step([Serial], SimulationStep)` at a fixed rate, in pre_simulation after its listeners: by
    /// time, then by priority (low first), then in bind order. What is due is computed from frame
    /// time, so nothing drifts; of more than 8 steps in one frame the oldest are skipped and
    /// counted. In the serial phase.
    template <class F>
    Connection bind_to_simulation(double rate_hz, int priority, F&& step) {
        using Made = detail::HandlerOf<Phase::serial, void, std::decay_t<F>, SimulationStep>;
        return bind_steps(rate_hz, priority, std::make_unique<Made>(std::forward<F>(step)));
    }
    /// Steps that were skipped, of all bindings.
    std::uint64_t skipped_steps() const;
    /// With a virtual clock: the next frame comes so much later than it would. Throws Error with a
    /// real one, and for a negative time. In the serial phase.
    void advance(std::chrono::nanoseconds by);

    // --- actors ----------------------------------------------------------------------------------

    /// As takt::spawn_actor, from the frame thread or from a handler.
    template <class F>
    requires std::invocable<F&, Actor&> ActorRef spawn_actor(ActorOptions options, F&& setup) {
        enter("takt::Runtime::spawn_actor");
        return takt::spawn_actor(std::move(options), std::forward<F>(setup));
    }
    /// An actor of a behaviour, with its state.
    template <class State, class... Setup>
    ActorRef spawn_actor(Behaviour<State>& behaviour, ActorOptions options = {},
                         State state = State(), Setup&&... setup) {
        enter("takt::Runtime::spawn_actor");
        return behaviour.spawn(std::move(options), std::move(state), std::forward<Setup>(setup)...);
    }
    /// A way in for one thread; any thread. Not registered() once the runtime is shut down.
    MailProducer producer(Publishing publishing = Publishing::at_once);
    /// A way out for one thread: workers push, it receives. Any number of them.
    template <class T>
    Outlet<T> outlet(const OutletConfig& config = {}) {
        return Outlet<T>(workers(), config);
    }
    /// Moves the actor, and those that share its shard, to another worker, as soon as no mail is
    /// under way. In the serial phase.
    void move(ActorRef actor, int worker);

    // --- the model -------------------------------------------------------------------------------

    /// The root of the tree of instances, named "root". Any thread.
    Instance root() const noexcept;
    /// The shared tables that have a name here. Any thread.
    SharedTableRegistry& shared_tables() noexcept { return shared_tables_; }
    const SharedTableRegistry& shared_tables() const noexcept { return shared_tables_; }

    // --- what one may want to know ---------------------------------------------------------------

    int workers() const noexcept;
    const Plan& plan() const noexcept;
    /// What became of each worker: asked for, granted, and why.
    const std::vector<WorkerStatus>& worker_status() const noexcept;
    const EffectiveConfig& config() const noexcept;
    /// In a frame, or between frames.
    std::uint64_t actors() const;
    /// Sums over all actors, and by topic. In the serial phase.
    MailCounts mail() const;
    /// Sends from phases that were answered so: `dead`, `full` or `no_memory`. In the serial phase.
    std::uint64_t refused(SendResult why) const;
    /// Of mail().expired, that for this reason. In the serial phase.
    std::uint64_t expired(Expiry reason) const;
    std::vector<TopicReport> topics() const;
    /// What was done so that workers have equally much to do. In the serial phase.
    BalanceCounts balance() const;
    /// All of that, and more, at once. In the serial phase.
    Stats stats() const;
    /// What each actor is at: whom nobody can explain any more. In the serial phase; print() writes it.
    std::vector<ActorState> actor_states() const;
    /// What went through the gate. In the serial phase.
    GateCounts outside_mail();
    /// Bytes of lanes, boards, pools, and the slots of actors and instances; without what those hold.
    /// In the serial phase.
    std::size_t memory_bytes() const;
    /// The report of the last frame, also for the `done` of run_until().
    /// In a frame, or between frames.
    const FrameReport& last_frame() const;
    /// Frames that fixed pacing left out since they were too late to make up for. In a frame,
    /// or between frames.
    std::uint64_t skipped_frames() const;

    /// Called in the serial phase with each failure; must not throw. Without it they go to stderr.
    /// To be set in the serial phase.
    void on_failure(UniqueFunction<void(const Failure&)> hook);
    /// Called in the serial phase with each message that expired; must not throw. To be
    /// set in the serial phase.
    void on_dead_letter(UniqueFunction<void(const DeadLetter&)> hook);

    /// Calls `hooks` from now on, for somebody else's profiler; null: no more. They stay the caller's, and
    /// are to live until that, or the runtime's end. Ends the workers' wait. Between frames.
    void set_profiler(const ProfilerHooks* hooks);

    /// For dispatchers and the like.
    operator World() noexcept;

  private:
    friend class testing::TestRuntime;
    friend class Recorder;
    friend class Watchdog;
    void start_recording(std::size_t records);
    void stop_recording() noexcept;
    /// In the serial phase, or between frames.
    detail::RecordingView recording() const;
    void watch(bool is_on);
    const detail::RunningMark<StdPolicy>& running(int worker) const noexcept;
    /// `hook` is called after each frame until it is removed by the same key.
    void add_after_frame(const void* key, UniqueFunction<void(const FrameReport&)> hook);
    void remove_after_frame(const void* key) noexcept;
    /// With a seed: on the calling thread alone, and what is left open is drawn from the seed. The
    /// config is of one worker.
    Runtime(const Config& config, const Machine& machine, std::optional<std::uint64_t> seed);
    /// A frame at its time, or at this one where that is sooner; the clock is virtual.
    FrameReport step_no_later(std::int64_t time_ns);
    /// Nothing is to be done but what waits for a time.
    bool is_idle() noexcept;
    /// Messages that no worker has taken yet, and tasks on their way to one.
    std::uint64_t mail_under_way();
    /// Calls `function()` in the serial phase, now, in the name of the actor.
    void run_as(ActorRef actor, UniqueFunction<void()> function);

    void enter(const char* member);
    void run_while(const char* member, UniqueFunction<bool()> go_on, std::int64_t end_ns = kNever);
    void pace_fixed(std::int64_t& due_ns);
    void pace_on_demand(std::int64_t end_ns);
    std::int64_t due_in_real_time_ns() const noexcept;
    Connection bind_steps(double rate_hz, int priority, std::unique_ptr<detail::Handler> step);
    SendResult post_closure(UniqueFunction<void()> closure);

    EffectiveConfig config_;
    SharedTableRegistry shared_tables_;
    std::unique_ptr<detail::InstanceTree> tree_; // goes after the engine, which destroys into it
    std::unique_ptr<detail::Engine> engine_;
    FrameReport last_frame_;
    std::uint64_t skipped_frames_ = 0;
    struct AfterFrame {
        const void* key;
        UniqueFunction<void(const FrameReport&)> hook;
    };
    std::vector<AfterFrame> after_frame_;
    std::shared_ptr<void> recorded_; // as the environment says
};

} // namespace takt
