// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. Threads for work that takes longer than a frame. A mutex and a condition variable:
// who comes here has left the frame for milliseconds. Below: frame_worker.

#include "frame/frame_worker.hpp"
#include "frame/seeded_merge.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace takt::detail {

/// Started with the first task. Tasks come back by come_home(), or when they end. Without threads
/// they run when they are collected, on the collector's.
class OffloadPool {
  public:
    /// `wake`: called when a task comes home; from any thread.
    /// `seed`: for tests, draws the order in which tasks are collected.
    OffloadPool(int threads, std::optional<std::uint64_t> seed, UniqueFunction<void()> wake)
        : threads_max_(threads), wake_(std::move(wake)) {
        if (seed)
            order_.emplace(*seed);
    }
    ~OffloadPool() { join(); }
    OffloadPool(const OffloadPool&) = delete;
    OffloadPool& operator=(const OffloadPool&) = delete;

    /// Waits for the tasks that run and those that wait to; then there are no threads.
    void join() noexcept;
    /// Runs the task from where it waits on a background thread.
    void run(ActorTask& task, std::string name);
    /// From a background thread: the task waits, and goes on in its `phase`.
    void come_home(ActorTask& task);
    /// Appends those that have come home.
    void collect(std::vector<ActorTask*>& home);
    /// True also of those that are to run when they are collected.
    bool anyone_home() const noexcept {
        return home_count_.load(std::memory_order_seq_cst) != 0; // cross home, side B
    }
    /// Tasks that have not come home yet, and those that were not collected.
    std::size_t tasks() const noexcept {
        return tasks_.load(std::memory_order_acquire); // edge home_tasks, acquire side
    }
    /// The actors of the tasks that are away.
    std::vector<std::string> names();

  private:
    struct Away {
        ActorTask* task;
        std::string name;
    };

    void serve();
    [[gnu::cold]] void serve_here();

    const int threads_max_;
    UniqueFunction<void()> wake_;
    std::optional<SeededNumbers> order_;
    std::mutex mutex_;
    std::condition_variable work_;
    std::deque<ActorTask*> waiting_;
    std::vector<Away> away_;
    std::vector<ActorTask*> home_;
    std::vector<std::thread> threads_;
    bool ending_ = false;
    // home_count_:   writes: under the mutex   reads: the frame thread, each round
    std::atomic<std::size_t> home_count_{0};
    std::atomic<std::size_t> tasks_{0};
};

} // namespace takt::detail
