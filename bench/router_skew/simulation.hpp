// SPDX-License-Identifier: MIT
#pragma once
// Servers with a queue each, jobs that one thread deals out to them, and a clock that jumps from
// event to event: what a selector does to the queues, without threads and without a machine. Shared
// by bench router_skew and tests/actor.

#include "takt/actor.hpp"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <deque>
#include <numeric>
#include <queue>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace takt::bench::router_skew {

/// Virtual time, in whole ticks, so that sums are exact.
using Time = std::uint64_t;
/// What the mean job takes on an ordinary server.
inline constexpr Time kService = 1'000'000;

enum class Cost : std::uint8_t {
    equal,
    exponential,
    heavy_tail, // 5 % of the jobs cost 100 times what the others do
};

/// Jobs arrive by Poisson's law, whatever the queues are, and each is dispatched as it arrives. The
/// same seed gives the same jobs at the same times to everybody.
struct Workload {
    std::uint32_t servers = 10;
    std::uint32_t jobs = 1'000'000;
    double utilisation = 0.7; // of the capacity of all servers
    Cost cost = Cost::equal;
    std::uint64_t seed = 1;
    /// How many times longer a server takes than an ordinary one; 1 for those not listed.
    std::vector<double> slowness = {};
    /// How many mean service times a server's completions are reported late; 0 for those not listed.
    std::vector<double> report_late = {};
    /// The period of frame barriers, in mean service times.
    double frame = 1;
};

/// The cases of the bench. The slow server is the last one, which is kind to who prefers the first.
inline Workload equal() {
    return {};
}
inline Workload slow_server() {
    Workload work;
    work.slowness.assign(work.servers, 1);
    work.slowness.back() = 10;
    return work;
}
inline Workload heavy_tail() {
    return {.cost = Cost::heavy_tail};
}

/// What a router counts of a server's jobs. takt: dispatched ones until they are done. The original:
/// those that a handler has begun, until they are done. A mailbox: those that wait to be begun.
enum class Counts : std::uint8_t { dispatched, begun, waiting };

/// A selector and the counters that it reads.
template <Selector S>
class Router {
  public:
    explicit Router(std::uint32_t servers, S selector = S(), Counts counts = Counts::dispatched)
        : board_(servers), selector_(std::move(selector)), counts_(counts) {
        fit_selector(selector_, servers);
    }

    Target choose(std::uint64_t key) noexcept {
        if constexpr (std::same_as<S, Sticky>)
            selector_ = Sticky(key);
        return *selector_.select(board_);
    }
    void dispatched(Target server) noexcept {
        if (counts_ != Counts::begun)
            board_[server].add();
    }
    void begun(Target server) noexcept {
        if (counts_ == Counts::begun)
            board_[server].add();
        else if (counts_ == Counts::waiting)
            board_[server].remove();
    }
    void done(Target server) noexcept {
        if (counts_ != Counts::waiting)
            board_[server].remove();
    }
    void frame_barrier() noexcept { refresh_selector(selector_, board_); }
    /// 0 when all that was counted was taken back, once.
    std::uint64_t left() const noexcept { return board_.total() + board_.underflows(); }

  private:
    LoadBoard<StdPolicy> board_;
    S selector_;
    Counts counts_;
};

struct Outcome {
    std::string wrong;                // empty: all is as it must be
    std::uint64_t fingerprint = 0;    // of who did what when
    std::vector<std::uint64_t> given; // jobs, by server
    std::vector<Time> latency;        // from dispatch to completion, in order
    std::uint64_t max_queue = 0;      // jobs at one server, the one in service included
    double mean_queue = 0;            // the same, mean over servers and time, while jobs arrive
    /// Right after a dispatch, at most: how far the chosen server was above the least loaded one ...
    std::uint64_t imbalance = 0;
    /// ... and the most loaded one.
    std::uint64_t spread = 0;
    /// What a server was given over its share by capacity: that of the most overcharged one.
    double share_max = 0;

