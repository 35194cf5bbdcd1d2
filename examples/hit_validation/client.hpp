// SPDX-License-Identifier: MIT
#pragma once
// The outside: clients that claim hits, each on a thread of its own.

#include "hit_validation/game.hpp"

#include <random>
#include <span>
#include <stop_token>
#include <vector>

namespace example {

/// What a client claims: that its player hit this place.
struct Shot {
    Vec3 at;
    std::int64_t arrived_ns = 0; ///< now_ns(), when it reached the server
};
inline constexpr takt::Topic<Shot> kFire{"RemoteMouseEvent"};

/// Draws what one player shoots at.
class Aim {
  public:
    /// Looks which blocks the player sees.
    Aim(const Stage& stage, const Scene& scene, std::size_t player, std::uint64_t seed);

    /// Mostly a near block in sight, now and then beside it, or one behind a wall.
    Vec3 draw();

  private:
    const Stage& stage_;
    std::vector<std::size_t> in_sight_; // nearest first, some
    std::mt19937_64 random_;
};

/// What one client thread has sent.
struct ClientCounts {
    std::uint64_t sent = 0;
    std::uint64_t refused = 0;
};

/// One player of a client.
struct Played {
    takt::ActorRef actor;
    Aim aim;
};

/// Volleys of one shot for each of the players, `period_ns` apart, as packets arrive: together.
ClientCounts run_client(takt::MailProducer& producer, std::span<Played> players,
                        std::int64_t period_ns, const std::stop_token& stop);

} // namespace example
