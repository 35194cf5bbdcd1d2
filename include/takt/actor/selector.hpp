// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. Who gets the next task: what a selector is, and the three that need no snapshot.
// Below: load (the counters that they read). Beside: least_busy.

#include "takt/actor/load.hpp"

#include <concepts>
#include <cstdint>
#include <optional>

namespace takt {

/// What a selector reads: loads of targets 0 .. size() - 1. LoadBoard is one; tests make others.
template <class L>
concept LoadView = requires(const L& loads, Target target) {
    requires noexcept(loads.size());
    requires noexcept(loads.peek(target));
    requires std::convertible_to<decltype(loads.size()), std::uint32_t>;
    requires std::convertible_to<decltype(loads.peek(target)), std::uint64_t>;
};

/// What a selector answers: a target, or none. As std::optional<Target>, but one word: g++ 12 puts
/// an optional together in memory and then waits for it, 7 ns on top of a selection that takes 4.
class Selection {
  public:
    constexpr Selection(Target target) noexcept : word_(target) {}
    constexpr Selection(std::nullopt_t) noexcept {}

    constexpr bool has_value() const noexcept { return word_ != kNone; }
    constexpr explicit operator bool() const noexcept { return has_value(); }
    /// Needs has_value().
    constexpr Target operator*() const noexcept { return word_; }
    friend constexpr bool operator==(Selection, Selection) noexcept = default;

  private:
    static constexpr Target kNone = UINT32_MAX; // above kTargetsMax
    Target word_ = kNone;
};

/// A selector names the target of the next task. Users write their own: a type with
///
///     takt::Selection select(const auto& loads) noexcept;
///
/// that returns a target below loads.size(), or std::nullopt when it refuses; of an empty set
/// every selector of takt refuses. The caller adds the task to the load of what was selected. A
/// selector belongs to one dispatching thread, and selecting neither allocates nor waits. Two more
/// members are called when they exist:
///
///     void fit(std::uint32_t targets);              // the set has changed; may allocate
///     void refresh(const auto& loads) noexcept;     // at a frame barrier: forget older data
///
/// V1  A selected target is below loads.size(), also right after the set has shrunk.
template <class S, class L = LoadBoard<StdPolicy>>
concept Selector = LoadView<L> && requires(S& selector, const L& loads) {
    requires noexcept(selector.select(loads));
    requires std::same_as<decltype(selector.select(loads)), Selection>;
};

/// Tells a selector how many targets there are, if it wants to know. Between the phases; may throw
/// std::bad_alloc, and the selector is as before then.
template <class S>
void fit_selector(S& selector, std::uint32_t targets) {
    if constexpr (requires { selector.fit(targets); })
        selector.fit(targets);
}

/// Tells a selector to look at the loads anew, if it keeps a copy of them.
template <class S, LoadView L>
void refresh_selector(S& selector, const L& loads) noexcept {
    if constexpr (requires { selector.refresh(loads); })
        selector.refresh(loads);
}

/// Each target in turn, whatever its load. Wait-free.
class RoundRobin {
  public:
    /// Starts at `first`, so that several dispatchers need not start together.
    explicit RoundRobin(Target first = 0) noexcept : next_(first) {}

    template <LoadView L>
    Selection select(const L& loads) noexcept {
        const std::uint32_t targets = loads.size();
        if (targets == 0)
            return std::nullopt;
        const Target target = next_ < targets ? next_ : next_ % targets; // V1
        next_ = target + 1;
        return target;
    }

  private:
    Target next_;
};

/// The less loaded of two targets drawn at random (Y. Azar et al., "Balanced Allocations", 1994;
/// M. Mitzenmacher, "The Power of Two Choices", 2001). Reads two counters however many there are;
/// wait-free. The same seed draws the same.
class TwoChoices {
  public:
    explicit TwoChoices(std::uint64_t seed = 1) noexcept : state_(seed) {}

    template <LoadView L>
    Selection select(const L& loads) noexcept {
        const std::uint32_t targets = loads.size();
        if (targets < 2)
            return targets == 0 ? Selection(std::nullopt) : Selection(0);
        const std::uint64_t random = draw();
        const Target first = below(static_cast<std::uint32_t>(random), targets);
        Target second = below(static_cast<std::uint32_t>(random >> 32), targets - 1);
        second += second >= first; // another one than the first
        return loads.peek(second) < loads.peek(first) ? second : first;
    }

  private:
    // SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators").
    std::uint64_t draw() noexcept;
    // D. Lemire, "Fast Random Integer Generation in an Interval"; its bias, 2^-16 at most, is less
    // than what choosing the less loaded corrects.
    static std::uint32_t below(std::uint32_t random, std::uint32_t bound) noexcept {
        return static_cast<std::uint32_t>((std::uint64_t{random} * bound) >> 32);
    }

    std::uint64_t state_;
};

/// The same key goes to the same target while the set is unchanged; when it grows from m to n
/// targets, a share of (n - m) / n of the keys moves, and each of them to a new target. Looks at no
/// load and has no state: make one per dispatch. Wait-free, about ln(n) steps.
class Sticky {
  public:
    explicit Sticky(std::uint64_t key) noexcept : key_(key) {}

    template <LoadView L>
    Selection select(const L& loads) const noexcept {
        const std::uint32_t targets = loads.size();
        return targets == 0 ? Selection(std::nullopt) : Selection(place(key_, targets));
    }

  private:
    // Jump consistent hash (J. Lamping, E. Veach, "A Fast, Minimal Memory, Consistent Hash
    // Algorithm", 2014). Of what is consistent it fits best: sets grow and shrink at their end.
    static Target place(std::uint64_t key, std::uint32_t targets) noexcept;

    std::uint64_t key_;
};

} // namespace takt
