// SPDX-License-Identifier: MIT
#include "request/config.hpp"

#include <algorithm>

#include <sched.h>

namespace takt::bench::request {
namespace {

using Make = std::unique_ptr<Server> (*)(Waits);

Window window(Make make, Waits waits, std::uint64_t rate) {
    const std::uint64_t count = std::clamp<std::uint64_t>(rate / 4, 1'000, 10'000);
    const auto period_ns = static_cast<std::int64_t>(1'000'000'000 / rate);
    // The server's worker is the first one of the plan; the client has the second one's CPU.
    const Plan plan = plan_for(2);
    const std::unique_ptr<Server> server = make(waits);
    const ScopedPin pin(plan.workers[1].cpu);
    Window result;
    result.samples.reserve(count);
    measure::Span span{measure::ticks(), 0, sched_getcpu()};
    const std::int64_t start_ns = now_ns() + 1'000'000;
    std::uint64_t asked = 0;
    for (std::uint64_t answered = 0; answered < count;) {
        const std::int64_t now = now_ns();
        while (asked < count && now >= start_ns + static_cast<std::int64_t>(asked) * period_ns)
            server->ask(asked++);
        Answer answer;
        while (server->receive(answer)) {
            result.wrong |= answer.number != answered || answer.square != answered * answered;
            result.samples.add(static_cast<double>(
                now_ns() - (start_ns + static_cast<std::int64_t>(answered) * period_ns)));
            ++answered;
        }
    }
    span.end = measure::ticks();
    result.spans = {span};
    result.ns_per_operation = result.samples.percentile(0.5);
    return result;
}

} // namespace
} // namespace takt::bench::request

int main(int argc, char** argv) {
    using namespace takt::bench::request;
    std::vector<std::unique_ptr<takt::bench::Field>> fields;
    for (const std::uint64_t rate : {1'000u, 10'000u, 100'000u}) {
        takt::bench::Field& field =
            *fields.emplace_back(std::make_unique<takt::bench::Field>(kWindows));
        const auto add = [&](const char* contender, Make make, Waits waits) {
            field.add("request/" + std::string(contender) + "/" + std::to_string(rate),
                      [=] { return [=] { return window(make, waits, rate); }; });
        };
        add("takt_spinning", make_takt, Waits::spinning);
        add("takt_parked", make_takt, Waits::parked);
        add("thread_pool_spinning", make_thread_pool, Waits::spinning);
        add("thread_pool_parked", make_thread_pool, Waits::parked);
    }
    return takt::bench::run(argc, argv);
}
