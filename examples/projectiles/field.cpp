// SPDX-License-Identifier: MIT
#include "projectiles/field.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <random>

namespace example {
namespace {

constexpr int kFullHealth = 100;
constexpr int kFramesDead = 180;
constexpr float kRadiusMax = 3.5F;
constexpr float kHeightMax = 30;

/// Where the way enters the sphere.
std::optional<Touch> enter(Vector3 from, Vector3 way, Vector3 centre, float radius) {
    const Vector3 offset = from - centre;
    const float towards = dot(offset, way);
    const float outside = dot(offset, offset) - radius * radius;
    if (towards >= 0 || outside <= 0)
        return std::nullopt;
    const float length2 = dot(way, way);
    const float discriminant = towards * towards - length2 * outside;
    if (discriminant < 0)
        return std::nullopt;
    const float share = (-towards - std::sqrt(discriminant)) / length2;
    if (share > 1)
        return std::nullopt;
    return Touch{share, (offset + way * share) * (1 / radius)};
}

} // namespace

void Checksum::add(Vector3 it) noexcept {
    for (const float part : {it.x, it.y, it.z})
        add(std::uint64_t{std::bit_cast<std::uint32_t>(part)});
}

Vector3 Target::centre_in(float seconds) const {
    const float then = angle + speed * seconds;
    return home + Vector3{std::cos(then), 0, std::sin(then)} * orbit;
}

Field::Field(std::uint32_t targets, std::uint64_t seed)
    : targets_(targets), centres_(targets), cells_(kCells * kCells),
      highest_(kHeightMax + kRadiusMax) {
    std::mt19937_64 random(seed);
    const auto draw = [&random](float least, float most) {
        return std::uniform_real_distribution(least, most)(random);
    };
    for (Target& target : targets_) {
        target.home.x = draw(kFieldMetres / 4, kFieldMetres); // the casters stand in the west
        target.home.y = draw(kRadiusMax, kHeightMax);
        target.home.z = draw(0, kFieldMetres);
        target.orbit = draw(2, 10);
        target.angle = draw(0, 2 * std::numbers::pi_v<float>);
        target.speed = draw(-0.5F, 0.5F);
        target.radius = draw(1, kRadiusMax);
        target.health = kFullHealth;
    }
    for (std::uint32_t number = 0; number < targets; ++number)
        place(number);
}

template <class Visit>
void Field::for_cells(Vector3 one, Vector3 other, Visit visit) {
    const auto at = [](float metres) {
        return static_cast<std::size_t>(
            std::clamp(metres / kFieldMetres * kCells, 0.0F, kCells - 1.0F));
    };
    const auto [west, east] = std::minmax(one.x, other.x);
    const auto [north, south] = std::minmax(one.z, other.z);
    for (std::size_t z = at(north); z <= at(south); ++z)
        for (std::size_t x = at(west); x <= at(east); ++x)
            visit(z * kCells + x);
}

void Field::place(std::uint32_t number) {
    const Target& target = targets_[number];
    const Vector3 centre = centres_[number] = target.centre();
    const Vector3 half{target.radius, target.radius, target.radius};
    for_cells(centre - half, centre + half,
              [&](std::size_t cell) { cells_[cell].push_back(number); });
}

std::optional<Touch> Field::first_touch(Vector3 from, Vector3 to, std::uint32_t except) const {
    std::optional<Touch> first;
    if (to.y < 0)
        first = Touch{std::max(from.y, 0.0F) / (std::max(from.y, 0.0F) - to.y), {0, 1, 0}};
    if (std::min(from.y, to.y) > highest_)
        return first;
    for_cells(from, to, [&](std::size_t cell) {
        for (const std::uint32_t number : cells_[cell]) {
            if (number == except)
                continue;
            std::optional<Touch> touch =
                enter(from, to - from, centres_[number], targets_[number].radius);
            if (touch && (!first || touch->share < first->share)) {
                touch->target = number;
                first = touch;
            }
        }
    });
    return first;
}

void Field::add_to(Checksum& sum) const {
    for (const Target& target : targets_) {
        sum.add(target.centre());
        sum.add(static_cast<std::uint64_t>(target.health));
    }
}

void Field::move() {
    for (std::vector<std::uint32_t>& one : cells_)
        one.clear();
    for (std::uint32_t number = 0; number < targets_.size(); ++number) {
        Target& target = targets_[number];
        target.angle += target.speed * kFrameSeconds;
        if (target.health == 0 && ++target.frames_dead == kFramesDead)
            target.health = kFullHealth;
        if (target.health > 0)
            place(number);
    }
}

Outcome Field::damage(std::uint32_t target, int points) {
    Target& it = targets_[target];
    if (it.health == 0)
        return Outcome::late;
    it.health = std::max(0, it.health - points);
    if (it.health > 0)
        return Outcome::damaged;
    it.frames_dead = 0;
    return Outcome::killed;
}

} // namespace example
