// SPDX-License-Identifier: MIT
#include "actor_ping_pong/config.hpp"

#include <caf/all.hpp>

#include <sched.h>

namespace takt::bench::actor_ping_pong {
namespace {

// CAF's scheduler takes as many threads as there are places. With two of them it may still run both
// actors on one: a message to an idle actor runs where it was sent, unless another thread steals it.
Window window(std::size_t threads, std::uint64_t messages, bool per_round_trip) {
    Window result;
    result.samples.reserve(messages);
    std::uint64_t handled = 0; // by the first actor; read after all are done
    measure::Span span;
    caf::actor_system_config config;
    config.set("caf.scheduler.max-threads", threads);
    {
        caf::actor_system system(config);
        const auto second = system.spawn([](caf::event_based_actor*) -> caf::behavior {
            return {[](std::uint64_t left) { return left - 1; }};
        });
        system.spawn([&, second](caf::event_based_actor* self) -> caf::behavior {
            span = {measure::ticks(), 0, sched_getcpu()};
            std::uint64_t last = span.begin;
            self->send(second, messages - 1);
            return {[&, self, second, last](std::uint64_t left) mutable {
                const std::uint64_t now = measure::ticks();
                result.samples.add(static_cast<double>(now - last) * measure::ns_per_tick() /
                                   (per_round_trip ? 1 : 2));
                last = now;
                handled += 2;
                if (left > 1) {
                    self->send(second, left - 1);
                    return;
                }
                span.end = now;
                self->send_exit(second, caf::exit_reason::user_shutdown);
                self->quit();
            }};
        });
        system.await_all_actors_done();
    }
    result.spans = {span};
    result.ns_per_operation = result.samples.percentile(0.5);
    result.wrong = handled != messages;
    return result;
}

} // namespace

void add_caf(Field& same_worker, Field& across) {
    same_worker.add("actor_ping_pong/caf/same_worker",
                    [] { return [] { return window(1, kFrames * kMessages, false); }; });
    across.add("actor_ping_pong/caf/across",
               [] { return [] { return window(2, 2 * kRoundTrips, true); }; });
}

} // namespace takt::bench::actor_ping_pong
