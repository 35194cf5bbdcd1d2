// SPDX-License-Identifier: MIT
#include "barrier/config.hpp"

#include <omp.h>

namespace takt::bench::barrier {
namespace {

// OpenMP's own team, each thread pinned to the CPU that the plan gives to everybody's worker.
class OpenMp final : public Contender {
  public:
    explicit OpenMp(int workers) : workers_(workers), plan_(plan_for(workers)) {}
    void meet(int) override {
#pragma omp barrier
    }
    void parallel(const std::function<void(int)>& body) override {
#pragma omp parallel num_threads(workers_)
        {
            const int worker = omp_get_thread_num();
            const ScopedPin pin(plan_.workers[static_cast<std::size_t>(worker)].cpu);
#pragma omp barrier
            body(worker);
        }
    }

  private:
    int workers_;
    Plan plan_;
};

} // namespace

void add_openmp() {
    add<OpenMp>("openmp");
}

} // namespace takt::bench::barrier
