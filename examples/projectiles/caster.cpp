// SPDX-License-Identifier: MIT
#include "projectiles/caster.hpp"

#include <cmath>
#include <cstddef>

namespace example {
namespace {

constexpr Vector3 kUp{0, 1, 0};

Vector3 reflected(Vector3 velocity, Vector3 normal, float bounciness) {
    return (velocity - normal * (2 * dot(velocity, normal))) * bounciness;
}

void meet(Projectile& it, const CasterTemplate& kind, const Touch& touch, std::vector<Hit>& hits) {
    const bool is_target = touch.target != kGround;
    if (is_target)
        hits.push_back({it.shot, touch.target, it.place});
    if (is_target && it.pierces > 0) {
        --it.pierces;
        it.pierced = touch.target;
    } else if (it.bounces > 0) {
        --it.bounces;
        it.velocity = reflected(it.velocity, touch.normal, kind.bounciness);
    } else {
        it.left_s = 0;
    }
}

/// The living target that comes next from this place on; this one, when all are dead.
const Target& living_from(const std::vector<Target>& targets, std::size_t at) {
    for (std::size_t step = 0; step < targets.size(); ++step)
        if (const Target& target = targets[(at + step) % targets.size()]; target.health > 0)
            return target;
    return targets[at];
}

} // namespace

void fly(Projectile& it, const CasterTemplate& kind, const Field& field, std::vector<Hit>& hits) {
    it.velocity = it.velocity - kUp * (kind.gravity * kFrameSeconds);
    it.left_s -= kFrameSeconds;
    float left_s = kFrameSeconds; // of this frame; each turn ends it, or pierces, or bounces
    while (it.left_s > 0) {
        const Vector3 to = it.place + it.velocity * left_s;
        const std::optional<Touch> touch = field.first_touch(it.place, to, it.pierced);
        if (!touch) {
            it.place = to;
            return;
        }
        it.place = it.place + (to - it.place) * touch->share;
        left_s *= 1 - touch->share;
        meet(it, kind, *touch, hits);
    }
}

Projectile Caster::cast(const Field& field) {
    const Vector3 from{4, 2, kind_.z};
    const Target& target = living_from(field.targets(), random_() % field.targets().size());
    const auto seconds_to = [&](Vector3 place) {
        const Vector3 way = place - from;
        return std::sqrt(dot(way, way)) / kind_.speed;
    };
    const float seconds = seconds_to(target.centre());
    const Vector3 way = target.centre_in(seconds) - from;
    std::uniform_real_distribution off(-kind_.spread, kind_.spread);
    const Vector3 spread{off(random_), off(random_), off(random_)};
    const Vector3 velocity = way * (1 / seconds) + kUp * (kind_.gravity * seconds / 2) + spread;
    return {.shot = tally_.casts++,
            .place = from,
            .velocity = velocity,
            .left_s = kind_.life_s,
            .pierces = kind_.pierces,
            .bounces = kind_.bounces};
}

void Caster::commit(const Hit& hit, Field& field, Checksum& sum) {
    const Outcome outcome = field.damage(hit.target, kind_.damage);
    tally_.hits += outcome != Outcome::late;
    tally_.kills += outcome == Outcome::killed;
    tally_.late += outcome == Outcome::late;
    sum.add(hit.shot);
    sum.add(hit.target);
    sum.add(hit.place);
    sum.add(static_cast<std::uint64_t>(outcome));
}

std::vector<Caster> make_casters(std::uint64_t seed) {
    std::vector<Caster> casters;
    casters.reserve(kCasters.size());
    for (const CasterTemplate& kind : kCasters)
        casters.emplace_back(kind, ++seed);
    return casters;
}

} // namespace example
