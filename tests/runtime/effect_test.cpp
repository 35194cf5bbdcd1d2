// SPDX-License-Identifier: MIT
// Each field of Config, changed, changes what a runtime does: one test for each row of the table in
// src/runtime/config_fields.hpp, and one that finds rows without a test.
#include "runtime/config_fields.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sched.h>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::ActorRef;
using takt::Config;
using takt::Runtime;
using takt::SendResult;
using takt::Task;
using Clock = std::chrono::steady_clock;

constexpr takt::Topic<> kGo{"Go"};
constexpr takt::Topic<int> kNumber{"Number"};
constexpr takt::Topic<std::array<char, 1000>> kBulk{"Bulk"};

takt::CpuSet allowed_cpus() {
    cpu_set_t mask;
    sched_getaffinity(0, sizeof mask, &mask);
    std::string list;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(static_cast<std::size_t>(cpu), &mask))
            list += (list.empty() ? "" : ",") + std::to_string(cpu);
    return takt::CpuSet::parse("here", list);
}

std::string first_cpu() {
    const std::string all = allowed_cpus().to_string();
    return all.substr(0, all.find_first_of(",-"));
}

/// How many messages an actor has handled after one step.
int handled_in_a_step(Config config, int messages, int sleep_ms = 0) {
    Runtime runtime(config);
    int handled = 0;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kNumber, [&, sleep_ms](int) {
            ++handled;
            std::this_thread::sleep_for(std::chrono::milliseconds(sleep_ms));
        });
    });
    for (int number = 0; number < messages; ++number)
        actor.send(kNumber, number);
    runtime.step();
    return handled;
}

// Sends to itself, `hops` times.
std::uint32_t rounds_of_a_chain(Config config, int hops, bool in_parallel) {
    Runtime runtime(config);
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        const auto hop = [](int left) {
            if (left > 0)
                takt::this_actor().ref().send(kNumber, left - 1);
        };
        if (in_parallel)
            self.bind_parallel(kNumber, hop);
        else
            self.bind(kNumber, hop);
    });
    actor.send(kNumber, hops);
    return runtime.step().rounds;
}

std::uint64_t refused_from_outside(Config config) {
    Runtime runtime(config);
    const ActorRef actor =
        runtime.spawn_actor({}, [](Actor& self) { self.bind(kBulk, [](auto&&) {}); });
    std::thread([&] {
        for (int number = 0; number < 20; ++number)
            static_cast<void>(actor.try_send(kBulk, std::array<char, 1000>()));
    }).join();
    return runtime.outside_mail().refused_full;
}

std::uint64_t dropped_from_outside(Config config) {
    Runtime runtime(config);
    const ActorRef actor =
        runtime.spawn_actor({}, [](Actor& self) { self.bind(kBulk, [](auto&&) {}); });
    std::thread([&] {
        for (int number = 0; number < 20; ++number)
            static_cast<void>(actor.try_send(kBulk, std::array<char, 1000>()));
    }).join();
    return runtime.outside_mail().dropped_newest;
}

std::uint64_t frames_of(Config config, std::chrono::milliseconds time) {
    Runtime runtime(config);
    std::uint64_t frames = 0;
    const auto end = Clock::now() + time;
    std::thread alarm([&] {
        std::this_thread::sleep_until(end);
        runtime.stop();
    });
    runtime.run_until([&] {
        ++frames;
        return false;
    });
    alarm.join();
    return frames;
}

int kept_of(Config config) {
    Runtime runtime(config);
    const ActorRef actor = runtime.spawn_actor({}, [](Actor&) {});
    for (int number = 0; number < 20; ++number)
        actor.send(kNumber, number);
    runtime.run_until_idle();
    return static_cast<int>(runtime.mail().in_flight);
}

std::string what_a_violation_does(Config config) {
    Runtime runtime(config);
    std::string said = "nothing";
    runtime.on_failure([&](const takt::Failure& failure) { said = failure.text(); });
    takt::ReadParallel<int> value(1);
    const takt::Serial kept = runtime.serial();
    const ActorRef actor = runtime.spawn_actor(
        {}, [&](Actor& self) { self.bind_parallel(kGo, [&] { value.write(kept) = 2; }); });
    actor.send(kGo);
    runtime.step();
    return said;
}

