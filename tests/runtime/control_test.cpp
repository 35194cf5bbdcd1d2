// SPDX-License-Identifier: MIT
// Who runs a runtime, when its frames come, and what is said to who uses it wrongly.
#include "runtime/expect_law.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::ActorRef;
using takt::Phase;
using takt::Runtime;
using takt::SendResult;
using takt::Task;
using takt::testing_support::expect_law;
using Clock = std::chrono::steady_clock;

// Of what takes 0.2 s: four workers on two busy CPUs, under a sanitizer, may need ten times that.
constexpr auto kFarTooLong = 20s;

constexpr takt::Topic<> kGo{"Go"};
constexpr takt::Topic<int> kNumber{"Number"};
constexpr takt::Topic<ActorRef, int> kBall{"Ball"};

class Control : public testing::TestWithParam<int> {
  protected:
    takt::Config config() const {
        return {.workers = {.count = GetParam()},
                .failure = {.policy = takt::FailurePolicy::resume}};
    }
    takt::Config unpinned() const { return {.workers = {.count = GetParam(), .pin = false}}; }
    takt::Config paced(takt::Pacing pacing) const {
        takt::Config with = config();
        with.frame.pacing = pacing;
        return with;
    }
};

// --- stop -----------------------------------------------------------------------------------------

Runtime* g_runtime = nullptr;

TEST_P(Control, stop_comes_from_a_signal_handler_another_thread_or_a_handler) {
    for (const takt::Pacing pacing :
         {takt::Pacing::manual, takt::Pacing::fixed, takt::Pacing::on_demand}) {
        Runtime runtime(paced(pacing));
        g_runtime = &runtime;
        auto* const before = std::signal(SIGUSR1, [](int) { g_runtime->stop(); });
        const pthread_t frame_thread = pthread_self();
        std::thread killer([&] {
            std::this_thread::sleep_for(5ms);
            pthread_kill(frame_thread, SIGUSR1);
        });
        runtime.run();
        killer.join();
        std::signal(SIGUSR1, before);

        std::thread other([&] {
            std::this_thread::sleep_for(5ms);
            runtime.stop();
        });
        runtime.run();
        other.join();

        const ActorRef actor = runtime.spawn_actor(
            {}, [&](Actor& self) { self.bind_parallel(kGo, [&] { runtime.stop(); }); });
        actor.send(kGo);
        runtime.run();
        expect_law(runtime);
    }
}

TEST_P(Control, a_stop_that_comes_before_run_is_not_lost) {
    Runtime runtime(paced(takt::Pacing::on_demand));
    runtime.stop();
    runtime.run();
    runtime.stop();
    EXPECT_EQ(runtime.run_until_idle(), 1u);
}

TEST_P(Control, stop_ends_run_until_idle_of_actors_that_write_for_ever) {
    Runtime runtime(config());
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind(kNumber, [&](int number) {
            if (number == 200)
                runtime.stop();
            takt::this_actor().ref().send(kNumber, number + 1);
        });
    });
    actor.send(kNumber, 0);
    runtime.run_until_idle();
    expect_law(runtime);
}

TEST_P(Control, a_flood_from_outside_does_not_hang_a_frame) {
    takt::Config with = config();
    with.mail.outside_bytes = 16 * 1024;
    Runtime runtime(with);
    std::atomic<bool> stop{false};
    const ActorRef actor =
        runtime.spawn_actor({}, [](Actor& self) { self.bind_parallel(kNumber, [](int) {}); });
    std::vector<std::thread> senders;
    for (int sender = 0; sender < 2; ++sender)
        senders.emplace_back([&] {
            takt::MailProducer producer = runtime.producer();
            while (!stop.load())
                static_cast<void>(producer.send(actor, kNumber, 1));
        });
    for (int frame = 0; frame < 50; ++frame)
        EXPECT_LE(runtime.step().rounds, 10u);
    stop.store(true);
    for (std::thread& sender : senders)
        sender.join();
    runtime.run_until_idle();
    expect_law(runtime);
    EXPECT_EQ(runtime.outside_mail().inside(), 0u);
}

// --- who is the frame thread ----------------------------------------------------------------------

