// SPDX-License-Identifier: MIT
#include "skew_frame/config.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <numeric>
#include <random>
#include <thread>
#include <utility>

#include <sched.h>

namespace takt::bench::skew_frame {

std::unique_ptr<Contender> make_takt(Cast& cast, int workers);
#if TAKT_HAVE_OPENMP
std::unique_ptr<Contender> make_openmp_dynamic(Cast& cast, int workers);
#endif
#if TAKT_HAVE_TBB
std::unique_ptr<Contender> make_tbb_auto(Cast& cast, int workers);
std::unique_ptr<Contender> make_tbb_affinity(Cast& cast, int workers);
#endif

Cast::Frame Cast::frame() const {
    Frame all;
    for (const Seat& seat : seats_) {
        const double took_ns = static_cast<double>(seat.took) * measure::ns_per_tick();
        all.sum_ns += took_ns;
        all.hottest_ns = std::max(all.hottest_ns, took_ns);
        all.off_caller_ns += seat.is_off_caller ? took_ns : 0;
    }
    return all;
}

bool Cast::each_ran_once() const {
    return std::ranges::all_of(seats_, [this](const Seat& seat) { return seat.runs == frame_; });
}

std::uint64_t Cast::sum() const {
    return std::accumulate(seats_.begin(), seats_.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Seat& seat) { return sum + seat.sum; });
}

std::vector<Costs> draw_costs(std::uint64_t seed) {
    constexpr double kLeastNs = kMeanNs * (kAlpha - 1) / kAlpha;
    std::mt19937_64 random(seed);
    std::vector<Costs> frames(kFrames, Costs(kActors));
    for (Costs& costs : frames)
        for (std::size_t actor = 0; actor < kActors; ++actor) {
            const double uniform = (static_cast<double>(random() >> 11) + 1) * 0x1p-53; // (0, 1]
            costs[actor] = rounds_of(actor == kHot ? kHotShare * kMeanNs * (kActors - 1)
                                                   : kLeastNs * std::pow(uniform, -1 / kAlpha));
        }
    return frames;
}

namespace {

/// A contender's part in one repetition.
struct Entry {
    std::unique_ptr<Cast> cast = std::make_unique<Cast>();
    std::unique_ptr<Contender> contender = {};
    measure::Samples frames = {};
    measure::Samples bounds = {};
    measure::Samples over = {};
    double over_sum = 0;
    double work_ns = 0;
    double off_caller_ns = 0;
    std::map<std::string, double> counters = {};
    bool is_wrong = false;

    void run(const Costs& costs, int workers, bool counts) {
        cast->begin(costs);
        contender->prepare();
        const std::uint64_t begin = measure::ticks();
        contender->frame();
        const double frame_ns =
            static_cast<double>(measure::ticks() - begin) * measure::ns_per_tick();
        if (!counts)
            return;
        const Cast::Frame measured = cast->frame();
        const double bound_ns = std::max(measured.sum_ns / workers, measured.hottest_ns);
        frames.add(frame_ns);
        bounds.add(bound_ns);
        over.add(frame_ns / bound_ns);
        over_sum += frame_ns / bound_ns;
        work_ns += measured.sum_ns;
        off_caller_ns += measured.off_caller_ns;
    }
};

/// Rows that are measured together: who is asked first measures a repetition of all.
class Contest {
  public:
    void add(const std::string& name, MakeContender make) {
        Row& row = rows_.emplace_back(Row{std::move(make), {}});
        benchmark::RegisterBenchmark(
            ("skew_frame/" + name).c_str(),
            [this, &row](benchmark::State& state) { report_row(state, row); })
            ->Iterations(1)
            ->UseManualTime();
    }

  private:
    struct Row {
        MakeContender make;
        std::deque<Entry> taken; // measured and not reported yet
    };

    void measure_all();
    void report_row(benchmark::State& state, Row& row);

    std::deque<Row> rows_; // their addresses are registered
    std::uint64_t repetition_ = 0;
};

void Contest::measure_all() {
    const int workers = bench_workers();
    const std::vector<Costs> costs = draw_costs(++repetition_);
    for (Row& row : rows_) {
        Entry& entry = row.taken.emplace_back();
        entry.contender = row.make(*entry.cast, workers);
    }
    std::vector<Entry*> entries;
    for (Row& row : rows_)
        entries.push_back(&row.taken.back());
    for (int block = 0; block < kFrames; block += kBlock) {
        for (Entry* const entry : entries) {
            // The threads of the one before are to have gone to sleep.
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            for (int frame = -kWarmUpFrames; frame < kBlock; ++frame)
                entry->run(costs[static_cast<std::size_t>(block + std::max(frame, 0))], workers,
                           frame >= 0);
        }
        std::ranges::reverse(entries);
    }
    for (auto row = rows_.rbegin(); row != rows_.rend(); ++row) { // pins are undone in this order
        Entry& entry = row->taken.back();
        entry.counters = entry.contender->counters();
        entry.is_wrong = !entry.cast->each_ran_once() ||
                         entry.cast->sum() != rows_.front().taken.back().cast->sum();
        entry.contender.reset();
    }
}

void Contest::report_row(benchmark::State& state, Row& row) {
    if (row.taken.empty())
        measure_all();
    const Entry entry = std::move(row.taken.front());
    row.taken.pop_front();
    for (auto _ : state)
        state.SetIterationTime(entry.frames.percentile(0.5) * 1e-9);
    report(state, entry.frames);
    state.counters["p99_over_bound"] =
        entry.frames.percentile(0.99) / entry.bounds.percentile(0.99);
    state.counters["over_p50"] = entry.over.percentile(0.5);
    state.counters["over_mean"] = entry.over_sum / kFrames;
    state.counters["over_p99"] = entry.over.percentile(0.99);
    state.counters["bound_p50_ns"] = entry.bounds.percentile(0.5);
    state.counters["bound_p99_ns"] = entry.bounds.percentile(0.99);
    state.counters["off_caller"] = entry.off_caller_ns / entry.work_ns;
    state.counters["workers"] = bench_workers();
    constexpr int kAll = kFrames + kFrames / kBlock * kWarmUpFrames;
    for (const auto& [name, count] : entry.counters)
        state.counters[name] = count / kAll;
    if (entry.is_wrong)
        state.SkipWithError("an actor ran not once in a frame, or did other work than elsewhere");
}

} // namespace
} // namespace takt::bench::skew_frame

int main(int argc, char** argv) {
    using namespace takt::bench::skew_frame;
    Contest contest;
#if TAKT_HAVE_TBB // first: it makes its threads before the caller is pinned
    contest.add("tbb_auto", make_tbb_auto);
    contest.add("tbb_affinity", make_tbb_affinity);
#endif
#if TAKT_HAVE_OPENMP
    contest.add("openmp_dynamic", make_openmp_dynamic);
#endif
    contest.add("takt", make_takt);
    return takt::bench::run(argc, argv);
}
