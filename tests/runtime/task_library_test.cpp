// SPDX-License-Identifier: MIT
// The task library: spawn, defer, delay, cancel, when_all, when_any.
#include "runtime/expect_law.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <variant>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::ActorRef;
using takt::CancelResult;
using takt::Phase;
using takt::Runtime;
using takt::Task;
using takt::TaskRef;
using takt::testing_support::expect_law;

constexpr takt::Topic<> kGo{"Go"};
constexpr takt::Topic<> kAct{"Act"};
constexpr takt::Topic<int> kNumber{"Number"};
constexpr std::chrono::nanoseconds kStep = 20ms; // of the virtual clock

class TaskLibrary : public testing::TestWithParam<int> {
  protected:
    takt::Config config() const {
        return {.workers = {.count = GetParam()},
                .frame = {.rate_hz = 50},
                .failure = {.policy = takt::FailurePolicy::resume},
                .clock = {.kind = takt::ClockKind::virtual_time}};
    }
    /// An actor on the last worker that does `act` once, in this phase.
    template <class F>
    ActorRef spawn_one(Runtime& runtime, Phase phase, F act) {
        return runtime.spawn_actor({.worker = GetParam() - 1}, [=](Actor& self) {
            if (phase == Phase::parallel)
                self.bind_parallel(kGo, act);
            else
                self.bind(kGo, act);
        });
    }
    std::shared_ptr<int> held = std::make_shared<int>(0); // what tasks hold: live ones are counted
};

std::string letter() {
    return takt::current_phase() == Phase::serial     ? "s"
           : takt::current_phase() == Phase::parallel ? "p"
                                                      : "o";
}

// --- spawn, defer, delay -------------------------------------------------------------------------

TEST_P(TaskLibrary, spawn_runs_now_in_the_callers_phase_and_in_the_name_of_its_actor) {
    for (const Phase phase : {Phase::parallel, Phase::serial}) {
        Runtime runtime(config());
        std::string trace;
        ActorRef spawned_by;
        const ActorRef actor = spawn_one(runtime, phase, [&] {
            trace += "(";
            takt::spawn(
                [&](int number, const std::string& text) {
                    spawned_by = takt::this_actor().ref();
                    trace += letter() + std::to_string(number) + text;
                },
                7, "x");
            takt::spawn([&]() -> Task<> {
                trace += letter();
                co_await takt::next_frame();
                trace += letter();
            });
            trace += ")";
        });
        actor.send(kGo);
        runtime.step();
        const std::string p = phase == Phase::parallel ? "p" : "s";
        EXPECT_EQ(trace, "(" + p + "7x" + p + ")");
        runtime.step();
        EXPECT_EQ(trace, "(" + p + "7x" + p + ")" + p);
        EXPECT_EQ(spawned_by, actor);
        expect_law(runtime);
    }
}

TEST_P(TaskLibrary, a_spawned_function_and_its_arguments_live_as_long_as_the_task) {
    Runtime runtime(config());
    std::string seen;
    const ActorRef actor = spawn_one(runtime, Phase::parallel, [this, &seen] {
        takt::spawn(
            [mine = held, &seen](std::unique_ptr<int> number, const std::string& text) -> Task<> {
                co_await takt::next_frame();
                co_await takt::synchronize();
                seen = text + std::to_string(*number + *mine);
            },
            std::make_unique<int>(5), std::string(100, 'x'));
    });
    actor.send(kGo);
    runtime.step();
    EXPECT_EQ(held.use_count(), 2);
    runtime.step();
    EXPECT_EQ(seen, std::string(100, 'x') + "5");
    EXPECT_EQ(held.use_count(), 1);
    expect_law(runtime);
}

TEST_P(TaskLibrary, what_a_spawned_function_throws_is_reported_and_not_thrown_on) {
    Runtime runtime(config());
    std::vector<std::string> failures;
    runtime.on_failure([&](const takt::Failure& failure) { failures.push_back(failure.text()); });
    bool went_on = false;
    const ActorRef actor = spawn_one(runtime, Phase::parallel, [&] {
        takt::spawn([] { throw std::runtime_error("at once"); });
        takt::spawn([]() -> Task<> {
            co_await takt::next_frame();
            throw std::runtime_error("later");
        });
        went_on = true;
    });
    actor.send(kGo);
    runtime.step();
    runtime.step();
    EXPECT_TRUE(went_on);
    ASSERT_EQ(failures.size(), 2u);
    EXPECT_NE(failures[0].find("at once"), std::string::npos);
    EXPECT_NE(failures[1].find("later"), std::string::npos);
    EXPECT_EQ(runtime.mail().handled, 1u); // it is not the message that failed
    expect_law(runtime);
}

