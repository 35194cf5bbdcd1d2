// SPDX-License-Identifier: MIT
// A thread outside against one actor on one worker.
#include "overload/config.hpp"

#include <atomic>
#include <thread>

#include <sched.h>

namespace takt::bench::overload {
namespace {

struct Sent : Totals {
    measure::Span span;
};

// Whether the server keeps up or not.
Sent send_at(double rate, MailProducer& producer, ActorRef to, int cpu) {
    const ScopedPin pin(cpu);
    Sent done;
    const double period_ns = 1e9 / rate;
    done.span = {measure::ticks(), 0, sched_getcpu()};
    const std::int64_t start_ns = now_ns();
    for (std::int64_t now = start_ns; now < start_ns + kWindowNs; now = now_ns())
        for (;; ++done.sent) {
            const std::int64_t due_ns =
                start_ns + static_cast<std::int64_t>(static_cast<double>(done.sent) * period_ns);
            if (due_ns > now)
                break;
            done.refused += producer.send(to, kWork, due_ns) != SendResult::ok;
        }
    done.span.end = measure::ticks();
    return done;
}

} // namespace

Window client(const Policy& policy, double load) {
    const Plan plan = plan_for(2); // the server's worker has the first one's CPU
    const bool is_limited = policy.limit.max != kUnboundedBytes;
    Runtime runtime({.workers = {.count = 1},
                     .wait = {.spin_ns = kNever},
                     .frame = {.phase_messages = 1'000},
                     .mail = {.worker_bytes = kUnlimited,
                              .outside_bytes = is_limited ? std::uint64_t{1} << 20 : kUnlimited}},
                    machine());
    Server server(runtime, policy);
    Window result;
    Sent sent;
    MailProducer producer = runtime.producer();
    std::atomic<bool> is_done{false};
    std::thread thread([&] {
        sent = send_at(load * 1e9 / static_cast<double>(kServiceNs), producer, server.actor(),
                       plan.workers[1].cpu);
        is_done.store(true, std::memory_order_release); // edge done, release side
    });
    const ScopedPin pin(plan.workers[0].cpu);
    const std::int64_t start_ns = now_ns();
    while (!is_done.load(std::memory_order_acquire)) { // edge done, acquire side
        runtime.step();
        server.look(now_ns() - start_ns);
    }
    thread.join();
    server.look(kWindowNs);
    result.spans = {sent.span};
    server.finish(result, [&] { return sent; });
    return result;
}

} // namespace takt::bench::overload
