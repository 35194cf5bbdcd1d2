// SPDX-License-Identifier: MIT
// Actors and runtimes that go at awkward moments: whatever they held is destroyed once, and the law
// holds.
#include "runtime/expect_law.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
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
using takt::Runtime;
using takt::SendResult;
using takt::Task;
using takt::testing_support::expect_law;

constexpr takt::Topic<> kGo{"Go"};
constexpr takt::Topic<int> kNumber{"Number"};
constexpr takt::Topic<std::shared_ptr<int>> kShare{"Share"};
constexpr takt::Topic<ActorRef> kName{"Name"};

class Lifetimes : public testing::TestWithParam<int> {
  protected:
    takt::Config config() const {
        return {.workers = {.count = GetParam()},
                .failure = {.policy = takt::FailurePolicy::resume},
                .clock = {.kind = takt::ClockKind::virtual_time}};
    }
    std::shared_ptr<int> held = std::make_shared<int>(0);
};

// --- references that name nobody -----------------------------------------------------------------

TEST_P(Lifetimes, a_reference_to_nobody_is_answered_dead_everywhere) {
    Runtime runtime(config()); // without any actor: there are no slots yet
    const ActorRef nobody;
    EXPECT_EQ(nobody.try_send(kGo), SendResult::dead);
    EXPECT_FALSE(nobody.alive());
    nobody.destroy();
    std::thread([&] {
        EXPECT_EQ(nobody.try_send(kGo), SendResult::dead);
        EXPECT_EQ(nobody.send_within(1ms, kGo), SendResult::dead);
        nobody.destroy();
    }).join();
    runtime.run_until_idle();
    expect_law(runtime);
}

TEST_P(Lifetimes, a_reference_of_a_runtime_that_is_gone_names_nobody_in_a_later_one) {
    ActorRef old;
    {
        Runtime runtime(config());
        for (int index = 0; index < 3000; ++index) // its slot lies where the next one has none
            old = runtime.spawn_actor({}, [](Actor&) {});
    }
    Runtime runtime(config());
    EXPECT_EQ(old.try_send(kGo), SendResult::dead);
    EXPECT_EQ(runtime.refused(SendResult::dead), 1u);
    EXPECT_FALSE(old.alive());
    EXPECT_EQ(old.load(), 0u);
    old.destroy();
    std::thread([&] { static_cast<void>(old.try_send(kGo)); }).join();
    runtime.run_until_idle();
    expect_law(runtime);
}

// --- destroyed ------------------------------------------------------------------------------------

// Each way to wait: the task holds `held` and never ends.
Task<> wait_somehow(int kind) {
    switch (kind % 6) {
    case 0:
        co_await takt::wait(1h);
        break;
    case 1:
        for (;;)
            co_await takt::next_frame();
    case 2:
        for (;;)
            co_await takt::synchronize(), co_await takt::desynchronize();
    case 3:
        co_await takt::synchronize();
        co_await takt::wait(1h);
        break;
    case 4:
        co_await takt::synchronize();
        for (;;)
            co_await takt::next_frame();
    case 5:
        co_await takt::offload();
        std::this_thread::sleep_for(2ms);
        co_await takt::synchronize();
        co_await takt::wait(1h);
    }
}

// Who destroys it: the frame thread, itself in each phase or in a coroutine, or another thread.
enum class By { between_frames, parallel_handler, serial_handler, coroutine, commit, outside };

class Destroyed : public testing::TestWithParam<std::tuple<int, By>> {};