const std::map<std::string, std::function<void()>>& effects() {
    static const std::map<std::string, std::function<void()>> all{
        {"preset",
         [] {
             EXPECT_EQ(
                 rounds_of_a_chain({.preset = takt::Preset::deterministic, .workers = {.count = 1}},
                                   3, true),
                 4u);
         }},
        {"workers.count",
         [] {
             for (const int count : {1, 3}) {
                 const Runtime runtime({.workers = {.count = count}});
                 EXPECT_EQ(runtime.workers(), count);
                 EXPECT_EQ(runtime.worker_status().size(), static_cast<std::size_t>(count));
             }
         }},
        {"workers.placement",
         [] {
             const takt::Machine machine = takt::discover_machine({.synthetic = "core:4 pu:2"});
             const Runtime cores({.workers = {.placement = takt::Placement::one_per_core}},
                                 machine);
             EXPECT_EQ(cores.workers(), 4);
             const Runtime units({.workers = {.placement = takt::Placement::one_per_pu}}, machine);
             EXPECT_EQ(units.workers(), 8);
         }},
        {"workers.cpus",
         [] {
             const Runtime runtime({.workers = {.cpus = first_cpu()}});
             EXPECT_EQ(runtime.workers(), 1);
             EXPECT_EQ(std::to_string(runtime.plan().workers.front().cpu), first_cpu());
         }},
        {"workers.exclude",
         [] {
             const takt::Machine machine = takt::discover_machine({.synthetic = "core:4 pu:1"});
             const Runtime runtime({.workers = {.exclude = "0-2"}}, machine);
             EXPECT_EQ(runtime.workers(), 1);
             EXPECT_EQ(runtime.plan().workers.front().cpu, 3);
         }},
        {"workers.pin",
         [] {
             if (allowed_cpus().count() < 2)
                 return; // nothing to tell apart
             for (const bool pin : {false, true}) {
                 Runtime runtime({.workers = {.count = 2, .pin = pin}});
                 EXPECT_EQ(runtime.worker_status()[1].pinned, pin);
             }
         }},
        {"workers.pin_caller",
         [] {
             if (allowed_cpus().count() < 2)
                 return;
             for (const bool pin : {false, true}) {
                 const Runtime runtime({.workers = {.count = 1, .pin_caller = pin}});
                 EXPECT_EQ(allowed_cpus().count() == 1, pin);
             }
             EXPECT_GT(allowed_cpus().count(), 1);
         }},
        {"workers.require_pins",
         [] {
             const takt::Machine machine = takt::discover_machine({.synthetic = "core:4 pu:1"});
             EXPECT_NO_THROW(Runtime({}, machine));
             EXPECT_THROW(Runtime({.workers = {.require_pins = true}}, machine), takt::Error);
         }},
        // How long a worker spins shows in its CPU time only: what reaches the workers is checked.
        {"wait.spin_ns",
         [] {
             const Runtime runtime({.workers = {.count = 1}, .wait = {.spin_ns = 12'345}});
             EXPECT_EQ(runtime.config().waiting().spin_ns, 12'345);
         }},
        {"wait.yields",
         [] {
             const Runtime runtime({.workers = {.count = 1}, .wait = {.yields = 17}});
             EXPECT_EQ(runtime.config().waiting().yields, 17u);
         }},
        {"wait.prewake_ns",
         [] {
             const Runtime runtime({.workers = {.count = 1}, .wait = {.prewake_ns = 12'345}});
             EXPECT_EQ(runtime.config().waiting().prewake_ns, 12'345);
         }},
        {"frame.pacing",
         [] {
             const auto with = [](takt::Pacing pacing) {
                 return frames_of(
                     {.workers = {.count = 1}, .frame = {.pacing = pacing, .rate_hz = 100}}, 50ms);
             };
             EXPECT_LE(with(takt::Pacing::on_demand), 2u);
             const std::uint64_t fixed = with(takt::Pacing::fixed);
             EXPECT_GE(fixed, 2u);
             EXPECT_LE(fixed, 12u);
             EXPECT_GT(with(takt::Pacing::manual), 50u);
         }},
        {"frame.rate_hz",
         [] {
             for (const double rate : {100.0, 1000.0}) {
                 Runtime runtime({.workers = {.count = 1},
                                  .frame = {.rate_hz = rate},
                                  .clock = {.kind = takt::ClockKind::virtual_time}});
                 EXPECT_EQ(runtime.step().time.step_ns, static_cast<std::int64_t>(1e9 / rate));
             }
         }},
        {"frame.delivery",
         [] {
             const auto with = [](takt::Delivery delivery) {
                 return rounds_of_a_chain(
                     {.workers = {.count = 1}, .frame = {.delivery = delivery}}, 3, true);
             };
             EXPECT_EQ(with(takt::Delivery::immediate), 1u);
             EXPECT_EQ(with(takt::Delivery::next_round), 4u);
         }},
        {"frame.max_rounds",
         [] {
             for (const int most : {1, 5})
                 EXPECT_EQ(
                     rounds_of_a_chain({.workers = {.count = 1}, .frame = {.max_rounds = most}},
                                       100, false),
                     static_cast<std::uint32_t>(most));
         }},
        {"frame.phase_messages",
         [] {
             EXPECT_EQ(handled_in_a_step({.workers = {.count = 1},
                                          .frame = {.max_rounds = 1, .phase_messages = 7}},
                                         50),
                       7);
             EXPECT_EQ(handled_in_a_step({.workers = {.count = 1}, .frame = {.max_rounds = 1}}, 50),
                       50);
         }},
        {"frame.phase_time_ns",
         [] {
             EXPECT_LT(handled_in_a_step({.workers = {.count = 1},
                                          .frame = {.max_rounds = 1, .phase_time_ns = 1'000'000}},
                                         150, 1),
                       150);
         }},
        {"frame.balance",
         [] {
             for (const takt::Balancing balance :
                  {takt::Balancing::off, takt::Balancing::claims, takt::Balancing::moves}) {
                 Runtime runtime({.workers = {.count = 2},
                                  .wait = {.spin_ns = 1'000'000},
                                  .frame = {.balance = balance}});
                 std::vector<ActorRef> actors;
                 for (int at = 0; at < 32; ++at)
                     actors.push_back(runtime.spawn_actor({}, [](Actor& self) {
                         self.bind_parallel(kGo, [] { std::this_thread::sleep_for(20us); });
                     }));
                 const auto count = [&] {
                     const takt::BalanceCounts counts = runtime.balance();
                     return balance == takt::Balancing::moves ? counts.moves : counts.claims;
                 };
                 const int frames = balance == takt::Balancing::off ? 100 : 20'000;
                 for (int frame = 0; frame < frames && count() == 0; ++frame) {
                     for (std::size_t at = 0; at < actors.size(); at += 2) // those of one worker
                         actors[at].send(kGo);
                     runtime.step();
                 }
                 EXPECT_EQ(count() != 0, balance != takt::Balancing::off);
             }
         }},
        {"frame.catch_up_max",
         [] {
             const auto skipped_with = [](int most) {
                 Runtime runtime({.workers = {.count = 1},
                                  .frame = {.pacing = takt::Pacing::fixed,
                                            .rate_hz = 500,
                                            .catch_up_max = most}});
                 const ActorRef actor = runtime.spawn_actor({}, [](Actor& self) {
                     self.bind(kGo, [] { std::this_thread::sleep_for(30ms); });
                 });
                 actor.send(kGo);
                 int frames = 0;
                 runtime.run_until([&] { return ++frames == 2; });
                 return runtime.skipped_frames();
             };
             EXPECT_GE(skipped_with(0), 10u);
             EXPECT_EQ(skipped_with(100'000), 0u);
         }},
        {"mail.worker_bytes",
         [] {
             const auto accepted_with = [](std::uint64_t bytes) {
                 Runtime runtime({.workers = {.count = 1}, .mail = {.worker_bytes = bytes}});
                 const ActorRef actor =
                     runtime.spawn_actor({}, [](Actor& self) { self.bind(kBulk, [](auto&&) {}); });
                 int accepted = 0;
                 while (accepted < 200 &&
                        actor.try_send(kBulk, std::array<char, 1000>()) == SendResult::ok)
                     ++accepted;
                 return accepted;
             };
             EXPECT_LT(accepted_with(64 * 1024), 65);
             EXPECT_EQ(accepted_with(takt::kUnlimited), 200);
         }},
        {"mail.outside_bytes",
         [] {
             EXPECT_GT(refused_from_outside(
                           {.workers = {.count = 1}, .mail = {.outside_bytes = 8 * 1024}}),
                       0u);
             EXPECT_EQ(refused_from_outside({.workers = {.count = 1}}), 0u);
         }},
        {"mail.outside_overflow",
         [] {
             EXPECT_GT(
                 dropped_from_outside({.workers = {.count = 1},
                                       .mail = {.outside_bytes = 8 * 1024,
                                                .outside_overflow = takt::Overflow::drop_newest}}),
                 0u);
             EXPECT_EQ(dropped_from_outside(
                           {.workers = {.count = 1}, .mail = {.outside_bytes = 8 * 1024}}),
                       0u);
         }},
        {"mail.kept_max",
         [] {
             EXPECT_EQ(kept_of({.workers = {.count = 1}}), 20);
             EXPECT_EQ(kept_of({.workers = {.count = 1}, .mail = {.kept_max = 3}}), 3);
         }},
        {"checks.level",
         [] {
             EXPECT_EQ(what_a_violation_does(
                           {.workers = {.count = 1}, .checks = {.level = takt::CheckLevel::off}}),
                       "nothing");
             EXPECT_NE(what_a_violation_does({.workers = {.count = 1},
                                              .checks = {.level = takt::CheckLevel::always}}),
                       "nothing");
         }},
        {"checks.on_violation",
         [] {
             EXPECT_DEATH(
                 what_a_violation_does({.workers = {.count = 1},
                                        .checks = {.level = takt::CheckLevel::always,
                                                   .on_violation = takt::OnViolation::abort}}),
                 "ReadParallel");
         }},
        {"failure.policy",
         [] {
             for (const takt::FailurePolicy policy :
                  {takt::FailurePolicy::stop, takt::FailurePolicy::resume}) {
                 Runtime runtime({.workers = {.count = 1}, .failure = {.policy = policy}});
                 runtime.on_failure([](const takt::Failure&) {});
                 const ActorRef actor = runtime.spawn_actor({}, [](Actor& self) {
                     self.bind(kGo, [] { throw std::runtime_error("no"); });
                 });
                 actor.send(kGo);
                 runtime.step();
                 EXPECT_EQ(actor.try_send(kGo),
                           policy == takt::FailurePolicy::stop ? SendResult::dead : SendResult::ok);
             }
         }},
        {"clock.kind",
         [] {
             for (const bool is_virtual : {true, false}) {
                 Runtime runtime({.workers = {.count = 1},
                                  .clock = {.kind = is_virtual ? takt::ClockKind::virtual_time
                                                               : takt::ClockKind::real}});
                 runtime.step();
                 std::this_thread::sleep_for(20ms);
                 EXPECT_EQ(runtime.step().time.time_ns == 33'333'333, is_virtual);
             }
         }},
        {"offload.threads",
         [] {
             for (const int threads : {1, 3}) {
                 Runtime runtime({.workers = {.count = 1}, .offload = {.threads = threads}});
                 std::mutex mutex;
                 std::set<std::thread::id> ids;
                 const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
                     self.bind(kGo, [&]() -> Task<> {
                         co_await takt::offload();
                         std::this_thread::sleep_for(10ms);
                         const std::lock_guard lock(mutex);
                         ids.insert(std::this_thread::get_id());
                     });
                 });
                 for (int task = 0; task < 9; ++task)
                     actor.send(kGo);
                 runtime.run_until_idle();
                 EXPECT_EQ(ids.size(), static_cast<std::size_t>(threads));
             }
         }},
    };
    return all;
}

TEST(Effect, every_field_has_a_test_here) {
    std::set<std::string> fields;
    takt::detail::for_each_field([&](const auto& row, auto) { fields.insert(row.path); });
    for (const auto& [path, effect] : effects())
        EXPECT_EQ(fields.count(path), 1u) << path << " is no field";
    for (const std::string& path : fields)
        EXPECT_EQ(effects().count(path), 1u) << path << " has no effect that a test knows";
}

class Effect : public testing::TestWithParam<std::string> {};

TEST_P(Effect, is_seen) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    effects().at(GetParam())();
}

std::vector<std::string> paths() {
    std::vector<std::string> all;
    for (const auto& [path, effect] : effects())
        all.push_back(path);
    return all;
}

INSTANTIATE_TEST_SUITE_P(of, Effect, testing::ValuesIn(paths()), [](const auto& each) {
    std::string name = each.param;
    for (char& letter : name)
        letter = letter == '.' ? '_' : letter;
    return name;
});

} // namespace