TEST_P(TaskLibrary, defer_comes_later_in_the_same_frame_like_a_message_to_oneself) {
    for (const takt::Delivery delivery : {takt::Delivery::immediate, takt::Delivery::next_round})
        for (const Phase phase : {Phase::parallel, Phase::serial}) {
            takt::Config with = config();
            with.frame.delivery = delivery;
            Runtime runtime(with);
            std::string trace;
            ActorRef actor;
            actor = runtime.spawn_actor({.worker = GetParam() - 1}, [&](Actor& self) {
                const auto go = [&] {
                    actor.send(kAct);
                    takt::defer([&] { trace += letter() + "1"; });
                    takt::defer([&]() -> Task<> {
                        trace += letter() + "2";
                        co_return;
                    });
                    trace += "0";
                };
                const auto act = [&] { trace += "m"; };
                if (phase == Phase::parallel) {
                    self.bind_parallel(kGo, go);
                    self.bind_parallel(kAct, act);
                } else {
                    self.bind(kGo, go);
                    self.bind_parallel(kAct, act);
                }
            });
            actor.send(kGo);
            const takt::FrameReport report = runtime.step();
            EXPECT_EQ(trace, phase == Phase::parallel ? "0mp1p2" : "0ms1s2");
            const bool in_one = phase == Phase::parallel && delivery == takt::Delivery::immediate;
            EXPECT_EQ(report.rounds, in_one ? 1u : 2u);
            expect_law(runtime);
        }
}

TEST_P(TaskLibrary, delay_comes_with_the_first_heartbeat_at_its_time_in_the_callers_phase) {
    for (const Phase phase : {Phase::parallel, Phase::serial}) {
        Runtime runtime(config());
        std::map<std::string, std::uint64_t> frames;
        std::string phases;
        const ActorRef actor = spawn_one(runtime, phase, [&] {
            const auto in = [&](std::chrono::nanoseconds duration, const char* name) {
                takt::delay(duration, [&, name] {
                    frames[name] = runtime.heartbeat().now().frame;
                    phases += letter();
                });
            };
            in(-5s, "past");
            in(0ns, "zero");
            in(2 * kStep, "exact");
            in(2 * kStep + 1ns, "beyond");
            in(std::chrono::nanoseconds::max(), "never");
        });
        actor.send(kGo); // in frame 1
        for (int frame = 0; frame < 6; ++frame)
            runtime.step();
        EXPECT_EQ(frames, (std::map<std::string, std::uint64_t>{
                              {"past", 2}, {"zero", 2}, {"exact", 3}, {"beyond", 4}}));
        EXPECT_EQ(phases, phase == Phase::parallel ? "pppp" : "ssss");
        expect_law(runtime);
    }
}

