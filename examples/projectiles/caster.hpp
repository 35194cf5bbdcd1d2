// SPDX-License-Identifier: MIT
#pragma once
// Casters, their projectiles, and how these fly. Nothing here knows of actors or phases.

#include "projectiles/field.hpp"

#include <array>
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

namespace example {

/// What all projectiles of one caster have in common.
struct CasterTemplate {
    std::string_view name = {};
    float z = 0;       ///< metres; casters stand in a row in the west
    float speed = 0;   ///< metres per second towards the target
    float spread = 0;  ///< metres per second, each way
    float gravity = 0; ///< metres per second, per second
    int damage = 0;    ///< of a target's 100
    int pierces = 0;   ///< targets that it goes through
    int bounces = 0;   ///< off targets and the ground, when it does not pierce
    float bounciness = 0;
    float life_s = 0;
};

inline constexpr std::array kCasters{
    CasterTemplate{.name = "rifle",
                   .z = 64,
                   .speed = 250,
                   .spread = 4,
                   .gravity = 9.81F,
                   .damage = 4,
                   .pierces = 2,
                   .life_s = 4},
    CasterTemplate{.name = "cannon",
                   .z = 128,
                   .speed = 90,
                   .spread = 3,
                   .gravity = 9.81F,
                   .damage = 6,
                   .bounces = 4,
                   .bounciness = 0.6F,
                   .life_s = 8},
    CasterTemplate{.name = "mortar",
                   .z = 192,
                   .speed = 45,
                   .spread = 1,
                   .gravity = 9.81F,
                   .damage = 8,
                   .life_s = 8},
};

struct Projectile {
    std::uint64_t shot = 0; ///< its number among its caster's
    Vector3 place = {};
    Vector3 velocity = {};
    float left_s = 0;                ///< 0 or less: it is over
    std::uint32_t pierced = kGround; ///< the target that it is in, or was in last
    int pierces = 0;                 ///< left
    int bounces = 0;                 ///< left
};

/// What a projectile has met; what comes of it is decided when hits are committed.
struct Hit {
    std::uint64_t shot = 0;
    std::uint32_t target = 0;
    Vector3 place = {};
};

/// One frame of a projectile. Only reads the field, so any number may fly at once.
void fly(Projectile& it, const CasterTemplate& kind, const Field& field, std::vector<Hit>& hits);

struct Tally {
    std::uint64_t casts = 0;
    std::uint64_t hits = 0; ///< that did damage
    std::uint64_t kills = 0;
    std::uint64_t late = 0; ///< hits on what another hit of the same frame had killed

    friend bool operator==(const Tally&, const Tally&) = default;
};

class Caster {
  public:
    Caster(const CasterTemplate& kind, std::uint64_t seed) : kind_(kind), random_(seed) {}

    const CasterTemplate& kind() const noexcept { return kind_; }
    const Tally& tally() const noexcept { return tally_; }

    /// The next shot, at a target that lives.
    Projectile cast(const Field& field);
    /// Of its hits, in the order of its shots.
    void commit(const Hit& hit, Field& field, Checksum& sum);

  private:
    const CasterTemplate& kind_;
    std::mt19937_64 random_;
    Tally tally_;
};

/// One for each of kCasters.
std::vector<Caster> make_casters(std::uint64_t seed);

} // namespace example
