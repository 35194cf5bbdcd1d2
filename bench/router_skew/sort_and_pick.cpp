// SPDX-License-Identifier: MIT
#include "router_skew/config.hpp"

#include <algorithm>
#include <numeric>

namespace takt::bench::router_skew {
namespace {

// VMsDispatcher's Dispatch: copies the list of threads, sorts it by the attribute `Tasks` and takes
// the first. Equal ones stay in their order: which one wins is the same every time there, too.
struct SortAndPick {
    template <LoadView L>
    Selection select(const L& loads) const noexcept {
        std::vector<Target> threads(loads.size());
        std::iota(threads.begin(), threads.end(), 0u);
        std::stable_sort(threads.begin(), threads.end(),
                         [&](Target a, Target b) { return loads.peek(a) < loads.peek(b); });
        return threads.front();
    }
};

} // namespace

void add_sort_and_pick() {
    add("sort_and_pick",
        [](const Workload& work) { return simulate(work, SortAndPick(), Counts::begun); });
}

} // namespace takt::bench::router_skew
