// SPDX-License-Identifier: MIT
#include "barrier/config.hpp"

#include <pthread.h>

namespace takt::bench::barrier {
namespace {

class PthreadBarrier final : public Contender {
  public:
    explicit PthreadBarrier(int workers) : Contender(workers) {
        pthread_barrier_init(&barrier_, nullptr, static_cast<unsigned>(workers));
    }
    ~PthreadBarrier() override { pthread_barrier_destroy(&barrier_); }
    void meet(int) override { pthread_barrier_wait(&barrier_); }

  private:
    pthread_barrier_t barrier_{};
};

} // namespace

void add_pthread_barrier() {
    add<PthreadBarrier>("pthread_barrier");
}

} // namespace takt::bench::barrier
