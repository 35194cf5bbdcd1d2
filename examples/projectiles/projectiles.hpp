// SPDX-License-Identifier: MIT
#pragma once
// Casters whose projectiles fly in parallel, as with FastCast2: each caster has a template and a pool
// of actors of its own, and each actor of a pool holds thousands of its projectiles.
//
//   pre_simulation, serial    targets move; each caster casts, to the least busy actor of its pool
//   heartbeat, parallel       each actor flies its projectiles, and notes what they hit
//   heartbeat, serial         the hits are committed: by caster, by shot, whoever noted them

#include "projectiles/caster.hpp"
#include "support/report.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace example {

struct ProjectilesOptions {
    std::optional<int> workers = {};
    std::uint64_t frames = 600;
    std::uint32_t actors = 4; ///< of each caster
    std::uint32_t shots = 50; ///< of each caster, a frame
    std::uint32_t targets = 400;
    std::uint64_t seed = 1;
};

/// What became of the casters of kCasters, in their order.
struct Battle {
    std::vector<Tally> tallies;
    std::vector<std::uint64_t> in_flight;
    /// Of all hits as they were committed, and of all targets and projectiles at the end.
    std::uint64_t checksum = 0;
    /// From the south, at the end: a caster's letter where most projectiles are its.
    std::vector<std::string> picture;

    friend bool operator==(const Battle&, const Battle&) = default;
};

struct ProjectilesRun {
    Battle battle;
    std::string workers;
    FrameLog log;
    /// By caster: projectiles that each actor holds at the end.
    std::vector<std::vector<std::uint64_t>> loads;
};

/// The same options but for workers and actors give the same battle.
ProjectilesRun run_projectiles(const ProjectilesOptions& options);

/// The same battle without takt: in one loop, where hits come in their order by themselves.
Battle fight_in_a_loop(const ProjectilesOptions& options);

/// `in_flight`: by caster, in the order of the shots. Adds the end to `sum`.
Battle end_of_battle(const std::vector<Caster>& casters, const Field& field, Checksum sum,
                     const std::vector<std::vector<Projectile>>& in_flight);

} // namespace example
