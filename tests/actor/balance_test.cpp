// SPDX-License-Identifier: MIT
// How even the shares are when many dispatchers have old data, in virtual time. Each has a selector
// beside it that fails, so the bounds are known to be able to break. One dispatcher: router_test.
#include "takt/actor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <numeric>
#include <queue>
#include <random>
#include <utility>
#include <vector>

namespace {

using takt::LeastBusy;
using takt::LeastBusyConfig;
using takt::Seat;
using takt::Target;

// What selectors read in virtual time.
struct Loads {
    std::vector<std::uint64_t> of;
    explicit Loads(std::uint32_t targets) : of(targets, 0) {}
    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(of.size()); }
    std::uint64_t peek(Target target) const noexcept { return of[target]; }
};

// The least of the loads at the last refresh, the first of equal ones; forgets what it placed.
class StaleLeast {
  public:
    explicit StaleLeast(Seat) {}
    void fit(std::uint32_t targets) { seen_.resize(targets); }
    void refresh(const Loads& loads) noexcept { seen_ = loads.of; }
    takt::Selection select(const Loads&) noexcept {
        const auto least = std::min_element(seen_.begin(), seen_.end());
        return static_cast<Target>(least - seen_.begin());
    }

  private:
    std::vector<std::uint64_t> seen_;
};

// takt's, refreshed by the simulation only.
class Refreshed : public LeastBusy {
  public:
    explicit Refreshed(Seat seat)
        : LeastBusy(
              {.exact_up_to = 0, .picks_per_refresh = LeastBusyConfig::kOnRequest, .seat = seat}) {}
};

// The same as if it were alone.
class RefreshedAlone : public Refreshed {
  public:
    explicit RefreshedAlone(Seat) : Refreshed(Seat{}) {}
};

double max_over_mean(const std::vector<std::uint64_t>& values) {
    const double sum = static_cast<double>(std::accumulate(values.begin(), values.end(), 0ull));
    const auto most = static_cast<double>(*std::max_element(values.begin(), values.end()));
    return most * static_cast<double>(values.size()) / sum;
}

struct Crowd {
    int dispatchers = 64;
    std::uint32_t targets = 256;
    double refresh_us = 20;
    int tasks_per_refresh = 100; // of each dispatcher
    int refreshes = 200;
    bool in_step = false; // all refresh at the same time, as at a frame barrier
    double utilisation = 0.9;
};

struct Outcome {
    double share;     // tasks over the whole run, max / mean
    double load_peak; // the highest load at the end of a refresh period, mean over the periods
};

// Each target serves its tasks one by one, for exponential times.
class Service {
  public:
    Service(Loads& loads, double mean_us) : loads_(&loads), time_us_(1 / mean_us) {}
    void add(Target target, double now_us) {
        if (++loads_->of[target] == 1)
            start(target, now_us);
    }
    void run_until(double now_us) {
        while (!ends_.empty() && ends_.top().first <= now_us) {
            const auto [end_us, target] = ends_.top();
            ends_.pop();
            if (--loads_->of[target] > 0)
                start(target, end_us);
        }
    }

  private:
    using End = std::pair<double, Target>;
    void start(Target target, double now_us) { ends_.push({now_us + time_us_(random_), target}); }

    Loads* loads_;
    std::mt19937_64 random_{1};
    std::exponential_distribution<> time_us_;
    std::priority_queue<End, std::vector<End>, std::greater<>> ends_;
};

template <class S>
Outcome simulate(const Crowd& crowd) {
    struct Dispatcher {
        S selector;
        double next_us;
        double refresh_us;
    };
    const double gap_us = crowd.refresh_us / crowd.tasks_per_refresh;
    Loads loads(crowd.targets);
    Service service(loads, crowd.utilisation * gap_us * crowd.targets / crowd.dispatchers);
    std::vector<std::uint64_t> given(crowd.targets, 0);
    std::vector<Dispatcher> all;
    for (int index = 0; index < crowd.dispatchers; ++index) {
        const double phase = static_cast<double>(index) / crowd.dispatchers;
        const Seat seat{.index = std::uint32_t(index), .of = std::uint32_t(crowd.dispatchers)};
        all.push_back({S(seat), gap_us * phase, crowd.in_step ? 0 : crowd.refresh_us * phase});
        all.back().selector.fit(crowd.targets);
        all.back().selector.refresh(loads);
    }
    double peaks = 0;
    for (int period = 0; period < crowd.refreshes; ++period) {
        for (int round = 0; round < crowd.tasks_per_refresh; ++round)
            for (Dispatcher& each : all) {
                service.run_until(each.next_us);
                if (each.next_us >= each.refresh_us) {
                    each.selector.refresh(loads);
                    each.refresh_us += crowd.refresh_us;
                }
                const Target target = *each.selector.select(loads);
                ++given[target];
                service.add(target, each.next_us);
                each.next_us += gap_us;
            }
        peaks += static_cast<double>(*std::max_element(loads.of.begin(), loads.of.end()));
    }
    return {max_over_mean(given), peaks / crowd.refreshes};
}

void print(const char* who, const Outcome& outcome) {
    std::cout << who << ": share max/mean " << outcome.share << ", mean of the highest load "
              << outcome.load_peak << "\n";
}

class Dispatchers64 : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(, Dispatchers64, ::testing::Bool(), [](const auto& each) {
    return each.param ? "refresh_in_step" : "refresh_at_different_times";
});

TEST_P(Dispatchers64, with_data_20_us_old_give_no_target_more_than_1_05_of_its_share) {
    const Crowd crowd{.in_step = GetParam()};
    const Outcome takt = simulate<Refreshed>(crowd);
    const Outcome alone = simulate<RefreshedAlone>(crowd);
    const Outcome stale = simulate<StaleLeast>(crowd);
    print("takt                 ", takt);
    print("as if it were alone  ", alone);
    print("least of the old data", stale);
    EXPECT_LE(takt.share, 1.05);
    EXPECT_GT(stale.share, 1.05) << "this bound cannot fail, so it proves nothing";
    EXPECT_LT(takt.load_peak, 0.7 * alone.load_peak) << "nothing is gained by knowing the others";
    EXPECT_LT(takt.load_peak, 0.1 * stale.load_peak);
}

TEST(Dispatchers, that_refresh_in_step_even_out_any_start_without_completions) {
    std::mt19937 random(3);
    Loads loads(256);
    for (std::uint64_t& load : loads.of)
        load = random() % 100;
    std::vector<Refreshed> all;
    for (std::uint32_t index = 0; index < 64; ++index) {
        all.emplace_back(Seat{.index = index, .of = 64});
        all.back().fit(256);
    }
    for (int refresh = 0; refresh < 3; ++refresh) {
        for (Refreshed& each : all)
            each.refresh(loads);
        for (Refreshed& each : all)
            for (int task = 0; task < 400; ++task)
                ++loads.of[*each.select(loads)];
        EXPECT_LE(max_over_mean(loads.of), 1.05) << "refresh " << refresh;
    }
}

} // namespace
