// SPDX-License-Identifier: MIT
// Thirty-two actors generate the chunks of a height map in parallel; each writes its chunk into the
// shared map in the serial phase, while the world stands still.
#include "takt/takt.hpp"

#include <array>
#include <cstdint>
#include <iostream>
#include <map>
#include <numeric>
#include <utility>

namespace {

using Chunk = std::array<int, 16 * 16>; // heights
using Map = std::map<std::pair<int, int>, Chunk>;

Chunk generate(int x, int z) {
    Chunk chunk{};
    for (int at = 0; at < 16 * 16; ++at) {
        const int column = 16 * x + at % 16;
        const int row = 16 * z + at / 16;
        chunk[static_cast<std::size_t>(at)] = (column * column / 7 + row * row / 5) % 64;
    }
    return chunk;
}

} // namespace

// README-BEGIN
constexpr takt::Topic<int, int> generate_chunk{"GenerateChunk"};

int main() {
    takt::Runtime runtime; // one pinned worker per allowed core; this thread is one of them
    takt::ReadParallel<Map> map;

    takt::Dispatcher generators{
        runtime, {.actors = 32}, [&map](takt::Actor& actor) {
            actor.bind_parallel(generate_chunk, [&map](int x, int z) -> takt::Task<> {
                const Chunk chunk = generate(x, z);                 // on this actor's worker
                takt::Serial serial = co_await takt::synchronize(); // the world stands still
                map.write(serial)[{x, z}] = chunk;                  // in the same order every time
            });
        }};

    for (int x = 0; x < 21; ++x)
        for (int z = 0; z < 21; ++z)
            generators.dispatch(generate_chunk, x, z); // to the least busy of the 32
    const std::uint64_t frames = runtime.run_until_idle();

    std::cout << map->size() << " chunks in " << frames << " frame, " << runtime.mail().handled
              << " messages handled, load left: " << generators.total_load() << "\n";
}
// README-END
