// SPDX-License-Identifier: MIT
#include "skew_frame/config.hpp"
#include "support/openmp_team.hpp"

namespace takt::bench::skew_frame {
namespace {

class Dynamic final : public Contender {
  public:
    Dynamic(Cast& cast, int workers) : cast_(cast), team_(workers) {}
    void frame() override {
#pragma omp parallel for schedule(dynamic, 1) num_threads(team_.workers())
        for (std::size_t actor = 0; actor < kActors; ++actor)
            cast_.run(actor);
    }

  private:
    Cast& cast_;
    PinnedTeam team_;
};

} // namespace

std::unique_ptr<Contender> make_openmp_dynamic(Cast& cast, int workers) {
    return std::make_unique<Dynamic>(cast, workers);
}

} // namespace takt::bench::skew_frame
