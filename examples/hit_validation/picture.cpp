// SPDX-License-Identifier: MIT
// The picture of a game.
#include "hit_validation/game.hpp"
#include "support/image.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace example {
namespace {

constexpr int kPixels = 1200; // along the longer edge
constexpr int kMargin = 20;
constexpr std::size_t kShotsDrawn = 1500;

constexpr Colour kBackground{16, 18, 24};
constexpr Colour kSolid{235, 235, 235};
constexpr Colour kStep{95, 100, 115};
constexpr Colour kPlayer{80, 220, 120};
constexpr Colour kBlock{240, 170, 60};

/// Map units to pixels; north is up.
class View {
  public:
    explicit View(const Map& map) {
        for (const MapLine& line : map.lines)
            for (const MapVertex vertex : {line.from, line.to}) {
                left_ = std::min(left_, vertex.x);
                right_ = std::max(right_, vertex.x);
                bottom_ = std::min(bottom_, vertex.y);
                top_ = std::max(top_, vertex.y);
            }
        scale_ = kPixels / std::max(right_ - left_, top_ - bottom_);
    }
    int width() const { return pixels(right_ - left_); }
    int height() const { return pixels(top_ - bottom_); }
    double x(float east) const { return kMargin + (east - left_) * scale_; }
    double y(float north) const { return kMargin + (top_ - north) * scale_; }

  private:
    int pixels(float units) const { return static_cast<int>(units * scale_) + 2 * kMargin; }

    float left_ = std::numeric_limits<float>::max();
    float right_ = std::numeric_limits<float>::lowest();
    float bottom_ = std::numeric_limits<float>::max();
    float top_ = std::numeric_limits<float>::lowest();
    float scale_ = 1;
};

Colour colour_of(Verdict verdict) {
    switch (verdict) {
    case Verdict::nothing:
        return {90, 110, 150};
    case Verdict::wall:
        return {90, 150, 255};
    case Verdict::damaged:
        return {255, 130, 40};
    case Verdict::destroyed:
        return {255, 40, 40};
    case Verdict::rejected:
        return {255, 60, 255};
    }
    return kSolid;
}

void draw_lines(const Map& map, bool one_sided, Colour colour, const View& view, Image& image) {
    for (const MapLine& line : map.lines)
        if ((line.left < 0) == one_sided)
            image.line(view.x(line.from.x), view.y(line.from.y), view.x(line.to.x),
                       view.y(line.to.y), colour);
}

void draw_shots(std::vector<Trace> traces, const View& view, Image& image) {
    // The rare ones last, on top.
    std::ranges::stable_sort(traces, {}, &Trace::verdict);
    const std::size_t every = traces.size() / kShotsDrawn + 1;
    for (std::size_t at = 0; at < traces.size(); ++at)
        if (const Trace& trace = traces[at]; at % every == 0)
            image.line(view.x(trace.from.x), view.y(trace.from.y), view.x(trace.to.x),
                       view.y(trace.to.y), colour_of(trace.verdict), 0.25);
    for (const Trace& trace : traces)
        if (trace.verdict != Verdict::nothing)
            image.disc(view.x(trace.to.x), view.y(trace.to.y), 1.2, colour_of(trace.verdict));
}

} // namespace

void draw_game(const Stage& stage, const GameRun& run, const std::string& png) {
    const View view(stage.map);
    Image image(view.width(), view.height(), kBackground);
    draw_lines(stage.map, false, kStep, view, image);
    for (const Vec3& block : stage.blocks)
        image.disc(view.x(block.x), view.y(block.y), 3, kBlock);
    draw_shots(run.traces, view, image);
    draw_lines(stage.map, true, kSolid, view, image);
    for (const Vec3& player : stage.players)
        image.disc(view.x(player.x), view.y(player.y), 4, kPlayer);
    image.write_png(png);
}

} // namespace example
