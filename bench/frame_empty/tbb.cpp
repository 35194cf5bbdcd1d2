// SPDX-License-Identifier: MIT
#include "frame_empty/config.hpp"

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_scheduler_observer.h>

#include <atomic>

namespace takt::bench::frame_empty {
namespace {

// Each thread that enters the arena takes the CPU of its slot.
class PinSlots : public tbb::task_scheduler_observer {
  public:
    PinSlots(tbb::task_arena& arena, const Plan& plan)
        : tbb::task_scheduler_observer(arena), plan_(plan) {
        observe(true);
    }
    ~PinSlots() override { observe(false); }
    void on_scheduler_entry(bool) override {
        const int slot = tbb::this_task_arena::current_thread_index();
        if (slot >= 0 && static_cast<std::size_t>(slot) < plan_.workers.size())
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
          pin_(plan_.workers[0].cpu),
          threads_(tbb::global_control::max_allowed_parallelism, seats.size()),
          arena_(static_cast<int>(seats.size())), observer_(arena_, plan_) {}
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
    ScopedPin pin_;
    tbb::global_control threads_;
    tbb::task_arena arena_;
    PinSlots observer_;
};

} // namespace

void add_tbb(Field& field, int workers) {
    add<Tbb>(field, "tbb", workers);
}

} // namespace takt::bench::frame_empty
