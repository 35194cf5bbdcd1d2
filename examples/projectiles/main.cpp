// SPDX-License-Identifier: MIT
// Projectiles of three casters, flown in parallel; what they hit, and whether a plain loop agrees.
#include "projectiles/projectiles.hpp"
#include "support/options.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <iostream>
#include <numeric>

namespace {

using example::Battle;
using example::ProjectilesRun;

double seconds_of(const example::FrameLog& log) {
    const std::vector<std::int64_t> durations = log.durations_ns();
    return static_cast<double>(std::accumulate(durations.begin(), durations.end(), 0LL)) / 1e9;
}

void print_battle(const ProjectilesRun& run) {
    for (const std::string& line : run.battle.picture)
        std::printf("  %s\n", line.c_str());
    std::printf("  %s\n\n  caster    casts      hits     kills      late  in flight, by actor\n",
                std::string(run.battle.picture.front().size(), '=').c_str());
    for (std::size_t at = 0; at < example::kCasters.size(); ++at) {
        const example::Tally& tally = run.battle.tallies[at];
        std::printf("  %-6s %8llu  %8llu  %8llu  %8llu ", example::kCasters[at].name.data(),
                    static_cast<unsigned long long>(tally.casts),
                    static_cast<unsigned long long>(tally.hits),
                    static_cast<unsigned long long>(tally.kills),
                    static_cast<unsigned long long>(tally.late));
        for (const std::uint64_t load : run.loads[at])
            std::printf(" %llu", static_cast<unsigned long long>(load));
        std::printf("\n");
    }
    const auto frames = static_cast<double>(run.log.frames());
    std::printf("%.0f frames/s, p99 frame %.0f us\n"
                "checksum of all hits and of the end: %016llx, the same on any number of workers\n",
                frames / seconds_of(run.log),
                static_cast<double>(example::percentile(run.log.durations_ns(), 0.99)) / 1e3,
                static_cast<unsigned long long>(run.battle.checksum));
    std::fflush(stdout);
}

/// Whether the same battle without takt ends the same.
bool is_the_loops(const Battle& battle, const example::ProjectilesOptions& options) {
    const std::int64_t begin_ns = takt::now_ns();
    const Battle in_a_loop = example::fight_in_a_loop(options);
    const double seconds = static_cast<double>(takt::now_ns() - begin_ns) / 1e9;
    std::printf("the same in a loop on one thread: %.0f frames/s, %016llx: %s\n",
                static_cast<double>(options.frames) / seconds,
                static_cast<unsigned long long>(in_a_loop.checksum),
                battle == in_a_loop ? "the same battle" : "ANOTHER BATTLE");
    std::fflush(stdout);
    return battle == in_a_loop;
}

double worst_balance(const ProjectilesRun& run) {
    double worst = 1;
    for (const std::vector<std::uint64_t>& loads : run.loads)
        worst = std::max(worst, example::balance(loads));
    return worst;
}

int run(int argc, const char* const* argv) {
    example::Common common{.frames = 600};
    std::int64_t actors = 4;
    std::int64_t shots = 50;
    std::int64_t targets = 400;
    std::int64_t seed = 1;
    std::string verify = "on";
    example::Options options("projectiles", "three casters, each with a template and a pool of "
                                            "actors that fly its projectiles in parallel; hits "
                                            "are committed by caster and shot");
    add_common(options, common);
    options.add("actors", actors, 1, 256, "actors of each caster");
    options.add("shots", shots, 1, 2000, "shots of each caster, a frame");
    options.add("targets", targets, 1, 100'000, "targets");
    options.add("seed", seed, 0, INT64_MAX, "seed of the targets and of the casters' aim");
    options.add("verify", verify, {"on", "off"}, "fight the same battle in a loop and compare");
    if (const std::optional<int> status = options.parse(argc, argv))
        return *status;
    const example::ProjectilesOptions wanted{.workers = example::worker_count(common.workers),
                                             .frames = static_cast<std::uint64_t>(common.frames),
                                             .actors = static_cast<std::uint32_t>(actors),
                                             .shots = static_cast<std::uint32_t>(shots),
                                             .targets = static_cast<std::uint32_t>(targets),
                                             .seed = static_cast<std::uint64_t>(seed)};
    const ProjectilesRun run = example::run_projectiles(wanted);
    print_battle(run);
    const bool agrees = verify == "off" || is_the_loops(run.battle, wanted);
    example::print_table(std::cout, {"projectiles", run.workers, run.log, worst_balance(run)},
                         common.table);
    return agrees ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    return example::guarded("projectiles", [&] { return run(argc, argv); });
}
