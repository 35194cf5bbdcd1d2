// SPDX-License-Identifier: MIT
#pragma once
// Layer 5, task. A coroutine that belongs to an actor and runs in frames. Below: frame_pool. Beside:
// awaits (what a task may wait for). Above: the frame, which resumes tasks.

#include "takt/base.hpp"
#include "takt/task/frame_pool.hpp"
#include "takt/task/task_ref.hpp"

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace takt {

template <class T = void>
class Task;

namespace detail {

struct PromiseBase;
struct RootTask;
struct GroupMember;
class TicketCore;

/// When a task begins.
enum class Begin : std::uint8_t { now, deferred, delayed };

/// What happens to a task that waits: the part of a frame that tasks know.
class TaskHost {
  public:
    /// Each: `task.leaf` is suspended; it goes on when and where the name says.
    virtual void synchronize(RootTask& task) = 0;
    virtual void desynchronize(RootTask& task) = 0;
    virtual void next_frame(RootTask& task) = 0;
    virtual void wait(RootTask& task, std::int64_t ns) = 0;
    /// From here on other threads may run, or end, the task.
    virtual void offload(RootTask& task) = 0;

    /// The task goes on when its group says so.
    virtual void await_group(RootTask& task) = 0;

    /// Begins a task of its own in the name of the actor whose code runs. `ns`: of a delay.
    virtual TaskRef launch(Task<void> task, Begin when, std::int64_t ns) = 0;
    virtual CancelResult cancel(TaskRef task) = 0;
    /// Runs a member of a group, in the name of the actor of the task that awaits the group. Its
    /// `root` is set before it runs.
    virtual void begin_member(const RootTask& parent, GroupMember& member) = 0;
    /// A member of a group, which has not ended, is cancelled; it is nobody's any more.
    virtual void abandon(RootTask& member) noexcept = 0;

    /// The time in frames, in nanoseconds.
    virtual std::int64_t frame_time_ns() const noexcept = 0;
    virtual std::int64_t frame_step_ns() const noexcept = 0;
    virtual std::uint64_t frame_number() const noexcept = 0;

  protected:
    ~TaskHost() = default;
};

/// A task that nobody awaits, and all that it awaits: one of them is suspended, or runs.
struct RootTask {
    TaskHost* host = nullptr;
    std::coroutine_handle<> outermost; // owned; null: it was cancelled, and is still on its way
    std::coroutine_handle<> leaf;      // where it goes on
    std::exception_ptr failure;
    GroupMember* member = nullptr; // as which a group awaits it
    TicketCore* errand = nullptr;  // the request that it answers, or helps to
    RootTask* previous = nullptr;  // in its actor's list
    RootTask* next = nullptr;
    ScopeMark* scopes = nullptr; // the innermost, where it waits: they are closed
    ScopeMark* below = nullptr;  // the innermost of others, where it runs
    std::uint64_t number = 0;    // in records; 0: it has none yet
    Phase phase = Phase::serial; // in which it goes on
};

/// What a context knows of tasks.
struct TaskContext : Context {
    TaskHost* task_host = nullptr;
};

/// The frame that the caller is in; PhaseError outside.
inline TaskHost& need_task_host(const char* member) {
    auto* const here = static_cast<TaskContext*>(current_context());
    if (here == nullptr)
        violated(member,
                 "Call it on the frame thread between frames, or from code that a frame runs; "
                 "from other threads use Runtime::post()",
                 Level::in_frame);
    return *here->task_host;
}

/// What the calling thread does with tasks. Tasks never resume tasks: g++ 12 grows the stack then.
/// Whoever is to run next is noted here, and resume_task()'s loop runs it.
struct TaskThread {
    std::coroutine_handle<> next;
    RootTask* finished = nullptr;
    TicketCore* errand = nullptr; // the request that the running code answers, or helps to
    bool holds_up_frames = false; // what runs is in no phase, and frames wait for it all the same
};
inline constinit thread_local TaskThread t_task_thread;

TAKT_THREAD_LOCAL_ACCESS TaskThread& task_thread() noexcept {
    return t_task_thread;
}

/// Runs the task until it waits or ends. True: it has ended; then, and only then, `task` may still
/// be looked at, since a task that waits may go on elsewhere at once.
bool resume_task(RootTask& task) noexcept;

/// What the promises of all tasks have in common.
struct PromiseBase {
    static void* operator new(std::size_t bytes) { return FramePool::allocate(bytes); }
    static void operator delete(void* frame) noexcept { FramePool::release(frame); }

    struct Final {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
            PromiseBase& promise = self.promise();
            if (promise.awaited_by)
                task_thread().next = promise.awaited_by;
            else
                task_thread().finished = promise.root;
        }
        void await_resume() const noexcept {}
    };

    std::suspend_always initial_suspend() const noexcept { return {}; }
    Final final_suspend() const noexcept { return {}; }

    void unhandled_exception() noexcept;

    RootTask* root = nullptr; // set before it is resumed for the first time
    std::coroutine_handle<> awaited_by;
    std::exception_ptr failure; // for who awaits it; else the root has it
};

template <class T>
struct TaskPromise : PromiseBase {
    Task<T> get_return_object() noexcept;
    template <class Value>
    requires std::convertible_to<Value, T>
    void return_value(Value&& value) { result.emplace(std::forward<Value>(value)); }
    T take() {
        if (failure)
            std::rethrow_exception(failure);
        return std::move(*result);
    }

    std::optional<T> result;
};

template <>
struct TaskPromise<void> : PromiseBase {
    Task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() const {
        if (failure)
            std::rethrow_exception(failure);
    }
};

/// A task that awaits another one.
template <class T>
struct TaskAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> parent) const noexcept {
        static_assert(std::is_base_of_v<PromiseBase, Promise>,
                      "takt: only a takt::Task may await a takt::Task");
        handle.promise().root = parent.promise().root;
        handle.promise().awaited_by = parent;
        task_thread().next = handle;
    }
    T await_resume() const { return handle.promise().take(); }

    std::coroutine_handle<TaskPromise<T>> handle;
};

} // namespace detail

