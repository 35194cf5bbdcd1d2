// SPDX-License-Identifier: MIT
// A runtime whose allocations fail: sends leave their arguments alone, and what cannot be made
// leaves nothing behind.
#include "runtime/expect_law.hpp"
#include "support/allocations.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using takt::Actor;
using takt::ActorRef;
using takt::Runtime;
using takt::SendResult;
using takt::testing_support::expect_law;

constexpr takt::Topic<std::unique_ptr<int>> kOwned{"Owned"};
constexpr takt::Topic<std::array<char, 3000>, std::unique_ptr<int>> kBulk{"Bulk"};
constexpr takt::Topic<std::string> kText{"Text"};
constexpr takt::Topic<> kGo{"Go"};

takt::Task<> hold_for_ever(std::shared_ptr<int> mine) {
    co_await takt::wait(std::chrono::hours(1));
    ADD_FAILURE() << *mine;
}

TEST(Memory, a_send_without_memory_is_answered_no_memory_and_leaves_the_arguments) {
    Runtime runtime({.workers = {.count = 2, .pin = false}});
    std::uint64_t handled = 0;
    std::vector<ActorRef> actors; // on each worker: their lanes do not exist yet
    for (int worker = 0; worker < 2; ++worker)
        actors.push_back(runtime.spawn_actor({.worker = worker}, [&](Actor& self) {
            self.bind(kBulk, [&](auto&&, std::unique_ptr<int> owned) {
                handled += static_cast<std::uint64_t>(*owned);
            });
        }));
    std::uint64_t refused = 0;
    std::uint64_t accepted = 0;
    for (const ActorRef actor : actors)
        for (int times = 0; times < 10; ++times)
            for (std::uint64_t fails = 0; fails < 3; ++fails) {
                auto owned = std::make_unique<int>(1);
                allocations::fail_after(fails);
                const SendResult result =
                    actor.try_send(kBulk, std::array<char, 3000>(), std::move(owned));
                allocations::fail_no_more();
                EXPECT_EQ(result, owned == nullptr ? SendResult::ok : SendResult::no_memory);
                ++(owned == nullptr ? accepted : refused);
            }
    EXPECT_GE(refused, 20u);
    runtime.run_until_idle();
    EXPECT_EQ(handled, accepted);
    expect_law(runtime);
}

TEST(Memory, an_argument_that_cannot_be_converted_throws_and_nothing_is_sent) {
    Runtime runtime({.workers = {.count = 1}});
    int handled = 0;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kText, [&](const std::string& text) { handled += text.size() == 200; });
    });
    actor.send(kText, "the lane exists");
    const std::string text(200, 'x');
    allocations::fail_after(0);
    EXPECT_THROW(actor.send(kText, text), std::bad_alloc);
    allocations::fail_no_more();
    EXPECT_EQ(actor.try_send(kText, text), SendResult::ok);
    runtime.run_until_idle();
    EXPECT_EQ(handled, 1);
    EXPECT_EQ(runtime.mail().accepted(), 2u);
    expect_law(runtime);
}

TEST(Memory, from_outside_too) {
    Runtime runtime({.workers = {.count = 1}});
    int handled = 0;
    const ActorRef actor = runtime.spawn_actor(
        {}, [&](Actor& self) { self.bind(kOwned, [&](auto&& owned) { handled += *owned; }); });
    int accepted = 0;
    for (std::uint64_t fails = 0; fails < 12; ++fails)
        std::thread([&] {
            auto owned = std::make_unique<int>(1);
            takt::MailProducer producer;
            allocations::fail_after(fails);
            const SendResult result = fails % 2 == 0
                                          ? actor.try_send(kOwned, std::move(owned))
                                          : (producer = runtime.producer(),
                                             producer.send(actor, kOwned, std::move(owned)));
            allocations::fail_no_more();
            EXPECT_EQ(result == SendResult::ok, owned == nullptr);
            EXPECT_TRUE(result == SendResult::ok || result == SendResult::no_memory);
            accepted += result == SendResult::ok;
        }).join();
    EXPECT_GT(accepted, 0);
    EXPECT_LT(accepted, 12);
    runtime.run_until_idle();
    EXPECT_EQ(handled, accepted);
    expect_law(runtime);
}

TEST(Memory, a_runtime_that_cannot_be_made_leaves_nothing_behind) {
    { const Runtime warm({.workers = {.count = 2, .pin = false}}); }
    const takt::Machine machine = takt::discover_machine();
    std::int64_t live = 0;
    int made = 0;
    // More often than there are numbers for runtimes.
    const std::uint64_t allocations = allocations::fail_each([&] {
        live = allocations::live();
        try {
            const Runtime runtime({.workers = {.count = 2, .pin = false}}, machine);
            ++made;
        } catch (const std::bad_alloc&) {
        }
        allocations::fail_no_more();
        EXPECT_EQ(allocations::live(), live);
    });
    EXPECT_GT(allocations, 64u);
    EXPECT_GE(made, 1);
}

