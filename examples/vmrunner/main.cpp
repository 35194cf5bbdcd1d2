// SPDX-License-Identifier: MIT
// VMsDispatcher's tests, with two selectors for the same tasks. The profiler of the original is a
// count of labels here.
#include "support/options.hpp"
#include "vmrunner/vmrunner.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

namespace {

using example::VmRun;

void print_loads(const std::string& selector, const VmRun& run) {
    std::printf("%s: %llu tasks of 100 to 1000 heartbeats\n  frame time   load of each actor%*s"
                "max - min\n",
                selector.c_str(), static_cast<unsigned long long>(run.tasks),
                static_cast<int>(run.labels.size()) * 5 - 15, "");
    for (const example::VmLoads& row : run.over_time) {
        std::printf("  %8.1f s ", row.seconds);
        for (const std::uint64_t load : row.loads)
            std::printf(" %4llu", static_cast<unsigned long long>(load));
        const auto [least, most] = std::minmax_element(row.loads.begin(), row.loads.end());
        std::printf("   %4llu\n", static_cast<unsigned long long>(*most - *least));
    }
    std::printf("  on average max - min is %.2f, max / mean %.3f\n", run.spread, run.balance);
}

void print_labels(const VmRun& run) {
    std::printf("labelled heartbeats:");
    for (const auto& labels : run.labels) {
        std::uint64_t beats = 0;
        for (const auto& [label, count] : labels)
            beats += count;
        std::printf("  %llu under %zu labels", static_cast<unsigned long long>(beats),
                    labels.size());
    }
    std::printf("\n\n");
}

int run(int argc, const char* const* argv) {
    example::Common common{.frames = 6000};
    std::string selector = "both";
    std::int64_t seed = 1;
    std::int64_t actors = 4;
    example::Options options("vmrunner", "actors with heartbeat loops get a task every 100 ms of "
                                         "frame time; which selector keeps their loads even?");
    add_common(options, common);
    options.add("selector", selector, {"both", "least_busy", "two_choices", "round_robin"},
                "who gets the next task; both is least_busy, then round_robin");
    options.add("actors", actors, 1, 64, "actors");
    options.add("seed", seed, 0, INT64_MAX, "seed of the tasks' lifetimes");
    if (const std::optional<int> status = options.parse(argc, argv))
        return *status;

    std::vector<std::string> selectors{selector};
    if (selector == "both")
        selectors = {"least_busy", "round_robin"};
    for (const std::string& one : selectors) {
        const VmRun run =
            example::run_vms(one, {.actors = static_cast<std::uint32_t>(actors),
                                   .workers = example::worker_count(common.workers),
                                   .frames = static_cast<std::uint64_t>(common.frames),
                                   .seed = static_cast<std::uint64_t>(seed)});
        print_loads(one, run);
        print_labels(run);
        std::fflush(stdout);
        example::print_table(std::cout, {"vmrunner " + one, run.workers, run.log, run.balance},
                             common.table);
        std::cout << "\n";
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    return example::guarded("vmrunner", [&] { return run(argc, argv); });
}
