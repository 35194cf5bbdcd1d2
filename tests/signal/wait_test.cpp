// SPDX-License-Identifier: MIT
// Coroutines and signals: tasks that wait for one, and listeners that are tasks.
#include "signal/signal_support.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::ActorRef;
using takt::Connection;
using takt::Firing;
using takt::Phase;
using takt::Signal;
using takt::Task;
using takt::TaskRef;
using takt::testing_support::Counted;
using takt::testing_support::kSettings;
using takt::testing_support::SignalTest;
using Heard = std::vector<int>;

class SignalTasks : public SignalTest {
  protected:
    /// An actor with a task that kGo begins, in that phase.
    template <class F>
    ActorRef actor_in(Phase phase, F task) {
        return runtime.spawn_actor({}, [&](Actor& self) {
            if (phase == Phase::parallel)
                self.bind_parallel(kGo, task);
            else
                self.bind(kGo, task);
        });
    }
    void go(ActorRef actor) {
        actor.send(kGo);
        runtime.run_until_idle();
    }

    static constexpr Phase kPhases[] = {Phase::serial, Phase::parallel};
    Heard heard;
    Signal<int> hit{runtime, "hit"};
    Signal<int> later{runtime, "later", Firing::deferred};
};

// --- waiting --------------------------------------------------------------------------------------

TEST_P(SignalTasks, wait_goes_on_with_the_next_fire_in_the_callers_phase_and_gives_its_arguments) {
    for (const Phase phase : kPhases) {
        heard.clear();
        go(actor_in(phase, [this, phase]() -> Task<> {
            for (int times = 0; times < 2; ++times) {
                heard.push_back(co_await hit.wait());
                EXPECT_EQ(takt::current_phase(), phase);
            }
        }));
        EXPECT_TRUE(heard.empty());
        for (int value = 5; value <= 8; ++value) {
            hit.fire(value);
            runtime.run_until_idle();
        }
        EXPECT_EQ(heard, (Heard{5, 6}));
    }
}

TEST_P(SignalTasks, one_wait_is_one_fire_also_when_several_are_queued) {
    for (const Phase phase : kPhases) {
        heard.clear();
        go(actor_in(phase, [this]() -> Task<> { heard.push_back(co_await later.wait()); }));
        for (int value = 1; value <= 3; ++value)
            later.fire(value);
        runtime.run_until_idle();
        EXPECT_EQ(heard, (Heard{1}));
    }
}

TEST_P(SignalTasks, wait_gives_nothing_the_one_or_a_tuple) {
    Signal<> none{runtime, "none"};
    Signal<std::string, int> both{runtime, "both"};
    runtime.start([](Heard& to, Signal<>& first, Signal<std::string, int>& second) -> Task<> {
        co_await first.wait();
        static_assert(std::is_void_v<decltype(first.wait().await_resume())>);
        const std::tuple<std::string, int> got = co_await second.wait();
        EXPECT_EQ(got, std::make_tuple(std::string("text"), 2));
        to.push_back(1);
    }(heard, none, both));
    none.fire();
    both.fire("text", 2);
    EXPECT_EQ(heard, (Heard{1}));
}

TEST_P(SignalTasks, a_wait_of_the_parallel_phase_hears_the_fires_of_its_own_round) {
    go(actor_in(Phase::parallel, [this]() -> Task<> {
        takt::commit([this] { hit.fire(1); }); // before the wait, in commit order
        const int value = co_await hit.wait();
        heard.push_back(value);
    }));
    EXPECT_TRUE(heard.empty());
    const ActorRef fires = actor_in(Phase::parallel, [this] { hit.fire(2); });
    go(fires);
    EXPECT_EQ(heard, (Heard{2}));
}

TEST_P(SignalTasks, a_task_that_was_cancelled_while_it_waits_is_no_listener_any_more) {
    for (const Phase phase : kPhases) {
        std::optional<TaskRef> waiting;
        std::vector<takt::CancelResult> results;
        const ActorRef actor = actor_in(phase, [&]() -> Task<> {
            if (!waiting) {
                waiting = takt::spawn(
                    [this, held = Counted()]() -> Task<> { heard.push_back(co_await hit.wait()); });
            } else {
                results.push_back(takt::cancel(*waiting));
                results.push_back(takt::cancel(*waiting));
            }
            co_return;
        });
        go(actor);
        EXPECT_EQ(Counted::alive(), 1);
        go(actor);
        EXPECT_EQ(results, (std::vector{takt::CancelResult::done, takt::CancelResult::nothing}));
        EXPECT_EQ(Counted::alive(), 0);
        hit.fire(1);
        runtime.run_until_idle();
        EXPECT_TRUE(heard.empty());
    }
}

TEST_P(SignalTasks, a_task_that_is_cancelled_with_its_fire_pending_does_not_hear_it) {
    for (const Phase phase : kPhases) {
        TaskRef waiting;
        go(actor_in(phase, [&]() -> Task<> {
            waiting = takt::spawn([this]() -> Task<> { heard.push_back(co_await later.wait()); });
            co_return;
        }));
        later.fire(1);
        EXPECT_EQ(takt::cancel(waiting), takt::CancelResult::done);
        runtime.run_until_idle();
        EXPECT_TRUE(heard.empty());
    }
}

