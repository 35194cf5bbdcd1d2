// SPDX-License-Identifier: MIT
// What goes when an actor, a signal or a runtime goes: no connection, task, closure or payload stays.
#include "signal/signal_support.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using takt::Actor;
using takt::ActorRef;
using takt::Connection;
using takt::Firing;
using takt::Signal;
using takt::Task;
using takt::testing_support::Counted;
using takt::testing_support::kSettings;
using takt::testing_support::SignalTest;

using Carried = Signal<Counted>;

/// Listeners of every kind, and the connections of those that have one.
class Listeners {
  protected:
    static constexpr takt::Topic<> kGo{"Go"};
    static constexpr int kAll = 7;

    /// Each with a Counted of its own. In the name of the actor whose code runs.
    void connect_all(Carried& signal) {
        const auto add = [this](Connection connection) { connections.push_back(connection); };
        add(signal.connect([held = Counted()](const Counted&) {}));
        add(signal.connect_parallel([held = Counted()](const Counted&) {}));
        add(signal.once([held = Counted()](const Counted&) {}));
        add(signal.once_parallel([held = Counted()](const Counted&) {}));
        add(signal.connect([held = Counted()](Counted) -> Task<> { // NOLINT: a coroutine's own
            co_await takt::next_frame();
        }));
        takt::spawn([&signal, held = Counted()]() -> Task<> {
            try {
                co_await signal.wait();
            } catch (const takt::Error&) { // the signal is gone
            }
        });
        takt::spawn([&signal, held = Counted()]() -> Task<> {
            co_await takt::desynchronize();
            try {
                co_await signal.wait();
            } catch (const takt::Error&) {
            }
        });
    }
    ActorRef owner_of_all(takt::Runtime& runtime, Carried& signal) {
        const ActorRef owner = runtime.spawn_actor(
            {}, [&](Actor& self) { self.bind(kGo, [&] { connect_all(signal); }); });
        owner.send(kGo);
        runtime.run_until_idle();
        return owner;
    }
    void expect_all_ended() {
        EXPECT_EQ(Counted::alive(), 0);
        for (const Connection& connection : connections)
            EXPECT_FALSE(connection.connected());
    }

    std::vector<Connection> connections;
};

class SignalLifetime : public SignalTest, protected Listeners {
  protected:
    using Listeners::kGo;
    ActorRef owner_of_all(Carried& signal) { return Listeners::owner_of_all(runtime, signal); }
};
class RuntimeLifetime : public ::testing::TestWithParam<int>, protected Listeners {};

TEST_P(SignalLifetime, nothing_stays_of_an_actor_that_goes) {
    for (const bool has_pending : {false, true}) {
        Carried signal{runtime, "carried", Firing::deferred};
        const ActorRef owner = owner_of_all(signal);
        EXPECT_EQ(Counted::alive(), kAll);
        if (has_pending)
            for (int fires = 0; fires < 3; ++fires)
                signal.fire(fires);
        owner.destroy();
        runtime.run_until_idle();
        expect_all_ended();
        signal.fire(1);
        runtime.run_until_idle();
        EXPECT_EQ(Counted::alive(), 0);
    }
}

TEST_P(SignalLifetime, nothing_stays_of_a_signal_that_goes) {
    for (const bool has_pending : {false, true}) {
        auto signal = std::make_unique<Carried>(runtime, "carried", Firing::deferred);
        const ActorRef owner = owner_of_all(*signal);
        if (has_pending)
            for (int fires = 0; fires < 3; ++fires)
                signal->fire(fires);
        signal.reset();
        runtime.run_until_idle();
        runtime.step(); // the task of the listener that is one
        runtime.run_until_idle();
        expect_all_ended();
        EXPECT_TRUE(owner.alive());
    }
}

TEST_P(RuntimeLifetime, nothing_stays_of_a_runtime_that_goes_before_or_after_its_signals) {
    for (const bool signal_first : {false, true})
        for (const bool has_pending : {false, true}) {
            std::optional<takt::Runtime> own(std::in_place,
                                             takt::Config{.workers = {.count = GetParam()}});
            auto signal = std::make_unique<Carried>(*own, "carried", Firing::deferred);
            owner_of_all(*own, *signal);
            connections.push_back(signal->connect([held = Counted()](const Counted&) {}));
            own->start([](Carried& waited, Counted) -> Task<> {
                co_await waited.wait();
            }(*signal, Counted()));
            EXPECT_EQ(Counted::alive(), kAll + 2);
            const auto ref = signal->ref();
            if (has_pending) {
                signal->fire(1);
                std::thread([ref] { ref.fire(2); }).join();
            }
            if (signal_first)
                signal.reset();
            own.reset();
            if (!signal_first) {
                EXPECT_EQ(ref.fire(3), takt::SendResult::closed);
                EXPECT_EQ(signal->fire(3), takt::SendResult::closed);
                EXPECT_THROW(signal->connect([](const Counted&) {}), takt::Error);
                signal.reset();
            }
            expect_all_ended();
            for (Connection& connection : connections)
                connection.disconnect(); // finds nothing to do
        }
}

