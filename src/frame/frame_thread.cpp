// SPDX-License-Identifier: MIT
#include "frame/frame_thread.hpp"

#include <mutex>
#include <utility>
#include <vector>

namespace takt::detail {

/// What of a thread a seat reaches into. Lives as long as the thread.
struct FrameThread::Thread {
    std::atomic<Context*>& context;
    std::atomic<FramePool*>& frames;
    bool had_seat = false; // ThreadEnd will look
};

namespace {

std::mutex& seats_mutex() {
    static std::mutex& mutex = *new std::mutex; // threads end after static objects
    return mutex;
}

std::vector<FrameThread*>& seats() {
    static std::vector<FrameThread*>& all = *new std::vector<FrameThread*>;
    return all;
}

} // namespace

/// Empties the seats of a thread that ends.
struct ThreadEnd {
    FrameThread::Thread thread{t_context, t_frame_pool};

    ~ThreadEnd() {
        if (!thread.had_seat)
            return;
        const std::lock_guard lock(seats_mutex());
        for (FrameThread* const seat : seats())
            if (seat->thread_.load(std::memory_order_relaxed) == &thread) // relaxed: the mutex
                seat->thread_.store(nullptr, std::memory_order_relaxed);  // relaxed: the mutex
    }
};

namespace {

ThreadEnd& this_thread() noexcept {
    thread_local ThreadEnd end;
    return end;
}

} // namespace

FrameThread::FrameThread() {
    const std::lock_guard lock(seats_mutex());
    seats().push_back(this);
}

FrameThread::~FrameThread() {
    const std::lock_guard lock(seats_mutex());
    leave();
    std::erase(seats(), this);
}

// Under the mutex, so that the thread does not end meanwhile.
void FrameThread::leave() noexcept {
    Thread* const thread = thread_.load(std::memory_order_relaxed); // relaxed: the mutex
    if (thread == nullptr)
        return;
    // It may act for another runtime by now.
    Context* context = context_;
    FramePool* frames = frames_;
    // relaxed: whoever is sent away looks at nothing of the runtime any more
    thread->context.compare_exchange_strong(context, nullptr, std::memory_order_relaxed,
                                            std::memory_order_relaxed);
    // relaxed: the same
    thread->frames.compare_exchange_strong(frames, nullptr, std::memory_order_relaxed,
                                           std::memory_order_relaxed);
}

void FrameThread::take(Context& context, FramePool& frames) noexcept {
    Thread& here = this_thread().thread;
    // relaxed: that it is the caller's only the caller changes
    if (thread_.load(std::memory_order_relaxed) != &here) {
        const std::lock_guard lock(seats_mutex());
        leave();
        context_ = &context;
        frames_ = &frames;
        here.had_seat = true;
        thread_.store(&here, std::memory_order_relaxed); // relaxed: the mutex
    }
    set_current_context(&context);
    set_current_frame_pool(&frames);
}

bool FrameThread::is_here() const noexcept {
    // relaxed: that it is the caller's only the caller changes
    return thread_.load(std::memory_order_relaxed) == &this_thread().thread;
}

} // namespace takt::detail
