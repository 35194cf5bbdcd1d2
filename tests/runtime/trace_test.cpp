// SPDX-License-Identifier: MIT
// What does not depend on timing: the commit log under next_round, for any number of workers; and
// the order of mail, while both its ends move.
#include "runtime/expect_law.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::ActorRef;
using takt::Runtime;
using takt::Task;
using takt::testing_support::expect_law;

/// The same everywhere (G. Marsaglia's xorshift of 32 bits).
class Random {
  public:
    explicit Random(std::uint32_t seed) : state_(seed * 2'654'435'761u | 1) {}
    std::uint32_t operator()() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 17;
        return state_ ^= state_ << 5;
    }

  private:
    std::uint32_t state_;
};

constexpr takt::Topic<std::uint32_t> kDo{"Do"};
constexpr takt::Topic<std::uint32_t> kJob{"Job"};
constexpr takt::Topic<ActorRef> kMeet{"Meet"};

/// What a run leaves: who committed what, in order, and the law's counts.
struct Trace {
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
    std::uint64_t entries = 0;
    takt::MailCounts counts;
    std::uint64_t frames = 0;
    std::uint64_t failures = 0;

    void note(std::uint64_t what) {
        hash = (hash ^ what) * 0x0000'0100'0000'01b3;
        ++entries;
    }
};

/// Actors that do at random whatever actors can do; each draws from a generator of its own.
class Program {
  public:
    Program(int workers, unsigned seed)
        : runtime_({.preset = takt::Preset::deterministic,
                    .workers = {.count = workers},
                    .frame = {.max_rounds = 5},
                    .mail = {.kept_max = 4}}),
          jobs_(runtime_, {.actors = 5}, [this](Actor& self) {
              self.bind_parallel(kJob, [this](std::uint32_t job) -> Task<> {
                  if (job % 11 == 0)
                      throw std::runtime_error("eleven");
                  if (job % 3 == 0)
                      co_await takt::next_frame();
                  note(job);
              });
          }) {
        runtime_.on_failure([this](const takt::Failure& failure) {
            trace_.note(failure.frame);
            ++trace_.failures;
        });
        runtime_.on_dead_letter([this](const takt::DeadLetter& letter) {
            dead_ += static_cast<std::uint64_t>(letter.reason) + 1;
        });
        Random random(seed);
        for (int index = 0; index < 12; ++index)
            first_.push_back(spawn({}, random()));
        for (const ActorRef actor : first_)
            for (const ActorRef other : first_)
                actor.send(kMeet, other);
    }

    Trace run(unsigned seed) {
        Random random(seed);
        for (int frame = 0; frame < 15; ++frame) {
            for (int times = 0; times < 6; ++times)
                first_[random() % first_.size()].send(kDo, random() % 5 + 2);
            if (frame % 5 == 4)
                jobs_.allocate(1, [](Actor& self) { self.bind(kJob, [](std::uint32_t) {}); });
            const takt::FrameReport report = runtime_.step();
            trace_.note(report.rounds);
            trace_.note(report.commits);
            trace_.note(dead_);
        }
        trace_.frames = runtime_.run_until_idle();
        trace_.counts = runtime_.mail();
        trace_.note(jobs_.total_load());
        expect_law(runtime_, trace_.counts.in_flight);
        return trace_;
    }

  private:
    struct State {
        Random random;
        std::vector<ActorRef> known;
        std::uint64_t done = 0;
    };

    ActorRef spawn(ActorRef parent, std::uint32_t seed) {
        return takt::spawn_actor({.parent = parent, .on_failure = takt::FailurePolicy::resume},
                                 [this, seed](Actor& self) -> Task<> {
                                     self.emplace_state<State>(State{Random(seed), {}});
                                     self.bind_parallel(kMeet, [](ActorRef whom) {
                                         takt::this_actor().state<State>().known.push_back(whom);
                                     });
                                     if (seed % 3 == 0)
                                         co_await takt::next_frame();
                                     self.bind_parallel(
                                         kDo, [this](std::uint32_t left) { return act(left); });
                                     if (seed % 4 == 0)
                                         self.bind(kDo, [this](std::uint32_t left) { note(left); });
                                     if (seed % 5 == 0)
                                         runtime_.heartbeat().connect_parallel(
                                             [this](takt::FrameTime time) { note(time.frame); });
                                 });
    }

    // In either phase: what it says is in the log in commit order.
    void note(std::uint64_t what) {
        Actor& self = takt::this_actor();
        takt::commit([this, id = self.id(), what] { trace_.note(id * 1'000'003 + what); });
    }

    Task<> act(std::uint32_t left) {
        Actor& self = takt::this_actor();
        State& state = self.state<State>();
        note(++state.done);
        if (left == 0)
            co_return;
        for (int times = 0; times < 2; ++times)
            switch (state.random() % 12) {
            case 0:
                co_await takt::synchronize();
                note(1);
                break;
            case 1:
                co_await takt::next_frame();
                note(2);
                break;
            case 2:
                co_await takt::wait(std::chrono::milliseconds(state.random() % 60));
                break;
            case 3: {
                const ActorRef child = spawn(self.ref(), state.random());
                state.known.push_back(child);
                child.send(kDo, left - 1);
                child.send(kMeet, self.ref());
                break;
            }
            case 4:
                if (self.parent() && state.done > 3)
                    self.destroy();
                break;
            case 5:
                static_cast<void>(jobs_.dispatch(kJob, state.random() % 100));
                break;
            case 6:
                throw std::runtime_error("six");
            case 7:
                co_await takt::desynchronize();
                note(3);
                break;
            default:
                if (!state.known.empty())
                    state.known[state.random() % state.known.size()].send(kDo, left - 1);
            }
    }

