// SPDX-License-Identifier: MIT
#pragma once
// Protocol tests on real threads: the policy, checks and threads that scenarios.hpp asks for, and
// an Execution with the shape of the explorer's.

#include "takt/base.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <list>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace protocol {

/// SleeperPays: as the product runs where the kernel has membarrier, and where it has not.
template <bool SleeperPays>
struct ThreadsWith : takt::StdPolicy {
    static bool sleeper_pays() noexcept { return SleeperPays && takt::StdPolicy::sleeper_pays(); }
    static void sleeper_barrier() noexcept {
        if (sleeper_pays())
            takt::StdPolicy::sleeper_barrier();
    }

    using Thread = std::thread;

    static void check(bool holds, const char* what) { EXPECT_TRUE(holds) << what; }
    static Thread spawn(std::string_view, std::function<void()> body) {
        return Thread(std::move(body));
    }
    static void join(Thread& thread) { thread.join(); }
    template <class T>
    static void name(const T&, const char*, int = -1) {}
};
using Threads = ThreadsWith<true>;
using ThreadsWithoutMembarrier = ThreadsWith<false>;

/// What a scenario builds, run once on real threads.
class Execution {
  public:
    void thread(std::string_view, std::function<void()> body) {
        bodies_.push_back(std::move(body));
    }
    void finally(std::function<void()> invariant) { invariant_ = std::move(invariant); }

    void run() {
        std::vector<std::thread> threads;
        for (auto& body : bodies_)
            threads.emplace_back(std::move(body));
        for (std::thread& thread : threads)
            thread.join();
        if (invariant_)
            invariant_();
    }

  private:
    std::vector<std::function<void()>> bodies_;
    std::function<void()> invariant_;
};

/// Runs the scenario `rounds` times, or until a check fails.
template <class Scenario>
void stress(const Scenario& scenario, int rounds) {
    for (int round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
        Execution execution;
        scenario(execution);
        execution.run();
    }
}

} // namespace protocol
