// SPDX-License-Identifier: MIT
#pragma once
// Sheep and wolves on a meadow, each an actor. They never write to each other: each says in the tree
// of instances who it is, by attributes, and where it is, by a LocalSafe; the others read that in the
// parallel phase. What one does to another is done in the serial phase.

#include "support/report.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace example {

enum class Team : std::uint8_t { sheep, wolf };

struct Body {
    takt::Vector3 place; ///< metres; y is up, and 0
    takt::Vector3 speed; ///< metres per second
};

/// What an animal publishes. Its Body it writes itself, in parallel; the others see the last frame's.
inline constexpr takt::Attribute<Team> kTeam{"Team"};
inline constexpr takt::Attribute<double> kHealth{"Health"};
inline constexpr takt::Attribute<std::shared_ptr<takt::LocalSafe<Body>>> kBody{"Body"};

inline constexpr double kFullHealth = 100;
inline constexpr double kBite = 20;

struct HerdOptions {
    std::optional<int> workers = {};
    std::uint64_t frames = 600; ///< of 1/60 s
    std::uint32_t sheep = 200;
    std::uint32_t wolves = 5;
    std::uint64_t seed = 1;
};

struct HerdRun {
    std::string workers;
    FrameLog log;
    std::uint64_t bites = 0;  ///< that hit
    std::uint64_t missed = 0; ///< whose sheep had just gone
    std::uint64_t killed = 0;
    std::uint64_t scares = 0; ///< bitten sheep that heard of it, by their attribute's signal
    std::uint64_t sheep_left = 0;
    double damage = 0;      ///< of those that are left
    std::uint64_t hash = 0; ///< of all places and healths at the end, in tree order
    /// The meadow from above: a letter for each animal, a capital one for several sheep.
    std::vector<std::string> picture;
};

/// The same options but for the workers give the same run.
HerdRun run_herd(const HerdOptions& options);

} // namespace example
