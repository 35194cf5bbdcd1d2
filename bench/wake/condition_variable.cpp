// SPDX-License-Identifier: MIT
#include "wake/config.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>

namespace takt::bench::wake {
namespace {

class ConditionVariable final : public Bell {
  public:
    void ring(std::uint64_t number) override {
        {
            const std::lock_guard lock(mutex_);
            rung_ = number;
        }
        condition_.notify_one();
    }
    void await(std::uint64_t number, std::int64_t) override {
        std::unique_lock lock(mutex_);
        condition_.wait(lock, [&] { return rung_ >= number; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable condition_;
    std::uint64_t rung_ = 0;
};

} // namespace

void add_condition_variable() {
    const auto bell = [] { return std::make_unique<ConditionVariable>(); };
    add("condition_variable/parked", Rhythm::irregular, bell);
    add("condition_variable/parked_60hz", Rhythm::every_60th, bell);
}

} // namespace takt::bench::wake
