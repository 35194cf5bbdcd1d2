// SPDX-License-Identifier: MIT
#include "takt/task.hpp"

namespace takt::detail {

bool resume_task(std::coroutine_handle<> leaf) noexcept {
    const UncheckedScope* const unchecked = unchecked_scope();
    set_unchecked_scope(nullptr);
    TaskThread& thread = task_thread();
    const TaskThread outer = thread; // a task may start another one at once
    thread = TaskThread{leaf, nullptr};
    while (thread.next)
        std::exchange(thread.next, nullptr).resume();
    const bool ended = thread.finished != nullptr;
    thread = outer;
    set_unchecked_scope(unchecked); // what the task has left of its own goes
    return ended;
}

} // namespace takt::detail
