// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. A board: the tails of all lanes that lead to one reader, packed so that a look
// at a few cache lines tells which lanes moved. Below: lane. Above: mailbox.

#include "takt/mailbox/lane.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace takt {

/// Tails in a line of a board.
inline constexpr std::size_t kTailsPerLine = kCacheLine / sizeof(std::uint32_t);

/// Which slot of a board belongs to which writer: writers that share a last-level cache share
/// lines, and no others do. The same for all boards of a set of workers.
class BoardLayout {
  public:
    /// `cache_groups`: for each writer a number; equal numbers share a cache.
    explicit BoardLayout(std::span<const int> cache_groups);

    std::size_t writers() const noexcept { return slots_.size(); }
    std::size_t lines() const noexcept { return writers_.size() / kTailsPerLine; }
    std::size_t slot_of(int writer) const noexcept {
        return slots_[static_cast<std::size_t>(writer)];
    }
    /// kNobody for a slot that is left free.
    int writer_at(std::size_t slot) const noexcept { return writers_[slot]; }

    static constexpr int kNobody = -1;

  private:
    std::vector<std::uint32_t> slots_; // by writer
    std::vector<int> writers_;         // by slot
};

/// A line in which something moved: bit i for its tail i. mask 0: none did.
struct MovedTails {
    std::size_t line = 0;
    std::uint32_t mask = 0;
};

namespace detail {

// Whole vectors of tails can be read without tearing one, and ThreadSanitizer does not watch.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#if defined(__has_feature)
inline constexpr bool kScanByVectors = !__has_feature(thread_sanitizer);
#else
inline constexpr bool kScanByVectors = true;
#endif
#else
inline constexpr bool kScanByVectors = false;
#endif

/// One line of tails or heads, or their sums.
struct alignas(kCacheLine) TailVector {
    std::array<std::uint32_t, kTailsPerLine> at;
};

// All read the tails by whole vectors, without any order. Only where kScanByVectors.

#if defined(__x86_64__)
/// One bit for each of the tails that differs from its head.
inline std::uint32_t differing(const TailVector& tails, const TailVector& heads) noexcept {
    const auto equal = [&](int quarter) {
        return _mm_cmpeq_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(&tails) + quarter),
                               _mm_load_si128(reinterpret_cast<const __m128i*>(&heads) + quarter));
    };
    const __m128i low = _mm_packs_epi32(equal(0), equal(1));
    const __m128i high = _mm_packs_epi32(equal(2), equal(3));
    return ~static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(low, high))) & 0xffffU;
}
#endif

/// False when `lines` lines of tails add up to `head_sums`, column by column.
bool any_moved(const TailVector* tails, const TailVector& head_sums, std::size_t lines) noexcept;
/// The first line, from line `first` on, in which a tail differs from its head.
MovedTails find_moved(const TailVector* tails, const TailVector* heads, std::size_t first,
                      std::size_t lines) noexcept;

} // namespace detail

/// | operation | who                  | progress                                   |
/// |-----------|----------------------|--------------------------------------------|
/// | tail      | anyone, for a writer | wait-free                                  |
/// | poll      | reader               | one step for each line, and for each lane that moved |
/// | moved     | reader               | one step for each slot                     |
///
/// M7  A look at the board is a hint: it may miss what was just published and is taken again. What
///     it finds is then read with the edge of that tail. Before a sleep moved() decides, which
///     misses nothing that was published before the sleeper announced himself.
/// M8  While less than 2^32 units are unread on the whole board (64 GiB), the tails of a column of
///     slots add up to the sum of its heads only if none of them moved. So an idle reader of several
///     lines compares one sum for each column, and reads no heads.
template <class P>
class Board {
  public:
    /// All tails hold `start`.
    Board(std::size_t lines, std::uint32_t start);
    Board(const Board&) = delete;
    Board& operator=(const Board&) = delete;

    /// Where the writer of that slot publishes.
    Tail<P>& tail(std::size_t slot) noexcept {
        return lines_[slot / kTailsPerLine].at[slot % kTailsPerLine];
    }

    /// Calls `drain(slot, tail)` for each slot that moved since its head was noted, until it
    /// returns false. Later slots come first next time then. The tail was read with acquire: what
    /// was published up to it may be read. `drain` notes its progress with set_head.
    template <class Drain>
    void poll(Drain&& drain);
    void set_head(std::size_t slot, std::uint32_t head) noexcept {
        std::uint32_t& noted = heads_[slot / kTailsPerLine].at[slot % kTailsPerLine];
        head_sums_.at[slot % kTailsPerLine] += head - noted;
        noted = head;
    }
    std::uint32_t head(std::size_t slot) const noexcept {
        return heads_[slot / kTailsPerLine].at[slot % kTailsPerLine];
    }

