// SPDX-License-Identifier: MIT
// Sheep and wolves that read each other in parallel, and what became of them.
#include "herd/herd.hpp"
#include "support/options.hpp"

#include <cstdio>
#include <iostream>

namespace {

using example::HerdRun;

void print_run(const HerdRun& run) {
    for (const std::string& line : run.picture)
        std::printf("  %s\n", line.c_str());
    const double bitten = run.damage / example::kBite;
    const double of_killed =
        static_cast<double>(run.killed) * example::kFullHealth / example::kBite;
    std::printf(
        "%llu sheep left, %llu killed; %llu bites = %.0f of the killed + %.0f of those that "
        "are left; %llu found nobody any more\n"
        "hash of all places and healths: %016llx, the same on any number of workers\n",
        static_cast<unsigned long long>(run.sheep_left),
        static_cast<unsigned long long>(run.killed), static_cast<unsigned long long>(run.bites),
        of_killed, bitten, static_cast<unsigned long long>(run.missed),
        static_cast<unsigned long long>(run.hash));
    std::fflush(stdout);
}

int run(int argc, const char* const* argv) {
    example::Common common{.frames = 600};
    std::int64_t sheep = 200;
    std::int64_t wolves = 5;
    std::int64_t seed = 1;
    example::Options options("herd", "sheep and wolves on a meadow, each an actor, that read each "
                                     "other's attributes and places in parallel");
    add_common(options, common);
    options.add("sheep", sheep, 1, 10'000, "sheep");
    options.add("wolves", wolves, 0, 1000, "wolves");
    options.add("seed", seed, 0, INT64_MAX, "seed of where they begin");
    if (const std::optional<int> status = options.parse(argc, argv))
        return *status;
    const HerdRun run = example::run_herd({.workers = example::worker_count(common.workers),
                                           .frames = static_cast<std::uint64_t>(common.frames),
                                           .sheep = static_cast<std::uint32_t>(sheep),
                                           .wolves = static_cast<std::uint32_t>(wolves),
                                           .seed = static_cast<std::uint64_t>(seed)});
    print_run(run);
    example::print_table(std::cout, {"herd", run.workers, run.log}, common.table);
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    return example::guarded("herd", [&] { return run(argc, argv); });
}
