// SPDX-License-Identifier: MIT
#pragma once
// Captures that no runtime made: the same ones in every run, with all that a capture may hold.

#include "takt/profiler/capture.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace takt::sample {

struct Options {
    std::string title = "sample";
    int frames = 60;
    int workers = 4;
    int handlers = 6;     ///< of a worker in a parallel phase; there are two phases in a frame
    bool hostile = false; ///< names that would break a careless page
};

/// Names that a page or a JSON text must not take for anything but text.
inline std::vector<std::string> hostile_names() {
    return {"</script><script>window.broken = true</script>",
            "<img src=x onerror='window.broken = true'>",
            "\"quoted\" 'and' \\escaped\\ &lt;b&gt;",
            "line\nline\r\ttab\x01\x7f",
            std::string("nul\0inside", 10),
            "no UTF-8: \xff\xfe \xc3 \xe2\x28\xa1 \xed\xa0\x80 end",
            "\xe2\x80\xa8 and \xe2\x80\xa9 separate lines",
            "<!-- ]]> ${window.broken = true} {{7*7}} --",
            "__proto__",
            std::string(4096, 'W')};
}

/// Writes the capture as a clock would see it: from the first frame's begin to the last one's end.
class Maker {
  public:
    explicit Maker(const Options& options) : options_(options) {
        capture_.title = options.title;
        capture_.budget_ns = 4'000'000;
        capture_.names = {"simulate",   "Position",  "Damage",      "path_step",
                          "query",      "integrate", "Unit",        "Building",
                          "navigation", "apply",     "queue depth", "units alive"};
        if (options.hostile) {
            capture_.names = hostile_names();
            capture_.names.resize(12, "filler");
            capture_.title = capture_.names[0];
        }
        capture_.lanes.push_back({.name = "serial"});
        for (int worker = 0; worker < options.workers; ++worker)
            capture_.lanes.push_back({.name = "worker " + std::to_string(worker),
                                      .worker = worker,
                                      .cpu = worker * 2,
                                      .cache_group = worker < (options.workers + 1) / 2 ? 0 : 1});
    }

    Capture make() {
        for (int number = 0; number < options_.frames; ++number)
            frame(static_cast<std::uint64_t>(1000 + number));
        capture_.end_ns = now_;
        for (const CapturedLane& lane : capture_.lanes)
            for (const CapturedScope& scope : lane.scopes)
                count(scope);
        rows();
        return std::move(capture_);
    }

  private:
    enum Name : std::uint32_t {
        simulate,
        position,
        damage,
        path_step,
        query,
        integrate,
        unit,
        building,
        navigation,
        apply,
        queue_depth,
        alive
    };

    // Numerical Recipes' generator: any will do, if it is the same everywhere.
    std::int64_t chance(std::int64_t end) {
        seed_ = seed_ * 1664525u + 1013904223u;
        return static_cast<std::int64_t>(seed_ >> 8) % end;
    }

    /// Where a scope of the lane will be; fill it in once its end is known.
    std::size_t open(std::size_t lane, CapturedScope scope) {
        capture_.lanes[lane].scopes.push_back(scope);
        return capture_.lanes[lane].scopes.size() - 1;
    }

    void close(std::size_t lane, std::size_t index, std::int64_t end_ns) {
        capture_.lanes[lane].scopes[index].end_ns = end_ns;
    }

    void frame(std::uint64_t number) {
        CapturedFrame frame{.number = number, .begin_ns = now_};
        load_ = number % 17 == 5 ? 3 : 1; // now and then a dear one
        lone_ = number % 23 == 20;
        const std::size_t whole =
            open(0, {.kind = ScopeKind::frame, .begin_ns = now_, .note = number});
        now_ += 20'000;
        const std::size_t stage =
            open(0, {.kind = ScopeKind::stage, .depth = 1, .name = simulate, .begin_ns = now_});
        for (int part = 0; part < 2; ++part) {
            const std::size_t round =
                open(0, {.kind = ScopeKind::round, .depth = 2, .begin_ns = now_});
            parallel(frame);
            serial(frame, number % 11 == 3 ? 24 : 4);
            close(0, round, now_);
        }
        close(0, stage, now_);
        now_ += 15'000;
        close(0, whole, now_);
        frame.end_ns = now_;
        frame.serial_ns += 35'000;
        capture_.frames.push_back(frame);
        const auto at = [this](std::uint32_t name, double value) {
            capture_.values.push_back({.lane = 0, .name = name, .at_ns = now_, .value = value});
        };
        at(queue_depth, static_cast<double>(chance(500)));
        at(alive, 1000.5 + static_cast<double>(number) * 0.25);
        now_ += 50'000;
    }

