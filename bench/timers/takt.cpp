// SPDX-License-Identifier: MIT
#include "takt/task.hpp"
#include "timers/config.hpp"

namespace takt::bench::timers {
namespace {

class Takt {
  public:
    explicit Takt(std::uint32_t pending) : timers_(pending) {}

    void add(std::uint32_t timer, std::int64_t due_ns) { wheel_.add(timers_[timer], due_ns); }
    void remove(std::uint32_t timer) { wheel_.remove(timers_[timer]); }
    std::uint32_t take() {
        detail::Timer* earliest = nullptr;
        while (earliest == nullptr)
            earliest = wheel_.pop_due(wheel_.next_due_ns());
        return static_cast<std::uint32_t>(earliest - timers_.data());
    }
    std::int64_t due_ns(std::uint32_t timer) const { return timers_[timer].due_ns; }

  private:
    std::vector<detail::Timer> timers_;
    detail::TimerWheel wheel_;
};

} // namespace

void add_takt(Field& field, std::uint32_t pending) {
    add_contender<Takt>(field, "takt", pending);
}

} // namespace takt::bench::timers
