// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. Tasks that wait for a time; the frame thread's. Below: frame_worker.

#include "frame/frame_worker.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace takt::detail {

/// A binary heap by due time; equal ones in the order of their coming. Looking costs nothing while
/// none is due, however many wait.
class Timers {
  public:
    void add(std::int64_t due_ns, ActorTask& task) {
        heap_.push_back({due_ns, next_++, &task, task.actor});
        std::push_heap(heap_.begin(), heap_.end());
    }
    std::int64_t next_due_ns() const noexcept {
        return heap_.empty() ? kNever : heap_.front().due_ns;
    }
    /// The next task that is due at `now_ns`; null: none. Tasks of actors that are gone are passed
    /// over: `alive(actor)`.
    template <class Alive>
    ActorTask* pop_due(std::int64_t now_ns, Alive alive) {
        while (!heap_.empty() && heap_.front().due_ns <= now_ns) {
            std::pop_heap(heap_.begin(), heap_.end());
            const Timer timer = heap_.back();
            heap_.pop_back();
            if (alive(timer.actor))
                return timer.task;
        }
        return nullptr;
    }
    std::size_t size() const noexcept { return heap_.size(); }

  private:
    struct Timer {
        std::int64_t due_ns;
        std::uint64_t number;
        ActorTask* task; // valid while its actor lives
        ActorRef actor;

        bool operator<(const Timer& other) const noexcept { // the heap has the largest on top
            return due_ns != other.due_ns ? due_ns > other.due_ns : number > other.number;
        }
    };

    std::vector<Timer> heap_;
    std::uint64_t next_ = 0;
};

} // namespace takt::detail
