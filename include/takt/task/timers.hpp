// SPDX-License-Identifier: MIT
#pragma once
// Layer 5, task. What waits for a time, however much of it there is. Below: base. Above: the frame,
// whose tasks are the timers.

#include "takt/base.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace takt::detail {

/// What may wait in a list, and for a time. Part of who waits; it belongs to one list at most.
struct Timer {
    std::int64_t due_ns = 0;
    Timer* before = nullptr; // in a ring
    Timer* after = nullptr;
};

/// Timers in the order of their coming. Owns nothing.
class TimerList {
  public:
    bool empty() const noexcept { return first_ == nullptr; }
    Timer* first() const noexcept { return first_; }

    void add(Timer& timer) noexcept {
        if (first_ == nullptr) {
            first_ = timer.before = timer.after = &timer;
            return;
        }
        timer.after = first_;
        timer.before = first_->before;
        first_->before->after = &timer;
        first_->before = &timer;
    }
    void remove(Timer& timer) noexcept {
        timer.before->after = timer.after;
        timer.after->before = timer.before;
        if (first_ == &timer)
            first_ = timer.after == &timer ? nullptr : timer.after;
    }
    /// The first; null: there is none.
    Timer* pop() noexcept {
        Timer* const timer = first_;
        if (timer != nullptr)
            remove(*timer);
        return timer;
    }

  private:
    Timer* first_ = nullptr;
};

/// Timers by due time, to the nanosecond; equal ones in the order of their coming. One thread at a
/// time; never allocates.
///
/// A radix heap (R. K. Ahuja, K. Mehlhorn, J. B. Orlin, R. E. Tarjan, 1990) of lists, which is a
/// hierarchical timing wheel (G. Varghese, A. Lauck, 1987) whose hands stop only where something is
/// due. Times are numbers of eleven digits to the base 64. A timer lies in the slot of the highest
/// digit in which its time differs from `base_`: the lowest occupied slot of the lowest occupied
/// level holds the earliest ones, and a slot of level 0 equal ones only. When the earliest slot
/// comes due, `base_` moves to its least time, and its timers move to lower levels, in their order;
/// the others lie where they have to.
///
/// | operation   | steps                                                                  |
/// |-------------|------------------------------------------------------------------------|
/// | add, remove | constant, whatever waits                                               |
/// | next_due_ns | constant                                                               |
/// | pop_due     | constant where nothing is due; a timer moves ten times in its life at most |
///
/// H1  `base_` is not after the time of any timer, so where a timer lies follows from its time.
/// H2  A slot's `least_ns` is not after the time of any timer in it; it is the least of those that
///     came since it was empty.
class TimerWheel {
  public:
    /// A time before the last one that was popped, or for which nothing was left, counts as that.
    void add(Timer& timer, std::int64_t due_ns) noexcept {
        timer.due_ns = due_ns;
        place(timer);
        ++size_;
    }
    /// `timer` waits here.
    void remove(Timer& timer) noexcept {
        const Place at = place_of(timer);
        Slot& slot = slots_[at.level][at.slot];
        slot.timers.remove(timer);
        if (slot.timers.empty())
            vacate(at);
        --size_;
    }
    /// A time before which nothing is due; kNever: nothing waits. It is that of the earliest timer,
    /// unless an earlier one was removed that lay beside it; then pop_due() finds nothing once, and
    /// the time is right again.
    std::int64_t next_due_ns() const noexcept {
        if (levels_ == 0)
            return kNever;
        const Place at = earliest();
        return slots_[at.level][at.slot].least_ns;
    }
    /// The next timer whose time is not after `now_ns`, which does not go back; null: none.
    Timer* pop_due(std::int64_t now_ns) noexcept {
        while (levels_ != 0) {
            const Place at = earliest();
            Slot& slot = slots_[at.level][at.slot];
            if (slot.least_ns > now_ns)
                break;
            if (at.level == 0) {
                Timer* const timer = slot.timers.pop();
                if (slot.timers.empty())
                    vacate(at);
                --size_;
                return timer;
            }
            base_ = slot.least_ns;
            TimerList timers = std::exchange(slot.timers, {});
            vacate(at);
            while (Timer* const timer = timers.pop())
                place(*timer);
        }
        if (levels_ == 0)
            base_ = std::max(base_, now_ns);
        return nullptr;
    }
    std::size_t size() const noexcept { return size_; }

  private:
    static constexpr unsigned kDigitBits = 6;
    static constexpr std::size_t kSlots = std::size_t{1} << kDigitBits;
    static constexpr std::size_t kLevels = (64 + kDigitBits - 1) / kDigitBits;

    struct Slot {
        TimerList timers;
        std::int64_t least_ns = 0;
    };
    struct Place {
        unsigned level;
        unsigned slot;
    };

    // In the order of the times.
    static std::uint64_t number_of(std::int64_t time_ns) noexcept {
        return static_cast<std::uint64_t>(time_ns) ^ (std::uint64_t{1} << 63);
    }
    Place place_of(const Timer& timer) const noexcept {
        const std::uint64_t time = number_of(std::max(timer.due_ns, base_));
        const std::uint64_t differs = time ^ number_of(base_);
        const unsigned level = static_cast<unsigned>(std::bit_width(differs | 1) - 1) / kDigitBits;
        return {level, static_cast<unsigned>((time >> (level * kDigitBits)) % kSlots)};
    }
    Place earliest() const noexcept {
        const auto level = static_cast<unsigned>(std::countr_zero(levels_));
        return {level, static_cast<unsigned>(std::countr_zero(occupied_[level]))};
    }
    void place(Timer& timer) noexcept {
        const Place at = place_of(timer);
        Slot& slot = slots_[at.level][at.slot];
        const std::int64_t time_ns = std::max(timer.due_ns, base_);
        slot.least_ns = slot.timers.empty() ? time_ns : std::min(slot.least_ns, time_ns);
        slot.timers.add(timer);
        occupied_[at.level] |= std::uint64_t{1} << at.slot;
        levels_ |= 1u << at.level;
    }
    void vacate(Place at) noexcept {
        occupied_[at.level] &= ~(std::uint64_t{1} << at.slot);
        if (occupied_[at.level] == 0)
            levels_ &= ~(1u << at.level);
    }

    std::int64_t base_ = INT64_MIN;
    std::size_t size_ = 0;
    std::uint32_t levels_ = 0;                      // those with timers, by bit
    std::array<std::uint64_t, kLevels> occupied_{}; // slots with timers, by bit
    std::array<std::array<Slot, kSlots>, kLevels> slots_{};
};

} // namespace takt::detail
