// SPDX-License-Identifier: MIT
#include "dispatch_range/config.hpp"
#include "support/tbb_arena.hpp"

namespace takt::bench::dispatch_range {
namespace {

class Tbb {
  public:
    Tbb(int workers, Job& job) : job_(job), arena_(workers) {}
    void range() {
        arena_.execute([this] {
            tbb::parallel_for(
                std::size_t{0}, job_.items(), [this](std::size_t index) { job_.run(index); },
                tbb::auto_partitioner());
        });
    }

  private:
    Job& job_;
    PinnedArena arena_;
};

} // namespace

void add_tbb(Field& field, const Size& size, const std::shared_ptr<Job>& job) {
    let_tbb_count_cpus();
    add<Tbb>(field, "tbb", size, job);
}

} // namespace takt::bench::dispatch_range
