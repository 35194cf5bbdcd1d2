// SPDX-License-Identifier: MIT
#include "frame_empty/config.hpp"

#include <omp.h>

namespace takt::bench::frame_empty {
namespace {

// One parallel region per frame. libgomp keeps its threads and waits as it does by default.
class OpenMp {
  public:
    static constexpr bool kOwnWorker = true;

    explicit OpenMp(Seats& seats)
        : seats_(seats), workers_(static_cast<int>(seats.size())), plan_(plan_for(workers_)),
          pin_(plan_.workers[0].cpu) {
#pragma omp parallel num_threads(workers_)
        if (const int worker = omp_get_thread_num(); worker != 0)
            static_cast<void>(pin_this_thread(plan_.workers[static_cast<std::size_t>(worker)].cpu));
    }
    void frame() {
#pragma omp parallel num_threads(workers_)
        seats_[static_cast<std::size_t>(omp_get_thread_num())].run();
    }

  private:
    Seats& seats_;
    int workers_;
    Plan plan_;
    ScopedPin pin_;
};

} // namespace

void add_openmp(Field& field, int workers) {
    add<OpenMp>(field, "openmp", workers);
}

} // namespace takt::bench::frame_empty
