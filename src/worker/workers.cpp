// SPDX-License-Identifier: MIT
#include "takt/worker/workers.hpp"

#include "takt/topology.hpp"

#include <csignal>
#include <cstring>
#include <system_error>
#include <thread>

#include <pthread.h>
#include <sys/prctl.h>

namespace takt {
namespace {

// The crews whose turns this thread is in, innermost first, to refuse run() inside a turn.
class InTurnOf {
  public:
    explicit InTurnOf(const void* crew) noexcept : crew_(crew), outer_(innermost) {
        innermost = this;
    }
    ~InTurnOf() { innermost = outer_; }
    InTurnOf(const InTurnOf&) = delete;
    InTurnOf& operator=(const InTurnOf&) = delete;

    static bool holds(const void* crew) noexcept {
        const InTurnOf* turn = innermost;
        while (turn != nullptr && turn->crew_ != crew)
            turn = turn->outer_;
        return turn != nullptr;
    }

  private:
    static thread_local const InTurnOf* innermost;

    const void* const crew_;
    const InTurnOf* const outer_;
};

thread_local const InTurnOf* InTurnOf::innermost = nullptr;

// Worker threads leave signals to the threads of the program. The synchronous ones stay, because a
// fault in a handler must reach its reporter, and the profiler's, which samples each thread.
class BlockSignals {
  public:
    BlockSignals() noexcept {
        sigset_t blocked;
        sigfillset(&blocked);
        for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF})
            sigdelset(&blocked, fault);
        pthread_sigmask(SIG_SETMASK, &blocked, &before_);
    }
    ~BlockSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    BlockSignals(const BlockSignals&) = delete;
    BlockSignals& operator=(const BlockSignals&) = delete;

  private:
    sigset_t before_{};
};

void name_this_thread(int worker) {
    const std::string name = "takt-" + std::to_string(worker);
    pthread_setname_np(pthread_self(), name.c_str());
}

// Timed sleeps end when they are due. By default the kernel may let them end 50 us later, to end
// several at once: half of the time by which a sleeper rises before its event.
void sleep_without_slack() {
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

std::vector<WorkerStatus> unpinned(const Plan& plan) {
    std::vector<WorkerStatus> statuses;
    for (const PlannedWorker& worker : plan.workers)
        statuses.push_back({.worker = worker.worker,
                            .requested_cpu = worker.cpu,
                            .granted = {},
                            .pinned = false,
                            .why = plan.pin ? worker.why : "pinning is off in the plan"});
    return statuses;
}

void take_pin(WorkerStatus& status, const PinResult& pin) {
    status.granted = pin.granted;
    status.pinned = pin.pinned;
    if (!pin.pinned)
        status.why = pin.why;
}

} // namespace

Waiting waiting_for(const Plan& plan) noexcept {
    if (plan.oversubscribed)
        return {.spin_ns = 0, .yields = 64, .prewake_ns = 0};
    return {};
}

struct Workers::Crew {
    Crew(const Plan& plan, const WorkersConfig& config)
        : waiting(config.waiting.value_or(waiting_for(plan))),
          booking(plan.pin ? Booking::take(plan.cpus()) : Booking()),
          turns(make_barrier_shape(plan.workers), waiting), statuses(unpinned(plan)) {}

    void start(const Plan& plan, const WorkersConfig& config);
    void start_threads();
    void pin(const Plan& plan, const WorkersConfig& config);
    void refuse_missing_pins() const;
    void run(Turn turn, std::int64_t due_ns);
    void stop() noexcept;

    const Waiting waiting;
    Booking booking;
    Turns<StdPolicy> turns;
    std::vector<WorkerStatus> statuses;
    std::vector<std::thread> threads;
    std::optional<ScopedPin> caller_pin;
};

void Workers::Crew::start(const Plan& plan, const WorkersConfig& config) {
    try {
        start_threads();
        if (plan.pin)
            pin(plan, config);
        if (plan.pin && config.require_pins)
            refuse_missing_pins();
    } catch (...) {
        stop();
        throw;
    }
}

