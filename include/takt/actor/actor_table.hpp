// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. Where the actors of a runtime are: slots that never move, and which worker each
// shard of them belongs to. Below: actor_cell. Above: send, the frame.

#include "takt/actor/actor_cell.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace takt {
class Actor;
}

namespace takt::detail {

/// The generation of a runtime's first actors and instances. Those of different runtimes do not meet,
/// so that a reference into a runtime that is gone does not fit into a later one of the same number.
std::uint32_t next_first_generation() noexcept;

/// | operation      | who                                          | progress                        |
/// |----------------|----------------------------------------------|---------------------------------|
/// | cell, owner    | who runs a phase; cell: also the gate's owner | wait-free                       |
/// | take           | who runs a phase                             | lock-free, but for memory       |
/// | give_back      | the frame thread in the serial phase         | wait-free, but for memory       |
///
/// A1  A slot's address never changes, and its generation grows each time it is given back.
/// A2  Shards change their worker in the serial phase only, when no mail is under way.
class ActorTable {
  public:
    static constexpr std::uint16_t kShards = 4096;

    /// `runtime`: the number in its references. `workers`: between which shards are shared out.
    ActorTable(unsigned runtime, int workers);
    ~ActorTable();
    ActorTable(const ActorTable&) = delete;
    ActorTable& operator=(const ActorTable&) = delete;

    unsigned runtime() const noexcept { return runtime_; }
    /// Of any slot: references come from other runtimes, and from nowhere.
    ActorCell& cell(std::uint32_t slot) const noexcept {
        // edge chunk, acquire side
        Chunk* const chunk = chunks_[slot / kChunk].load(std::memory_order_acquire);
        if (chunk == nullptr) [[unlikely]]
            return nobody_;
        // Here so that senders get it inline, though the size of an actor is known above only.
        return *reinterpret_cast<ActorCell*>(reinterpret_cast<std::byte*>(chunk) +
                                             std::size_t{slot % kChunk} * kActorBytes);
    }
    /// The cell of an actor that is there; null when it is gone.
    ActorCell* find(ActorRef ref) const noexcept;
    ActorRef ref_of(const ActorCell& cell, std::uint32_t slot) const noexcept {
        return {runtime_, slot, cell.read_word().generation};
    }

    /// Of a slot whose actor is limited. Rooms stay with their slots (A1).
    MailRoom<StdPolicy>& room(std::uint32_t slot) const noexcept {
        // edge room, acquire side
        RoomList* const list = rooms_[slot / kChunk].load(std::memory_order_acquire);
        return *(*list)[slot % kChunk].load(std::memory_order_acquire); // edge room, acquire side
    }
    /// Some actor is limited, or was.
    bool has_rooms() const noexcept {
        return has_rooms_.load(std::memory_order_relaxed); // relaxed: the reference hands it over
    }

    int owner(std::uint16_t shard) const noexcept { return owners_[shard]; }
    int owner(ActorWord word) const noexcept { return owners_[word.shard]; }
    /// Of actors that asked for a worker: it stays there (N9).
    bool is_pinned(std::uint16_t shard) const noexcept { return shard >= first_pinned_; }
    /// In the serial phase (A2).
    void move_shard(std::uint16_t shard, int worker) noexcept {
        owners_[shard] = static_cast<std::uint16_t>(worker);
    }

    /// A slot for a new actor on that worker, unborn. `is_pinned`: in a shard that stays there.
    /// `spare`: slots that the caller may use, as
    /// fill_spare() gave them. Throws takt::Error when there are too many actors, std::bad_alloc.
    ActorRef take(int worker, bool is_pinned, std::vector<std::uint32_t>& spare,
                  const MailLimit& limit = {});
    /// The actor in it is gone; whoever kept its reference finds that out (A1).
    void give_back(std::uint32_t slot);
    /// Moves free slots to `spare` until it has `count`. In the serial phase.
    void fill_spare(std::vector<std::uint32_t>& spare, std::size_t count);

    /// Slots ever taken; slots from here on hold nothing.
    std::uint32_t slots() const noexcept {
        return fresh_.load(std::memory_order_acquire); // edge fresh, acquire side
    }
    std::size_t memory_bytes() const noexcept;

  private:
    static constexpr std::uint32_t kChunk = 1024;
    static constexpr std::size_t kActorBytes = 88; // of an Actor, which begins with its cell
    struct Chunk;
    using RoomList = std::array<std::atomic<MailRoom<StdPolicy>*>, kChunk>;
    Chunk* chunk_for(std::uint32_t slot);
    void make_room(std::uint32_t slot, const MailLimit& limit);
    std::uint16_t shard_for(int worker, bool is_pinned, std::uint32_t slot) const noexcept;

    const unsigned runtime_;
    const int workers_;
    const std::uint16_t first_pinned_;
    const std::uint32_t first_generation_;
    // chunks_:   writes: who takes the first slot of a chunk   reads: everybody
    //   edge chunk: hands over the cells, as they were made.
    std::unique_ptr<std::atomic<Chunk*>[], void (*)(std::atomic<Chunk*>*)> chunks_;
    // rooms_, and what their lists hold:   writes: who makes a slot's first limited actor, and those of
    //   its neighbours   reads: who sends to it or runs it   edge room: hands over the room, as it was made.
    std::unique_ptr<std::atomic<RoomList*>[], void (*)(std::atomic<RoomList*>*)> rooms_;
    // has_rooms_:   writes: who makes a limited actor   reads: who sends from outside
    std::atomic<bool> has_rooms_{false};
    std::array<std::uint16_t, kShards> owners_{};
    mutable ActorCell nobody_;        // where no chunk is: of no generation, and never written
    std::vector<std::uint32_t> free_; // the frame thread's
    // fresh_: slots that were never taken begin here.   writes: who takes one
    alignas(kInterference) std::atomic<std::uint32_t> fresh_{0};
};

} // namespace takt::detail
