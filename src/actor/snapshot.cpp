// SPDX-License-Identifier: MIT
#include "takt/actor/snapshot.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

namespace takt {
namespace {

// One pass of a counting sort: entries by the byte at `shift`, equal ones in the order they had.
// `highest`: the largest value of that byte.
void distribute(const std::uint32_t* from, std::uint32_t* to, std::uint32_t count,
                std::uint32_t shift, std::uint32_t highest) noexcept {
    std::array<std::uint32_t, 256> place;
    const auto end = place.begin() + highest + 1;
    const auto place_of = [&](std::uint32_t entry) -> std::uint32_t& {
        return place[(entry >> shift) & 0xff];
    };
    std::fill(place.begin(), end, 0);
    for (std::uint32_t at = 0; at < count; ++at)
        ++place_of(from[at]);
    std::exclusive_scan(place.begin(), end, place.begin(), 0u);
    for (std::uint32_t at = 0; at < count; ++at)
        to[place_of(from[at])++] = from[at];
}

// A number below seat.of: for one target another one at each dispatcher, and for one dispatcher
// evenly spread over the targets (multiples of the golden ratio).
std::uint32_t dither(Target target, Seat seat) noexcept {
    const std::uint64_t spread = target * std::uint32_t{0x9e37'79b1};
    const auto own = static_cast<std::uint32_t>((spread * seat.of) >> 32) + seat.index;
    return own < seat.of ? own : own - seat.of;
}

} // namespace

void LoadSnapshot::reserve(std::uint32_t targets) {
    if (targets == capacity_)
        return;
    const std::uint32_t ring = std::bit_ceil(targets + 1);
    auto snapshot = std::make_unique<std::uint32_t[]>(ring);
    auto returned = std::make_unique<std::uint32_t[]>(ring);
    snapshot_ = std::move(snapshot);
    returned_ = std::move(returned);
    capacity_ = targets;
    mask_ = ring - 1;
    size_ = 0;
}

void LoadSnapshot::arrange(std::uint32_t least, Seat seat) noexcept {
    step_ = std::clamp<std::uint32_t>(seat.of, 1, kLevelMax);
    std::uint32_t highest = 0;
    Target target = after_last_ < size_ ? after_last_ : 0;
    for (std::uint32_t at = 0; at < size_; ++at) {
        const std::uint32_t above = std::min(returned_[target] - least, kLevelMax);
        const std::uint32_t level = std::min(above + dither(target, seat), kLevelMax); // V3
        snapshot_[at] = (level << kTargetBits) | target;
        highest = std::max(highest, level);
        target = target + 1 < size_ ? target + 1 : 0;
    }
    distribute(snapshot_.get(), returned_.get(), size_, kTargetBits, std::min(highest, 0xffu));
    if (highest > 0xff)
        distribute(returned_.get(), snapshot_.get(), size_, kTargetBits + 8, highest >> 8);
    else
        std::swap(snapshot_, returned_);
    next_ = head_ = tail_ = 0;
    snapshot_[size_] = kEnd;
    returned_[0] = kEnd;
}

} // namespace takt
