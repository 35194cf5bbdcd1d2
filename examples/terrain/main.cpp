// SPDX-License-Identifier: MIT
// Generates a world of 9261 chunks, says how it went, and draws it from above.
#include "support/options.hpp"
#include "terrain/terrain.hpp"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <stdexcept>

namespace {

std::uint64_t hash_of(const std::string& bytes) {
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
    for (const char byte : bytes)
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x0000'0100'0000'01b3;
    return hash;
}

void print_run(const example::TerrainRun& run) {
    const double seconds = static_cast<double>(run.duration_ns) / 1e9;
    std::printf("%zu of %zu chunks committed once, in %.2f s (%.0f chunks/s)\n"
                "commit log: %zu lines, hash %016llx\n"
                "chunks, max / mean: actors %.2f, workers %.2f\n",
                run.terrain.committed(1), example::kChunks, seconds,
                static_cast<double>(run.terrain.log().size()) / seconds, run.terrain.log().size(),
                static_cast<unsigned long long>(hash_of(run.terrain.log_bytes())),
                example::balance(run.by_actor), example::balance(run.by_worker));
    std::fflush(stdout);
}

void write_log(const example::Terrain& terrain, const std::string& path) {
    std::ofstream file(path);
    file << terrain.log_bytes();
    if (!file.flush())
        throw std::runtime_error("cannot write " + path + ". Name a file that can be written.");
}

int run(int argc, const char* const* argv) {
    example::Common common{.frames = example::kChunksPerEdge};
    std::string delivery = "immediate";
    std::string png = "terrain.png";
    std::string log;
    std::int64_t seed = 1;
    example::Options options("terrain", "32 actors generate a world of 21 x 21 x 21 chunks from "
                                        "noise, and write it in the serial phase");
    add_common(options, common);
    options.add("delivery", delivery, {"immediate", "next_round"},
                "next_round: the same commit log for any number of workers");
    options.add("seed", seed, 0, INT32_MAX, "seed of the noise");
    options.add("png", png, {}, "file for the height map");
    options.add("log", log, {}, "file for the commit log: x y z hash");
    if (const std::optional<int> status = options.parse(argc, argv))
        return *status;

    const example::TerrainRun run =
        example::generate_terrain({.workers = example::worker_count(common.workers),
                                   .next_round = delivery == "next_round",
                                   .seed = static_cast<std::uint64_t>(seed),
                                   .frames = static_cast<std::uint64_t>(common.frames)});
    print_run(run);
    draw_heights(run.terrain, png);
    std::cout << "height map: " << png << "\n";
    if (!log.empty())
        write_log(run.terrain, log);
    example::print_table(
        std::cout, {"terrain " + delivery, run.workers, run.log, example::balance(run.by_worker)},
        common.table);
    return run.terrain.committed(1) == example::kChunks ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    return example::guarded("terrain", [&] { return run(argc, argv); });
}