void Workers::Crew::start_threads() {
    const BlockSignals inherited_by_the_threads;
    for (int worker = 1; worker < turns.workers(); ++worker)
        try {
            threads.emplace_back([this, worker, member = turns.member(worker)] {
                const InTurnOf for_life(this); // a worker thread is never outside a turn
                name_this_thread(worker);
                sleep_without_slack();
                turns.serve(worker, member);
            });
        } catch (const std::system_error& refused) {
            throw Error("workers.count", std::to_string(turns.workers()),
                        "the system refused to start thread " + std::to_string(worker) + " (" +
                            refused.code().message() + "); those already started were joined",
                        "Ask for fewer workers, or raise the limit on processes or memory");
        }
}

void Workers::Crew::pin(const Plan& plan, const WorkersConfig& config) {
    auto pin_worker = [&](int worker) {
        if (worker == 0)
            return;
        const auto index = static_cast<std::size_t>(worker);
        take_pin(statuses[index], pin_this_thread(plan.workers[index].cpu));
    };
    run(Turn::of(pin_worker), kNever);
    if (config.pin_caller) {
        caller_pin.emplace(plan.workers[0].cpu);
        take_pin(statuses[0], caller_pin->result());
    } else {
        statuses[0].why = "the caller's thread is left where it is (pin_caller is off)";
    }
}

void Workers::Crew::refuse_missing_pins() const {
    for (std::size_t worker = caller_pin ? 0 : 1; worker < statuses.size(); ++worker)
        if (!statuses[worker].pinned)
            throw Error("workers.require_pins", "true",
                        "worker " + std::to_string(worker) + " is not pinned to CPU " +
                            std::to_string(statuses[worker].requested_cpu) + ": " +
                            statuses[worker].why,
                        "Choose other CPUs, widen the cpuset, or switch require_pins off");
}

void Workers::Crew::run(Turn turn, std::int64_t due_ns) {
    if (InTurnOf::holds(this))
        throw Error("workers.run", "nested", "run() was called inside a turn of the same workers",
                    "Return from the turn first, then start the next one");
    const InTurnOf this_turn(this);
    turns.run(turn, due_ns);
}

void Workers::Crew::stop() noexcept {
    turns.stop();
    for (std::thread& thread : threads)
        thread.join();
    threads.clear();
}

namespace {

const Plan& checked(const Plan& plan) {
    if (plan.workers.empty() || plan.workers.size() > std::size_t{kWorkersMax})
        throw Error("workers.count", std::to_string(plan.workers.size()),
                    "a crew has 1 to " + std::to_string(kWorkersMax) + " workers",
                    "make the plan with make_plan()");
    return plan;
}

} // namespace

Workers::Workers(const Plan& plan, const WorkersConfig& config)
    : crew_(std::make_unique<Crew>(checked(plan), config)) {
    crew_->start(plan, config);
}

Workers::Workers(Workers&&) noexcept = default;

Workers::~Workers() {
    if (crew_)
        crew_->stop();
}

int Workers::count() const noexcept {
    return crew_->turns.workers();
}

int Workers::active() const noexcept {
    return crew_->turns.active();
}

void Workers::set_active(int active) {
    if (active < 1 || active > count())
        throw Error("workers.active", std::to_string(active),
                    "the crew has workers 1 to " + std::to_string(count()),
                    "Pass a count in that range, or plan more workers");
    crew_->turns.set_active(active);
}

void Workers::run_turn(Turn turn, std::int64_t due_ns) {
    crew_->run(turn, due_ns);
}

void Workers::begin_turn(Turn turn) {
    crew_->turns.begin(turn);
}

void Workers::end() {
    crew_->turns.end();
}

const std::vector<WorkerStatus>& Workers::status() const noexcept {
    return crew_->statuses;
}

const Waiting& Workers::waiting() const noexcept {
    return crew_->waiting;
}

} // namespace takt
