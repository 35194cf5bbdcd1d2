// SPDX-License-Identifier: MIT
#include "terrain/terrain.hpp"

#include <algorithm>
#include <cmath>
#include <libnoise/noise.h>
#include <random>

namespace example {
namespace {

constexpr takt::Topic<int, int, int, std::uint64_t> kGenerateChunk{"GenerateChunk"};

constexpr double kVoxelStep = 1.0 / kVoxelsPerEdge; // in chunks
constexpr double kHillChunks = 3.5;                 // how far noise lifts the ground
constexpr double kSharpness = 1.5;                  // how thick the surface is, in occupancy

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) noexcept {
    return (hash ^ value) * 0x0000'0100'0000'01b3; // FNV-1a
}

std::size_t chunk_index(int x, int y, int z) noexcept {
    return static_cast<std::size_t>(((x + kReach) * kChunksPerEdge + y + kReach) * kChunksPerEdge +
                                    z + kReach);
}

noise::module::Perlin hills(std::uint64_t seed) {
    noise::module::Perlin perlin;
    perlin.SetSeed(static_cast<int>(seed & 0x7fff'ffff));
    perlin.SetFrequency(0.11);
    perlin.SetOctaveCount(6);
    return perlin;
}

/// Noise in three dimensions, that makes overhangs, on a ground at height 0.
std::uint8_t occupancy_at(const noise::module::Perlin& noise, double x, double y, double z) {
    const double density = (kHillChunks * noise.GetValue(x, y, z) - y) * kSharpness;
    return static_cast<std::uint8_t>(std::lround(std::clamp(density, 0.0, 1.0) * 255));
}

/// The original draws materials at random; so that a chunk is the same for whoever makes it, its
/// place is the seed.
std::uint64_t chunk_seed(ChunkAt at, std::uint64_t seed) noexcept {
    return mix(seed + 0x9e37'79b9, chunk_index(at.x, at.y, at.z));
}

takt::Config config_for(const TerrainOptions& options) {
    takt::Config config{.workers = {.count = options.workers, .pin_caller = true}};
    if (options.next_round)
        config.preset = takt::Preset::deterministic;
    return config;
}

/// The whole world, x by x, in equal parts for the frames; and some frames more for what is left.
template <class D>
void give_orders(takt::Runtime& runtime, D& generators, const TerrainOptions& options,
                 TerrainRun& run) {
    Progress progress("terrain: chunks", kChunks);
    const std::int64_t begin_ns = takt::now_ns();
    std::size_t next = 0;
    bool more = true;
    for (std::uint64_t frame = 1; more; ++frame) {
        const std::size_t end = kChunks * std::min(frame, options.frames) / options.frames;
        for (; next < end; ++next) {
            const auto along = [next](int stride) {
                return static_cast<int>(next) / stride % kChunksPerEdge - kReach;
            };
            generators.dispatch(kGenerateChunk, along(kChunksPerEdge * kChunksPerEdge),
                                along(kChunksPerEdge), along(1), options.seed);
        }
        const takt::FrameReport report = runtime.step();
        run.log.add(report);
        more = next < kChunks || report.left_over;
        progress.at(next);
    }
    run.duration_ns = takt::now_ns() - begin_ns;
}

} // namespace

std::uint64_t Voxels::hash() const noexcept {
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
    for (std::size_t at = 0; at < kCount; ++at)
        hash = mix(mix(hash, occupancy[at]), static_cast<std::uint64_t>(material[at]));
    return hash;
}

void Terrain::put(ChunkAt at, const Voxels& voxels) {
    const std::size_t index = chunk_index(at.x, at.y, at.z);
    chunks_[index] = voxels;
    ++times_[index];
    const auto small = [](int coordinate) { return static_cast<std::int8_t>(coordinate); };
    log_.push_back({small(at.x), small(at.y), small(at.z), voxels.hash()});
}

std::string Terrain::log_bytes() const {
    std::string bytes;
    for (const Committed& one : log_)
        bytes += std::to_string(one.x) + " " + std::to_string(one.y) + " " + std::to_string(one.z) +
                 " " + std::to_string(one.hash) + "\n";
    return bytes;
}

std::size_t Terrain::committed(unsigned times) const {
    return static_cast<std::size_t>(std::ranges::count(times_, times));
}

const Voxels& Terrain::chunk(int x, int y, int z) const {
    const auto place = [](int voxel) { return voxel / kVoxelsPerEdge - kReach; };
    return chunks_[chunk_index(place(x), place(y), place(z))];
}

double Terrain::height(int x, int z) const {
    for (int y = kWorldVoxels; y-- > 0;) {
        const auto inside = [](int voxel) { return voxel % kVoxelsPerEdge; };
        const std::uint8_t occupancy =
            chunk(x, y, z).occupancy[Voxels::index(inside(x), inside(y), inside(z))];
        if (occupancy != 0)
            return y + occupancy / 255.0;
    }
    return 0;
}

Voxels generate_voxels(ChunkAt at, std::uint64_t seed) {
    const noise::module::Perlin noise = hills(seed);
    std::mt19937_64 random(chunk_seed(at, seed));
    Voxels voxels;
    for (int x = 0; x < kVoxelsPerEdge; ++x)
        for (int y = 0; y < kVoxelsPerEdge; ++y)
            for (int z = 0; z < kVoxelsPerEdge; ++z) {
                const std::size_t index = Voxels::index(x, y, z);
                voxels.occupancy[index] = occupancy_at(
                    noise, at.x + kVoxelStep * x, at.y + kVoxelStep * y, at.z + kVoxelStep * z);
                const auto material = static_cast<Material>(1 + random() % 3);
                voxels.material[index] = voxels.occupancy[index] == 0 ? Material::air : material;
            }
    return voxels;
}

TerrainRun generate_terrain(const TerrainOptions& options) {
    TerrainRun run;
    run.by_actor.resize(options.actors);
    takt::ReadParallel<Terrain> terrain;
    takt::Runtime runtime(config_for(options));
    run.workers = workers_text(runtime);
    takt::PerWorker<std::uint64_t> by_worker(runtime);

    auto made = run.by_actor.begin();
    takt::Dispatcher generators(
        runtime, {.actors = options.actors, .name = "generator"}, [&](takt::Actor& actor) {
            std::uint64_t& mine = *made++;
            actor.bind_parallel(
                kGenerateChunk, [&](int x, int y, int z, std::uint64_t seed) -> takt::Task<> {
                    const Voxels voxels =
                        generate_voxels({x, y, z}, seed); // on this actor's worker
                    ++mine;
                    ++by_worker.local();
                    takt::Serial serial = co_await takt::synchronize(); // the world stands still
                    terrain.write(serial).put({x, y, z}, voxels);
                });
        });
    give_orders(runtime, generators, options, run);
    run.terrain = terrain.read();
    for (const std::uint64_t chunks : by_worker)
        run.by_worker.push_back(chunks);
    return run;
}

} // namespace example
