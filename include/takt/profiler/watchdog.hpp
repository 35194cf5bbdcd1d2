// SPDX-License-Identifier: MIT
#pragma once
// Layer 11, profiler. Tells of a handler that takes too long, while it does. Below: runtime, observation.

#include "takt/runtime.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <iosfwd>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace takt {

/// What a worker is running, or has been running for too long.
struct SlowScope {
    ActorRef actor = {};                   ///< empty: nobody's
    std::string name = {};                 ///< the actor's, its first 31 bytes; may be empty
    std::string topic = {};                ///< empty: a commit, or a task that goes on
    int worker = 0;                        ///< 0 in the serial phase
    int cpu = -1;                          ///< that the worker is pinned to, -1: to none
    std::chrono::nanoseconds running = {}; ///< at least so long

    /// `worker 1 on CPU 3 has been running actor "ai", topic "Plan", for 52 ms`
    std::string text() const;
};

struct WatchdogOptions {
    /// For one message, or one commit.
    std::chrono::nanoseconds budget = std::chrono::milliseconds(50);
    /// Called on the watchdog's thread, once for each that is over its budget; must not throw. Without it
    /// a line goes to stderr.
    UniqueFunction<void(const SlowScope&)> on_slow = {};
};

/// Looks at what the workers run, from a thread of its own, four times in each budget; so what it tells is
/// late by a quarter of it at most. While it lives each message costs some ten stores more. Made and
/// destroyed between frames; the runtime outlives it.
class Watchdog {
  public:
    /// Throws Error where the thread cannot be started, or the budget is less than 1 ms.
    explicit Watchdog(Runtime& runtime, WatchdogOptions options = {});
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    /// What runs now, however long; any thread. `running` counts from when the watchdog first saw it.
    std::vector<SlowScope> running() const;
    /// Scopes that were over their budget. Any thread.
    std::uint64_t slow() const;

  private:
    struct Seen {
        std::uint64_t number = 0;
        std::int64_t since_ns = 0;
        bool is_told = false;
    };

    void watch();
    void look(std::int64_t now);
    SlowScope describe(int worker, const RunningScope& scope, std::int64_t since_ns,
                       std::int64_t now) const;

    Runtime& runtime_;
    WatchdogOptions options_;
    mutable std::mutex mutex_; // of all below; never held while a frame waits
    std::condition_variable wake_;
    bool ends_ = false;
    std::uint64_t slow_ = 0;
    std::vector<Seen> seen_; // by worker
    std::thread thread_;
};

} // namespace takt
