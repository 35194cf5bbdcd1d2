// SPDX-License-Identifier: MIT
#pragma once
// shared_table/<contender>/<operation>/<keys>/<threads>: one table, all threads at it.
//
//   thread 0  op op op ...  }  the same `keys` indices, each thread in an order of its own,
//   thread 1  op op op ...  }  uniform or by Zipf's law (_zipf, exponent 0.99)
//
// get, get_frozen, increment, update: that alone. mixed95, mixed50: so many gets of a hundred, the
// rest sets. clone: of a table at rest. clone_under_write: by thread 0, while the others set.
// The elements are 64-bit integers. Increments are counted: after a window their sum must be there.

#include "support/window.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace takt::bench::shared_table {

inline constexpr int kWindows = 5;

/// One thread's way through the keys: drawn before the window, and gone through again and again.
using Order = std::vector<std::uint32_t>;

/// A table with the elements 0 to keys - 1, all 1, and what one thread of a window does to it.
class Contender {
  public:
    virtual ~Contender() = default;
    /// `operations` of them; the answer is a sum of what was read, so that nothing is left out.
    virtual std::uint64_t get(const Order& order, std::size_t operations) = 0;
    virtual std::uint64_t get_frozen(const Order& order, std::size_t operations) = 0;
    virtual std::uint64_t increment(const Order& order, std::size_t operations) = 0;
    /// Adds 1 by a function of the user.
    virtual std::uint64_t update(const Order& order, std::size_t operations) = 0;
    virtual std::uint64_t mixed(const Order& order, std::size_t operations, unsigned gets) = 0;
    virtual std::uint64_t clone(std::size_t operations) = 0;
    virtual std::uint64_t sum() = 0;
};

std::unique_ptr<Contender> make_takt(std::uint32_t keys);
std::unique_ptr<Contender> make_shared_mutex_map(std::uint32_t keys);
/// Null where the library is not there.
std::unique_ptr<Contender> make_tbb_hash_map(std::uint32_t keys);

/// In `mixed`: whether operation `at` is a get.
inline bool is_get(std::size_t at, unsigned gets) noexcept {
    return at * 37 % 100 < gets; // spread out
}

} // namespace takt::bench::shared_table
