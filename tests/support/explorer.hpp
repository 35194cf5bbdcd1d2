// SPDX-License-Identifier: MIT
#pragma once
// Test support, explorer. Runs a small multi-threaded scenario under many schedules and memory
// behaviours, and reports the first that breaks a check, with the way to replay it. README.md in
// this folder says how to write such a test and what the model leaves out. Neighbours below:
// explorer_variables.hpp (atomics), explorer_choices.hpp (Scope).
//
//     explorer::Scenario scenario = [](explorer::Execution& x) {
//         auto state = std::make_shared<State>();
//         x.thread("writer", [=] { state->flag.store(1, std::memory_order_release); });
//         x.thread("reader", [=] { ... });
//         x.finally([=] { explorer::check(state->sum == 3, "nothing is lost"); });
//     };
//     const explorer::Report report = explorer::explore_all(scenario);
//     EXPECT_TRUE(report.ok) << report;

#include "explorer_variables.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <ostream>

namespace explorer {

/// StdPolicy under the model. SleeperPays: membarrier exists, see takt/base/policy.hpp.
template <bool SleeperPays>
struct BasicModelPolicy {
    template <class T>
    using Atomic = explorer::Atomic<T>;
    template <class T>
    using Plain = explorer::Plain<T>;
    using Word = Atomic<std::uint64_t>;

    static void relax(const Word& /*word*/, std::uint64_t /*seen*/) noexcept { yield(); }
    static void pause() noexcept { yield(); }
    /// Fair: the other threads go on first.
    static void yield() noexcept {
        if (engine.live())
            engine.yield();
    }
    /// The virtual clock. It goes on a little at each call, and to the next deadline when nobody
    /// can run.
    static std::int64_t now_ns() noexcept { return engine.now_ns(); }

    static void park(const Word& word, std::uint32_t seen, std::int64_t deadline_ns) noexcept {
        if (!engine.live())
            return;
        const bool sleeps = static_cast<std::uint32_t>(word.look()) == seen;
        if (engine.trace.on())
            engine.note("parks on " + word.label() + (sleeps ? "" : ": it has changed"));
        if (sleeps)
            engine.park(&word, deadline_ns);
    }
    static void unpark_all(const Word& word) noexcept {
        if (!engine.live())
            return;
        engine.point(); // the system call comes after what led to it
        full_barrier(engine.current());
        if (engine.trace.on())
            engine.note("unparks all on " + word.label());
        engine.unpark_all(&word);
    }

    static bool sleeper_pays() noexcept { return SleeperPays; }
    static void sleeper_barrier() noexcept {
        if constexpr (SleeperPays)
            fence_everywhere();
    }
    static void publisher_barrier() noexcept {}
};

using ModelPolicy = BasicModelPolicy<true>;
using NoMembarrierPolicy = BasicModelPolicy<false>;

using ThreadId = std::size_t;

/// What a scenario builds: threads, and what must hold once all have ended.
class Execution {
  public:
    ThreadId thread(std::string_view name, std::function<void()> body) {
        return engine.add_thread(name, std::move(body));
    }
    void finally(std::function<void()> invariant) { engine.finally(std::move(invariant)); }
};

/// Builds the state anew for each run. Nothing in it may depend on chance, time or addresses.
using Scenario = std::function<void(Execution&)>;

/// Starts a thread from a running one. All that the caller did happens before all that it does.
inline ThreadId spawn(std::string_view name, std::function<void()> body) {
    return engine.add_thread(name, std::move(body));
}

/// Waits for the end of a thread; all that it did then happens before what the caller does.
inline void join(ThreadId thread) {
    engine.join_thread(thread);
}

/// Fails the run unless `holds`. In a thread of a failing run it does not return.
inline void check(bool holds, const char* what) {
    if (!holds)
        engine.fail(what);
}

/// Lets the trace call `object`, or what lies within it, by name. `label` is a literal.
template <class T>
void name(const T& object, const char* label, int index = -1) {
    if (engine.trace.on())
        engine.trace.name(&object, sizeof(object), label, index);
}

struct Report {
    bool ok = true;
    bool exhausted = false; // DFS has seen every run within the bounds
    std::uint64_t runs = 0;
    std::uint64_t steps = 0;
    std::string error;   // what broke, if not ok
    std::string replay;  // the run that broke it: replay(scenario, report.replay)
    std::string trace;   // that run, one line an operation
    std::string summary; // what was run, and how fast
};

inline std::ostream& operator<<(std::ostream& out, const Report& report) {
    out << report.summary;
    if (report.ok)
        return out;
    out << "\n" << report.error;
    if (report.replay.empty())
        return out;
    out << "\nReplay: TAKT_EXPLORE_SEED=" << report.replay << " " << program_invocation_name;
    if (const auto* test = ::testing::UnitTest::GetInstance()->current_test_info(); test != nullptr)
        out << " --gtest_filter=" << test->test_suite_name() << "." << test->name();
    return out << "\n step  thread        operation\n" << report.trace;
}

namespace detail {

inline constexpr const char* kModeNames[] = {"random", "pct", "dfs"};

inline const char* name_of(Mode mode) {
    return kModeNames[static_cast<int>(mode)];
}

/// Goes through the runs of one mode.
class Explorer {
  public:
    Explorer(const Scenario& scenario, const Scope& scope) : scenario_(scenario), scope_(scope) {}