TEST_P(Destroyed, with_tasks_in_every_kind_of_wait_and_mail_under_way) {
    const auto [workers, by] = GetParam();
    const auto held = std::make_shared<int>(0);
    std::vector<takt::DeadLetter> letters;
    Runtime runtime({.workers = {.count = workers},
                     .frame = {.max_rounds = 4},
                     .failure = {.policy = takt::FailurePolicy::resume},
                     .clock = {.kind = takt::ClockKind::virtual_time}});
    runtime.on_dead_letter([&](const takt::DeadLetter& letter) { letters.push_back(letter); });
    constexpr takt::Topic<> die{"Die"};
    const auto end = [by = by] {
        const ActorRef self = takt::this_actor().ref();
        if (by == By::commit)
            takt::commit([self] { self.destroy(); });
        else
            self.destroy();
        self.destroy(); // twice
    };
    const auto setup = [&, held, by = by](Actor& self) {
        self.emplace_state<std::shared_ptr<int>>(held);
        self.bind_parallel(kNumber, [held](int kind) -> Task<> {
            const std::shared_ptr<int> mine = held;
            co_await wait_somehow(kind);
        });
        self.bind(kShare, [](const std::shared_ptr<int>&) {});
        if (by == By::serial_handler)
            self.bind(die, end);
        else if (by == By::coroutine)
            self.bind_parallel(die, [held, end]() -> Task<> {
                const std::shared_ptr<int> mine = held;
                end();
                co_await takt::next_frame();
                ADD_FAILURE() << "it is gone";
            });
        else
            self.bind_parallel(die, end);
    };
    const ActorRef parent = runtime.spawn_actor({.name = "parent"}, setup);
    const ActorRef child = runtime.spawn_actor({.name = "child", .parent = parent}, setup);
    for (const ActorRef actor : {parent, child})
        for (int kind = 0; kind < 6; ++kind)
            actor.send(kNumber, kind);
    runtime.step();
    runtime.step();
    EXPECT_GT(held.use_count(), 12);
    constexpr takt::Topic<std::shared_ptr<int>> unbound{"Unbound"};
    for (const ActorRef actor : {parent, child}) {
        actor.send(unbound, held);
        actor.send(kShare, held);
    }
    if (by == By::between_frames)
        parent.destroy(), parent.destroy();
    else if (by == By::outside)
        std::thread([&] { parent.destroy(), parent.destroy(); }).join();
    else
        parent.send(die);
    for (const ActorRef actor : {parent, child}) {
        actor.send(kShare, held);
        actor.send(kNumber, 0);
    }
    runtime.run_until_idle();
    runtime.run_until_idle();
    EXPECT_EQ(runtime.actors(), 0u);
    EXPECT_FALSE(parent.alive());
    EXPECT_FALSE(child.alive());
    EXPECT_EQ(parent.try_send(kGo), SendResult::dead);
    EXPECT_EQ(held.use_count(), 1 + 1); // and the setup of this test
    EXPECT_EQ(letters.size() >= 2, true);
    expect_law(runtime);
}

TEST_P(Lifetimes, the_timers_of_an_actor_go_with_it_and_wake_nobody) {
    takt::Runtime runtime(
        {.workers = {.count = GetParam()}, .frame = {.pacing = takt::Pacing::on_demand}});
    const ActorRef actor = runtime.spawn_actor({}, [](Actor& self) {
        self.bind_parallel(kNumber, [](int number) -> takt::Task<> {
            co_await takt::wait(20ms + number * 1ms);
            ADD_FAILURE() << "it is gone";
        });
    });
    for (int number = 0; number < 100; ++number)
        actor.send(kNumber, number);
    runtime.step();
    actor.destroy();
    runtime.step();
    const std::uint64_t before = runtime.last_frame().time.frame;
    runtime.run_for(150ms);
    EXPECT_LE(runtime.last_frame().time.frame - before, 10u); // with its timers: one for each
    expect_law(runtime);
}

INSTANTIATE_TEST_SUITE_P(each, Destroyed,
                         testing::Combine(testing::Values(1, 2, 4),
                                          testing::Values(By::between_frames, By::parallel_handler,
                                                          By::serial_handler, By::coroutine,
                                                          By::commit, By::outside)));