TEST(Memory, an_actor_that_cannot_be_made_leaves_nothing_behind) {
    struct State {
        std::shared_ptr<int> held;
    };
    const auto held = std::make_shared<int>(0);
    Runtime runtime({.workers = {.count = 1}});
    takt::Behaviour<State> behaviour;
    std::uint64_t made = 0;
    const std::uint64_t allocations = allocations::fail_each([&] {
        try {
            runtime.spawn_actor({.name = "a long name, so that it needs memory, too"},
                                [held](Actor& self) {
                                    self.emplace_state<std::shared_ptr<int>>(held);
                                    self.bind(kGo, [held] {});
                                });
            ++made;
            runtime.spawn_actor(behaviour, {}, State{held},
                                [](Actor& self) { self.bind(kGo, [] {}); });
            ++made;
        } catch (const std::bad_alloc&) {
        }
    });
    EXPECT_GT(allocations, 5u);
    EXPECT_GE(made, 2u);
    runtime.step();
    EXPECT_EQ(runtime.actors(), made);
    static_cast<void>(runtime.shutdown(std::chrono::seconds(1)));
    EXPECT_EQ(held.use_count(), 1);
    expect_law(runtime);
}

TEST(Memory, a_frame_without_memory_ends_and_the_next_one_goes_on) {
    constexpr takt::Topic<std::shared_ptr<int>> kept{"Kept"};
    constexpr takt::Topic<std::shared_ptr<int>> serial{"Serial"};
    const auto held = std::make_shared<int>(0);
    for (const takt::Delivery delivery : {takt::Delivery::immediate, takt::Delivery::next_round})
        for (const int workers : {1, 2}) {
            int thrown = 0;
            int handled = 0;
            for (std::uint64_t fails = 0; fails < 40; ++fails) {
                Runtime runtime(
                    {.workers = {.count = workers, .pin = false}, .frame = {.delivery = delivery}});
                for (int index = 0; index < 4; ++index) {
                    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
                        self.bind(serial, [&](auto&&) { ++handled; });
                        self.bind_parallel(kGo, [] { takt::this_actor().ref().send(kGo); });
                    });
                    actor.send(kept, held);
                    actor.send(serial, held);
                }
                allocations::fail_after(fails);
                try {
                    runtime.step();
                } catch (const std::bad_alloc&) {
                    ++thrown;
                }
                allocations::fail_no_more();
                runtime.step();
            }
            EXPECT_GT(thrown, 0) << workers;
            EXPECT_GT(handled, 80) << workers;
            EXPECT_EQ(held.use_count(), 1);
        }
}

TEST(Memory, a_task_that_cannot_leave_for_a_background_thread_goes_on_where_it_is) {
    const auto held = std::make_shared<int>(0);
    int refused = 0;
    int away = 0;
    {
        Runtime runtime(
            {.workers = {.count = 1}, .failure = {.policy = takt::FailurePolicy::resume}});
        const ActorRef actor = runtime.spawn_actor(
            {.name = "a name that needs memory of its own"}, [&, held](Actor& self) {
                self.bind(kGo, [&, held]() -> takt::Task<> {
                    const std::shared_ptr<int> mine = held;
                    for (std::uint64_t fails = 0; fails < 8; ++fails) {
                        bool caught = false;
                        try {
                            allocations::fail_after(fails);
                            co_await takt::offload();
                            allocations::fail_no_more();
                            ++away;
                        } catch (const std::bad_alloc&) {
                            allocations::fail_no_more();
                            EXPECT_EQ(takt::current_phase(), takt::Phase::serial);
                            ++refused;
                            caught = true;
                        }
                        if (!caught)
                            co_await takt::synchronize();
                    }
                    co_await takt::wait(std::chrono::hours(1));
                });
            });
        actor.send(kGo);
        runtime.run_until_idle();
        actor.destroy();
        runtime.run_until_idle();
        expect_law(runtime);
    }
    EXPECT_GT(refused, 0);
    EXPECT_GT(away, 0);
    EXPECT_EQ(held.use_count(), 1);
}

