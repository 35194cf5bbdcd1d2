// SPDX-License-Identifier: MIT
#pragma once
// router_skew/<selector>/<case>: the queues that a selector makes, in virtual time.
//
//             +-> [][][] server 0    ten servers, first in, first out; one dispatching thread; jobs
//   dispatch -+-> []     server 1    arrive by Poisson's law at 70 % of what all servers can do, a
//             +-> [][]   server 9    million of them; each is dispatched, and there, as it arrives
//
//   equal         jobs and servers are equal
//   slow_server   the last server takes 10 times as long (the last: kind to who prefers the first)
//   heavy_tail    5 % of the jobs cost 100 times what the others do
//
// The row's time is the p99 of the latency, from dispatch to completion; 1 us of it is one mean
// service time of an ordinary server. All figures are exact for their seed: the n-th repetition has
// seed n, and the jobs of a seed are the same for all selectors.
//
//   p50, p99     of the latency, in mean service times
//   max_queue    the most jobs at one server, the one in service included
//   mean_queue   the same, mean over servers and time, until the last job arrives
//   share_max    the jobs of a server over its share by capacity, the largest such ratio
//   imbalance    right after a dispatch, how far the chosen server is above the least loaded one, at
//                most: 1 for who always takes a least loaded one
//   spread       how far the most loaded server is above the least loaded one then. It grows by
//                completions too, which no selector takes back: beside case equal it says little
//
// The bars: in case equal, least_busy's imbalance and spread are 1 at most; in the others its p99 is
// at most half of round_robin's.
//
// takt's selectors read a LoadBoard, +1 at dispatch, -1 at completion. `least_busy` is as dispatchers
// make it, exact for ten targets. `least_busy_snapshot` sees the loads of the last frame barrier,
// and what itself has placed since, as with next_round delivery; barriers are one mean service time
// apart, in which seven jobs come. `sort_and_pick` is VMsDispatcher, whose counter its handlers
// write: +1 when a job begins, not when it is dispatched. A job begins in the instant of its dispatch
// where the server is idle, which is kinder than the original's next resumption.
//
// Refused: a job that is not done once, a load that is left, jobs and latencies that do not add up
// (Little's law, to the tick), another load than 70 %, and a second run that differs from the first.

#include "router_skew/simulation.hpp"
#include "support/window.hpp"

#include <functional>
#include <string>

namespace takt::bench::router_skew {

inline constexpr std::uint32_t kProofJobs = 100'000;

/// Registers router_skew/<name>/<case>; `run` simulates the selector, a new one each time.
void add(const std::string& name, const std::function<Outcome(const Workload&)>& run);

} // namespace takt::bench::router_skew