TEST_P(Control, a_second_thread_takes_over_and_the_first_one_is_outside_then) {
    auto runtime = std::make_unique<Runtime>(config());
    std::atomic<int> handled{0};
    const auto setup = [&](Actor& self) { self.bind_parallel(kNumber, [&](int) { ++handled; }); };
    const ActorRef actor = runtime->spawn_actor({}, setup);
    std::atomic<bool> taken{false};
    std::thread second([&] {
        EXPECT_EQ(takt::current_phase(), Phase::outside);
        EXPECT_THROW(runtime->spawn_actor({}, setup), takt::PhaseError);
        static_cast<void>(runtime->serial());
        runtime->spawn_actor({}, setup).send(kNumber, 0);
        taken.store(true);
        runtime->run_until([&] { return handled.load() == 1001; });
    });
    while (!taken.load())
        std::this_thread::yield();
    EXPECT_EQ(takt::current_phase(), Phase::outside);
    EXPECT_THROW(runtime->spawn_actor({}, setup), takt::PhaseError);
    EXPECT_THROW(takt::spawn_actor({}, setup), takt::PhaseError);
    for (int number = 0; number < 1000; ++number) // through the gate
        EXPECT_EQ(actor.try_send(kNumber, number), SendResult::ok);
    second.join();
    static_cast<void>(runtime->serial()); // from a thread that has ended
    EXPECT_EQ(takt::current_phase(), Phase::serial);
    runtime->spawn_actor({}, setup);
    expect_law(*runtime);
    runtime.reset();
    EXPECT_EQ(takt::current_phase(), Phase::outside);
}

TEST_P(Control, a_runtime_made_by_one_thread_may_be_destroyed_by_another) {
    auto runtime = std::make_unique<Runtime>(config());
    const ActorRef actor = runtime->spawn_actor({}, [](Actor&) {});
    std::thread([&] {
        runtime->step();
        runtime.reset();
    }).join();
    EXPECT_EQ(takt::current_phase(), Phase::outside);
    EXPECT_EQ(actor.try_send(kGo), SendResult::closed);
    actor.destroy();
    Runtime next(config());
    EXPECT_EQ(takt::current_phase(), Phase::serial);
}

TEST_P(Control, two_runtimes_in_one_process_write_to_each_other) {
    takt::Config one_config = config();
    one_config.workers.pin = false; // they share the CPUs
    Runtime one(one_config);
    Runtime other(one_config);
    int hits = 0;
    const auto player = [&](Actor& self) {
        self.bind_parallel(kBall, [&, name = self.name()](ActorRef from, int count) {
            if (count == 0)
                ++hits;
            else if (from.try_send(kBall, takt::this_actor().ref(), count - 1) != SendResult::ok)
                ADD_FAILURE();
        });
    };
    const ActorRef here = one.spawn_actor({.name = "here"}, player);
    const ActorRef there = other.spawn_actor({.name = "there"}, player);
    EXPECT_TRUE(there.alive());
    here.send(kBall, there, 100);
    for (int frame = 0; frame < 120 && hits == 0; ++frame) {
        one.step();
        other.step();
    }
    EXPECT_EQ(hits, 1);
    here.destroy();
    one.step();
    EXPECT_FALSE(here.alive());
    other.spawn_actor({}, player); // whose thread this is, too
    EXPECT_EQ(other.actors(), 2u);
    expect_law(one);
    expect_law(other);
}

TEST_P(Control, connections_end_from_outside_and_after_their_runtime) {
    takt::ScopedConnection outlives;
    takt::Connection other_threads;
    int beats = 0;
    {
        Runtime runtime(config());
        const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
            outlives = self.bind(kGo, [&] { ++beats; });
            other_threads = self.bind(kNumber, [&](int) { ++beats; });
        });
        actor.send(kNumber, 1);
        runtime.run_until_idle();
        std::thread([&] { other_threads.disconnect(); }).join();
        runtime.run_until_idle();
        actor.send(kNumber, 1);
        actor.send(kGo);
        runtime.run_until_idle();
        EXPECT_EQ(beats, 2);
        expect_law(runtime, 1);
    }
}

TEST_P(Control, mail_that_comes_right_after_the_disconnection_is_kept) {
    static constexpr takt::Topic<std::unique_ptr<int>> owned{"Owned"};
    Runtime runtime(config());
    int handled = 0;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        takt::Connection number = self.bind_parallel(kNumber, [&](int) { ++handled; });
        takt::Connection beat = runtime.heartbeat().connect([&](takt::FrameTime) { ++handled; });
        self.bind_parallel(kGo, [number, beat, &handled]() mutable {
            number.disconnect();
            beat.disconnect();
            Actor& me = takt::this_actor();
            me.bind(owned, [&](auto&&) { ++handled; }).disconnect();
            me.bind(owned, [&](auto&&) { ++handled; }); // the first one is no handler any more
        });
    });
    runtime.step();
    EXPECT_EQ(handled, 1);
    actor.send(kGo);
    actor.send(kNumber, 1); // the same round
    actor.send(owned, std::make_unique<int>(1));
    runtime.step();
    const int after = handled;
    runtime.step();
    EXPECT_EQ(handled, after);
    EXPECT_LE(handled, 3); // the heartbeat was there before
    expect_law(runtime, runtime.mail().in_flight);
    EXPECT_GE(runtime.mail().in_flight, 1u);
    actor.destroy();
    runtime.step();
    expect_law(runtime);
}

