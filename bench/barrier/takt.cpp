// SPDX-License-Identifier: MIT
#include "barrier/config.hpp"

namespace takt::bench::barrier {
namespace {

// The frame barrier used as a full barrier: gather, then release.
class Takt final : public Contender {
  public:
    explicit Takt(int workers)
        : Contender(workers), plan_(plan_for(workers)),
          barrier_(make_barrier_shape(plan_.workers), waiting_for(plan_)) {
        for (int worker = 1; worker < workers; ++worker)
            members_.push_back(std::make_unique<Seat>(barrier_.member(worker)));
    }

    void enter(int worker) override {
        if (worker == 0)
            barrier_.release();
        else
            member(worker).await_release();
    }
    void meet(int worker) override {
        if (worker == 0) {
            barrier_.gather();
            barrier_.release();
        } else {
            member(worker).arrive();
            member(worker).await_release();
        }
    }
    void leave(int worker) override {
        if (worker == 0)
            barrier_.gather();
        else
            member(worker).arrive();
    }

  private:
    struct alignas(kInterference) Seat {
        BarrierMember<StdPolicy> member;
    };
    BarrierMember<StdPolicy>& member(int worker) {
        return members_[static_cast<std::size_t>(worker - 1)]->member;
    }

    Plan plan_;
    FrameBarrier<StdPolicy> barrier_;
    std::vector<std::unique_ptr<Seat>> members_;
};

} // namespace

void add_takt() {
    add<Takt>("takt");
}

} // namespace takt::bench::barrier
