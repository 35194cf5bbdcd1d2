// SPDX-License-Identifier: MIT
// actor_count/takt/<actors>: the same uneven work, shared out to few or to many actors.
//
//   jobs      0 .................................................. 4095
//   cost      1 1 1 1 1 20 20 20 20 20 20 1 1 1 1 1 1 1 1 1 1 1 1 1 1     a busy region, as maps have
//   4 actors  [     0     ][      1      ][      2     ][      3     ]
//   64        [0][1][2] ..                                       [63]     neighbours on other workers
//
// One operation = one frame: each actor gets one message with its stretch of jobs. balance: the
// busiest worker's share of the work by a fair share, 1 at best. The results are summed up and
// compared with those of a plain loop.
#include "support/window.hpp"
#include "takt/takt.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <sched.h>

namespace takt::bench::actor_count {
namespace {

constexpr Topic<std::uint32_t, std::uint32_t> kStretch{"Stretch"}; // from, to
constexpr std::uint32_t kJobs = 4'096;
constexpr int kFrames = 30;
constexpr int kWindows = 5;
constexpr int kWorkers = 2;

std::uint32_t cost_of(std::uint32_t job) {
    return job >= 700 && job < 1'200 ? 20 : 1;
}

std::uint64_t work(std::uint32_t job) {
    std::uint64_t value = job;
    for (std::uint32_t step = 0; step < 50 * cost_of(job); ++step)
        value = value * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
    return value;
}

std::uint64_t expected_sum() {
    std::uint64_t sum = 0;
    for (std::uint32_t job = 0; job < kJobs; ++job)
        sum += work(job);
    return sum;
}

struct Share {
    std::uint64_t sum = 0;
    std::uint64_t cost = 0;
};

Window window(std::uint32_t actors) {
    static const std::uint64_t expected = expected_sum();
    Runtime runtime({.workers = {.count = kWorkers, .pin_caller = true}}, machine());
    PerWorker<Share> shares(runtime);
    std::vector<ActorRef> refs;
    for (std::uint32_t actor = 0; actor < actors; ++actor)
        refs.push_back(runtime.spawn_actor({}, [&shares](Actor& self) {
            self.bind_parallel(kStretch, [&shares](std::uint32_t from, std::uint32_t to) {
                Share& share = shares.local();
                for (std::uint32_t job = from; job < to; ++job) {
                    share.sum += work(job);
                    share.cost += cost_of(job);
                }
            });
        }));
    Window result;
    measure::Span span{measure::ticks(), 0, sched_getcpu()};
    for (int frame = 0; frame < kFrames; ++frame) {
        const std::uint64_t begin = measure::ticks();
        for (std::uint32_t actor = 0; actor < actors; ++actor)
            refs[actor].send(kStretch, kJobs / actors * actor, kJobs / actors * (actor + 1));
        runtime.step();
        result.samples.add(static_cast<double>(measure::ticks() - begin) * measure::ns_per_tick());
    }
    span.end = measure::ticks();
    result.spans = {span};
    result.ns_per_operation = result.samples.percentile(0.5);
    Share whole;
    std::uint64_t most = 0;
    for (const Share& share : shares) {
        whole.sum += share.sum;
        whole.cost += share.cost;
        most = std::max(most, share.cost);
    }
    result.wrong = whole.sum != expected * kFrames;
    result.counters["balance"] =
        static_cast<double>(most) * kWorkers / static_cast<double>(whole.cost);
    return result;
}

} // namespace
} // namespace takt::bench::actor_count

int main(int argc, char** argv) {
    takt::bench::Field field(takt::bench::actor_count::kWindows);
    for (const std::uint32_t actors : {4u, 64u, 1'024u})
        field.add("actor_count/takt/" + std::to_string(actors), [actors] {
            return [actors] { return takt::bench::actor_count::window(actors); };
        });
    return takt::bench::run(argc, argv);
}
