// SPDX-License-Identifier: MIT
#include "tick/config.hpp"

#include <algorithm>
#include <map>
#include <string>

#include <sched.h>

namespace takt::bench::tick {
namespace {

// Empty: the world is as it should be.
std::string what_is_wrong_with(Size size) {
    std::uint64_t expected = 0;
    for (const int workers : {1, 2, 4}) {
        World world(size, workers);
        for (int tick = 0; tick < proof_ticks(size.messages); ++tick)
            world.tick();
        if (workers == 1)
            expected = world.log_hash();
        if (world.log_hash() != expected)
            return "the log with " + std::to_string(workers) + " workers is another one";
        if (world.senders_min() < 8)
            return "a place has heard of " + std::to_string(world.senders_min()) + " senders only";
        if (size.actors >= 1'000 && world.births() == 0)
            return "nobody was born";
    }
    return {};
}

Window window(Size size) {
    const auto ticks =
        static_cast<int>(std::max(2u, 200'000 / (size.actors * (size.messages + 1))));
    Window result;
    World world(size, 2);
    world.tick(); // pools and lanes grow
    const std::uint64_t messages = world.messages();
    const std::uint64_t commits = world.commits();
    const std::int64_t serial_ns = world.serial_ns();
    const std::int64_t total_ns = world.total_ns();
    measure::Span span{measure::ticks(), 0, sched_getcpu()};
    for (int tick = 0; tick < ticks; ++tick) {
        const std::uint64_t begin = measure::ticks();
        world.tick();
        result.samples.add(static_cast<double>(measure::ticks() - begin) * measure::ns_per_tick());
    }
    span.end = measure::ticks();
    result.spans = {span};
    result.ns_per_operation = result.samples.percentile(0.5);
    const auto serial = static_cast<double>(world.serial_ns() - serial_ns);
    const auto total = static_cast<double>(world.total_ns() - total_ns);
    result.counters["ns_per_message"] =
        (total - serial) / static_cast<double>(world.messages() - messages);
    result.counters["ns_per_commit"] = serial / static_cast<double>(world.commits() - commits);
    return result;
}

void run(benchmark::State& state, Size size) {
    static std::map<std::string, std::string> verdicts; // each size is proven once
    const std::string name = std::to_string(size.actors) + "/" + std::to_string(size.messages);
    if (!verdicts.contains(name))
        verdicts[name] = what_is_wrong_with(size);
    if (!verdicts[name].empty()) {
        state.SkipWithError(verdicts[name].c_str());
        return;
    }
    std::map<std::string, double> counters;
    run_windows(state, [&] {
        Window taken = window(size);
        counters = taken.counters;
        return taken;
    });
    for (const auto& [counter, value] : counters)
        state.counters[counter] = value;
}

} // namespace
} // namespace takt::bench::tick

int main(int argc, char** argv) {
    using namespace takt::bench::tick;
    for (const std::uint32_t actors : {64u, 1'000u, 10'000u})
        for (const std::uint32_t messages : {1u, 8u, 64u})
            benchmark::RegisterBenchmark(
                ("tick/takt/" + std::to_string(actors) + "/" + std::to_string(messages)).c_str(),
                [=](benchmark::State& state) {
                    run(state, {actors, messages});
                })
                ->Iterations(kWindows)
                ->UseManualTime();
    return takt::bench::run(argc, argv);
}
