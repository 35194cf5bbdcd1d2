// SPDX-License-Identifier: MIT
#pragma once
// Protocol tests under the explorer: the policy, checks and threads that scenarios.hpp asks for.

#include "support/explorer.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <string>
#include <string_view>

namespace protocol {

/// SleeperPays: with membarrier, or with the seq_cst fallback.
template <bool SleeperPays>
struct Model : explorer::BasicModelPolicy<SleeperPays> {
    using Thread = explorer::ThreadId;

    static void check(bool holds, const char* what) { explorer::check(holds, what); }
    static Thread spawn(std::string_view name, std::function<void()> body) {
        return explorer::spawn(name, std::move(body));
    }
    static void join(Thread& thread) { explorer::join(thread); }
    template <class T>
    static void name(const T& object, const char* label, int index = -1) {
        explorer::name(object, label, index);
    }
};

/// For typed test suites: each test with membarrier and without.
using Policies = ::testing::Types<Model<true>, Model<false>>;
struct PolicyNames {
    template <class P>
    static std::string GetName(int) {
        return P::sleeper_pays() ? "membarrier" : "fallback";
    }
};

/// PCT at depth 3 with its 100,000 runs, and random schedules: for scenarios too large for DFS.
inline void expect_no_schedule_breaks(const explorer::Scenario& scenario) {
    for (const explorer::Mode mode : {explorer::Mode::kPct, explorer::Mode::kRandom}) {
        const explorer::Report report = explorer::explore(scenario, mode);
        std::cout << report.summary << "\n";
        EXPECT_TRUE(report.ok) << report;
    }
}

} // namespace protocol
