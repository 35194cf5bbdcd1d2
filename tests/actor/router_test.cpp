// SPDX-License-Identifier: MIT
// One dispatcher and a few servers, in virtual time: the queues that selectors make, and two
// failures that others have had. What failed there fails here too, beside takt's selector, so the
// bounds are known to be able to break. The simulation is bench router_skew's.
#include "router_skew/simulation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace takt::bench::router_skew;
using takt::LeastBusy;
using takt::LeastBusyConfig;
using takt::RoundRobin;
using takt::Sticky;
using takt::Target;

// The least of the counters, the first of equal ones.
struct FirstLeast {
    template <takt::LoadView L>
    takt::Selection select(const L& loads) const noexcept {
        Target least = 0;
        for (Target target = 1; target < loads.size(); ++target)
            if (loads.peek(target) < loads.peek(least))
                least = target;
        return least;
    }
};

// Sees the loads of the last frame barrier and what it has placed since.
LeastBusy from_snapshot() {
    return LeastBusy({.exact_up_to = 0, .picks_per_refresh = LeastBusyConfig::kOnRequest});
}

std::vector<double> shares(const Outcome& outcome) {
    std::vector<double> all;
    for (const std::uint64_t jobs : outcome.given)
        all.push_back(static_cast<double>(jobs) / static_cast<double>(outcome.latency.size()));
    return all;
}

Outcome right(Outcome outcome) {
    EXPECT_EQ(outcome.wrong, "");
    return outcome;
}

void print(const char* who, const Outcome& outcome) {
    std::cout << who << ": share max/mean " << outcome.share_max << ", shares";
    for (const double share : shares(outcome))
        std::cout << " " << share;
    std::cout << "\n";
}

Workload shortened(Workload work) {
    work.jobs = 200'000;
    return work;
}

// --- the simulation ------------------------------------------------------------------------------