TEST_P(Lifetimes, spawned_and_destroyed_in_one_phase_nothing_of_it_is_left) {
    Runtime runtime(config());
    std::vector<ActorRef> born;
    const ActorRef parent = runtime.spawn_actor({}, [&, mine = held](Actor& self) {
        const auto breed = [&born, mine] {
            const ActorRef child =
                takt::spawn_actor({.parent = takt::this_actor().ref()},
                                  [mine](Actor& baby) { baby.bind(kShare, [mine](auto&&) {}); });
            child.send(kShare, mine);
            child.destroy();
            born.push_back(child);
        };
        self.bind_parallel(kGo, breed);
        self.bind(kNumber, [breed](int) { breed(); });
    });
    parent.send(kGo);
    parent.send(kNumber, 1);
    runtime.run_until_idle();
    EXPECT_EQ(runtime.actors(), 1u);
    for (const ActorRef child : born)
        EXPECT_EQ(child.try_send(kGo), SendResult::dead);
    expect_law(runtime);
    parent.destroy();
    runtime.run_until_idle();
    EXPECT_EQ(held.use_count(), 1);
}

// Its destruction comes before its birth in commit order: the destroyer's number is smaller.
TEST_P(Lifetimes, destroyed_by_another_before_it_is_born) {
    Runtime runtime(config());
    const ActorRef killer = runtime.spawn_actor({.worker = 0}, [](Actor& self) {
        self.bind_parallel(kName, [](ActorRef whom) { whom.destroy(); });
    });
    const ActorRef parent =
        runtime.spawn_actor({.worker = runtime.workers() - 1}, [&, mine = held](Actor& self) {
            self.bind_parallel(kGo, [killer, mine] {
                killer.send(kName, takt::spawn_actor({}, [mine](Actor& baby) {
                                baby.emplace_state<std::shared_ptr<int>>(mine);
                            }));
            });
        });
    for (int times = 0; times < 10; ++times)
        parent.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(runtime.actors(), 2u);
    EXPECT_EQ(held.use_count(), 1 + 1); // the parent's handler
    expect_law(runtime);
}

TEST_P(Lifetimes, a_child_of_a_parent_that_is_gone_is_never_set_up) {
    Runtime runtime(config());
    bool set_up = false;
    const ActorRef parent = runtime.spawn_actor({}, [](Actor&) {});
    parent.destroy();
    const ActorRef child = runtime.spawn_actor({.parent = parent}, [&](Actor&) { set_up = true; });
    EXPECT_EQ(child.try_send(kGo), SendResult::dead);
    runtime.run_until_idle();
    EXPECT_FALSE(set_up);
    EXPECT_EQ(runtime.actors(), 0u);
}

TEST_P(Lifetimes, mail_and_tasks_of_an_actor_destroyed_between_frames_do_not_run) {
    takt::Config one_round = config();
    one_round.frame.max_rounds = 1;
    Runtime runtime(one_round);
    std::vector<takt::DeadLetter::Reason> reasons;
    runtime.on_dead_letter(
        [&](const takt::DeadLetter& letter) { reasons.push_back(letter.reason); });
    bool ran = false;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kGo, [&]() -> Task<> {
            co_await takt::synchronize();
            co_await takt::desynchronize(); // its mail is under way when the frame ends
            ran = true;
        });
        self.bind_parallel(kNumber, [&](int) { ran = true; });
    });
    actor.send(kGo);
    EXPECT_TRUE(runtime.step().left_over);
    actor.send(kNumber, 1);
    actor.destroy();
    runtime.run_until_idle();
    EXPECT_FALSE(ran);
    EXPECT_EQ(reasons, (std::vector(1, takt::DeadLetter::Reason::destroyed)));
    expect_law(runtime);
}

// --- setup ----------------------------------------------------------------------------------------

struct Npc {
    std::shared_ptr<int> held;
};

