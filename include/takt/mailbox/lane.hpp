// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. A lane: records from one writer to one reader, in order, published in batches
// by one store. Below: segment (its memory), record (what lies in it). Above: board, mailbox, gate.

#include "takt/mailbox/segment.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace takt {

/// How a lane is laid out; the defaults are the product's.
struct LaneConfig {
    /// Units in a segment. Too small: more jumps, and more payloads that need a segment of their
    /// own. Too large: idle lanes hold more memory. 252 make segments of 4 KiB.
    std::uint32_t segment_units = 252;
    /// Where the tail begins; it counts units and wraps.
    std::uint32_t start = 0;
    /// Bytes of segments that the reader has not left; what would need more is refused, but for
    /// reserve_exempt. One segment of segment_units is always allowed.
    std::uint64_t unread_bytes_max = UINT64_MAX;
};

/// The largest payload, without over-alignment, that needs no segment of its own: 4016 bytes.
inline constexpr std::size_t kInlinePayloadMax =
    std::size_t{LaneConfig{}.segment_units - 1} * kRecordUnit;

/// How far a writer has come, in units. Lives where its reader looks: on a Board, or alone.
///   writes: the lane's writer   reads: its reader
///   edge tail: publish releases -> drain acquires; hands over all records before it.
template <class P>
using Tail = typename P::template Atomic<std::uint32_t>;

template <class P>
class Lane;
template <class P>
class LaneReader;

/// The end of a lane that sends.
///
/// | operation | who    | progress                                                             |
/// |-----------|--------|----------------------------------------------------------------------|
/// | push, reserve, commit | writer | wait-free: no loop, no read-modify-write, no system call  |
/// |           |        | but for memory when no segment is free                               |
/// | publish   | writer | wait-free: one store                                                 |
/// | recycle   | writer | one step for each segment that the reader has left                   |
///
/// M1  One thread at a time writes and one reads; when either role moves, something orders the two.
/// M2  A payload is constructed first and counts after: when its constructor throws, or there is no
///     memory, the lane is as before.
/// M3  A segment is linked before a tail that lies in it is published.
template <class P>
class alignas(kInterference) LaneWriter {
  public:
    LaneWriter(const LaneWriter&) = delete;
    LaneWriter& operator=(const LaneWriter&) = delete;

    /// Room for a payload: `bytes` long, aligned to `align`, a power of two. Null: there is no
    /// memory, or it is larger than 2 GiB. Nothing counts until commit; a second reserve gives up
    /// the first.
    void* reserve(std::size_t bytes, std::size_t align) noexcept;

    /// The same without LaneConfig::unread_bytes_max.
    void* reserve_exempt(std::size_t bytes, std::size_t align) noexcept;
    /// The last refusal was for LaneConfig::unread_bytes_max, not for memory.
    bool refused_as_full() const noexcept { return refused_as_full_; }

    /// Adds the payload that was constructed in the room of the last reserve. `type` says its size.
    void commit(const RecordType& type, std::uint64_t address) noexcept;

    /// Reserve, construct, commit. False: it is full, or no memory, and the arguments are untouched. Throws what
    /// T's constructor throws (M2).
    template <class T, class... Args>
    [[nodiscard]] bool push(std::uint64_t address, Args&&... args);

    /// The segment that is written has room for a T: push_here() adds it in a few instructions.
    /// Always inline: arguments that are passed on the stack are read back in other widths than they
    /// were written, which stalls.
    template <class T>
    bool has_room_for() const noexcept {
        return alignof(T) <= kRecordUnit &&
               units_for<P>(sizeof(T)) * kUnit <= static_cast<std::size_t>(end_ - cursor_);
    }
    template <class T, class... Args>
    [[gnu::always_inline]] void push_here(std::uint64_t address, Args&&... args) {
        ::new (cursor_ + kUnit) T(std::forward<Args>(args)...);
        put_header(&record_type_of<T>, address, units_of<P>(record_type_of<T>));
    }

    /// Shows the reader all that was committed, with whatever this thread did before.
    void publish() noexcept {
        published_at_ = cursor_;
        tail_word_.store(tail(), std::memory_order_release); // edge tail, release side
    }
    /// The same, so that a look for a sleeping reader that follows cannot miss one who misses it.
    void publish_before_look() noexcept {
        if (P::sleeper_pays()) {
            publish();
            P::publisher_barrier();
            return;
        }
        published_at_ = cursor_;
        // cross doorbell, side A (and edge tail, release side)
        tail_word_.exchange(tail(), std::memory_order_seq_cst);
    }
    /// Asks early for the line of the tail, which the reader has while it polls. A hint.
    void prefetch_tail() const noexcept {
        detail::prefetch_for_writing(reinterpret_cast<const std::byte*>(&tail_word_));
    }
    /// True when something committed is not published.
    bool holds_back() const noexcept { return cursor_ != published_at_; }

