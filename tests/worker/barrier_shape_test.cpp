// SPDX-License-Identifier: MIT
#include "takt/worker.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using takt::BarrierShape;
using takt::make_barrier_shape;
using takt::PlannedWorker;

// `packages` x `llcs` cache groups x `cores` workers, indices dense over the machine.
std::vector<PlannedWorker> workers_of(int packages, int llcs, int cores) {
    std::vector<PlannedWorker> workers;
    for (int package = 0; package < packages; ++package)
        for (int llc = 0; llc < llcs; ++llc)
            for (int core = 0; core < cores; ++core) {
                PlannedWorker worker;
                worker.worker = worker.cpu = worker.core = static_cast<int>(workers.size());
                worker.llc = package * llcs + llc;
                worker.numa = worker.package = package;
                workers.push_back(worker);
            }
    return workers;
}

// Every worker but the root has one parent, of a smaller index (S1).
void expect_tree(const BarrierShape& shape) {
    std::vector<int> parents(static_cast<std::size_t>(shape.workers()), 0);
    for (int parent = 0; parent < shape.workers(); ++parent) {
        const auto& children = shape.children[static_cast<std::size_t>(parent)];
        EXPECT_TRUE(std::is_sorted(children.begin(), children.end()));
        for (const int child : children) {
            EXPECT_LT(parent, child);
            ++parents[static_cast<std::size_t>(child)];
        }
    }
    EXPECT_EQ(parents[0], 0);
    for (int worker = 1; worker < shape.workers(); ++worker)
        EXPECT_EQ(parents[static_cast<std::size_t>(worker)], 1) << "worker " << worker;
}

TEST(BarrierShape, of_one_worker_is_a_root_without_children) {
    const BarrierShape shape = make_barrier_shape(workers_of(1, 1, 1));
    expect_tree(shape);
    EXPECT_EQ(shape.groups(), 1);
    EXPECT_EQ(shape.depth(), 0);
}

TEST(BarrierShape, of_one_small_cache_group_is_flat) {
    const BarrierShape shape = make_barrier_shape(workers_of(1, 1, 4));
    expect_tree(shape);
    EXPECT_EQ(shape.groups(), 1);
    EXPECT_EQ(shape.depth(), 1);
    EXPECT_EQ(shape.children[0], (std::vector<int>{1, 2, 3}));
}

TEST(BarrierShape, gathers_a_cache_group_before_it_crosses_to_the_next) {
    const BarrierShape shape = make_barrier_shape(workers_of(1, 2, 4));
    expect_tree(shape);
    EXPECT_EQ(shape.groups(), 2);
    EXPECT_EQ(shape.group, (std::vector<int>{0, 0, 0, 0, 1, 1, 1, 1}));
    EXPECT_EQ(shape.first, (std::vector<int>{0, 4}));
    EXPECT_EQ(shape.children[0], (std::vector<int>{1, 2, 3, 4}));
    EXPECT_EQ(shape.children[4], (std::vector<int>{5, 6, 7}));
}

TEST(BarrierShape, of_two_sockets_with_128_cores_stays_shallow_and_narrow) {
    for (const auto& workers :
         {workers_of(2, 16, 8), workers_of(2, 4, 32), workers_of(2, 1, 128)}) {
        const BarrierShape shape = make_barrier_shape(workers);
        ASSERT_EQ(shape.workers(), 256);
        expect_tree(shape);
        EXPECT_LE(shape.depth(), 6);
        for (const auto& children : shape.children)
            EXPECT_LE(children.size(), 6 * takt::kBarrierFanIn);
        for (std::size_t worker = 0; worker < workers.size(); ++worker) {
            const auto first = static_cast<std::size_t>(
                shape.first[static_cast<std::size_t>(shape.group[worker])]);
            EXPECT_EQ(workers[worker].llc, workers[first].llc) << "S2: a group shares a cache";
        }
    }
}

TEST(BarrierShape, holds_for_workers_that_are_spread_over_the_caches) {
    auto workers = workers_of(2, 2, 3);
    for (std::size_t worker = 0; worker < workers.size(); ++worker) {
        workers[worker].package = workers[worker].numa = static_cast<int>(worker % 2);
        workers[worker].llc = static_cast<int>(worker % 4);
    }
    for (std::size_t fan_in = 2; fan_in < 6; ++fan_in)
        expect_tree(make_barrier_shape(workers, fan_in));
}

TEST(BarrierShape, with_fan_in_two_is_a_binary_tree) {
    const BarrierShape shape = make_barrier_shape(workers_of(1, 1, 8), 2);
    expect_tree(shape);
    EXPECT_EQ(shape.depth(), 3);
    EXPECT_EQ(shape.children[0], (std::vector<int>{1, 2, 4}));
}

} // namespace
