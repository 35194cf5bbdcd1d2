// SPDX-License-Identifier: MIT
// Messages between actors: order, phases, kept mail, several handlers, destruction, failures.
#include "runtime/expect_law.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using takt::Actor;
using takt::ActorRef;
using takt::Phase;
using takt::Runtime;
using takt::testing_support::expect_law;

constexpr takt::Topic<int> kNumber{"Number"};
constexpr takt::Topic<std::string> kGreeting{"Greeting"};
constexpr takt::Topic<std::unique_ptr<int>> kOwned{"Owned"};
constexpr takt::Topic<> kGo{"Go"};
constexpr takt::Topic<ActorRef, int> kBall{"Ball"};

class Messages : public testing::TestWithParam<int> {
  protected:
    takt::Config config() const {
        return {.workers = {.count = GetParam()},
                .failure = {.policy = takt::FailurePolicy::resume}};
    }
};

TEST_P(Messages, a_parallel_handler_gets_what_was_sent_in_order) {
    Runtime runtime(config());
    std::vector<int> seen;
    const ActorRef actor = runtime.spawn_actor({.name = "reader"}, [&](Actor& self) {
        self.bind_parallel(kNumber, [&](int number) {
            EXPECT_EQ(takt::current_phase(), Phase::parallel);
            seen.push_back(number);
        });
    });
    for (int number = 0; number < 1000; ++number)
        EXPECT_EQ(actor.try_send(kNumber, number), takt::SendResult::ok);
    runtime.run_until_idle();
    ASSERT_EQ(seen.size(), 1000u);
    for (int number = 0; number < 1000; ++number)
        EXPECT_EQ(seen[static_cast<std::size_t>(number)], number);
    EXPECT_EQ(runtime.mail().handled, 1000u);
    expect_law(runtime);
}

TEST_P(Messages, a_serial_handler_runs_in_the_serial_phase_of_the_same_frame) {
    Runtime runtime(config());
    int seen = 0;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind(kNumber, [&](takt::Serial, int number) {
            EXPECT_EQ(takt::current_phase(), Phase::serial);
            seen += number;
        });
    });
    actor.send(kNumber, 7);
    runtime.step();
    EXPECT_EQ(seen, 7);
    expect_law(runtime);
}

TEST_P(Messages, two_messages_before_the_bind_arrive_once_and_in_order) {
    Runtime runtime(config());
    std::vector<std::string> seen;
    const ActorRef actor = runtime.spawn_actor({.name = "late"}, [&](Actor& self) {
        self.bind(kGo, [&] {
            takt::this_actor().bind_parallel(
                kGreeting, [&](const std::string& text) { seen.push_back(text); });
        });
    });
    actor.send(kGreeting, "one");
    actor.send(kGreeting, "two");
    runtime.run_until_idle();
    EXPECT_TRUE(seen.empty());
    expect_law(runtime, 2);
    actor.send(kGo);
    actor.send(kGreeting, "three");
    runtime.run_until_idle();
    EXPECT_EQ(seen, (std::vector<std::string>{"one", "two", "three"}));
    expect_law(runtime);
}

TEST_P(Messages, all_handlers_see_the_message_parallel_ones_first) {
    Runtime runtime(config());
    std::string calls;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind(kNumber, [&](int) { calls += "s1 "; });
        self.bind_parallel(kNumber, [&](int) { calls += "p1 "; });
        self.bind(kNumber, [&](int) { calls += "s2 "; });
        self.bind_parallel(kNumber, [&](int) { calls += "p2 "; });
    });
    actor.send(kNumber, 1);
    runtime.run_until_idle();
    EXPECT_EQ(calls, "p1 p2 s1 s2 ");
    EXPECT_EQ(runtime.mail().handled, 1u);
    expect_law(runtime);
}

TEST_P(Messages, mail_that_can_only_be_moved_is_moved_into_its_one_handler) {
    Runtime runtime(config());
    std::unique_ptr<int> got;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind(kOwned, [&](std::unique_ptr<int> owned) { got = std::move(owned); });
        EXPECT_THROW(self.bind(kOwned, [](const std::unique_ptr<int>&) {}), takt::Error);
    });
    actor.send(kOwned, std::make_unique<int>(5));
    runtime.run_until_idle();
    ASSERT_NE(got, nullptr);
    EXPECT_EQ(*got, 5);
    expect_law(runtime);
}

// A guard that tells somebody when the message is over, whatever became of it.
class Receipt {
  public:
    explicit Receipt(ActorRef to) : to_(to) {}
    Receipt(Receipt&& other) noexcept : to_(std::exchange(other.to_, ActorRef())) {}
    ~Receipt() {
        if (to_)
            to_.send(kNumber, 1);
    }

  private:
    ActorRef to_;
};
constexpr takt::Topic<Receipt> kReceipted{"Receipted"};

