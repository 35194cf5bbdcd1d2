// SPDX-License-Identifier: MIT
// Who hears a signal, in which order and in which phase.
#include "signal/signal_support.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using takt::Actor;
using takt::ActorRef;
using takt::Connection;
using takt::Firing;
using takt::Phase;
using takt::Signal;
using takt::Task;
using takt::testing_support::kSettings;
using takt::testing_support::SignalTest;
using Heard = std::vector<int>;

class Signals : public SignalTest {
  protected:
    auto note(int number) {
        return [this, number](int value) { heard.push_back(10 * number + value); };
    }
    /// An actor that does that in the parallel phase at each kGo.
    template <class F>
    ActorRef in_parallel(F function) {
        return runtime.spawn_actor({}, [&](Actor& self) { self.bind_parallel(kGo, function); });
    }
    ActorRef owner_of(std::function<void()> setup) {
        return runtime.spawn_actor({}, [&](Actor&) { setup(); });
    }

    Heard heard;
    Signal<int> hit{runtime, "hit"};
    Signal<int> later{runtime, "later", Firing::deferred};
};

// --- who is called, in which order and phase ------------------------------------------------------

TEST_P(Signals, listeners_are_called_on_each_fire_in_connect_order_whoever_owns_them) {
    hit.connect(note(1));
    owner_of([&] { hit.connect(note(2)); });
    hit.connect(note(3));
    hit.fire(7);
    hit.fire(8);
    EXPECT_EQ(heard, (Heard{17, 27, 37, 18, 28, 38}));
}

TEST_P(Signals, an_immediate_fire_in_the_serial_phase_is_heard_inside_it_also_a_nested_one) {
    Signal<int> nested{runtime, "nested"};
    hit.connect([&](int value) {
        heard.push_back(1);
        nested.fire(value);
        heard.push_back(3);
    });
    nested.connect([&](int) { heard.push_back(2); });
    hit.fire(0);
    heard.push_back(4);
    EXPECT_EQ(heard, (Heard{1, 2, 3, 4}));
}

TEST_P(Signals, a_deferred_fire_goes_to_the_back_and_code_after_it_sees_it_unheard) {
    later.connect(note(1));
    later.fire(1);
    hit.connect([&](int) {
        later.fire(3);
        EXPECT_TRUE(heard.empty());
    });
    later.fire(2);
    hit.fire(0);
    EXPECT_TRUE(heard.empty());
    runtime.step();
    EXPECT_EQ(heard, (Heard{11, 12, 13}));
}

TEST_P(Signals, hops_of_deferred_fires_take_a_round_each_and_not_a_frame) {
    std::vector<std::unique_ptr<Signal<int>>> hops;
    for (int hop = 0; hop < 5; ++hop)
        hops.push_back(std::make_unique<Signal<int>>(runtime, "hop", Firing::deferred));
    for (std::size_t hop = 0; hop < 5; ++hop)
        hops[hop]->connect([&, hop](int value) {
            heard.push_back(static_cast<int>(hop));
            if (hop + 1 < hops.size())
                hops[hop + 1]->fire(value);
        });
    hops[0]->fire(1);
    const takt::FrameReport report = runtime.step();
    EXPECT_EQ(heard, (Heard{0, 1, 2, 3, 4}));
    EXPECT_EQ(report.rounds, 5u);
}

TEST_P(Signals, parallel_listeners_are_called_in_the_next_parallel_phase_in_connect_order) {
    owner_of([&] {
        for (int number = 1; number <= 3; ++number)
            hit.connect_parallel([this, number](int value) {
                EXPECT_EQ(takt::current_phase(), Phase::parallel);
                heard.push_back(10 * number + value);
            });
    });
    hit.fire(1);
    later.fire(1);
    hit.fire(2);
    EXPECT_TRUE(heard.empty());
    runtime.step();
    EXPECT_EQ(heard, (Heard{11, 21, 31, 12, 22, 32}));
}

TEST_P(Signals, a_parallel_connection_must_be_rooted_in_an_actor) {
    try {
        hit.connect_parallel([](int) {});
        ADD_FAILURE() << "nobody has a parallel phase";
    } catch (const takt::PhaseError& error) {
        EXPECT_NE(std::string(error.what()).find("connect_parallel"), std::string::npos);
    }
    EXPECT_NO_THROW(hit.connect([](int) {}));
}

