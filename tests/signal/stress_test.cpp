// SPDX-License-Identifier: MIT
// Real threads: what threads outside may do with signals while frames run, and what actors may do with
// each other's. Under the thread sanitizer a race shows; without it, the counts are what is tested.
#include "signal/signal_support.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace {

using takt::Actor;
using takt::ActorRef;
using takt::Connection;
using takt::Firing;
using takt::Runtime;
using takt::Signal;
using takt::SignalRef;
using takt::Task;
using takt::testing_support::Counted;

constexpr takt::Topic<> kGo{"Go"};

class SignalStress : public ::testing::TestWithParam<takt::testing_support::Setting> {
  protected:
    Runtime runtime{{.preset = GetParam().preset, .workers = {.count = GetParam().workers}}};
};

TEST_P(SignalStress, threads_outside_fire_while_frames_run_and_each_fire_is_heard_once_by_all) {
    constexpr int kThreads = 3;
    constexpr int kFires = 400;
    Signal<int, int> told{runtime, "told"};
    struct Ear {
        int next[kThreads] = {};
        std::uint64_t heard = 0;
        bool is_in_order = true;
        void hear(int thread, int number) {
            is_in_order &= number == next[thread]++;
            ++heard;
        }
    };
    std::vector<Ear> ears(8); // the last one is nobody's, and serial
    for (std::size_t at = 0; at + 1 < ears.size(); ++at)
        runtime.spawn_actor({}, [&, at](Actor&) {
            const auto listener = [&ear = ears[at]](int thread, int number) {
                ear.hear(thread, number);
            };
            if (at % 2 == 0)
                told.connect_parallel(listener);
            else
                told.connect(listener);
        });
    told.connect([&](int thread, int number) { ears.back().hear(thread, number); });
    std::atomic<int> running{kThreads};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&running, thread, ref = told.ref()] {
            for (int number = 0; number < kFires; ++number)
                EXPECT_EQ(ref.fire(thread, number), takt::SendResult::ok);
            running.fetch_sub(1, std::memory_order_release); // edge fired, release side
        });
    while (running.load(std::memory_order_acquire) != 0) // edge fired, acquire side
        runtime.step();
    for (std::thread& thread : threads)
        thread.join();
    runtime.run_until_idle();
    for (const Ear& ear : ears) {
        EXPECT_EQ(ear.heard, std::uint64_t{kThreads} * kFires);
        EXPECT_TRUE(ear.is_in_order); // the fires of one thread
    }
}

// All that is said of a connection or a signal outside is said to the frame, by the gate.
TEST_P(SignalStress, threads_outside_disconnect_and_end_signals_that_fire) {
    for (int times = 0; times < 30; ++times) {
        auto signal = std::make_unique<Signal<Counted>>(runtime, "signal");
        const SignalRef<Counted> ref = signal->ref();
        std::vector<Connection> connections;
        for (int at = 0; at < 6; ++at)
            runtime.spawn_actor({}, [&](Actor&) {
                connections.push_back(
                    at % 2 == 0 ? signal->connect([held = Counted()](const Counted&) {})
                                : signal->connect_parallel([held = Counted()](const Counted&) {}));
                takt::spawn([&signal]() -> Task<> {
                    try {
                        co_await signal->wait();
                    } catch (const takt::Error&) { // the signal is gone
                    }
                });
            });
        std::atomic<int> running{3};
        const auto end = [&] {
            running.fetch_sub(1, std::memory_order_release); // edge ended, release side
        };
        std::thread fires([&] {
            for (int fire = 0; fire < 50; ++fire)
                ref.fire(fire);
            end();
        });
        std::thread disconnects([&] {
            for (Connection connection : connections) {
                static_cast<void>(connection.connected());
                connection.disconnect();
                std::this_thread::yield();
            }
            end();
        });
        std::thread destroys([&] {
            std::this_thread::yield();
            signal.reset();
            end();
        });
        while (running.load(std::memory_order_acquire) != 0) // edge ended, acquire side
            runtime.step();
        for (std::thread* const thread : {&fires, &disconnects, &destroys})
            thread->join();
        runtime.run_until_idle();
        runtime.step();
        for (const Connection& connection : connections)
            EXPECT_FALSE(connection.connected());
        EXPECT_EQ(Counted::alive(), 0);
        EXPECT_EQ(ref.fire(1), takt::SendResult::dead);
    }
}