    /// Takes back the segments that the reader has left. Correct at any time; best where the reader's
    /// count is not on its way between two caches, as when a phase begins.
    void recycle() noexcept;
    /// The same once in a segment of mail: that count shares a line with what the reader writes at
    /// each record.
    void recycle_now_and_then() noexcept {
        if (tail() - recycled_at_ < pool_.base_units())
            return;
        recycle();
        recycled_at_ = tail();
    }

    /// Units committed so far, from LaneConfig::start on; wraps. Minus LaneReader::head of the same
    /// moment: the units that are unread.
    std::uint32_t tail() const noexcept {
        return entered_at_ +
               static_cast<std::uint32_t>(static_cast<std::size_t>(cursor_ - begin_) / kUnit);
    }
    /// Bytes of all segments of this lane, free or not.
    std::size_t memory_bytes() const noexcept { return pool_.bytes(); }

  private:
    friend class Lane<P>;
    friend class LaneReader<P>;
    using Segment = detail::Segment<P>;
    using SegmentLink = detail::SegmentLink<P>;
    static constexpr std::size_t kUnit = kUnitBytes<P>;

    LaneWriter(Tail<P>& tail, const typename P::template Atomic<std::uint32_t>& left,
               SegmentLink& root, const LaneConfig& config)
        : tail_word_(tail), left_(left), pool_(config.segment_units, config.unread_bytes_max),
          root_(root), last_(&root), entered_at_(config.start), recycled_at_(config.start) {}

    // Bytes between `at` and a header whose payload is aligned to `align`.
    static std::size_t padding(const std::byte* at, std::size_t align) noexcept {
        return (0 - (reinterpret_cast<std::uintptr_t>(at) + kUnit)) & (align - 1);
    }
    bool fits(std::size_t bytes, std::size_t pad) const noexcept {
        const auto room = static_cast<std::size_t>(end_ - cursor_);
        return bytes <= room && pad + units_for<P>(bytes) * kUnit <= room;
    }
    static std::size_t units_elsewhere(std::size_t bytes, std::size_t align) noexcept {
        return units_for<P>(bytes) + (align <= kRecordUnit ? 0 : (align + kUnit - 1) / kUnit);
    }
    bool is_full_for(std::size_t bytes, std::size_t align) noexcept;
    void* reserve_elsewhere(std::size_t bytes, std::size_t align) noexcept;
    void go_to_reserved() noexcept;
    void enter(Segment* segment) noexcept;
    void put_header(const RecordType* type, std::uint64_t address, std::uint32_t units) noexcept;

    Tail<P>& tail_word_;
    const typename P::template Atomic<std::uint32_t>& left_;
    detail::SegmentPool<P> pool_;
    SegmentLink& root_;              // its next: the oldest segment that was not taken back
    SegmentLink* last_;              // the segment that is written, or the root
    std::byte* cursor_ = nullptr;    // where the next header goes
    std::byte* end_ = nullptr;       // of the segment
    std::byte* reserved_ = nullptr;  // where reserve's record will have its header
    Segment* reserved_in_ = nullptr; // null: in the segment that is written
    std::byte* begin_ = nullptr;     // of the segment
    // Where cursor_ was when the tail word was written. The reader does not leave that segment before
    // it is written again, so no other place has this address meanwhile.
    std::byte* published_at_ = nullptr;
    std::uint32_t entered_at_;     // what tail() was at begin_
    std::uint32_t taken_back_ = 0; // segments; compared with the reader's count
    std::uint32_t recycled_at_;    // what tail() was, see recycle_now_and_then
    bool refused_as_full_ = false;
};

/// The end of a lane that receives.
///
/// M4  Records are visited in the order of their commits. Each payload is destroyed exactly once:
///     after its visit, also when that throws, or with the lane.
/// M5  A segment is taken back only after the reader has left it for the next.
/// M6  Tails are compared for equality and by difference only. They count 16 bytes in 32 bits, so
///     that less than 64 GiB may be unread.
template <class P>
class alignas(kInterference) LaneReader {
  public:
    LaneReader(const LaneReader&) = delete;
    LaneReader& operator=(const LaneReader&) = delete;

    /// Visits what was published before the call, up to `limit` records, as
    /// `visit(address, type, payload)`: std::uint64_t, const RecordType&, void*. The payload may be
    /// moved from. Returns the number of records. The visitor must not drain this lane.
    template <class Visit>
    std::size_t drain(Visit&& visit, std::size_t limit = SIZE_MAX);

    /// The same up to `tail`, which this thread has loaded with acquire.
    template <class Visit>
    std::size_t drain_to(std::uint32_t tail, Visit&& visit, std::size_t limit) {
        return drain_while([this, tail] { return head_ != tail; }, visit, limit);
    }

