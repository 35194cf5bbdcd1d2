// SPDX-License-Identifier: MIT
// 1000 actors on two workers against one sink.
#include "overload/config.hpp"

#include <sched.h>

namespace takt::bench::overload {
namespace {

constexpr std::uint64_t kSenders = 1000;
constexpr std::int64_t kFrameNs = 4 * kServiceNs * static_cast<std::int64_t>(kSenders) / 10;

constexpr Topic<std::int64_t> kSend{"Send"};

struct Sender {
    ActorRef sink;
    double share; // messages of a frame, from which it sends whole ones
    double owed;
    Totals done = {};

    void send(std::int64_t meant_ns) {
        for (owed += share; owed >= 1; owed -= 1, ++done.sent)
            done.refused += sink.send(kWork, meant_ns) != SendResult::ok;
    }
};

} // namespace

Window senders(const Policy& policy, double load) {
    const bool is_limited = policy.limit.max != kUnboundedBytes;
    Runtime runtime({.workers = {.count = 2, .pin_caller = true},
                     .wait = {.spin_ns = kNever},
                     .frame = {.phase_messages = 1'000 + kSenders},
                     .mail = {.worker_bytes = is_limited ? std::uint64_t{64} << 20 : kUnlimited}},
                    machine());
    Server server(runtime, policy);
    Behaviour<Sender> behaviour;
    behaviour.bind_parallel(kSend, &Sender::send);
    std::vector<ActorRef> refs;
    std::vector<Sender*> all;
    const double share = load * static_cast<double>(kFrameNs) / static_cast<double>(kServiceNs) /
                         static_cast<double>(kSenders);
    for (std::uint64_t number = 0; number < kSenders; ++number)
        // Each sends its share at a moment of its own.
        refs.push_back(
            runtime.spawn_actor(behaviour, {.worker = static_cast<int>(number % 2)},
                                Sender{server.actor(), share,
                                       static_cast<double>(number) / static_cast<double>(kSenders)},
                                [&all](Actor& self) { all.push_back(&self.state<Sender>()); }));
    Window result;
    measure::Span span{measure::ticks(), 0, sched_getcpu()};
    const std::int64_t start_ns = now_ns();
    for (std::int64_t frame = 0; frame * kFrameNs < kWindowNs; ++frame) {
        const std::int64_t meant_ns = start_ns + frame * kFrameNs;
        while (now_ns() < meant_ns) {
        }
        for (const ActorRef sender : refs)
            sender.send(kSend, meant_ns);
        runtime.step();
        server.look(meant_ns - start_ns);
    }
    span.end = measure::ticks();
    result.spans = {span};
    server.look(kWindowNs);
    server.finish(result, [&] {
        Totals sum;
        for (const Sender* const sender : all) {
            sum.sent += sender->done.sent;
            sum.refused += sender->done.refused;
        }
        return sum;
    });
    return result;
}

} // namespace takt::bench::overload
