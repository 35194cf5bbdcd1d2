// SPDX-License-Identifier: MIT
#pragma once
// Server-side validation of hits: clients on threads of their own claim what they hit; each player's
// actor checks that with a ray, in parallel; damage is done in the serial phase, after a second look.

#include "hit_validation/scene.hpp"
#include "support/report.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace example {

/// What became of a shot.
enum class Verdict : std::uint8_t {
    nothing,   ///< the ray meets nothing
    wall,      ///< the ray ends at a wall: the client was wrong, or late
    damaged,   ///< a block lost a point
    destroyed, ///< a block lost its last point
    rejected,  ///< the ray met a block that another player destroyed in the same round
};
inline constexpr std::array<std::string_view, 5> kVerdictNames{"nothing", "wall", "damaged",
                                                               "destroyed", "rejected"};

/// Who stands where, and what stands around.
struct Stage {
    Map map;
    std::vector<Quad> walls;
    std::vector<Vec3> players; ///< eyes
    std::vector<Vec3> blocks;  ///< feet
};

/// Players where the level has monsters, blocks where it has other things.
Stage make_stage(Map map, std::size_t players);

/// A shot, for the picture.
struct Trace {
    Vec3 from;
    Vec3 to;
    Verdict verdict = Verdict::nothing;
};

struct GameOptions {
    std::optional<int> workers = {};
    std::uint64_t frames = 1000;
    int clients = 2;                ///< threads
    double shots_each_second = 100; ///< of one player
    takt::Pacing pacing = takt::Pacing::on_demand;
    std::uint64_t seed = 1;
};

struct GameRun {
    std::string workers;
    FrameLog log;
    std::uint64_t sent = 0;
    std::uint64_t refused = 0; ///< by the mailbox: a client has used up its share
    std::array<std::uint64_t, kVerdictNames.size()> verdicts{};
    std::uint64_t lives_ended = 0; ///< as the blocks count it
    std::uint64_t lives_begun = 0; ///< also the blocks that stand at the end
    std::uint64_t standing = 0;    ///< blocks, at the end
    double seconds = 0;
    std::vector<std::int64_t> latencies_ns; ///< from arrival to verdict, sorted
    std::vector<std::uint64_t> by_player;   ///< shots
    std::vector<Trace> traces;              ///< some of them

    std::uint64_t count(Verdict verdict) const {
        return verdicts[static_cast<std::size_t>(verdict)];
    }
};

GameRun play(const Stage& stage, const GameOptions& options);

/// The level from above, with shots and what they met.
void draw_game(const Stage& stage, const GameRun& run, const std::string& png);

} // namespace example