    /// The same for the thread that also has the other end: also what is not published, and what the
    /// visits add.
    template <class Visit>
    std::size_t drain_own(const LaneWriter<P>& writer, Visit&& visit, std::size_t limit) {
        return drain_while([&] { return cursor_ != writer.cursor_; }, visit, limit);
    }

    /// Asks for the line of the next record, so that it comes along with the tail. A hint; on every
    /// poll, it takes the line from a writer that writes many records at a time.
    void prefetch_next() const noexcept { __builtin_prefetch(cursor_); }

    /// True when nothing unread was published.
    bool empty() const noexcept {
        return tail_word_.load(std::memory_order_relaxed) == head_; // relaxed: drain looks again
    }
    /// Units published and unread; a moment ago.
    std::uint32_t unread_units() const noexcept {
        return tail_word_.load(std::memory_order_relaxed) - head_; // relaxed: a figure
    }
    /// Units visited so far, from LaneConfig::start on; wraps.
    std::uint32_t head() const noexcept { return head_; }

  private:
    friend class Lane<P>;
    using Segment = detail::Segment<P>;
    using SegmentLink = detail::SegmentLink<P>;
    using Header = RecordHeader<P>;

    LaneReader(const Tail<P>& tail, SegmentLink& root, const LaneConfig& config)
        : tail_word_(tail), last_(&root), head_(config.start) {}

    template <class More, class Visit>
    std::size_t drain_while(More more, Visit& visit, std::size_t limit);
    Header* find_header() noexcept;
    void go_to_next_segment() noexcept;

    const Tail<P>& tail_word_;
    SegmentLink* last_;           // the segment that is read, or the root
    std::byte* cursor_ = nullptr; // where the next header is
    std::byte* end_ = nullptr;    // of the segment
    std::uint32_t head_;
    std::uint32_t count_left_ = 0;
    // left_: how many segments the reader has left.   writes: the reader   reads: the writer
    //   edge segment: the reader releases -> recycle acquires; hands back the segment's memory.
    typename P::template Atomic<std::uint32_t> left_{0};
};

/// Both ends and the memory between them. Whoever destroys it is the only one who uses it then
/// (M1); unread payloads, published or not, are destroyed with it (M4).
template <class P>
class Lane {
  public:
    /// `tail` outlives the lane and holds config.start. Allocates nothing before the first reserve.
    explicit Lane(Tail<P>& tail, const LaneConfig& config = {})
        : reader_(tail, root_, config), writer_(tail, reader_.left_, root_, config) {}
    ~Lane();

    LaneWriter<P>& writer() noexcept { return writer_; }
    LaneReader<P>& reader() noexcept { return reader_; }

  private:
    detail::SegmentLink<P> root_;
    LaneReader<P> reader_;
    LaneWriter<P> writer_;
};

template <class P>
void* LaneWriter<P>::reserve(std::size_t bytes, std::size_t align) noexcept {
    const std::size_t pad = align <= kRecordUnit ? 0 : padding(cursor_, align);
    if (!fits(bytes, pad)) [[unlikely]]
        return is_full_for(bytes, align) ? nullptr : reserve_elsewhere(bytes, align);
    reserved_ = cursor_ + pad;
    return reserved_ + kUnit;
}

template <class P>
void* LaneWriter<P>::reserve_exempt(std::size_t bytes, std::size_t align) noexcept {
    const std::size_t pad = align <= kRecordUnit ? 0 : padding(cursor_, align);
    if (!fits(bytes, pad)) [[unlikely]]
        return reserve_elsewhere(bytes, align);
    reserved_ = cursor_ + pad;
    return reserved_ + kUnit;
}

// What the reader has left meanwhile does not count.
template <class P>
bool LaneWriter<P>::is_full_for(std::size_t bytes, std::size_t align) noexcept {
    const std::size_t units = units_elsewhere(bytes, align);
    refused_as_full_ = false;
    if (!pool_.may_take(units)) [[unlikely]] {
        recycle();
        refused_as_full_ = !pool_.may_take(units);
    }
    return refused_as_full_;
}

// In the segment that follows. It stays in the pool, so that giving up costs nothing.
template <class P>
void* LaneWriter<P>::reserve_elsewhere(std::size_t bytes, std::size_t align) noexcept {
    Segment* const segment = pool_.provide(units_elsewhere(bytes, align));
    if (segment == nullptr) [[unlikely]]
        return nullptr;
    const std::size_t pad = align <= kRecordUnit ? 0 : padding(segment->data(), align);
    reserved_in_ = segment;
    reserved_ = segment->data() + pad;
    return reserved_ + kUnit;
}

template <class P>
void LaneWriter<P>::commit(const RecordType& type, std::uint64_t address) noexcept {
    if (reserved_ != cursor_) [[unlikely]]
        go_to_reserved();
    put_header(&type, address, units_of<P>(type));
}

