// SPDX-License-Identifier: MIT
#include "skew_frame/config.hpp"
#include "support/tbb_arena.hpp"

#include <tbb/blocked_range.h>

namespace takt::bench::skew_frame {
namespace {

template <class Partitioner>
class Tbb final : public Contender {
  public:
    Tbb(Cast& cast, int workers) : cast_(cast), arena_(workers) {}
    void frame() override {
        arena_.execute([this] {
            tbb::parallel_for(
                tbb::blocked_range<std::size_t>(0, kActors, 1),
                [this](const tbb::blocked_range<std::size_t>& range) {
                    for (std::size_t actor = range.begin(); actor != range.end(); ++actor)
                        cast_.run(actor);
                },
                partitioner_);
        });
    }

  private:
    Cast& cast_;
    PinnedArena arena_;
    Partitioner partitioner_; // the affinity one remembers the frames before
};

template <class Partitioner>
std::unique_ptr<Contender> make(Cast& cast, int workers) {
    let_tbb_count_cpus();
    return std::make_unique<Tbb<Partitioner>>(cast, workers);
}

} // namespace

std::unique_ptr<Contender> make_tbb_auto(Cast& cast, int workers) {
    return make<tbb::auto_partitioner>(cast, workers);
}
std::unique_ptr<Contender> make_tbb_affinity(Cast& cast, int workers) {
    return make<tbb::affinity_partitioner>(cast, workers);
}

} // namespace takt::bench::skew_frame
