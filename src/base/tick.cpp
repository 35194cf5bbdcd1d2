// SPDX-License-Identifier: MIT
#include "takt/base/tick.hpp"

#include <chrono>
#include <thread>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace takt {

bool detail::has_even_counter() noexcept {
#if defined(__x86_64__)
    constexpr unsigned kPowerLeaf = 0x8000'0007; // Intel SDM, CPUID: bit 8 of edx, "invariant TSC"
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid(kPowerLeaf, &a, &b, &c, &d) != 0 && ((d >> 8) & 1) != 0;
#else
    return false;
#endif
}

TickPair TickPair::now() noexcept {
    constexpr int kReadings = 5;
    TickPair best;
    std::uint64_t closest = UINT64_MAX;
    for (int reading = 0; reading < kReadings; ++reading) {
        const std::uint64_t before = takt::tick();
        const std::int64_t ns = now_ns();
        const std::uint64_t after = takt::tick();
        if (after - before < closest) {
            closest = after - before;
            best = {before + (after - before) / 2, ns};
        }
    }
    return best;
}

double measured_ns_per_tick(const TickPair& since) noexcept {
    constexpr std::int64_t kLongEnoughNs = 2'000'000; // readings are some 20 ns off
    const std::int64_t ago_ns = now_ns() - since.ns;
    if (ago_ns < kLongEnoughNs)
        std::this_thread::sleep_for(std::chrono::nanoseconds(kLongEnoughNs - ago_ns));
    const TickPair now = TickPair::now();
    return now.tick > since.tick
               ? static_cast<double>(now.ns - since.ns) / static_cast<double>(now.tick - since.tick)
               : 0;
}

} // namespace takt
