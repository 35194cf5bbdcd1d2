// SPDX-License-Identifier: MIT
#pragma once
// What rays meet: the walls of a level, which stay, and blocks, which come and go. Embree 3.

#include "hit_validation/wad.hpp"

#include <cstdint>
#include <span>
#include <vector>

struct RTCDeviceTy;
struct RTCSceneTy;

namespace example {

inline constexpr float kBlockHalf = 16; // of a block's edge, in map units
inline constexpr float kBlockHeight = 40;

struct RayHit {
    enum class What : std::uint8_t { nothing, wall, block } what = What::nothing;
    std::uint32_t block = 0;
    Vec3 at;
};

/// Casting is for any number of threads at once, as long as nobody changes the scene.
class Scene {
  public:
    /// Blocks stand on these points.
    Scene(std::span<const Quad> walls, std::span<const Vec3> blocks);
    ~Scene();
    Scene(const Scene&) = delete;
    Scene& operator=(const Scene&) = delete;

    /// What is first between two points, and a little beyond the second.
    RayHit cast(Vec3 from, Vec3 to) const;
    /// Rays meet the block, or pass where it was.
    void show(std::uint32_t block, bool there) { there_[block] = there; }

  private:
    RTCDeviceTy* device_;
    RTCSceneTy* scene_;
    std::vector<std::uint8_t> there_; // by block; rays ask it (a new tree took half a millisecond)
};

} // namespace example
