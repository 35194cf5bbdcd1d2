// SPDX-License-Identifier: MIT
#pragma once
// tick/takt/<actors>/<messages>: a world that changes itself.
//
//   tick --> actor n   notes a commit, and sends <messages> gifts to actors that its state chooses
//                      out of 16 neighbours; some tick, as its state says, it is destroyed and
//                      another one is spawned in its place
//   gift --> actor n   mixes it into its state
//   commit, alone      writes (actor, state) to a log, and the newcomers into the world
//
// One operation = one tick of all actors, two rounds of next_round delivery on 2 workers.
// ns_per_message: all but the serial phases, by messages; ns_per_commit: the serial phases, by
// commits. Refused: a log that is not the same for 1, 2 and 4 workers, an actor's place with less
// than 8 different senders, a world without births.

#include "support/window.hpp"
#include "takt/takt.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace takt::bench::tick {

inline constexpr int kWindows = 5;
/// Enough for each place to hear of half of its neighbours.
constexpr int proof_ticks(std::uint32_t messages) {
    return messages < 8 ? 36 : messages < 64 ? 8 : 3;
}

struct Size {
    std::uint32_t actors;
    std::uint32_t messages;
};

class World {
  public:
    World(Size size, int workers);
    ~World();

    void tick();

    std::uint64_t log_hash() const noexcept;
    std::uint64_t births() const noexcept;
    /// The least number of different senders that a place has heard of.
    int senders_min() const;
    std::uint64_t messages() const noexcept;
    std::uint64_t commits() const noexcept;
    std::int64_t serial_ns() const noexcept;
    std::int64_t total_ns() const noexcept;

  private:
    struct Body;
    std::unique_ptr<Body> body_;
};

} // namespace takt::bench::tick