TEST_P(Lifetimes, a_setup_that_throws_in_the_serial_phase_throws_at_the_spawn) {
    Runtime runtime(config());
    EXPECT_THROW(runtime.spawn_actor({},
                                     [mine = held](Actor& self) {
                                         self.emplace_state<std::shared_ptr<int>>(mine);
                                         self.bind(kShare, [mine](auto&&) {});
                                         throw std::runtime_error("no");
                                     }),
                 std::runtime_error);
    takt::Behaviour<Npc> behaviour;
    EXPECT_THROW(runtime.spawn_actor(behaviour, {}, Npc{held},
                                     [](Actor&) { throw std::runtime_error("no"); }),
                 std::runtime_error);
    EXPECT_THROW(runtime.spawn_actor(behaviour, {.worker = 99}, Npc{held}), takt::Error);
    runtime.run_until_idle();
    EXPECT_EQ(runtime.actors(), 0u);
    EXPECT_EQ(held.use_count(), 1);
}

TEST_P(Lifetimes, a_setup_that_throws_after_a_parallel_spawn_is_reported) {
    Runtime runtime(config());
    std::vector<std::string> failures;
    runtime.on_failure([&](const takt::Failure& failure) { failures.push_back(failure.text()); });
    takt::Behaviour<Npc> behaviour;
    const ActorRef parent = runtime.spawn_actor({.name = "parent"}, [&, mine = held](Actor& self) {
        self.bind_parallel(kGo, [&, mine] {
            const auto fail = [mine](Actor& baby) {
                if (baby.name() == "plain")
                    baby.emplace_state<std::shared_ptr<int>>(mine);
                throw std::runtime_error("no");
            };
            takt::spawn_actor({.name = "plain"}, fail).send(kShare, mine);
            behaviour.spawn({}, Npc{mine}, fail).send(kShare, mine);
        });
    });
    parent.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(runtime.actors(), 1u);
    EXPECT_EQ(failures.size(), 2u);
    EXPECT_EQ(runtime.mail().expired, 2u);
    parent.destroy();
    runtime.run_until_idle();
    EXPECT_EQ(held.use_count(), 1);
    expect_law(runtime);
}

TEST_P(Lifetimes, a_setup_that_suspends_and_throws_in_either_phase_ends_its_actor) {
    for (const bool in_parallel : {false, true}) {
        Runtime runtime(config());
        std::vector<std::string> failures;
        runtime.on_failure([&](const takt::Failure& what) { failures.push_back(what.text()); });
        const ActorRef actor = runtime.spawn_actor(
            {.name = "late"}, [mine = held, in_parallel](Actor& self) -> Task<> {
                const std::shared_ptr<int> local = mine;
                self.bind(kShare, [local](auto&&) {});
                co_await takt::next_frame();
                if (in_parallel)
                    co_await takt::desynchronize();
                throw std::runtime_error("no");
            });
        actor.send(kShare, held);
        EXPECT_TRUE(actor.alive());
        runtime.run_until_idle();
        EXPECT_FALSE(actor.alive());
        ASSERT_EQ(failures.size(), 1u);
        EXPECT_NE(failures[0].find("\"late\", failed: no"), std::string::npos) << failures[0];
        EXPECT_EQ(runtime.mail().expired, 1u);
        EXPECT_EQ(held.use_count(), 1);
        expect_law(runtime);
    }
}

TEST_P(Lifetimes, an_actor_destroyed_while_its_setup_waits_leaves_nothing) {
    Runtime runtime(config());
    for (int kind = 0; kind < 6; ++kind) {
        const ActorRef actor = runtime.spawn_actor({}, [mine = held, kind](Actor&) -> Task<> {
            const std::shared_ptr<int> local = mine;
            co_await wait_somehow(kind);
        });
        actor.send(kShare, held);
        runtime.step();
        actor.destroy();
        actor.send(kShare, held);
        runtime.run_until_idle();
        EXPECT_FALSE(actor.alive());
    }
    const ActorRef suicidal = runtime.spawn_actor({}, [mine = held](Actor& self) -> Task<> {
        const std::shared_ptr<int> local = mine;
        self.destroy();
        co_return;
    });
    runtime.run_until_idle();
    EXPECT_FALSE(suicidal.alive());
    EXPECT_EQ(held.use_count(), 1);
    expect_law(runtime);
}

