// SPDX-License-Identifier: MIT
#include "shared_table/core.hpp"

#include <array>
#include <bit>
#include <memory>
#include <new>

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

// Gives the reader back as the thread ends. Tables that are used even later take another.
struct LeaveAtEnd {
    ~LeaveAtEnd() {
        if (Reader* const reader = std::exchange(reader_of_thread, nullptr); reader != nullptr)
            reclaimer().leave(*reader);
    }
};

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
        while (index_of(head) != kNone) {
            Slot& slot = at(index_of(head));
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
            slot.next.store(index_of(head), std::memory_order_relaxed); // relaxed: the same
        // edge free-slot, release side
        while (!free_.compare_exchange_weak(head, pack(tag_of(head) + 1, slot.index),
                                            std::memory_order_release, std::memory_order_relaxed));
    }

  private:
    static constexpr std::uint32_t kNone = UINT32_MAX;
    static constexpr std::size_t kFirstChunk = 64; // slots; each further chunk has twice as many
    struct alignas(kInterference) Slot {
        std::byte core[sizeof(TableCore)];
        std::uint32_t index;
        std::atomic<std::uint32_t> next{kNone};
    };
    static_assert(alignof(TableCore) <= kInterference);

    static std::uint64_t pack(std::uint32_t tag, std::uint32_t index) noexcept {
        return std::uint64_t{tag} << 32 | index;
    }
    static std::uint32_t tag_of(std::uint64_t head) noexcept {
        return static_cast<std::uint32_t>(head >> 32);
    }
    static std::uint32_t index_of(std::uint64_t head) noexcept {
        return static_cast<std::uint32_t>(head);
    }
    // Chunk c has the slots [64 * (2^c - 1), 64 * (2^(c+1) - 1)).
    static std::size_t chunk_of(std::uint32_t index) noexcept {
        return static_cast<std::size_t>(std::bit_width(index / kFirstChunk + 1)) - 1;
    }
    static std::size_t first_of(std::size_t chunk) noexcept {
        return kFirstChunk * ((std::size_t{1} << chunk) - 1);
    }
    Slot& at(std::uint32_t index) noexcept {
        const std::size_t chunk = chunk_of(index);
        // edge core-chunk, acquire side
        return chunks_[chunk].load(std::memory_order_acquire)[index - first_of(chunk)];
    }
    void* fresh() {
        // relaxed: only distinct
        const std::uint32_t index = fresh_.fetch_add(1, std::memory_order_relaxed);
        const std::size_t chunk = chunk_of(index);
        // edge core-chunk, acquire side
        if (chunks_[chunk].load(std::memory_order_acquire) == nullptr)
            make_chunk(chunk);
        Slot& slot = at(index);
        slot.index = index;
        return slot.core;
    }
    void make_chunk(std::size_t chunk) {
        auto made = std::make_unique<Slot[]>(kFirstChunk << chunk);
        Slot* none = nullptr;
        // edge core-chunk, both sides
        if (chunks_[chunk].compare_exchange_strong(none, made.get(), std::memory_order_acq_rel,
                                                   std::memory_order_acquire))
            (void)made.release();
    }

    std::array<std::atomic<Slot*>, 26> chunks_{};
    std::atomic<std::uint64_t> free_{kNone}; // tag and index of the topmost
    alignas(kInterference) std::atomic<std::uint32_t> fresh_{0};
};

constinit CorePool pool;

// Tables whose last handle is gone and that this thread is about to take along.
thread_local TableCore* dying = nullptr;
thread_local bool is_burying = false;

void bury(TableCore* core) noexcept {
    core->next_to_die = std::exchange(dying, core);
    if (is_burying)
        return; // called by the loop below, for a table in a table
    is_burying = true;
    while (dying != nullptr) {
        TableCore* const next = std::exchange(dying, dying->next_to_die);
        next->~TableCore();
        pool.give_back(next);
    }
    is_burying = false;
}

} // namespace

constinit thread_local Reader* reader_of_thread = nullptr;

Reader& join_readers() {
    thread_local const LeaveAtEnd leave_at_end;
    (void)leave_at_end;
    reader_of_thread = &reclaimer().join();
    return *reader_of_thread;
}

std::size_t garbage_bytes() noexcept {
    return reclaimer().limbo_bytes();
}

SharedTable TableCore::make(Snapshot content, bool is_frozen) {
    return SharedTable(new (pool.take()) TableCore(std::move(content), is_frozen));
}

void TableCore::drop() noexcept {
    if (handles.fetch_sub(1, std::memory_order_acq_rel) == 1) // edge handles, both sides
        bury(this);
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