TEST_P(Messages, what_a_payload_sends_as_it_is_destroyed_arrives_in_the_same_frame) {
    Runtime runtime(config());
    int receipts = 0;
    const ActorRef reader = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kNumber, [&](int number) { receipts += number; });
    });
    std::vector<ActorRef> others; // on all workers
    for (int count = 0; count < 8; ++count)
        others.push_back(runtime.spawn_actor({}, [count](Actor& self) {
            if (count % 2 == 0)
                self.bind_parallel(kReceipted, [](const Receipt&) {});
            else
                self.bind(kReceipted, [](const Receipt&) {});
        }));
    runtime.step();
    others.back().destroy(); // sends to it are refused, and that is the end of those messages
    for (int frame = 1; frame <= 20; ++frame) {
        for (const ActorRef other : others)
            other.send(kReceipted, Receipt(reader));
        runtime.step();
        EXPECT_EQ(receipts, frame * 8);
    }
    expect_law(runtime);
}

TEST_P(Messages, two_actors_that_write_to_each_other_for_ever_do_not_hang_a_frame) {
    takt::Config limited = config();
    limited.frame.phase_messages = 100;
    limited.frame.max_rounds = 3;
    Runtime runtime(limited);
    const auto player = [](Actor& self) {
        self.bind_parallel(kBall, [](ActorRef from, int count) {
            from.send(kBall, takt::this_actor().ref(), count + 1);
        });
    };
    const ActorRef one = runtime.spawn_actor({.worker = 0}, player);
    const ActorRef other = runtime.spawn_actor({.worker = runtime.workers() - 1}, player);
    one.send(kBall, other, 0);
    for (int frame = 0; frame < 10; ++frame) {
        const takt::FrameReport report = runtime.step();
        EXPECT_TRUE(report.left_over);
        EXPECT_EQ(report.rounds, 3u);
        EXPECT_GT(report.messages, 0u);
    }
    expect_law(runtime, 0);
}

TEST_P(Messages, whoever_runs_frames_until_something_sees_the_report_of_each) {
    Runtime runtime(config());
    EXPECT_EQ(runtime.last_frame().time.frame, 0u);
    const ActorRef actor =
        runtime.spawn_actor({}, [](Actor& self) { self.bind_parallel(kNumber, [](int) {}); });
    std::uint64_t frames = 0;
    std::uint64_t messages = 0;
    actor.send(kNumber, 1);
    actor.send(kNumber, 2);
    runtime.run_until([&] {
        EXPECT_EQ(runtime.last_frame().time.frame, ++frames);
        messages += runtime.last_frame().messages;
        return frames == 3;
    });
    EXPECT_EQ(messages, 2u);
    EXPECT_EQ(runtime.step().time.frame, runtime.last_frame().time.frame);
    expect_law(runtime);
}

TEST_P(Messages, a_destroyed_actor_answers_dead_and_its_mail_expires) {
    Runtime runtime(config());
    std::vector<takt::DeadLetter> letters;
    runtime.on_dead_letter([&](const takt::DeadLetter& letter) { letters.push_back(letter); });
    auto owned = std::make_shared<int>(1);
    static constexpr takt::Topic<std::shared_ptr<int>> share{"Share"};
    const ActorRef actor = runtime.spawn_actor({}, [](Actor& self) {
        self.bind(kGo, [] { takt::this_actor().destroy(); });
        self.bind(share, [](const std::shared_ptr<int>&) { FAIL() << "it is gone"; });
    });
    actor.send(kGo);
    actor.send(share, owned);
    runtime.run_until_idle();
    EXPECT_FALSE(actor.alive());
    EXPECT_EQ(actor.try_send(kGo), takt::SendResult::dead);
    EXPECT_EQ(owned.use_count(), 1);
    EXPECT_EQ(runtime.actors(), 0u);
    EXPECT_EQ(runtime.mail().expired, 1u);
    expect_law(runtime);
}

TEST_P(Messages, a_handler_that_throws_fails_its_message_only) {
    Runtime runtime(config());
    std::vector<std::string> failures;
    runtime.on_failure([&](const takt::Failure& failure) { failures.push_back(failure.text()); });
    int handled = 0;
    const ActorRef actor = runtime.spawn_actor({.name = "clumsy"}, [&](Actor& self) {
        self.bind_parallel(kNumber, [&](int number) {
            if (number % 10 == 0)
                throw std::runtime_error("ten");
            ++handled;
        });
    });
    for (int number = 0; number < 100; ++number)
        actor.send(kNumber, number);
    runtime.run_until_idle();
    EXPECT_EQ(handled, 90);
    ASSERT_EQ(failures.size(), 10u);
    EXPECT_NE(failures[0].find("actor \"clumsy\", topic \"Number\", failed: ten"),
              std::string::npos)
        << failures[0];
    EXPECT_EQ(runtime.mail().failed, 10u);
    expect_law(runtime);
}

