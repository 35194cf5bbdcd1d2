// SPDX-License-Identifier: MIT
#pragma once
// Test support: payloads that count how many of them live, cannot be copied, or do not want to be
// made.

#include <stdexcept>
#include <utility>

namespace gate_test {

/// Move-only; `live` counts those that have not been moved from.
struct Counted {
    static inline int live = 0;

    explicit Counted(int number) : value(number) { ++live; }
    Counted(Counted&& other) noexcept : value(std::exchange(other.value, -1)) {}
    Counted& operator=(Counted&&) = delete;
    ~Counted() { live -= value >= 0; }

    int value; // -1: moved from
};

struct Throws {
    Throws() { throw std::runtime_error("no"); }
    ~Throws() { ++destroyed; }
    static inline int destroyed = 0;
};

struct alignas(64) Wide {
    explicit Wide(int number) : value(number) {}
    int value;
};

} // namespace gate_test
