// SPDX-License-Identifier: MIT
#include "tick/config.hpp"

#include <algorithm>
#include <bit>

namespace takt::bench::tick {
namespace {

constexpr Topic<std::uint32_t> kTick{"Tick"};
constexpr Topic<std::uint64_t, std::uint32_t> kGift{
    "Gift"}; // value, which neighbour of the receiver
constexpr std::uint32_t kNeighbours = 16;

std::uint64_t mix(std::uint64_t bits) noexcept {
    bits = (bits ^ (bits >> 30)) * 0xbf58'476d'1ce4'e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d0'49bb'1331'11eb;
    return bits ^ (bits >> 31);
}

struct Npc {
    std::uint64_t state;
    std::uint32_t place;
    std::uint32_t heard_of; // a bit for each neighbour
};

} // namespace

struct World::Body {
    Body(Size wanted, int workers)
        : size(wanted), runtime({.preset = Preset::deterministic,
                                 .workers = {.count = workers, .pin_caller = true},
                                 .frame = {.delivery = Delivery::next_round, .max_rounds = 1},
                                 .clock = {.kind = ClockKind::virtual_time}},
                                machine()) {
        npc.bind_parallel(kTick, [this](Npc& self, std::uint32_t number) { begin(self, number); });
        npc.bind_parallel(kGift, [](Npc& self, std::uint64_t value, std::uint32_t neighbour) {
            self.state = mix(self.state + value);
            self.heard_of |= 1u << neighbour;
        });
        runtime.serial();
        for (std::uint32_t place = 0; place < size.actors; ++place)
            places.push_back(runtime.spawn_actor(npc, {}, Npc{mix(place + 1), place, 0}));
        heard_of.resize(size.actors);
        takt::World(runtime).at_barrier([this] { serial_began = now_ns(); });
    }

    // In parallel, in the name of the actor.
    void begin(Npc& self, std::uint32_t number) {
        for (std::uint32_t message = 0; message < size.messages; ++message) {
            const auto neighbour = static_cast<std::uint32_t>(
                (number * size.messages + message + (self.state & 1) * kNeighbours / 2) %
                kNeighbours);
            // An odd distance to each, all different.
            const std::uint32_t distance = 1 + 2 * neighbour;
            places[(self.place + distance) % size.actors].send(kGift, self.state ^ message,
                                                               neighbour);
        }
        const bool goes = mix(self.state + number) % 256 == 0;
        const Npc heir{mix(self.state), self.place, self.heard_of};
        const ActorRef next = goes ? npc.spawn({}, heir) : ActorRef();
        commit([this, next, place = self.place, state = self.state, heard = self.heard_of,
                id = this_actor().id()](Serial) {
            log = mix(log ^ mix(id) ^ state);
            heard_of[place] |= heard;
            if (next) {
                places[place] = next;
                ++births;
            }
        });
        if (goes)
            this_actor().destroy();
    }

    void tick() {
        const std::int64_t begin_ns = now_ns();
        runtime.serial();
        for (const ActorRef actor : places)
            actor.send(kTick, ticks);
        ++ticks;
        for (bool more = true; more;) {
            const FrameReport report = runtime.step();
            messages += report.messages;
            commits += report.commits;
            serial_ns += now_ns() - serial_began; // one round a frame
            more = report.left_over;
        }
        total_ns += now_ns() - begin_ns;
    }

    const Size size;
    Runtime runtime;
    Behaviour<Npc> npc;
    std::vector<ActorRef> places; // read in parallel, written in the serial phase
    // The frame thread's:
    std::vector<std::uint32_t> heard_of;
    std::uint32_t ticks = 0;
    std::uint64_t log = 0;
    std::uint64_t births = 0;
    std::uint64_t messages = 0;
    std::uint64_t commits = 0;
    std::int64_t serial_began = 0;
    std::int64_t serial_ns = 0;
    std::int64_t total_ns = 0;
};

World::World(Size size, int workers) : body_(std::make_unique<Body>(size, workers)) {}
World::~World() = default;

void World::tick() {
    body_->tick();
}
std::uint64_t World::log_hash() const noexcept {
    return body_->log;
}
std::uint64_t World::births() const noexcept {
    return body_->births;
}
int World::senders_min() const {
    int least = kNeighbours;
    for (const std::uint32_t heard : body_->heard_of)
        least = std::min(least, std::popcount(heard));
    return least;
}
std::uint64_t World::messages() const noexcept {
    return body_->messages;
}
std::uint64_t World::commits() const noexcept {
    return body_->commits;
}
std::int64_t World::serial_ns() const noexcept {
    return body_->serial_ns;
}
std::int64_t World::total_ns() const noexcept {
    return body_->total_ns;
}

} // namespace takt::bench::tick