/// A coroutine of an actor. It does not begin before it is awaited, handed to spawn(), or returned
/// from a handler. Move-only; destroying one that has not ended destroys what it holds.
///
///     takt::Task<int> count(int from) { co_await takt::next_frame(); co_return from + 1; }
///     takt::Task<> twice() { int n = co_await count(0); n = co_await count(n); }
///
/// It goes on only in the serial phase or on its actor's worker, never inside another task. Frames
/// come from a pool of the worker and are aligned to 64 bytes.
template <class T>
class [[nodiscard]] Task {
  public:
    using promise_type = detail::TaskPromise<T>;

    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Task& operator=(Task&& other) noexcept {
        Task(std::move(other)).swap(*this);
        return *this;
    }
    ~Task() {
        if (handle_)
            handle_.destroy();
    }
    void swap(Task& other) noexcept { std::swap(handle_, other.handle_); }

    /// Runs it, within the task that awaits, and gives its result, or throws what it threw.
    auto operator co_await() && noexcept { return detail::TaskAwaiter<T>{handle_}; }

    /// For the runtime: takes a coroutine, and gives it away.
    static Task adopt(std::coroutine_handle<promise_type> handle) noexcept { return Task(handle); }
    std::coroutine_handle<promise_type> release() noexcept {
        return std::exchange(handle_, nullptr);
    }

  private:
    template <class>
    friend struct detail::TaskPromise;
    explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}

    std::coroutine_handle<promise_type> handle_;
};

template <class T>
Task<T> detail::TaskPromise<T>::get_return_object() noexcept {
    return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> detail::TaskPromise<void>::get_return_object() noexcept {
    return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<Task<T>> = true;

} // namespace takt
