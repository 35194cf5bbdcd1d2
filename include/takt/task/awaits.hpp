// SPDX-License-Identifier: MIT
#pragma once
// Layer 5, task. What a task may wait for. Below: task. Above: the frame, which is the TaskHost.

#include "takt/base.hpp"
#include "takt/task/task.hpp"

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <utility>

namespace takt {

/// A frame as its tasks see it.
struct FrameTime {
    std::uint64_t frame = 0;  ///< counts from 1
    std::int64_t time_ns = 0; ///< since the runtime began; the virtual clock's where there is one
    std::int64_t step_ns = 0; ///< since the frame before
};

namespace detail {

/// Rounded up, so that nobody waits for less; kNever where that is beyond all time.
template <class Rep, class Period>
constexpr std::int64_t nanoseconds_of(std::chrono::duration<Rep, Period> duration) noexcept {
    using Double = std::chrono::duration<double, std::nano>;
    if (Double(duration).count() >= static_cast<double>(kNever))
        return kNever;
    if (Double(duration).count() <= 0)
        return 0;
    return std::chrono::ceil<std::chrono::nanoseconds>(duration).count();
}

/// Suspends a task and hands it to its host.
template <class Derived>
struct HostAwaiter {
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) {
        static_assert(std::is_base_of_v<PromiseBase, Promise>,
                      "takt: only a takt::Task may await this");
        RootTask& root = *self.promise().root;
        root.leaf = self;
        static_cast<Derived*>(this)->hand_over(root);
    }
};

struct Synchronize : HostAwaiter<Synchronize> {
    bool await_ready() const noexcept { return current_phase() == Phase::serial; }
    void hand_over(RootTask& root) const { root.host->synchronize(root); }
    Serial await_resume() const noexcept { return TokenMint::serial(); }
};

struct Desynchronize : HostAwaiter<Desynchronize> {
    bool await_ready() const noexcept { return current_phase() == Phase::parallel; }
    void hand_over(RootTask& root) const { root.host->desynchronize(root); }
    Parallel await_resume() const noexcept { return TokenMint::parallel(); }
};

struct NextFrame : HostAwaiter<NextFrame> {
    bool await_ready() const noexcept { return false; }
    void hand_over(RootTask& root) {
        host = root.host;
        host->next_frame(root);
    }
    FrameTime await_resume() const noexcept {
        return {host->frame_number(), host->frame_time_ns(), host->frame_step_ns()};
    }

    TaskHost* host = nullptr;
};

struct Wait : HostAwaiter<Wait> {
    explicit Wait(std::int64_t wanted_ns) noexcept : ns(wanted_ns) {}
    bool await_ready() const noexcept { return false; }
    void hand_over(RootTask& root) {
        host = root.host;
        since_ns = host->frame_time_ns();
        host->wait(root, ns);
    }
    std::chrono::nanoseconds await_resume() const noexcept {
        return std::chrono::nanoseconds(host->frame_time_ns() - since_ns);
    }

    std::int64_t ns;
    TaskHost* host = nullptr;
    std::int64_t since_ns = 0;
};

struct Offload : HostAwaiter<Offload> {
    bool await_ready() const noexcept { return current_phase() == Phase::outside; }
    void hand_over(RootTask& root) const { root.host->offload(root); }
    void await_resume() const noexcept {}
};

} // namespace detail

/// Goes on in this round's serial phase, in commit order, with the token that proves it. In the
/// serial phase it goes on at once.
[[nodiscard]] inline auto synchronize() noexcept {
    return detail::Synchronize{};
}

/// Goes on in the next round's parallel phase, on the actor's worker. In the parallel phase it goes
/// on at once. Outside an actor: PhaseError.
[[nodiscard]] inline auto desynchronize() noexcept {
    return detail::Desynchronize{};
}

/// Goes on in the next frame's heartbeat, in the caller's phase; gives that frame.
[[nodiscard]] inline auto next_frame() noexcept {
    return detail::NextFrame{};
}

/// Goes on in the first heartbeat at or after `duration`, in the caller's phase; gives what really
/// passed. 0 or less: the next heartbeat.
template <class Rep, class Period>
[[nodiscard]] auto wait(std::chrono::duration<Rep, Period> duration) noexcept {
    return detail::Wait(detail::nanoseconds_of(duration));
}

/// Goes on on a background thread, for long work: outside its actor, whose state it must not touch
/// there. Its next synchronize() or desynchronize() brings it home.
[[nodiscard]] inline auto offload() noexcept {
    return detail::Offload{};
}

} // namespace takt
