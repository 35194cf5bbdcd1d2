// SPDX-License-Identifier: MIT
// One pinned worker per core; all of them run the same turn, then the caller stands alone again.
#include "takt/takt.hpp"

#include <cstdint>
#include <iostream>
#include <vector>

namespace {

// Sums its share of 0 .. numbers - 1.
std::uint64_t sum_share(std::uint64_t numbers, int worker, int workers) {
    std::uint64_t sum = 0;
    for (auto number = static_cast<std::uint64_t>(worker); number < numbers;
         number += static_cast<std::uint64_t>(workers))
        sum += number;
    return sum;
}

} // namespace

int main() {
    // README-BEGIN
    const takt::Machine machine = takt::discover_machine(); // hwloc, affinity mask, CPU quota
    const takt::Plan plan = takt::make_plan(machine);       // one worker per allowed core
    plan.print(std::cout);

    takt::Workers workers(plan); // the calling thread is worker 0
    std::vector<std::uint64_t> sums(plan.workers.size());

    std::uint64_t total = 0;
    for (int frame = 0; frame < 1000; ++frame) {
        workers.run([&](int worker) { // parallel: every worker, each on its own CPU
            sums[std::size_t(worker)] = sum_share(10'000, worker, workers.count());
        });
        for (const std::uint64_t sum : sums) // serial: all are done, no lock is needed
            total += sum;
    }
    std::cout << total << "\n"; // 1000 frames x 49995000
    // README-END
    return total == 49'995'000'000 ? 0 : 1;
}
