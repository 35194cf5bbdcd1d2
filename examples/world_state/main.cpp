// SPDX-License-Identifier: MIT
// A world of zones in one shared table, and the status of each frame in a thread outside.
#include "support/options.hpp"
#include "world_state/world_state.hpp"

#include <cstdio>
#include <iostream>

namespace {

void print_run(const example::WorldRun& run) {
    std::printf(
        "%llu views of %llu frames: in %llu the living are not 100 a zone + born - died; %llu "
        "changed after they were frozen\n"
        "garbage of shared tables at the end: %zu bytes\n",
        static_cast<unsigned long long>(run.views),
        static_cast<unsigned long long>(run.log.frames()),
        static_cast<unsigned long long>(run.wrong), static_cast<unsigned long long>(run.old_views),
        takt::shared_table_garbage_bytes());
    std::fflush(stdout);
}

int run(int argc, const char* const* argv) {
    example::Common common{.frames = 300};
    std::int64_t zones = 64;
    std::int64_t seed = 1;
    example::Options options("world_state",
                             "zones of a world, each an actor, that share one table, "
                             "and a frozen view of each frame for a status thread");
    add_common(options, common);
    options.add("zones", zones, 1, 100'000, "zones");
    options.add("seed", seed, 0, INT64_MAX, "seed of what happens in them");
    if (const std::optional<int> status = options.parse(argc, argv))
        return *status;
    const example::WorldRun run =
        example::run_world({.workers = example::worker_count(common.workers),
                            .frames = static_cast<std::uint64_t>(common.frames),
                            .zones = static_cast<std::uint32_t>(zones),
                            .seed = static_cast<std::uint64_t>(seed)},
                           [](const std::string& line) { std::printf("  %s\n", line.c_str()); });
    print_run(run);
    example::print_table(std::cout, {"world_state", run.workers, run.log}, common.table);
    return run.wrong + run.old_views == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    return example::guarded("world_state", [&] { return run(argc, argv); });
}
