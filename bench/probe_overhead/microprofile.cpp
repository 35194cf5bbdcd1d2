// SPDX-License-Identifier: MIT
#include "probe_overhead/config.hpp"

#include <microprofile.h>

#include <algorithm>

namespace takt::bench::probe_overhead {
namespace {

// Debian's microprofile, as it is built: a shared library whose scopes call into it. From its first Flip
// to the end of the program it has a web server on all interfaces, port 1338 or the next that is
// free; nothing in its interface prevents that.
constexpr int kFlipsToShow = 8; // a batch's time is known only so many flips later
static_assert(kBatches > kFlipsToShow);

MICROPROFILE_DEFINE(scope, "bench", "scope", 0xff'00'00);

void run_scopes() {
    for (std::uint64_t count = 0; count < kScopes; ++count) {
        MICROPROFILE_SCOPE(scope);
        benchmark::ClobberMemory();
    }
}

// A second one for the same thread is a trap.
void know_this_thread() {
    static const bool is_known = [] {
        MicroProfileOnThreadCreate("bench");
        return true;
    }();
    static_cast<void>(is_known);
}

Window window(bool is_on) {
    know_this_thread();
    MicroProfileSetEnableAllGroups(is_on ? 1 : 0);
    for (int flip = 0; flip < kFlipsToShow;
         ++flip) // takes effect with a flip; forgets the last window
        MicroProfileFlip(nullptr);
    const int frames_before = MicroProfileGetCurrentAggregateFrames();
    double shown_ns =
        0; // what the scopes of one batch took, as it says; without what is around them
    Window window = time_batches(run_scopes, [&](std::uint64_t, std::uint64_t) {
        MicroProfileFlip(nullptr);
        shown_ns = static_cast<double>(MicroProfileGetTime("bench", "scope")) * 1e6;
        return true;
    });
    const double batch_ns = static_cast<double>(kScopes);
    const bool is_recorded = MicroProfileGetCurrentAggregateFrames() != frames_before;
    window.wrong = is_recorded != is_on;
    if (is_on)
        window.wrong |= shown_ns < 0.2 * batch_ns * window.samples.percentile(0) ||
                        shown_ns > batch_ns * window.samples.percentile(1);
    return window;
}

} // namespace

void add_microprofile(Field& field) {
    field.add("probe_overhead/microprofile/on", [] { return [] { return window(true); }; });
    field.add("probe_overhead/microprofile/off", [] { return [] { return window(false); }; });
}

} // namespace takt::bench::probe_overhead
