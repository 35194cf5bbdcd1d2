// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, shared table. A number that changes in place until somebody seals it: 16 bytes, changed
// by one compare-and-swap; and the policy that the trie runs on in the product. Above: trie.

#include "takt/base.hpp"

#include <atomic>
#include <cstdint>

namespace takt::table {

/// A value and its constant, and whether the value may still change. `kSealedBit` of the constant is
/// the cell's. Used by any number of threads; seal() is lock-free, the others are wait-free.
/// A sealed cell's value never changes again.
class alignas(16) WideCell {
  public:
    static constexpr std::uint64_t kSealedBit = 1;

    WideCell(std::uint64_t value, std::uint64_t constant) noexcept
        : value_(value), meta_(constant) {}
    WideCell(const WideCell&) = delete;
    WideCell& operator=(const WideCell&) = delete;

    std::uint64_t constant() const noexcept {
        // relaxed: written once, before the cell was handed over
        return meta_.load(std::memory_order_relaxed) & ~kSealedBit;
    }
    std::uint64_t value() const noexcept {
        return value_.load(std::memory_order_seq_cst); // cross table, side B
    }
    bool sealed() const noexcept {
        // cross table, side B: with the exchange that sealed it, so that value() is the last one
        return (meta_.load(std::memory_order_seq_cst) & kSealedBit) != 0;
    }
    /// False when the cell is sealed, or holds something else than `expected`.
    bool try_change(std::uint64_t expected, std::uint64_t desired) noexcept {
        const std::uint64_t open = constant();
        return exchange({expected, open}, {desired, open});
    }
    /// True when the cell is sealed with this value, by whomever.
    bool try_seal(std::uint64_t value) noexcept {
        const std::uint64_t open = constant();
        return (!sealed() && exchange({value, open}, {value, open | kSealedBit})) ||
               (sealed() && this->value() == value);
    }
    /// Seals it with the value that it holds, which is the answer.
    std::uint64_t seal() noexcept {
        for (;;) {
            const std::uint64_t found = value();
            if (try_seal(found))
                return found;
        }
    }

  private:
    struct Both {
        std::uint64_t value;
        std::uint64_t meta;
    };
    // One compare-and-swap of 16 bytes, and a full barrier: side A of `cross table`.
    bool exchange(Both expected, Both desired) noexcept {
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
        // Written out, as the compiler emits it for CPUs that all have it: its built-in needs a flag,
        // and calls a library without.
        bool done;
        asm volatile("lock cmpxchg16b %1"
                     : "=@cce"(done), "+m"(*this), "+a"(expected.value), "+d"(expected.meta)
                     : "b"(desired.value), "c"(desired.meta)
                     : "memory");
        return done;
#else
        return exchange_by_compiler(expected, desired);
#endif
    }
    bool exchange_by_compiler(Both expected, Both desired) noexcept;

    // writes: who may change the leaf, see trie.hpp   reads: everybody
    std::atomic<std::uint64_t> value_;
    std::atomic<std::uint64_t> meta_;
};
static_assert(sizeof(WideCell) == 16);

/// What the trie of a SharedTable is made of.
struct TablePolicy : StdPolicy {
    using Cell = WideCell;
    /// 16 slots a node: two cache lines; a copy of a node seals them all.
    static constexpr unsigned kDigitBits = 4;
    /// A leaf refers to another table; see src/shared_table/core.hpp.
    static void hold_table(std::uint64_t word) noexcept;
    static void drop_table(std::uint64_t word) noexcept;
};

} // namespace takt::table