TEST_P(SignalLifetime, what_was_disconnected_goes_at_the_end_of_the_round) {
    Carried signal{runtime, "carried"};
    owner_of_all(signal);
    for (Connection& connection : connections)
        connection.disconnect();
    runtime.step();
    EXPECT_EQ(Counted::alive(), 2); // the tasks that wait
    signal.fire(1);
    runtime.run_until_idle();
    EXPECT_EQ(Counted::alive(), 0);
}

TEST_P(SignalLifetime, a_once_goes_after_its_call) {
    Carried signal{runtime, "carried"};
    for (int times = 0; times < 100; ++times) {
        signal.once([held = Counted()](const Counted&) {});
        runtime.spawn_actor({}, [&](Actor& self) {
            signal.once_parallel(
                [held = Counted()](const Counted&) { takt::this_actor().destroy(); });
            self.emplace_state<Counted>();
        });
    }
    signal.fire(1);
    runtime.run_until_idle();
    runtime.step();
    EXPECT_EQ(Counted::alive(), 0);
    EXPECT_EQ(runtime.actors(), 0u);
}

TEST_P(SignalLifetime, a_fire_lets_go_of_its_arguments_when_all_have_heard_them) {
    Carried signal{runtime, "carried"};
    signal.fire(1); // nobody
    EXPECT_EQ(Counted::alive(), 0);
    std::vector<ActorRef> owners;
    for (int number = 0; number < 8; ++number)
        owners.push_back(runtime.spawn_actor(
            {}, [&](Actor&) { signal.connect_parallel([](const Counted&) {}); }));
    signal.fire(1);
    EXPECT_EQ(Counted::alive(), 1);
    runtime.run_until_idle();
    EXPECT_EQ(Counted::alive(), 0);
    signal.fire(1);
    for (const ActorRef owner : owners)
        owner.destroy();
    runtime.run_until_idle();
    EXPECT_EQ(Counted::alive(), 0);
}

TEST_P(SignalLifetime, a_signal_that_is_destroyed_while_it_fires_is_heard_by_all) {
    auto signal = std::make_unique<Signal<int>>(runtime, "signal");
    std::vector<int> heard;
    std::vector<Connection> all;
    all.push_back(signal->connect([&](int value) {
        heard.push_back(10 + value);
        signal.reset();
    }));
    all.push_back(signal->connect([&](int value) { heard.push_back(20 + value); }));
    const auto ref = signal->ref();
    runtime.start([](Signal<int>& waited, std::vector<int>& to) -> Task<> {
        const int value = co_await waited.wait();
        to.push_back(30 + value);
    }(*signal, heard));
    runtime.spawn_actor({}, [&](Actor&) {
        all.push_back(signal->connect_parallel([&](int value) { heard.push_back(40 + value); }));
    });
    signal->fire(1);
    EXPECT_EQ(signal, nullptr);
    EXPECT_EQ(ref.fire(2), takt::SendResult::dead);
    runtime.run_until_idle();
    EXPECT_EQ(heard, (std::vector<int>{11, 21, 31, 41}));
    for (const Connection& connection : all)
        EXPECT_FALSE(connection.connected());
}

TEST_P(SignalLifetime, a_signal_may_be_destroyed_in_the_parallel_phase_and_outside) {
    for (const bool outside : {false, true}) {
        auto signal = std::make_unique<Carried>(runtime, "signal");
        Connection connection = signal->connect([held = Counted()](const Counted&) {});
        const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
            self.bind_parallel(kGo, [&] {
                signal->fire(1);
                if (outside)
                    std::thread([&] { signal.reset(); }).join();
                else
                    signal.reset();
            });
        });
        actor.send(kGo);
        runtime.run_until_idle();
        EXPECT_FALSE(connection.connected());
        runtime.step();
        EXPECT_EQ(Counted::alive(), 0);
    }
}

TEST_P(SignalLifetime, a_signal_may_be_the_state_of_an_actor_that_listens_to_it) {
    struct State {
        explicit State(takt::Runtime& in) : signal(in, "own") {}
        Carried signal;
        Counted held;
    };
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        auto& state = self.emplace_state<State>(runtime);
        connect_all(state.signal);
    });
    runtime.run_until_idle();
    actor.destroy();
    runtime.run_until_idle();
    expect_all_ended();
}

TEST_P(SignalLifetime, a_closure_that_goes_may_end_a_connection_and_a_signal) {
    Carried outer{runtime, "outer"};
    Carried inner{runtime, "inner"};
    auto ends = std::make_shared<takt::ScopedConnection>(
        inner.connect([held = Counted()](const Counted&) {}));
    auto goes = std::make_shared<Carried>(runtime, "goes");
    goes->connect([held = Counted()](const Counted&) {});
    Connection connection = outer.connect([ends, goes](const Counted&) {});
    ends.reset();
    goes.reset();
    connection.disconnect();
    runtime.step();
    runtime.step();
    EXPECT_EQ(Counted::alive(), 0);
}

