// SPDX-License-Identifier: MIT
#pragma once
// A level of a Doom WAD, as far as walls and places go. The format: "The Unofficial Doom Specs", M. S.
// Fell, chapters 2 and 4.

#include <array>
#include <string>
#include <vector>

namespace example {

struct Vec3 {
    float x = 0;
    float y = 0;
    float z = 0; ///< up
};

struct MapVertex {
    float x = 0;
    float y = 0;
};

/// A line between two vertices, with a sector to its right and perhaps one to its left.
struct MapLine {
    MapVertex from;
    MapVertex to;
    int right = -1; ///< sector; -1: none
    int left = -1;
};

struct MapSector {
    float floor = 0;
    float ceiling = 0;
    bool sky = false; ///< the ceiling is open
};

struct MapThing {
    float x = 0;
    float y = 0;
    int type = 0;

    bool is_monster() const noexcept;
};

struct Map {
    std::vector<MapLine> lines;
    std::vector<MapSector> sectors;
    std::vector<MapThing> things;

    /// The sector around a point; -1 outside of the level.
    int sector_at(float x, float y) const;
};

/// Reads one map, "E1M2" for example. Throws std::runtime_error with a sentence for the user.
Map read_map(const std::string& wad, const std::string& name);

/// Four corners, around.
using Quad = std::array<Vec3, 4>;

/// What stops a shot: lines of one side from floor to ceiling, of the others the steps between
/// floors and between ceilings. Not the floors and ceilings themselves.
std::vector<Quad> walls_of(const Map& map);

} // namespace example
