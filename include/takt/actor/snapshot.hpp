// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. A dispatching thread's private copy of the loads, kept in the order in which they
// will be picked. Below: selector (LoadView). Above: least_busy.

#include "takt/actor/selector.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>

namespace takt {

/// Which of how many dispatching threads a selector works for. 0 <= index < of.
struct Seat {
    std::uint32_t index = 0;
    std::uint32_t of = 1;
};

/// Picks the least loaded target of a snapshot plus the picks made since, in constant time. Used by
/// one thread; no atomics.
///
/// | operation | progress                                                                       |
/// |-----------|--------------------------------------------------------------------------------|
/// | pick      | wait-free: compares two entries, whatever the number of targets                |
/// | refresh   | wait-free: n loads and a distribution by load (two counting passes at most)    |
/// | reserve   | may allocate                                                                   |
///
/// Why two queues suffice. A pick takes the least entry and puts it back with a fixed step more. So
/// what is put back never decreases: a queue holds it in order, the snapshot itself is in order
/// since the refresh, and the least of all is at one of the two heads (J. van Leeuwen, "On the
/// Construction of Huffman Trees", 1976, merges so). Rejected: an AVX2 scan of 256 packed 16-bit
/// loads, 25 to 65 ns where this takes 4, since it reads in wide words what it has just written in
/// a narrow one.
///
/// Several dispatchers. Between refreshes none sees what the others place; if each filled up the
/// least loaded targets as if it were alone, all would fill the same ones. So each assumes that the
/// others do as it does (G. Goren, S. Vargaftik, Y. Moses, "Distributed Dispatching in the Parallel
/// Server Model", 2020): with D dispatchers a pick counts D. A target that lacks fewer than D tasks
/// shall then be picked by some of them only: to each load a dispatcher adds a number below D,
/// another one for each dispatcher, so that together they fill exactly what is lacking.
///
/// V2  With one dispatcher, a pick is a minimum of the loads at the refresh plus the picks since;
///     equal ones take turns, also across refreshes.
/// V3  Loads are told apart up to 65,534 above the least one. Beyond that they count as equal.
class LoadSnapshot {
  public:
    /// Makes room for `targets` targets, up to kTargetsMax. The snapshot is empty after a change.
    /// Throws std::bad_alloc, and nothing has changed then.
    void reserve(std::uint32_t targets);
    std::uint32_t capacity() const noexcept { return capacity_; }

    /// Copies the loads of the first capacity() targets and forgets the picks. After reserve().
    template <LoadView L>
    void refresh(const L& loads, Seat seat = {}) noexcept;
    std::uint32_t size() const noexcept { return size_; }

    /// The target for the next task; needs size() > 0.
    Target pick() noexcept;

  private:
    // An entry: bits 0-15 the target, bits 16-31 its load above the least one.
    static constexpr std::uint32_t kTargetBits = 16;
    static constexpr std::uint32_t kTargetMask = 0xffff;
    static constexpr std::uint32_t kLevelMax = 0xfffe;
    static constexpr std::uint32_t kEnd = 0xffff'ffff; // larger than any entry

    void arrange(std::uint32_t least, Seat seat) noexcept;

    std::unique_ptr<std::uint32_t[]> snapshot_; // entries in order, then kEnd
    std::unique_ptr<std::uint32_t[]> returned_; // a ring of entries that were picked; kEnd at first
    std::uint32_t capacity_ = 0;
    std::uint32_t mask_ = 0; // of the ring
    std::uint32_t size_ = 0;
    std::uint32_t step_ = 1; // what a pick counts
    std::uint32_t next_ = 0; // in snapshot_
    std::uint32_t head_ = 0; // of the ring
    std::uint32_t tail_ = 0;
    Target after_last_ = 0; // where equal loads begin to take turns
};

template <LoadView L>
void LoadSnapshot::refresh(const L& loads, Seat seat) noexcept {
    size_ = std::min<std::uint32_t>(loads.size(), capacity_);
    std::uint32_t least = UINT32_MAX;
    for (Target target = 0; target < size_; ++target) {
        const auto load =
            static_cast<std::uint32_t>(std::min<std::uint64_t>(loads.peek(target), UINT32_MAX));
        returned_[target] = load;
        least = std::min(least, load);
    }
    arrange(least, seat);
}

inline Target LoadSnapshot::pick() noexcept {
    const std::uint32_t waiting = snapshot_[next_];
    const std::uint32_t returned = returned_[head_ & mask_];
    std::uint32_t entry = returned;
    // Of equal ones that which waits longer: the snapshot's have not had their turn. A branch and
    // no conditional move: it is taken level by level, so well predicted, and the next pick need
    // not wait for this one's entries.
    if ((waiting >> kTargetBits) <= (returned >> kTargetBits)) {
        entry = waiting;
        ++next_;
    } else {
        ++head_;
    }
    const std::uint32_t level = std::min((entry >> kTargetBits) + step_, kLevelMax); // V3
    const Target target = entry & kTargetMask;
    returned_[tail_++ & mask_] = (level << kTargetBits) | target;
    after_last_ = target + 1;
    return target;
}

} // namespace takt
