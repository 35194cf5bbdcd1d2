// SPDX-License-Identifier: MIT
// actor_memory/takt/<actors>: what an idle actor of a behaviour costs.
//
// bytes_per_actor: growth of the heap while the actors are spawned, as malloc counts it (its own
// headers and what the runtime keeps in reserve included), less the State, by actors. The time is
// that of one spawn. Afterwards each actor must answer for itself: a message to all of them leaves
// its mark in every State.
#include "support/window.hpp"
#include "takt/takt.hpp"

#include <cstdint>
#include <vector>

#include <malloc.h>
#include <sched.h>

namespace takt::bench::actor_memory {
namespace {

constexpr Topic<std::uint64_t> kMark{"Mark"};

struct Npc {
    std::uint64_t health;
    std::uint64_t marks;
};

// In use, by malloc's own figures: what it got by mmap included, what it holds free not.
std::size_t heap_bytes() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

Window window(std::uint64_t actors) {
    Runtime runtime({.workers = {.count = 1}}, machine());
    Behaviour<Npc> npc;
    std::uint64_t marked = 0;
    npc.bind_parallel(kMark, [&marked](Npc& self, std::uint64_t mark) {
        self.marks += mark;
        marked += self.health; // there is one worker
    });
    runtime.step();
    std::vector<ActorRef> refs;
    refs.reserve(actors);
    const std::size_t before = heap_bytes();
    Window result;
    measure::Span span{measure::ticks(), 0, sched_getcpu()};
    for (std::uint64_t actor = 0; actor < actors; ++actor)
        refs.push_back(runtime.spawn_actor(npc, {}, Npc{actor, 0}));
    span.end = measure::ticks();
    runtime.step();
    const double grown = static_cast<double>(heap_bytes() - before);
    const auto count = static_cast<double>(actors);
    result.counters["bytes_per_actor"] = grown / count - sizeof(Npc);
    result.spans = {span};
    result.ns_per_operation =
        static_cast<double>(span.end - span.begin) * measure::ns_per_tick() / count;
    for (const ActorRef actor : refs)
        actor.send(kMark, 1u);
    runtime.run_until_idle();
    result.wrong = marked != actors * (actors - 1) / 2 || runtime.actors() != actors;
    return result;
}

} // namespace
} // namespace takt::bench::actor_memory

int main(int argc, char** argv) {
    takt::bench::Field field(3);
    for (const std::uint64_t actors : {1'000u, 10'000u, 100'000u, 1'000'000u})
        field.add("actor_memory/takt/" + std::to_string(actors), [actors] {
            return [actors] { return takt::bench::actor_memory::window(actors); };
        });
    return takt::bench::run(argc, argv);
}
