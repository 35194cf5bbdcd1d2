// SPDX-License-Identifier: MIT
#pragma once
// A field with moving targets: the geometry, and what a hit does to it. Of takt only the vector.

#include "takt/takt.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace example {

using takt::Vector3;

inline constexpr float kFieldMetres = 256;           // along an edge; x is east, y up, z south
inline constexpr float kFrameSeconds = 1.0F / 60;    // of the field's time, whatever the clock says
inline constexpr std::uint32_t kGround = UINT32_MAX; // the number that is no target's

constexpr float dot(Vector3 one, Vector3 other) {
    return one.x * other.x + one.y * other.y + one.z * other.z;
}

/// FNV-1a, of 64-bit words.
class Checksum {
  public:
    void add(std::uint64_t word) noexcept { value_ = (value_ ^ word) * 0x0000'0100'0000'01b3; }
    void add(Vector3 it) noexcept;
    std::uint64_t value() const noexcept { return value_; }

  private:
    std::uint64_t value_ = 0xcbf2'9ce4'8422'2325;
};

/// A sphere that goes round in a circle.
struct Target {
    Vector3 home = {}; ///< the circle's middle
    float orbit = 0;
    float angle = 0;
    float speed = 0; ///< radians per second
    float radius = 0;
    int health = 0; ///< 0: dead, and not there
    int frames_dead = 0;

    Vector3 centre_in(float seconds) const;
    Vector3 centre() const { return centre_in(0); }
};

/// Where a way first meets something.
struct Touch {
    float share = 0;     ///< of the way
    Vector3 normal = {}; ///< of length 1
    std::uint32_t target = kGround;
};

enum class Outcome : std::uint8_t { damaged, killed, late }; // late: it was dead already

class Field {
  public:
    Field(std::uint32_t targets, std::uint64_t seed);

    const std::vector<Target>& targets() const noexcept { return targets_; }
    /// What the way meets first, except for one target. Ways that begin inside a target miss it.
    std::optional<Touch> first_touch(Vector3 from, Vector3 to, std::uint32_t except) const;
    void add_to(Checksum& sum) const;

    /// The next frame: targets move on, and the dead come back after a while.
    void move();
    Outcome damage(std::uint32_t target, int points);

  private:
    static constexpr std::size_t kCells = 32; // along an edge
    /// Calls `visit(cell)` for the cells that touch the box between two corners.
    template <class Visit>
    static void for_cells(Vector3 one, Vector3 other, Visit visit);
    void place(std::uint32_t number);

    std::vector<Target> targets_;
    std::vector<Vector3> centres_; // of this frame
    // Squares of the ground, row by row: who is above each. Outside the field the last ones go on.
    std::vector<std::vector<std::uint32_t>> cells_;
    float highest_ = 0; // where a target may be
};

} // namespace example
