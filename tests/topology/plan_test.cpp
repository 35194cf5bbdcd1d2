// SPDX-License-Identifier: MIT
#include "takt/topology.hpp"

#include "topology/expect_error.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>
#include <set>
#include <sstream>

namespace takt {
namespace {

using test::expect_error;

/// A described machine that does not depend on the one that the test runs on.
Machine described(const std::string& description) {
    Machine machine = discover_machine({.synthetic = description});
    machine.limits = {};
    return machine;
}

Machine with_quota(Machine machine, double cpus) {
    machine.limits.cpus = cpus;
    machine.limits.source = "/cg/cpu.max";
    return machine;
}

std::vector<int> cpus_of(const Plan& plan) {
    std::vector<int> cpus;
    for (const PlannedWorker& worker : plan.workers)
        cpus.push_back(worker.cpu);
    return cpus;
}

std::vector<int> place(const Machine& machine, Placement placement, int workers = 0) {
    return cpus_of(make_plan(machine, {.workers = workers, .placement = placement}));
}

bool notes(const Plan& plan, const std::string& words) {
    return std::any_of(plan.notes.begin(), plan.notes.end(), [&](const std::string& note) {
        return note.find(words) != std::string::npos;
    });
}

TEST(Placement, one_per_core_takes_the_first_thread_of_each_core) {
    const Machine machine = described("package:2 l3:1 core:2 pu:2");
    EXPECT_EQ(place(machine, Placement::one_per_core), (std::vector{0, 2, 4, 6}));
}

TEST(Placement, one_per_core_takes_faster_kinds_of_cores_first) {
    Machine machine = described("l3:1 core:6 pu:1");
    for (Cpu& cpu : machine.cpus)
        cpu.efficiency = cpu.os_index >= 4 ? 1 : 0;
    EXPECT_EQ(place(machine, Placement::one_per_core), (std::vector{4, 5, 0, 1, 2, 3}));
    EXPECT_EQ(place(machine, Placement::one_per_core, 2), (std::vector{4, 5}));
}

TEST(Placement, one_per_pu_takes_all_first_threads_before_second_ones) {
    const Machine machine = described("l3:1 core:3 pu:2");
    EXPECT_EQ(place(machine, Placement::one_per_pu), (std::vector{0, 2, 4, 1, 3, 5}));
}

TEST(Placement, compact_takes_the_threads_of_a_core_together) {
    const Machine machine = described("package:2 l3:1 core:2 pu:2");
    EXPECT_EQ(place(machine, Placement::compact), (std::vector{0, 1, 2, 3}));
}

TEST(Placement, spread_alternates_packages_then_nodes_then_caches_then_cores_then_threads) {
    const Machine machine = described("package:2 numa:2 l3:2 core:2 pu:2");
    EXPECT_EQ(place(machine, Placement::spread),
              (std::vector{0, 16, 8, 24, 4, 20, 12, 28, 2, 18, 10, 26, 6, 22, 14, 30}));
    EXPECT_EQ(place(machine, Placement::spread, 17).back(), 1) << "a second thread comes last";
}

TEST(Placement, P2_uses_second_threads_before_it_shares_a_cpu) {
    const Plan plan = make_plan(described("l3:1 core:2 pu:2"), {.workers = 3});
    EXPECT_EQ(cpus_of(plan), (std::vector{0, 2, 1}));
    EXPECT_EQ(plan.workers[2].why, "second thread of core 0");
    EXPECT_FALSE(plan.oversubscribed);
}

TEST(Placement, takes_the_first_allowed_thread_of_a_core_whose_first_one_is_forbidden) {
    Machine machine = described("l3:1 core:3 pu:2");
    machine.allowed = {1, 4, 5};
    const Plan plan = make_plan(machine);
    EXPECT_EQ(cpus_of(plan), (std::vector{1, 4}));
    EXPECT_EQ(plan.workers[0].why, "second thread of core 0");
    EXPECT_EQ(plan.workers[1].why, "first thread of core 2");
}

TEST(Placement, P3_keeps_the_workers_of_a_cache_together) {
    const Machine machine = described("package:2 numa:4 l3:4 core:8 pu:1");
    for (const Placement placement : {Placement::one_per_core, Placement::compact}) {
        const Plan plan = make_plan(machine, {.placement = placement});
        ASSERT_EQ(plan.workers.size(), 256U);
        std::set<int> caches;
        int last = -1;
        for (const PlannedWorker& worker : plan.workers) {
            if (worker.llc != last) {
                EXPECT_TRUE(caches.insert(worker.llc).second) << "cache " << worker.llc;
            }
            last = worker.llc;
        }
        EXPECT_EQ(caches.size(), 32U);
    }
}

class EveryPlacement : public testing::TestWithParam<Placement> {};

TEST_P(EveryPlacement, P1_P2_gives_distinct_allowed_cpus_for_any_count_and_numbers_workers_from_0) {
    for (const char* shape :
         {"core:1 pu:1", "l3:3 core:5 pu:2", "package:2 numa:4 l3:4 core:8 pu:2"}) {
        Machine machine = described(shape);
        machine.allowed.erase(3);
        const int available = machine.allowed.count();
        for (const int workers : {0, 1, std::min(2, available), available}) {
            const Plan plan = make_plan(machine, {.workers = workers, .placement = GetParam()});
            EXPECT_EQ(plan.cpus().count(), static_cast<int>(plan.workers.size())) << shape;
            EXPECT_TRUE((plan.cpus() - machine.allowed).empty()) << shape;
            EXPECT_FALSE(plan.oversubscribed) << shape;
            EXPECT_EQ(plan.workers.size(),
                      static_cast<std::size_t>(workers ? workers
                                                       : static_cast<int>(plan.workers.size())));
            for (std::size_t i = 0; i < plan.workers.size(); ++i)
                EXPECT_EQ(plan.workers[i].worker, static_cast<int>(i));
        }
    }
}

TEST_P(EveryPlacement, depends_on_nothing_but_its_arguments) {
    const Machine machine = described("package:2 l3:2 core:4 pu:2");
    const PlanConfig config{.workers = 11, .placement = GetParam(), .exclude = "5"};
    EXPECT_EQ(cpus_of(make_plan(machine, config)), cpus_of(make_plan(machine, config)));
}

INSTANTIATE_TEST_SUITE_P(all, EveryPlacement,
                         testing::Values(Placement::one_per_core, Placement::one_per_pu,
                                         Placement::compact, Placement::spread),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

TEST(Plan, of_more_workers_than_cpus_shares_them_in_turn_and_says_so) {
    const Plan plan = make_plan(described("core:2 pu:1"), {.workers = 5});
    EXPECT_EQ(cpus_of(plan), (std::vector{0, 1, 0, 1, 0}));
    EXPECT_TRUE(plan.oversubscribed);
    EXPECT_EQ(plan.allowed_cpus, 2);
    EXPECT_EQ(plan.workers[0].why, "shares CPU 0: 5 workers on 2 CPUs");
    EXPECT_TRUE(notes(plan, "oversubscribed: 5 workers on 2 CPUs"));
}

TEST(Plan, names_sharing_only_where_a_cpu_is_shared) {
    const Plan plan = make_plan(described("core:3 pu:1"), {.workers = 4});
    EXPECT_EQ(plan.workers[0].why, "shares CPU 0: 4 workers on 3 CPUs");
    EXPECT_EQ(plan.workers[1].why, "first thread of core 1");
    EXPECT_EQ(plan.workers[3].why, "shares CPU 0: 4 workers on 3 CPUs");
}

TEST(Plan, one_worker_is_a_plan) {
    const Plan plan = make_plan(described("core:1 pu:1"));
    EXPECT_EQ(cpus_of(plan), std::vector{0});
    EXPECT_FALSE(plan.oversubscribed);
}

TEST(Plan, makes_no_more_workers_than_the_quota_keeps_running) {
    const Machine machine = described("core:8 pu:1");
    const Plan capped = make_plan(with_quota(machine, 2.5));
    EXPECT_EQ(cpus_of(capped), (std::vector{0, 1}));
    EXPECT_FALSE(capped.oversubscribed);
    EXPECT_TRUE(notes(capped, "2 workers instead of 8: a CPU quota of 2.5, set by /cg/cpu.max"));
    EXPECT_EQ(make_plan(with_quota(machine, 0.1)).workers.size(), 1U);
    EXPECT_EQ(make_plan(with_quota(machine, 8)).workers.size(), 8U);
    EXPECT_TRUE(make_plan(with_quota(machine, 100)).notes.size() == 1) << "only: not pinned";
}

TEST(Plan, honours_a_count_above_the_quota_and_says_so) {
    const Plan plan = make_plan(with_quota(described("core:8 pu:1"), 2), {.workers = 4});
    EXPECT_EQ(plan.workers.size(), 4U);
    EXPECT_TRUE(plan.oversubscribed);
    EXPECT_TRUE(notes(plan, "4 workers on a CPU quota of 2"));
}

TEST(Plan, honours_a_list_above_the_quota_and_says_so) {
    const Plan plan = make_plan(with_quota(described("core:8 pu:1"), 2), {.cpus = "0-3"});
    EXPECT_EQ(plan.workers.size(), 4U);
    EXPECT_TRUE(plan.oversubscribed);
}

TEST(Plan, of_another_machine_is_oversubscribed_where_this_process_has_fewer_cpus) {
    Machine machine = described("core:8 pu:1");
    machine.limits.affinity = {0, 1};
    const Plan plan = make_plan(machine);
    EXPECT_EQ(plan.workers.size(), 8U);
    EXPECT_EQ(plan.allowed_cpus, 2);
    EXPECT_TRUE(plan.oversubscribed);
    EXPECT_TRUE(notes(plan, "2 CPUs of this process"));
}

TEST(Plan, follows_a_list_in_the_order_given) {
    const Plan plan = make_plan(described("package:2 core:4 pu:1"), {.cpus = "7,2-3"});
    EXPECT_EQ(cpus_of(plan), (std::vector{7, 2, 3}));
    EXPECT_EQ(plan.workers[0].why, "listed in workers.cpus");
    EXPECT_EQ(plan.workers[0].package, 1);
    EXPECT_EQ(plan.allowed_cpus, 3);
    EXPECT_EQ(make_plan(described("core:4 pu:1"), {.workers = 2, .cpus = "0,3"}).workers.size(),
              2U);
}

TEST(Plan, refuses_a_list_that_contradicts_the_count_the_machine_the_mask_or_the_exclusions) {
    Machine machine = described("core:4 pu:1");
    machine.allowed.erase(3);
    const auto refused = [&](const PlanConfig& config, const char* said) {
        expect_error([&] { make_plan(machine, config); }, "workers.cpus", config.cpus, said);
    };
    refused({.workers = 3, .cpus = "0-1"}, "lists 2 CPUs and workers.count is 3");
    refused({.cpus = "0,9"}, "the machine has no CPU 9");
    refused({.cpus = "0-3"}, "CPU 3 is outside this process's affinity mask");
    refused({.cpus = "0-3"}, "Choose from 0-2");
    refused({.cpus = "0,1", .exclude = "1-2"}, "CPU 1 is also in workers.exclude");
    refused({.cpus = "0,x"}, "neither");
}

TEST(Plan, leaves_excluded_cpus_alone) {
    const Machine machine = described("l3:1 core:2 pu:2");
    EXPECT_EQ(cpus_of(make_plan(machine, {.exclude = "0"})), (std::vector{1, 2}));
    EXPECT_EQ(cpus_of(make_plan(machine, {.exclude = "0-1"})), (std::vector{2}));
    EXPECT_TRUE(notes(make_plan(machine, {.exclude = "0,77"}), "CPU 77"));
    expect_error([&] { make_plan(machine, {.exclude = "0-3"}); }, "workers.exclude", "0-3",
                 "Leave at least one of 0-3");
    expect_error([&] { make_plan(machine, {.exclude = "3-0"}); }, "workers.exclude", "3-0",
                 "reversed");
}

TEST(Plan, avoids_booked_cpus_and_refuses_to_list_them) {
    const Machine machine = described("core:4 pu:1");
    const Plan plan = make_plan(machine, {}, {0, 1});
    EXPECT_EQ(cpus_of(plan), (std::vector{2, 3}));
    EXPECT_TRUE(notes(plan, "CPUs 0-1 are left to another runtime"));
    expect_error(
        [&] {
            make_plan(machine, {.cpus = "1-2"}, {0, 1});
        },
        "workers.cpus", "1-2", "CPU 1 is already booked");
    expect_error(
        [&] {
            make_plan(machine, {}, {0, 1, 2, 3});
        },
        "workers.count", "automatic", "booked every allowed CPU");
}

TEST(Plan, refuses_counts_that_no_machine_has) {
    const Machine machine = described("core:4 pu:1");
    for (const int count :
         {-1, kWorkersMax + 1, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()})
        expect_error([&] { make_plan(machine, {.workers = count}); }, "workers.count",
                     std::to_string(count), "1 to 4096 workers");
    EXPECT_EQ(make_plan(machine, {.workers = kWorkersMax}).workers.size(), 4096U);
}

TEST(Plan, refuses_a_machine_without_allowed_cpus) {
    expect_error([] { make_plan(Machine{}); }, "topology", "flat", "no allowed CPU");
}

TEST(Plan, T2_pins_only_where_that_is_wanted_and_possible) {
    Machine machine = described("core:2 pu:1");
    EXPECT_FALSE(make_plan(machine).pin);
    EXPECT_TRUE(notes(make_plan(machine), "will not be pinned: the machine is synthetic"));
    machine.bindable = true;
    EXPECT_TRUE(make_plan(machine).pin);
    EXPECT_TRUE(make_plan(machine).notes.empty());
    EXPECT_FALSE(make_plan(machine, {.pin = false}).pin);
    EXPECT_TRUE(make_plan(machine, {.pin = false}).notes.empty());
}

TEST(Plan, of_this_machine_can_be_booked_and_stays_inside_the_mask) {
    const Machine machine = discover_machine();
    const Plan plan = make_plan(machine, {}, Booking::current());
    EXPECT_TRUE((plan.cpus() - machine.limits.affinity).empty());
    const Booking booking = Booking::take(plan.cpus());
    EXPECT_EQ(Booking::current() & plan.cpus(), plan.cpus());
}

TEST(Plan, prints_a_line_per_worker_with_its_reason) {
    std::ostringstream out;
    make_plan(described("core:2 pu:2"), {.workers = 3}).print(out);
    EXPECT_NE(out.str().find("plan: 3 workers on 3 CPUs, not pinned\n"), std::string::npos)
        << out.str();
    EXPECT_NE(out.str().find("  worker 2: CPU 1, core 0, cache 0, NUMA node 0, package 0 "
                             "(second thread of core 0)\n"),
              std::string::npos)
        << out.str();
}

} // namespace
} // namespace takt
