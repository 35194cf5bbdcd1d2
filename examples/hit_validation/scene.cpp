// SPDX-License-Identifier: MIT
#include "hit_validation/scene.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <embree3/rtcore.h>
#include <iterator>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace example {
namespace {

// The place that was clicked may lie a little in front of what it names, as in the original.
constexpr float kBeyond = 1.01F;
constexpr unsigned kBlockSides = 6;
enum Geometry : unsigned { kWalls, kBlocks };

void set_quads(RTCGeometry geometry, std::span<const Quad> quads) {
    void* const corners = rtcSetNewGeometryBuffer(
        geometry, RTC_BUFFER_TYPE_VERTEX, 0, RTC_FORMAT_FLOAT3, sizeof(Vec3), quads.size() * 4);
    void* const indices =
        rtcSetNewGeometryBuffer(geometry, RTC_BUFFER_TYPE_INDEX, 0, RTC_FORMAT_UINT4,
                                4 * sizeof(std::uint32_t), quads.size());
    if (corners == nullptr || indices == nullptr)
        throw std::runtime_error("Embree has no memory for the level");
    Vec3* corner = static_cast<Vec3*>(corners);
    for (const Quad& quad : quads)
        for (const Vec3& one : quad)
            *corner++ = one;
    auto* const first = static_cast<std::uint32_t*>(indices);
    std::iota(first, first + quads.size() * 4, 0U);
}

/// A ray goes on where its hit is of a block that is not there.
void pass_what_is_gone(const RTCFilterFunctionNArguments* asked) {
    const auto* const there = static_cast<const std::uint8_t*>(asked->geometryUserPtr);
    for (unsigned ray = 0; ray < asked->N; ++ray)
        if (asked->valid[ray] != 0 &&
            there[RTCHitN_primID(asked->hit, asked->N, ray) / kBlockSides] == 0)
            asked->valid[ray] = 0;
}

RTCGeometry add_quads(RTCDevice device, RTCScene scene, unsigned id, std::span<const Quad> quads) {
    RTCGeometry const geometry = rtcNewGeometry(device, RTC_GEOMETRY_TYPE_QUAD);
    set_quads(geometry, quads);
    rtcAttachGeometryByID(scene, geometry, id);
    rtcReleaseGeometry(geometry); // the scene keeps it
    return geometry;
}

std::array<Quad, kBlockSides> sides_of_block(Vec3 at) {
    const auto corner = [at](int east, int north, int up) {
        return Vec3{at.x + (east != 0 ? kBlockHalf : -kBlockHalf),
                    at.y + (north != 0 ? kBlockHalf : -kBlockHalf),
                    at.z + (up != 0 ? kBlockHeight : 0)};
    };
    return {{{corner(0, 0, 0), corner(1, 0, 0), corner(1, 1, 0), corner(0, 1, 0)},
             {corner(0, 0, 1), corner(1, 0, 1), corner(1, 1, 1), corner(0, 1, 1)},
             {corner(0, 0, 0), corner(1, 0, 0), corner(1, 0, 1), corner(0, 0, 1)},
             {corner(0, 1, 0), corner(1, 1, 0), corner(1, 1, 1), corner(0, 1, 1)},
             {corner(0, 0, 0), corner(0, 1, 0), corner(0, 1, 1), corner(0, 0, 1)},
             {corner(1, 0, 0), corner(1, 1, 0), corner(1, 1, 1), corner(1, 0, 1)}}};
}

RTCRayHit ray_between(Vec3 from, Vec3 to) {
    RTCRayHit ray{};
    ray.ray.org_x = from.x;
    ray.ray.org_y = from.y;
    ray.ray.org_z = from.z;
    ray.ray.dir_x = to.x - from.x;
    ray.ray.dir_y = to.y - from.y;
    ray.ray.dir_z = to.z - from.z;
    ray.ray.tfar = kBeyond;
    ray.ray.mask = std::numeric_limits<unsigned>::max();
    ray.hit.geomID = RTC_INVALID_GEOMETRY_ID;
    return ray;
}

} // namespace

// One thread: Embree's own would share the CPUs of the workers.
Scene::Scene(std::span<const Quad> walls, std::span<const Vec3> blocks)
    : device_(rtcNewDevice("threads=1,set_affinity=0")), there_(blocks.size(), 1) {
    if (device_ == nullptr)
        throw std::runtime_error("Embree finds no CPU that it can use");
    std::vector<Quad> sides;
    for (const Vec3& block : blocks)
        std::ranges::copy(sides_of_block(block), std::back_inserter(sides));
    scene_ = rtcNewScene(device_);
    rtcCommitGeometry(add_quads(device_, scene_, kWalls, walls));
    RTCGeometry const boxes = add_quads(device_, scene_, kBlocks, sides);
    rtcSetGeometryUserData(boxes, there_.data());
    rtcSetGeometryIntersectFilterFunction(boxes, &pass_what_is_gone);
    rtcCommitGeometry(boxes);
    rtcCommitScene(scene_);
}

Scene::~Scene() {
    rtcReleaseScene(scene_);
    rtcReleaseDevice(device_);
}

RayHit Scene::cast(Vec3 from, Vec3 to) const {
    RTCIntersectContext context;
    rtcInitIntersectContext(&context);
    RTCRayHit ray = ray_between(from, to);
    rtcIntersect1(scene_, &context, &ray);
    RayHit hit{.what = RayHit::What::nothing, .block = 0, .at = to};
    if (ray.hit.geomID == RTC_INVALID_GEOMETRY_ID)
        return hit;
    hit.what = ray.hit.geomID == kWalls ? RayHit::What::wall : RayHit::What::block;
    hit.block = ray.hit.geomID == kWalls ? 0 : ray.hit.primID / kBlockSides;
    const float share = ray.ray.tfar;
    hit.at = {from.x + share * (to.x - from.x), from.y + share * (to.y - from.y),
              from.z + share * (to.z - from.z)};
    return hit;
}

} // namespace example