TEST_P(TaskLibrary, equal_delays_come_in_the_order_of_their_coming) {
    Runtime runtime(config());
    std::vector<int> seen;
    const ActorRef actor = spawn_one(runtime, Phase::parallel, [&] {
        for (int number = 0; number < 100; ++number)
            takt::delay(number < 50 ? kStep * 3 / 2 : kStep * 2,
                        [&, number] { takt::commit([&, number] { seen.push_back(number); }); });
    });
    actor.send(kGo);
    for (int frame = 0; frame < 3; ++frame)
        runtime.step();
    ASSERT_EQ(seen.size(), 100u);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST_P(TaskLibrary, wait_tells_what_really_passed_and_never_less_than_was_asked) {
    Runtime runtime(config());
    std::chrono::nanoseconds passed[3] = {};
    const ActorRef actor = spawn_one(runtime, Phase::parallel, [&]() -> Task<> {
        passed[0] = co_await takt::wait(0ns);
        passed[1] = co_await takt::wait(kStep + 1ns);
        passed[2] = co_await takt::wait(
            std::chrono::duration<double, std::nano>(static_cast<double>(kStep.count()) + 0.5));
    });
    actor.send(kGo);
    for (int frame = 0; frame < 6; ++frame)
        runtime.step();
    EXPECT_EQ(passed[0], kStep);
    EXPECT_EQ(passed[1], 2 * kStep);
    EXPECT_EQ(passed[2], 2 * kStep);
}

TEST_P(TaskLibrary, outside_actors_tasks_are_nobodys_and_serial) {
    Runtime runtime(config());
    runtime.serial();
    std::string trace;
    takt::spawn([&]() -> Task<> {
        trace += letter();
        co_await takt::next_frame();
        trace += letter();
    });
    takt::defer([&] { trace += "d" + letter(); });
    const TaskRef never = takt::delay(1ns, [&] { trace += "never"; });
    EXPECT_EQ(takt::cancel(never), CancelResult::done);
    runtime.step();
    runtime.step();
    EXPECT_EQ(trace, "sdss");
    std::thread([&] {
        EXPECT_THROW(takt::spawn([] {}), takt::PhaseError);
        EXPECT_THROW(takt::defer([] {}), takt::PhaseError);
        EXPECT_THROW(takt::delay(1s, [] {}), takt::PhaseError);
        EXPECT_THROW(takt::cancel(never), takt::PhaseError);
    }).join();
}

// --- cancel --------------------------------------------------------------------------------------

/// Ways in which a task of an actor may wait when the parallel phase's messages are handled.
struct Wait {
    const char* name;
    std::function<Task<>(std::shared_ptr<int>)> body;
};

Task<> hold_for_ever(std::shared_ptr<int> mine) {
    co_await takt::wait(1h);
    ADD_FAILURE() << *mine;
}

const Wait kWaits[] = {
    {"synchronize",
     [](std::shared_ptr<int> mine) -> Task<> {
         co_await takt::synchronize();
         co_await takt::next_frame();
         ADD_FAILURE() << *mine;
     }},
    {"desynchronize",
     [](std::shared_ptr<int> mine) -> Task<> {
         co_await takt::synchronize();
         co_await takt::desynchronize();
         co_await takt::next_frame();
         ADD_FAILURE() << *mine;
     }},
    {"wait", hold_for_ever},
    {"next_frame",
     [](std::shared_ptr<int> mine) -> Task<> {
         for (;;)
             co_await takt::next_frame();
         ADD_FAILURE() << *mine;
     }},
    {"when_all",
     [](std::shared_ptr<int> mine) -> Task<> {
         co_await takt::when_all(hold_for_ever(mine), hold_for_ever(mine));
         ADD_FAILURE() << *mine;
     }},
    {"a task",
     [](std::shared_ptr<int> mine) -> Task<> {
         co_await hold_for_ever(mine);
         ADD_FAILURE() << *mine;
     }},
};

// In the same parallel phase, in the serial phase after it, and in later frames.
TEST_P(TaskLibrary, a_task_that_waits_is_cancelled_once_and_what_it_held_is_gone) {
    for (const Wait& wait : kWaits)
        for (const Phase phase : {Phase::parallel, Phase::serial})
            for (int frames = 0; frames < 3; ++frames) {
                SCOPED_TRACE(std::string(wait.name) + " " + takt::name_of(phase) + " " +
                             std::to_string(frames));
                // `synchronize` and its like have ended before the next frame.
                if (frames > 0 && std::string(wait.name).find("sync") != std::string::npos)
                    continue;
                Runtime runtime(config());
                TaskRef task;
                std::vector<CancelResult> results;
                long left = -1;
                const ActorRef actor =
                    runtime.spawn_actor({.worker = GetParam() - 1}, [&](Actor& self) {
                        self.bind_parallel(kGo, [&] { task = takt::spawn(wait.body, held); });
                        const auto act = [&] {
                            results.push_back(takt::cancel(task));
                            left = held.use_count();
                            results.push_back(takt::cancel(task));
                        };
                        if (phase == Phase::parallel)
                            self.bind_parallel(kAct, act);
                        else
                            self.bind(kAct, act);
                    });
                actor.send(kGo);
                for (int frame = 0; frame < frames; ++frame)
                    runtime.step();
                actor.send(kAct);
                runtime.step();
                EXPECT_EQ(results, (std::vector{CancelResult::done, CancelResult::nothing}));
                EXPECT_EQ(left, 1);
                for (int frame = 0; frame < 3; ++frame)
                    runtime.step();
                runtime.advance(2h);
                runtime.step();
                EXPECT_EQ(held.use_count(), 1);
                expect_law(runtime);
            }
}

TEST_P(TaskLibrary, a_task_that_has_not_begun_can_be_cancelled) {
    for (const Phase phase : {Phase::parallel, Phase::serial}) {
        Runtime runtime(config());
        const ActorRef actor = spawn_one(runtime, phase, [&] {
            const auto never = [mine = held] { ADD_FAILURE() << *mine; };
            for (const TaskRef task : {takt::defer(never), takt::delay(1ms, never)}) {
                EXPECT_TRUE(task);
                EXPECT_EQ(takt::cancel(task), CancelResult::done);
                EXPECT_EQ(takt::cancel(task), CancelResult::nothing);
            }
            EXPECT_EQ(held.use_count(), 2); // `never`
            EXPECT_EQ(takt::cancel(takt::spawn([] {})), CancelResult::nothing);
            EXPECT_EQ(takt::cancel(TaskRef()), CancelResult::nothing);
        });
        actor.send(kGo);
        for (int frame = 0; frame < 3; ++frame)
            runtime.step();
        EXPECT_EQ(held.use_count(), 1);
        expect_law(runtime);
    }
}

TEST_P(TaskLibrary, a_task_that_cancels_itself_ends_where_it_next_waits) {
    Runtime runtime(config());
    std::string trace;
    TaskRef task;
    const ActorRef actor = spawn_one(runtime, Phase::parallel, [&] {
        task = takt::spawn([&, mine = held]() -> Task<> {
            co_await takt::next_frame();
            trace += "a";
            EXPECT_EQ(takt::cancel(task), CancelResult::pending);
            EXPECT_EQ(takt::cancel(task), CancelResult::nothing);
            co_await takt::desynchronize();           // does not wait
            co_await [](std::string& out) -> Task<> { // does not wait
                out += "b";
                co_return;
            }(trace);
            trace += "c";
            co_await takt::synchronize();
            ADD_FAILURE() << *mine;
        });
    });
    actor.send(kGo);
    for (int frame = 0; frame < 3; ++frame)
        runtime.step();
    EXPECT_EQ(trace, "abc");
    EXPECT_EQ(held.use_count(), 1);
    expect_law(runtime);
}

TEST_P(TaskLibrary, a_task_may_cancel_the_one_that_began_it) {
    Runtime runtime(config());
    std::string trace;
    TaskRef outer;
    const ActorRef actor = spawn_one(runtime, Phase::parallel, [&] {
        outer = takt::spawn([&, mine = held]() -> Task<> {
            co_await takt::next_frame();
            takt::spawn([&] { EXPECT_EQ(takt::cancel(outer), CancelResult::pending); });
            trace += "a";
            co_await takt::when_all([](std::string& out) -> Task<> {
                out += "b";
                co_await takt::wait(1h);
                out += "never";
            }(trace));
            ADD_FAILURE() << *mine;
        });
    });
    actor.send(kGo);
    for (int frame = 0; frame < 3; ++frame)
        runtime.step();
    runtime.advance(2h);
    runtime.step();
    EXPECT_EQ(trace, "ab");
    EXPECT_EQ(held.use_count(), 1);
    expect_law(runtime);
}

TEST_P(TaskLibrary, another_actors_task_is_cancelled_in_the_serial_phase) {
    for (const Phase phase : {Phase::parallel, Phase::serial}) {
        Runtime runtime(config());
        TaskRef task;
        CancelResult result = CancelResult::nothing;
        const ActorRef owner = runtime.spawn_actor({.worker = 0}, [&](Actor& self) {
            self.bind_parallel(kGo, [&] { task = takt::spawn(hold_for_ever, held); });
        });
        const ActorRef other = spawn_one(runtime, phase, [&] { result = takt::cancel(task); });
        owner.send(kGo);
        runtime.step();
        EXPECT_EQ(held.use_count(), 2);
        other.send(kGo);
        runtime.step();
        EXPECT_EQ(result, phase == Phase::parallel ? CancelResult::pending : CancelResult::done);
        EXPECT_EQ(held.use_count(), 1);
        other.send(kGo);
        runtime.step();
        EXPECT_EQ(result, phase == Phase::parallel ? CancelResult::pending : CancelResult::nothing);
        expect_law(runtime);
    }
}

TEST_P(TaskLibrary, a_task_that_is_away_ends_when_it_comes_home) {
    Runtime runtime(config());
    std::atomic<bool> over = false;
    TaskRef task;
    std::vector<CancelResult> results;
    const ActorRef actor = runtime.spawn_actor({.worker = GetParam() - 1}, [&](Actor& self) {
        self.bind_parallel(kGo, [&] {
            task = takt::spawn([&, mine = held]() -> Task<> {
                co_await takt::offload();
                while (!over.load())
                    std::this_thread::yield();
                co_await takt::synchronize();
                ADD_FAILURE() << *mine;
            });
        });
        self.bind_parallel(kAct, [&] {
            results.push_back(takt::cancel(task));
            results.push_back(takt::cancel(task));
        });
    });
    actor.send(kGo);
    runtime.step();
    actor.send(kAct);
    runtime.step();
    EXPECT_EQ(results, (std::vector{CancelResult::pending, CancelResult::nothing}));
    EXPECT_EQ(held.use_count(), 2);
    over.store(true);
    runtime.run_until_idle();
    EXPECT_EQ(held.use_count(), 1);
    expect_law(runtime);
}

TEST_P(TaskLibrary, references_to_tasks_that_have_ended_do_not_name_later_ones) {
    Runtime runtime(config());
    int ended = 0;
    const ActorRef actor = spawn_one(runtime, Phase::parallel, [&] {
        std::vector<TaskRef> old;
        for (int times = 0; times < 1'000; ++times)
            old.push_back(takt::spawn([] {}));
        std::vector<TaskRef> fresh;
        for (int times = 0; times < 5'000; ++times)
            fresh.push_back(takt::delay(1ms, [&] { ++ended; }));
        for (const TaskRef task : old)
            EXPECT_EQ(takt::cancel(task), CancelResult::nothing);
        for (std::size_t at = 0; at < fresh.size(); at += 2)
            EXPECT_EQ(takt::cancel(fresh[at]), CancelResult::done);
    });
    actor.send(kGo);
    runtime.step();
    runtime.step();
    EXPECT_EQ(ended, 2'500);
}

TEST_P(TaskLibrary, tasks_that_all_workers_begin_at_once_have_references_of_their_own) {
    constexpr int kEach = 1'500; // more than the first slots there are, by all workers together
    Runtime runtime(config());
    std::vector<std::vector<TaskRef>> tasks(static_cast<std::size_t>(2 * GetParam()));
    std::vector<ActorRef> actors;
    for (std::vector<TaskRef>& own : tasks)
        actors.push_back(runtime.spawn_actor(
            {.worker = static_cast<int>(actors.size()) % GetParam()}, [&](Actor& self) {
                self.bind_parallel(kGo, [&] {
                    for (int count = 0; count < kEach; ++count)
                        own.push_back(takt::spawn([mine = std::make_shared<int>(0)]() -> Task<> {
                            co_await takt::wait(1h);
                        }));
                });
                self.bind_parallel(kAct, [&] {
                    for (const TaskRef task : own)
                        EXPECT_EQ(takt::cancel(task), CancelResult::done);
                });
            }));
    for (int times = 0; times < 2; ++times) { // the second time with the slots of the first
        for (const ActorRef actor : actors)
            actor.send(kGo);
        runtime.step();
        std::set<std::uint32_t> slots;
        for (const std::vector<TaskRef>& own : tasks)
            for (const TaskRef task : own)
                slots.insert(task.slot());
        EXPECT_EQ(slots.size(), tasks.size() * kEach);
        for (const ActorRef actor : actors)
            actor.send(kAct);
        runtime.step();
        for (std::vector<TaskRef>& own : tasks) {
            EXPECT_EQ(own.size(), static_cast<std::size_t>(kEach));
            for (const TaskRef task : own)
                EXPECT_EQ(takt::cancel(task), CancelResult::nothing);
            own.clear();
        }
    }
    expect_law(runtime);
}

TEST_P(TaskLibrary, a_task_of_another_runtime_is_not_cancelled) {
    takt::Config other = config();
    other.workers.pin = false;
    Runtime first(other);
    first.serial();
    bool ran = false;
    const TaskRef mine = takt::delay(0ns, [&] { ran = true; });
    Runtime second(other);
    second.serial();
    const TaskRef theirs = takt::delay(0ns, [] {});
    EXPECT_NE(mine, theirs);
    EXPECT_EQ(takt::cancel(mine), CancelResult::nothing);
    EXPECT_EQ(takt::cancel(theirs), CancelResult::done);
    first.step();
    EXPECT_TRUE(ran);
}

TEST_P(TaskLibrary, an_actors_tasks_go_with_it_wherever_they_are) {
    for (const bool in_same_frame : {true, false}) {
        Runtime runtime(config());
        std::vector<TaskRef> tasks;
        const ActorRef actor = spawn_one(runtime, Phase::parallel, [&] {
            for (const Wait& wait : kWaits)
                tasks.push_back(takt::spawn(wait.body, held));
            const auto never = [mine = held] { ADD_FAILURE() << *mine; };
            tasks.push_back(takt::delay(1h, never));
            tasks.push_back(takt::spawn(hold_for_ever, held));
            takt::cancel(tasks.back()); // what is left of it goes, too
            if (in_same_frame)
                takt::this_actor().destroy();
        });
        actor.send(kGo);
        runtime.step();
        if (!in_same_frame)
            actor.destroy();
        runtime.step();
        EXPECT_EQ(held.use_count(), 1);
        runtime.serial();
        for (const TaskRef task : tasks)
            EXPECT_EQ(takt::cancel(task), CancelResult::nothing);
        runtime.advance(2h);
        runtime.step();
        expect_law(runtime);
    }
}

TEST_P(TaskLibrary, functions_get_the_token_of_the_callers_phase) {
    for (const Phase phase : {Phase::parallel, Phase::serial}) {
        Runtime runtime(config());
        takt::ReadParallel<std::string> trace;
        std::vector<std::string> refused;
        const ActorRef actor = spawn_one(runtime, phase, [&]() -> Task<> {
            const auto note = [&](takt::Serial serial, const char* text) {
                trace.write(serial) += text;
            };
            const auto note_later = [&](takt::Parallel, std::string text) -> Task<> {
                EXPECT_EQ(takt::current_phase(), Phase::parallel);
                const takt::Serial serial = co_await takt::synchronize();
                trace.write(serial) += text;
            };
            try {
                takt::spawn(note, "s");
                takt::defer(note, "d");
                takt::delay(1ms, note, "l");
                takt::spawn(note_later, "x");
            } catch (const takt::PhaseError& error) {
                refused.emplace_back(error.what());
            }
            try {
                takt::spawn(note_later, "s");
                takt::defer(note_later, "d");
                takt::delay(1ms, note_later, "l");
                takt::spawn(note, "x");
            } catch (const takt::PhaseError& error) {
                refused.emplace_back(error.what());
            }
            co_return;
        });
        actor.send(kGo);
        runtime.step();
        runtime.advance(1ms);
        runtime.step();
        EXPECT_EQ(*trace, "sdl");
        const std::string token = phase == Phase::parallel ? "Serial" : "Parallel";
        ASSERT_EQ(refused.size(), 2u); // the last call of one block, the first of the other
        for (const std::string& text : refused) {
            EXPECT_TRUE(text.starts_with("takt: takt::spawn was used in " +
                                         std::string(takt::name_of(phase)) + " by actor"))
                << text;
            EXPECT_NE(text.find("Its function takes a takt::" + token), std::string::npos) << text;
        }
        expect_law(runtime);
    }
}

// --- when_all, when_any --------------------------------------------------------------------------

Task<int> number_in(Phase phase, int number) {
    if (phase == Phase::serial)
        co_await takt::synchronize();
    else
        co_await takt::desynchronize();
    co_return number;
}

Task<std::string> text_after(int frames, std::string text) {
    for (int frame = 0; frame < frames; ++frame)
        co_await takt::next_frame();
    co_return text;
}

Task<> fail_after(int frames, std::string text, std::shared_ptr<int> mine) {
    for (int frame = 0; frame < frames; ++frame)
        co_await takt::next_frame();
    throw std::runtime_error(text + std::to_string(*mine));
}

TEST_P(TaskLibrary, when_all_gives_all_results_in_the_callers_phase) {
    for (const Phase phase : {Phase::parallel, Phase::serial}) {
        Runtime runtime(config());
        std::string trace;
        const ActorRef actor = spawn_one(runtime, phase, [&]() -> Task<> {
            auto [one, two, three] = co_await takt::when_all(
                number_in(Phase::serial, 1), text_after(2, "two"), number_in(Phase::parallel, 3));
            trace += letter() + std::to_string(one) + two + std::to_string(three);
            co_await takt::when_all(text_after(1, ""));
            trace += letter();
            auto [at_once] = co_await takt::when_all(number_in(phase, 4));
            trace += letter() + std::to_string(at_once);
            co_await takt::when_all(takt::Task<>([]() -> Task<> { co_return; }()));
            auto [changed] = co_await takt::when_all(
                number_in(phase == Phase::serial ? Phase::parallel : Phase::serial, 5));
            trace += letter() + std::to_string(changed);
        });
        actor.send(kGo);
        for (int frame = 0; frame < 6; ++frame)
            runtime.step();
        EXPECT_EQ(trace, phase == Phase::parallel ? "p1two3pp4p5" : "s1two3ss4s5");
        expect_law(runtime);
    }
}

TEST_P(TaskLibrary, when_all_throws_the_first_exception_after_the_others_have_ended) {
    Runtime runtime(config());
    std::string caught;
    std::uint64_t frame = 0;
    long left = -1;
    const ActorRef actor = spawn_one(runtime, Phase::parallel, [&]() -> Task<> {
        try {
            co_await takt::when_all(fail_after(2, "second", held), fail_after(1, "first", held),
                                    text_after(4, "last"));
        } catch (const std::runtime_error& error) {
            caught = error.what();
            frame = runtime.heartbeat().now().frame;
        }
        left = held.use_count();
    });
    actor.send(kGo);
    for (int frames = 0; frames < 6; ++frames)
        runtime.step();
    EXPECT_EQ(caught, "first0");
    EXPECT_EQ(frame, 5u);
    EXPECT_EQ(left, 1);
    EXPECT_EQ(runtime.mail().handled, 1u);
    expect_law(runtime);
}

TEST_P(TaskLibrary, when_any_gives_the_first_and_cancels_the_others) {
    for (const Phase phase : {Phase::parallel, Phase::serial}) {
        Runtime runtime(config());
        std::string trace;
        long left = -1;
        const ActorRef actor = spawn_one(runtime, phase, [&]() -> Task<> {
            const std::variant<std::monostate, std::string, std::string> won =
                co_await takt::when_any(hold_for_ever(held), text_after(2, "fast"),
                                        text_after(3, "slow"));
            left = held.use_count();
            trace += letter() + std::to_string(won.index()) + std::get<1>(won);
            // In another phase than the caller's.
            const auto turned = co_await takt::when_any(
                hold_for_ever(held),
                number_in(phase == Phase::serial ? Phase::parallel : Phase::serial, 6));
            trace += letter() + std::to_string(std::get<1>(turned));
        });
        actor.send(kGo);
        for (int frame = 0; frame < 6; ++frame)
            runtime.step();
        runtime.advance(2h);
        runtime.step();
        EXPECT_EQ(trace, phase == Phase::parallel ? "p1fastp6" : "s1fasts6");
        EXPECT_EQ(left, 1);
        EXPECT_EQ(held.use_count(), 1);
        expect_law(runtime);
    }
}

TEST_P(TaskLibrary, when_any_begins_no_more_once_one_has_ended_and_throws_what_that_threw) {
    Runtime runtime(config());
    std::string caught;
    std::size_t index = 99;
    const ActorRef actor = spawn_one(runtime, Phase::parallel, [&]() -> Task<> {
        const auto never = []() -> Task<> {
            ADD_FAILURE() << "began";
            co_return;
        };
        index =
            (co_await takt::when_any(hold_for_ever(held), text_after(0, "now"), never())).index();
        try {
            co_await takt::when_any(hold_for_ever(held), fail_after(1, "lost", held));
        } catch (const std::runtime_error& error) {
            caught = error.what();
        }
    });
    actor.send(kGo);
    runtime.step();
    runtime.step();
    EXPECT_EQ(index, 1u);
    EXPECT_EQ(caught, "lost0");
    EXPECT_EQ(held.use_count(), 1);
    expect_law(runtime);
}

TEST_P(TaskLibrary, any_number_of_tasks_of_one_type_are_awaited_together) {
    for (const Phase phase : {Phase::parallel, Phase::serial}) {
        Runtime runtime(config());
        std::string trace;
        std::vector<std::string> texts;
        std::vector<int> none{1};
        const ActorRef actor = spawn_one(runtime, phase, [&]() -> Task<> {
            std::vector<Task<std::string>> tasks;
            for (int number = 0; number < 200; ++number)
                tasks.push_back(text_after(number % 3, std::to_string(number)));
            texts = co_await takt::when_all(std::move(tasks));
            trace += letter();
            none = co_await takt::when_all(std::vector<Task<int>>());
            std::vector<Task<>> turned;
            for (int number = 0; number < 3; ++number)
                turned.push_back([](Phase other) -> Task<> {
                    co_await number_in(other, 0);
                }(phase == Phase::serial ? Phase::parallel : Phase::serial));
            co_await takt::when_all(std::move(turned));
            trace += letter();
        });
        actor.send(kGo);
        for (int frame = 0; frame < 6; ++frame)
            runtime.step();
        EXPECT_EQ(trace, phase == Phase::parallel ? "pp" : "ss");
        EXPECT_TRUE(none.empty());
        ASSERT_EQ(texts.size(), 200u);
        for (int number = 0; number < 200; ++number)
            EXPECT_EQ(texts[static_cast<std::size_t>(number)], std::to_string(number));
        expect_law(runtime);
    }
}

TEST_P(TaskLibrary, when_all_of_many_throws_the_first_exception_after_the_others_have_ended) {
    Runtime runtime(config());
    std::string caught;
    long left = -1;
    const ActorRef actor = spawn_one(runtime, Phase::parallel, [&]() -> Task<> {
        std::vector<Task<>> tasks;
        tasks.push_back(fail_after(2, "second", held));
        tasks.push_back(fail_after(1, "first", held));
        try {
            co_await takt::when_all(std::move(tasks));
        } catch (const std::runtime_error& error) {
            caught = error.what();
        }
        left = held.use_count();
    });
    actor.send(kGo);
    for (int frames = 0; frames < 4; ++frames)
        runtime.step();
    EXPECT_EQ(caught, "first0");
    EXPECT_EQ(left, 1);
    expect_law(runtime);
}

TEST_P(TaskLibrary, when_any_of_many_gives_the_place_and_the_result_of_the_first) {
    Runtime runtime(config());
    std::pair<std::size_t, std::string> won;
    std::size_t place = 99;
    std::string refused;
    const ActorRef actor = spawn_one(runtime, Phase::parallel, [&]() -> Task<> {
        std::vector<Task<std::string>> texts;
        for (const int frames : {3, 1, 2})
            texts.push_back(text_after(frames, std::to_string(frames)));
        won = co_await takt::when_any(std::move(texts));
        std::vector<Task<>> tasks;
        tasks.push_back(hold_for_ever(held));
        tasks.push_back([]() -> Task<> { co_await takt::next_frame(); }());
        place = co_await takt::when_any(std::move(tasks));
        try {
            co_await takt::when_any(std::vector<Task<>>());
        } catch (const std::invalid_argument& error) {
            refused = error.what();
        }
    });
    actor.send(kGo);
    for (int frames = 0; frames < 4; ++frames)
        runtime.step();
    EXPECT_EQ(won, std::pair(std::size_t{1}, std::string("1")));
    EXPECT_EQ(place, 1u);
    EXPECT_EQ(refused, "takt::when_any of no tasks would never go on");
    EXPECT_EQ(held.use_count(), 1);
    expect_law(runtime);
}

TEST_P(TaskLibrary, members_may_end_on_background_threads_or_be_left_there) {
    Runtime runtime(config());
    std::atomic<bool> over = false;
    int sum = 0;
    std::size_t winner = 99;
    const auto away = [&over, this](int number) -> Task<int> {
        const std::shared_ptr<int> mine = held;
        co_await takt::offload();
        while (!over.load())
            std::this_thread::yield();
        co_return number + *mine;
    };
    const ActorRef actor = spawn_one(runtime, Phase::parallel, [&]() -> Task<> {
        winner = (co_await takt::when_any(away(1), text_after(1, ""))).index();
        const auto both = co_await takt::when_all(away(2), away(3));
        sum = std::get<0>(both) + std::get<1>(both);
        EXPECT_EQ(takt::current_phase(), Phase::parallel);
    });
    const ActorRef other = spawn_one(runtime, Phase::parallel, [&]() -> Task<> {
        co_await takt::when_all(away(4), away(5));
        ADD_FAILURE() << "it is gone";
    });
    actor.send(kGo);
    other.send(kGo);
    runtime.step();
    runtime.step();
    EXPECT_EQ(winner, 1u);
    other.destroy();
    runtime.step();
    over.store(true);
    runtime.run_until_idle();
    EXPECT_EQ(sum, 5);
    EXPECT_EQ(held.use_count(), 1);
    expect_law(runtime);
}

TEST_P(TaskLibrary, on_a_background_thread_a_task_begins_no_others) {
    Runtime runtime(config());
    int refused = 0;
    const ActorRef actor = spawn_one(runtime, Phase::parallel, [&]() -> Task<> {
        co_await takt::offload();
        try {
            co_await takt::when_all(hold_for_ever(held));
        } catch (const takt::PhaseError&) {
            ++refused;
        }
        try {
            takt::spawn(hold_for_ever, held);
        } catch (const takt::PhaseError&) {
            ++refused;
        }
        co_await takt::synchronize();
        refused += 10;
    });
    actor.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(refused, 12);
    EXPECT_EQ(held.use_count(), 1);
    expect_law(runtime);
}

TEST_P(TaskLibrary, a_million_groups_in_a_loop_do_not_grow_the_stack) {
    Runtime runtime(config());
    int count = 0;
    const ActorRef actor = spawn_one(runtime, Phase::parallel, [&]() -> Task<> {
        const auto one = []() -> Task<int> { co_return 1; };
        for (int round = 0; round < 300'000; ++round)
            count += std::get<0>(co_await takt::when_all(one(), one()));
        const auto deep = [](auto self, int levels) -> Task<int> {
            if (levels == 0)
                co_await takt::next_frame();
            else
                co_return 1 + std::get<0>(co_await takt::when_any(self(self, levels - 1)));
            co_return 0;
        };
        count += std::get<0>(co_await takt::when_all(deep(deep, 500)));
    });
    actor.send(kGo);
    runtime.step();
    runtime.step();
    EXPECT_EQ(count, 300'500);
    expect_law(runtime);
}

// --- all of it -----------------------------------------------------------------------------------

std::string run_world(int workers) {
    Runtime runtime({.workers = {.count = workers},
                     .frame = {.delivery = takt::Delivery::next_round},
                     .clock = {.kind = takt::ClockKind::virtual_time}});
    std::string trace;
    std::map<std::uint64_t, TaskRef> tasks; // written in the serial phase
    const auto note = [&trace](const char* what, int number) {
        takt::commit([&trace, what, who = takt::this_actor().id(), number] {
            trace += std::to_string(who) + what + std::to_string(number) + " ";
        });
    };
    std::vector<ActorRef> actors;
    for (int at = 0; at < 12; ++at)
        actors.push_back(runtime.spawn_actor({}, [&](Actor& self) {
            self.bind_parallel(kNumber, [&](int number) -> Task<> {
                const auto id = static_cast<int>(takt::this_actor().id());
                takt::spawn([&note, number] { note("spawn", number); });
                takt::defer([&note, number] { note("defer", number); });
                const TaskRef later =
                    takt::delay((number % 4) * kStep, [&note, number] { note("delay", number); });
                if ((number + id) % 3 == 0)
                    note("cancel", static_cast<int>(takt::cancel(later)));
                const auto neighbour = tasks.find(static_cast<std::uint64_t>(1 + id % 12));
                if (number % 5 == 0 && neighbour != tasks.end())
                    takt::cancel(neighbour->second);
                takt::commit(
                    [&tasks, id, later] { tasks[static_cast<std::uint64_t>(id)] = later; });
                const auto won = co_await takt::when_any(text_after(number % 3, ""),
                                                         number_in(Phase::serial, number));
                note("won", static_cast<int>(won.index()));
                co_await takt::when_all(text_after(1, ""), text_after((id + number) % 2, ""));
                note("all", number);
            });
        }));
    for (int number = 0; number < 20; ++number) {
        for (std::size_t at = 0; at < actors.size(); ++at)
            actors[at].send(kNumber, number + static_cast<int>(at));
        runtime.step();
    }
    for (int frame = 0; frame < 8; ++frame)
        runtime.step();
    return trace;
}

TEST(TaskLibraryRun, is_the_same_for_any_number_of_workers) {
    const std::string of_one = run_world(1);
    EXPECT_NE(of_one.find("cancel0"), std::string::npos);
    EXPECT_NE(of_one.find("delay"), std::string::npos);
    EXPECT_EQ(run_world(2), of_one);
    EXPECT_EQ(run_world(4), of_one);
}

INSTANTIATE_TEST_SUITE_P(workers, TaskLibrary, testing::Values(1, 2, 4));

} // namespace
