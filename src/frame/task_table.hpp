// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. The tasks that have a TaskRef, by its slot. Below: task. Beside: frame_worker, which
// has the free slots.

#include "takt/task.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace takt::detail {

struct ActorTask;

/// Slots that never move, in chunks of which each is twice as large as the one before. Free slots are
/// in lists: one for each worker, which its worker uses in the parallel phase and the frame thread in
/// the serial phase. A task's slot goes back to the list that it is from; where that is another
/// worker's in the parallel phase, with the next serial phase that is after it.
///
/// | operation  | progress                                                                  |
/// |------------|---------------------------------------------------------------------------|
/// | take       | wait-free; lock-free, but for memory, once in 64 times (an empty list)     |
/// | give_back  | wait-free                                                                 |
/// | find       | wait-free                                                                 |
class TaskTable {
  public:
    TaskTable() = default;
    ~TaskTable() {
        for (const std::atomic<Entry*>& chunk : chunks_)
            delete[] chunk.load(std::memory_order_relaxed); // relaxed: nobody else is here
    }
    TaskTable(const TaskTable&) = delete;
    TaskTable& operator=(const TaskTable&) = delete;

    struct FreeList {
        std::uint32_t first = 0; // 0: empty
    };
    struct Slot {
        std::uint32_t number = 0; // 0: none
        std::uint32_t generation = 0;
    };

    /// Throws std::bad_alloc.
    /// `home`: whose list it is.
    Slot take(FreeList& list, std::uint16_t home, ActorTask& task) {
        if (list.first == 0) [[unlikely]]
            refill(list);
        const std::uint32_t number = list.first;
        Entry& entry = entry_of(number);
        list.first = entry.next_free;
        entry.task = &task;
        entry.home = home;
        return {number,
                entry.generation.load(std::memory_order_relaxed)}; // relaxed: the list's own
    }
    /// Of the task that has the slot.
    std::uint16_t home_of(std::uint32_t number) noexcept { return entry_of(number).home; }
    /// In the serial phase: each goes into the list `list_of(home)`.
    template <class ListOf>
    void send_home(FreeList& foreign, ListOf list_of) noexcept {
        while (foreign.first != 0) {
            const std::uint32_t number = foreign.first;
            Entry& entry = entry_of(number);
            foreign.first = entry.next_free;
            FreeList& list = list_of(entry.home);
            entry.next_free = list.first;
            list.first = number;
        }
    }
    /// Nobody finds the task any more.
    void give_back(FreeList& list, std::uint32_t number) noexcept {
        Entry& entry = entry_of(number);
        // relaxed: who has no right to the task only sees that it is another one
        entry.generation.fetch_add(1, std::memory_order_relaxed);
        entry.task = nullptr;
        entry.next_free = list.first;
        list.first = number;
    }
    /// In the serial phase, or by the worker of the task's actor. Null: it has ended.
    ActorTask* find(std::uint32_t number, std::uint32_t generation) noexcept {
        // edge task_chunk, acquire side. Null: of an earlier runtime of the same number
        if (chunks_[chunk_of(number)].load(std::memory_order_acquire) == nullptr)
            return nullptr;
        Entry& entry = entry_of(number);
        // relaxed: a reference is handed over with its task's slot
        return entry.generation.load(std::memory_order_relaxed) == generation ? entry.task
                                                                              : nullptr;
    }

  private:
    struct Entry {
        // generation: writes: who has the slot   reads: who has a reference
        std::atomic<std::uint32_t> generation{1};
        std::uint32_t next_free = 0;
        std::uint16_t home = 0; // whose list it was taken from
        ActorTask* task = nullptr;
    };
    static constexpr std::uint32_t kFirstChunk = 1024;
    static constexpr std::uint32_t kRefill = 64;
    static constexpr std::size_t kChunks = 22;

    static constexpr std::size_t chunk_of(std::uint32_t number) noexcept {
        return static_cast<std::size_t>(std::bit_width(number / kFirstChunk + 1)) - 1;
    }
    static constexpr std::uint32_t begin_of(std::size_t chunk) noexcept {
        return kFirstChunk * ((std::uint32_t{1} << chunk) - 1);
    }
    Entry& entry_of(std::uint32_t number) noexcept {
        const std::size_t chunk = chunk_of(number);
        // edge task_chunk, acquire side
        return chunks_[chunk].load(std::memory_order_acquire)[number - begin_of(chunk)];
    }
    void refill(FreeList& list) {
        std::uint32_t first = used_.load(std::memory_order_relaxed); // relaxed: a guess
        do {
            make_chunk(chunk_of(first));
            // relaxed: only distinct; what lies behind the numbers comes by edge task_chunk
        } while (!used_.compare_exchange_weak(first, first + kRefill, std::memory_order_relaxed,
                                              std::memory_order_relaxed));
        for (std::uint32_t number = first + kRefill; number-- > first;) {
            if (number == 0) // names nothing
                break;
            entry_of(number).next_free = list.first;
            list.first = number;
        }
    }
    void make_chunk(std::size_t chunk) {
        if (chunk == kChunks)
            throw std::bad_alloc();
        Entry* there =
            chunks_[chunk].load(std::memory_order_acquire); // edge task_chunk, acquire side
        if (there != nullptr)
            return;
        auto made = std::make_unique<Entry[]>(begin_of(chunk + 1) - begin_of(chunk));
        // edge task_chunk, both sides: whoever was first
        if (chunks_[chunk].compare_exchange_strong(there, made.get(), std::memory_order_acq_rel,
                                                   std::memory_order_acquire))
            made.release();
    }

    // used_: slots from here on were never handed out.   writes: who refills a list
    std::atomic<std::uint32_t> used_{0};
    // chunks_:   writes: who takes the first slots of one   reads: who takes or finds one
    //   edge task_chunk: hands over the slots, as they were made.
    std::array<std::atomic<Entry*>, kChunks> chunks_{};
};

} // namespace takt::detail
