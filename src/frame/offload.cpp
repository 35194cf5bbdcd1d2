// SPDX-License-Identifier: MIT
#include "frame/offload.hpp"

#include "takt/topology.hpp"

#include <algorithm>

namespace takt::detail {

void OffloadPool::join() noexcept {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    work_.notify_all();
    for (std::thread& thread : threads_)
        thread.join();
    threads_.clear();
}

void OffloadPool::run(ActorTask& task, std::string name) {
    const std::lock_guard lock(mutex_);
    // All that can fail comes first.
    away_.reserve(away_.size() + 1);
    if (threads_.size() < static_cast<std::size_t>(threads_max_) && threads_.size() <= away_.size())
        threads_.emplace_back([this] { serve(); });
    waiting_.push_back(&task);
    away_.push_back({&task, std::move(name)});
    tasks_.fetch_add(1, std::memory_order_relaxed); // relaxed: the mutex hands the task over
    if (threads_max_ == 0)
        home_count_.store(1, std::memory_order_relaxed); // relaxed: the same thread collects
    work_.notify_one();
}

void OffloadPool::serve() {
    unpin_this_thread(); // a worker may have started it
    std::unique_lock lock(mutex_);
    for (;;) {
        work_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
        if (waiting_.empty())
            return;
        ActorTask& task = *waiting_.front();
        waiting_.pop_front();
        lock.unlock();
        if (resume_task(task)) {
            task.ended = true;
            come_home(task);
        }
        lock.lock();
    }
}

// What runs here is in no phase, as on a background thread.
void OffloadPool::serve_here() {
    Context* const context = current_context();
    FramePool* const frames = current_frame_pool();
    set_current_context(nullptr);
    set_current_frame_pool(nullptr);
    task_thread().holds_up_frames = true;
    while (!waiting_.empty()) {
        ActorTask& task = *waiting_.front();
        waiting_.pop_front();
        if (resume_task(task)) {
            task.ended = true;
            come_home(task);
        }
    }
    task_thread().holds_up_frames = false;
    set_current_context(context);
    set_current_frame_pool(frames);
}

void OffloadPool::come_home(ActorTask& task) {
    {
        const std::lock_guard lock(mutex_);
        home_.push_back(&task);
        std::erase_if(away_, [&task](const Away& away) { return away.task == &task; });
        home_count_.store(home_.size(), std::memory_order_seq_cst); // cross home, side A
    }
    wake_();
}

void OffloadPool::collect(std::vector<ActorTask*>& home) {
    if (!anyone_home())
        return;
    if (threads_max_ == 0)
        serve_here();
    const std::lock_guard lock(mutex_);
    if (order_)
        order_->shuffle(home_);
    home.insert(home.end(), home_.begin(), home_.end());
    tasks_.fetch_sub(home_.size(), std::memory_order_release); // edge home_tasks, release side
    home_.clear();
    home_count_.store(0, std::memory_order_relaxed); // relaxed: the mutex orders it
}

std::vector<std::string> OffloadPool::names() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const Away& away : away_)
        names.push_back(away.name);
    return names;
}

} // namespace takt::detail
