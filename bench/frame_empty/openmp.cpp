// SPDX-License-Identifier: MIT
#include "frame_empty/config.hpp"
#include "support/openmp_team.hpp"

namespace takt::bench::frame_empty {
namespace {

// One parallel region per frame.
class OpenMp {
  public:
    static constexpr bool kOwnWorker = true;

    explicit OpenMp(Seats& seats) : seats_(seats), team_(static_cast<int>(seats.size())) {}
    void frame() {
#pragma omp parallel num_threads(team_.workers())
        seats_[static_cast<std::size_t>(omp_get_thread_num())].run();
    }

  private:
    Seats& seats_;
    PinnedTeam team_;
};

} // namespace

void add_openmp(Field& field, int workers) {
    add<OpenMp>(field, "openmp", workers);
}

} // namespace takt::bench::frame_empty
