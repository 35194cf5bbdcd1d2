// SPDX-License-Identifier: MIT
#include "wake/config.hpp"

#include <atomic>
#include <ctime>
#include <random>
#include <thread>

namespace takt::bench::wake {

void add_takt();
void add_condition_variable();

namespace {

std::int64_t thread_cpu_ns() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Sleeps most of the way and spins the rest, so that the ring itself is on time.
void ring_at(std::int64_t due_ns) {
    constexpr std::int64_t kSpinNs = 100'000;
    const std::int64_t sleep_ns = due_ns - now_ns() - kSpinNs;
    if (sleep_ns > 0)
        std::this_thread::sleep_for(std::chrono::nanoseconds(sleep_ns));
    while (now_ns() < due_ns) {
    }
}

// When each bell rings, relative to the start.
std::vector<std::int64_t> schedule(Rhythm rhythm) {
    std::vector<std::int64_t> times;
    std::int64_t at_ns = 2'000'000;
    if (rhythm == Rhythm::every_60th) {
        for (int ring = 0; ring < k60HzRings; ++ring)
            times.push_back(at_ns += kPeriodNs);
    } else {
        std::mt19937_64 random(1);
        std::uniform_int_distribution<std::int64_t> pause_ns(20'000, 1'000'000);
        for (int ring = 0; ring < kIrregularRings; ++ring)
            times.push_back(at_ns += pause_ns(random));
    }
    return times;
}

} // namespace

void run(benchmark::State& state, Bell& bell, Rhythm rhythm) {
    const std::vector<std::int64_t> times = schedule(rhythm);
    const std::uint64_t rings = times.size();
    Workers crew(plan_for(2), {.pin_caller = true});
    for (auto _ : state) {
        struct alignas(kInterference) Shared {
            std::atomic<std::uint64_t> rung_at{0};
            std::atomic<std::uint64_t> answered{0};
        } shared;
        const std::int64_t start_ns = now_ns();
        measure::Samples samples;
        double cpu_share = 0;
        bool early = false;
        crew.run([&](int worker) {
            if (worker == 0) {
                for (std::uint64_t number = 1; number <= rings; ++number) {
                    ring_at(start_ns + times[number - 1]);
                    // relaxed: the bell orders it; an early waiter reads 0 or an old stamp
                    shared.rung_at.store(measure::ticks(), std::memory_order_relaxed);
                    bell.ring(number);
                    while (shared.answered.load(std::memory_order_acquire) <
                           number) // edge answer, acquire side
                        std::this_thread::yield();
                }
                return;
            }
            const std::int64_t wall_ns = now_ns();
            const std::int64_t cpu_ns = thread_cpu_ns();
            std::uint64_t last_stamp = 0;
            for (std::uint64_t number = 1; number <= rings; ++number) {
                const bool known = rhythm == Rhythm::every_60th;
                bell.await(number, known ? start_ns + times[number - 1] : kNever);
                const std::uint64_t now = measure::ticks();
                const std::uint64_t stamp =
                    shared.rung_at.load(std::memory_order_relaxed); // relaxed: see the store
                early = early || stamp == last_stamp || stamp > now;
                last_stamp = stamp;
                samples.add(static_cast<double>(now - stamp) * measure::ns_per_tick());
                shared.answered.store(number,
                                      std::memory_order_release); // edge answer, release side
            }
            cpu_share = static_cast<double>(thread_cpu_ns() - cpu_ns) /
                        static_cast<double>(now_ns() - wall_ns);
        });
        if (early) {
            state.SkipWithError("a waiter rose before its bell rang");
            return;
        }
        state.SetIterationTime(samples.percentile(0.5) * 1e-9);
        report(state, samples);
        state.counters["cpu_share"] = cpu_share;
    }
}

} // namespace takt::bench::wake

int main(int argc, char** argv) {
    takt::bench::wake::add_takt();
    takt::bench::wake::add_condition_variable();
    return takt::bench::run(argc, argv);
}