TEST_P(SignalTasks, a_wait_that_loses_against_a_time_is_no_listener_any_more) {
    for (const Phase phase : kPhases) {
        go(actor_in(phase, [this]() -> Task<> {
            const auto one = [](Signal<int>& signal) -> Task<int> {
                co_return co_await signal.wait();
            };
            const auto two = []() -> Task<> { co_await takt::wait(0ns); };
            const auto first = co_await takt::when_any(one(hit), two());
            heard.push_back(static_cast<int>(first.index()));
        }));
        runtime.step();
        runtime.run_until_idle();
        hit.fire(3);
        runtime.run_until_idle();
    }
    EXPECT_EQ(heard, (Heard{1, 1}));
}

TEST_P(SignalTasks, a_wait_that_wins_against_a_time_ends_that) {
    go(actor_in(Phase::parallel, [this]() -> Task<> {
        const auto one = [](Signal<int>& signal) -> Task<int> { co_return co_await signal.wait(); };
        const auto two = [](Counted) -> Task<> { co_await takt::wait(1h); };
        const auto first = co_await takt::when_any(one(hit), two(Counted()));
        heard.push_back(std::get<0>(first));
        EXPECT_EQ(takt::current_phase(), Phase::parallel);
    }));
    hit.fire(3);
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Heard{3}));
    EXPECT_EQ(Counted::alive(), 0);
}

TEST_P(SignalTasks, tasks_that_wait_for_a_signal_that_is_destroyed_get_an_error) {
    for (const Phase phase : kPhases) {
        auto gone = std::make_unique<Signal<int>>(runtime, "gone");
        std::string text;
        go(actor_in(phase, [&]() -> Task<> {
            try {
                co_await gone->wait();
            } catch (const takt::Error& error) {
                text = error.what();
                EXPECT_EQ(takt::current_phase(), phase);
            }
        }));
        gone.reset();
        runtime.run_until_idle();
        EXPECT_NE(text.find("gone"), std::string::npos) << text;
    }
}

TEST_P(SignalTasks, a_fire_before_the_signals_end_is_still_heard) {
    auto gone = std::make_unique<Signal<int>>(runtime, "gone", Firing::deferred);
    for (const Phase phase : kPhases)
        go(actor_in(phase, [&]() -> Task<> {
            Signal<int>& signal = *gone;
            heard.push_back(co_await signal.wait());
        }));
    gone->fire(4);
    gone.reset();
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Heard{4, 4}));
    EXPECT_TRUE(failures.empty());
}

TEST_P(SignalTasks, tasks_that_wait_go_with_their_actor_also_when_a_fire_is_pending) {
    for (const Phase phase : kPhases)
        for (const bool is_pending : {false, true}) {
            const ActorRef actor = actor_in(phase, [this]() -> Task<> {
                const Counted held;
                heard.push_back(co_await later.wait());
            });
            go(actor);
            EXPECT_EQ(Counted::alive(), 1);
            if (is_pending)
                later.fire(1);
            actor.destroy();
            runtime.run_until_idle();
            EXPECT_EQ(Counted::alive(), 0);
        }
    later.fire(2);
    runtime.run_until_idle();
    EXPECT_TRUE(heard.empty());
}

TEST_P(SignalTasks, a_task_that_fires_may_let_another_one_go_on_inside) {
    const auto relay = [this](int number) -> Task<> {
        const int value = co_await hit.wait();
        heard.push_back(10 * number + value);
        if (number < 3)
            hit.fire(value + 1);
    };
    for (int number = 1; number <= 3; ++number)
        runtime.start(relay(number));
    hit.fire(1);
    EXPECT_EQ(heard, (Heard{11, 22, 33})); // each fire finds one that still waits before the next
}

TEST_P(SignalTasks, outside_a_phase_there_is_no_waiting) {
    bool was_refused = false;
    go(actor_in(Phase::parallel, [&]() -> Task<> {
        co_await takt::offload();
        try {
            co_await hit.wait();
        } catch (const takt::PhaseError&) {
            was_refused = true;
        }
        co_await takt::synchronize();
    }));
    EXPECT_TRUE(was_refused);
}

TEST(SignalTasksTest, do_not_wait_for_a_signal_of_another_runtime) {
    takt::Runtime runtime({.workers = {.count = 1}});
    takt::Runtime other({.workers = {.count = 1}});
    Signal<int> theirs{other, "theirs"};
    runtime.serial();
    std::string text;
    runtime.start([](Signal<int>& signal, std::string& to) -> Task<> {
        try {
            co_await signal.wait();
        } catch (const takt::Error& error) {
            to = error.what();
        }
    }(theirs, text));
    EXPECT_NE(text.find("another runtime"), std::string::npos) << text;
}