// --- frames ---------------------------------------------------------------------------------------

TEST_P(Control, heartbeats_come_once_a_frame_to_each_handler) {
    Runtime runtime(config());
    std::atomic<int> first{0};
    std::atomic<int> second{0};
    std::atomic<int> late{0};
    std::vector<std::uint64_t> failures;
    runtime.on_failure([&](const takt::Failure& what) { failures.push_back(what.frame); });
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        runtime.heartbeat().connect_parallel([&](takt::FrameTime) { ++first; });
        runtime.heartbeat().connect([&](takt::FrameTime time) {
            ++second;
            if (time.frame == 2)
                throw std::runtime_error("second");
        });
        self.bind_parallel(
            kGo, [&] { runtime.heartbeat().connect_parallel([&](takt::FrameTime) { ++late; }); });
    });
    std::vector<ActorRef> more;
    for (int index = 0; index < 20; ++index)
        more.push_back(runtime.spawn_actor({}, [&](Actor& self) {
            self.bind_parallel(kGo, [&] {
                runtime.heartbeat().connect_parallel([&](takt::FrameTime) { ++late; });
            });
        }));
    for (int frame = 0; frame < 3; ++frame)
        runtime.step();
    EXPECT_EQ(first.load(), 3);
    EXPECT_EQ(second.load(), 3);
    EXPECT_EQ(failures, std::vector<std::uint64_t>{2});
    actor.send(kGo);
    for (const ActorRef one : more)
        one.send(kGo);
    runtime.step();
    late = 0;
    runtime.step();
    EXPECT_EQ(late.load(), 21);
    EXPECT_EQ(first.load(), 5);
    expect_law(runtime);
}

TEST_P(Control, what_posted_functions_and_commits_throw_is_reported) {
    Runtime runtime(config());
    std::vector<std::string> failures;
    runtime.on_failure([&](const takt::Failure& what) { failures.push_back(what.text()); });
    EXPECT_EQ(runtime.post([] { throw std::runtime_error("posted"); }), SendResult::ok);
    EXPECT_EQ(runtime.post([&] { runtime.step(); }), SendResult::ok);
    int committed = 0;
    const ActorRef actor = runtime.spawn_actor({.name = "a"}, [&](Actor& self) {
        self.bind_parallel(kGo, [&] {
            takt::commit([] { throw std::runtime_error("committed"); });
            takt::commit([] { throw 5; });
            takt::commit([&] { ++committed; });
        });
    });
    actor.send(kGo);
    runtime.run_until_idle();
    ASSERT_EQ(failures.size(), 4u);
    EXPECT_NE(failures[0].find("code outside actors, failed: posted"), std::string::npos);
    EXPECT_NE(failures[1].find("takt: takt::Runtime::step was used in the serial phase"),
              std::string::npos)
        << failures[1];
    EXPECT_NE(failures[2].find("actor \"a\", failed: committed"), std::string::npos);
    EXPECT_NE(failures[3].find("something that is no std::exception"), std::string::npos);
    EXPECT_EQ(committed, 1);
    EXPECT_EQ(runtime.mail().handled, 1u);
    expect_law(runtime);
}

TEST_P(Control, fixed_pacing_keeps_its_rate_and_counts_what_it_skips) {
    takt::Config with = paced(takt::Pacing::fixed);
    with.frame.rate_hz = 200;
    with.frame.catch_up_max = 1;
    Runtime runtime(with);
    const auto begin = Clock::now();
    std::uint64_t frames = 0;
    runtime.run_until([&] { return ++frames == 40; });
    const auto took = Clock::now() - begin;
    EXPECT_GE(took + 5ms * runtime.skipped_frames(), 39 * 5ms - 1ms);
    EXPECT_LT(took, kFarTooLong);
    // One frame takes as long as ten: nine are late, one is made up for.
    const std::uint64_t before = runtime.skipped_frames();
    const ActorRef actor = runtime.spawn_actor(
        {}, [](Actor& self) { self.bind(kGo, [] { std::this_thread::sleep_for(52ms); }); });
    actor.send(kGo);
    frames = 0;
    runtime.run_until([&] { return ++frames == 3; });
    EXPECT_GE(runtime.skipped_frames() - before, 8u);
}

