// SPDX-License-Identifier: MIT
#pragma once
// Layer 5, task. Tasks that begin on their own, and how they are cancelled: spawn, defer, delay,
// cancel. Below: task, awaits. Above: the frame, which is the TaskHost.

#include "takt/task/awaits.hpp"
#include "takt/task/task.hpp"

#include <chrono>
#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace takt {

namespace detail {

// The function and its arguments lie in this task's frame: they live as long as what it began.
template <class F, class... Args>
Task<> run_function(F function, Args... args) {
    if constexpr (is_task<std::invoke_result_t<F&, Args...>>)
        co_await std::invoke(function, std::move(args)...);
    else
        std::invoke(function, std::move(args)...);
    co_return;
}

template <class F, class... Args>
inline constexpr bool runs_with = std::is_invocable_v<std::decay_t<F>&, std::decay_t<Args>...>;

template <class F, class... Args>
TaskRef launch(const char* member, Begin when, std::int64_t ns, F&& function, Args&&... args) {
    static_assert(runs_with<F, Args...> || runs_with<F, Serial, Args...> ||
                      runs_with<F, Parallel, Args...>,
                  "takt: the function cannot be called with these arguments (it may take the token "
                  "of the caller's phase, takt::Serial or takt::Parallel, before them)");
    TaskHost& host = need_task_host(member);
    if constexpr (runs_with<F, Args...>) {
        return host.launch(run_function<std::decay_t<F>, std::decay_t<Args>...>(
                               std::forward<F>(function), std::forward<Args>(args)...),
                           when, ns);
    } else if constexpr (runs_with<F, Serial, Args...>) {
        if (current_phase() != Phase::serial)
            violated(member, "Its function takes a takt::Serial: call it in the serial phase, or "
                             "let the function co_await takt::synchronize()");
        return launch(member, when, ns, std::forward<F>(function), TokenMint::serial(),
                      std::forward<Args>(args)...);
    } else if constexpr (runs_with<F, Parallel, Args...>) {
        if (current_phase() != Phase::parallel)
            violated(member,
                     "Its function takes a takt::Parallel: call it in the parallel phase, or let "
                     "the function co_await takt::desynchronize()",
                     Level::in_frame);
        return launch(member, when, ns, std::forward<F>(function), TokenMint::parallel(),
                      std::forward<Args>(args)...);
    }
}

} // namespace detail

/// Runs `function(args...)`, or the Task<> that it returns, now, in the caller's phase, up to where it
/// first waits; then it goes on on its own, as a task of the actor whose code runs, or of nobody. It
/// keeps copies of the function and the arguments as long as it needs them. The function may take
/// the token of the caller's phase first; PhaseError where it takes the other one. What it throws is
/// reported as the actor's failure, not thrown here. In a phase only. Lock-free, but for memory, which
/// comes from the worker's pool.
template <class F, class... Args>
requires(!std::same_as<std::remove_cvref_t<F>, Task<>>) TaskRef
    spawn(F&& function, Args&&... args) {
    return detail::launch("takt::spawn", detail::Begin::now, 0, std::forward<F>(function),
                          std::forward<Args>(args)...);
}
/// The same for a task that was made already.
inline TaskRef spawn(Task<> task) {
    return detail::need_task_host("takt::spawn").launch(std::move(task), detail::Begin::now, 0);
}

/// As spawn(), but later in this frame, where a message that the actor sends to itself now would be
/// handled: from the parallel phase behind what waits for the actor in this phase (with next_round
/// delivery in the next round), from the serial phase in the serial phase of the next round. When the
/// frame has no more rounds: in the next frame.
template <class F, class... Args>
TaskRef defer(F&& function, Args&&... args) {
    return detail::launch("takt::defer", detail::Begin::deferred, 0, std::forward<F>(function),
                          std::forward<Args>(args)...);
}

/// As spawn(), but in the first heartbeat at or after `duration` from this frame's time, in the
/// caller's phase. 0 or less: the next heartbeat.
template <class Rep, class Period, class F, class... Args>
TaskRef delay(std::chrono::duration<Rep, Period> duration, F&& function, Args&&... args) {
    return detail::launch("takt::delay", detail::Begin::delayed, detail::nanoseconds_of(duration),
                          std::forward<F>(function), std::forward<Args>(args)...);
}

/// The task does not go on: at its next await that waits, where it stands, it ends, and what it
/// holds is destroyed, without an exception. At once where it waits, and is the caller's actor's, or
/// the phase is serial. A task may cancel itself, or one that began it: that is `pending`. Tasks that
/// it awaits go with it; those that it spawned do not. A task of another runtime is `nothing`. In a
/// phase only.
inline CancelResult cancel(TaskRef task) {
    return detail::need_task_host("takt::cancel").cancel(task);
}

} // namespace takt
