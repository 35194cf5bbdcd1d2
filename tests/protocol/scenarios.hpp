// SPDX-License-Identifier: MIT
#pragma once
// The protocols of the worker layer as small scenarios, written once: model_test.cpp runs them
// under the explorer, stress_test.cpp on real threads. P is Model or Threads.

#include "takt/worker.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace protocol {

using takt::Event;
using takt::EventCount;
using takt::Waiting;

inline constexpr Waiting kSleep{.spin_ns = 0, .yields = 0, .prewake_ns = 0};

struct ParkOptions {
    int events = 1;
    int waiters = 1;
    Waiting waiting = kSleep;
    std::uint64_t start = 0;
    std::int64_t due_in_ns = takt::kNever;
};

// One writer advances; each waiter awaits every event and reads what came with it (E1 to E3).
template <class P>
auto park_against_publish(ParkOptions options) {
    return [=](auto& x) {
        struct State {
            explicit State(const ParkOptions& o)
                : count(Event{o.start, 0}), news(static_cast<std::size_t>(o.events)) {}
            EventCount<P> count;
            std::deque<typename P::template Plain<int>> news;
        };
        auto state = std::make_shared<State>(options);
        P::name(state->count, "count");
        x.thread("writer", [=] {
            for (int number = 1; number <= options.events; ++number) {
                state->news[static_cast<std::size_t>(number - 1)].set(10 * number);
                state->count.advance({options.start + static_cast<std::uint64_t>(number),
                                      static_cast<std::uint16_t>(number)});
            }
        });
        for (int waiter = 0; waiter < options.waiters; ++waiter)
            x.thread("waiter " + std::to_string(waiter), [=] {
                for (int number = 1; number <= options.events; ++number) {
                    const auto wanted = options.start + static_cast<std::uint64_t>(number);
                    const std::int64_t due_ns = options.due_in_ns == takt::kNever
                                                    ? takt::kNever
                                                    : P::now_ns() + options.due_in_ns;
                    const Event event =
                        state->count.await([=](Event seen) { return seen.sequence >= wanted; },
                                           options.waiting, due_ns);
                    P::check(event.sequence >= wanted, "await returned before its event");
                    P::check(event.payload >= number, "the payload is older than the sequence");
                    P::check(state->news[static_cast<std::size_t>(number - 1)].get() == 10 * number,
                             "what was written before the event is not visible after it");
                }
            });
    };
}

inline takt::BarrierShape one_cache_group(int workers, std::size_t fan_in) {
    std::vector<takt::PlannedWorker> planned(static_cast<std::size_t>(workers));
    return takt::make_barrier_shape(planned, fan_in);
}

// Every second worker in another cache group.
inline takt::BarrierShape two_cache_groups(int workers) {
    std::vector<takt::PlannedWorker> planned(static_cast<std::size_t>(workers));
    for (std::size_t worker = 0; worker < planned.size(); ++worker)
        planned[worker].llc = static_cast<int>(worker % 2);
    return takt::make_barrier_shape(planned, takt::kBarrierFanIn);
}

struct BarrierOptions {
    takt::BarrierShape shape;
    int rounds = 2; // two, so that a fast worker re-enters while a slow one leaves
    Waiting waiting = kSleep;
    std::uint64_t start = 0;
    std::int64_t period_ns = 0; // how far ahead the root expects its next release
};

