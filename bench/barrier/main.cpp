// SPDX-License-Identifier: MIT
#include "barrier/config.hpp"

namespace takt::bench::barrier {

void add_takt();
void add_std_barrier();
void add_pthread_barrier();
#if TAKT_HAVE_OPENMP
void add_openmp();
#endif

void prove(Contender& contender, int workers) {
    struct alignas(kInterference) Progress {
        std::atomic<int> round{0};
    };
    std::vector<Progress> progress(static_cast<std::size_t>(workers));
    std::atomic<bool> broken{false};
    contender.parallel([&](int worker) {
        contender.enter(worker);
        for (int round = 1; round <= kProofRounds; ++round) {
            // relaxed: if the barrier orders nothing, this is what must show it
            progress[static_cast<std::size_t>(worker)].round.store(round,
                                                                   std::memory_order_relaxed);
            contender.meet(worker);
            for (const Progress& other : progress)
                if (other.round.load(std::memory_order_relaxed) < round) // relaxed: see above
                    broken.store(true, std::memory_order_relaxed);       // relaxed: read after join
        }
        contender.leave(worker);
    });
    if (broken.load(std::memory_order_relaxed)) // relaxed: the parallel part is over
        throw std::logic_error("not a barrier: a worker left a round before all had entered it");
}

} // namespace takt::bench::barrier

int main(int argc, char** argv) {
    using namespace takt::bench::barrier;
    add_takt();
    add_std_barrier();
    add_pthread_barrier();
#if TAKT_HAVE_OPENMP
    add_openmp();
#endif
    return takt::bench::run(argc, argv);
}