TEST_P(Signals, a_listener_runs_in_the_name_of_its_actor) {
    std::vector<ActorRef> called;
    const ActorRef owner = owner_of([&] {
        hit.connect([&](takt::Serial, int) { called.push_back(takt::this_actor().ref()); });
        hit.connect_parallel([&](int) { called.push_back(takt::this_actor().ref()); });
    });
    const ActorRef other =
        runtime.spawn_actor({}, [&](Actor& self) { self.bind(kGo, [&] { hit.fire(1); }); });
    other.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(called, (std::vector<ActorRef>{owner, owner}));
}

TEST_P(Signals, a_fire_of_the_parallel_phase_is_heard_in_commit_order) {
    hit.connect(note(0));
    std::vector<ActorRef> actors;
    for (int index = 0; index < 8; ++index)
        actors.push_back(in_parallel([&, index] { hit.fire(index); }));
    for (std::size_t at = actors.size(); at-- > 0;)
        actors[at].send(kGo);
    runtime.step();
    EXPECT_EQ(heard, (Heard{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST_P(Signals, a_fire_of_a_parallel_listener_is_heard_in_the_same_round) {
    later.connect(note(1));
    owner_of([&] { hit.connect_parallel([&](int value) { later.fire(value + 1); }); });
    hit.fire(1);
    const takt::FrameReport report = runtime.step();
    EXPECT_EQ(heard, (Heard{12}));
    EXPECT_EQ(report.rounds, 1u);
}

TEST_P(Signals, a_fire_from_outside_is_heard_in_the_next_round_in_both_phases) {
    hit.connect([&](int value) { heard.push_back(20 + value); });
    owner_of([&] { hit.connect_parallel([&](int value) { heard.push_back(10 + value); }); });
    const auto ref = hit.ref();
    std::thread([ref] { EXPECT_EQ(ref.fire(3), takt::SendResult::ok); }).join();
    EXPECT_TRUE(heard.empty());
    runtime.step();
    EXPECT_EQ(heard, (Heard{13, 23}));
}

TEST_P(Signals, a_fire_of_a_dead_signal_is_dead_or_finds_nobody) {
    auto gone = std::make_unique<Signal<int>>(runtime, "gone");
    gone->connect(note(1));
    const auto ref = gone->ref();
    gone.reset();
    EXPECT_EQ(ref.fire(1), takt::SendResult::dead);
    std::thread([ref] { ref.fire(2); }).join();
    const ActorRef actor = in_parallel([ref] { ref.fire(3); });
    actor.send(kGo);
    runtime.run_until_idle();
    EXPECT_TRUE(heard.empty());
}

TEST_P(Signals, all_listeners_see_the_same_arguments) {
    Signal<std::string, int> told{runtime, "told"};
    std::vector<const std::string*> seen;
    const auto look = [&](const std::string& text, int number) {
        EXPECT_EQ(text, "a text that is longer than what a string keeps inside");
        EXPECT_EQ(number, 7);
        seen.push_back(&text);
    };
    told.connect(look);
    told.connect(look);
    owner_of([&] { told.connect_parallel(look); });
    told.fire("a text that is longer than what a string keeps inside", 7);
    runtime.run_until_idle();
    ASSERT_EQ(seen.size(), 3u);
    EXPECT_EQ(seen[0], seen[1]);
    EXPECT_EQ(seen[0], seen[2]);
}

// --- failures -------------------------------------------------------------------------------------

TEST_P(Signals, a_listener_that_throws_stops_nobody_else) {
    hit.connect([](int) { throw std::runtime_error("first"); });
    hit.connect(note(1));
    owner_of([&] {
        hit.connect_parallel([](int) { throw std::runtime_error("second"); });
        hit.connect_parallel(note(2));
    });
    hit.fire(1);
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Heard{11, 21}));
    ASSERT_EQ(failures.size(), 2u);
    for (const std::string& text : failures)
        EXPECT_NE(text.find("hit"), std::string::npos) << text;
}

TEST_P(Signals, an_actor_that_a_failure_stopped_hears_nothing_more) {
    std::vector<Connection> ended;
    const auto spawn = [&](auto connect) {
        return runtime.spawn_actor({.on_failure = takt::FailurePolicy::stop},
                                   [&](Actor&) { connect(); });
    };
    const ActorRef serial = spawn([&] {
        ended.push_back(hit.connect([](int) { throw std::runtime_error("stop"); }));
        ended.push_back(hit.connect(note(1)));
    });
    const ActorRef parallel = spawn([&] {
        ended.push_back(hit.connect_parallel([](int) { throw std::runtime_error("stop"); }));
        ended.push_back(hit.connect_parallel(note(2)));
        ended.push_back(hit.connect(note(3)));
    });
    hit.fire(1);
    runtime.run_until_idle();
    hit.fire(2);
    serial.destroy();
    parallel.destroy();
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Heard{31})); // before the parallel phase in which its actor failed
    for (const Connection& connection : ended)
        EXPECT_FALSE(connection.connected());
}

