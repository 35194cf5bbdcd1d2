// SPDX-License-Identifier: MIT
#include "support/image.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <png.h>
#include <stdexcept>

namespace example {

Image::Image(int width, int height, Colour background)
    : width_(width), height_(height),
      pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), background) {}

void Image::blend(int x, int y, Colour colour, double share) {
    if (x < 0 || y < 0 || x >= width_ || y >= height_)
        return;
    Colour& pixel = pixels_[static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) +
                            static_cast<std::size_t>(x)];
    const auto mix = [share](std::uint8_t under, std::uint8_t over) {
        return static_cast<std::uint8_t>(std::lround(under + (over - under) * share));
    };
    pixel = {mix(pixel.red, colour.red), mix(pixel.green, colour.green),
             mix(pixel.blue, colour.blue)};
}

void Image::line(double x0, double y0, double x1, double y1, Colour colour, double share) {
    const auto steps =
        std::max(1, static_cast<int>(std::ceil(std::max(std::abs(x1 - x0), std::abs(y1 - y0)))));
    for (int step = 0; step <= steps; ++step) {
        const double along = static_cast<double>(step) / steps;
        blend(static_cast<int>(std::lround(x0 + (x1 - x0) * along)),
              static_cast<int>(std::lround(y0 + (y1 - y0) * along)), colour, share);
    }
}

void Image::disc(double x, double y, double radius, Colour colour) {
    const auto first = [radius](double at) { return static_cast<int>(std::floor(at - radius)); };
    const auto last = [radius](double at) { return static_cast<int>(std::ceil(at + radius)); };
    for (int row = first(y); row <= last(y); ++row)
        for (int column = first(x); column <= last(x); ++column)
            if (std::hypot(column - x, row - y) <= radius)
                set(column, row, colour);
}

void Image::write_png(const std::string& path) const {
    static_assert(sizeof(Colour) == 3);
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(width_);
    image.height = static_cast<png_uint_32>(height_);
    image.format = PNG_FORMAT_RGB;
    if (png_image_write_to_file(&image, path.c_str(), 0, pixels_.data(), 0, nullptr) == 0)
        throw std::runtime_error("cannot write " + path + ": " + image.message +
                                 ". Name a file that can be written.");
}

} // namespace example
