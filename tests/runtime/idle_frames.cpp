// SPDX-License-Identifier: MIT
// For scripts/idle-frames: spawns idle actors, then runs empty frames.
#include "takt/takt.hpp"

#include <cstdio>
#include <cstdlib>

namespace {

struct Npc {
    int health = 100;
};
constexpr takt::Topic<int> kHit{"Hit"};

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s ACTORS FRAMES\n", argv[0]);
        return 2;
    }
    takt::Runtime runtime({.workers = {.count = 1, .pin = false}});
    takt::Behaviour<Npc> npc;
    npc.bind_parallel(kHit, [](Npc& self, int damage) { self.health -= damage; });
    for (long actor = std::atol(argv[1]); actor > 0; --actor)
        runtime.spawn_actor(npc);
    for (long frame = std::atol(argv[2]); frame > 0; --frame)
        if (runtime.step().messages != 0)
            return 1;
    return 0;
}