TEST_P(Signals, a_chain_ends_at_ten_with_an_error_that_names_it) {
    Signal<> ping{runtime, "ping"};
    Signal<> pong{runtime, "pong"};
    int calls = 0;
    ping.connect([&] {
        ++calls;
        pong.fire();
    });
    pong.connect([&] {
        ++calls;
        ping.fire();
    });
    ping.fire();
    EXPECT_EQ(calls, 10);
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_NE(failures[0].find("ping > pong > ping > pong > ping > pong > ping > pong > ping > "
                               "pong > ping"),
              std::string::npos)
        << failures[0];
    ping.fire(); // a new chain
    EXPECT_EQ(calls, 20);
}

TEST_P(Signals, a_chain_of_deferred_fires_ends_at_ten_also_over_frames_and_phases) {
    int serial = 0;
    int parallel = 0;
    later.connect([&](int) {
        ++serial;
        later.fire(0);
    });
    later.fire(0);
    runtime.run_until_idle();
    EXPECT_EQ(serial, 10);
    Signal<> echo{runtime, "echo"};
    owner_of([&] {
        echo.connect_parallel([&] {
            ++parallel;
            echo.fire();
        });
    });
    echo.fire();
    runtime.run_until_idle();
    EXPECT_EQ(parallel, 10);
    ASSERT_EQ(failures.size(), 2u);
    EXPECT_NE(failures[1].find("echo > echo"), std::string::npos) << failures[1];
}

// --- once, disconnect, destroy --------------------------------------------------------------------

TEST_P(Signals, once_with_3_queued_hears_one) {
    later.once(note(1));
    owner_of([&] { later.once_parallel(note(2)); });
    for (int value = 1; value <= 3; ++value)
        later.fire(value);
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Heard{21, 11}));
}

TEST_P(Signals, once_is_disconnected_before_its_call) {
    Connection connection;
    connection = hit.once([&](int value) {
        EXPECT_FALSE(connection.connected());
        heard.push_back(value);
        if (value < 3)
            hit.fire(value + 1);
    });
    EXPECT_TRUE(connection.connected());
    hit.fire(1);
    hit.fire(1);
    EXPECT_EQ(heard, (Heard{1}));
}

TEST_P(Signals, disconnect_with_3_queued_hears_none) {
    Connection serial = later.connect(note(1));
    Connection parallel;
    owner_of([&] { parallel = later.connect_parallel(note(2)); });
    later.connect(note(3));
    for (int value = 1; value <= 3; ++value)
        later.fire(value);
    serial.disconnect();
    parallel.disconnect();
    EXPECT_FALSE(serial.connected());
    serial.disconnect(); // twice
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Heard{31, 32, 33}));
}

TEST_P(Signals, destroy_of_the_owner_with_3_queued_hears_three_in_the_serial_phase) {
    const ActorRef actor = owner_of([&] {
        later.connect(note(1));
        later.connect_parallel([&](int value) {
            EXPECT_EQ(takt::current_phase(), Phase::serial);
            heard.push_back(20 + value);
        });
        later.once_parallel([&](int value) { heard.push_back(30 + value); });
    });
    for (int value = 1; value <= 3; ++value)
        later.fire(value);
    actor.destroy();
    later.fire(4); // after its end
    runtime.run_until_idle();
    std::sort(heard.begin(), heard.end());
    EXPECT_EQ(heard, (Heard{11, 12, 13, 21, 22, 23, 31}));
}

TEST_P(Signals, the_pending_calls_of_an_actor_that_goes_come_in_the_order_of_the_fires) {
    const ActorRef actor = owner_of([&] {
        hit.connect_parallel(note(1));
        hit.connect_parallel(note(2));
    });
    hit.fire(1);
    hit.fire(2);
    hit.fire(3);
    actor.destroy();
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Heard{11, 21, 12, 22, 13, 23}));
}

