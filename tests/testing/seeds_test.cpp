// SPDX-License-Identifier: MIT
// What a seed draws, what it leaves as promised, and how a seed that fails is named and repeated.
#include "frame/seeded_merge.hpp"
#include "takt/takt.hpp"
#include "takt/testing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::ActorRef;
using takt::Task;
using takt::testing::for_each_seed;
using takt::testing::Probe;
using takt::testing::TestFailure;
using takt::testing::TestRuntime;

constexpr takt::Topic<> kGo{"Go"};
constexpr takt::Topic<int> kNumber{"Number"};
constexpr takt::Topic<int, int> kFrom{"From"};
constexpr takt::Topic<int, int> kFromToo{"FromToo"};
constexpr takt::Topic<int> kDeposit{"Deposit"};
constexpr takt::Topic<int> kWithdraw{"Withdraw"};

/// TAKT_SEED for a block; null: it is not set.
class Environment {
  public:
    explicit Environment(const char* seed) {
        if (const char* const before = std::getenv("TAKT_SEED"))
            before_ = before;
        set(seed);
    }
    ~Environment() { set(before_ ? before_->c_str() : nullptr); }

  private:
    static void set(const char* seed) {
        if (seed == nullptr)
            unsetenv("TAKT_SEED");
        else
            setenv("TAKT_SEED", seed, 1);
    }

    std::optional<std::string> before_;
};

class Seeds : public ::testing::Test {
  private:
    Environment environment_{nullptr};
};

/// (sender, number), in the order in which a receiver handled them.
using Trace = std::vector<std::pair<int, int>>;

/// Five senders, of which each writes ten messages, by turns of two topics, to each of two receivers;
/// what the receivers got.
std::array<Trace, 2> trace_of(TestRuntime& test) {
    std::array<Trace, 2> traces;
    std::vector<ActorRef> receivers;
    for (Trace& trace : traces)
        receivers.push_back(test.spawn_actor({}, [&trace](Actor& actor) {
            const auto note = [&trace](int sender, int number) {
                trace.push_back({sender, number});
            };
            actor.bind_parallel(kFrom, note);
            actor.bind_parallel(kFromToo, note);
        }));
    for (int sender = 0; sender < 5; ++sender)
        test.spawn_actor({},
                         [&, sender](Actor& actor) {
                             actor.bind_parallel(kGo, [&, sender] {
                                 for (int number = 0; number < 10; ++number)
                                     for (const ActorRef receiver : receivers)
                                         receiver.send(number % 2 == 0 ? kFrom : kFromToo, sender,
                                                       number);
                             });
                         })
            .send(kGo);
    test.run_until_idle();
    return traces;
}

std::array<Trace, 2> trace_of(std::uint64_t seed, takt::Delivery delivery) {
    TestRuntime test({.frame = {.delivery = delivery}}, seed);
    return trace_of(test);
}

// --- what is drawn ---

TEST_F(Seeds, the_same_seed_gives_the_same_order) {
    for (const std::uint64_t seed : {1u, 2u, 3u, 77u})
        EXPECT_EQ(trace_of(seed, takt::Delivery::immediate),
                  trace_of(seed, takt::Delivery::immediate));
}

TEST_F(Seeds, different_seeds_give_different_orders) {
    std::set<std::array<Trace, 2>> orders;
    for (std::uint64_t seed = 1; seed <= 100; ++seed)
        orders.insert(trace_of(seed, takt::Delivery::immediate));
    EXPECT_GT(orders.size(), 90u);
}

TEST_F(Seeds, a_sender_may_come_long_before_and_long_after_another) {
    bool all_before = false, finely_mixed = false;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        const Trace trace = trace_of(seed, takt::Delivery::immediate)[0];
        std::size_t changes = 0;
        for (std::size_t at = 1; at < trace.size(); ++at)
            changes += trace[at].first != trace[at - 1].first ? 1u : 0u;
        all_before |= changes == 4; // one sender after the other
        finely_mixed |= changes > 30;
    }
    EXPECT_TRUE(all_before);
    EXPECT_TRUE(finely_mixed);
}