TEST_P(Control, on_demand_starts_for_outside_mail_timers_and_listeners) {
    Runtime runtime(paced(takt::Pacing::on_demand));
    std::atomic<int> handled{0};
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kNumber, [&](int) -> Task<> {
            co_await takt::wait(3ms);
            if (++handled == 3)
                runtime.stop();
        });
    });
    std::thread sender([&] {
        for (int number = 0; number < 3; ++number) {
            std::this_thread::sleep_for(4ms);
            EXPECT_EQ(actor.try_send(kNumber, number), SendResult::ok);
        }
    });
    runtime.run();
    sender.join();
    EXPECT_EQ(handled.load(), 3);
    expect_law(runtime);
}

TEST_P(Control, run_for_ends_in_time_with_every_pacing_also_when_nothing_is_to_be_done) {
    for (const takt::Pacing pacing :
         {takt::Pacing::manual, takt::Pacing::fixed, takt::Pacing::on_demand})
        for (const takt::ClockKind clock : {takt::ClockKind::real, takt::ClockKind::virtual_time}) {
            takt::Config with = paced(pacing);
            with.clock.kind = clock;
            Runtime runtime(with);
            if (clock == takt::ClockKind::real)
                std::this_thread::sleep_for(5ms); // what passed before the call does not count
            const auto begin = Clock::now();
            runtime.run_for(30ms);
            if (clock == takt::ClockKind::real) {
                EXPECT_GE(Clock::now() - begin, 30ms);
            }
            EXPECT_LT(Clock::now() - begin, kFarTooLong);
        }
}

TEST_P(Control, a_phase_ends_by_its_budget_in_messages_and_in_time) {
    takt::Config with = config();
    with.frame.phase_messages = 10;
    with.frame.max_rounds = 1;
    int handled = 0;
    const auto count = [&](Actor& self) {
        self.bind_parallel(kNumber, [&](int sleep_ms) {
            ++handled;
            if (sleep_ms > 0)
                std::this_thread::sleep_for(std::chrono::milliseconds(sleep_ms));
        });
    };
    {
        Runtime runtime(with);
        const ActorRef actor = runtime.spawn_actor({}, count);
        for (int number = 0; number < 35; ++number)
            actor.send(kNumber, 0);
        EXPECT_TRUE(runtime.step().left_over);
        EXPECT_EQ(handled, 10);
        EXPECT_EQ(runtime.run_until_idle(), 3u);
        EXPECT_EQ(handled, 35);
        expect_law(runtime);
    }
    with.frame.phase_messages.reset();
    with.frame.phase_time_ns = 2'000'000;
    handled = 0;
    Runtime runtime(with);
    const ActorRef actor = runtime.spawn_actor({}, count);
    for (int number = 0; number < 200; ++number)
        actor.send(kNumber, 1);
    EXPECT_TRUE(runtime.step().left_over);
    EXPECT_LE(handled, 64); // it looks at the clock once in a batch
    runtime.run_until_idle();
    EXPECT_EQ(handled, 200);
}

