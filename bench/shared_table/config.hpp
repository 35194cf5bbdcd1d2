// SPDX-License-Identifier: MIT
#pragma once
// shared_table/<contender>/<operation>/<keys>/<threads>: one table, all threads at it.
//
//   thread 0  op op op ...  }  the same `keys` keys, each thread in an order of its own,
//   thread 1  op op op ...  }  uniform or by Zipf's law (_zipf, exponent 0.99)
//
// get, get_frozen, increment, update: that alone. mixed95, mixed50: so many gets of a hundred, the
// rest sets. clone: of a table at rest. clone_under_write: by thread 0, while the others set.
// Keys are texts like "npc/123456", made before the clock runs: of takt's as Key, of the others' as
// std::string. With _index in the operation's name they are 32-bit indices.
// The elements are 64-bit integers, all 1 when a window begins. Each thread's reads must add up to what
// was there, increments must all be there after the window, and so must all elements of a clone.

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

/// Keys 0 to count - 1 as indices.
class Indices {
  public:
    explicit Indices(std::uint32_t count) : count_(count) {}
    std::uint32_t operator[](std::uint32_t at) const noexcept { return at; }
    std::uint32_t size() const noexcept { return count_; }

  private:
    std::uint32_t count_;
};

/// The same keys as texts, each a K.
template <class K>
class Texts {
  public:
    explicit Texts(std::uint32_t count) {
        keys_.reserve(count);
        for (std::uint32_t at = 0; at < count; ++at)
            keys_.emplace_back("npc/" + std::to_string(at));
    }
    const K& operator[](std::uint32_t at) const noexcept { return keys_[at]; }
    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(keys_.size()); }

  private:
    std::vector<K> keys_;
};

enum class KeyKind { text, index };

/// A table with the elements 0 to keys - 1, all 1, and what one thread of a window does to it.
class Contender {
  public:
    virtual ~Contender() = default;
    /// Once, before all else. Keys are there already.
    virtual void fill() = 0;
    /// `operations` of them; the answer is the sum of what was read, or how many clones were made. Sets
    /// are to 1.
    virtual std::uint64_t get(const Order& order, std::size_t operations) = 0;
    virtual std::uint64_t get_frozen(const Order& order, std::size_t operations) = 0;
    virtual std::uint64_t increment(const Order& order, std::size_t operations) = 0;
    /// Adds 1 by a function of the user.
    virtual std::uint64_t update(const Order& order, std::size_t operations) = 0;
    virtual std::uint64_t mixed(const Order& order, std::size_t operations, unsigned gets) = 0;
    virtual std::uint64_t clone(std::size_t operations) = 0;
    virtual std::uint64_t sum_of_all() = 0;
    virtual std::uint64_t sum_of_a_clone() = 0;
    /// All elements are 1 again, and none is shared with a clone.
    virtual void reset() = 0;
};

std::unique_ptr<Contender> make_takt(KeyKind kind, std::uint32_t keys);
std::unique_ptr<Contender> make_shared_mutex_map(KeyKind kind, std::uint32_t keys);
/// Null where the library is not there.
std::unique_ptr<Contender> make_tbb_hash_map(KeyKind kind, std::uint32_t keys);

/// In `mixed`: whether operation `at` is a get.
inline bool is_get(std::size_t at, unsigned gets) noexcept {
    return at * 37 % 100 < gets; // spread out
}

} // namespace takt::bench::shared_table