TEST_P(Messages, after_a_failure_under_stop_no_handler_starts) {
    takt::Config stopping = config();
    stopping.failure.policy = takt::FailurePolicy::stop;
    Runtime runtime(stopping);
    runtime.on_failure([](const takt::Failure&) {});
    int handled = 0;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kNumber, [&](int number) {
            if (number == 3)
                throw std::runtime_error("three");
            ++handled;
        });
    });
    for (int number = 0; number < 10; ++number)
        actor.send(kNumber, number);
    runtime.run_until_idle();
    EXPECT_EQ(handled, 3);
    EXPECT_EQ(actor.try_send(kNumber, 1), takt::SendResult::dead);
    EXPECT_EQ(runtime.mail().expired, 6u);
    expect_law(runtime);
}

TEST_P(Messages, a_topic_with_other_types_is_refused_by_name) {
    Runtime runtime(config());
    constexpr takt::Topic<double> other_number{"Number"};
    std::string failure;
    runtime.on_failure([&](const takt::Failure& what) { failure = what.text(); });
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kNumber, [](int) {});
        EXPECT_THROW(self.bind(other_number, [](double) {}), takt::Error);
    });
    actor.send(other_number, 1.0);
    runtime.run_until_idle();
    EXPECT_NE(failure.find("Number"), std::string::npos) << failure;
    EXPECT_EQ(runtime.mail().failed, 1u);
    expect_law(runtime);
}

TEST_P(Messages, spawned_in_the_parallel_phase_its_mail_waits_for_its_setup) {
    Runtime runtime(config());
    int seen = 0;
    const ActorRef parent = runtime.spawn_actor({.name = "parent"}, [&](Actor& self) {
        self.bind_parallel(kGo, [&] {
            const ActorRef child = takt::spawn_actor(
                {.name = "child", .parent = takt::this_actor().ref()}, [&](Actor& born) {
                    EXPECT_EQ(takt::current_phase(), Phase::serial);
                    born.bind_parallel(kNumber, [&](int number) { seen += number; });
                });
            child.send(kNumber, 4);
            child.send(kNumber, 5);
        });
    });
    parent.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(seen, 9);
    EXPECT_EQ(runtime.actors(), 2u);
    parent.destroy();
    runtime.run_until_idle();
    EXPECT_EQ(runtime.actors(), 0u);
    expect_law(runtime);
}

TEST_P(Messages, commits_of_all_actors_run_by_actor_then_sequence) {
    Runtime runtime(config());
    std::vector<std::pair<int, int>> log;
    std::vector<ActorRef> actors;
    for (int index = 0; index < 20; ++index)
        actors.push_back(runtime.spawn_actor({}, [&, index](Actor& self) {
            self.bind_parallel(kNumber, [&, index](int number) {
                takt::commit(
                    [&log, index, number](takt::Serial) { log.emplace_back(index, number); });
            });
        }));
    for (int number = 0; number < 5; ++number)
        for (auto actor = actors.rbegin(); actor != actors.rend(); ++actor)
            actor->send(kNumber, number);
    runtime.run_until_idle();
    ASSERT_EQ(log.size(), 100u);
    for (std::size_t at = 0; at < log.size(); ++at)
        EXPECT_EQ(log[at], std::make_pair(static_cast<int>(at / 5), static_cast<int>(at % 5)));
    expect_law(runtime);
}

TEST_P(Messages, from_outside_threads_all_arrive_in_their_order) {
    Runtime runtime(config());
    constexpr int kThreads = 3;
    constexpr int kEach = 2000;
    static constexpr takt::Topic<int, int> numbered{"Numbered"};
    std::vector<int> next(kThreads);
    int arrived = 0;
    const ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(numbered, [&](int from, int number) {
            EXPECT_EQ(next[static_cast<std::size_t>(from)]++, number);
            ++arrived;
        });
    });
    std::vector<std::thread> senders;
    for (int from = 0; from < kThreads; ++from)
        senders.emplace_back([&, from] {
            takt::MailProducer producer = runtime.producer();
            for (int number = 0; number < kEach; ++number) {
                const takt::SendResult result =
                    from == 0 ? producer.send_within(std::chrono::seconds(10), actor, numbered,
                                                     from, number)
                              : actor.send_within(std::chrono::seconds(10), numbered, from, number);
                EXPECT_EQ(result, takt::SendResult::ok);
            }
        });
    while (arrived < kThreads * kEach)
        runtime.step();
    for (std::thread& sender : senders)
        sender.join();
    expect_law(runtime);
}

INSTANTIATE_TEST_SUITE_P(workers, Messages, testing::Values(1, 2, 4));

} // namespace