TEST(Simulation, of_servers_chosen_by_a_random_key_waits_as_pollaczek_and_khinchine_say) {
    // Poisson's arrivals, split at random, are Poisson's again: each server by itself is an M/G/1
    // queue, whose mean wait is utilisation / (1 - utilisation) * (1 + squared variation) / 2.
    const double tail_squared = (0.95 + 0.05 * 10'000) / (5.95 * 5.95);
    const std::pair<Cost, double> waits[] = {{Cost::equal, 7.0 / 6},
                                             {Cost::exponential, 7.0 / 3},
                                             {Cost::heavy_tail, 7.0 / 6 * tail_squared}};
    for (const auto& [cost, wait] : waits) {
        const Outcome outcome = right(simulate({.jobs = 400'000, .cost = cost}, Sticky(0)));
        EXPECT_NEAR(outcome.mean_latency() - 1, wait, 0.05 * wait);
    }
}

TEST(Simulation, repeats_itself_with_the_same_seed_and_does_not_with_another) {
    Workload work = shortened(heavy_tail());
    const std::uint64_t first = right(simulate(work, LeastBusy())).fingerprint;
    EXPECT_EQ(simulate(work, LeastBusy()).fingerprint, first);
    EXPECT_NE(simulate(work, RoundRobin()).fingerprint, first);
    work.seed = 2;
    EXPECT_NE(simulate(work, LeastBusy()).fingerprint, first);
}

TEST(Simulation, refuses_a_router_that_leaves_loads_behind) {
    const Workload work = shortened(equal());
    Router<LeastBusy> router(work.servers);
    router.dispatched(3);
    EXPECT_NE(Simulation(work, router).run().wrong, "");
}

// --- the bars of bench router_skew ---------------------------------------------------------------

TEST(RouterSkew, least_busy_keeps_equal_servers_with_equal_jobs_within_one_job) {
    for (const Outcome& outcome : {right(simulate(shortened(equal()), LeastBusy())),
                                   right(simulate(shortened(equal()), from_snapshot()))}) {
        EXPECT_EQ(outcome.imbalance, 1u);
        EXPECT_EQ(outcome.spread, 1u);
        EXPECT_LE(outcome.share_max, 1.001);
    }
    EXPECT_GT(simulate(shortened(equal()), takt::TwoChoices()).imbalance, 1u)
        << "this bound cannot fail, so it proves nothing";
}

TEST(RouterSkew, least_busy_never_chooses_a_server_above_the_least_loaded_one) {
    for (const Workload& work : {slow_server(), heavy_tail()})
        EXPECT_EQ(right(simulate(shortened(work), LeastBusy())).imbalance, 1u);
}

TEST(RouterSkew,
     least_busy_has_at_most_half_the_p99_latency_of_round_robin_where_servers_or_jobs_differ) {
    for (const Workload& work : {shortened(slow_server()), shortened(heavy_tail())}) {
        const double turns = right(simulate(work, RoundRobin())).latency_at(0.99);
        EXPECT_LE(right(simulate(work, LeastBusy())).latency_at(0.99), 0.5 * turns);
        EXPECT_LE(right(simulate(work, from_snapshot())).latency_at(0.99), 0.5 * turns);
    }
}

// --- failures that others have had ---------------------------------------------------------------

// Seastar's conntrack, 4 shards and short connections: shard 0 accepts, and counts its own closed
// connections at once, but those of the others when their message has come through. Seen there:
// 0.361, 0.216, 0.205, 0.218 of 400,000 (github.com/scylladb/seastar, issue 3514).
Workload connections() {
    return {.servers = 4, .jobs = 400'000, .utilisation = 0.65, .cost = Cost::exponential};
}
constexpr double kLate = 3; // mean connections

TEST(KnownFailures,
     late_decrements_with_ties_to_the_lowest_index_gave_one_shard_1_44_of_its_share) {
    Workload remote_late = connections();
    remote_late.report_late = {0, kLate, kLate, kLate};
    const Outcome failed = right(simulate(remote_late, FirstLeast()));
    const Outcome ties = right(simulate(connections(), FirstLeast()));
    const Outcome lateness = right(simulate(remote_late, LeastBusy()));
    print("both, as it was", failed);
    print("ties alone     ", ties);
    print("lateness alone ", lateness);
    EXPECT_NEAR(failed.share_max, 1.44, 0.05) << "the model is not what failed";
    EXPECT_EQ(failed.given[0], *std::max_element(failed.given.begin(), failed.given.end()));
    EXPECT_GT(ties.share_max, 1.1) << "turns cure nothing, so they prove nothing";
    EXPECT_GT(lateness.share_max, 1.1) << "prompt decrements cure nothing, so they prove nothing";

    // takt: who handles the task takes it from the load itself, whoever dispatched it.
    const Outcome exact = right(simulate(connections(), LeastBusy()));
    const Outcome packed = right(simulate(connections(), from_snapshot()));
    print("takt           ", exact);
    print("takt, snapshot ", packed);
    EXPECT_LE(exact.share_max, 1.02);
    EXPECT_LE(packed.share_max, 1.02);
}

TEST(KnownFailures, decrements_that_are_late_for_all_alike_leave_shares_equal) {
    Workload all_late = connections();
    all_late.report_late.assign(all_late.servers, kLate);
    EXPECT_LE(right(simulate(all_late, LeastBusy())).share_max, 1.02);
    EXPECT_LE(right(simulate(all_late, from_snapshot())).share_max, 1.02);
}

// Akka.NET's SmallestMailboxPool of 10, flooded with a million messages that are handled a little
// faster than they are sent: a message that is being handled has left its mailbox, so one routee
// looks idle nearly always. Seen there: 0.707, 0.264, 0.024, 0.002, ... (github.com/akkadotnet/
// akka.net, issue 2996).
TEST(KnownFailures, a_smallest_mailbox_router_gave_one_of_ten_70_percent_of_the_jobs) {
    const Workload flood{.jobs = 400'000, .utilisation = 0.11};
    const Outcome failed = right(simulate(flood, FirstLeast(), Counts::waiting));
    const Outcome ties = right(simulate(flood, FirstLeast()));
    const Outcome exact = right(simulate(flood, LeastBusy()));
    const Outcome packed = right(simulate(flood, from_snapshot()));
    print("smallest mailbox, as it was", failed);
    print("with what is handled       ", ties);
    print("takt                       ", exact);
    print("takt, snapshot             ", packed);
    EXPECT_NEAR(shares(failed)[0], 0.707, 0.03) << "the model is not what failed";
    EXPECT_NEAR(shares(failed)[1], 0.264, 0.03);
    EXPECT_GT(ties.share_max, 2) << "turns cure nothing, so they prove nothing";
    EXPECT_LE(exact.share_max, 1.02);
    EXPECT_LE(packed.share_max, 1.02);
}

// The original: sorts by a counter that only the handler writes, so that all tasks of one
// resumption see the same one.
TEST(KnownFailures, the_original_sent_everything_dispatched_in_one_go_to_one_actor) {
    Router<FirstLeast> original(16, {}, Counts::begun);
    Router<LeastBusy> takt(16);
    std::vector<std::uint64_t> originals(16, 0);
    std::vector<std::uint64_t> takts(16, 0);
    for (std::uint64_t dispatch = 0; dispatch < 10'000; ++dispatch) {
        const Target first = original.choose(dispatch);
        original.dispatched(first);
        ++originals[first];
        const Target least = takt.choose(dispatch);
        takt.dispatched(least);
        ++takts[least];
    }
    EXPECT_EQ(originals[0], 10'000u);
    EXPECT_EQ(takts, std::vector<std::uint64_t>(16, 625));
}

} // namespace
