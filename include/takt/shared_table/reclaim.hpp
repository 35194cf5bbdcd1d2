// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, shared table. When memory that was taken out of a trie may be used again: not before all
// have left who may still look at it. Above: trie. The proof: src/shared_table/TRIE.md.

#include "takt/base.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace takt::table {

/// A pointer into a trie with its marks, see trie.hpp. 0: none.
using Link = std::uint64_t;

template <class P>
class Reclaimer;

/// One thread's part in a Reclaimer: whether it looks at tries just now, and the links that it took
/// out of them and that wait for those who may still follow them.
///
/// | operation                | who                    | progress                          |
/// |--------------------------|------------------------|-----------------------------------|
/// | pin, unpin               | the thread that has it | wait-free, but for the work below |
/// | reserve, retire, reclaim | the same               | lock-free, but for memory         |
///
/// Links are dropped when kBatch of them, or kBatchBytes, have gathered and all who were pinned then
/// have unpinned at least once. Nobody waits for them: the batch does, and its thread looks again every
/// kBatch unpins. What a thread has retired that does nothing more waits until it ends.
///
/// Z1  A link is dropped when nobody who was pinned as it was retired is still in that same pin.
template <class P>
class alignas(kInterference) Reader {
  public:
    static constexpr std::size_t kBatch = 256;
    static constexpr std::size_t kBatchBytes = 256 * 1024;

    /// From here to unpin() what the caller finds in a trie stays. Pins nest.
    void pin() noexcept {
        if (depth_++ != 0)
            return;
        // relaxed: only this thread writes it
        const std::uint64_t now = sequence_.load(std::memory_order_relaxed);
        if (P::sleeper_pays()) {
            // edge unpin, release side: who sees this pin knows that the one before it is over. The
            // barrier in begin_wait() orders it before what the caller looks at next.
            sequence_.store(now + 1, std::memory_order_release);
            P::publisher_barrier();
        } else {
            sequence_.store(now + 1, std::memory_order_seq_cst); // cross grace, side A
        }
    }
    void unpin() noexcept {
        if (--depth_ != 0)
            return;
        // relaxed: only this thread writes it
        const std::uint64_t now = sequence_.load(std::memory_order_relaxed);
        sequence_.store(now + 1, std::memory_order_release); // edge unpin, release side
        if (--unpins_left_ == 0) [[unlikely]] {
            unpins_left_ = kBatch;
            reclaim_if_due();
        }
    }

    /// Makes room for retire(), which then cannot fail. Throws std::bad_alloc.
    void reserve() {
        if (limbo_.size() == limbo_.capacity()) [[unlikely]]
            limbo_.reserve(limbo_.empty() ? kBatch : 2 * limbo_.size());
    }
    /// The caller has just taken `link` out of a trie, in a pin. `bytes`: what it keeps from use.
    void retire(Link link, std::size_t bytes) noexcept {
        limbo_.push_back(link);
        count_bytes(bytes_ + bytes);
        if (limbo_.size() >= reclaim_at_ || bytes_ >= reclaim_at_bytes_) [[unlikely]]
            unpins_left_ = 1;
    }
    /// Drops what nobody can look at any more. Not in a pin.
    void reclaim() noexcept;

    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

  private:
    friend class Reclaimer<P>;
    struct Seen { // a reader that was pinned, and its pin
        Reader* reader;
        std::uint64_t sequence;
    };
    static bool pinned(std::uint64_t sequence) noexcept { return sequence % 2 != 0; }

    explicit Reader(Reclaimer<P>& reclaimer) : reclaimer_(reclaimer) {}
    void reclaim_own() noexcept;
    void reclaim_if_due() noexcept {
        const bool has_enough = limbo_.size() >= reclaim_at_ || bytes_ >= reclaim_at_bytes_;
        if (has_enough || (!waiting_.empty() && all_have_left()))
            reclaim();
    }
    bool begin_wait() noexcept;
    bool all_have_left() noexcept;
    void drop_waiting() noexcept;
    void count_bytes(std::size_t bytes) noexcept {
        bytes_ = bytes;
        // relaxed: a statistic, and the thread that takes a reader over has `edge reader`
        shown_bytes_.store(bytes, std::memory_order_relaxed);
    }

    Reclaimer<P>& reclaimer_;
    Reader* next_ = nullptr; // before it is published, then constant
    // sequence_: odd in a pin.   writes: the thread that has it   reads: who reclaims
    //   edge unpin: hands over that the looks of a pin are over.   cross grace: see begin_wait()
    typename P::template Atomic<std::uint64_t> sequence_{0};
    // taken_: 1 while a thread has it.   edge reader: hands over all below.
    typename P::template Atomic<std::uint32_t> taken_{1};
    typename P::template Atomic<std::size_t> shown_bytes_{0};
    // Of the thread that has it:
    unsigned depth_ = 0;
    std::size_t bytes_ = 0; // of limbo_ and waiting_
    std::size_t waiting_bytes_ = 0;
    std::size_t unpins_left_ = kBatch; // to the next look at what waits
    std::size_t reclaim_at_ = kBatch;
    std::size_t reclaim_at_bytes_ = kBatchBytes;
    std::vector<Link> limbo_;   // retired since the last barrier
    std::vector<Link> waiting_; // retired before it
    std::vector<Seen> seen_;    // who was pinned then, and has not left
};

