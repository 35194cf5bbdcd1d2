// SPDX-License-Identifier: MIT
// The first seed's tests: loads stay even with least_busy, and visibly do not with round_robin.
#include "vmrunner/vmrunner.hpp"

#include <gtest/gtest.h>

namespace {

using example::run_vms;
using example::VmOptions;
using example::VmRun;

TEST(VmRunner, least_busy_keeps_the_loads_even_and_round_robin_does_not) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
        const VmOptions options{.workers = 1, .frames = 6000, .seed = seed};
        const VmRun even = run_vms("least_busy", options);
        const VmRun blind = run_vms("round_robin", options);
        EXPECT_EQ(even.tasks, blind.tasks);
        EXPECT_LT(even.spread, 3);
        EXPECT_GT(blind.spread, 2 * even.spread) << "seed " << seed;
        EXPECT_LT(even.balance, 1.06);
        EXPECT_GT(blind.balance, even.balance + 0.05);
    }
}

TEST(VmRunner, every_heartbeat_of_every_actor_has_its_label) {
    for (const int workers : {1, 2, 4}) {
        const VmRun run = run_vms("least_busy", {.workers = workers, .frames = 200});
        ASSERT_EQ(run.labels.size(), 4u);
        for (const auto& labels : run.labels) {
            std::uint64_t beats = 0;
            for (const auto& [label, count] : labels)
                beats += count;
            EXPECT_EQ(beats, 199u); // Init is handled in the first frame
            EXPECT_GT(labels.size(), 50u);
        }
    }
}

TEST(VmRunner, a_task_comes_every_100_ms_of_frame_time) {
    const VmRun run = run_vms("least_busy", {.workers = 1, .frames = 600}); // ten seconds
    EXPECT_GE(run.tasks, 99u);
    EXPECT_LE(run.tasks, 100u);
    EXPECT_EQ(run.over_time.size(), 12u);
}

} // namespace
