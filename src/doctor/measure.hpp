// SPDX-License-Identifier: MIT
#pragma once
// takt-doctor and benches: the yardsticks (rmw, raw, wake) and the arithmetic of samples. Not part
// of the library.

#include "takt/takt.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace takt::measure {

/// The CPU's time stamp counter, calibrated once against the monotonic clock. Reading it costs half
/// of a clock_gettime, so that it may stand inside a round trip of 100 ns.
std::uint64_t ticks() noexcept;
double ns_per_tick();

/// Durations in ns; percentiles by nearest rank.
class Samples {
  public:
    void reserve(std::size_t count) { ns_.reserve(count); }
    void add(double ns) { ns_.push_back(ns); }
    void add(const Samples& other) { ns_.insert(ns_.end(), other.ns_.begin(), other.ns_.end()); }
    std::size_t count() const noexcept { return ns_.size(); }
    /// rank in [0, 1]; 0 when there are no samples.
    double percentile(double rank) const;

  private:
    std::vector<double> ns_;
};

/// When a thread was inside a measured window, in ticks, and on which CPU it began.
struct Span {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    int cpu = -1;
};

/// The share of the whole window in which all threads were inside. Low: some ran while others had
/// not begun. High says nothing about CPUs: threads in lockstep overlap on a single one, so see
/// distinct_cpus() beside it.
double overlap(const std::vector<Span>& spans);
int distinct_cpus(const std::vector<Span>& spans);

/// ns of an uncontended atomic fetch_add: the median of a few short loops.
double rmw_ns();

/// A plan of exactly these CPUs of this machine.
Plan plan_on(const Machine& machine, const std::vector<int>& cpus);

/// Round trips of two pinned threads over two cache lines, one for each direction; nullopt when the
/// two did not overlap or shared a CPU.
std::optional<Samples> raw_round_trips(const Plan& two_workers, int rounds);

/// From the store of the waker to the first instruction of the sleeper, by futex, with pauses of
/// `pause_ns` between, so that the sleeper really sleeps.
Samples futex_wakes(const Plan& two_workers, int rounds, std::int64_t pause_ns);

} // namespace takt::measure
