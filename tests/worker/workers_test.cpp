// SPDX-License-Identifier: MIT
#include "takt/worker.hpp"

#include "support/allocations.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <numeric>
#include <stdexcept>
#include <thread>

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using takt::Error;
using takt::Plan;
using takt::Workers;

const takt::Machine& machine() {
    static const takt::Machine discovered = takt::discover_machine({});
    return discovered;
}

Plan plan_of(int workers) {
    return takt::make_plan(machine(), {.workers = workers});
}

class WorkersCount : public ::testing::TestWithParam<int> {};

TEST_P(WorkersCount, W1_every_worker_takes_every_turn_once_and_run_waits_for_all) {
    constexpr int kTurns = 500;
    Workers workers(plan_of(GetParam()));
    ASSERT_EQ(workers.count(), GetParam());
    std::vector<int> taken(static_cast<std::size_t>(GetParam()), 0); // plain: W1 orders it
    for (int turn = 1; turn <= kTurns; ++turn) {
        workers.run([&](int worker) { ++taken[static_cast<std::size_t>(worker)]; });
        for (const int count : taken)
            ASSERT_EQ(count, turn);
    }
}

TEST_P(WorkersCount, worker_0_is_the_caller_and_the_others_are_not) {
    Workers workers(plan_of(GetParam()));
    std::vector<std::thread::id> threads(static_cast<std::size_t>(GetParam()));
    workers.run([&](int worker) {
        threads[static_cast<std::size_t>(worker)] = std::this_thread::get_id();
    });
    EXPECT_EQ(threads[0], std::this_thread::get_id());
    std::sort(threads.begin(), threads.end());
    EXPECT_EQ(std::unique(threads.begin(), threads.end()), threads.end());
}

TEST_P(WorkersCount, the_number_of_workers_may_change_between_turns) {
    Workers workers(plan_of(GetParam()));
    std::vector<int> taken(static_cast<std::size_t>(GetParam()), 0);
    std::vector<int> expected = taken;
    std::uint32_t random = 1;
    for (int turn = 0; turn < 400; ++turn) {
        random = random * 1664525 + 1013904223;
        const int active = 1 + static_cast<int>((random >> 16) % static_cast<unsigned>(GetParam()));
        workers.set_active(active);
        EXPECT_EQ(workers.active(), active);
        workers.run([&](int worker) { ++taken[static_cast<std::size_t>(worker)]; });
        for (int worker = 0; worker < active; ++worker)
            ++expected[static_cast<std::size_t>(worker)];
        ASSERT_EQ(taken, expected);
    }
}

TEST_P(WorkersCount, W2_run_throws_what_the_smallest_worker_threw_after_all_are_done) {
    Workers workers(plan_of(GetParam()));
    std::atomic<int> done{0};
    for (int turn = 0; turn < 50; ++turn) {
        done = 0;
        try {
            workers.run([&](int worker) {
                done.fetch_add(1);
                if (worker >= turn % GetParam())
                    throw worker;
            });
            FAIL() << "run() swallowed the exception";
        } catch (int worker) {
            EXPECT_EQ(worker, turn % GetParam());
        }
        EXPECT_EQ(done.load(), GetParam());
    }
    workers.run([&](int) { done.fetch_add(1); });
    EXPECT_EQ(done.load(), 2 * GetParam()) << "the crew goes on after an exception";
}

TEST_P(WorkersCount, W1_begin_hands_a_turn_to_the_others_and_end_waits_for_it) {
    Workers workers(plan_of(GetParam()));
    std::vector<int> taken(static_cast<std::size_t>(GetParam()), 0); // plain: W1 orders it
    for (int round = 1; round <= 200; ++round) {
        auto turn = [&](int worker) { ++taken[static_cast<std::size_t>(worker)]; };
        workers.begin(turn);
        ++taken[0];
        workers.end();
        for (const int count : taken)
            ASSERT_EQ(count, 2 * round - 1);
        workers.run(turn);
    }
}

