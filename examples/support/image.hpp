// SPDX-License-Identifier: MIT
#pragma once
// What the example programs share: a picture, and PNG as its file (libpng).

#include <cstdint>
#include <string>
#include <vector>

namespace example {

struct Colour {
    std::uint8_t red = 0;
    std::uint8_t green = 0;
    std::uint8_t blue = 0;
};

class Image {
  public:
    Image(int width, int height, Colour background = {});

    int width() const noexcept { return width_; }
    int height() const noexcept { return height_; }
    /// Outside of the picture nothing happens.
    void set(int x, int y, Colour colour) { blend(x, y, colour, 1); }
    /// `share` of the colour, 0 to 1, over what is there.
    void blend(int x, int y, Colour colour, double share);
    void line(double x0, double y0, double x1, double y1, Colour colour, double share = 1);
    void disc(double x, double y, double radius, Colour colour);
    /// Throws std::runtime_error when the file cannot be written.
    void write_png(const std::string& path) const;

  private:
    int width_;
    int height_;
    std::vector<Colour> pixels_;
};

} // namespace example
