// SPDX-License-Identifier: MIT
#include "shared_table/core.hpp"

#include <array>
#include <memory>
#include <new>
#include <pthread.h>

namespace takt::detail {
namespace {

// --- readers -------------------------------------------------------------------------------------

using Reclaimer = table::Reclaimer<TablePolicy>;

// Never destroyed: static tables of the program may still be used after its own statics are gone.
Reclaimer& reclaimer() {
    alignas(Reclaimer) static std::byte memory[sizeof(Reclaimer)];
    static Reclaimer& only = *new (memory) Reclaimer(table::drop<TablePolicy>);
    return only;
}

// Gives the reader back as the thread ends: after the destructors of all its thread_locals, which may
// use tables too. What another key's destructor does with tables joins, and comes here, once more.
pthread_key_t make_key() {
    pthread_key_t key{};
    const auto leave = [](void* reader) {
        reader_of_thread = nullptr;
        reclaimer().leave(*static_cast<Reader*>(reader));
    };
    if (pthread_key_create(&key, leave) != 0)
        throw std::bad_alloc();
    return key;
}

// --- where cores lie -----------------------------------------------------------------------------

/// Slots for cores, in chunks that are never given back and that everything reachable hangs on: of
/// tables that contain each other a leak checker finds every byte.
///
/// free_ is a stack of slots that were used before (Treiber's), tagged, so that a slot that was
/// taken and came back in between is not mistaken for one that never left.
class CorePool {
  public:
    void* take() {
        // edge free-slot, acquire side
        std::uint64_t head = free_.load(std::memory_order_acquire);
        while (number_of(head) != kNone) {
            Slot& slot = at(number_of(head));
            // relaxed: if it is not the next one any more, the exchange fails
            const std::uint32_t next = slot.next.load(std::memory_order_relaxed);
            // edge free-slot, acquire side
            if (free_.compare_exchange_weak(head, pack(tag_of(head) + 1, next),
                                            std::memory_order_acquire, std::memory_order_acquire))
                return slot.core;
        }
        return fresh();
    }
    void give_back(void* core) noexcept {
        Slot& slot = *std::launder(reinterpret_cast<Slot*>(core));
        std::uint64_t head = free_.load(std::memory_order_relaxed); // relaxed: see the exchange
        do
            slot.next.store(number_of(head), std::memory_order_relaxed); // relaxed: the same
        // edge free-slot, release side
        while (!free_.compare_exchange_weak(head, pack(tag_of(head) + 1, slot.number),
                                            std::memory_order_release, std::memory_order_relaxed));
    }

  private:
    static constexpr std::uint32_t kNone = 0; // so that all of the pool begins as zeros
    static constexpr std::size_t kChunk = 64; // slots
    static constexpr std::size_t kChunks = std::size_t{1} << 18;
    struct alignas(kInterference) Slot {
        std::byte core[sizeof(TableCore)];
        std::uint32_t number;                   // of all slots, from 1
        std::atomic<std::uint32_t> next{kNone}; // number
    };
    static_assert(alignof(TableCore) <= kInterference);

    static std::uint64_t pack(std::uint32_t tag, std::uint32_t number) noexcept {
        return std::uint64_t{tag} << 32 | number;
    }
    static std::uint32_t tag_of(std::uint64_t head) noexcept {
        return static_cast<std::uint32_t>(head >> 32);
    }
    static std::uint32_t number_of(std::uint64_t head) noexcept {
        return static_cast<std::uint32_t>(head);
    }
    Slot& at(std::uint32_t number) noexcept {
        const std::uint32_t index = number - 1;
        // edge core-chunk, acquire side
        return chunks_[index / kChunk].load(std::memory_order_acquire)[index % kChunk];
    }
    // The next slot that was never used.
    void* fresh() {
        std::uint32_t index = fresh_.load(std::memory_order_relaxed); // relaxed: only a number
        do {
            if (index / kChunk == kChunks)
                throw std::bad_alloc();
            // edge core-chunk, acquire side
            if (chunks_[index / kChunk].load(std::memory_order_acquire) == nullptr)
                make_chunk(index / kChunk);
            // relaxed: only a number
        } while (!fresh_.compare_exchange_weak(index, index + 1, std::memory_order_relaxed,
                                               std::memory_order_relaxed));
        Slot& slot = at(index + 1);
        slot.number = index + 1;
        return slot.core;
    }
    void make_chunk(std::size_t chunk) {
        auto made = std::make_unique<Slot[]>(kChunk);
        Slot* none = nullptr;
        // edge core-chunk, both sides
        if (chunks_[chunk].compare_exchange_strong(none, made.get(), std::memory_order_acq_rel,
                                                   std::memory_order_acquire))
            static_cast<void>(made.release());
    }

    // 2 MiB, of which the system gives those pages that are used; for 16 million tables.
    std::array<std::atomic<Slot*>, kChunks> chunks_{};
    std::atomic<std::uint64_t> free_{kNone}; // tag and number of the topmost
    alignas(kInterference) std::atomic<std::uint32_t> fresh_{0};
};

constinit CorePool pool;

// Tables whose last handle is gone and that this thread is about to take along.
constinit thread_local TableCore* dying = nullptr;
constinit thread_local bool is_late = false; // somebody further up does it

void bury_all() noexcept {
    while (dying != nullptr) {
        TableCore* const next = std::exchange(dying, dying->next_to_die);
        next->~TableCore();
        pool.give_back(next);
    }
}

} // namespace

constinit thread_local Reader* reader_of_thread = nullptr;

Reader& join_readers() {
    static const pthread_key_t key = make_key();
    Reader& reader = reclaimer().join();
    if (pthread_setspecific(key, &reader) != 0) {
        reclaimer().leave(reader);
        throw std::bad_alloc();
    }
    reader_of_thread = &reader;
    return reader;
}

std::size_t garbage_bytes() noexcept {
    return reclaimer().limbo_bytes();
}

SharedTable TableCore::make(Snapshot content, bool is_frozen) {
    return SharedTable(new (pool.take()) TableCore(std::move(content), is_frozen));
}

LateBurial::LateBurial() noexcept : was_late_(std::exchange(is_late, true)) {}

// Tables in tables die in the loop, and not in each other's destructors: there may be a long chain.
LateBurial::~LateBurial() {
    if (!was_late_)
        bury_all();
    is_late = was_late_;
}

void TableCore::drop() noexcept {
    if (handles.fetch_sub(1, std::memory_order_acq_rel) != 1) // edge handles, both sides
        return;
    const LateBurial late;
    next_to_die = std::exchange(dying, this);
}

} // namespace takt::detail

namespace takt::table {

void TablePolicy::hold_table(std::uint64_t word) noexcept {
    reinterpret_cast<detail::TableCore*>(word)->hold();
}

void TablePolicy::drop_table(std::uint64_t word) noexcept {
    reinterpret_cast<detail::TableCore*>(word)->drop();
}

} // namespace takt::table