// The root writes a world, all members read it and write a slot each, the root reads the slots
// (B2).
template <class P>
auto meet_in_rounds(BarrierOptions options) {
    return [=](auto& x) {
        struct State {
            explicit State(const BarrierOptions& o)
                : barrier(o.shape, o.waiting, o.start),
                  slots(static_cast<std::size_t>(o.shape.workers())) {
                for (int worker = 1; worker < o.shape.workers(); ++worker)
                    members.push_back(barrier.member(worker));
            }
            takt::FrameBarrier<P> barrier;
            typename P::template Plain<int> world;
            std::deque<typename P::template Plain<int>> slots;
            std::vector<takt::BarrierMember<P>> members;
        };
        auto state = std::make_shared<State>(options);
        P::name(state->world, "world");
        x.thread("root", [=] {
            for (int round = 1; round <= options.rounds; ++round) {
                state->world.set(round);
                state->barrier.release(P::now_ns() + options.period_ns);
                state->slots[0].set(round);
                const bool flagged = state->barrier.gather();
                P::check(flagged == (round % 2 == 1 && options.shape.workers() > 1),
                         "the flag of a member is lost or made up");
                for (auto& slot : state->slots)
                    P::check(slot.get() == round, "gather returned before somebody had arrived");
            }
        });
        for (int worker = 1; worker < options.shape.workers(); ++worker)
            x.thread("member " + std::to_string(worker), [=] {
                auto& member = state->members[static_cast<std::size_t>(worker - 1)];
                for (int round = 1; round <= options.rounds; ++round) {
                    member.await_release();
                    P::check(state->world.get() == round, "a member missed a release or ran ahead");
                    state->slots[static_cast<std::size_t>(worker)].set(round);
                    const bool last = worker == options.shape.workers() - 1;
                    member.arrive(last && round % 2 == 1);
                }
            });
    };
}

struct TurnsOptions {
    takt::BarrierShape shape;
    /// One turn per entry, with so many workers taking part.
    std::vector<int> active;
    /// In turn i workers from throws_from[i] on throw; nobody does in turns without an entry.
    std::vector<int> throws_from = {};
    Waiting waiting = kSleep;
    /// The turns are begun and ended: worker 0 does something else meanwhile.
    bool begin_and_end = false;
};

// Start, turns with changing numbers of workers, stop and join (W1 to W3, B1, B3).
template <class P>
auto start_turn_stop(TurnsOptions options) {
    return [=](auto& x) {
        x.thread("worker 0", [=] {
            const int workers = options.shape.workers();
            takt::Turns<P> turns(options.shape, options.waiting);
            P::name(turns, "turns");
            std::deque<typename P::template Plain<int>> taken(static_cast<std::size_t>(workers));
            std::vector<int> expected(static_cast<std::size_t>(workers), 0);
            std::vector<typename P::Thread> threads;
            for (int worker = 1; worker < workers; ++worker)
                threads.push_back(P::spawn("worker " + std::to_string(worker),
                                           [&turns, worker, member = turns.member(worker)] {
                                               turns.serve(worker, member);
                                           }));
            for (std::size_t number = 0; number < options.active.size(); ++number) {
                const int active = options.active[number];
                const int first = options.begin_and_end ? 1 : 0;
                const int throws_from = number < options.throws_from.size()
                                            ? std::max(options.throws_from[number], first)
                                            : takt::kWorkersMax;
                if (active != turns.active())
                    turns.set_active(active);
                auto turn = [&](int worker) {
                    auto& count = taken[static_cast<std::size_t>(worker)];
                    count.set(count.get() + 1);
                    if (worker >= throws_from)
                        throw worker;
                };
                int thrown = takt::kWorkersMax;
                try {
                    if (options.begin_and_end) {
                        turns.begin(takt::Turn::of(turn));
                        taken[0].set(taken[0].get() + 1);
                        turns.end();
                    } else {
                        turns.run(takt::Turn::of(turn));
                    }
                } catch (int worker) {
                    thrown = worker;
                }
                P::check(thrown == (throws_from < active ? throws_from : takt::kWorkersMax),
                         "run() threw another worker's exception, or an old one, or none");
                for (int worker = 0; worker < active; ++worker)
                    ++expected[static_cast<std::size_t>(worker)];
                for (std::size_t worker = 0; worker < expected.size(); ++worker)
                    P::check(taken[worker].get() == expected[worker],
                             "a worker missed its turn, or took one too many");
            }
            turns.stop();
            for (auto& thread : threads)
                P::join(thread);
        });
    };
}

} // namespace protocol
