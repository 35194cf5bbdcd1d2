// SPDX-License-Identifier: MIT
#include "barrier/config.hpp"

#include <barrier>

namespace takt::bench::barrier {
namespace {

class StdBarrier final : public Contender {
  public:
    explicit StdBarrier(int workers) : Contender(workers), barrier_(workers) {}
    void meet(int) override { barrier_.arrive_and_wait(); }

  private:
    std::barrier<> barrier_;
};

} // namespace

void add_std_barrier() {
    add<StdBarrier>("std_barrier");
}

} // namespace takt::bench::barrier
