// SPDX-License-Identifier: MIT
#include "signal_fire/config.hpp"

#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <chrono>
#include <functional>
#include <thread>

namespace takt::bench::signal_fire {
namespace {

// One loop over the listeners for each fire, split as the scheduler sees fit. Its threads are where
// the system puts them.
class TbbParallelFor {
  public:
    explicit TbbParallelFor(Seats& seats)
        : threads_(tbb::global_control::max_allowed_parallelism, kWorkers), arena_(kWorkers) {
        for (Seat& seat : seats)
            listeners_.emplace_back([&seat](std::uint64_t fire) { seat.hear(fire); });
        for (int times = 0; times < 10; ++times) // its threads come when they first find work
            arena_.execute([] {
                tbb::parallel_for(
                    0, kWorkers,
                    [](int) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); },
                    tbb::simple_partitioner());
            });
    }
    void fire(std::uint64_t number) {
        arena_.execute([&] {
            tbb::parallel_for(std::size_t{0}, listeners_.size(),
                              [&](std::size_t at) { listeners_[at](number); });
        });
    }

  private:
    tbb::global_control threads_;
    tbb::task_arena arena_;
    std::vector<std::function<void(std::uint64_t)>> listeners_;
};

} // namespace

void add_tbb_parallel_for(Field& parallel, std::size_t listeners) {
    // oneTBB counts the CPUs of the thread that uses it first: before anybody is pinned.
    static_cast<void>(tbb::info::default_concurrency());
    add_contender<TbbParallelFor>(parallel, "tbb_parallel_for", listeners, "parallel");
}

} // namespace takt::bench::signal_fire
