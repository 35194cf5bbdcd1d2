// SPDX-License-Identifier: MIT
#pragma once
// Test support, explorer. The one source of chance of a run: which thread goes on, which odd effect
// happens. Everything a run does follows from a seed or from a trail of choices. No neighbours
// below.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace explorer {

/// How choices are made. Random: any runnable thread at each step. PCT: the highest random priority
/// runs, and `pct_depth - 1` random steps demote it (Burckhardt et al., ASPLOS 2010). DFS: all runs
/// within the bounds, one after the other.
enum class Mode { kRandom, kPct, kDfs };

/// What is explored. The defaults are the project's standard scope.
struct Scope {
    std::uint64_t dfs_runs = 3'000'000; // a budget: not reaching the end within it is a failure
    std::uint64_t pct_runs = 100'000;
    std::uint64_t random_runs = 20'000;
    int pct_depth = 3;
    // How much of each may happen in one run. The random modes allow four times the weak effects.
    int preemptions = 2;    // DFS: switches away from a thread that could go on
    int weak_effects = 3;   // stale loads, and stores that land behind a newer one
    int spurious = 1;       // wake-ups for no reason, weak exchanges that fail for none
    int early_timeouts = 1; // a deadline passes while others could run

    std::uint64_t max_steps = 20'000; // of one run; more is a livelock
    std::int64_t tick_ns = 1'000;     // what one now_ns() adds to the virtual clock
    std::uint64_t first_seed = 0;
};

/// splitmix64: one word of state, seeded in no time. A run draws few numbers.
class Rng {
  public:
    void seed(std::uint64_t value) {
        state_ = value * 0xD134'2543'DE82'EF95 + 0x2545'F491'4F6C'DD1D;
    }
    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9E37'79B9'7F4A'7C15;
        z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9;
        z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EB;
        return z ^ (z >> 31);
    }
    std::uint32_t below(std::uint32_t n) {
        return static_cast<std::uint32_t>(((next() >> 32) * n) >> 32);
    }

  private:
    std::uint64_t state_ = 0;
};

/// The sequence of choices of one DFS run. The next run differs in the last one that can.
class Trail {
  public:
    void rewind() { depth_ = 0; }
    std::uint32_t choose(std::uint32_t n) {
        if (depth_ == choices_.size())
            choices_.push_back({0, n});
        // A trail from an older build may not fit.
        return std::min(choices_[depth_++].pick, n - 1);
    }
    bool next() {
        while (!choices_.empty() && ++choices_.back().pick >= choices_.back().alternatives)
            choices_.pop_back();
        return !choices_.empty();
    }
    /// One digit (base 36) a choice, without the zeros at the end.
    std::string text() const {
        std::string digits;
        for (const Choice& choice : choices_)
            digits += kDigits[choice.pick];
        return digits.erase(digits.find_last_not_of('0') + 1);
    }
    void parse(std::string_view text) {
        choices_.clear();
        for (const char digit : text)
            choices_.push_back(
                {static_cast<std::uint32_t>(kDigits.find(digit)), kMostAlternatives});
    }

  private:
    struct Choice {
        std::uint32_t pick;
        std::uint32_t alternatives;
    };
    static constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
    static constexpr std::uint32_t kMostAlternatives = 36;
    std::vector<Choice> choices_;
    std::size_t depth_ = 0;
};

class Choices {
  public:
    void begin(const Scope& scope, Mode mode, std::uint64_t seed, std::uint64_t pct_length) {
        mode_ = mode;
        rng_.seed(seed);
        trail.rewind();
        weak_ = scope.weak_effects;
        spurious_ = scope.spurious;
        timeouts_ = scope.early_timeouts;
        demotions_.clear();
        if (mode == Mode::kDfs)
            return;
        weak_ *= 4;
        odds_ = 2u << (2 * rng_.below(3)); // some runs with many odd effects, some with few
        for (int d = 1; mode == Mode::kPct && d < scope.pct_depth; ++d)
            demotions_.push_back(1 + rng_.next() % std::max<std::uint64_t>(pct_length, 1));
    }

    Mode mode() const { return mode_; }
    std::uint32_t among(std::uint32_t n) {
        if (n <= 1)
            return 0;
        return mode_ == Mode::kDfs ? trail.choose(n) : rng_.below(n);
    }
    /// PCT: always above the priorities of demoted threads.
    std::int64_t priority() { return 1 + static_cast<std::int64_t>(rng_.next() >> 32); }
    bool demotes_at(std::uint64_t step) const {
        return std::find(demotions_.begin(), demotions_.end(), step) != demotions_.end();
    }

    // Odd effects. 0 and false are what usually happens, and all that does once the budget is used.
    bool weak_effects_left() const { return weak_ > 0; }
    std::uint32_t weak_effect(std::uint32_t n) { return effect(weak_, n); }
    bool spurious() { return effect(spurious_, 2) != 0; }
    bool early_timeout() { return effect(timeouts_, 2) != 0; }

    Trail trail;

  private:
    std::uint32_t effect(int& budget, std::uint32_t n) {
        if (n <= 1 || budget <= 0)
            return 0;
        std::uint32_t pick = 0;
        if (mode_ == Mode::kDfs)
            pick = trail.choose(n);
        else if (rng_.below(odds_) == 0)
            pick = 1 + rng_.below(n - 1);
        budget -= pick != 0;
        return pick;
    }

    Mode mode_ = Mode::kRandom;
    Rng rng_;
    std::uint32_t odds_ = 2; // random modes: an odd effect happens once in so many chances
    std::vector<std::uint64_t> demotions_;
    int weak_ = 0, spurious_ = 0, timeouts_ = 0;
};

} // namespace explorer
