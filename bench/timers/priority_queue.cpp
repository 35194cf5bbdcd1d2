// SPDX-License-Identifier: MIT
#include "timers/config.hpp"

#include <queue>

namespace takt::bench::timers {
namespace {

/// A binary heap. What is removed stays in it until its time, and is passed over then.
class PriorityQueue {
  public:
    explicit PriorityQueue(std::uint32_t pending) : timers_(pending) {}

    void add(std::uint32_t timer, std::int64_t due_ns) {
        timers_[timer].due_ns = due_ns;
        queue_.push({due_ns, next_++, timer, ++timers_[timer].generation});
    }
    void remove(std::uint32_t timer) { ++timers_[timer].generation; }
    std::uint32_t take() {
        for (;;) {
            const Entry first = queue_.top();
            queue_.pop();
            if (timers_[first.timer].generation == first.generation)
                return first.timer;
        }
    }
    std::int64_t due_ns(std::uint32_t timer) const { return timers_[timer].due_ns; }

  private:
    struct Timer {
        std::int64_t due_ns = 0;
        std::uint32_t generation = 0;
    };
    struct Entry {
        std::int64_t due_ns;
        std::uint64_t number; // equal times in the order of their coming
        std::uint32_t timer;
        std::uint32_t generation;

        bool operator<(const Entry& other) const noexcept { // the queue has the largest on top
            return due_ns != other.due_ns ? due_ns > other.due_ns : number > other.number;
        }
    };

    std::vector<Timer> timers_;
    std::priority_queue<Entry> queue_;
    std::uint64_t next_ = 0;
};

} // namespace

void add_priority_queue(Field& field, std::uint32_t pending) {
    add_contender<PriorityQueue>(field, "priority_queue", pending);
}

} // namespace takt::bench::timers