TEST_F(Seeds, a_message_may_be_overtaken_by_one_that_was_sent_because_of_a_later_one) {
    std::set<std::vector<std::string>> orders;
    for_each_seed(50, [&](TestRuntime& test) {
        Probe probe = test.probe("probe", kNumber, kGo);
        const ActorRef relay = test.spawn_actor({}, [to = probe.ref()](Actor& actor) {
            actor.bind_parallel(kGo, [to] { to.send(kGo); });
        });
        const ActorRef first = test.spawn_actor({}, [to = probe.ref(), relay](Actor& actor) {
            actor.bind_parallel(kGo, [to, relay] {
                to.send(kNumber, 1);
                relay.send(kGo);
            });
        });
        first.send(kGo);
        test.run_until_idle();
        orders.insert(probe.topics());
    });
    EXPECT_EQ(orders, (std::set<std::vector<std::string>>{{"Number", "Go"}, {"Go", "Number"}}));
}

TEST_F(Seeds, in_next_round_the_order_at_a_receiver_stays_and_that_of_receivers_is_drawn) {
    std::set<std::vector<int>> orders;
    const std::array<Trace, 2> expected = trace_of(1, takt::Delivery::next_round);
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        EXPECT_EQ(trace_of(seed, takt::Delivery::next_round), expected);
        TestRuntime test({.frame = {.delivery = takt::Delivery::next_round}}, seed);
        std::vector<int> order;
        for (int receiver = 0; receiver < 3; ++receiver)
            test.spawn_actor({},
                             [&, receiver](Actor& actor) {
                                 actor.bind_parallel(kGo,
                                                     [&, receiver] { order.push_back(receiver); });
                             })
                .send(kGo);
        test.run_until_idle();
        orders.insert(order);
    }
    EXPECT_GT(orders.size(), 3u);
}

TEST_F(Seeds, offloaded_tasks_come_home_in_any_order) {
    std::set<std::vector<int>> orders;
    for_each_seed(50, [&](TestRuntime& test) {
        std::vector<int> order;
        const ActorRef actor = test.spawn_actor({}, [&](Actor& self) {
            self.bind_parallel(kNumber, [&](int number) -> Task<> {
                co_await takt::offload();
                co_await takt::synchronize();
                order.push_back(number);
            });
        });
        for (int number = 0; number < 3; ++number)
            actor.send(kNumber, number);
        test.run_until_idle();
        orders.insert(order);
    });
    EXPECT_EQ(orders.size(), 6u);
}

// --- what stays as promised ---

TEST_F(Seeds, mail_of_one_sender_to_one_receiver_stays_in_order_for_a_thousand_seeds) {
    for_each_seed(1000, [](TestRuntime& test) {
        for (const Trace& trace : trace_of(test)) {
            ASSERT_EQ(trace.size(), 50u);
            std::map<int, int> next;
            for (const auto& [sender, number] : trace)
                ASSERT_EQ(number, next[sender]++) << "seed " << test.seed();
        }
        test.expect_all_accounted();
    });
}

TEST_F(Seeds, commits_run_by_actor_and_sequence_for_a_thousand_seeds) {
    for_each_seed(1000, [](TestRuntime& test) {
        std::vector<std::pair<std::uint64_t, int>> order;
        std::vector<ActorRef> actors;
        for (int index = 0; index < 5; ++index)
            actors.push_back(test.spawn_actor({}, [&](Actor& actor) {
                actor.bind_parallel(kNumber, [&order, id = actor.id()](int number) {
                    takt::commit([&order, id, number] { order.push_back({id, number}); });
                });
            }));
        for (int number = 0; number < 4; ++number) // of one sender
            for (std::size_t index = actors.size(); index-- > 0;)
                actors[index].send(kNumber, number);
        test.run_until_idle();
        ASSERT_EQ(order.size(), 20u);
        ASSERT_TRUE(std::is_sorted(order.begin(), order.end())) << "seed " << test.seed();
    });
}

TEST_F(Seeds, tasks_of_an_actor_stay_in_order_with_what_it_sends_itself) {
    for_each_seed(200, [](TestRuntime& test) {
        std::vector<int> order;
        const ActorRef actor = test.spawn_actor({}, [&](Actor& self) {
            self.bind_parallel(kNumber, [&](int number) { order.push_back(number); });
            self.bind_parallel(kGo, [&] {
                takt::this_actor().ref().send(kNumber, 1);
                takt::defer([&] { order.push_back(2); });
                takt::this_actor().ref().send(kNumber, 3);
            });
        });
        actor.send(kGo);
        test.run_until_idle();
        ASSERT_EQ(order, (std::vector{1, 2, 3})) << "seed " << test.seed();
    });
}

