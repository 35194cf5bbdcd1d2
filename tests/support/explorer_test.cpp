// SPDX-License-Identifier: MIT
// The explorer's own tests: what is correct passes to the end, and each seeded bug is found.

#include "support/explorer.hpp"

#include <set>
#include <stdexcept>

namespace {

using explorer::check;
using explorer::Execution;
using explorer::Mode;
using explorer::ModelPolicy;
using explorer::NoMembarrierPolicy;
using explorer::Report;
using explorer::Scenario;
using explorer::Scope;
using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;
using Word = explorer::Atomic<std::uint64_t>;

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// ---- a queue: Vyukov's intrusive MPSC

enum class Bug {
    kNone,
    kRelaxedExchange,
    kRelaxedLink,
    kRelaxedLoads,
    kSplitExchange,
    kNoHeadCheck
};

template <class P, Bug bug>
class Mpsc {
  public:
    struct Node {
        typename P::template Atomic<Node*> next{nullptr};
        typename P::template Plain<int> value;
    };

    void push(Node* node) {
        node->next.store(nullptr, memory_order_relaxed);
        Node* before = nullptr;
        if constexpr (bug == Bug::kSplitExchange) {
            before = head_.load(memory_order_acquire);
            head_.store(node, memory_order_release);
        } else {
            before = head_.exchange(node, kExchange);
        }
        before->next.store(node, kLink);
    }

    Node* pop() {
        Node* first = tail_;
        Node* second = first->next.load(kLoad);
        if (first == &stub_) {
            if (second == nullptr)
                return nullptr;
            first = std::exchange(tail_, second);
            first = second;
            second = second->next.load(kLoad);
        }
        if (second != nullptr)
            return std::exchange(tail_, second);
        if (bug != Bug::kNoHeadCheck && first != head_.load(kLoad))
            return nullptr;
        push(&stub_);
        second = first->next.load(kLoad);
        return second != nullptr ? std::exchange(tail_, second) : nullptr;
    }

  private:
    static constexpr auto kExchange =
        bug == Bug::kRelaxedExchange ? memory_order_relaxed : memory_order_acq_rel;
    static constexpr auto kLink =
        bug == Bug::kRelaxedLink ? memory_order_relaxed : memory_order_release;
    static constexpr auto kLoad =
        bug == Bug::kRelaxedLoads ? memory_order_relaxed : memory_order_acquire;

