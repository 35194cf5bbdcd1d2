// SPDX-License-Identifier: MIT
#include "takt/actor/selector.hpp"

namespace takt {
namespace {

std::uint64_t mix(std::uint64_t bits) noexcept {
    bits = (bits ^ (bits >> 30)) * 0xbf58'476d'1ce4'e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d0'49bb'1331'11eb;
    return bits ^ (bits >> 31);
}

} // namespace

std::uint64_t TwoChoices::draw() noexcept {
    state_ += 0x9e37'79b9'7f4a'7c15;
    return mix(state_);
}

Target Sticky::place(std::uint64_t key, std::uint32_t targets) noexcept {
    std::uint64_t state = mix(key); // keys may be pointers, that differ in few bits
    std::int64_t place = 0;
    std::int64_t next = 0;
    while (next < targets) {
        place = next;
        state = state * 2'862'933'555'777'941'757 + 1;
        const double draw = static_cast<double>((state >> 33) + 1) / 2'147'483'648.0; // (0, 1]
        next = static_cast<std::int64_t>(static_cast<double>(place + 1) / draw);
    }
    return static_cast<Target>(place);
}

} // namespace takt