TEST_F(Seeds, timers_fire_in_the_order_of_their_times_for_each_seed) {
    for_each_seed(100, [](TestRuntime& test) {
        std::vector<int> order;
        for (const int ms : {300, 100, 200})
            test.spawn_actor({}, [&, ms](Actor&) {
                takt::delay(std::chrono::milliseconds(ms), [&, ms] { order.push_back(ms); });
            });
        test.advance(1s);
        ASSERT_EQ(order, (std::vector{100, 200, 300})) << "seed " << test.seed();
    });
}

TEST_F(Seeds, what_the_budget_leaves_is_handled_later_and_in_order) {
    const takt::Config config{.frame = {.max_rounds = 2, .phase_messages = 3}};
    for_each_seed(
        100,
        [](TestRuntime& test) {
            for (const Trace& trace : trace_of(test)) {
                ASSERT_EQ(trace.size(), 50u);
                std::map<int, int> next;
                for (const auto& [sender, number] : trace)
                    ASSERT_EQ(number, next[sender]++) << "seed " << test.seed();
            }
            test.expect_all_accounted();
        },
        config);
}

// --- a bug that needs an order is found, named and repeated ---

/// Pays what it has not got yet, if a withdrawal comes before the deposit of somebody else.
ActorRef spawn_account(TestRuntime& test) {
    return test.spawn_actor({.name = "account"}, [balance = 0](Actor& actor) mutable {
        auto& money = actor.emplace_state<int>(balance);
        actor.bind_parallel(kDeposit, [&money](int amount) { money += amount; });
        actor.bind_parallel(kWithdraw, [&money](int amount) {
            money -= amount;
            if (money < 0)
                throw std::logic_error("overdrawn");
        });
    });
}

void deposit_and_withdraw(TestRuntime& test) {
    const ActorRef account = spawn_account(test);
    const Probe employer = test.probe("employer"), shop = test.probe("shop");
    employer.send(account, kDeposit, 10);
    shop.send(account, kWithdraw, 10);
    test.run_until_idle();
}

TEST_F(Seeds, a_bug_that_depends_on_the_order_is_found_by_a_seed_and_repeated_by_it) {
    std::optional<std::uint64_t> found;
    std::string text;
    try {
        for_each_seed(100, deposit_and_withdraw);
    } catch (const TestFailure& failure) {
        found = failure.seed();
        text = failure.what();
    }
    ASSERT_TRUE(found);
    EXPECT_EQ(text, "takt: seed " + std::to_string(*found) +
                        ": takt: frame 1: actor \"account\", topic \"Withdraw\", failed: "
                        "overdrawn. TAKT_SEED=" +
                        std::to_string(*found) + " repeats it.");

    const Environment environment(std::to_string(*found).c_str());
    int runs = 0;
    EXPECT_THROW(for_each_seed(100,
                               [&](TestRuntime& test) {
                                   ++runs;
                                   EXPECT_EQ(test.seed(), *found);
                                   deposit_and_withdraw(test);
                               }),
                 TestFailure);
    EXPECT_EQ(runs, 1);
    TestRuntime test; // the same
    EXPECT_EQ(test.seed(), *found);
    EXPECT_THROW(deposit_and_withdraw(test), TestFailure);
}

TEST_F(Seeds, the_same_without_the_bug_passes_for_each_seed) {
    int runs = 0;
    for_each_seed(100, [&](TestRuntime& test) {
        ++runs;
        const ActorRef account = spawn_account(test);
        const Probe both = test.probe("both"); // one sender: its order is promised
        both.send(account, kDeposit, 10);
        both.send(account, kWithdraw, 10);
        test.run_until_idle();
    });
    EXPECT_EQ(runs, 100);
}

// --- how a body fails ---

TEST_F(Seeds, a_body_that_returns_false_fails_with_its_seed) {
    try {
        for_each_seed(10, [](TestRuntime& test) { return test.seed() < 4; });
        ADD_FAILURE() << "seed 4 passed";
    } catch (const TestFailure& failure) {
        EXPECT_STREQ(failure.what(),
                     "takt: seed 4: the body returned false. TAKT_SEED=4 repeats it.");
        EXPECT_EQ(failure.seed(), 4u);
    }
}