template <class P>
void LaneWriter<P>::go_to_reserved() noexcept {
    if (reserved_ < cursor_ || reserved_ >= end_)
        enter(reserved_in_);
    const auto gap =
        static_cast<std::uint32_t>(static_cast<std::size_t>(reserved_ - cursor_) / kUnit);
    if (gap != 0)
        put_header(&detail::kPadRecord, gap, gap);
}

template <class P>
void LaneWriter<P>::enter(Segment* segment) noexcept {
    if (cursor_ != end_)
        ::new (cursor_) RecordHeader<P>(&detail::kJumpRecord, 0);
    pool_.take(segment);
    last_->next.set(segment); // M3
    last_ = segment;
    entered_at_ = tail();
    cursor_ = begin_ = segment->data();
    end_ = segment->end;
}

template <class P>
void LaneWriter<P>::put_header(const RecordType* type, std::uint64_t address,
                               std::uint32_t units) noexcept {
    detail::prefetch_for_writing(cursor_ + detail::kWriteAhead);
    ::new (cursor_) RecordHeader<P>(type, address);
    cursor_ += std::size_t{units} * kUnit;
}

template <class P>
template <class T, class... Args>
[[gnu::always_inline]] inline bool LaneWriter<P>::push(std::uint64_t address, Args&&... args) {
    if (has_room_for<T>()) [[likely]] {
        push_here<T>(address, std::forward<Args>(args)...);
        return true;
    }
    void* const room = reserve(sizeof(T), alignof(T));
    if (room == nullptr) [[unlikely]]
        return false;
    ::new (room) T(std::forward<Args>(args)...);
    commit(record_type_of<T>, address);
    return true;
}

template <class P>
void LaneWriter<P>::recycle() noexcept {
    if (root_.next.get() == last_)
        return; // the only one is being written; the reader's count stays where it is
    const std::uint32_t left = left_.load(std::memory_order_acquire); // edge segment, acquire side
    for (; taken_back_ != left; ++taken_back_) {
        Segment* const segment = root_.next.get();
        root_.next.set(segment->next.get());
        pool_.give_back(segment);
    }
}

template <class P>
template <class Visit>
std::size_t LaneReader<P>::drain(Visit&& visit, std::size_t limit) {
    // edge tail, acquire side
    const std::uint32_t tail = tail_word_.load(std::memory_order_acquire);
    return drain_to(tail, visit, limit);
}

template <class P>
template <class More, class Visit>
std::size_t LaneReader<P>::drain_while(More more, Visit& visit, std::size_t limit) {
    struct Visited { // M4
        ~Visited() {
            if (type.destroy != nullptr)
                type.destroy(header + 1);
            header->~Header();
        }
        Header* header;
        const RecordType& type;
    };
    std::size_t count = 0;
    for (; count < limit && more(); ++count) {
        auto* header = std::launder(reinterpret_cast<Header*>(cursor_));
        if (cursor_ == end_ || header->type.get()->units == 0) [[unlikely]]
            header = find_header();
        const Visited visited{header, *header->type.get()};
        const std::uint32_t units = units_of<P>(visited.type);
        cursor_ += std::size_t{units} * kUnitBytes<P>;
        head_ += units;
        visit(header->address.get(), visited.type, static_cast<void*>(header + 1));
    }
    return count;
}

// The next record of a user's type. There is one: pads and jumps are published with what they lead
// to.
template <class P>
RecordHeader<P>* LaneReader<P>::find_header() noexcept {
    for (;;) {
        if (cursor_ == end_) {
            go_to_next_segment();
            continue;
        }
        auto* const header = std::launder(reinterpret_cast<Header*>(cursor_));
        const RecordType* const type = header->type.get();
        if (type == &detail::kJumpRecord) {
            go_to_next_segment();
        } else if (type == &detail::kPadRecord) {
            const std::uint64_t units = header->address.get();
            cursor_ += units * kUnitBytes<P>;
            head_ += static_cast<std::uint32_t>(units);
        } else {
            return header;
        }
    }
}

template <class P>
void LaneReader<P>::go_to_next_segment() noexcept {
    Segment* const segment = last_->next.get();
    const bool from_the_root = cursor_ == nullptr;
    last_ = segment;
    cursor_ = segment->data();
    end_ = segment->end;
    if (from_the_root)
        return;
    left_.store(++count_left_, std::memory_order_release); // edge segment, release side (M5)
}

template <class P>
Lane<P>::~Lane() {
    reader_.drain_to(
        writer_.tail(), [](std::uint64_t, const RecordType&, void*) {}, SIZE_MAX);
    while (detail::Segment<P>* const segment = root_.next.get()) {
        root_.next.set(segment->next.get());
        detail::SegmentPool<P>::release(segment);
    }
}

} // namespace takt