TEST_P(Lifetimes, what_a_setup_that_suspends_has_bound_gets_the_mail_that_came_before) {
    Runtime runtime(config());
    int seen = 0;
    const ActorRef parent = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kGo, [&] {
            const ActorRef child = takt::spawn_actor({}, [&](Actor& baby) -> Task<> {
                baby.bind_parallel(kNumber, [&](int number) { seen += number; });
                co_await takt::next_frame();
                co_await takt::next_frame();
            });
            child.send(kNumber, 3);
        });
    });
    parent.send(kGo);
    for (int frame = 0; frame < 5; ++frame)
        runtime.step();
    EXPECT_EQ(seen, 3);
    expect_law(runtime);
}

// --- kept mail ------------------------------------------------------------------------------------

TEST_P(Lifetimes, kept_mail_is_handled_when_a_parallel_handler_binds_and_nothing_else_comes) {
    for (const takt::Delivery delivery : {takt::Delivery::immediate, takt::Delivery::next_round}) {
        takt::Config with = config();
        with.frame.delivery = delivery;
        Runtime runtime(with);
        int seen = 0;
        const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
            self.bind_parallel(kGo, [&] {
                takt::this_actor().bind_parallel(kNumber, [&](int number) { seen += number; });
            });
        });
        actor.send(kNumber, 3);
        runtime.run_until_idle();
        actor.send(kGo);
        runtime.run_until_idle();
        EXPECT_EQ(seen, 3);
        expect_law(runtime);
    }
}

TEST_P(Lifetimes, kept_mail_is_bounded_and_counted) {
    takt::Config with = config();
    with.mail.kept_max = 10;
    Runtime runtime(with);
    std::uint64_t full = 0;
    runtime.on_dead_letter([&](const takt::DeadLetter& letter) {
        full += letter.reason == takt::DeadLetter::Reason::kept_full;
    });
    int first = -1;
    int seen = 0;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind(kGo, [&] {
            takt::this_actor().bind(kNumber, [&](int number) {
                first = first < 0 ? number : first;
                ++seen;
            });
        });
    });
    for (int number = 0; number < 25; ++number)
        actor.send(kNumber, number);
    runtime.run_until_idle();
    EXPECT_EQ(full, 15u);
    expect_law(runtime, 10);
    actor.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(seen, 10);
    EXPECT_EQ(first, 0);
    expect_law(runtime);
}

// --- tasks ----------------------------------------------------------------------------------------

TEST_P(Lifetimes, a_task_may_end_or_throw_on_a_background_thread) {
    Runtime runtime(config());
    std::vector<std::string> failures;
    runtime.on_failure([&](const takt::Failure& failure) { failures.push_back(failure.text()); });
    std::atomic<int> ended{0};
    const ActorRef actor = runtime.spawn_actor({.name = "away"}, [&, mine = held](Actor& self) {
        self.bind_parallel(kNumber, [&ended, mine](int kind) -> Task<> {
            const std::shared_ptr<int> local = mine;
            const auto inner = [](int which) -> Task<int> {
                co_await takt::offload();
                if (which == 1)
                    throw std::runtime_error("outside");
                if (which == 2)
                    co_await takt::next_frame(); // not there
                co_return 1;
            };
            ended += co_await inner(kind);
        });
    });
    for (int kind = 0; kind < 3; ++kind)
        actor.send(kNumber, kind);
    runtime.run_until_idle();
    EXPECT_EQ(ended.load(), 1);
    ASSERT_EQ(failures.size(), 2u);
    EXPECT_NE((failures[0] + failures[1]).find("outside"), std::string::npos);
    EXPECT_NE((failures[0] + failures[1]).find("takt::next_frame"), std::string::npos);
    EXPECT_EQ(runtime.mail().handled, 1u);
    EXPECT_EQ(runtime.mail().failed, 2u);
    actor.destroy();
    runtime.run_until_idle();
    EXPECT_EQ(held.use_count(), 1);
    expect_law(runtime);
}

