// SPDX-License-Identifier: MIT
#include "takt/takt.hpp"
#include "actor_ping_pong/config.hpp"

#include <sched.h>

namespace takt::bench::actor_ping_pong {
namespace {

constexpr Topic<std::uint64_t> kBall{"Ball"};

struct Player {
    ActorRef other = {};
    std::uint64_t expected = 0;
    bool wrong = false;
    measure::Span span = {};

    bool take(std::uint64_t left) {
        wrong |= left != expected;
        expected = left - 2;
        return left > 1;
    }
};

Window same_worker() {
    Runtime runtime({.workers = {.count = 2, .pin_caller = true}}, machine());
    std::vector<Player> players(2);
    const auto spawn = [&](Player& player) {
        return runtime.spawn_actor({.worker = 0}, [&player](Actor& actor) {
            actor.bind_parallel(kBall, [&player](std::uint64_t left) {
                if (player.take(left))
                    player.other.send(kBall, left - 1);
            });
        });
    };
    const ActorRef first = spawn(players[0]);
    players[1].other = first;
    players[0].other = spawn(players[1]);
    Window result;
    measure::Span span{measure::ticks(), 0, sched_getcpu()};
    for (int frame = 0; frame < kFrames; ++frame) {
        players[0].expected = kMessages;
        players[1].expected = kMessages - 1;
        first.send(kBall, kMessages);
        const std::uint64_t begin = measure::ticks();
        const FrameReport report = runtime.step();
        result.samples.add(static_cast<double>(measure::ticks() - begin) * measure::ns_per_tick() /
                           static_cast<double>(kMessages));
        result.wrong |= report.messages != kMessages || report.rounds != 1;
    }
    span.end = measure::ticks();
    result.spans = {span};
    result.ns_per_operation = result.samples.percentile(0.5);
    result.wrong |= players[0].wrong || players[1].wrong;
    return result;
}

Window across() {
    Runtime runtime({.workers = {.count = 2, .pin_caller = true}}, machine());
    std::vector<Player> players(2);
    Window result;
    result.samples.reserve(kRoundTrips);
    std::uint64_t last = 0;
    const ActorRef first = runtime.spawn_actor({.worker = 0}, [&](Actor& actor) {
        actor.bind_parallel(kBall, [&](std::uint64_t left) {
            const std::uint64_t now = measure::ticks();
            if (last != 0)
                result.samples.add(static_cast<double>(now - last) * measure::ns_per_tick());
            last = now;
            if (players[0].take(left))
                players[0].other.send(kBall, left - 1);
        });
    });
    const ActorRef second = runtime.spawn_actor({.worker = 1}, [&](Actor& actor) {
        actor.bind_parallel(kBall, [&](std::uint64_t left) {
            Player& self = players[1];
            if (self.span.begin == 0)
                self.span = {measure::ticks(), 0, sched_getcpu()};
            if (self.take(left))
                self.other.send(kBall, left - 1);
            else
                self.span.end = measure::ticks();
        });
    });
    constexpr std::uint64_t kTotal = 2 * kRoundTrips;
    players[0].other = second;
    players[1].other = first;
    players[0].expected = kTotal;
    players[1].expected = kTotal - 1;
    players[0].span = {measure::ticks(), 0, sched_getcpu()};
    first.send(kBall, kTotal);
    const FrameReport report = runtime.step();
    players[0].span.end = measure::ticks();
    result.spans = {players[0].span, players[1].span};
    result.ns_per_operation = result.samples.percentile(0.5);
    result.wrong = players[0].wrong || players[1].wrong || report.messages != kTotal ||
                   measure::distinct_cpus(result.spans) != 2;
    return result;
}

} // namespace

void add_takt(Field& same, Field& other) {
    same.add("actor_ping_pong/takt/same_worker", [] { return [] { return same_worker(); }; });
    other.add("actor_ping_pong/takt/across", [] { return [] { return across(); }; });
}

} // namespace takt::bench::actor_ping_pong