    Report explore(Mode mode) {
        if (mode == Mode::kPct)
            measure_length();
        const std::uint64_t budget = scaled(budget_of(mode));
        if (mode == Mode::kDfs)
            engine.choices.trail.parse("");
        for (std::uint64_t i = 0; i < budget && report_.ok && !report_.exhausted; ++i) {
            run(mode, scope_.first_seed + i);
            if (mode == Mode::kDfs && report_.ok)
                report_.exhausted = !engine.choices.trail.next();
        }
        if (mode == Mode::kDfs && report_.ok && !report_.exhausted && scale() >= 1)
            give_up("DFS has not come to its end within " + std::to_string(budget) +
                    " runs: make the scenario smaller or Scope::dfs_runs larger");
        finish(name_of(mode));
        return report_;
    }

    Report replay(std::string_view which) {
        const std::size_t colon = std::min(which.find(':'), which.size());
        const std::string_view rest = which.substr(std::min(colon + 1, which.size()));
        for (const Mode mode : {Mode::kRandom, Mode::kPct, Mode::kDfs})
            if (which.substr(0, colon) == name_of(mode)) {
                replay(mode, rest);
                finish("replay of " + std::string(which));
                return report_;
            }
        give_up("cannot replay \"" + std::string(which) + "\": want random:N, pct:N or dfs:TRAIL");
        return report_;
    }

    static double scale() {
        const char* const text = std::getenv("TAKT_EXPLORE_RUNS");
        return text == nullptr ? 1.0 : std::strtod(text, nullptr);
    }

  private:
    std::uint64_t budget_of(Mode mode) const {
        if (mode == Mode::kDfs)
            return scope_.dfs_runs;
        return mode == Mode::kPct ? scope_.pct_runs : scope_.random_runs;
    }
    static std::uint64_t scaled(std::uint64_t runs) {
        return std::max<std::uint64_t>(
            1, static_cast<std::uint64_t>(static_cast<double>(runs) * scale()));
    }

    // PCT spreads its demotions over the length of a run. Found the same way each time, so that a
    // seed means the same run in a replay.
    void measure_length() {
        for (std::uint64_t seed = 0; seed < 4 && report_.ok; ++seed) {
            run(Mode::kRandom, seed);
            length_ = std::max(length_, engine.steps());
        }
    }

    void replay(Mode mode, std::string_view rest) {
        if (mode == Mode::kPct)
            measure_length();
        if (mode == Mode::kDfs)
            engine.choices.trail.parse(rest);
        const std::uint64_t seed = std::strtoull(std::string(rest).c_str(), nullptr, 10);
        execute(mode, seed, true);
        report_.ok = engine.error().empty();
        report_.error = engine.error();
        report_.trace = engine.trace.text();
        report_.replay = std::string(name_of(mode)) + ":" + std::string(rest);
    }

    void run(Mode mode, std::uint64_t seed) {
        execute(mode, seed, false);
        if (!engine.error().empty())
            explain(mode, seed);
    }

    // Runs the failing execution again, now with a trace.
    void explain(Mode mode, std::uint64_t seed) {
        const std::string error = engine.error();
        const std::string rest =
            mode == Mode::kDfs ? engine.choices.trail.text() : std::to_string(seed);
        execute(mode, seed, true);
        give_up(engine.error());
        report_.replay = std::string(name_of(mode)) + ":" + rest;
        report_.trace = engine.trace.text();
        if (engine.error().empty())
            report_.error = error + "\n(the scenario is not deterministic: it did not fail again)";
    }

    void execute(Mode mode, std::uint64_t seed, bool tracing) {
        engine.begin(scope_, mode, seed, length_, tracing);
        Execution execution;
        scenario_(execution);
        engine.run();
        engine.end();
        ++report_.runs;
        report_.steps += engine.steps();
    }

    void give_up(std::string why) {
        report_.ok = false;
        report_.error = std::move(why);
    }

    void finish(const std::string& what) {
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start_;
        std::array<char, 160> line{};
        std::snprintf(line.data(), line.size(), "%s: %llu runs%s, %llu steps, %.2f s", what.c_str(),
                      static_cast<unsigned long long>(report_.runs),
                      report_.exhausted ? " (exhausted)" : "",
                      static_cast<unsigned long long>(report_.steps), took.count());
        report_.summary = line.data();
    }

    const Scenario& scenario_;
    const Scope& scope_;
    Report report_;
    std::uint64_t length_ = 1;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

} // namespace detail

/// One run, as Report::replay or TAKT_EXPLORE_SEED names it.
inline Report replay(const Scenario& scenario, std::string_view which, const Scope& scope = {}) {
    return detail::Explorer(scenario, scope).replay(which);
}

/// The one run that TAKT_EXPLORE_SEED names, with its trace, if it is set.
inline bool replays_from_environment(const Scenario& scenario, const Scope& scope, Report& report) {
    const char* const which = std::getenv("TAKT_EXPLORE_SEED");
    if (which == nullptr)
        return false;
    report = replay(scenario, which, scope);
    std::cout << report.summary << "\n" << report.trace;
    return true;
}

/// One mode.
inline Report explore(const Scenario& scenario, Mode mode, const Scope& scope = {}) {
    Report report;
    if (!replays_from_environment(scenario, scope, report))
        report = detail::Explorer(scenario, scope).explore(mode);
    return report;
}

/// All three modes, up to the first failure.
inline Report explore_all(const Scenario& scenario, const Scope& scope = {}) {
    Report total;
    if (replays_from_environment(scenario, scope, total))
        return total;
    for (const Mode mode : {Mode::kDfs, Mode::kPct, Mode::kRandom}) {
        Report report = detail::Explorer(scenario, scope).explore(mode);
        report.runs += total.runs;
        report.steps += total.steps;
        report.exhausted |= total.exhausted;
        report.summary = total.summary + (total.summary.empty() ? "" : "\n") + report.summary;
        total = std::move(report);
        if (!total.ok)
            break;
    }
    std::cout << total.summary << "\n";
    return total;
}

} // namespace explorer
