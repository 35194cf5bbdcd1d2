// SPDX-License-Identifier: MIT
#pragma once
// The OpenMP contenders' threads. For sources that are compiled with OpenMP.

#include "support/window.hpp"

#include <omp.h>

namespace takt::bench {

/// Libgomp's own team, each thread pinned to the CPU that the plan gives to everybody's worker. It
/// keeps its threads, and waits as it does by default. The caller is pinned while this lives.
class PinnedTeam {
  public:
    explicit PinnedTeam(int workers)
        : workers_(workers), plan_(plan_for(workers)), pin_(plan_.workers[0].cpu) {
#pragma omp parallel num_threads(workers_)
        if (const int worker = omp_get_thread_num(); worker != 0)
            static_cast<void>(pin_this_thread(plan_.workers[static_cast<std::size_t>(worker)].cpu));
    }
    int workers() const noexcept {
        return workers_;
    }

  private:
    int workers_;
    Plan plan_;
    ScopedPin pin_;
};

} // namespace takt::bench