TEST_P(WorkersCount, a_turn_that_has_begun_goes_on_beside_the_caller) {
    Workers workers(plan_of(GetParam()));
    std::atomic<int> said{0};
    std::atomic<int> heard{0};
    auto turn = [&](int) {
        while (said.load() == 0)
            std::this_thread::yield();
        heard.fetch_add(1);
    };
    workers.begin(turn);
    EXPECT_EQ(heard.load(), 0);
    said.store(1);
    workers.end();
    EXPECT_EQ(heard.load(), GetParam() - 1);
}

TEST_P(WorkersCount, W2_end_throws_what_the_smallest_worker_threw_after_all_are_done) {
    Workers workers(plan_of(GetParam()));
    std::atomic<int> done{0};
    int thrown = 0;
    auto turn = [&](int worker) {
        done.fetch_add(1);
        throw worker;
    };
    workers.begin(turn);
    try {
        workers.end();
    } catch (int worker) {
        thrown = worker;
    }
    EXPECT_EQ(thrown, GetParam() == 1 ? 0 : 1);
    EXPECT_EQ(done.load(), GetParam() - 1);
    workers.run([&](int) { done.fetch_add(1); });
    EXPECT_EQ(done.load(), 2 * GetParam() - 1) << "the crew goes on after an exception";
}

TEST_P(WorkersCount, end_waits_for_those_who_take_part) {
    Workers workers(plan_of(GetParam()));
    workers.set_active(1);
    int taken = 0;
    auto turn = [&](int) { ++taken; };
    workers.begin(turn);
    workers.end();
    EXPECT_EQ(taken, 0);
}

TEST_P(WorkersCount, W3_stops_with_workers_that_take_no_part) {
    for (int round = 0; round < 20; ++round) {
        Workers workers(plan_of(GetParam()));
        workers.set_active(1);
        workers.run([](int) {});
    }
}

TEST_P(WorkersCount, starts_and_stops_without_a_turn) {
    for (int round = 0; round < 50; ++round)
        Workers workers(plan_of(GetParam()));
}

