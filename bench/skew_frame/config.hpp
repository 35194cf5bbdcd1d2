// SPDX-License-Identifier: MIT
#pragma once
// skew_frame/<contender>: frames of actors whose costs are skewed and cannot be foreseen.
//
//   1000 actors   each frame a new cost for each, drawn from Pareto(1.16) (the 80/20 law, no upper end),
//                 2 us in the mean
//   a hot one     15 % of what the others cost in the mean, in each frame
//
//   frame   --+ begin +--  actor, actor, actor ...  --+ all done +--   as the caller sees it
//   bound   the least that a frame can take, whoever plans it: max(sum / workers, hottest actor) of the
//           costs as the actors themselves measured them in that frame
//
//   p99_over_bound   p99(frame) / p99(bound). The bar is 1.15.
//   over_p50, over_mean, over_p99   of frame / bound, frame by frame
//   bound_p50_ns, bound_p99_ns
//   off_caller       share of the work's time that was on another thread than the caller's
//   claims, moves    per frame, where a contender knows them: what idle workers took from busy ones
//                    within a frame, and what was moved between frames
//
// The costs of a frame are the same for all contenders. Their blocks of frames take turns, first in
// one order, then in the other, so that noise hits all alike; a block's first frames warm up. The n-th
// repetition has seed n. takt's messages are sent before the frame that is measured, one for each
// actor; the others run a loop over the actors, one at a time (grain 1). Refused: an actor that did not
// run exactly once in a frame, work whose sum is not the same for all. The time is that of the median
// frame.

#include "support/window.hpp"
#include "support/work.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace takt::bench::skew_frame {

inline constexpr std::size_t kActors = 1'001;
inline constexpr std::size_t kHot = 500; // the index of the hot one
inline constexpr double kMeanNs = 2'000;
inline constexpr double kHotShare = 0.15;
inline constexpr double kAlpha = 1.16;
inline constexpr int kFrames = 1'000;
inline constexpr int kBlock = 25;
inline constexpr int kWarmUpFrames = 3;
static_assert(kFrames % kBlock == 0);

/// In rounds of work, by actor.
using Costs = std::vector<std::uint64_t>;

/// The actors, as all contenders run them: each measures itself.
class Cast {
  public:
    Cast() : seats_(kActors) {}

    /// Before a frame, by the caller.
    void begin(const Costs& costs) noexcept {
        costs_ = &costs;
        caller_ = this_thread_mark();
        ++frame_;
    }
    /// In the frame, once for each actor.
    void run(std::size_t actor) noexcept {
        Seat& seat = seats_[actor];
        const std::uint64_t rounds = (*costs_)[actor];
        const std::uint64_t begin = measure::ticks();
        seat.sum += work(frame_ * kActors + actor, rounds);
        ++seat.runs;
        seat.is_off_caller = this_thread_mark() != caller_;
        seat.took = measure::ticks() - begin;
    }

    struct Frame {
        double sum_ns = 0;
        double hottest_ns = 0;
        double off_caller_ns = 0;
    };
    /// What the frame's actors measured.
    Frame frame() const;
    /// Each actor has run once in each frame.
    bool each_ran_once() const;
    std::uint64_t sum() const;

  private:
    struct alignas(kInterference) Seat {
        std::uint64_t sum = 0;
        std::uint64_t runs = 0;
        std::uint64_t took = 0; // in ticks
        bool is_off_caller = false;
    };

    std::vector<Seat> seats_;
    const Costs* costs_ = nullptr;
    const char* caller_ = nullptr;
    std::uint64_t frame_ = 0;
};

/// Lives for one repetition, beside the others. On the caller's thread.
class Contender {
  public:
    virtual ~Contender() = default;
    /// What is not part of the frame's time.
    virtual void prepare() {}
    /// Runs each actor of the cast once.
    virtual void frame() = 0;
    /// Counters of its own since it was made: what it did to balance. Reported per frame.
    virtual std::map<std::string, double> counters() const { return {}; }
};
using MakeContender = std::function<std::unique_ptr<Contender>(Cast&, int workers)>;

/// Of the n-th repetition, frame by frame.
std::vector<Costs> draw_costs(std::uint64_t seed);

} // namespace takt::bench::skew_frame
