// SPDX-License-Identifier: MIT
#include "doctor/measure.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>
#include <thread>

#include <sched.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace takt::measure {

std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    std::uint64_t count = 0;
    asm volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count;
#else
    return static_cast<std::uint64_t>(now_ns());
#endif
}

double ns_per_tick() {
    static const double calibrated = [] {
        constexpr std::int64_t kWindowNs = 20'000'000;
        const std::int64_t begin_ns = now_ns();
        const std::uint64_t begin = ticks();
        while (now_ns() - begin_ns < kWindowNs) {
        }
        const std::uint64_t end = ticks();
        return static_cast<double>(now_ns() - begin_ns) / static_cast<double>(end - begin);
    }();
    return calibrated;
}

double Samples::percentile(double rank) const {
    if (ns_.empty())
        return 0;
    std::vector<double> sorted = ns_;
    const double position = std::ceil(rank * static_cast<double>(sorted.size())) - 1;
    const auto index = static_cast<std::ptrdiff_t>(std::max(0.0, position));
    std::nth_element(sorted.begin(), sorted.begin() + index, sorted.end());
    return sorted[static_cast<std::size_t>(index)];
}

double overlap(const std::vector<Span>& spans) {
    if (spans.empty())
        return 0;
    Span whole = spans.front();
    Span common = spans.front();
    for (const Span& span : spans) {
        whole = {std::min(whole.begin, span.begin), std::max(whole.end, span.end)};
        common = {std::max(common.begin, span.begin), std::min(common.end, span.end)};
    }
    if (common.end <= common.begin || whole.end == whole.begin)
        return 0;
    return static_cast<double>(common.end - common.begin) /
           static_cast<double>(whole.end - whole.begin);
}

int distinct_cpus(const std::vector<Span>& spans) {
    std::vector<int> cpus;
    cpus.reserve(spans.size());
    for (const Span& span : spans)
        cpus.push_back(span.cpu);
    std::sort(cpus.begin(), cpus.end());
    return static_cast<int>(std::unique(cpus.begin(), cpus.end()) - cpus.begin());
}

double rmw_ns() {
    constexpr int kLoops = 9;
    constexpr int kOperations = 20'000;
    alignas(kInterference) static std::atomic<std::uint64_t> counter{0};
    Samples samples;
    for (int loop = 0; loop < kLoops; ++loop) {
        const std::uint64_t begin = ticks();
        for (int operation = 0; operation < kOperations; ++operation)
            counter.fetch_add(1, std::memory_order_relaxed); // relaxed: the cost is what counts
        samples.add(static_cast<double>(ticks() - begin) * ns_per_tick() / kOperations);
    }
    return samples.percentile(0.5);
}

Plan plan_on(const Machine& machine, const std::vector<int>& cpus) {
    std::string list;
    for (const int cpu : cpus)
        list += (list.empty() ? "" : ",") + std::to_string(cpu);
    return make_plan(machine, {.cpus = list});
}

std::optional<Samples> raw_round_trips(const Plan& two_workers, int rounds) {
    constexpr double kOverlapMin = 0.9;
    struct alignas(kInterference) Line {
        std::atomic<std::uint64_t> word{0};
    };
    Line ping;
    Line pong;
    Samples samples;
    samples.reserve(static_cast<std::size_t>(rounds));
    std::vector<Span> spans(2);
    Workers workers(two_workers, {.pin_caller = true});
    const auto count = static_cast<std::uint64_t>(rounds);
    workers.run([&](int worker) {
        std::uint64_t last = ticks();
        spans[static_cast<std::size_t>(worker)] = {last, last, sched_getcpu()};
        for (std::uint64_t round = 1; round <= count; ++round) {
            if (worker == 0) {
                ping.word.store(round, std::memory_order_release); // edge ping, release side
                while (pong.word.load(std::memory_order_acquire) !=
                       round) // edge pong, acquire side
                    StdPolicy::relax(pong.word, round - 1);
                const std::uint64_t now = ticks();
                samples.add(static_cast<double>(now - last) * ns_per_tick());
                last = now;
            } else {
                while (ping.word.load(std::memory_order_acquire) !=
                       round) // edge ping, acquire side
                    StdPolicy::relax(ping.word, round - 1);
                pong.word.store(round, std::memory_order_release); // edge pong, release side
            }
        }
        spans[static_cast<std::size_t>(worker)].end = ticks();
    });
    if (overlap(spans) < kOverlapMin || distinct_cpus(spans) < 2)
        return std::nullopt;
    return samples;
}

Samples futex_wakes(const Plan& two_workers, int rounds, std::int64_t pause_ns) {
    EventCount<StdPolicy> bell;
    EventCount<StdPolicy> done;
    std::uint64_t rung_at = 0; // handed over by bell
    Samples samples;
    Workers workers(two_workers, {.pin_caller = true});
    const auto count = static_cast<std::uint64_t>(rounds);
    workers.run([&](int worker) {
        for (std::uint64_t round = 1; round <= count; ++round) {
            const auto reached = [round](Event event) { return event.sequence >= round; };
            if (worker == 0) {
                std::this_thread::sleep_for(std::chrono::nanoseconds(pause_ns));
                rung_at = ticks();
                bell.advance({round, 0});
                done.await(reached, {});
            } else {
                bell.await(reached, {.spin_ns = 0});
                samples.add(static_cast<double>(ticks() - rung_at) * ns_per_tick());
                done.advance({round, 0});
            }
        }
    });
    return samples;
}

} // namespace takt::measure
