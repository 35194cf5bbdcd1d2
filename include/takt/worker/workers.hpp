// SPDX-License-Identifier: MIT
#pragma once
// Layer 2, worker. The threads: one per planned worker, pinned, with the caller as worker 0. They
// take turns and know no messages. Below: turns (what they do), topology (where they sit).

#include "takt/worker/turns.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace takt {

/// How a crew of workers is started and how it waits.
struct WorkersConfig {
    /// Empty: waiting_for(plan).
    std::optional<Waiting> waiting = {};
    /// Pin the constructing thread to worker 0's CPU until the crew is destroyed. Off by default: a
    /// thread that takt did not make belongs to its owner, who may want it elsewhere between
    /// frames.
    bool pin_caller = false;
    /// Throw when the operating system refuses a pin. Off: the worker runs unpinned, and status()
    /// says so.
    bool require_pins = false;
};

/// What became of one planned worker.
struct WorkerStatus {
    int worker = 0;
    int requested_cpu = -1; // what the plan asked for
    CpuSet granted = {};    // the affinity mask read back from the kernel after the pin
    bool pinned = false;    // granted is exactly the requested CPU
    std::string why = {};   // the plan's reason, or why the worker is not pinned
};

/// How the workers of this plan wait: they spin only where each has a CPU of its own.
Waiting waiting_for(const Plan& plan) noexcept;

/// Pinned threads that run the same function, all at once, whenever worker 0 says so.
///
/// One thread at a time, the owner, uses a Workers; it is worker 0 inside run(). Destruction stops
/// and joins the threads. A moved-from Workers may only be destroyed. Rules: turns.hpp (W1 to W3).
///
/// A child of fork() has no workers: it leaves the crew alone, and ends in exec or _exit.
class Workers {
  public:
    /// Starts plan.workers.size() - 1 threads. Throws Error with nothing left behind when a CPU is
    /// booked by another crew of this process, a thread cannot be started, a pin that is
    /// required is refused, or the plan has no workers or more than kWorkersMax.
    explicit Workers(const Plan& plan, const WorkersConfig& config = {});
    ~Workers();
    Workers(Workers&&) noexcept;
    Workers& operator=(Workers&&) = delete;

    int count() const noexcept;
    /// Workers that take part in the next run(): 0 .. active() - 1.
    int active() const noexcept;
    /// 1 <= active <= count(); throws Error otherwise. Workers that take no part sleep.
    void set_active(int active);

    /// Calls `turn(worker)` once on every active worker, on the caller as worker 0, and returns
    /// when all are done. All that the caller did before is visible to the turns, all that the
    /// turns did is visible to the caller after. Throws what a turn threw (W2), or Error when
    /// called from inside a turn of this crew. `due_ns`: when the next run is expected (now_ns
    /// time); sleeping workers rise shortly before.
    template <class F>
    void run(F&& turn, std::int64_t due_ns = kNever) {
        auto call = [&turn](int worker) { turn(worker); };
        run_turn(Turn::of(call), due_ns);
    }

    /// Calls `turn(worker)` once on every active worker but the caller, which goes on. `turn`
    /// outlives it. Until end() nothing else of this crew may be used, but status() and the like.
    template <class F>
    void begin(F& turn) {
        begin_turn(Turn::of(turn));
    }
    /// Waits until all are done with it. As run(), throws what a turn threw.
    void end();

    /// One entry per worker, in order; [0] speaks of the caller and is pinned only on request.
    const std::vector<WorkerStatus>& status() const noexcept;
    const Waiting& waiting() const noexcept;

  private:
    void run_turn(Turn turn, std::int64_t due_ns);
    void begin_turn(Turn turn);

    struct Crew;
    std::unique_ptr<Crew> crew_;
};

} // namespace takt
