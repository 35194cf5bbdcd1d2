// SPDX-License-Identifier: MIT
// Uses takt as someone who knows its public headers only.
#include "takt/takt.hpp"
#include "takt/testing.hpp"

#include <cstdio>
#include <tuple>

#if defined(HWLOC_H)
#error "hwloc.h came in through a public header"
#endif
#if defined(MOODYCAMEL_ALIGNAS)
#error "moodycamel's header came in through a public header"
#endif

namespace {

constexpr takt::Topic<int> add{"Add"};

bool an_actor_passes_its_test() {
    takt::testing::TestRuntime test;
    takt::testing::Probe probe = test.probe("probe", add);
    probe.ref().send(add, 3);
    test.run_until_idle();
    return probe.take(add) == std::tuple(3);
}

} // namespace

int main() {
    takt::Runtime runtime;
    int sum = 0;
    takt::Dispatcher adders{runtime, {.actors = 2}, [&sum](takt::Actor& actor) {
                                actor.bind(add, [&sum](int number) { sum += number; });
                            }};
    for (int number = 1; number <= 10; ++number)
        if (adders.dispatch(add, number) != takt::SendResult::ok)
            return 1;
    runtime.run_until_idle();
    if (sum != 55 || adders.total_load() != 0)
        return 1;
    if (!an_actor_passes_its_test())
        return 1;
    std::puts("a stranger uses takt");
    return 0;
}
