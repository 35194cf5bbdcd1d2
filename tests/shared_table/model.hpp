// SPDX-License-Identifier: MIT
#pragma once
// The trie under the explorer: small nodes, and a cell that is one atomic of 64 bits.

#include "protocol/model.hpp"

#include "takt/shared_table/trie.hpp"

namespace shared_table {

/// WideCell under the model: bit 0 says sealed, the rest is the value.
template <class P>
class ModelCell {
    using Word = std::uint64_t;

  public:
    ModelCell(Word value, Word constant) noexcept : both_(value << 1), constant_(constant) {}

    Word constant() const noexcept { return constant_; }
    Word value() const noexcept { return both_.load(std::memory_order_seq_cst) >> 1; }
    bool sealed() const noexcept { return (both_.load(std::memory_order_seq_cst) & 1) != 0; }
    bool try_change(Word expected, Word desired) noexcept {
        return exchange(expected << 1, desired << 1);
    }
    bool try_seal(Word value) noexcept {
        return exchange(value << 1, value << 1 | 1) ||
               both_.load(std::memory_order_seq_cst) == (value << 1 | 1);
    }
    Word seal() noexcept { return both_.fetch_or(1, std::memory_order_seq_cst) >> 1; }

  private:
    bool exchange(Word expected, Word desired) noexcept {
        return both_.compare_exchange_strong(expected, desired, std::memory_order_seq_cst,
                                             std::memory_order_seq_cst);
    }
    typename P::template Atomic<Word> both_;
    const Word constant_;
};

/// Two slots a node, so that few keys make a deep trie and a copy is short.
template <bool SleeperPays>
struct Model : protocol::Model<SleeperPays> {
    using Cell = ModelCell<protocol::Model<SleeperPays>>;
    static constexpr unsigned kDigitBits = 1;
    static void hold_table(std::uint64_t) noexcept {}
    static void drop_table(std::uint64_t) noexcept {}
};

} // namespace shared_table