TEST_P(Control, a_worker_that_falls_behind_refuses_mail_as_full_and_nothing_is_lost) {
    takt::Config with = config();
    with.mail.worker_bytes = 64 * 1024;
    Runtime runtime(with);
    constexpr takt::Topic<std::array<char, 100>> bulk{"Bulk"};
    std::uint64_t handled = 0;
    int resumed = 0;
    const ActorRef actor = runtime.spawn_actor({.worker = 0}, [&](Actor& self) {
        self.bind_parallel(bulk, [&](const std::array<char, 100>&) { ++handled; });
        self.bind(kGo, [&]() -> Task<> { // its way back is not refused
            co_await takt::desynchronize();
            ++resumed;
        });
    });
    actor.send(kGo);
    std::uint64_t accepted = 0;
    SendResult result = SendResult::ok;
    while ((result = actor.try_send(bulk, std::array<char, 100>())) == SendResult::ok)
        ASSERT_LT(++accepted, 10'000u);
    EXPECT_EQ(result, SendResult::full);
    EXPECT_EQ(runtime.refused(SendResult::full), 1u);
    EXPECT_GE(accepted, 64u * 1024 / static_cast<unsigned>(GetParam()) / 300);
    runtime.run_until_idle();
    EXPECT_EQ(handled, accepted);
    EXPECT_EQ(resumed, 1);
    // And from a handler, round after round: what was read makes room at once.
    const ActorRef sender = runtime.spawn_actor({.worker = 0}, [&](Actor& self) {
        self.bind_parallel(kNumber, [&](int left) {
            EXPECT_EQ(actor.try_send(bulk, std::array<char, 100>()), SendResult::ok);
            if (left > 0)
                takt::this_actor().ref().send(kNumber, left - 1);
        });
    });
    sender.send(kNumber, 5000);
    runtime.run_until_idle();
    EXPECT_EQ(handled, accepted + 5001);
    expect_law(runtime);
}

// --- used wrongly ---------------------------------------------------------------------------------

std::string text_of(const std::function<void()>& use) {
    try {
        use();
    } catch (const takt::PhaseError& error) {
        return error.what();
    }
    return "nothing";
}

TEST_P(Control, a_phase_error_names_member_phase_actor_and_remedy) {
    Runtime runtime(config());
    takt::ReadParallel<int> value(1);
    std::string in_parallel;
    std::string step;
    std::string shutdown;
    std::string bind;
    std::string moved;
    Actor* other = nullptr;
    runtime.spawn_actor({}, [&](Actor& self) { other = &self; });
    const ActorRef actor = runtime.spawn_actor({.name = "wrong"}, [&](Actor& self) {
        self.bind_parallel(kGo, [&]() -> Task<> {
            const takt::Serial token = co_await takt::synchronize();
            value.write(token) = 2;
            co_await takt::desynchronize();
            in_parallel = text_of([&] { value.write(token) = 3; }); // kept across an await
            step = text_of([&] { runtime.step(); });
            shutdown = text_of([&] { static_cast<void>(runtime.shutdown(0ns)); });
            bind = text_of([&] { other->bind(kGo, [] {}); });
            moved = text_of([&] { runtime.move(takt::this_actor().ref(), 0); });
        });
    });
    actor.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(in_parallel,
              "takt: takt::ReadParallel::write was used in the parallel phase by actor \"wrong\". "
              "It is Read Parallel: read in both phases, written in the serial phase. "
              "Call it from the serial phase: from a handler that was bound "
              "with bind(), from commit(), or after co_await takt::synchronize().");
    EXPECT_NE(step.find("Runtime::step was used in the parallel phase by actor \"wrong\""),
              std::string::npos)
        << step;
    EXPECT_NE(shutdown.find("Runtime::shutdown"), std::string::npos) << shutdown;
    EXPECT_NE(bind.find("Actor::bind"), std::string::npos) << bind;
    EXPECT_NE(moved.find("Runtime::move"), std::string::npos) << moved;
    EXPECT_EQ(value.read(), 2);
    std::string outside;
    std::thread([&] {
        outside = text_of([&] { static_cast<void>(value.read()); });
        EXPECT_NE(text_of([] { takt::this_actor(); }).find("takt::this_actor"), std::string::npos);
        EXPECT_NE(text_of([] { takt::commit([] {}); }).find("takt::commit"), std::string::npos);
        EXPECT_NE(text_of([&] { runtime.step(); }), "");
    }).join();
    EXPECT_NE(
        outside.find("takt::ReadParallel::read was used outside the frame. It is Read Parallel"),
        std::string::npos)
        << outside;
    try {
        takt::this_actor();
        ADD_FAILURE();
    } catch (const takt::PhaseError& error) {
        EXPECT_EQ(error.member(), "takt::this_actor");
        EXPECT_EQ(error.actor(), "");
    }
}

TEST_P(Control, checks_can_be_off_or_always) {
    for (const takt::CheckLevel level : {takt::CheckLevel::off, takt::CheckLevel::always}) {
        takt::Config with = config();
        with.checks.level = level;
        Runtime runtime(with);
        std::uint64_t failures = 0;
        runtime.on_failure([&](const takt::Failure&) { ++failures; });
        takt::ReadParallel<int> value(1);
        const takt::Serial kept = runtime.serial();
        const ActorRef actor = runtime.spawn_actor(
            {}, [&](Actor& self) { self.bind_parallel(kGo, [&] { value.write(kept) = 2; }); });
        actor.send(kGo);
        runtime.run_until_idle();
        EXPECT_EQ(failures, level == takt::CheckLevel::always ? 1u : 0u);
        EXPECT_EQ(value.read(), level == takt::CheckLevel::always ? 1 : 2);
    }
}

TEST(ControlDeath, on_violation_abort_ends_the_program_with_the_text) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(
        {
            Runtime runtime({.workers = {.count = 1},
                             .checks = {.level = takt::CheckLevel::always,
                                        .on_violation = takt::OnViolation::abort}});
            takt::ReadParallel<int> value(1);
            const takt::Serial kept = runtime.serial();
            const ActorRef actor = runtime.spawn_actor({.name = "wrong"}, [&](Actor& self) {
                self.bind_parallel(kGo, [&] { value.write(kept) = 2; });
            });
            actor.send(kGo);
            runtime.step();
        },
        "ReadParallel::write was used in the parallel phase by actor \"wrong\"");
}