TEST(Memory, a_task_that_cannot_begin_throws_and_leaves_nothing_behind) {
    const auto held = std::make_shared<int>(0);
    Runtime runtime({.workers = {.count = 1, .pin = false}});
    runtime.serial();
    const auto hold = [](std::shared_ptr<int> mine) -> takt::Task<> {
        co_await takt::when_any(hold_for_ever(mine), hold_for_ever(mine));
    };
    int refused = 0;
    allocations::fail_each([&] {
        std::array<takt::TaskRef, 3> tasks;
        try {
            tasks[0] = takt::spawn(hold, held);
            tasks[1] = takt::defer([mine = held] {});
            tasks[2] = takt::delay(std::chrono::hours(1), [mine = held] {});
        } catch (const std::bad_alloc&) {
            ++refused;
        }
        for (const takt::TaskRef task : tasks)
            takt::cancel(task);
        EXPECT_EQ(held.use_count(), 1);
    });
    EXPECT_GE(refused, 3);
    runtime.run_until_idle();
    expect_law(runtime);
}

TEST(Memory, a_message_whose_task_cannot_begin_fails_and_holds_no_load) {
    int failed = 0;
    for (std::uint64_t fails = 0; fails < 30; ++fails) {
        Runtime runtime({.workers = {.count = 1, .pin = false}});
        runtime.on_failure([&](const takt::Failure&) { ++failed; });
        takt::Dispatcher jobs(runtime, {.actors = 1}, [](Actor& self) {
            self.bind_parallel(kGo, []() -> takt::Task<> { co_await takt::next_frame(); });
        });
        jobs.dispatch(kGo);
        allocations::fail_after(fails);
        try {
            runtime.step();
        } catch (const std::bad_alloc&) {
        }
        allocations::fail_no_more();
        EXPECT_EQ(jobs.total_load(), runtime.mail().in_flight) << fails;
    }
    EXPECT_GT(failed, 1);
}

TEST(Memory, what_is_destroyed_without_memory_is_destroyed_all_the_same) {
    for (const bool by_instance : {false, true}) {
        const auto held = std::make_shared<int>(0);
        Runtime runtime({.workers = {.count = 1, .pin = false}});
        const takt::Serial serial = runtime.serial();
        std::vector<ActorRef> actors;
        takt::Instance above = runtime.root();
        for (int number = 0; number < 3; ++number) {
            actors.push_back(runtime.spawn_actor(
                {.parent = actors.empty() ? ActorRef() : actors.front()},
                [&](Actor& self) { self.emplace_state<std::shared_ptr<int>>(held); }));
            above = above.add_child(serial, "House", actors.back());
        }
        runtime.step();
        const takt::Instance house = runtime.root().find_first_child("House");
        allocations::fail_after(0);
        if (by_instance)
            house.destroy(runtime.serial());
        else
            actors.front().destroy();
        allocations::fail_no_more();
        EXPECT_FALSE(house.alive());
        runtime.step();
        EXPECT_EQ(runtime.actors(), 0u);
        EXPECT_EQ(held.use_count(), 1);
        EXPECT_FALSE(above.alive());
        EXPECT_TRUE(runtime.root().children().empty());
    }
}

TEST(Memory, signals_come_fire_and_go_whichever_allocation_fails) {
    const auto held = std::make_shared<int>(0);
    {
        Runtime runtime({.workers = {.count = 2, .pin = false},
                         .failure = {.policy = takt::FailurePolicy::resume}});
        runtime.on_failure([](const takt::Failure&) {});
        const ActorRef actor = runtime.spawn_actor({}, [](Actor&) {});
        runtime.step();
        int refused = 0;
        const auto use = [&] {
            takt::Signal<std::shared_ptr<int>> signal(runtime, "signal", takt::Firing::deferred);
            takt::ScopedConnection first = signal.connect([mine = held](const auto&) {});
            takt::ScopedConnection second = signal.once([mine = held](const auto&) {});
            const ActorRef listens = runtime.spawn_actor({}, [&](Actor& self) {
                signal.connect_parallel([mine = held](const auto&) {});
                signal.connect([mine = held, &self](std::shared_ptr<int>) -> takt::Task<> {
                    co_await takt::next_frame();
                    self.ref().destroy();
                });
            });
            signal.fire(held);
            runtime.step();
            signal.fire(held);
            runtime.step();
            listens.destroy();
        };
        const std::uint64_t allocated = allocations::fail_each([&] {
            try {
                use();
            } catch (const std::bad_alloc&) {
                ++refused;
            } catch (const takt::Error&) {
                ++refused;
            }
        });
        EXPECT_GT(allocated, 20u);
        EXPECT_GT(refused, 10);
        runtime.run_until_idle();
        runtime.step();
        EXPECT_EQ(held.use_count(), 1);
        expect_law(runtime);
        actor.destroy();
    }
    EXPECT_EQ(held.use_count(), 1);
}

} // namespace