TEST_P(Signals, state_of_an_actor_that_goes_is_there_in_its_pending_calls) {
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.emplace_state<int>(5);
        later.connect([&](int value) { heard.push_back(takt::this_actor().state<int>() + value); });
    });
    later.fire(1);
    actor.destroy();
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Heard{6}));
}

TEST_P(Signals, a_listener_may_destroy_its_actor_and_the_calls_before_that_still_come) {
    owner_of([&] {
        later.connect([&](int value) {
            heard.push_back(value);
            takt::this_actor().destroy();
        });
    });
    for (int value = 1; value <= 3; ++value)
        later.fire(value);
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Heard{1, 2, 3}));
    EXPECT_EQ(runtime.actors(), 0u);
}

TEST_P(Signals, this_connection_is_the_listeners_own) {
    hit.connect([&](int value) {
        heard.push_back(value);
        takt::this_connection().disconnect();
    });
    hit.connect([&](int value) { heard.push_back(10 + value); });
    owner_of([&] {
        hit.connect_parallel([&](int value) {
            heard.push_back(20 + value);
            takt::this_connection().disconnect();
        });
    });
    hit.fire(1);
    hit.fire(2);
    EXPECT_EQ(heard, (Heard{1, 11, 12}));
    heard.clear();
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Heard{21}));
    EXPECT_THROW(takt::this_connection(), takt::PhaseError);
}

TEST_P(Signals, a_scoped_connection_disconnects_when_it_goes_and_not_when_it_moves) {
    std::optional<takt::ScopedConnection> outer;
    {
        takt::ScopedConnection inner = hit.connect(note(1));
        takt::ScopedConnection ends = hit.connect(note(2));
        outer.emplace(std::move(inner));
    }
    hit.fire(1);
    outer.reset();
    hit.fire(2);
    EXPECT_EQ(heard, (Heard{11}));
}

// --- connecting and disconnecting while it fires --------------------------------------------------

TEST_P(Signals, who_connects_while_a_fire_runs_hears_the_next_one) {
    for (Signal<int>* const signal : {&hit, &later}) {
        heard.clear();
        signal->once([&, signal](int) { signal->connect(note(1)); });
        signal->fire(1);
        runtime.run_until_idle();
        EXPECT_TRUE(heard.empty());
        signal->fire(2);
        runtime.run_until_idle();
        EXPECT_EQ(heard, (Heard{12}));
    }
}

TEST_P(Signals, who_is_disconnected_while_a_fire_runs_is_not_called) {
    std::vector<Connection> all(3);
    const auto end_others = [&](int) {
        heard.push_back(1);
        for (Connection& connection : all)
            connection.disconnect();
    };
    for (Connection& connection : all)
        connection = hit.connect(end_others);
    hit.connect(note(2));
    hit.fire(1);
    EXPECT_EQ(heard, (Heard{1, 21}));
}

TEST_P(Signals, connections_of_the_parallel_phase_count_from_their_place_in_commit_order) {
    std::vector<ActorRef> actors;
    actors.push_back(in_parallel([&] { hit.fire(1); }));
    actors.push_back(in_parallel([&] {
        hit.fire(2);
        hit.connect(note(1));
        hit.connect_parallel(note(2));
        hit.fire(3);
    }));
    actors.push_back(in_parallel([&] { hit.fire(4); }));
    for (const ActorRef actor : actors)
        actor.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Heard{13, 14, 23, 24}));
}

TEST_P(Signals, a_connection_of_the_parallel_phase_may_end_in_it) {
    const ActorRef actor = in_parallel([&] {
        Connection connection = hit.connect_parallel(note(1));
        EXPECT_TRUE(connection.connected());
        connection.disconnect();
        takt::ScopedConnection scoped = hit.connect(note(2));
        hit.fire(1);
    });
    actor.send(kGo);
    runtime.run_until_idle();
    hit.fire(2);
    runtime.run_until_idle();
    EXPECT_TRUE(heard.empty());
}

