// SPDX-License-Identifier: MIT
#include "actor_ping_pong/config.hpp"

namespace takt::bench::actor_ping_pong {
namespace {

Window window() {
    Window result;
    const auto trips = measure::raw_round_trips(plan_for(2), static_cast<int>(kRoundTrips));
    if (!trips)
        return result; // without spans it is measured again
    result.samples = *trips;
    result.ns_per_operation = trips->percentile(0.5);
    result.spans = {measure::Span{0, 1, 0}};
    return result;
}

} // namespace

void add_raw(Field& across) {
    across.add("actor_ping_pong/raw", [] { return [] { return window(); }; });
}

} // namespace takt::bench::actor_ping_pong