    Node stub_;
    typename P::template Atomic<Node*> head_{&stub_};
    Node* tail_ = &stub_;
};

template <Bug bug>
Scenario queue(int producers, int each) {
    return [=](Execution& x) {
        using Queue = Mpsc<ModelPolicy, bug>;
        struct State {
            Queue queue;
            std::deque<typename Queue::Node> nodes;
            std::vector<int> got;
        };
        auto state = std::make_shared<State>();
        state->nodes.resize(static_cast<std::size_t>(producers * each));
        for (int p = 0; p < producers; ++p)
            x.thread("producer " + std::to_string(p), [=] {
                for (int k = 0; k < each; ++k) {
                    auto& node = state->nodes[static_cast<std::size_t>(p * each + k)];
                    node.value.set(p * 100 + k);
                    state->queue.push(&node);
                }
            });
        x.thread("consumer", [=] {
            while (state->got.size() < state->nodes.size()) {
                if (auto* node = state->queue.pop(); node != nullptr)
                    state->got.push_back(node->value.get());
                else
                    ModelPolicy::yield();
            }
        });
        x.finally([=] {
            std::vector<int> last(static_cast<std::size_t>(producers), -1);
            for (const int value : state->got) {
                int& before = last[static_cast<std::size_t>(value / 100)];
                check(value % 100 > before, "each producer's values arrive once and in order");
                before = value % 100;
            }
        });
    };
}

template <Bug bug>
void expect_queue_bug_found() {
    Scope scope;
    scope.pct_runs = scope.random_runs = 20'000;
    EXPECT_FALSE(explorer::explore(queue<bug>(2, 2), Mode::kRandom, scope).ok);
    EXPECT_FALSE(explorer::explore(queue<bug>(2, 2), Mode::kPct, scope).ok);
}

TEST(ExplorerQueue, TheCorrectOnePassesAllModesAndDfsIsExhausted) {
    const Report small = explorer::explore(queue<Bug::kNone>(2, 1), Mode::kDfs);
    EXPECT_TRUE(small.ok && small.exhausted) << small;
    std::cout << small << "\n";
    for (const Mode mode : {Mode::kPct, Mode::kRandom}) {
        const Report report = explorer::explore(queue<Bug::kNone>(2, 2), mode);
        EXPECT_TRUE(report.ok) << report;
        std::cout << report << "\n";
    }
}

TEST(ExplorerQueue, ARelaxedExchangeIsFound) {
    expect_queue_bug_found<Bug::kRelaxedExchange>();
}
TEST(ExplorerQueue, ARelaxedLinkIsFound) {
    expect_queue_bug_found<Bug::kRelaxedLink>();
}
TEST(ExplorerQueue, RelaxedLoadsAreFound) {
    expect_queue_bug_found<Bug::kRelaxedLoads>();
}
TEST(ExplorerQueue, ASplitExchangeIsFound) {
    expect_queue_bug_found<Bug::kSplitExchange>();
}
TEST(ExplorerQueue, AMissingHeadCheckIsFound) {
    expect_queue_bug_found<Bug::kNoHeadCheck>();
}

TEST(ExplorerQueue, DfsFindsTheMemoryOrderBugsAtOneMessageEach) {
    EXPECT_FALSE(explorer::explore(queue<Bug::kRelaxedExchange>(2, 1), Mode::kDfs).ok);
    EXPECT_FALSE(explorer::explore(queue<Bug::kRelaxedLink>(2, 1), Mode::kDfs).ok);
    EXPECT_FALSE(explorer::explore(queue<Bug::kRelaxedLoads>(2, 1), Mode::kDfs).ok);
    EXPECT_FALSE(explorer::explore(queue<Bug::kSplitExchange>(2, 1), Mode::kDfs).ok);
}

// ---- parking: publish and look for sleepers, announce and look for work

enum class Fence { kNone, kSeqCst, kMembarrier, kOnlySleeper };

template <class P, Fence fence>
Scenario parking() {
    return [](Execution& x) {
        struct State {
            Word work{0};
            Word asleep{0};
            Word wakes{0}; // the futex word
        };
        auto state = std::make_shared<State>();
        explorer::name(state->work, "work");
        explorer::name(state->asleep, "asleep");
        explorer::name(state->wakes, "wakes");
        x.thread("publisher", [=] {
            state->work.store(1, memory_order_release);
            if (fence == Fence::kSeqCst)
                explorer::fence(memory_order_seq_cst);
            P::publisher_barrier();
            if (state->asleep.load(memory_order_relaxed) == 0)
                return;
            state->wakes.fetch_add(1, memory_order_release);
            P::unpark_all(state->wakes);
        });
        x.thread("sleeper", [=] {
            state->asleep.store(1, memory_order_relaxed);
            const auto seen = static_cast<std::uint32_t>(state->wakes.load(memory_order_acquire));
            if (fence == Fence::kSeqCst || fence == Fence::kOnlySleeper)
                explorer::fence(memory_order_seq_cst);
            if (fence == Fence::kMembarrier)
                P::sleeper_barrier();
            while (state->work.load(memory_order_acquire) == 0)
                P::park(state->wakes, seen, takt::kNever);
        });
    };
}

void expect_lost_wake_up(const Scenario& scenario) {
    const Report report = explorer::explore_all(scenario);
    EXPECT_FALSE(report.ok);
    EXPECT_TRUE(contains(report.error, "deadlock")) << report;
    EXPECT_TRUE(contains(report.error, "sleeper is parked on wakes")) << report;
}

TEST(ExplorerParking, WithTwoFencesNoWakeUpIsLost) {
    const Report report = explorer::explore_all(parking<ModelPolicy, Fence::kSeqCst>());
    EXPECT_TRUE(report.ok && report.exhausted) << report;
}

TEST(ExplorerParking, WithoutFencesALostWakeUpIsFound) {
    expect_lost_wake_up(parking<ModelPolicy, Fence::kNone>());
}

TEST(ExplorerParking, AFenceOnTheSleepersSideAloneLosesAWakeUp) {
    expect_lost_wake_up(parking<ModelPolicy, Fence::kOnlySleeper>());
}

TEST(ExplorerParking, WhereTheSleeperPaysItsBarrierIsEnough) {
    const Report report = explorer::explore_all(parking<ModelPolicy, Fence::kMembarrier>());
    EXPECT_TRUE(report.ok && report.exhausted) << report;
}

TEST(ExplorerParking, WhereMembarrierIsMissingTheBarrierDoesNothing) {
    expect_lost_wake_up(parking<NoMembarrierPolicy, Fence::kMembarrier>());
}

Scenario deadlines(std::int64_t* woken_at) {
    return [=](Execution& x) {
        auto word = std::make_shared<Word>(0u);
        x.thread("sleeper", [=] {
            const std::int64_t deadline = ModelPolicy::now_ns() + 5'000'000;
            while (ModelPolicy::now_ns() < deadline)
                ModelPolicy::park(*word, 0, deadline);
            *woken_at = ModelPolicy::now_ns() - deadline;
        });
        x.thread("busy", [=] { word->load(memory_order_relaxed); });
    };
}

TEST(ExplorerParking, ADeadlineWakesByTheVirtualClock) {
    std::int64_t late_ns = -1;
    const Report report = explorer::explore_all(deadlines(&late_ns));
    EXPECT_TRUE(report.ok) << report;
    EXPECT_GE(late_ns, 0);
    EXPECT_LT(late_ns, 100'000);
}

TEST(ExplorerParking, ADeadlinePassesWhileTheOthersOnlyYield) {
    const Report report = explorer::explore_all([](Execution& x) {
        auto word = std::make_shared<Word>(0u);
        x.thread("sleeper", [=] {
            ModelPolicy::park(*word, 0, ModelPolicy::now_ns() + 3'600'000'000'000);
            word->store(1, memory_order_release);
        });
        x.thread("waiter", [=] {
            while (word->load(memory_order_acquire) == 0)
                ModelPolicy::yield();
        });
    });
    EXPECT_TRUE(report.ok) << report;
}

TEST(ExplorerParking, ParkMayReturnForNoReason) {
    Scope scope;
    scope.weak_effects = 0;
    const Report report = explorer::explore(
        [](Execution& x) {
            auto word = std::make_shared<Word>(0u);
            x.thread("sleeper", [=] {
                ModelPolicy::park(*word, 0, takt::kNever);
                check(word->load(memory_order_relaxed) == 1, "woken by the store");
            });
            x.thread("waker", [=] {
                word->store(1, memory_order_relaxed);
                ModelPolicy::unpark_all(*word);
            });
        },
        Mode::kDfs, scope);
    EXPECT_TRUE(contains(report.error, "woken by the store")) << report;
    EXPECT_TRUE(contains(report.trace, "returns from park at once")) << report;
}

TEST(ExplorerParking, ADeadlockNamesTheThreadsThatWait) {
    const Report report = explorer::explore_all([](Execution& x) {
        auto word = std::make_shared<Word>(0u);
        explorer::name(*word, "gate");
        const auto left = x.thread("left", [=] {
            while (true)
                ModelPolicy::park(*word, 0, takt::kNever);
        });
        x.thread("right", [=] { explorer::join(left); });
    });
    EXPECT_TRUE(contains(report.error, "left is parked on gate, right joins left")) << report;
}

// ---- the memory model, litmus by litmus

/// Two locations and what the threads found; all combinations of `found` that occur.
struct Litmus {
    Word x{0}, y{0};
    std::array<std::uint64_t, 4> found{};
};
using Body = std::function<void(Litmus&)>;
using Outcome = std::array<std::uint64_t, 4>;

std::set<Outcome> outcomes(const std::vector<Body>& bodies) {
    std::set<Outcome> seen;
    Scope scope;
    scope.preemptions = 20;
    scope.weak_effects = 8;
    const Scenario scenario = [&](Execution& x) {
        auto litmus = std::make_shared<Litmus>();
        for (const Body& body : bodies)
            x.thread("thread", [=] { body(*litmus); });
        x.finally([=, &seen] { seen.insert(litmus->found); });
    };
    const Report report = explorer::explore(scenario, Mode::kDfs, scope);
    EXPECT_TRUE(report.ok && report.exhausted) << report;
    return seen;
}

std::set<Outcome> store_buffering(std::memory_order store, std::memory_order load, bool fence) {
    const auto between = [=] {
        if (fence)
            explorer::fence(memory_order_seq_cst);
    };
    return outcomes({[=](Litmus& l) {
                         l.x.store(1, store);
                         between();
                         l.found[0] = l.y.load(load);
                     },
                     [=](Litmus& l) {
                         l.y.store(1, store);
                         between();
                         l.found[1] = l.x.load(load);
                     }});
}

TEST(ExplorerMemory, StoreBufferingReadsTwoZerosExactlyWhereItMay) {
    const Outcome zeros{};
    EXPECT_EQ(store_buffering(memory_order_release, memory_order_acquire, false).count(zeros), 1u);
    EXPECT_EQ(store_buffering(memory_order_release, memory_order_seq_cst, false).count(zeros), 1u);
    EXPECT_EQ(store_buffering(memory_order_seq_cst, memory_order_seq_cst, false).count(zeros), 0u);
    EXPECT_EQ(store_buffering(memory_order_relaxed, memory_order_relaxed, true).count(zeros), 0u);
    EXPECT_EQ(store_buffering(memory_order_relaxed, memory_order_relaxed, true).size(), 3u);
}

TEST(ExplorerMemory, ASeqCstFenceOrdersAgainstSeqCstOperations) {
    const auto seen = outcomes({[](Litmus& l) {
                                    l.x.store(1, memory_order_relaxed);
                                    explorer::fence(memory_order_seq_cst);
                                    l.found[0] = l.y.load(memory_order_relaxed);
                                },
                                [](Litmus& l) {
                                    l.y.store(1, memory_order_seq_cst);
                                    l.found[1] = l.x.load(memory_order_seq_cst);
                                }});
    EXPECT_EQ(seen.size(), 3u);
    EXPECT_EQ(seen.count(Outcome{}), 0u);
}

std::set<Outcome> message_passing(std::memory_order store, std::memory_order load) {
    return outcomes({[=](Litmus& l) {
                         l.x.store(1, memory_order_relaxed);
                         l.y.store(1, store);
                     },
                     [=](Litmus& l) {
                         l.found[0] = l.y.load(load);
                         l.found[1] = l.x.load(memory_order_relaxed);
                     }});
}

TEST(ExplorerMemory, MessagePassingNeedsBothSidesOfTheEdge) {
    const Outcome flag_without_data{1, 0};
    EXPECT_EQ(message_passing(memory_order_release, memory_order_acquire).count(flag_without_data),
              0u);
    EXPECT_EQ(message_passing(memory_order_relaxed, memory_order_acquire).count(flag_without_data),
              1u);
    EXPECT_EQ(message_passing(memory_order_release, memory_order_relaxed).count(flag_without_data),
              1u);
}

std::set<Outcome> independent_readers(std::memory_order store, std::memory_order load) {
    return outcomes({[=](Litmus& l) { l.x.store(1, store); },
                     [=](Litmus& l) { l.y.store(1, store); },
                     [=](Litmus& l) {
                         l.found[0] = l.x.load(load);
                         l.found[1] = l.y.load(load);
                     },
                     [=](Litmus& l) {
                         l.found[2] = l.y.load(load);
                         l.found[3] = l.x.load(load);
                     }});
}

TEST(ExplorerMemory, IndependentReadersAgreeOnTheOrderOnlyUnderSeqCst) {
    const Outcome disagree{1, 0, 1, 0};
    EXPECT_EQ(independent_readers(memory_order_release, memory_order_acquire).count(disagree), 1u);
    EXPECT_EQ(independent_readers(memory_order_seq_cst, memory_order_seq_cst).count(disagree), 0u);
}

TEST(ExplorerMemory, TwoWritersMayBeOrderedAgainstTheirProgramOrder) {
    const auto both = [](std::memory_order order) {
        return outcomes({[=](Litmus& l) {
                             l.x.store(1, order);
                             l.y.store(2, order);
                         },
                         [=](Litmus& l) {
                             l.y.store(1, order);
                             l.x.store(2, order);
                             l.found[0] =
                                 l.y.load(order == memory_order_seq_cst ? memory_order_seq_cst
                                                                        : memory_order_relaxed);
                         },
                         [=](Litmus& l) {
                             explorer::join(0);
                             explorer::join(1);
                             l.found[1] = l.x.load(memory_order_relaxed);
                             l.found[2] = l.y.load(memory_order_relaxed);
                         }});
    };
    const auto ends_in_ones = [](const std::set<Outcome>& seen) {
        return std::any_of(seen.begin(), seen.end(),
                           [](const Outcome& o) { return o[1] == 1 && o[2] == 1; });
    };
    EXPECT_TRUE(ends_in_ones(both(memory_order_release)));
    EXPECT_FALSE(ends_in_ones(both(memory_order_seq_cst)));
}

TEST(ExplorerMemory, ALocationIsNeverReadBackwards) {
    const auto seen = outcomes({[](Litmus& l) {
                                    l.x.store(1, memory_order_relaxed);
                                    l.x.store(2, memory_order_relaxed);
                                },
                                [](Litmus& l) {
                                    l.found[0] = l.x.load(memory_order_relaxed);
                                    l.found[1] = l.x.load(memory_order_relaxed);
                                }});
    EXPECT_EQ(seen.size(), 6u) << "(0,0) (0,1) (0,2) (1,1) (1,2) (2,2)";
    for (const Outcome& outcome : seen)
        EXPECT_LE(outcome[0], outcome[1]);
}

TEST(ExplorerMemory, WhatAnotherThreadHasReadIsNotReadBackwardsEither) {
    const auto seen = outcomes({[](Litmus& l) { l.x.store(1, memory_order_relaxed); },
                                [](Litmus& l) {
                                    l.found[0] = l.x.load(memory_order_relaxed);
                                    l.y.store(1, memory_order_release);
                                },
                                [](Litmus& l) {
                                    l.found[1] = l.y.load(memory_order_acquire);
                                    l.found[2] = l.x.load(memory_order_relaxed);
                                }});
    EXPECT_EQ(seen.count({1, 1, 0}), 0u);
    EXPECT_EQ(seen.count({1, 0, 0}), 1u);
}

TEST(ExplorerMemory, ARelaxedExchangeContinuesTheReleaseSequenceAndAStoreDoesNot) {
    const auto through = [](bool modify) {
        return outcomes({[](Litmus& l) {
                             l.x.store(1, memory_order_relaxed);
                             l.y.store(1, memory_order_release);
                         },
                         [=](Litmus& l) {
                             if (modify)
                                 l.y.fetch_add(1, memory_order_relaxed);
                             else if (l.y.load(memory_order_relaxed) == 1)
                                 l.y.store(2, memory_order_relaxed);
                         },
                         [](Litmus& l) {
                             l.found[0] = l.y.load(memory_order_acquire);
                             l.found[1] = l.x.load(memory_order_relaxed);
                         }});
    };
    EXPECT_EQ(through(true).count({2, 0}), 0u);
    EXPECT_EQ(through(false).count({2, 0}), 1u);
}

TEST(ExplorerMemory, ModificationsOfOneLocationAreAtomic) {
    const Body add = [](Litmus& l) { l.x.fetch_add(1, memory_order_relaxed); };
    const auto seen = outcomes({add, add, [](Litmus& l) {
                                    explorer::join(0);
                                    explorer::join(1);
                                    l.found[0] = l.x.load(memory_order_relaxed);
                                }});
    EXPECT_EQ(seen, (std::set<Outcome>{{2}}));
}

TEST(ExplorerMemory, FencesMakeAnEdgeOfRelaxedAccesses) {
    const auto seen = outcomes({[](Litmus& l) {
                                    l.x.store(1, memory_order_relaxed);
                                    explorer::fence(memory_order_release);
                                    l.y.store(1, memory_order_relaxed);
                                },
                                [](Litmus& l) {
                                    l.found[0] = l.y.load(memory_order_relaxed);
                                    explorer::fence(memory_order_acquire);
                                    l.found[1] = l.x.load(memory_order_relaxed);
                                }});
    EXPECT_EQ(seen.count({1, 0}), 0u);
    EXPECT_EQ(seen.count({0, 0}), 1u);
}

TEST(ExplorerMemory, OnlyAWeakExchangeFailsForNoReason) {
    const auto once = [](bool weak) {
        return outcomes({[=](Litmus& l) {
            std::uint64_t expected = 0;
            l.found[0] = weak ? l.x.compare_exchange_weak(expected, 1, memory_order_acq_rel)
                              : l.x.compare_exchange_strong(expected, 1, memory_order_acq_rel);
        }});
    };
    EXPECT_EQ(once(true), (std::set<Outcome>{{0}, {1}}));
    EXPECT_EQ(once(false), (std::set<Outcome>{{1}}));
}

TEST(ExplorerMemory, AtomicsOfManyTypesKeepTheirValues) {
    explorer::Atomic<bool> flag{true};
    explorer::Atomic<std::int8_t> small{-1};
    explorer::Atomic<double> real{0.5};
    int array[3] = {};
    explorer::Atomic<int*> pointer{array};
    EXPECT_TRUE(flag.exchange(false, memory_order_relaxed));
    EXPECT_EQ(small.fetch_sub(127, memory_order_relaxed), -1);
    EXPECT_EQ(small.load(memory_order_relaxed), -128);
    EXPECT_EQ(small.fetch_sub(1, memory_order_relaxed), -128);
    EXPECT_EQ(small.load(memory_order_relaxed), 127);
    EXPECT_EQ(real.load(memory_order_relaxed), 0.5);
    EXPECT_EQ(pointer.fetch_add(2, memory_order_relaxed), array);
    EXPECT_EQ(pointer.load(memory_order_relaxed), array + 2);
}

// ---- races and lifetimes

Scenario handing_over(std::memory_order store) {
    return [=](Execution& x) {
        struct State {
            explorer::Plain<int> data;
            Word ready{0};
        };
        auto state = std::make_shared<State>();
        explorer::name(state->data, "data");
        x.thread("writer", [=] {
            state->data.set(42);
            state->ready.store(1, store);
        });
        x.thread("reader", [=] {
            while (state->ready.load(memory_order_acquire) == 0)
                ModelPolicy::yield();
            check(state->data.get() == 42, "the data has arrived");
        });
    };
}

TEST(ExplorerRaces, AReleasedPlainVariableIsHandedOver) {
    EXPECT_TRUE(explorer::explore_all(handing_over(memory_order_release)).ok);
}

TEST(ExplorerRaces, AReadOfARelaxedHandOverIsARace) {
    const Report report = explorer::explore_all(handing_over(memory_order_relaxed));
    EXPECT_TRUE(contains(report.error,
                         "data race on data: read by reader and an unordered write by "
                         "writer"))
        << report;
}

TEST(ExplorerRaces, AWriteAfterAnUnorderedReadIsARace) {
    const Report report = explorer::explore_all([](Execution& x) {
        auto data = std::make_shared<explorer::Plain<int>>(1);
        auto done = std::make_shared<Word>(0u);
        x.thread("reader", [=] {
            done->store(1, memory_order_release);
            static_cast<void>(data->get());
        });
        x.thread("writer", [=] {
            if (done->load(memory_order_acquire) == 1)
                data->set(2);
        });
    });
    EXPECT_TRUE(
        contains(report.error, "data race: write by writer and an unordered read by reader"))
        << report;
}

TEST(ExplorerRaces, MembarrierOnAnotherThreadsBehalfIsNoEdge) {
    const Report report = explorer::explore_all([](Execution& x) {
        auto data = std::make_shared<explorer::Plain<int>>(0);
        auto flag = std::make_shared<Word>(0u);
        x.thread("writer", [=] {
            data->set(1);
            flag->store(1, memory_order_release);
        });
        x.thread("reader", [=] {
            if (flag->load(memory_order_relaxed) == 0)
                return;
            explorer::join(explorer::spawn("barrier", [] { ModelPolicy::sleeper_barrier(); }));
            static_cast<void>(data->get());
        });
    });
    EXPECT_TRUE(contains(report.error, "data race: read by reader")) << report;
}

TEST(ExplorerRaces, DestroyingAnAtomicThatMayStillBeUsedIsFound) {
    const Report report = explorer::explore_all([](Execution& x) {
        auto slot = std::make_shared<std::unique_ptr<Word>>(std::make_unique<Word>(0u));
        x.thread("user", [=] { (*slot)->fetch_add(1, memory_order_release); });
        x.thread("owner", [=] {
            while ((*slot)->load(memory_order_relaxed) == 0)
                ModelPolicy::yield();
            slot->reset();
        });
    });
    EXPECT_TRUE(contains(report.error, "is destroyed while user may still use it")) << report;
}

TEST(ExplorerRaces, AnAtomicThatIsNotPublishedMustNotBeUsed) {
    const Report report = explorer::explore_all([](Execution& x) {
        struct State {
            explorer::Atomic<Word*> published{nullptr};
            std::unique_ptr<Word> word;
        };
        auto state = std::make_shared<State>();
        x.thread("maker", [=] {
            state->word = std::make_unique<Word>(7u);
            state->published.store(state->word.get(), memory_order_relaxed);
        });
        x.thread("user", [=] {
            if (Word* word = state->published.load(memory_order_acquire); word != nullptr)
                word->load(memory_order_relaxed);
        });
    });
    EXPECT_TRUE(contains(report.error, "its construction by maker is not ordered before"))
        << report;
}

// ---- threads, replay, limits

TEST(ExplorerThreads, ASpawnedThreadSeesItsParentAndIsSeenByWhoJoinsIt) {
    const Report report = explorer::explore_all([](Execution& x) {
        auto data = std::make_shared<explorer::Plain<int>>(0);
        x.thread("starter", [=] {
            data->set(1);
            const auto worker = explorer::spawn("worker", [=] { data->set(data->get() + 1); });
            explorer::join(worker);
            check(data->get() == 2, "the worker's write is there");
        });
    });
    EXPECT_TRUE(report.ok && report.exhausted) << report;
}

TEST(ExplorerThreads, DfsCountsTheInterleavingsOfTwoThreads) {
    // Two threads of two steps each: 4! / (2! 2!) = 6 orders in all. Without preemptions one thread
    // ends before the other begins: 2. With one: also a-b-b-a and b-a-a-b: 4.
    const auto count = [](int preemptions) {
        Scope scope;
        scope.preemptions = preemptions;
        const Scenario scenario = [](Execution& x) {
            auto words = std::make_shared<std::array<Word, 2>>();
            for (std::size_t i = 0; i < 2; ++i)
                x.thread("thread", [=] {
                    (*words)[i].load(memory_order_relaxed);
                    (*words)[i].load(memory_order_relaxed);
                });
        };
        return explorer::explore(scenario, Mode::kDfs, scope).runs;
    };
    EXPECT_EQ(count(0), 2u);
    EXPECT_EQ(count(1), 4u);
    EXPECT_EQ(count(9), 6u);
}

TEST(ExplorerThreads, AFairYieldLetsTwoSpinningThreadsWaitForAThird) {
    const Report report = explorer::explore_all([](Execution& x) {
        auto word = std::make_shared<Word>(0u);
        for (const char* name : {"first", "second"})
            x.thread(name, [=] {
                while (word->load(memory_order_acquire) == 0)
                    ModelPolicy::yield();
            });
        x.thread("third", [=] { word->store(1, memory_order_release); });
    });
    EXPECT_TRUE(report.ok && report.exhausted) << report;
}

TEST(ExplorerThreads, AThreadThatNeverEndsIsALivelock) {
    const Report report = explorer::explore_all([](Execution& x) {
        auto word = std::make_shared<Word>(0u);
        x.thread("spinner", [=] {
            while (word->load(memory_order_acquire) == 0)
                ModelPolicy::yield();
        });
    });
    EXPECT_TRUE(contains(report.error, "livelock")) << report.error;
}

TEST(ExplorerThreads, AnExceptionThatLeavesAThreadFailsTheRun) {
    const Report report =
        explorer::explore_all([](Execution& x) { x.thread("thrower", [] { throw 1; }); });
    EXPECT_TRUE(contains(report.error, "an exception left thread thrower")) << report;
}

TEST(ExplorerThreads, AFiberMaySwitchInsideACatchBlock) {
    const Report report = explorer::explore_all([](Execution& x) {
        auto word = std::make_shared<Word>(0u);
        for (int i = 0; i < 2; ++i)
            x.thread("catcher", [=] {
                try {
                    throw std::runtime_error(std::to_string(i));
                } catch (const std::runtime_error&) {
                    word->fetch_add(1, memory_order_relaxed);
                    word->fetch_add(1, memory_order_relaxed);
                    try {
                        throw;
                    } catch (const std::runtime_error& own) {
                        check(own.what() == std::to_string(i), "each thread throws its own again");
                    }
                }
            });
    });
    EXPECT_TRUE(report.ok) << report;
    EXPECT_GT(report.runs, 2u);
}

TEST(ExplorerReplay, AFailingRunReplaysToTheSameTraceInEachMode) {
    const Scenario scenario = queue<Bug::kRelaxedExchange>(2, 2);
    for (const Mode mode : {Mode::kRandom, Mode::kPct, Mode::kDfs}) {
        const Report report = explorer::explore(scenario, mode);
        ASSERT_FALSE(report.ok);
        const Report again = explorer::replay(scenario, report.replay);
        EXPECT_FALSE(again.ok);
        EXPECT_EQ(again.error, report.error);
        EXPECT_EQ(again.trace, report.trace);
        EXPECT_FALSE(report.trace.empty());
    }
}

TEST(ExplorerReplay, TheTraceNamesThreadsVariablesValuesAndOrders) {
    const Report report = explorer::explore(parking<ModelPolicy, Fence::kNone>(), Mode::kDfs);
    EXPECT_TRUE(contains(report.trace, "publisher     work.store(release) = 1")) << report;
    EXPECT_TRUE(contains(report.trace, "sleeper       parks on wakes")) << report;
    EXPECT_TRUE(contains(report.trace, "FAILS: deadlock")) << report;
}

TEST(ExplorerReplay, AnUnreadableSeedIsRefused) {
    EXPECT_FALSE(explorer::replay(parking<ModelPolicy, Fence::kSeqCst>(), "4711").ok);
}

TEST(ExplorerLimits, ADfsThatDoesNotEndWithinItsBudgetIsAFailure) {
    if (std::getenv("TAKT_EXPLORE_RUNS") != nullptr)
        GTEST_SKIP() << "the budget is scaled";
    Scope scope;
    scope.dfs_runs = 10;
    const Report report = explorer::explore(queue<Bug::kNone>(2, 1), Mode::kDfs, scope);
    EXPECT_TRUE(contains(report.error, "has not come to its end within 10 runs")) << report;
}

} // namespace
