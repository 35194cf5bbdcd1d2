// SPDX-License-Identifier: MIT
#include "frame_empty/config.hpp"

#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_scheduler_observer.h>

#include <optional>

namespace takt::bench::frame_empty {
namespace {

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

// One loop per frame. Who runs which index is the scheduler's choice, so only off_caller
// tells whether anybody but the caller did.
class Tbb {
  public:
    static constexpr bool kOwnWorker = false;

    explicit Tbb(Seats& seats)
        : seats_(seats), plan_(plan_for(static_cast<int>(seats.size()))),
          threads_(tbb::global_control::max_allowed_parallelism, seats.size()),
          arena_(static_cast<int>(seats.size())), observer_(arena_, plan_) {
        // Its threads begin with the mask of who makes them, and take their own CPU when they first
        // find work. So that is before the caller is pinned, and long enough to be found.
        for (int times = 0; times < 10; ++times)
            arena_.execute([this] {
                tbb::parallel_for(
                    std::size_t{0}, seats_.size(), [](std::size_t) { rest(1); },
                    tbb::simple_partitioner());
            });
        pin_.emplace(plan_.workers[0].cpu);
    }
    void frame() {
        arena_.execute([this] {
            tbb::parallel_for(
                std::size_t{0}, seats_.size(), [this](std::size_t seat) { seats_[seat].run(); },
                tbb::simple_partitioner());
        });
    }

  private:
    Seats& seats_;
    Plan plan_;
    tbb::global_control threads_;
    tbb::task_arena arena_;
    PinSlots observer_;
    std::optional<ScopedPin> pin_;
};

} // namespace

void add_tbb(Field& field, int workers) {
    // oneTBB counts the CPUs of the thread that uses it first: before anybody is pinned.
    static_cast<void>(tbb::info::default_concurrency());
    add<Tbb>(field, "tbb", workers);
}

} // namespace takt::bench::frame_empty