/// The readers of a set of tries, and how to drop a link. Outlives them all.
/// join() and leave() are lock-free; join() allocates when there are more threads than ever before.
template <class P>
class Reclaimer {
  public:
    explicit Reclaimer(void (*drop)(Link) noexcept) : drop_(drop) {}
    ~Reclaimer() {
        for (Reader<P>* reader = first(); reader != nullptr;) {
            settle(*reader);
            delete std::exchange(reader, reader->next_);
        }
    }

    /// A reader for the calling thread: one that a thread has left, or a new one.
    Reader<P>& join();
    /// The thread ends. What waits in its limbo is dropped by others' reclaim().
    void leave(Reader<P>& reader) noexcept {
        reader.reclaim();
        give_back(reader);
    }
    /// Bytes that were taken out of tries and are not dropped, about. Wait-free in the threads.
    std::size_t limbo_bytes() const noexcept {
        std::size_t sum = 0;
        for (const Reader<P>* reader = first(); reader != nullptr; reader = reader->next_)
            sum += reader->shown_bytes_.load(std::memory_order_relaxed); // relaxed: a statistic
        return sum;
    }

  private:
    friend class Reader<P>;
    Reader<P>* first() const noexcept {
        return readers_.load(std::memory_order_seq_cst); // cross grace, side B
    }
    static bool try_take(Reader<P>& reader) noexcept {
        std::uint32_t free = 0;
        // relaxed: a look before the exchange
        return reader.taken_.load(std::memory_order_relaxed) == 0 &&
               // edge reader, acquire side
               reader.taken_.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                                     std::memory_order_relaxed);
    }
    static void give_back(Reader<P>& reader) noexcept {
        reader.taken_.store(0, std::memory_order_release); // edge reader, release side
    }
    void settle(Reader<P>& reader) noexcept {
        reader.waiting_.insert(reader.waiting_.end(), reader.limbo_.begin(), reader.limbo_.end());
        reader.drop_waiting();
    }
    void reclaim_left_behind() noexcept;

    void (*const drop_)(Link) noexcept;
    // readers_: all, newest first.   writes: join   reads: who reclaims
    //   cross grace: who joins before he looks at a trie is found by who reclaims after.
    typename P::template Atomic<Reader<P>*> readers_{nullptr};
};

template <class P>
Reader<P>& Reclaimer<P>::join() {
    for (Reader<P>* reader = first(); reader != nullptr; reader = reader->next_)
        if (try_take(*reader))
            return *reader;
    std::unique_ptr<Reader<P>> fresh(new Reader<P>(*this));
    Reader<P>* before = first();
    do
        fresh->next_ = before;
    // cross grace, side A
    while (!readers_.compare_exchange_strong(before, fresh.get(), std::memory_order_seq_cst,
                                             std::memory_order_relaxed));
    return *fresh.release();
}

template <class P>
void Reclaimer<P>::reclaim_left_behind() noexcept {
    for (Reader<P>* reader = first(); reader != nullptr; reader = reader->next_)
        // relaxed: a look; who takes it has `edge reader`
        if (reader->shown_bytes_.load(std::memory_order_relaxed) != 0 && try_take(*reader)) {
            reader->reclaim_own();
            give_back(*reader);
        }
}

template <class P>
void Reader<P>::reclaim() noexcept {
    reclaim_own();
    reclaimer_.reclaim_left_behind();
}

template <class P>
void Reader<P>::reclaim_own() noexcept {
    if (all_have_left())
        drop_waiting();
    if (waiting_.empty() && !limbo_.empty() && begin_wait() && all_have_left())
        drop_waiting();
    // With a batch waiting, not at each unpin again.
    reclaim_at_ = limbo_.size() + kBatch;
    reclaim_at_bytes_ = bytes_ + kBatchBytes;
}

// Who was pinned when limbo_ was retired is pinned now, in the same pin, or has left. The barrier
// makes each pin that it does not show begin after the links were taken out (Z1).
template <class P>
bool Reader<P>::begin_wait() noexcept {
    std::size_t readers = 0;
    for (Reader* reader = reclaimer_.first(); reader != nullptr; reader = reader->next_)
        ++readers;
    try {
        seen_.reserve(readers + readers / 2);
    } catch (const std::bad_alloc&) {
        return false; // the next one may be luckier
    }
    P::sleeper_barrier();
    for (Reader* reader = reclaimer_.first(); reader != nullptr; reader = reader->next_) {
        // cross grace, side B
        const std::uint64_t sequence = reader->sequence_.load(std::memory_order_seq_cst);
        if (pinned(sequence) && seen_.size() == seen_.capacity()) {
            seen_.clear();
            return false;
        }
        if (pinned(sequence))
            seen_.push_back({reader, sequence});
    }
    std::swap(limbo_, waiting_);
    waiting_bytes_ = bytes_;
    return true;
}

template <class P>
bool Reader<P>::all_have_left() noexcept {
    std::erase_if(seen_, [](const Seen& seen) {
        // edge unpin, acquire side
        return seen.reader->sequence_.load(std::memory_order_acquire) != seen.sequence;
    });
    return seen_.empty();
}

template <class P>
void Reader<P>::drop_waiting() noexcept {
    for (const Link link : waiting_)
        reclaimer_.drop_(link);
    waiting_.clear();
    count_bytes(bytes_ - std::exchange(waiting_bytes_, 0));
}

/// A pin for a scope.
template <class P>
class Pin {
  public:
    explicit Pin(Reader<P>& reader) noexcept : reader_(reader) { reader.pin(); }
    ~Pin() { reader_.unpin(); }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

  private:
    Reader<P>& reader_;
};

} // namespace takt::table
