// SPDX-License-Identifier: MIT
// Probes: what they record, how they are asked, and as which sender they send.
#include "takt/takt.hpp"
#include "takt/testing.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace {

using takt::Actor;
using takt::ActorRef;
using takt::testing::Probe;
using takt::testing::TestFailure;
using takt::testing::TestRuntime;

constexpr takt::Topic<int> kNumber{"Number"};
constexpr takt::Topic<std::string> kNumberOfText{"Number"}; // a mistake
constexpr takt::Topic<std::string, int> kPair{"Pair"};
constexpr takt::Topic<std::unique_ptr<int>> kOwned{"Owned"};
constexpr takt::Topic<> kGo{"Go"};

template <class E, class F>
std::string thrown_by(F body) {
    try {
        body();
    } catch (const E& error) {
        return error.what();
    }
    return "nothing";
}

TEST(ProbeTest, stands_in_for_the_receiver_of_an_actor_under_test) {
    TestRuntime test;
    Probe probe = test.probe("probe", kNumber, kPair);
    const ActorRef actor = test.spawn_actor({}, [to = probe.ref()](Actor& self) {
        self.bind_parallel(kGo, [to] {
            to.send(kNumber, 1);
            to.send(kPair, "two", 2);
            to.send(kNumber, 3);
        });
    });
    EXPECT_TRUE(probe.empty());
    actor.send(kGo);
    test.run_until_idle();
    EXPECT_EQ(probe.topics(), (std::vector<std::string>{"Number", "Pair", "Number"}));
    EXPECT_EQ(probe.count(kNumber), 2u);
    EXPECT_EQ(probe.take(kNumber), std::tuple(1));
    EXPECT_EQ(probe.take(kNumber), std::tuple(3));
    EXPECT_EQ(probe.take(kNumber), std::nullopt);
    EXPECT_FALSE(probe.empty());
    const auto [text, number] = probe.expect(kPair);
    EXPECT_EQ(text, "two");
    EXPECT_EQ(number, 2);
    probe.expect_empty();
    EXPECT_EQ(test.unaccounted(), 0u);
}

TEST(ProbeTest, records_mail_that_can_only_be_moved) {
    TestRuntime test;
    Probe probe = test.probe("probe", kOwned);
    probe.ref().send(kOwned, std::make_unique<int>(7));
    test.step();
    auto [owned] = probe.expect(kOwned);
    EXPECT_EQ(*owned, 7);
    EXPECT_TRUE(probe.empty());
}

TEST(ProbeTest, what_is_missing_is_a_failure_that_says_what_is_there_instead) {
    TestRuntime test({}, 9);
    Probe probe = test.probe("market", kNumber, kPair, kGo);
    EXPECT_EQ(thrown_by<TestFailure>([&] { probe.expect(kGo); }),
              "takt: seed 9: probe \"market\": there is no message of topic \"Go\"; it has none. "
              "TAKT_SEED=9 repeats it.");
    probe.ref().send(kNumber, 1);
    probe.ref().send(kNumber, 2);
    probe.ref().send(kPair, "x", 3);
    test.step();
    EXPECT_EQ(thrown_by<TestFailure>([&] { probe.expect(kGo); }),
              "takt: seed 9: probe \"market\": there is no message of topic \"Go\"; it has 2 of "
              "topic \"Number\", 1 of topic \"Pair\". TAKT_SEED=9 repeats it.");
    EXPECT_EQ(thrown_by<TestFailure>([&] { probe.expect_empty(); }),
              "takt: seed 9: probe \"market\": there is more than the test expects; it has 2 of "
              "topic \"Number\", 1 of topic \"Pair\". TAKT_SEED=9 repeats it.");
}

TEST(ProbeTest, a_topic_that_it_was_not_made_for_is_refused_with_a_sentence) {
    TestRuntime test;
    Probe probe = test.probe("probe", kNumber);
    EXPECT_EQ(
        thrown_by<takt::Error>([&] { probe.take(kGo); }),
        "takt: topic = \"Go\": probe \"probe\" does not record it. Name it where the probe is "
        "made.");
    const std::string text = thrown_by<takt::Error>([&] { probe.count(kNumberOfText); });
    EXPECT_EQ(text.rfind("takt: topic = \"Number\": probe \"probe\" records it with ", 0), 0u)
        << text;
    probe.ref().send(kGo); // kept, as by any actor
    test.run_until_idle();
    EXPECT_TRUE(probe.empty());
    EXPECT_EQ(test.unaccounted(), 1u);
}

TEST(ProbeTest, sends_as_an_actor_of_its_own) {
    TestRuntime test;
    Probe probe = test.probe("probe", kNumber);
    std::vector<std::string> senders;
    const ActorRef actor = test.spawn_actor({}, [&](Actor& self) {
        self.bind(kNumber, [&](int number) { probe.ref().send(kNumber, number + 1); });
    });
    EXPECT_EQ(probe.send(actor, kNumber, 4), takt::SendResult::ok);
    test.run_until_idle();
    EXPECT_EQ(probe.take(kNumber), std::tuple(5));
    actor.destroy();
    EXPECT_EQ(probe.send(actor, kNumber, 4), takt::SendResult::dead);
}

TEST(ProbeTest, copies_see_the_same_and_records_outlive_the_runtime) {
    std::optional<Probe> probe;
    {
        TestRuntime test;
        probe = test.probe("probe", kNumber);
        Probe copy = *probe;
        const ActorRef as_actor = copy;
        as_actor.send(kNumber, 1);
        as_actor.send(kNumber, 2);
        test.step();
        EXPECT_EQ(copy.take(kNumber), std::tuple(1));
    }
    EXPECT_EQ(probe->count(kNumber), 1u);
    EXPECT_EQ(probe->take(kNumber), std::tuple(2));
}

} // namespace