// What the other one hears in the same parallel phase still comes, since it may run at the same time.
TEST_P(Signals, another_actors_disconnect_counts_from_its_place_in_commit_order) {
    Connection serial;
    Connection parallel;
    owner_of([&] {
        serial = hit.connect(note(1));
        parallel = hit.connect_parallel(note(2));
    });
    const ActorRef before = in_parallel([&] { hit.fire(3); });
    const ActorRef ends = in_parallel([&] {
        Connection(serial).disconnect();
        Connection(parallel).disconnect();
    });
    const ActorRef after = in_parallel([&] { hit.fire(4); });
    hit.fire(2); // its parallel call is pending in that phase
    for (const ActorRef actor : {before, ends, after})
        actor.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Heard{12, 22, 13})); // 23 was dropped: it was pending
    EXPECT_FALSE(serial.connected());
    EXPECT_FALSE(parallel.connected());
}

TEST_P(Signals, a_disconnect_from_outside_counts_from_the_start_of_a_round) {
    Connection connection = later.connect(note(1));
    owner_of([&] { later.connect_parallel(note(2)); });
    later.fire(1);
    std::thread([connection]() mutable {
        EXPECT_TRUE(connection.connected());
        connection.disconnect();
        EXPECT_FALSE(connection.connected()); // it has nothing more to do with it
    }).join();
    EXPECT_TRUE(connection.connected());
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Heard{21}));
    EXPECT_FALSE(connection.connected());
}

// Its commits would come after its end.
TEST_P(Signals, what_an_actor_ends_stays_ended_when_it_goes_in_the_same_round) {
    Connection connection = hit.connect(note(1));
    auto gone = std::make_unique<Signal<int>>(runtime, "gone");
    gone->connect(note(2));
    const auto ref = gone->ref();
    ActorRef ends;
    const ActorRef destroys = in_parallel([&] { ends.destroy(); });
    ends = in_parallel([&] {
        Connection(connection).disconnect();
        gone.reset();
        hit.fire(1); // dropped, as all that an actor still wanted to do
        hit.connect(note(3));
    });
    ends.send(kGo);
    destroys.send(kGo);
    runtime.run_until_idle();
    EXPECT_FALSE(connection.connected());
    EXPECT_EQ(ref.fire(1), takt::SendResult::dead);
    hit.fire(2);
    EXPECT_TRUE(heard.empty());
    EXPECT_EQ(runtime.actors(), 1u);
}

// --- setup ----------------------------------------------------------------------------------------

TEST_P(Signals, an_actor_hears_nothing_before_its_setup_has_finished) {
    runtime.spawn_actor({}, [&](Actor&) -> Task<> {
        hit.connect(note(1));
        hit.connect_parallel(note(2));
        later.connect(note(3));
        runtime.heartbeat().connect([&](takt::FrameTime) { heard.push_back(40); });
        hit.fire(1);
        later.fire(1);
        co_await takt::next_frame();
        hit.fire(2);
        co_await takt::desynchronize();
        hit.connect(note(5));
        hit.fire(3);
        co_await takt::synchronize();
        EXPECT_TRUE(heard.empty());
    });
    EXPECT_TRUE(heard.empty());
    runtime.step(); // in which the setup ends; its heartbeat was before that
    EXPECT_TRUE(heard.empty());
    hit.fire(4);
    EXPECT_EQ(heard, (Heard{14, 54}));
    heard.clear();
    runtime.step();
    EXPECT_EQ(heard, (Heard{24, 40}));
}

TEST_P(Signals, a_setup_may_wait_for_a_signal) {
    runtime
        .spawn_actor({},
                     [&](Actor& self) -> Task<> {
                         const int value = co_await hit.wait();
                         heard.push_back(value);
                         self.bind(kGo, [&] { heard.push_back(9); });
                     })
        .send(kGo);
    runtime.step();
    EXPECT_TRUE(heard.empty());
    hit.fire(5);
    runtime.step();
    EXPECT_EQ(heard, (Heard{5, 9}));
}

TEST_P(Signals, a_listener_may_not_step) {
    hit.connect([&](int) { EXPECT_THROW(runtime.step(), takt::PhaseError); });
    hit.connect(note(1));
    hit.fire(1);
    EXPECT_THROW(runtime.spawn_actor({}, [&](Actor&) { runtime.step(); }), takt::PhaseError);
    EXPECT_EQ(heard, (Heard{11}));
    runtime.step();
}

INSTANTIATE_TEST_SUITE_P(workers, Signals, kSettings);

} // namespace