TEST_F(Seeds, what_a_body_throws_is_nested_in_the_failure_that_names_its_seed) {
    const auto throws = [](TestRuntime& test) {
        if (test.seed() == 2)
            throw std::out_of_range("far");
    };
    try {
        for_each_seed(10, throws);
        ADD_FAILURE() << "seed 2 passed";
    } catch (const TestFailure& failure) {
        EXPECT_STREQ(failure.what(), "takt: seed 2: the body threw: far. TAKT_SEED=2 repeats it.");
        EXPECT_THROW(std::rethrow_if_nested(failure), std::out_of_range);
    }
    EXPECT_THROW(for_each_seed(1, [](TestRuntime&) { throw 3; }), TestFailure);
}

TEST_F(Seeds, failures_that_the_body_has_not_seen_fail_it) {
    EXPECT_THROW(for_each_seed(1,
                               [](TestRuntime& test) {
                                   const ActorRef account = spawn_account(test);
                                   account.send(kWithdraw, 1);
                                   test.runtime().run_until_idle();
                               }),
                 TestFailure);
}

TEST_F(Seeds, no_seeds_and_a_seed_that_is_no_number_are_refused_with_a_sentence) {
    const auto text_of = [](const std::function<void()>& body) -> std::string {
        try {
            body();
        } catch (const takt::Error& error) {
            return error.what();
        }
        return "nothing";
    };
    EXPECT_EQ(text_of([] { for_each_seed(0, [](TestRuntime&) {}); }),
              "takt: count = \"0\": a test that runs with no seed tests nothing. Give 1 or more.");
    for (const char* const seed : {"", "x", "1x", "-1", "99999999999999999999999"}) {
        const Environment environment(seed);
        const std::string expected =
            "takt: TAKT_SEED = \"" + std::string(seed) +
            "\": it is not a number from 0 to 2^64 - 1. Give the seed that a failed test has "
            "named, or unset it.";
        EXPECT_EQ(text_of([] { for_each_seed(1, [](TestRuntime&) {}); }), expected);
        EXPECT_EQ(text_of([] { TestRuntime(); }), expected);
        EXPECT_EQ(text_of([] { TestRuntime({}, 5); }), "nothing"); // it was given one
    }
}

TEST_F(Seeds, a_config_that_is_not_valid_is_an_error_of_no_seed) {
    EXPECT_THROW(for_each_seed(1, [](TestRuntime&) {}, {.frame = {.rate_hz = -1}}), takt::Error);
}

TEST_F(Seeds, a_test_without_a_seed_has_the_first) {
    EXPECT_EQ(TestRuntime().seed(), 1u);
}

// --- the merge ---

TEST(SeededMergeTest, gives_each_item_once_and_each_stream_in_order) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        takt::detail::SeededMerge merge(seed);
        std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<std::size_t>> left;
        takt::detail::SeededNumbers choose(seed);
        for (std::size_t item = 0; item < 100; ++item) {
            const std::uint64_t sender = choose.below(4), receiver = choose.below(3);
            merge.add(sender, receiver, item);
            left[{sender, receiver}].push_back(item);
            if (choose.below(3) == 0 || item == 99)
                do {
                    const std::size_t taken = merge.take();
                    const auto stream =
                        std::find_if(left.begin(), left.end(), [&](const auto& one) {
                            return !one.second.empty() && one.second.front() == taken;
                        });
                    ASSERT_NE(stream, left.end()) << "seed " << seed << ", item " << taken;
                    stream->second.erase(stream->second.begin());
                } while (item == 99 && !merge.empty());
        }
        for (const auto& [stream, items] : left)
            EXPECT_TRUE(items.empty());
        EXPECT_TRUE(merge.empty());
    }
}

TEST(SeededMergeTest, its_numbers_are_those_of_splitmix64) {
    takt::detail::SeededNumbers numbers(1234567);
    for (const std::uint64_t expected :
         {6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u})
        EXPECT_EQ(numbers.next(), expected); // the reference's, by S. Vigna
}

} // namespace
