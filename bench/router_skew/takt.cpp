// SPDX-License-Identifier: MIT
#include "router_skew/config.hpp"

namespace takt::bench::router_skew {

void add_takt() {
    add("least_busy", [](const Workload& work) { return simulate(work, LeastBusy()); });
    add("least_busy_snapshot", [](const Workload& work) {
        return simulate(
            work, LeastBusy({.exact_up_to = 0, .picks_per_refresh = LeastBusyConfig::kOnRequest}));
    });
    add("two_choices", [](const Workload& work) { return simulate(work, TwoChoices(work.seed)); });
    add("round_robin", [](const Workload& work) { return simulate(work, RoundRobin()); });
    add("sticky", [](const Workload& work) { return simulate(work, Sticky(0)); });
}

} // namespace takt::bench::router_skew
