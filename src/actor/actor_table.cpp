// SPDX-License-Identifier: MIT
#include "takt/actor/actor.hpp"

#include <cstdlib>
#include <new>
#include <string>

namespace takt::detail {

struct ActorTable::Chunk {
    Actor actors[kChunk];
    static_assert(sizeof(Actor) == kActorBytes);
};

namespace {

// The pages of what nobody uses stay untouched.
template <class T>
std::unique_ptr<std::atomic<T*>[], void (*)(std::atomic<T*>*)> make_chunk_list(std::size_t count) {
    void* const memory = std::calloc(count, sizeof(std::atomic<T*>));
    if (memory == nullptr)
        throw std::bad_alloc();
    return {static_cast<std::atomic<T*>*>(memory), [](std::atomic<T*>* list) { std::free(list); }};
}

// A quarter of each worker's shards; none where it has too few.
std::uint16_t first_pinned(int workers) noexcept {
    const int each = ActorTable::kShards / workers;
    return static_cast<std::uint16_t>((each - each / 4) * workers);
}

} // namespace

std::uint32_t next_first_generation() noexcept {
    static std::atomic<std::uint32_t> runtimes{0};
    // relaxed: only distinct
    return (runtimes.fetch_add(1, std::memory_order_relaxed) + 1) * 0x9e37'79b9u | 1u;
}

ActorTable::ActorTable(unsigned runtime, int workers)
    : runtime_(runtime), workers_(workers), first_pinned_(first_pinned(workers)),
      first_generation_(next_first_generation()),
      chunks_(make_chunk_list<Chunk>(ActorRef::kSlotsMax / kChunk)),
      rooms_(make_chunk_list<RoomList>(ActorRef::kSlotsMax / kChunk)) {
    for (std::size_t shard = 0; shard < owners_.size(); ++shard)
        owners_[shard] = static_cast<std::uint16_t>(shard % static_cast<std::size_t>(workers));
}

ActorTable::~ActorTable() {
    for (std::uint32_t at = 0; at < ActorRef::kSlotsMax / kChunk; ++at) {
        Chunk* const chunk =
            chunks_[at].load(std::memory_order_relaxed); // relaxed: nobody else here
        if (chunk == nullptr)
            break; // chunks come in order, but for one that others were about to make
        delete chunk;
        // relaxed: nobody else here
        const std::unique_ptr<RoomList> list(rooms_[at].load(std::memory_order_relaxed));
        if (list == nullptr)
            continue;
        for (const std::atomic<MailRoom<StdPolicy>*>& room : *list)
            delete room.load(std::memory_order_relaxed); // relaxed: as above
    }
}

ActorTable::Chunk* ActorTable::chunk_for(std::uint32_t slot) {
    std::atomic<Chunk*>& place = chunks_[slot / kChunk];
    Chunk* chunk = place.load(std::memory_order_acquire); // edge chunk, acquire side
    if (chunk != nullptr)
        return chunk;
    auto made = std::make_unique<Chunk>();
    for (std::uint32_t at = 0; at < kChunk; ++at) {
        ActorAccess::set_slot(made->actors[at], slot / kChunk * kChunk + at);
        ActorAccess::cell(made->actors[at]).write_word({first_generation_, 0, Life::none});
    }
    TAKT_CHECK(static_cast<void*>(&ActorAccess::cell(made->actors[1])) ==
                   reinterpret_cast<std::byte*>(made.get()) + kActorBytes,
               "A1", "An Actor begins with its cell");
    // edge chunk, both sides: whoever was first
    if (place.compare_exchange_strong(chunk, made.get(), std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return made.release();
    return chunk;
}

ActorCell* ActorTable::find(ActorRef ref) const noexcept {
    if (ref.runtime() != runtime_ || ref.slot() >= slots())
        return nullptr;
    ActorCell& found = cell(ref.slot());
    const ActorWord word = found.read_word();
    return word.generation == ref.generation() && word.life != Life::none ? &found : nullptr;
}

// The slot is its maker's alone; the list is its neighbours', too.
void ActorTable::make_room(std::uint32_t slot, const MailLimit& limit) {
    std::atomic<RoomList*>& place = rooms_[slot / kChunk];
    RoomList* list = place.load(std::memory_order_acquire); // edge room, acquire side
    if (list == nullptr) {
        auto made = std::make_unique<RoomList>();
        // edge room, both sides: whoever was first
        if (place.compare_exchange_strong(list, made.get(), std::memory_order_acq_rel,
                                          std::memory_order_acquire))
            list = made.release();
    }
    std::atomic<MailRoom<StdPolicy>*>& of_slot = (*list)[slot % kChunk];
    // relaxed: the slot was handed over
    if (of_slot.load(std::memory_order_relaxed) == nullptr)
        // edge room, release side
        of_slot.store(new MailRoom<StdPolicy>(workers_), std::memory_order_release);
    room(slot).set(limit);
    has_rooms_.store(true, std::memory_order_relaxed); // relaxed: the reference hands it over
}

ActorRef ActorTable::take(int worker, bool is_pinned, std::vector<std::uint32_t>& spare,
                          const MailLimit& limit) {
    std::uint32_t slot = 0;
    if (!spare.empty()) {
        slot = spare.back();
        spare.pop_back();
    } else {
        slot = fresh_.load(std::memory_order_relaxed); // relaxed: a guess
        do {
            if (slot == ActorRef::kSlotsMax)
                throw Error("actors", std::to_string(slot), "a runtime has no room for more",
                            "Destroy actors, or give several things to one actor");
            chunk_for(slot);
            // edge fresh, release side
        } while (!fresh_.compare_exchange_weak(slot, slot + 1, std::memory_order_release,
                                               std::memory_order_relaxed));
    }
    const bool is_limited = limit.max != kUnboundedBytes;
    if (is_limited) {
        try {
            make_room(slot, limit);
        } catch (...) {
            spare.push_back(slot);
            throw;
        }
    }
    ActorCell& taken = cell(slot);
    const std::uint32_t generation = taken.read_word().generation;
    taken.write_word({generation, shard_for(worker, is_pinned, slot), Life::unborn, is_limited});
    return {runtime_, slot, generation};
}

// Among the shards that the worker had at first: those that have moved since are found again by
// their owners, so all of them are tried.
std::uint16_t ActorTable::shard_for(int worker, bool is_pinned, std::uint32_t slot) const noexcept {
    const auto step = static_cast<std::uint32_t>(workers_);
    const std::uint32_t each = kShards / step;
    const std::uint32_t movable = first_pinned_ / step;
    const std::uint32_t begin = is_pinned && movable < each ? movable : 0;
    const std::uint32_t count = is_pinned ? each - begin : movable;
    const std::uint32_t first = slot / step % count;
    for (std::uint32_t tried = 0; tried < count; ++tried) {
        const std::uint32_t shard =
            (begin + (first + tried) % count) * step + static_cast<std::uint32_t>(worker);
        if (owners_[shard] == worker)
            return static_cast<std::uint16_t>(shard);
    }
    return static_cast<std::uint16_t>(begin * step + static_cast<std::uint32_t>(worker));
}

void ActorTable::give_back(std::uint32_t slot) {
    ActorCell& gone = cell(slot);
    free_.push_back(slot);
    gone.write_word({gone.read_word().generation + 1, 0, Life::none});
}

void ActorTable::fill_spare(std::vector<std::uint32_t>& spare, std::size_t count) {
    while (spare.size() < count && !free_.empty()) {
        spare.push_back(free_.back());
        free_.pop_back();
    }
}

std::size_t ActorTable::memory_bytes() const noexcept {
    return sizeof(*this) + (std::size_t{slots()} + kChunk - 1) / kChunk * sizeof(Chunk) +
           free_.capacity() * sizeof(std::uint32_t);
}

} // namespace takt::detail
