// SPDX-License-Identifier: MIT
// Dispatchers: equal shares, loads that count from the dispatch on and always fall again.
#include "runtime/expect_law.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using takt::Actor;
using takt::testing_support::expect_law;

constexpr takt::Topic<int> kJob{"Job"};

class Dispatching : public testing::TestWithParam<int> {
  protected:
    takt::Config config() const { return {.workers = {.count = GetParam()}}; }
};

TEST_P(Dispatching, ten_thousand_dispatches_over_16_idle_actors_differ_by_one_at_most) {
    takt::Runtime runtime(config());
    takt::Dispatcher jobs(runtime, {.actors = 16},
                          [](Actor& actor) { actor.bind_parallel(kJob, [](int) {}); });
    for (int job = 0; job < 10'000; ++job)
        EXPECT_EQ(jobs.dispatch(kJob, job), takt::SendResult::ok);
    std::uint64_t least = UINT64_MAX;
    std::uint64_t most = 0;
    for (takt::Target target = 0; target < jobs.size(); ++target) {
        least = std::min(least, jobs.load(target));
        most = std::max(most, jobs.load(target));
        EXPECT_EQ(jobs.load(target), jobs.actor(target).load());
    }
    EXPECT_LE(most - least, 1u);
    EXPECT_EQ(jobs.total_load(), 10'000u);
    runtime.run_until_idle();
    EXPECT_EQ(jobs.total_load(), 0u);
    EXPECT_EQ(runtime.mail().handled, 10'000u);
    expect_law(runtime);
}

TEST_P(Dispatching, the_load_falls_when_the_handler_throws_or_its_task_ends_or_is_destroyed) {
    takt::Runtime runtime(config());
    runtime.on_failure([](const takt::Failure&) {});
    takt::Dispatcher jobs(runtime, {.actors = 4}, [](Actor& actor) {
        actor.bind_parallel(kJob, [](int job) -> takt::Task<> {
            if (job % 10 == 0)
                throw std::runtime_error("ten");
            co_await takt::synchronize();
            if (job % 10 == 1)
                throw std::runtime_error("one");
            if (job % 10 == 2)
                co_await takt::wait(std::chrono::hours(1));
        });
    });
    for (int job = 0; job < 100; ++job)
        EXPECT_EQ(jobs.dispatch(kJob, job), takt::SendResult::ok);
    runtime.run_until_idle();
    EXPECT_EQ(jobs.total_load(), 10u); // those that wait
    EXPECT_EQ(runtime.mail().failed, 20u);
    expect_law(runtime, 10);
    for (takt::Target target = 0; target < jobs.size(); ++target)
        jobs.actor(target).destroy();
    runtime.step();
    EXPECT_EQ(jobs.total_load(), 0u);
    EXPECT_EQ(runtime.mail().expired, 10u);
    expect_law(runtime);
}

TEST_P(Dispatching, an_empty_dispatcher_refuses) {
    takt::Runtime runtime(config());
    takt::Dispatcher jobs(runtime, {.actors = 0}, [](Actor&) {});
    EXPECT_EQ(jobs.dispatch(kJob, 1), takt::SendResult::dead);
    EXPECT_EQ(jobs.dispatch_all(kJob, 1), 0u);
}

TEST_P(Dispatching, what_is_allocated_later_gets_work_and_all_get_what_is_for_all) {
    takt::Runtime runtime(config());
    int seen = 0;
    const auto setup = [&seen](Actor& actor) { actor.bind(kJob, [&seen](int) { ++seen; }); };
    takt::Dispatcher jobs(runtime, {.actors = 2}, setup);
    jobs.allocate(3, setup);
    EXPECT_EQ(jobs.size(), 5u);
    EXPECT_EQ(jobs.dispatch_all(kJob, 1), 5u);
    for (takt::Target target = 0; target < 5; ++target)
        EXPECT_EQ(jobs.load(target), 1u);
    runtime.run_until_idle();
    EXPECT_EQ(seen, 5);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Dispatching, the_same_key_goes_to_the_same_actor) {
    takt::Runtime runtime(config());
    takt::Dispatcher jobs(runtime, {.actors = 8},
                          [](Actor& actor) { actor.bind_parallel(kJob, [](int) {}); });
    for (int job = 0; job < 100; ++job)
        EXPECT_EQ(jobs.dispatch_by(takt::Sticky(42), kJob, job), takt::SendResult::ok);
    int busy = 0;
    for (takt::Target target = 0; target < jobs.size(); ++target)
        busy += jobs.load(target) == 100u;
    EXPECT_EQ(busy, 1);
}

TEST_P(Dispatching, an_actors_own_weight_counts) {
    takt::Runtime runtime(config());
    std::unique_ptr<takt::Busy> busy;
    takt::Dispatcher jobs(runtime, {.actors = 2}, [&](Actor& actor) {
        actor.bind(kJob, [&](int job) {
            if (job == 0)
                busy = std::make_unique<takt::Busy>();
        });
    });
    EXPECT_EQ(jobs.dispatch(kJob, 0), takt::SendResult::ok);
    runtime.run_until_idle();
    EXPECT_EQ(jobs.total_load(), 1u);
    busy = nullptr;
    EXPECT_EQ(jobs.total_load(), 0u);
}

// From inside the parallel phase, by several actors at once, with a hash of who got what.
std::vector<std::uint64_t> placements(int workers) {
    takt::Runtime runtime({.preset = takt::Preset::deterministic, .workers = {.count = workers}});
    static constexpr takt::Topic<int> begin{"Begin"};
    std::vector<std::uint64_t> log;
    takt::Dispatcher jobs(runtime, {.actors = 8}, [&log](Actor& actor) {
        actor.bind(kJob, [&log, id = actor.id()](int job) {
            log.push_back(id * 1000 + static_cast<std::uint64_t>(job));
        });
    });
    std::vector<takt::ActorRef> callers;
    for (int caller = 0; caller < 6; ++caller)
        callers.push_back(runtime.spawn_actor({}, [&jobs](Actor& actor) {
            actor.bind_parallel(begin, [&jobs](int first) {
                for (int job = first; job < first + 20; ++job)
                    jobs.dispatch(kJob, job);
            });
        }));
    for (int round = 0; round < 5; ++round) {
        for (std::size_t caller = 0; caller < callers.size(); ++caller)
            callers[caller].send(begin, static_cast<int>(caller) * 100 + round);
        runtime.run_until_idle();
    }
    expect_law(runtime);
    return log;
}

TEST(ReproducibleDispatching, in_next_round_placements_do_not_depend_on_the_number_of_workers) {
    const std::vector<std::uint64_t> with_one = placements(1);
    EXPECT_EQ(with_one.size(), 600u);
    EXPECT_EQ(placements(2), with_one);
    EXPECT_EQ(placements(4), with_one);
}

INSTANTIATE_TEST_SUITE_P(workers, Dispatching, testing::Values(1, 2, 4));

} // namespace
