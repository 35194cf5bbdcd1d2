// SPDX-License-Identifier: MIT
#pragma once
// Layer 11, testing. A runtime for one test. Below: runtime. Beside: probe, which stands in for other
// actors. Above: seeds, which repeats a test with many.

#include "takt/runtime.hpp"

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace takt::testing {

class Probe;

/// A Runtime on the calling thread alone, with a virtual clock, in which what takt leaves open is
/// drawn from a seed. The same program with the same seed runs the same way, on every machine; another
/// seed tries another order. One thread uses it, between frames.
///
/// Drawn is
///   - with immediate delivery: which message is handled next, of all that are under way; so a message
///     may overtake all those of other senders and to other receivers, also across several hops
///   - with next_round delivery: which of two receivers handles its mail first
///   - in which order offloaded tasks come home
/// What takt promises holds for each seed: the order of one sender's mail to one receiver, the commit
/// order, mail that was kept, due times. The test itself is one sender; each Probe is another one.
///
/// Not drawn, and so not tested: what real threads do at the same time (data races: run a Runtime
/// under the thread sanitizer), how long things take, the number of workers, the end of a phase at its
/// budget, and refusals.
class TestRuntime {
  public:
    /// `config` may be the server's own. What a test decides is replaced: one worker, not pinned; a
    /// virtual clock; manual pacing; no phase budget in time; offloaded tasks run on the test's
    /// thread, before the next round. Phases are checked, unless checks.level says otherwise.
    /// `seed`: empty for the environment's TAKT_SEED, else 1. Throws Error when the config is not
    /// valid, or TAKT_SEED is no number.
    explicit TestRuntime(const Config& config = {}, std::optional<std::uint64_t> seed = {});
    /// Ends what is left. Failures that the test has not seen go to stderr.
    ~TestRuntime();
    TestRuntime(const TestRuntime&) = delete;
    TestRuntime& operator=(const TestRuntime&) = delete;

    std::uint64_t seed() const noexcept { return seed_; }
    /// For the code under test. Its failure hook and its dead-letter hook are the test's.
    Runtime& runtime() noexcept { return runtime_; }

    // --- time passes by frames, and by nothing else ------------------------------------------------
    // Each throws TestFailure after a frame in which something failed, unless collect_failures() runs.

    /// One frame, 1 / frame.rate_hz later.
    FrameReport step();
    /// Frames, each 1 / frame.rate_hz later, the last one exactly `by` after now; so timers fire at
    /// the frames, and in the order, in which they do in a server. None for 0. Throws Error for a
    /// negative time.
    void advance(std::chrono::nanoseconds by);
    /// Frames until nothing is to be done but what waits for a time; one at least. Returns their
    /// number. Throws TestFailure after `frames_max`: actors write to each other for ever.
    std::uint64_t run_until_idle(std::uint64_t frames_max = 10'000);
    /// Since the test began, at the last frame.
    std::chrono::nanoseconds now() const;

    // --- actors ----------------------------------------------------------------------------------

    /// As Runtime::spawn_actor.
    template <class F>
    requires std::invocable<F&, Actor&> ActorRef spawn_actor(ActorOptions options, F&& setup) {
        return runtime_.spawn_actor(std::move(options), std::forward<F>(setup));
    }
    template <class State, class... Setup>
    ActorRef spawn_actor(Behaviour<State>& behaviour, ActorOptions options = {},
                         State state = State(), Setup&&... setup) {
        return runtime_.spawn_actor(behaviour, std::move(options), std::move(state),
                                    std::forward<Setup>(setup)...);
    }
    /// An actor that records messages of these topics.
    template <class... Topics>
    Probe probe(std::string name, const Topics&... topics);

    // --- the serial phase ------------------------------------------------------------------------

    /// The token, for plain functions that want one; the test is in the serial phase.
    Serial serial() { return runtime_.serial(); }
    /// `function(Serial)`, now; gives what it returns.
    template <class F>
    requires std::invocable<F&, Serial>
    decltype(auto) serial(F&& function) { return function(runtime_.serial()); }
    /// `function()` or `function(Serial)`, now, as a serial handler of that actor would run: what it
    /// sends is the actor's, and this_actor() is there. What it throws comes back. Throws Error when
    /// there is no such actor.
    template <class F>
    void run_as(ActorRef actor, F&& function) {
        runtime_.run_as(
            actor, [this, &function] { detail::call_with_token(function, runtime_.serial()); });
    }

    // --- what went wrong -------------------------------------------------------------------------

    /// All failures so far: handlers, tasks, commits and setups that threw, PhaseError among them.
    const std::vector<Failure>& failures() const noexcept { return failures_; }
    /// For a test about failures: calls `function()`, in which frames may fail; gives those failures.
    template <class F>
    std::vector<Failure> collect_failures(F&& function) {
        const Collecting collecting(*this);
        function();
        return {failures_.begin() + static_cast<std::ptrdiff_t>(collecting.begin), failures_.end()};
    }
    /// Throws TestFailure, with frame, actor, topic and what() of each, when there are failures that
    /// neither was thrown for nor collected. For frames that the code under test runs by itself.
    void expect_no_failures();
    /// All mail so far that nobody handled.
    const std::vector<DeadLetter>& dead_letters() const noexcept { return dead_letters_; }

    /// 0 exactly if every message that was accepted has been handled, or failed, or expired; else how
    /// many have not: kept for a topic that is not bound, held by a task that waits, or under way. A
    /// task on its way to its next phase counts as one more.
    std::uint64_t unaccounted();
    /// Throws TestFailure with the topics, when there are some.
    void expect_all_accounted();

  private:
    struct Collecting {
        explicit Collecting(TestRuntime& given) noexcept
            : test(given), begin(test.failures_.size()),
              outer(std::exchange(test.collects_, true)) {}
        ~Collecting() {
            test.collects_ = outer;
            test.seen_ = test.failures_.size();
        }
        Collecting(const Collecting&) = delete;
        Collecting& operator=(const Collecting&) = delete;

        TestRuntime& test;
        const std::size_t begin;
        const bool outer;
    };

    void look_at_failures();

    const std::uint64_t seed_;
    std::vector<Failure> failures_;
    std::size_t seen_ = 0; // of them: thrown for, or collected
    bool collects_ = false;
    std::vector<DeadLetter> dead_letters_;
    Runtime runtime_; // ends first: its hooks use the others
};

} // namespace takt::testing
