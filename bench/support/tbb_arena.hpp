// SPDX-License-Identifier: MIT
#pragma once
// The oneTBB contenders' threads. For sources that are linked with oneTBB.

#include "support/window.hpp"

#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_scheduler_observer.h>

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

namespace takt::bench {

/// oneTBB counts the CPUs of the thread that uses it first: before anybody is pinned.
inline void let_tbb_count_cpus() {
    static_cast<void>(tbb::info::default_concurrency());
}

/// An arena of so many threads, the caller among them, on the CPUs that the plan gives to everybody's
/// workers. The caller is pinned while this lives.
class PinnedArena {
  public:
    explicit PinnedArena(int workers)
        : plan_(plan_for(workers)),
          threads_(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(workers)),
          arena_(workers), observer_(arena_, plan_) {
        // Its threads begin with the mask of who makes them, and take their own CPU when they first
        // find work. So that is before the caller is pinned, and long enough to be found.
        for (int times = 0; times < 10; ++times)
            arena_.execute([&] {
                tbb::parallel_for(
                    0, workers,
                    [](int) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); },
                    tbb::simple_partitioner());
            });
        pin_.emplace(plan_.workers[0].cpu);
    }
    template <class F>
    void execute(F&& function) {
        arena_.execute(std::forward<F>(function));
    }

  private:
    // Each thread that enters the arena takes the CPU of its slot, when it has not got it; the caller,
    // which enters with each frame, has its own.
    class PinSlots : public tbb::task_scheduler_observer {
      public:
        PinSlots(tbb::task_arena& arena, const Plan& plan)
            : tbb::task_scheduler_observer(arena), plan_(plan) {
            observe(true);
        }
        ~PinSlots() override { observe(false); }
        void on_scheduler_entry(bool) override {
            thread_local int mine = -1;
            const int slot = tbb::this_task_arena::current_thread_index();
            if (slot == mine || slot <= 0 || static_cast<std::size_t>(slot) >= plan_.workers.size())
                return;
            mine = slot;
            static_cast<void>(pin_this_thread(plan_.workers[static_cast<std::size_t>(slot)].cpu));
        }

      private:
        const Plan& plan_;
    };

    Plan plan_;
    tbb::global_control threads_;
    tbb::task_arena arena_;
    PinSlots observer_;
    std::optional<ScopedPin> pin_;
};

} // namespace takt::bench