    /// In mean service times. rank in [0, 1].
    double latency_at(double rank) const {
        const auto last = static_cast<double>(latency.size() - 1);
        return static_cast<double>(latency[static_cast<std::size_t>(rank * last)]) / kService;
    }
    double mean_latency() const {
        const Time sum = std::accumulate(latency.begin(), latency.end(), Time{0});
        return static_cast<double>(sum) / kService / static_cast<double>(latency.size());
    }
};

/// What comes next of which jobs there are; the same for every router.
class Jobs {
  public:
    explicit Jobs(const Workload& workload, double capacity)
        : cost_(workload.cost), gap_(kService / (workload.utilisation * capacity)),
          random_(workload.seed) {}

    Time gap() { return static_cast<Time>(gap_ * exponential()); }
    /// In mean service times.
    double cost() {
        const double chance = uniform();
        switch (cost_) {
        case Cost::exponential:
            return -std::log1p(-chance);
        case Cost::heavy_tail:
            return (chance < 0.05 ? 100 : 1) / (0.95 + 0.05 * 100);
        default:
            return 1;
        }
    }
    std::uint64_t key() { return random_(); }

  private:
    double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
    double exponential() { return -std::log1p(-uniform()); }

    Cost cost_;
    double gap_;
    std::mt19937_64 random_;
};

template <Selector S>
class Simulation {
  public:
    Simulation(const Workload& workload, Router<S>& router)
        : workload_(workload), router_(&router), jobs_(workload, capacity()),
          servers_(workload.servers), times_done_(workload.jobs, 0) {
        outcome_.given.resize(workload.servers);
        outcome_.latency.reserve(workload.jobs);
    }

    /// Once: until the last job is done.
    Outcome run() {
        push(jobs_.gap(), Kind::arrival);
        push(frame(), Kind::barrier);
        while (!events_.empty()) {
            const Event event = events_.top();
            events_.pop();
            area_ += in_system_ * (event.at - now_);
            now_ = event.at;
            happen(event);
        }
        finish();
        return std::move(outcome_);
    }

  private:
    // Of what happens at one tick, in this order.
    enum class Kind : std::uint8_t { done, report, barrier, arrival };
    struct Event {
        Time at;
        Kind kind;
        Target server;
        friend bool operator>(const Event& a, const Event& b) {
            return std::tie(a.at, a.kind, a.server) > std::tie(b.at, b.kind, b.server);
        }
    };
    struct Job {
        std::uint32_t number;
        Time arrived;
        double cost;
    };
    using Server = std::deque<Job>; // the first one is in service

    static double listed(const std::vector<double>& values, Target server, double otherwise) {
        return server < values.size() ? values[server] : otherwise;
    }
    static Time ticks(double services) {
        return static_cast<Time>(std::llround(services * kService));
    }
    double speed(Target server) const { return 1 / listed(workload_.slowness, server, 1); }
    double capacity() const {
        double sum = 0;
        for (Target server = 0; server < workload_.servers; ++server)
            sum += speed(server);
        return sum;
    }
    Time frame() const { return ticks(workload_.frame); }
    void push(Time delay, Kind kind, Target server = 0) {
        events_.push({now_ + delay, kind, server});
    }