TEST_P(WorkersCount, run_inside_a_turn_is_refused) {
    Workers workers(plan_of(GetParam()));
    std::atomic<int> refused{0};
    workers.run([&](int) {
        try {
            workers.run([](int) {});
        } catch (const Error& error) {
            EXPECT_EQ(error.key(), "workers.run");
            refused.fetch_add(1);
        }
    });
    EXPECT_EQ(refused.load(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Counts, WorkersCount, ::testing::Values(1, 2, 3, 4, 8),
                         ::testing::PrintToStringParamName());

TEST(Workers, sit_on_the_cpus_of_the_plan_as_read_back_from_the_kernel) {
    const Plan plan = plan_of(0);
    Workers workers(plan, {.pin_caller = true, .require_pins = true});
    std::vector<int> wrong(plan.workers.size(), -1);
    workers.run([&](int worker) {
        const auto index = static_cast<std::size_t>(worker);
        cpu_set_t mask;
        CPU_ZERO(&mask);
        sched_getaffinity(0, sizeof mask, &mask);
        const auto cpu = static_cast<std::size_t>(plan.workers[index].cpu);
        const bool only = CPU_COUNT(&mask) == 1 && CPU_ISSET(cpu, &mask);
        wrong[index] = !only || sched_getcpu() != plan.workers[index].cpu;
    });
    for (std::size_t worker = 0; worker < wrong.size(); ++worker) {
        EXPECT_EQ(wrong[worker], 0) << "worker " << worker;
        EXPECT_TRUE(workers.status()[worker].pinned) << workers.status()[worker].why;
        EXPECT_EQ(workers.status()[worker].requested_cpu, plan.workers[worker].cpu);
        EXPECT_EQ(workers.status()[worker].granted.count(), 1);
    }
}

TEST(Workers, give_the_callers_thread_back_as_it_was) {
    cpu_set_t before;
    cpu_set_t after;
    sched_getaffinity(0, sizeof before, &before);
    { Workers workers(plan_of(0), {.pin_caller = true}); }
    sched_getaffinity(0, sizeof after, &after);
    EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

TEST(Workers, leave_the_callers_thread_alone_unless_told) {
    cpu_set_t before;
    cpu_set_t during;
    sched_getaffinity(0, sizeof before, &before);
    Workers workers(plan_of(0));
    sched_getaffinity(0, sizeof during, &during);
    EXPECT_TRUE(CPU_EQUAL(&before, &during));
    EXPECT_FALSE(workers.status()[0].pinned);
    EXPECT_NE(workers.status()[0].why.find("pin_caller"), std::string::npos);
}

TEST(Workers, refuse_run_inside_a_turn_with_another_crew_between) {
    const takt::PlanConfig unpinned{.workers = 2, .pin = false};
    Workers outer(takt::make_plan(machine(), unpinned));
    Workers between(takt::make_plan(machine(), unpinned));
    std::atomic<int> refused{0};
    outer.run([&](int worker) {
        if (worker != 0)
            return;
        between.run([&](int inner) {
            if (inner == 0)
                try {
                    outer.run([](int) {});
                } catch (const Error&) {
                    refused.fetch_add(1);
                }
        });
    });
    EXPECT_EQ(refused.load(), 1);
}

TEST(Workers, unpin_the_thread_they_pinned_wherever_they_end) {
    cpu_set_t before;
    cpu_set_t after;
    sched_getaffinity(0, sizeof before, &before);
    auto workers = std::make_unique<Workers>(plan_of(1), takt::WorkersConfig{.pin_caller = true});
    std::thread([&] {
        const takt::ScopedPin own(*machine().allowed.begin());
        workers.reset();
        cpu_set_t mine;
        sched_getaffinity(0, sizeof mine, &mine);
        EXPECT_EQ(CPU_COUNT(&mine), 1) << "the other thread's pin is its own";
    }).join();
    sched_getaffinity(0, sizeof after, &after);
    EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

int turns_of_a_function = 0;
void count_turn(int) {
    ++turns_of_a_function;
}

TEST(Workers, run_a_plain_function) {
    Workers workers(plan_of(1));
    workers.run(count_turn);
    EXPECT_EQ(turns_of_a_function, 1);
}

TEST(Workers, of_an_empty_or_enormous_plan_are_refused) {
    EXPECT_THROW(Workers(Plan{}), Error);
    Plan enormous;
    enormous.workers.resize(std::size_t{takt::kWorkersMax} + 1);
    EXPECT_THROW(Workers{enormous}, Error);
}

TEST(Workers, of_two_crews_never_share_a_cpu) {
    const Plan all = plan_of(0);
    Workers first(all);
    try {
        Workers second(all);
        FAIL() << "both crews were given CPU " << all.workers[0].cpu;
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("booked"), std::string::npos) << error.what();
    }
    first.run([](int) {});
}

TEST(Workers, free_their_cpus_when_they_end) {
    const Plan all = plan_of(0);
    { Workers first(all); }
    Workers second(all);
    second.run([](int) {});
}

TEST(Workers, do_not_spin_when_they_outnumber_the_cpus) {
    const int cpus = machine().allowed.count();
    const Plan crowded = plan_of(4 * cpus);
    ASSERT_TRUE(crowded.oversubscribed);
    EXPECT_EQ(Workers(crowded).waiting().spin_ns, 0);
    const Plan fitting = plan_of(1);
    EXPECT_GT(Workers(fitting).waiting().spin_ns, 0);
}

TEST(Workers, refuse_a_count_of_active_workers_outside_the_crew) {
    Workers workers(plan_of(2));
    EXPECT_THROW(workers.set_active(0), Error);
    EXPECT_THROW(workers.set_active(3), Error);
    EXPECT_EQ(workers.active(), 2);
}

TEST(Workers, leave_signals_to_the_threads_of_the_program) {
    Workers workers(plan_of(2));
    std::vector<int> blocks(2, -1);
    workers.run([&](int worker) {
        sigset_t mask;
        pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        blocks[static_cast<std::size_t>(worker)] =
            sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGSEGV) == 0;
    });
    EXPECT_EQ(blocks[0], 0) << "the caller's mask is not touched";
    EXPECT_EQ(blocks[1], 1);
}

TEST(Workers, carry_a_name_that_tools_show) {
    Workers workers(plan_of(2));
    std::string name;
    workers.run([&](int worker) {
        char buffer[16] = {};
        pthread_getname_np(pthread_self(), buffer, sizeof buffer);
        if (worker == 1)
            name = buffer;
    });
    EXPECT_EQ(name, "takt-1");
}

TEST(Workers, B3_that_take_no_part_are_not_woken_by_the_turns_of_the_others) {
    // They sleep at once, so that every wake-up is a context switch that the kernel counts.
    Workers workers(plan_of(3), {.waiting = takt::Waiting{.spin_ns = 0}});
    const auto wake_ups_of_worker_2 = [&] {
        long count = 0;
        workers.set_active(3);
        workers.run([&](int worker) {
            rusage usage{};
            getrusage(RUSAGE_THREAD, &usage);
            if (worker == 2)
                count = usage.ru_nvcsw;
        });
        workers.set_active(2);
        workers.run([](int) {}); // sends worker 2 to the roster
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return count;
    };
    const long before = wake_ups_of_worker_2();
    for (int turn = 0; turn < 2'000; ++turn)
        workers.run([](int) {});
    EXPECT_LT(wake_ups_of_worker_2() - before, 100);
}

TEST_P(WorkersCount, run_allocates_nothing) {
    Workers workers(plan_of(GetParam()));
    workers.run([](int) {});
    const std::uint64_t before = allocations::count();
    for (int turn = 0; turn < 100; ++turn) {
        workers.set_active(1 + turn % GetParam());
        workers.run([](int) {});
    }
    EXPECT_EQ(allocations::count(), before);
}

TEST(Workers, ask_the_kernel_for_timers_without_slack) {
    Workers workers(plan_of(2));
    std::vector<int> slack_ns(2, -1);
    workers.run([&](int worker) { slack_ns[std::size_t(worker)] = prctl(PR_GET_TIMERSLACK); });
    EXPECT_EQ(slack_ns[1], 1);
    EXPECT_EQ(slack_ns[0], prctl(PR_GET_TIMERSLACK)) << "the caller's thread is left as it was";
}

TEST(Workers, sleep_between_turns) {
    Workers workers(plan_of(2));
    workers.run([](int) {});
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    std::int64_t before = 0;
    std::int64_t after = 0;
    const auto worker_cpu_ns = [&](std::int64_t& ns) {
        workers.run([&](int worker) {
            timespec time{};
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
            if (worker == 1)
                ns = time.tv_sec * 1'000'000'000 + time.tv_nsec;
        });
    };
    worker_cpu_ns(before);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    worker_cpu_ns(after);
    EXPECT_LT(after - before, 20'000'000) << "of 200 ms";
}

// In a process of its own: the limit on processes holds for a user, and root has none.
int start_too_many_workers() {
    if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return 10;
    const rlimit few{12, 12};
    if (setrlimit(RLIMIT_NPROC, &few) != 0)
        return 11;
    const Plan plan = plan_of(64);
    for (int attempt = 0; attempt < 3; ++attempt)
        try {
            Workers workers(plan);
            return 12;
        } catch (const Error& error) {
            if (error.key() != "workers.count" ||
                error.problem().find("joined") == std::string::npos)
                return 13;
        }
    if (takt::Booking::current().count() != 0)
        return 14;
    Workers fewer(plan_of(2)); // the threads of the failed attempts are gone
    fewer.run([](int) {});
    return 0;
}

TEST(Workers, that_cannot_all_be_started_leave_nothing_behind) {
    machine(); // discovered before privileges go
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0)
        _exit(start_too_many_workers());
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

} // namespace
