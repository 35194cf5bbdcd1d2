// SPDX-License-Identifier: MIT
#include "dispatch_range/config.hpp"
#include "support/openmp_team.hpp"

namespace takt::bench::dispatch_range {
namespace {

class Static {
  public:
    Static(int workers, Job& job) : job_(job), team_(workers) {}
    void range() {
        const std::size_t items = job_.items();
#pragma omp parallel for schedule(static) num_threads(team_.workers())
        for (std::size_t index = 0; index < items; ++index)
            job_.run(index);
    }

  private:
    Job& job_;
    PinnedTeam team_;
};

class Dynamic {
  public:
    Dynamic(int workers, Job& job) : job_(job), team_(workers) {}
    void range() {
        const std::size_t items = job_.items();
        const std::size_t chunk =
            std::max<std::size_t>(1, items / (16 * static_cast<std::size_t>(team_.workers())));
#pragma omp parallel for schedule(dynamic, chunk) num_threads(team_.workers())
        for (std::size_t index = 0; index < items; ++index)
            job_.run(index);
    }

  private:
    Job& job_;
    PinnedTeam team_;
};

} // namespace

void add_openmp(Field& field, const Size& size, const std::shared_ptr<Job>& job) {
    add<Static>(field, "openmp_static", size, job);
    add<Dynamic>(field, "openmp_dynamic", size, job);
}

} // namespace takt::bench::dispatch_range
