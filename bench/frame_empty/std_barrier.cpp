// SPDX-License-Identifier: MIT
#include "frame_empty/config.hpp"

#include <barrier>
#include <optional>
#include <thread>

namespace takt::bench::frame_empty {
namespace {

// Pinned threads between two barriers: one that begins the frame and one that ends it.
class StdBarrier {
  public:
    static constexpr bool kOwnWorker = true;

    explicit StdBarrier(Seats& seats)
        : seats_(seats), plan_(plan_for(static_cast<int>(seats.size()))),
          barrier_(static_cast<std::ptrdiff_t>(seats.size())), pin_(plan_.workers[0].cpu) {
        for (std::size_t worker = 1; worker < seats.size(); ++worker)
            threads_.emplace_back([this, worker] {
                const ScopedPin pin(plan_.workers[worker].cpu);
                for (;;) {
                    barrier_.arrive_and_wait();
                    if (over_)
                        return;
                    seats_[worker].run();
                    barrier_.arrive_and_wait();
                }
            });
    }
    ~StdBarrier() {
        over_ = true;
        barrier_.arrive_and_wait();
        for (std::thread& thread : threads_)
            thread.join();
    }
    void frame() {
        barrier_.arrive_and_wait();
        seats_[0].run();
        barrier_.arrive_and_wait();
    }

  private:
    Seats& seats_;
    Plan plan_;
    std::barrier<> barrier_;
    ScopedPin pin_;
    bool over_ = false; // handed over by the barrier
    std::vector<std::thread> threads_;
};

} // namespace

void add_std_barrier(Field& field, int workers) {
    add<StdBarrier>(field, "std_barrier", workers);
}

} // namespace takt::bench::frame_empty