TEST_P(Lifetimes, a_task_of_nobody_may_end_on_a_background_thread_or_be_left) {
    {
        Runtime runtime(config());
        runtime.start([](std::shared_ptr<int>) -> Task<> { co_await takt::offload(); }(held));
        runtime.run_until_idle();
        EXPECT_EQ(held.use_count(), 1);
        for (int kind : {0, 4, 5})
            runtime.start([](std::shared_ptr<int>, int way) -> Task<> {
                co_await wait_somehow(way);
            }(held, kind));
    }
    EXPECT_EQ(held.use_count(), 1);
}

// --- shutdown -------------------------------------------------------------------------------------

TEST_P(Lifetimes, shutdown_tells_what_it_left_and_takes_nothing_afterwards) {
    std::vector<takt::DeadLetter> letters;
    Runtime runtime(config());
    runtime.on_dead_letter([&](const takt::DeadLetter& letter) { letters.push_back(letter); });
    const ActorRef actor = runtime.spawn_actor({}, [mine = held](Actor& self) {
        self.bind(kShare, [](auto&&) {});
        self.bind_parallel(kNumber, [mine](int kind) -> Task<> {
            const std::shared_ptr<int> local = mine;
            co_await wait_somehow(kind);
        });
    });
    for (int kind = 0; kind < 5; ++kind)
        actor.send(kNumber, kind);
    runtime.step();
    actor.send(kShare, held);
    EXPECT_EQ(runtime.post([mine = held] { ADD_FAILURE() << "it is over"; }), SendResult::ok);
    const takt::ShutdownReport report = runtime.shutdown(1s);
    EXPECT_EQ(report.actors, 1u);
    EXPECT_EQ(report.tasks_destroyed, 5u);
    EXPECT_EQ(report.messages_expired, 6u);
    EXPECT_EQ(letters.size(), 1u);
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_EQ(runtime.shutdown(1s).actors, 0u); // twice
    EXPECT_EQ(actor.try_send(kShare, held), SendResult::dead);
    EXPECT_EQ(runtime.post([] {}), SendResult::closed);
    EXPECT_THROW(runtime.step(), takt::Error);
    EXPECT_THROW(runtime.spawn_actor({}, [](Actor&) {}), takt::Error);
    EXPECT_THROW(runtime.start([]() -> Task<> { co_return; }()), takt::Error);
    std::thread([&] { EXPECT_EQ(actor.try_send(kShare, held), SendResult::closed); }).join();
    expect_law(runtime);
}

TEST_P(Lifetimes, outside_threads_send_until_and_after_the_end) {
    for (int times = 0; times < 10; ++times) {
        std::atomic<bool> stop{false};
        std::atomic<std::uint64_t> entered{0};
        takt::GateCounts counts;
        takt::Config with = config();
        with.mail.outside_bytes = 16 * 1024;
        auto runtime = std::make_unique<Runtime>(with);
        const ActorRef actor = runtime->spawn_actor({}, [](Actor& self) {
            self.bind_parallel(kShare, [](const std::shared_ptr<int>&) {});
        });
        std::vector<std::thread> senders;
        for (int sender = 0; sender < 3; ++sender)
            senders.emplace_back([&, producer = runtime->producer()]() mutable {
                while (!stop.load())
                    entered += producer.send(actor, kShare, held) == SendResult::ok;
                EXPECT_EQ(producer.send(actor, kShare, held), SendResult::closed);
            });
        for (int frame = 0; frame < 5; ++frame)
            runtime->step();
        if (times % 2 == 0) {
            static_cast<void>(runtime->shutdown(1s));
            expect_law(*runtime);
            counts = runtime->outside_mail();
            EXPECT_EQ(counts.inside(), 0u);
            EXPECT_EQ(counts.routed, runtime->mail().accepted());
        }
        runtime.reset(); // they are still sending
        stop.store(true);
        for (std::thread& sender : senders)
            sender.join();
        EXPECT_EQ(held.use_count(), 1);
        if (times % 2 == 0) {
            EXPECT_EQ(counts.entered, entered.load());
        }
    }
}

INSTANTIATE_TEST_SUITE_P(workers, Lifetimes, testing::Values(1, 2, 4));

} // namespace