    void happen(const Event& event) {
        switch (event.kind) {
        case Kind::done:
            complete(event.server);
            break;
        case Kind::report:
            router_->done(event.server);
            break;
        case Kind::barrier:
            barrier();
            break;
        case Kind::arrival:
            dispatch();
            break;
        }
    }
    void barrier() {
        router_->frame_barrier();
        if (arrived_ < workload_.jobs)
            push(frame(), Kind::barrier);
    }
    void dispatch() {
        const Job job{arrived_++, now_, jobs_.cost()};
        const Target chosen = router_->choose(jobs_.key());
        offered_ += job.cost;
        ++in_system_;
        ++outcome_.given[chosen];
        router_->dispatched(chosen);
        servers_[chosen].push_back(job);
        note_queues(chosen);
        if (servers_[chosen].size() == 1)
            begin(chosen);
        if (arrived_ < workload_.jobs)
            push(jobs_.gap(), Kind::arrival);
        else
            last_arrival_ = {now_, area_};
    }
    void begin(Target server) {
        router_->begun(server);
        push(ticks(servers_[server].front().cost / speed(server)), Kind::done, server);
    }
    void complete(Target server) {
        const Job job = servers_[server].front();
        servers_[server].pop_front();
        --in_system_;
        ++times_done_[job.number];
        outcome_.latency.push_back(now_ - job.arrived);
        mix(now_);
        mix(std::uint64_t{job.number} << 16 | server);
        if (const double late = listed(workload_.report_late, server, 0); late > 0)
            push(ticks(late), Kind::report, server);
        else
            router_->done(server);
        if (!servers_[server].empty())
            begin(server);
    }

    void note_queues(Target chosen) {
        const auto [least, most] = std::minmax_element(
            servers_.begin(), servers_.end(),
            [](const Server& a, const Server& b) { return a.size() < b.size(); });
        outcome_.max_queue = std::max<std::uint64_t>(outcome_.max_queue, most->size());
        outcome_.spread = std::max<std::uint64_t>(outcome_.spread, most->size() - least->size());
        outcome_.imbalance =
            std::max<std::uint64_t>(outcome_.imbalance, servers_[chosen].size() - least->size());
    }
    void mix(std::uint64_t value) {
        outcome_.fingerprint = (outcome_.fingerprint ^ value) * 0x9e37'79b9'7f4a'7c15;
        outcome_.fingerprint ^= outcome_.fingerprint >> 29;
    }

    void finish() {
        outcome_.wrong = what_is_wrong();
        std::sort(outcome_.latency.begin(), outcome_.latency.end());
        const auto [until, area] = last_arrival_;
        outcome_.mean_queue =
            static_cast<double>(area) / static_cast<double>(until) / workload_.servers;
        for (Target server = 0; server < workload_.servers; ++server)
            outcome_.share_max =
                std::max(outcome_.share_max, static_cast<double>(outcome_.given[server]) *
                                                 capacity() / workload_.jobs / speed(server));
    }
    std::string what_is_wrong() const {
        if (std::any_of(times_done_.begin(), times_done_.end(),
                        [](auto times) { return times != 1; }))
            return "a job was not done once";
        if (router_->left() != 0)
            return "loads are left, or were taken back twice";
        // Little's law: over a time that begins and ends without jobs it holds to the tick.
        if (std::accumulate(outcome_.latency.begin(), outcome_.latency.end(), Time{0}) != area_)
            return "jobs in the system, summed over time, are not the jobs' latencies";
        const double span = static_cast<double>(last_arrival_.first) / kService;
        if (std::abs(offered_ / (span * capacity()) / workload_.utilisation - 1) > 0.02)
            return "the work that came is not what was asked for";
        return {};
    }

    const Workload workload_;
    Router<S>* const router_;
    Jobs jobs_;
    std::vector<Server> servers_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    Time now_ = 0;
    std::uint32_t arrived_ = 0;
    std::uint64_t in_system_ = 0;
    Time area_ = 0;                               // in_system_, summed over the ticks
    std::pair<Time, Time> last_arrival_ = {0, 0}; // when, and area_ then
    double offered_ = 0;
    std::vector<std::uint8_t> times_done_;
    Outcome outcome_;
};

template <Selector S>
Outcome simulate(const Workload& workload, S selector, Counts counts = Counts::dispatched) {
    Router<S> router(workload.servers, std::move(selector), counts);
    return Simulation<S>(workload, router).run();
}

} // namespace takt::bench::router_skew