    void parallel(CapturedFrame& frame) {
        CapturedPhase phase{.begin_ns = now_, .end_ns = now_};
        std::vector<std::int64_t> rest(capture_.lanes.size(), now_);
        for (std::size_t lane = 1; lane < rest.size(); ++lane) {
            idle(lane, now_);
            rest[lane] = work(lane, now_);
            const CapturedScope& last = last_handler_;
            if (rest[lane] > phase.end_ns)
                phase = {now_, rest[lane], static_cast<std::uint32_t>(lane), last.name, last.actor};
        }
        phase.end_ns += 2'000;
        for (std::size_t lane = 1; lane < rest.size(); ++lane) {
            wait(lane, rest[lane], phase.end_ns);
            frame.wait_ns += phase.end_ns - rest[lane];
        }
        open(0, {.kind = ScopeKind::parallel,
                 .depth = 3,
                 .begin_ns = now_,
                 .end_ns = phase.end_ns,
                 .note = static_cast<std::uint64_t>(options_.handlers * options_.workers)});
        frame.parallel_ns += phase.end_ns - phase.begin_ns;
        frame.phases.push_back(phase);
        now_ = phase.end_ns;
        busy_until_ = now_;
        sends_.swap(next_sends_);
        next_sends_.clear();
    }

    void idle(std::size_t lane, std::int64_t end_ns) {
        if (busy_until_ >= end_ns)
            return;
        open(lane, {.kind = ScopeKind::idle, .begin_ns = busy_until_, .end_ns = end_ns});
        if (end_ns - busy_until_ > 100'000)
            open(lane, {.kind = ScopeKind::park,
                        .depth = 1,
                        .begin_ns = busy_until_ + 50'000,
                        .end_ns = end_ns - 3'000});
    }

    void wait(std::size_t lane, std::int64_t begin_ns, std::int64_t end_ns) {
        open(lane, {.kind = ScopeKind::wait, .begin_ns = begin_ns, .end_ns = end_ns});
    }

    /// A worker's part of a phase; when it came to rest.
    std::int64_t work(std::size_t lane, std::int64_t at) {
        const bool claims = chance(3) == 0;
        const std::int64_t load = load_;
        load_ *= lane == 1 && lone_ ? 12 : 1; // the others wait for it
        for (int i = 0; i < options_.handlers; ++i) {
            const bool shard = claims && i == options_.handlers - 1;
            std::size_t claim = 0;
            if (shard)
                claim = open(lane, {.kind = ScopeKind::claim, .begin_ns = at, .note = 1});
            at = handler(lane, at, shard ? 1 : 0);
            if (shard)
                close(lane, claim, at += 500);
            at += 200 + chance(2'000);
        }
        load_ = load;
        return at;
    }

    std::int64_t handler(std::size_t lane, std::int64_t at, std::uint8_t depth) {
        const bool task = chance(5) == 0;
        CapturedScope scope{.kind = task ? ScopeKind::task : ScopeKind::handler,
                            .depth = depth,
                            .name = task             ? path_step
                                    : chance(2) == 0 ? position
                                                     : damage,
                            .actor = static_cast<std::uint32_t>(unit + chance(3)),
                            .begin_ns = at,
                            .task = task ? 1 + static_cast<std::uint64_t>(chance(50)) : 0};
        const std::size_t index = open(lane, scope);
        if (!sends_.empty() && chance(4) != 0) {
            const auto [from, sent] =
                sends_[static_cast<std::size_t>(chance(static_cast<std::int64_t>(sends_.size())))];
            capture_.flows.push_back(
                {from, static_cast<std::uint32_t>(lane), sent, at, scope.name, scope.actor});
        }
        at += 5'000 + chance(90'000) * load_;
        const auto inner = static_cast<std::uint8_t>(depth + 1);
        const std::size_t outer =
            open(lane, {.kind = ScopeKind::user, .depth = inner, .name = query, .begin_ns = at});
        at += 2'000 + chance(20'000);
        const std::size_t innermost = open(lane, {.kind = ScopeKind::user,
                                                  .depth = static_cast<std::uint8_t>(depth + 2),
                                                  .name = integrate,
                                                  .begin_ns = at});
        next_sends_.push_back({static_cast<std::uint32_t>(lane), at});
        at += 3'000 + chance(60'000) * load_;
        close(lane, innermost, at);
        close(lane, outer, at += 1'000);
        close(lane, index, at += 4'000);
        last_handler_ = scope;
        return at;
    }

    void serial(CapturedFrame& frame, int commits) {
        const std::int64_t begin = now_;
        const std::size_t phase =
            open(0, {.kind = ScopeKind::serial, .depth = 3, .begin_ns = now_});
        for (int i = 0; i < commits; ++i) {
            now_ += 1'000;
            const std::int64_t end = now_ + 8'000 + chance(90'000);
            open(0, {.kind = ScopeKind::commit,
                     .depth = 4,
                     .name = apply,
                     .actor = static_cast<std::uint32_t>(unit + chance(3)),
                     .begin_ns = now_,
                     .end_ns = end});
            now_ = end;
        }
        now_ += 1'000;
        close(0, phase, now_);
        frame.serial_ns += now_ - begin;
    }

    using Key = std::tuple<ScopeKind, std::uint32_t, std::uint32_t>;

    void count(const CapturedScope& scope) {
        if (scope.kind == ScopeKind::handler || scope.kind == ScopeKind::commit ||
            scope.kind == ScopeKind::task || scope.kind == ScopeKind::user)
            runs_[{scope.kind, scope.name, scope.actor}].push_back(scope.end_ns - scope.begin_ns);
    }

    void rows() {
        for (auto& [key, runs] : runs_) {
            std::sort(runs.begin(), runs.end());
            CapturedRow row;
            std::tie(row.kind, row.name, row.actor) = key;
            row.count = runs.size();
            for (const std::int64_t run : runs)
                row.total_ns += run;
            row.run_p50_ns = runs[runs.size() / 2];
            row.run_p99_ns = runs[runs.size() * 99 / 100];
            row.run_max_ns = runs.back();
            row.waits = row.kind == ScopeKind::handler ? row.count / 2 : 0;
            row.wait_p50_ns = row.waits == 0 ? 0 : 120'000 + chance(100'000);
            row.wait_p99_ns = row.waits == 0 ? 0 : 900'000 + chance(100'000);
            row.critical_ns = row.kind == ScopeKind::commit
                                  ? row.total_ns
                                  : row.total_ns / std::max(1, options_.workers);
            capture_.rows.push_back(row);
        }
        std::sort(
            capture_.rows.begin(), capture_.rows.end(),
            [](const CapturedRow& a, const CapturedRow& b) { return a.total_ns > b.total_ns; });
    }

    Options options_;
    Capture capture_ = {};
    std::int64_t now_ = 0;
    std::int64_t busy_until_ = 0; ///< of all workers: the last phase's end
    std::int64_t load_ = 1;       ///< handlers take so many times as long
    bool lone_ = false;           ///< one worker has far more to do than the others
    std::uint32_t seed_ = 1;
    CapturedScope last_handler_ = {};
    std::vector<std::pair<std::uint32_t, std::int64_t>> sends_ = {}; ///< of the phase before
    std::vector<std::pair<std::uint32_t, std::int64_t>> next_sends_ = {};
    std::map<Key, std::vector<std::int64_t>> runs_ = {};
};

inline Capture make(const Options& options) {
    return Maker(options).make();
}

inline std::size_t scopes_of(const Capture& capture) {
    std::size_t count = 0;
    for (const CapturedLane& lane : capture.lanes)
        count += lane.scopes.size();
    return count;
}

} // namespace takt::sample
