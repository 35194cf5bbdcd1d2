// SPDX-License-Identifier: MIT
#pragma once
// timers/<contender>/<pending>: what it costs to wait for a time, beside so many others that wait.
//
//   pending   t1 t2 t3 ... tn     one operation = one timer removed before its time, the earliest one
//             ^ the earliest      taken at its time, and two new ones in their places
//
// All contenders get the same times, which lie up to 10 s ahead, and remove the same timers. What
// they took is held against a std::multimap.

#include "support/window.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace takt::bench::timers {

inline constexpr int kWindows = 9;
inline constexpr int kOperations = 200'000;
inline constexpr int kProofOperations = 5'000;
inline constexpr std::int64_t kSpanNs = 10'000'000'000;

/// Contender C: a constructor for `pending` timers, numbered from 0, none of which waits;
///     void add(std::uint32_t timer, std::int64_t due_ns);
///     void remove(std::uint32_t timer);
///     std::uint32_t take();                       the earliest one, which waits no more
///     std::int64_t due_ns(std::uint32_t timer);   of one that was added
template <class C>
class Script {
  public:
    explicit Script(std::uint32_t pending) : contender_(pending), pending_(pending) {
        for (std::uint32_t timer = 0; timer < pending; ++timer)
            contender_.add(timer, next_time());
    }

    /// Mixes what was taken into the sum of all that was.
    void operate() {
        const auto victim = static_cast<std::uint32_t>((random_() >> 32) * pending_ >> 32);
        contender_.remove(victim);
        contender_.add(victim, next_time());
        const std::uint32_t taken = contender_.take();
        now_ns_ = contender_.due_ns(taken);
        contender_.add(taken, next_time());
        sum_ = (sum_ ^ taken) * 0x9e37'79b9'7f4a'7c15;
    }
    std::uint64_t sum() const noexcept { return sum_; }

  private:
    std::int64_t next_time() {
        return now_ns_ + 1 + static_cast<std::int64_t>(random_() % kSpanNs);
    }

    C contender_;
    const std::uint64_t pending_;
    std::mt19937_64 random_{1};
    std::int64_t now_ns_ = 0;
    std::uint64_t sum_ = 0;
};

/// What a std::multimap takes in so many operations.
std::uint64_t right_sum(std::uint32_t pending, int operations);

/// The rows of one number of pending timers are one field: their windows take turns.
template <class C>
void add_contender(Field& field, const char* name, std::uint32_t pending) {
    field.add("timers/" + std::string(name) + "/" + std::to_string(pending), [pending] {
        auto script = std::make_shared<Script<C>>(pending);
        for (int count = 0; count < kProofOperations; ++count)
            script->operate();
        const bool wrong = script->sum() != right_sum(pending, kProofOperations);
        return [script, wrong] {
            Window window;
            const std::uint64_t begin = measure::ticks();
            for (int count = 0; count < kOperations; ++count)
                script->operate();
            window.ns_per_operation = static_cast<double>(measure::ticks() - begin) *
                                      measure::ns_per_tick() / kOperations;
            window.samples.add(window.ns_per_operation);
            window.spans = {{0, 1}}; // one thread is measured
            window.wrong = wrong || script->sum() == 0;
            return window;
        };
    });
}

} // namespace takt::bench::timers