/// A listener that goes on for three frames, and then adds its closure's number.
auto slow_listener(int& sum) {
    return [&sum, number = std::make_unique<int>(5),
            held = Counted()](Counted) -> Task<> { // NOLINT: a coroutine's own
        for (int frame = 0; frame < 3; ++frame)
            co_await takt::next_frame();
        sum += *number;
    };
}

TEST_P(SignalLifetime, the_closure_of_a_listener_that_is_nobodys_stays_until_its_tasks_have_ended) {
    int sum = 0;
    {
        Carried signal{runtime, "signal"};
        signal.connect(slow_listener(sum));
        signal.fire(1);
        signal.fire(2);
    }
    {
        Carried signal{runtime, "once"};
        signal.once(slow_listener(sum));
        signal.fire(1);
        runtime.step();
    }
    Connection steps = runtime.bind_to_simulation(
        1000, 0, [&, number = std::make_unique<int>(7)](takt::SimulationStep) -> Task<> {
            takt::this_connection().disconnect();
            for (int frame = 0; frame < 3; ++frame)
                co_await takt::next_frame();
            sum += *number;
        });
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (sum != 3 * 5 + 7 && std::chrono::steady_clock::now() < end)
        runtime.step();
    runtime.step();
    EXPECT_EQ(sum, 3 * 5 + 7);
    EXPECT_FALSE(steps.connected());
    EXPECT_EQ(Counted::alive(), 0);
}

TEST_P(SignalLifetime, a_stage_whose_only_listener_has_ended_runs_no_more_while_its_task_waits) {
    int calls = 0;
    runtime.heartbeat().once([&](takt::FrameTime) -> Task<> {
        ++calls;
        co_await takt::wait(std::chrono::hours(1));
    });
    runtime.step();
    runtime.step();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(runtime.step().commits, 0u);
    EXPECT_EQ(runtime.step().commits, 0u);
}

constexpr takt::Topic<std::shared_ptr<Carried>> kSignal{"Signal"};
constexpr takt::Topic<std::shared_ptr<takt::ScopedConnection>> kConnection{"Connection"};
constexpr takt::Topic<std::shared_ptr<int>> kAtItsEnd{"AtItsEnd"};

TEST_P(SignalLifetime, signals_and_connections_may_be_payloads_and_go_with_their_message) {
    Carried other{runtime, "other"};
    for (const bool is_handled : {true, false}) {
        const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
            self.bind_parallel(kSignal, [](const auto&) {});
            self.bind_parallel(kConnection, [](const auto&) {});
        });
        runtime.step();
        auto signal = std::make_shared<Carried>(runtime, "inner");
        const Connection inner = signal->connect([held = Counted()](const Counted&) {});
        const Connection outer = other.connect([held = Counted()](const Counted&) {});
        actor.send(kSignal, std::move(signal));
        actor.send(kConnection, std::make_shared<takt::ScopedConnection>(outer));
        if (!is_handled)
            actor.destroy();
        runtime.run_until_idle();
        EXPECT_FALSE(inner.connected());
        EXPECT_FALSE(outer.connected());
        runtime.step();
        EXPECT_EQ(Counted::alive(), 0);
    }
}

TEST_P(SignalLifetime, a_payload_may_fire_when_it_goes_and_may_not_begin_a_task) {
    Signal<> heard{runtime, "heard"};
    int count = 0;
    heard.connect([&] { ++count; });
    std::string refused;
    const ActorRef actor = runtime.spawn_actor(
        {}, [&](Actor& self) { self.bind_parallel(kAtItsEnd, [](const auto&) {}); });
    actor.send(kAtItsEnd, std::shared_ptr<int>(new int(1), [&](const int* it) {
                   delete it;
                   heard.fire();
                   try {
                       takt::spawn([] { ADD_FAILURE() << "began"; });
                   } catch (const takt::PhaseError& error) {
                       refused = error.what();
                   }
               }));
    runtime.run_until_idle();
    EXPECT_EQ(count, 1);
    EXPECT_NE(refused.find("let a handler begin the task"), std::string::npos) << refused;
}

TEST(SignalBounds, fires_from_outside_are_bounded_as_messages_are) {
    takt::Runtime bounded(
        {.workers = {.count = 1, .pin = false}, .mail = {.outside_bytes = 1 << 16}});
    Signal<int> signal{bounded, "signal"};
    int count = 0;
    signal.connect([&](int) { ++count; });
    int accepted = 0;
    std::thread([&] {
        for (int fires = 0; fires < 10'000; ++fires) {
            const takt::SendResult result = signal.fire(fires);
            EXPECT_TRUE(result == takt::SendResult::ok || result == takt::SendResult::full);
            accepted += result == takt::SendResult::ok;
        }
    }).join();
    EXPECT_GT(accepted, 0);
    EXPECT_LT(accepted, 10'000);
    bounded.run_until_idle();
    EXPECT_EQ(count, accepted);
}

INSTANTIATE_TEST_SUITE_P(workers, SignalLifetime, kSettings);
INSTANTIATE_TEST_SUITE_P(workers, RuntimeLifetime, ::testing::Values(1, 2, 4));

} // namespace
