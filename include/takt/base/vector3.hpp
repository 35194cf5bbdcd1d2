// SPDX-License-Identifier: MIT
#pragma once
// Layer 0, base. A vector of three numbers, as a value that attributes hold. Below: nothing.

namespace takt {

/// Three numbers of 32 bits, as the vector of Luau; what they measure is the user's affair. A value,
/// not a library of geometry.
struct Vector3 {
    float x = 0;
    float y = 0;
    float z = 0;

    friend constexpr bool operator==(const Vector3&, const Vector3&) noexcept = default;
    friend constexpr Vector3 operator+(Vector3 one, Vector3 other) noexcept {
        return {one.x + other.x, one.y + other.y, one.z + other.z};
    }
    friend constexpr Vector3 operator-(Vector3 one, Vector3 other) noexcept {
        return {one.x - other.x, one.y - other.y, one.z - other.z};
    }
    friend constexpr Vector3 operator*(Vector3 one, float factor) noexcept {
        return {one.x * factor, one.y * factor, one.z * factor};
    }
};

} // namespace takt
