// SPDX-License-Identifier: MIT
// What actors hear, and in which order, does not depend on the number of workers under next_round.
#include "signal/signal_support.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <random>
#include <stdexcept>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::ActorRef;
using takt::Connection;
using takt::Firing;
using takt::Runtime;
using takt::Signal;
using takt::Task;

constexpr takt::Topic<std::uint32_t> kDo{"Do"};

struct Trace {
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
    std::uint64_t entries = 0;
    std::uint64_t calls = 0; // of listeners, among them

    void note(std::uint64_t what) {
        hash = (hash ^ what) * 0x0000'0100'0000'01b3;
        ++entries;
    }
};

/// Actors that connect, fire, wait, disconnect and go at random, in both phases; each draws from a
/// generator of its own.
class Program {
  public:
    Program(int workers, unsigned seed)
        : runtime_({.preset = takt::Preset::deterministic,
                    .workers = {.count = workers},
                    .frame = {.max_rounds = 6},
                    .failure = {.policy = takt::FailurePolicy::resume}}) {
        runtime_.on_failure([this](const takt::Failure& failure) {
            trace_.note(failure.frame);
            trace_.note(failure.text().size());
        });
        for (std::size_t index = 0; index < kSignals; ++index)
            signals_.emplace_back(runtime_, "signal",
                                  index % 2 == 0 ? Firing::immediate : Firing::deferred);
        runtime_.bind_to_simulation(100, 0,
                                    [this](takt::SimulationStep step) { trace_.note(step.step); });
        std::mt19937 random(seed);
        for (int index = 0; index < 12; ++index)
            spawn(static_cast<std::uint32_t>(random()));
    }

    Trace run(unsigned seed) {
        std::mt19937 random(seed);
        for (int frame = 0; frame < 20; ++frame) {
            for (int times = 0; times < 6; ++times)
                actors_[random() % actors_.size()].send(kDo, 3u);
            signals_[random() % kSignals].fire(static_cast<int>(random() % 100));
            if (frame % 4 == 3)
                actors_[random() % actors_.size()].destroy();
            const takt::FrameReport report = runtime_.step();
            trace_.note(report.rounds);
            trace_.note(report.commits);
        }
        runtime_.run_until_idle();
        trace_.note(runtime_.mail().handled);
        trace_.note(runtime_.actors());
        takt::testing_support::expect_law(runtime_, runtime_.mail().in_flight);
        return trace_;
    }

  private:
    static constexpr std::size_t kSignals = 4;
    struct State {
        std::mt19937 random;
        std::vector<Connection> connections;
    };

    void spawn(std::uint32_t seed) {
        actors_.push_back(takt::spawn_actor({}, [this, seed](Actor& self) -> Task<> {
            self.emplace_state<State>(State{std::mt19937(seed), {}});
            self.bind_parallel(kDo, [this](std::uint32_t left) { return act(left); });
            if (seed % 3 == 0)
                co_await takt::next_frame();
            if (seed % 4 == 0)
                runtime_.pre_simulation().connect_parallel([this](takt::FrameTime) { note(1); });
            listen(seed);
        }));
    }
    // In either phase: what it says is in the log in commit order.
    void note(std::uint64_t what) {
        takt::commit(
            [this, id = takt::this_actor().id(), what] { trace_.note(id * 1'000'003 + what); });
    }
    void hear(int value) {
        takt::commit([this] { ++trace_.calls; });
        note(static_cast<std::uint64_t>(value) + 10);
        if (value % 7 == 0)
            signals_[static_cast<std::size_t>(value) % kSignals].fire(value + 3);
        if (value % 31 == 0)
            throw std::runtime_error("thirty-one");
    }
    void listen(std::uint32_t how) {
        Signal<int>& signal = signals_[how % kSignals];
        std::vector<Connection>& mine = takt::this_actor().state<State>().connections;
        const auto listener = [this](int value) { hear(value); };
        switch (how / kSignals % 4) {
        case 0:
            mine.push_back(signal.connect(listener));
            break;
        case 1:
            mine.push_back(signal.connect_parallel(listener));
            break;
        case 2:
            mine.push_back(signal.once_parallel(listener));
            break;
        default:
            mine.push_back(signal.connect_parallel([this](int value) -> Task<> {
                co_await takt::synchronize();
                hear(value);
            }));
        }
    }
    Task<> act(std::uint32_t left) {
        Actor& self = takt::this_actor();
        State& state = self.state<State>();
        for (int times = 0; times < 3; ++times) {
            const auto drawn = static_cast<std::uint32_t>(state.random());
            switch (drawn % 10) {
            case 0:
            case 1:
                listen(drawn / 16);
                break;
            case 2:
                if (!state.connections.empty())
                    state.connections[drawn / 16 % state.connections.size()].disconnect();
                break;
            case 3:
                note(static_cast<std::uint64_t>(co_await signals_[drawn / 16 % kSignals].wait()));
                break;
            case 4:
                co_await takt::synchronize();
                break;
            case 5:
                co_await takt::desynchronize();
                break;
            case 6:
                if (left > 0)
                    self.ref().send(kDo, left - 1);
                break;
            default:
                signals_[drawn / 16 % kSignals].fire(static_cast<int>(drawn / 64 % 100));
            }
        }
    }

    Trace trace_;
    Runtime runtime_;
    std::deque<Signal<int>> signals_;
    std::vector<ActorRef> actors_;
};

TEST(SignalTrace, of_a_random_program_is_the_same_with_1_2_and_4_workers) {
    std::uint64_t calls = 0;
    for (unsigned seed = 1; seed <= 12; ++seed) {
        const Trace one = Program(1, seed).run(seed);
        calls += one.calls;
        for (const int workers : {2, 4}) {
            const Trace again = Program(workers, seed).run(seed);
            EXPECT_EQ(again.hash, one.hash) << "seed " << seed << ", " << workers << " workers";
            EXPECT_EQ(again.entries, one.entries);
            EXPECT_EQ(again.calls, one.calls);
        }
    }
    EXPECT_GT(calls, 3'000u);
}

} // namespace
