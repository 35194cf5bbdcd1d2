// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. The memory of a lane: segments of a fixed size, and larger ones for payloads
// that do not fit, kept by size for reuse. Below: record. Above: lane.

#include "takt/mailbox/record.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

namespace takt::detail {

/// How far ahead of its writing a lane's memory is fetched, in bytes. The reader's cache still has
/// it from the last time round, and a store that waits holds up all stores after it. Too short:
/// they wait. Too long: fetched beyond the segment for nothing. From 256 on the length did not
/// matter.
inline constexpr std::size_t kWriteAhead = 4 * kCacheLine;

/// Asks for the line to be owned by this core. A hint: the address need not be valid.
inline void prefetch_for_writing(const std::byte* at) noexcept {
#if defined(__x86_64__)
    // __builtin_prefetch(at, 1) fetches for reading unless the target is named a newer CPU; older
    // ones take the instruction for a no-op.
    asm volatile("prefetchw %0" : : "m"(*at));
#else
    __builtin_prefetch(at, 1);
#endif
}

template <class P>
struct Segment;

/// What a segment hangs on: the one before it, or the root of the lane.
template <class P>
struct SegmentLink {
    // next: writes: the lane's writer, before the tail that covers a record of that segment (edge
    //   tail), and again once the reader has left (edge segment)   reads: the lane's reader
    typename P::template Plain<Segment<P>*> next{nullptr};
};

/// The data follow the header, aligned to a cache line.
template <class P>
struct alignas(kCacheLine) Segment : SegmentLink<P> {
    Segment(int size, std::size_t bytes) : end(data() + bytes), size_class(size) {}

    std::byte* data() noexcept { return reinterpret_cast<std::byte*>(this + 1); }

    std::byte* const end;
    const int size_class; // of SegmentPool
};

/// The segments of one lane that hold no record, by size. Used by the lane's writer alone.
template <class P>
class SegmentPool {
  public:
    /// `units`: what a segment of class 0 holds. `most_bytes`: of segments that are taken; one of
    /// class 0 may always be.
    explicit SegmentPool(std::uint32_t units, std::uint64_t most_bytes = UINT64_MAX)
        : base_units_(units + kHeaderUnits), most_bytes_(most_bytes) {}
    ~SegmentPool() {
        for (Segment<P>*& top : free_)
            while (top != nullptr)
                release(pop(top));
    }
    SegmentPool(const SegmentPool&) = delete;
    SegmentPool& operator=(const SegmentPool&) = delete;

    /// A free segment with room for `units`; it stays in the pool until it is taken. Null when
    /// there is no memory for a new one.
    Segment<P>* provide(std::size_t units) noexcept {
        const int size = class_for(units);
        if (size >= kClasses)
            return nullptr;
        Segment<P>*& top = free_[static_cast<std::size_t>(size)];
        if (top == nullptr) [[unlikely]]
            top = allocate(size);
        return top;
    }
    /// False: taking one with room for `units` would exceed what may be taken.
    bool may_take(std::size_t units) const noexcept {
        const int size = class_for(units);
        return size >= kClasses || (taken_bytes_ == 0 && size == 0) ||
               taken_bytes_ + bytes_of(size) <= most_bytes_;
    }
    /// Removes what provide() returned.
    void take(Segment<P>* segment) noexcept {
        taken_bytes_ += bytes_of(segment->size_class);
        pop(free_[static_cast<std::size_t>(segment->size_class)]);
        segment->next.set(nullptr);
    }
    void give_back(Segment<P>* segment) noexcept {
        taken_bytes_ -= bytes_of(segment->size_class);
        Segment<P>*& top = free_[static_cast<std::size_t>(segment->size_class)];
        segment->next.set(top);
        top = segment;
    }
    /// Bytes of memory of this lane's segments, free or not.
    std::size_t bytes() const noexcept { return bytes_; }
    /// Units of the smallest segment, its header included.
    std::uint32_t base_units() const noexcept { return base_units_; }

    static void release(Segment<P>* segment) noexcept {
        segment->~Segment();
        ::operator delete (segment, std::align_val_t{kCacheLine});
    }

  private:
    static constexpr int kClasses = 20; // 4 KiB to 2 GiB
    static constexpr std::uint32_t kHeaderUnits =
        (sizeof(Segment<P>) + kUnitBytes<P> - 1) / kUnitBytes<P>;

    // The smallest class whose segments hold `units`: each is twice as large as the one before.
    int class_for(std::size_t units) const noexcept {
        return static_cast<int>(std::bit_width((units + kHeaderUnits - 1) / base_units_));
    }
    std::size_t capacity(int size) const noexcept {
        return (std::size_t{base_units_} << size) - kHeaderUnits;
    }
    std::size_t bytes_of(int size) const noexcept {
        return sizeof(Segment<P>) + capacity(size) * kUnitBytes<P>;
    }
    Segment<P>* allocate(int size) noexcept {
        const std::size_t bytes = capacity(size) * kUnitBytes<P>;
        void* const memory =
            ::operator new (sizeof(Segment<P>) + bytes, std::align_val_t{kCacheLine}, std::nothrow);
        if (memory == nullptr)
            return nullptr;
        bytes_ += sizeof(Segment<P>) + bytes;
        return ::new (memory) Segment<P>(size, bytes);
    }
    static Segment<P>* pop(Segment<P>*& top) noexcept {
        Segment<P>* const segment = top;
        top = segment->next.get();
        return segment;
    }

    const std::uint32_t base_units_;
    const std::uint64_t most_bytes_;
    std::size_t bytes_ = 0;
    std::size_t taken_bytes_ = 0;
    std::array<Segment<P>*, kClasses> free_{};
};

static_assert(sizeof(Segment<StdPolicy>) == kCacheLine);

} // namespace takt::detail