    /// True where all slots are on line 0: up to 16 writers that share a cache.
    bool has_one_line() const noexcept { return lines_.size() == 1; }
    /// What moved in a line: bit i for its slot i. A hint (M7).
    std::uint32_t moved_in(std::size_t line) const noexcept;
    /// True when some tail differs from its head; exact, for who is about to sleep.
    bool moved() const noexcept;
    /// Units published and unread in all lanes; a moment ago.
    std::uint64_t unread_units() const noexcept;
    std::size_t slots() const noexcept { return lines_.size() * kTailsPerLine; }
    std::size_t memory_bytes() const noexcept {
        return lines_.size() * (sizeof(TailLine) + sizeof(detail::TailVector));
    }

  private:
    struct alignas(kCacheLine) TailLine {
        std::array<Tail<P>, kTailsPerLine> at;
    };
    static constexpr bool kByVectors =
        detail::kScanByVectors && std::is_same_v<Tail<P>, std::atomic<std::uint32_t>>;

    bool nothing_moved() const noexcept;
    MovedTails find_moved(std::size_t line) const noexcept;
    const detail::TailVector* tail_vectors() const noexcept {
        return reinterpret_cast<const detail::TailVector*>(lines_.data());
    }
    template <class Drain>
    bool poll_slots(std::size_t from, std::size_t to, Drain& drain);

    std::vector<TailLine> lines_;           // written by the lanes' writers
    std::vector<detail::TailVector> heads_; // the reader's, as all that follows
    detail::TailVector head_sums_{};        // of all lines, by column (M8)
    std::size_t first_slot_ = 0;            // where the next poll begins
};

template <class P>
Board<P>::Board(std::size_t lines, std::uint32_t start) : lines_(lines), heads_(lines) {
    for (std::size_t slot = 0; slot < lines * kTailsPerLine; ++slot) {
        tail(slot).store(start, std::memory_order_relaxed); // relaxed: nobody knows the board yet
        set_head(slot, start);
    }
}

template <class P>
template <class Drain>
void Board<P>::poll(Drain&& drain) {
    if (nothing_moved())
        return;
    const std::size_t start = first_slot_;
    first_slot_ = 0;
    if (poll_slots(start, slots(), drain) && start != 0)
        poll_slots(0, start, drain);
}

template <class P>
template <class Drain>
bool Board<P>::poll_slots(std::size_t from, std::size_t to, Drain& drain) {
    for (MovedTails moved = find_moved(from / kTailsPerLine);
         moved.mask != 0 && moved.line * kTailsPerLine < to; moved = find_moved(moved.line + 1))
        for (std::uint32_t mask = moved.mask; mask != 0; mask &= mask - 1) {
            const std::size_t slot =
                moved.line * kTailsPerLine + static_cast<std::size_t>(std::countr_zero(mask));
            if (slot < from || slot >= to)
                continue;
            // edge tail, acquire side
            if (!drain(slot, tail(slot).load(std::memory_order_acquire))) {
                first_slot_ = (slot + 1) % slots();
                return false;
            }
        }
    return true;
}

template <class P>
bool Board<P>::nothing_moved() const noexcept {
    if (has_one_line())
        return moved_in(0) == 0;
    if constexpr (kByVectors)
        return !detail::any_moved(tail_vectors(), head_sums_, lines_.size());
    else
        return false;
}

template <class P>
MovedTails Board<P>::find_moved(std::size_t line) const noexcept {
    if constexpr (kByVectors)
        return detail::find_moved(tail_vectors(), heads_.data(), line, lines_.size());
    for (; line < lines_.size(); ++line)
        if (const std::uint32_t mask = moved_in(line); mask != 0)
            return {line, mask};
    return {};
}

template <class P>
std::uint32_t Board<P>::moved_in(std::size_t line) const noexcept {
#if defined(__x86_64__)
    if constexpr (kByVectors) {
        // The tails change behind the compiler's back: it must not keep them from call to call.
        std::atomic_signal_fence(std::memory_order_acquire); // fence scan: compiler only
        return detail::differing(tail_vectors()[line], heads_[line]);
    }
#endif
    std::uint32_t mask = 0;
    for (std::size_t at = 0; at < kTailsPerLine; ++at) {
        // relaxed: a hint (M7)
        const std::uint32_t tail = lines_[line].at[at].load(std::memory_order_relaxed);
        mask |= std::uint32_t{tail != heads_[line].at[at]} << at;
    }
    return mask;
}

template <class P>
bool Board<P>::moved() const noexcept {
    for (std::size_t line = 0; line < lines_.size(); ++line)
        for (std::size_t at = 0; at < kTailsPerLine; ++at) {
            // cross doorbell, side B
            const std::uint32_t tail = lines_[line].at[at].load(std::memory_order_seq_cst);
            if (tail != heads_[line].at[at])
                return true;
        }
    return false;
}

template <class P>
std::uint64_t Board<P>::unread_units() const noexcept {
    std::uint64_t units = 0;
    for (std::size_t line = 0; line < lines_.size(); ++line)
        for (std::size_t at = 0; at < kTailsPerLine; ++at) {
            // relaxed: a figure
            const std::uint32_t tail = lines_[line].at[at].load(std::memory_order_relaxed);
            units += tail - heads_[line].at[at];
        }
    return units;
}

} // namespace takt