    Trace trace_;
    std::uint64_t dead_ = 0;
    Runtime runtime_;
    takt::Dispatcher<> jobs_;
    std::vector<ActorRef> first_;
};

Trace trace_of(int workers, unsigned seed) {
    Program program(workers, seed);
    return program.run(seed);
}

TEST(Trace, of_a_random_program_is_the_same_with_1_2_and_4_workers) {
    std::uint64_t entries = 0;
    for (unsigned seed = 1; seed <= 20; ++seed) {
        const Trace one = trace_of(1, seed);
        entries += one.entries;
        for (const int workers : {2, 4}) {
            const Trace again = trace_of(workers, seed);
            EXPECT_EQ(again.hash, one.hash) << "seed " << seed << ", " << workers << " workers";
            EXPECT_EQ(again.entries, one.entries);
            EXPECT_EQ(again.counts.accepted(), one.counts.accepted());
            EXPECT_EQ(again.counts.handled, one.counts.handled);
            EXPECT_EQ(again.counts.failed, one.counts.failed);
            EXPECT_EQ(again.counts.expired, one.counts.expired);
            EXPECT_EQ(again.failures, one.failures);
        }
    }
    EXPECT_GT(entries, 5'000u);
}

// --- order ----------------------------------------------------------------------------------------

class Moving : public testing::TestWithParam<int> {};

TEST_P(Moving, mail_of_one_sender_to_one_receiver_stays_in_order_while_both_move) {
    constexpr std::size_t kActors = 6;
    constexpr takt::Topic<std::size_t, std::uint64_t> in_order{"InOrder"};
    constexpr takt::Topic<> tick{"Tick"};
    struct State {
        std::array<std::uint64_t, kActors> next_in{};
        std::array<std::uint64_t, kActors> next_out{};
    };
    Runtime runtime({.workers = {.count = GetParam()}, .frame = {.phase_messages = 40}});
    std::vector<ActorRef> actors;
    std::array<State, kActors> states;
    Random random(7);
    for (std::size_t index = 0; index < kActors; ++index)
        actors.push_back(runtime.spawn_actor({}, [&, index](Actor& self) {
            const auto send_all = [&, index] {
                State& state = states[index];
                for (std::size_t to = 0; to < kActors; ++to)
                    for (int times = 0; times < 3; ++times)
                        actors[to].send(in_order, index, state.next_out[to]++);
            };
            self.bind_parallel(tick, send_all);
            self.bind(tick, send_all);
            self.bind_parallel(in_order, [&, index](std::size_t from, std::uint64_t number) {
                EXPECT_EQ(number, states[index].next_in[from]++);
            });
            // Kept until it is bound in a later frame, then opened, also while the actor moves.
            if (index % 2 == 0)
                runtime.heartbeat().connect_parallel([](takt::FrameTime) {});
        }));
    for (int frame = 0; frame < 400; ++frame) {
        for (const ActorRef actor : actors) {
            actor.send(tick);
            if (frame % 2 == 0)
                runtime.move(actor, static_cast<int>(random() % static_cast<unsigned>(GetParam())));
        }
        runtime.step();
        if (frame % 5 == 0)
            runtime.run_until_idle();
    }
    runtime.run_until_idle();
    for (const State& state : states)
        for (std::size_t from = 0; from < kActors; ++from)
            EXPECT_EQ(state.next_in[from], 400u * 6);
    expect_law(runtime);
}

// An actor whose kept mail is due must not be run by its old worker and its new one.
TEST_P(Moving, kept_mail_that_is_due_waits_for_the_move_or_the_move_for_it) {
    constexpr takt::Topic<int> early{"Early"};
    constexpr takt::Topic<> begin{"Begin"};
    Runtime runtime({.workers = {.count = GetParam()}});
    for (int times = 0; times < 200; ++times) {
        int seen = 0; // a race on it shows under the thread sanitizer
        const ActorRef actor = runtime.spawn_actor({.worker = 0}, [&](Actor& self) {
            self.bind(begin, [&] {
                takt::this_actor().bind_parallel(early, [&](int number) { seen += number; });
            });
        });
        actor.send(early, 1);
        runtime.run_until_idle();
        actor.send(begin);
        runtime.move(actor, GetParam() - 1);
        runtime.step();
        actor.send(early, 1);
        runtime.run_until_idle();
        EXPECT_EQ(seen, 2);
        actor.destroy();
    }
    runtime.run_until_idle();
    expect_law(runtime);
}

INSTANTIATE_TEST_SUITE_P(workers, Moving, testing::Values(1, 2, 4));

} // namespace