TEST_P(SignalStress, actors_connect_fire_wait_and_disconnect_each_other_in_the_parallel_phase) {
    constexpr std::size_t kActors = 16;
    Signal<Counted> signal{runtime, "signal"};
    std::vector<std::vector<Connection>> connections(kActors); // each its own actor's
    std::vector<ActorRef> actors;
    std::vector<std::uint64_t> heard(kActors);
    std::vector<Connection> published(kActors); // of the frame before; read in parallel
    for (std::size_t at = 0; at < kActors; ++at)
        actors.push_back(runtime.spawn_actor({}, [&, at](Actor& self) {
            self.bind_parallel(kGo, [&, at]() -> Task<> {
                const auto listener = [&heard, at, held = Counted()](const Counted&) {
                    ++heard[at];
                };
                connections[at].push_back(signal.connect_parallel(listener));
                signal.once_parallel(listener);
                signal.fire(static_cast<int>(at));
                Connection(published[(at + 1) % kActors]).disconnect(); // another one's
                static_cast<void>(published[(at + 2) % kActors].connected());
                if (connections[at].size() > 4) {
                    connections[at].front().disconnect();
                    connections[at].erase(connections[at].begin());
                }
                co_await signal.wait();
                ++heard[at];
            });
        }));
    for (int frame = 0; frame < 60; ++frame) {
        for (const ActorRef actor : actors)
            actor.send(kGo);
        runtime.step();
        for (std::size_t at = 0; at < kActors; ++at)
            published[at] = connections[at].empty() ? Connection() : connections[at].front();
    }
    runtime.run_until_idle();
    for (const std::uint64_t count : heard)
        EXPECT_GT(count, 60u);
    for (const ActorRef actor : actors)
        actor.destroy();
    runtime.run_until_idle();
    EXPECT_EQ(Counted::alive(), 0);
}

TEST_P(SignalStress, tasks_are_cancelled_while_fires_let_them_go_on) {
    constexpr int kRounds = 300;
    Signal<int> signal{runtime, "signal"};
    struct Seat {
        takt::TaskRef task;
        int woken = 0;
        int cancelled = 0;
    };
    std::vector<Seat> seats(8);
    std::vector<ActorRef> actors;
    for (Seat& seat : seats)
        actors.push_back(runtime.spawn_actor({}, [&](Actor& self) {
            self.bind_parallel(kGo, [&]() {
                if (takt::cancel(seat.task) == takt::CancelResult::done)
                    ++seat.cancelled;
                seat.task = takt::spawn([&, held = Counted()]() -> Task<> {
                    co_await signal.wait();
                    ++seat.woken;
                });
            });
        }));
    const ActorRef fires = runtime.spawn_actor(
        {}, [&](Actor& self) { self.bind_parallel(kGo, [&] { signal.fire(1); }); });
    // As many a round, so that slow rounds do not grow slower by more fires.
    constexpr int kFiresARound = 16;
    std::atomic<int> fires_wanted{0};
    std::atomic<bool> stop{false};
    std::thread outside([&, ref = signal.ref()] {
        for (int fired = 0; !stop.load(std::memory_order_relaxed);) {   // relaxed: joined below
            if (fired < fires_wanted.load(std::memory_order_relaxed)) { // relaxed: only a number
                ref.fire(2);
                ++fired;
            }
            std::this_thread::yield();
        }
    });
    for (int round = 0; round < kRounds; ++round) {
        fires_wanted.fetch_add(kFiresARound, std::memory_order_relaxed); // relaxed: only a number
        for (std::size_t at = 0; at < actors.size(); ++at)
            if ((round + static_cast<int>(at)) % 3 != 0)
                actors[at].send(kGo);
        if (round % 2 == 0)
            fires.send(kGo);
        runtime.step();
    }
    stop.store(true, std::memory_order_relaxed); // relaxed: joined
    outside.join();
    for (const Seat& seat : seats)
        takt::cancel(seat.task);
    runtime.run_until_idle();
    for (const Seat& seat : seats) // each went one way, once; the last one perhaps the way above
        EXPECT_LE(seat.woken + seat.cancelled, kRounds);
    EXPECT_EQ(Counted::alive(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    workers, SignalStress,
    ::testing::Values(takt::testing_support::Setting{1, takt::Preset::balanced},
                      takt::testing_support::Setting{2, takt::Preset::balanced},
                      takt::testing_support::Setting{4, takt::Preset::balanced},
                      takt::testing_support::Setting{2, takt::Preset::deterministic}));

} // namespace