// --- listeners that are coroutines ----------------------------------------------------------------

TEST_P(SignalTasks, a_listener_may_be_a_coroutine_in_both_phases) {
    const auto connect = [this](auto&& connect_one) {
        runtime.spawn_actor({}, [&](Actor&) { connect_one(); });
    };
    connect([this] {
        hit.connect([this](int value) -> Task<> {
            co_await takt::desynchronize();
            EXPECT_EQ(takt::current_phase(), Phase::parallel);
            co_await takt::synchronize();
            heard.push_back(10 + value);
        });
    });
    connect([this] {
        hit.connect_parallel([this](int value) -> Task<> {
            EXPECT_EQ(takt::current_phase(), Phase::parallel);
            co_await takt::synchronize();
            heard.push_back(20 + value);
        });
    });
    hit.fire(1);
    hit.fire(2);
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Heard{11, 12, 21, 22}));
}

TEST_P(SignalTasks, a_listener_of_nobody_may_be_a_coroutine) {
    hit.connect([this](takt::Serial, int value) -> Task<> {
        co_await takt::next_frame();
        heard.push_back(value);
    });
    hit.fire(1);
    EXPECT_TRUE(heard.empty());
    runtime.step();
    EXPECT_EQ(heard, (Heard{1}));
}

TEST_P(SignalTasks, a_listeners_closure_lives_as_long_as_the_tasks_it_began) {
    for (const Phase phase : kPhases) {
        heard.clear();
        runtime.spawn_actor({}, [&](Actor&) {
            const auto listen = [this, held = Counted(7)](int value) -> Task<> {
                takt::this_connection().disconnect();
                co_await later.wait();
                heard.push_back(held.value + value);
            };
            if (phase == Phase::parallel)
                hit.connect_parallel(listen);
            else
                hit.connect(listen);
        });
        EXPECT_EQ(Counted::alive(), 1);
        hit.fire(1);
        hit.fire(2);
        runtime.run_until_idle();
        EXPECT_EQ(Counted::alive(), 1);
        EXPECT_TRUE(heard.empty());
        later.fire(1);
        runtime.run_until_idle();
        EXPECT_EQ(heard, (Heard{8}));
        EXPECT_EQ(Counted::alive(), 0);
    }
}

TEST_P(SignalTasks, this_connection_is_known_in_a_listeners_task_after_it_waited) {
    int calls = 0;
    Connection connection = hit.connect([&](int) -> Task<> {
        ++calls;
        co_await takt::next_frame();
        takt::this_connection().disconnect();
        co_await takt::next_frame();
        ++calls;
    });
    hit.fire(1);
    EXPECT_TRUE(connection.connected());
    runtime.step();
    EXPECT_FALSE(connection.connected());
    hit.fire(2);
    runtime.step();
    EXPECT_EQ(calls, 2);
}

TEST_P(SignalTasks, a_listeners_task_that_throws_fails_its_actor_by_the_name_of_the_signal) {
    hit.connect([](int) -> Task<> {
        co_await takt::next_frame();
        throw std::runtime_error("late");
    });
    hit.fire(1);
    runtime.step();
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_NE(failures[0].find("hit"), std::string::npos) << failures[0];
}

TEST_P(SignalTasks, a_listeners_task_of_an_actor_that_goes_goes_with_it) {
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor&) {
        hit.connect([this](int) -> Task<> {
            const Counted held;
            heard.push_back(1);
            co_await takt::next_frame();
            heard.push_back(2);
        });
        hit.connect_parallel([this](int) -> Task<> { // is called at the actor's end
            const Counted held;
            heard.push_back(3);
            co_await takt::desynchronize();
            heard.push_back(4);
        });
    });
    hit.fire(1);
    EXPECT_EQ(Counted::alive(), 1);
    actor.destroy();
    runtime.run_until_idle();
    EXPECT_EQ(Counted::alive(), 0);
    EXPECT_EQ(heard, (Heard{1, 3}));
}

TEST_P(SignalTasks, a_listeners_task_on_a_background_thread_keeps_its_closure_when_its_actor_goes) {
    std::atomic<bool> may_end{false};
    std::atomic<int> seen{0};
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor&) {
        hit.connect([&, held = Counted(7)](int) -> Task<> {
            co_await takt::offload();
            while (!may_end.load(std::memory_order_acquire)) // edge may_end, acquire side
                std::this_thread::yield();
            seen.store(held.value, std::memory_order_relaxed); // relaxed: the frame joins it
            co_await takt::synchronize();
        });
    });
    hit.fire(1);
    actor.destroy();
    runtime.step();
    EXPECT_EQ(Counted::alive(), 1);
    may_end.store(true, std::memory_order_release); // edge may_end, release side
    runtime.run_until_idle();
    EXPECT_EQ(seen.load(std::memory_order_relaxed), 7); // relaxed: it came home
    EXPECT_EQ(Counted::alive(), 0);
}

INSTANTIATE_TEST_SUITE_P(workers, SignalTasks, kSettings);

} // namespace