TEST(ControlDeath, the_failure_policy_abort_ends_the_program_with_the_failure) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(
        {
            Runtime runtime({.workers = {.count = 1}});
            const ActorRef actor = runtime.spawn_actor(
                {.name = "vital", .on_failure = takt::FailurePolicy::abort}, [](Actor& self) {
                    self.bind_parallel(kGo, [] { throw std::runtime_error("broken"); });
                });
            actor.send(kGo);
            runtime.step();
        },
        "actor \"vital\", topic \"Go\", failed: broken\ntakt: the actor's failure policy is abort");
}

TEST_P(Control, a_task_between_frames_neither_steps_nor_shuts_down_its_runtime) {
    Runtime runtime(config());
    std::vector<std::string> refused;
    bool ended = false;
    takt::spawn([&, text = std::make_unique<std::string>("alive")] {
        for (const auto& use : {std::function<void()>([&] { runtime.step(); }),
                                std::function<void()>([&] { runtime.shutdown(0s); })})
            try {
                use();
            } catch (const takt::PhaseError& error) {
                refused.emplace_back(error.what());
            }
        ended = *text == "alive";
    });
    EXPECT_TRUE(ended);
    ASSERT_EQ(refused.size(), 2u);
    for (const std::string& text : refused)
        EXPECT_NE(text.find("a task or a listener is running; call it after its end"),
                  std::string::npos)
            << text;
    runtime.step();
    expect_law(runtime);
}

TEST_P(Control, what_is_made_in_another_runtime_is_refused_in_a_handler_and_changes_nothing) {
    Runtime other(unpinned());
    takt::Signal<> heard(other, "heard");
    Runtime runtime(unpinned());
    std::vector<std::string> refused;
    for (const Phase phase : {Phase::serial, Phase::parallel}) {
        refused.clear();
        const ActorRef actor = runtime.spawn_actor({.name = "here"}, [&](Actor& self) {
            const auto handler = [&] {
                for (const auto& use :
                     {std::function<void()>([&] { heard.connect([] {}); }),
                      std::function<void()>([&] { other.spawn_actor({}, [](Actor&) {}); })})
                    try {
                        use();
                    } catch (const takt::PhaseError& error) {
                        refused.emplace_back(error.what());
                    }
                EXPECT_EQ(takt::this_actor().name(), "here");
                EXPECT_EQ(takt::current_phase(), phase);
            };
            if (phase == Phase::serial)
                self.bind(kGo, handler);
            else
                self.bind_parallel(kGo, handler);
        });
        actor.send(kGo);
        runtime.run_until_idle();
        ASSERT_EQ(refused.size(), 2u);
        for (const std::string& text : refused)
            EXPECT_NE(text.find("another runtime's than the code that calls it"), std::string::npos)
                << text;
        expect_law(runtime);
    }
}

INSTANTIATE_TEST_SUITE_P(workers, Control, testing::Values(1, 2, 4));

TEST(VirtualClock, does_not_go_back) {
    Runtime runtime(
        {.workers = {.count = 1, .pin = false}, .clock = {.kind = takt::ClockKind::virtual_time}});
    try {
        runtime.advance(-1ns);
        ADD_FAILURE() << "it went back";
    } catch (const takt::Error& error) {
        EXPECT_STREQ(error.what(), "takt: by = \"-1 ns\": time does not go back. Give the time by "
                                   "which the next frame is later.");
    }
    runtime.step();
    const std::int64_t before_ns = runtime.last_frame().time.time_ns;
    runtime.advance(0ns);
    runtime.step();
    EXPECT_GT(runtime.last_frame().time.time_ns, before_ns);
}

} // namespace
