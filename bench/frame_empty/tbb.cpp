// SPDX-License-Identifier: MIT
#include "frame_empty/config.hpp"
#include "support/tbb_arena.hpp"

namespace takt::bench::frame_empty {
namespace {

// One loop per frame. Who runs which index is the scheduler's choice, so only off_caller
// tells whether anybody but the caller did.
class Tbb {
  public:
    static constexpr bool kOwnWorker = false;

    explicit Tbb(Seats& seats) : seats_(seats), arena_(static_cast<int>(seats.size())) {}
    void frame() {
        arena_.execute([this] {
            tbb::parallel_for(
                std::size_t{0}, seats_.size(), [this](std::size_t seat) { seats_[seat].run(); },
                tbb::simple_partitioner());
        });
    }

  private:
    Seats& seats_;
    PinnedArena arena_;
};

} // namespace

void add_tbb(Field& field, int workers) {
    let_tbb_count_cpus();
    add<Tbb>(field, "tbb", workers);
}

} // namespace takt::bench::frame_empty
