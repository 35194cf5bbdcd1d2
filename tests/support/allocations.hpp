// SPDX-License-Identifier: MIT
#pragma once
// Test support: counts the allocations of this program, and makes one of them fail.
// allocations.cpp replaces operator new.

#include <cstdint>

namespace allocations {

/// Since the program began.
std::uint64_t count() noexcept;
/// Those that were not given back.
std::int64_t live() noexcept;

/// The allocation after `allowed` more ones fails, once.
void fail_after(std::uint64_t allowed) noexcept;
void fail_no_more() noexcept;

/// Runs `body` again and again, with its first, second, third ... allocation failing, until it gets
/// through without one. Returns how many there were.
template <class Body>
std::uint64_t fail_each(Body body) {
    for (std::uint64_t allowed = 0;; ++allowed) {
        const std::uint64_t before = count();
        fail_after(allowed);
        body();
        fail_no_more();
        if (count() - before <= allowed)
            return allowed;
    }
}

} // namespace allocations
