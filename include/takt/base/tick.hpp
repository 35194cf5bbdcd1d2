// SPDX-License-Identifier: MIT
#pragma once
// Layer 0, base. The cheapest even clock of the machine, for records. Below: clock. Above: probe.

#include "takt/base/clock.hpp"

#include <cstdint>

#if defined(__x86_64__)
#include <x86gprintrin.h>
#endif

namespace takt {

namespace detail {
/// The processor counts at one rate on all cores, whatever their speed.
bool has_even_counter() noexcept;
inline const bool counts_ticks = has_even_counter();
} // namespace detail

/// Ticks of the processor's counter where that is even, else nanoseconds. Wait-free. A read costs
/// about 10 ns on bare metal, twice that on some virtual machines; now_ns() costs twice as much.
inline std::uint64_t tick() noexcept {
#if defined(__x86_64__)
    if (detail::counts_ticks) [[likely]]
        return __rdtsc();
#endif
    return static_cast<std::uint64_t>(now_ns());
}

/// Both clocks at one moment.
struct TickPair {
    std::uint64_t tick = 0;
    std::int64_t ns = 0;

    /// Of several readings that whose parts lie closest together.
    static TickPair now() noexcept;
};

/// Nanoseconds of a tick, from `since` to now; sleeps where that was less than 2 ms ago.
double measured_ns_per_tick(const TickPair& since) noexcept;

/// Turns ticks into now_ns() time by the line through two moments. Ticks before or after them are on the
/// line as well; two that are the same moment, or a counter that went backwards, make all ticks that
/// moment.
class TickScale {
  public:
    TickScale(const TickPair& first, const TickPair& last) noexcept
        : first_(first), ns_per_tick_(last.tick > first.tick && last.ns > first.ns
                                          ? static_cast<double>(last.ns - first.ns) /
                                                static_cast<double>(last.tick - first.tick)
                                          : 0) {}

    std::int64_t ns_of(std::uint64_t tick) const noexcept {
        const auto since = static_cast<double>(static_cast<std::int64_t>(tick - first_.tick));
        return first_.ns + static_cast<std::int64_t>(since * ns_per_tick_);
    }

  private:
    TickPair first_;
    double ns_per_tick_;
};

} // namespace takt
