// SPDX-License-Identifier: MIT
// The worker layer's protocols on real threads: the scenarios of scenarios.hpp as they are, and
// longer runs, with up to four times as many threads as CPUs, on one CPU, and under a CPU quota.
#include "protocol/scenarios.hpp"
#include "protocol/threads.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <thread>

#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace protocol;
using takt::Workers;

constexpr Waiting kSpinThenSleep{.spin_ns = 5'000, .yields = 1, .prewake_ns = 0};

TEST(Stress, park_against_publish) {
    stress(park_against_publish<Threads>({.events = 500, .waiters = 3}), 20);
    stress(park_against_publish<Threads>({.events = 500, .waiters = 3, .waiting = kSpinThenSleep}),
           20);
    stress(park_against_publish<Threads>({.events = 20, .start = 0xffff'fff0}), 50);
}

TEST(Stress, without_membarrier) {
    using P = ThreadsWithoutMembarrier;
    stress(park_against_publish<P>({.events = 500, .waiters = 3}), 20);
    stress(meet_in_rounds<P>({.shape = one_cache_group(4, 2), .rounds = 1'000}), 4);
    stress(start_turn_stop<P>({.shape = one_cache_group(4, 2), .active = {4, 1, 3, 4, 2}}), 100);
}

TEST(Stress, park_until_the_event_is_due) {
    const Waiting waiting{.spin_ns = 1'000, .prewake_ns = 20'000};
    stress(park_against_publish<Threads>(
               {.events = 100, .waiters = 2, .waiting = waiting, .due_in_ns = 50'000}),
           10);
}

TEST(Stress, barrier) {
    for (const Waiting& waiting : {kSleep, kSpinThenSleep})
        for (const int workers : {1, 2, 3, 4, 8}) {
            stress(meet_in_rounds<Threads>(
                       {.shape = one_cache_group(workers, 2), .rounds = 1'000, .waiting = waiting}),
                   2);
            stress(meet_in_rounds<Threads>({.shape = two_cache_groups(workers),
                                            .rounds = 1'000,
                                            .waiting = waiting,
                                            .start = 0xffff'ff00}),
                   2);
        }
}

TEST(Stress, start_turn_stop) {
    stress(start_turn_stop<Threads>({.shape = one_cache_group(4, 2), .active = {4, 1, 3, 4, 2}}),
           200);
    stress(start_turn_stop<Threads>({.shape = two_cache_groups(3), .active = {}}), 200);
    stress(start_turn_stop<Threads>(
               {.shape = one_cache_group(3, 2), .active = {3, 3}, .throws_from = {1, 2}}),
           100);
}

takt::Plan plan_of(int workers) {
    static const takt::Machine machine = takt::discover_machine({});
    return takt::make_plan(machine, {.workers = workers});
}

// Turns of uneven length with a changing number of workers. Returns how often a worker saw a turn
// that had not been handed out to it, or the caller saw one that was not over.
int run_uneven_turns(int workers, int turns) {
    Workers crew(plan_of(workers));
    std::vector<int> taken(static_cast<std::size_t>(workers), 0);
    std::vector<int> expected = taken;
    int wrong = 0;
    std::uint32_t random = 7;
    for (int turn = 0; turn < turns; ++turn) {
        random = random * 1664525 + 1013904223;
        const int active = 1 + static_cast<int>((random >> 16) % static_cast<unsigned>(workers));
        crew.set_active(active);
        crew.run([&](int worker) {
            for (std::uint32_t spin = 0; spin < (random >> 20) % 256 * unsigned(worker + 1); ++spin)
                asm volatile("");
            ++taken[static_cast<std::size_t>(worker)];
        });
        for (int worker = 0; worker < active; ++worker)
            ++expected[static_cast<std::size_t>(worker)];
        wrong += taken != expected;
    }
    return wrong;
}

TEST(Stress, four_times_as_many_workers_as_cpus) {
    const int cpus = plan_of(0).allowed_cpus;
    EXPECT_EQ(run_uneven_turns(4 * cpus, 5'000), 0);
}

constexpr const char* kExpectedCpus = "TAKT_STRESS_CPUS";
constexpr const char* kExpectedQuota = "TAKT_STRESS_QUOTA";

// Set by the tests below that run this program again under limits.
TEST(Stress, sees_the_limits_it_runs_under) {
    const takt::Machine machine = takt::discover_machine({});
    if (const char* const cpus = std::getenv(kExpectedCpus)) {
        EXPECT_EQ(machine.allowed.count(), std::atoi(cpus));
        EXPECT_TRUE(takt::make_plan(machine, {.workers = 2}).oversubscribed);
    }
    if (const char* const quota = std::getenv(kExpectedQuota)) {
        EXPECT_EQ(machine.limits.cpus, std::atof(quota));
        EXPECT_EQ(takt::make_plan(machine).workers.size(), 1u) << "the quota keeps one running";
    }
}

// Runs the tests of this program that match `filter` in a new process that has called `prepare`.
// New, because this one remembers the affinity mask it had before its first pin. Returns the exit
// status, 255 when a signal ended it.
int again(const char* filter, const std::function<bool()>& prepare) {
    const pid_t child = fork();
    if (child == 0) {
        const std::string option = std::string("--gtest_filter=") + filter;
        if (prepare())
            execl("/proc/self/exe", "stress", option.c_str(), "--gtest_brief=1", nullptr);
        _exit(254);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

TEST(Stress, on_one_cpu) {
    EXPECT_EQ(again("Stress.*-*.on_one_cpu:*.under_a_quota_*",
                    [] {
                        cpu_set_t one;
                        CPU_ZERO(&one);
                        CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
                        return setenv(kExpectedCpus, "1", 1) == 0 &&
                               sched_setaffinity(0, sizeof one, &one) == 0;
                    }),
              0);
}

// A cgroup v1 or v2 of this machine with half a CPU of quota; removed at the end.
class HalfACpu {
  public:
    HalfACpu() {
        const std::string name = "/takt-stress-" + std::to_string(getpid());
        for (const std::string root : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup"}) {
            path_ = root + name;
            if (mkdir(path_.c_str(), 0755) != 0)
                continue;
            if (write("cpu.cfs_period_us", "100000") && write("cpu.cfs_quota_us", "50000"))
                return;
            if (write("cpu.max", "50000 100000"))
                return;
            rmdir(path_.c_str());
        }
        path_.clear();
    }
    ~HalfACpu() {
        if (granted())
            rmdir(path_.c_str());
    }
    HalfACpu(const HalfACpu&) = delete;
    HalfACpu& operator=(const HalfACpu&) = delete;

    bool granted() const { return !path_.empty(); }
    bool enter() const { return write("cgroup.procs", std::to_string(getpid())); }

  private:
    bool write(const std::string& file, const std::string& text) const {
        if (access((path_ + "/" + file).c_str(), W_OK) != 0)
            return false;
        std::ofstream out(path_ + "/" + file);
        out << text;
        out.close();
        return static_cast<bool>(out);
    }
    std::string path_;
};

TEST(Stress, under_a_quota_of_half_a_cpu) {
    const HalfACpu group;
    if (!group.granted())
        GTEST_SKIP() << "this machine lets us make no cgroup with a CPU quota (needs root and a "
                        "writable cpu controller)";
    EXPECT_EQ(again("*.sees_the_limits_*:*.start_turn_stop:*.four_times_*",
                    [&] { return setenv(kExpectedQuota, "0.5", 1) == 0 && group.enter(); }),
              0);
}

} // namespace
