// SPDX-License-Identifier: MIT
// The picture of a terrain.
#include "support/image.hpp"
#include "terrain/terrain.hpp"

#include <algorithm>
#include <cmath>

namespace example {
namespace {

constexpr int kPixelsPerVoxel = 8;

struct Stop {
    double height; // 0 to 1
    Colour colour;
};

constexpr Stop kColours[]{{0.00, {20, 24, 60}},   {0.35, {50, 90, 150}},  {0.45, {70, 130, 80}},
                          {0.60, {150, 160, 90}}, {0.75, {140, 110, 80}}, {1.00, {245, 245, 245}}};

Colour colour_of(double height) {
    const Stop* above = std::begin(kColours) + 1;
    while (above + 1 != std::end(kColours) && above->height < height)
        ++above;
    const Stop& from = above[-1];
    const double share =
        std::clamp((height - from.height) / (above->height - from.height), 0.0, 1.0);
    const auto mixed = [share](std::uint8_t low, std::uint8_t high) {
        return static_cast<std::uint8_t>(std::lround(low + (high - low) * share));
    };
    return {mixed(from.colour.red, above->colour.red),
            mixed(from.colour.green, above->colour.green),
            mixed(from.colour.blue, above->colour.blue)};
}

Colour lit(Colour colour, double light) {
    const auto shade = [light](std::uint8_t value) {
        return static_cast<std::uint8_t>(std::clamp(value * light, 0.0, 255.0));
    };
    return {shade(colour.red), shade(colour.green), shade(colour.blue)};
}

} // namespace

void draw_heights(const Terrain& terrain, const std::string& png) {
    Image image(kWorldVoxels * kPixelsPerVoxel, kWorldVoxels * kPixelsPerVoxel);
    for (int x = 0; x < kWorldVoxels; ++x)
        for (int z = 0; z < kWorldVoxels; ++z) {
            const double height = terrain.height(x, z);
            const double rise = height - terrain.height(std::max(0, x - 1), std::max(0, z - 1));
            const Colour colour = lit(colour_of(height / kWorldVoxels), 1 + 0.12 * rise);
            for (int pixel = 0; pixel < kPixelsPerVoxel * kPixelsPerVoxel; ++pixel)
                image.set(x * kPixelsPerVoxel + pixel % kPixelsPerVoxel,
                          z * kPixelsPerVoxel + pixel / kPixelsPerVoxel, colour);
        }
    image.write_png(png);
}

} // namespace example
