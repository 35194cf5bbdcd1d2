// SPDX-License-Identifier: MIT
// Limits: what an actor, or a dispatcher's actors, may have of mail, who is told of more, and that each
// drop is counted by actor, topic and reason (L1, L2).
#include "runtime/expect_law.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::ActorRef;
using takt::Expiry;
using takt::Overflow;
using takt::Phase;
using takt::Runtime;
using takt::SendResult;
using takt::TicketStatus;
using takt::testing_support::expect_law;

constexpr takt::Topic<int> kNumber{"Number"};
constexpr takt::Topic<> kGo{"Go"};
constexpr takt::Topic<std::shared_ptr<int>> kOwned{"Owned"};
constexpr takt::Request<int(int)> kAsk{"Ask"};

using Numbers = std::vector<int>;

Numbers from_to(int first, int end) {
    Numbers numbers(static_cast<std::size_t>(end - first));
    std::iota(numbers.begin(), numbers.end(), first);
    return numbers;
}

/// Where the messages come from.
enum class From { serial_phase, same_worker, other_worker, outside, producer };

struct Case {
    int workers;
    From from;
    Phase handled_in;
};

std::string name_of(const Case& one) {
    constexpr const char* kNames[] = {"serial_phase", "same_worker", "other_worker", "outside",
                                      "producer"};
    return std::to_string(one.workers) + "_" + kNames[static_cast<int>(one.from)] + "_" +
           (one.handled_in == Phase::serial ? "serial" : "parallel");
}

/// What expired, as the hook tells it, which outlives this.
class Letters {
  public:
    explicit Letters(Runtime& runtime) {
        runtime.on_dead_letter(
            [letters = letters_](const takt::DeadLetter& letter) { letters->push_back(letter); });
    }
    std::size_t of(Expiry reason, ActorRef actor = {}, const std::string& topic = {}) const {
        return static_cast<std::size_t>(
            std::count_if(letters_->begin(), letters_->end(), [&](const takt::DeadLetter& letter) {
                return letter.reason == reason && (!actor || letter.actor == actor) &&
                       (topic.empty() || letter.topic == topic);
            }));
    }

  private:
    std::shared_ptr<std::vector<takt::DeadLetter>> letters_ =
        std::make_shared<std::vector<takt::DeadLetter>>();
};

/// Of one topic, by reason.
std::uint64_t expired(Runtime& runtime, const std::string& topic, Expiry reason) {
    for (const takt::TopicReport& report : runtime.topics())
        if (report.topic == topic)
            return report.expired[reason];
    return 0;
}

/// An actor with a limit, and n messages that are sent to it before it handles one.
class Flood : public testing::TestWithParam<Case> {
  protected:
    static constexpr int kSent = 10;

    Flood() : runtime_({.workers = {.count = GetParam().workers}}), letters_(runtime_) {}

    void make_sink(takt::MailLimit limit) {
        sink_ =
            runtime_.spawn_actor({.name = "sink", .worker = 0, .mail = limit}, [this](Actor& self) {
                inside_ = &self;
                const auto handler = [this](int number) { handled_.push_back(number); };
                if (GetParam().handled_in == Phase::serial)
                    self.bind(kNumber, handler);
                else
                    self.bind_parallel(kNumber, handler);
            });
    }
    // All of them are there before the sink's worker opens one: also from another worker, which holds
    // up the sink's meanwhile.
    void flood(int count = kSent) {
        const auto send = [this, count](const std::function<SendResult(int)>& one) {
            for (int number = 0; number < count; ++number)
                answers_.push_back(one(number));
        };
        const auto in_phase = [&](int number) { return sink_.send(kNumber, number); };
        switch (GetParam().from) {
        case From::serial_phase:
            send(in_phase);
            break;
        case From::same_worker:
            runtime_.spawn_actor({.worker = 0}, [&](Actor& self) {
                self.bind_parallel(kGo, [=] { send(in_phase); });
                self.ref().send(kGo);
            });
            break;
        case From::other_worker: {
            const int other = runtime_.workers() - 1;
            const auto sent = std::make_shared<std::atomic<bool>>(other == 0);
            runtime_.spawn_actor({.worker = 0}, [&](Actor& self) {
                self.bind_parallel(kGo, [sent] {
                    while (!sent->load())
                        std::this_thread::yield();
                });
                self.ref().send(kGo);
            });
            runtime_.spawn_actor({.worker = other}, [&](Actor& self) {
                self.bind_parallel(kGo, [=] {
                    send(in_phase);
                    sent->store(true);
                });
                self.ref().send(kGo);
            });
            break;
        }
        case From::outside:
            std::thread([&] { send(in_phase); }).join();
            break;
        case From::producer: {
            takt::MailProducer producer = runtime_.producer();
            std::thread([&] {
                send([&](int number) { return producer.send(sink_, kNumber, number); });
            }).join();
            break;
        }
        }
        runtime_.run_until_idle();
    }
    std::ptrdiff_t answered(SendResult how) const {
        return std::count(answers_.begin(), answers_.end(), how);
    }
    void expect_dropped(std::uint64_t count) {
        EXPECT_EQ(runtime_.expired(Expiry::overflow), count);
        EXPECT_EQ(expired(runtime_, "Number", Expiry::overflow), count);
        EXPECT_EQ(inside_->expired(Expiry::overflow), count);
        EXPECT_EQ(inside_->counts().expired, count);
        EXPECT_EQ(letters_.of(Expiry::overflow, sink_, "Number"), count);
        EXPECT_EQ(inside_->counts().handled, handled_.size());
        expect_law(runtime_);
    }
    bool is_outside() const {
        return GetParam().from == From::outside || GetParam().from == From::producer;
    }

    Runtime runtime_;
    Letters letters_;
    ActorRef sink_;
    Actor* inside_ = nullptr;
    std::vector<SendResult> answers_;
    Numbers handled_;
};

TEST_P(Flood, reject_tells_the_sender_and_keeps_what_came_first) {
    make_sink({.max = 4});
    for (int round = 1; round <= 3; ++round) { // what was handled made room
        flood();
        EXPECT_EQ(answered(SendResult::ok), 4 * round);
        EXPECT_EQ(answered(SendResult::full), 6 * round);
        EXPECT_EQ(handled_, from_to(0, 4));
        handled_.clear();
    }
    EXPECT_EQ(is_outside() ? runtime_.outside_mail().refused_full
                           : runtime_.refused(SendResult::full),
              18u);
    EXPECT_EQ(runtime_.expired(Expiry::overflow), 0u);
    expect_law(runtime_);
}

TEST_P(Flood, drop_newest_keeps_what_came_first) {
    make_sink({.max = 4, .overflow = Overflow::drop_newest});
    flood();
    EXPECT_EQ(answered(SendResult::ok), kSent);
    EXPECT_EQ(handled_, from_to(0, 4));
    expect_dropped(6);
    flood();
    EXPECT_EQ(handled_.size(), 8u);
    expect_dropped(12);
}

TEST_P(Flood, drop_oldest_keeps_what_came_last) {
    make_sink({.max = 4, .overflow = Overflow::drop_oldest});
    flood();
    EXPECT_EQ(answered(SendResult::ok), kSent);
    EXPECT_EQ(handled_, from_to(6, 10));
    expect_dropped(6);
    flood();
    EXPECT_EQ(handled_.size(), 8u);
    expect_dropped(12);
}

TEST_P(Flood, keep_latest_keeps_the_last_one_once_there_are_too_many) {
    make_sink({.max = 4, .overflow = Overflow::keep_latest});
    flood();
    EXPECT_EQ(answered(SendResult::ok), kSent);
    EXPECT_EQ(handled_, (Numbers{9}));
    expect_dropped(9);
    flood(4);
    EXPECT_EQ(handled_, (Numbers{9, 0, 1, 2, 3}));
    expect_dropped(9);
}

TEST_P(Flood, keep_latest_of_one_is_the_newest_state) {
    make_sink({.max = 1, .overflow = Overflow::keep_latest});
    flood();
    EXPECT_EQ(handled_, (Numbers{9}));
    expect_dropped(9);
}

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const int workers : {1, 2, 4})
        for (const From from : {From::serial_phase, From::same_worker, From::other_worker,
                                From::outside, From::producer})
            for (const Phase phase : {Phase::parallel, Phase::serial})
                cases.push_back({workers, from, phase});
    return cases;
}
INSTANTIATE_TEST_SUITE_P(Cases, Flood, testing::ValuesIn(all_cases()),
                         [](const auto& one) { return name_of(one.param); });

class Overload : public testing::TestWithParam<int> {
  protected:
    takt::Config config() const {
        return {.workers = {.count = GetParam()}, .clock = {.kind = takt::ClockKind::virtual_time}};
    }
};

// --- what counts ----------------------------------------------------------------------------------

TEST_P(Overload, mail_that_is_kept_counts_and_is_dropped_oldest_first) {
    Runtime runtime(config());
    Letters letters(runtime);
    std::array<Numbers, 4> handled; // by policy
    std::vector<ActorRef> actors;
    for (const Overflow overflow :
         {Overflow::reject, Overflow::drop_newest, Overflow::drop_oldest, Overflow::keep_latest})
        actors.push_back(runtime.spawn_actor(
            {.mail = {.max = 4, .overflow = overflow}},
            [&numbers = handled[static_cast<std::size_t>(overflow)]](Actor& self) {
                self.bind(kGo, [&numbers] {
                    takt::this_actor().bind_parallel(
                        kNumber, [&numbers](int number) { numbers.push_back(number); });
                });
            }));
    for (int number = 0; number < 10; ++number) {
        for (const ActorRef actor : actors)
            EXPECT_EQ(actor.send(kNumber, number),
                      number >= 4 && actor == actors[0] ? SendResult::full : SendResult::ok);
        runtime.run_until_idle();
    }
    expect_law(runtime, 4 + 4 + 4 + 2); // keep_latest: 8 replaced those before it, 9 came then
    EXPECT_EQ(letters.of(Expiry::overflow), 6u + 6u + 8u);
    EXPECT_EQ(actors[0].send(kGo), SendResult::full); // limits are for all topics
    EXPECT_EQ(letters.of(Expiry::overflow, actors[2]), 6u);
    actors[2].send(kGo);
    actors[3].send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(handled[static_cast<std::size_t>(Overflow::drop_oldest)], from_to(6, 10));
    EXPECT_EQ(handled[static_cast<std::size_t>(Overflow::keep_latest)], from_to(8, 10));
    expect_law(runtime, 4 + 4);
}

TEST_P(Overload, mail_for_an_actor_whose_setup_goes_on_counts) {
    Runtime runtime(config());
    Numbers handled;
    const ActorRef actor =
        runtime.spawn_actor({.mail = {.max = 3}}, [&](Actor& self) -> takt::Task<> {
            co_await takt::next_frame();
            self.bind_parallel(kNumber, [&](int number) { handled.push_back(number); });
        });
    for (int number = 0; number < 5; ++number)
        EXPECT_EQ(actor.send(kNumber, number), number < 3 ? SendResult::ok : SendResult::full);
    for (int frame = 0; frame < 5; ++frame)
        runtime.step();
    EXPECT_EQ(handled, from_to(0, 3));
    EXPECT_EQ(actor.send(kNumber, 9), SendResult::ok);
    runtime.run_until_idle();
    expect_law(runtime);
}

TEST_P(Overload, tasks_that_handlers_began_count_until_they_end) {
    for (const Overflow overflow :
         {Overflow::reject, Overflow::drop_newest, Overflow::drop_oldest, Overflow::keep_latest}) {
        Runtime runtime(config());
        Letters letters(runtime);
        Numbers begun;
        Numbers ended;
        const ActorRef actor =
            runtime.spawn_actor({.mail = {.max = 2, .overflow = overflow}}, [&](Actor& self) {
                self.bind_parallel(kNumber, [&](int number) -> takt::Task<> {
                    begun.push_back(number);
                    co_await takt::next_frame();
                    co_await takt::next_frame();
                    ended.push_back(number);
                });
            });
        actor.send(kNumber, 0);
        actor.send(kNumber, 1);
        runtime.step();
        EXPECT_EQ(begun, from_to(0, 2));
        EXPECT_EQ(actor.send(kNumber, 2),
                  overflow == Overflow::reject ? SendResult::full : SendResult::ok);
        runtime.step();
        EXPECT_EQ(begun, from_to(0, 2));
        EXPECT_EQ(letters.of(Expiry::overflow), overflow == Overflow::reject ? 0u : 1u);
        expect_law(runtime, 2);
        for (int frame = 0; frame < 3; ++frame)
            runtime.step();
        EXPECT_EQ(ended, from_to(0, 2));
        EXPECT_EQ(actor.send(kNumber, 3), SendResult::ok);
        runtime.step();
        EXPECT_EQ(begun, (Numbers{0, 1, 3}));
        expect_law(runtime, 1);
    }
}

TEST_P(Overload, a_message_ends_once_for_the_limit_however_it_ends) {
    Runtime runtime(config());
    runtime.on_failure([](const takt::Failure&) {});
    const ActorRef actor = runtime.spawn_actor(
        {.on_failure = takt::FailurePolicy::resume, .mail = {.max = 3}}, [](Actor& self) {
            self.bind(kNumber, [](int number) -> takt::Task<> {
                if (number % 3 == 0)
                    throw std::runtime_error("three");
                co_await takt::desynchronize();
                if (number % 3 == 1)
                    throw std::runtime_error("one");
            });
            self.bind_parallel(kNumber, [](int) {}); // and its parallel handler
            self.bind_parallel(kAsk, [](int number) { return number; });
        });
    for (int round = 0; round < 20; ++round) {
        for (int number = 0; number < 3; ++number)
            EXPECT_EQ(actor.send(kNumber, number), SendResult::ok) << round;
        EXPECT_EQ(actor.send(kNumber, 0), SendResult::full);
        runtime.run_until_idle();
        takt::Ticket<int> ticket = actor.submit(kAsk, 1);
        ticket.cancel();
        runtime.run_until_idle();
    }
    EXPECT_EQ(runtime.expired(Expiry::cancelled), 20u);
    expect_law(runtime);
}

// --- requests -------------------------------------------------------------------------------------

TEST_P(Overload, a_request_beyond_a_limit_ends_its_ticket_as_full) {
    for (const Overflow overflow :
         {Overflow::reject, Overflow::drop_newest, Overflow::drop_oldest, Overflow::keep_latest}) {
        Runtime runtime(config());
        const ActorRef actor =
            runtime.spawn_actor({.mail = {.max = 2, .overflow = overflow}}, [](Actor& self) {
                self.bind_parallel(kAsk, [](int number) { return number; });
            });
        std::vector<takt::Ticket<int>> tickets;
        for (int number = 0; number < 5; ++number)
            tickets.push_back(actor.submit(kAsk, number));
        const bool by_sender = overflow == Overflow::reject || overflow == Overflow::drop_newest;
        for (std::size_t at = 2; at < 5; ++at)
            EXPECT_EQ(tickets[at].status(), by_sender ? TicketStatus::full : TicketStatus::pending);
        runtime.run_until_idle();
        const std::size_t answered = overflow == Overflow::keep_latest ? 1 : 2;
        for (std::size_t at = 0; at < 5; ++at)
            EXPECT_EQ(tickets[at].status(), (by_sender ? at < answered : at >= 5 - answered)
                                                ? TicketStatus::answered
                                                : TicketStatus::full);
        EXPECT_EQ(runtime.refused(SendResult::full), by_sender ? 3u : 0u);
        EXPECT_EQ(runtime.expired(Expiry::overflow), by_sender ? 0u : 5 - answered);
        expect_law(runtime);
    }
}

// --- senders at the same time ---------------------------------------------------------------------

TEST_P(Overload, senders_on_all_workers_never_get_more_in_than_the_limit_L1) {
    Runtime runtime(config());
    constexpr int kMax = 7;
    std::atomic<int> admitted{0};
    std::atomic<int> refused{0};
    int waiting = 0;
    const ActorRef sink = runtime.spawn_actor({.mail = {.max = kMax}}, [&](Actor& self) {
        self.bind(kNumber, [&](int) { ++waiting; }); // none of them ends before the phase does
    });
    std::vector<ActorRef> senders;
    for (int sender = 0; sender < 4 * GetParam(); ++sender)
        senders.push_back(runtime.spawn_actor({.worker = sender % GetParam()}, [&](Actor& self) {
            self.bind_parallel(kNumber, [&](int count) {
                for (int sent = 0; sent < count; ++sent)
                    ++(sink.send(kNumber, sent) == SendResult::ok ? admitted : refused);
            });
        }));
    for (int round = 1; round <= 50; ++round) {
        for (const ActorRef sender : senders)
            sender.send(kNumber, 20);
        waiting = 0;
        admitted = 0;
        runtime.step();
        EXPECT_EQ(admitted, kMax); // the last of many attempts finds nobody who takes back
        EXPECT_EQ(waiting, kMax);
    }
    EXPECT_EQ(static_cast<std::uint64_t>(refused), runtime.refused(SendResult::full));
    EXPECT_EQ(static_cast<int>(senders.size()) * 20 * 50, refused + kMax * 50);
    expect_law(runtime);
}

TEST_P(Overload, a_flood_from_other_workers_does_not_starve_who_drops_the_oldest_L2) {
    for (const Overflow overflow : {Overflow::drop_oldest, Overflow::keep_latest}) {
        Runtime runtime(config());
        constexpr int kCount = 20'000;
        std::uint64_t handled = 0;
        int last = -1;
        const ActorRef sink = runtime.spawn_actor(
            {.worker = 0, .mail = {.max = 2, .overflow = overflow}}, [&](Actor& self) {
                self.bind_parallel(kNumber, [&](int number) {
                    ++handled;
                    if (number >= 0)
                        last = number;
                });
            });
        for (int worker = 0; worker < GetParam(); ++worker)
            runtime.spawn_actor({.worker = worker}, [&, worker](Actor& self) {
                self.bind_parallel(kGo, [&, worker] {
                    for (int number = 0; number < kCount; ++number)
                        sink.send(kNumber, worker == 0 ? number : -1);
                });
                self.ref().send(kGo);
            });
        runtime.run_until_idle();
        EXPECT_GT(handled, 0u);
        if (GetParam() == 1) {
            EXPECT_EQ(last, kCount - 1); // what is newest is never dropped
        }
        const takt::MailCounts all = runtime.mail();
        EXPECT_EQ(runtime.refused(SendResult::full), 0u);
        EXPECT_EQ(handled + runtime.expired(Expiry::overflow),
                  static_cast<std::uint64_t>(GetParam()) * kCount);
        EXPECT_EQ(all.expired, runtime.expired(Expiry::overflow));
        expect_law(runtime);
    }
}

TEST_P(Overload, a_state_that_is_sent_again_in_each_serial_phase_still_arrives_L2) {
    Runtime runtime(config());
    Numbers handled;
    ActorRef sink;
    const ActorRef source = runtime.spawn_actor({}, [&](Actor& self) { // before the sink, by id
        self.bind(kGo, [&] { sink.send(kNumber, static_cast<int>(handled.size())); });
    });
    sink = runtime.spawn_actor(
        {.mail = {.max = 1, .overflow = Overflow::keep_latest}},
        [&](Actor& self) { self.bind(kNumber, [&](int number) { handled.push_back(number); }); });
    for (int frame = 0; frame < 20; ++frame) {
        source.send(kGo);
        runtime.step();
    }
    EXPECT_GE(handled.size(), 19u);
    expect_law(runtime);
}

// --- ends -----------------------------------------------------------------------------------------

TEST_P(Overload, the_next_actor_in_a_place_begins_with_an_empty_room) {
    Runtime runtime(config());
    for (int life = 0; life < 50; ++life) {
        const bool is_limited = life % 3 != 2; // others use the place, too
        int handled = 0;
        const ActorRef actor = runtime.spawn_actor(
            {.mail = is_limited ? takt::MailLimit{.max = 3} : takt::MailLimit{}}, [&](Actor& self) {
                self.bind_parallel(kNumber, [&](int) { ++handled; });
                self.bind(kGo, [&] { takt::this_actor().destroy(); });
            });
        for (int number = 0; number < 2; ++number)
            EXPECT_EQ(actor.send(kNumber, number), SendResult::ok);
        EXPECT_EQ(actor.send(kGo), SendResult::ok);
        EXPECT_EQ(actor.send(kNumber, 3), is_limited ? SendResult::full : SendResult::ok);
        std::thread([&] {
            EXPECT_EQ(actor.send(kNumber, 4), is_limited ? SendResult::full : SendResult::ok);
        }).join();
        if (life % 2 == 0)
            actor.destroy();
        runtime.run_until_idle();
        EXPECT_FALSE(actor.alive());
        EXPECT_EQ(actor.send(kNumber, 4), SendResult::dead);
        std::thread([&] { // nobody tells outside; it finds no actor
            EXPECT_EQ(actor.send(kNumber, 4), SendResult::ok);
        })
            .join();
        runtime.run_until_idle();
        expect_law(runtime);
    }
}

TEST_P(Overload, mail_of_an_actor_that_is_destroyed_or_stopped_expires_for_that_reason) {
    Runtime runtime(config());
    runtime.on_failure([](const takt::Failure&) {});
    Letters letters(runtime);
    const auto make = [&](Overflow overflow) {
        return runtime.spawn_actor(
            {.on_failure = takt::FailurePolicy::stop, .mail = {.max = 5, .overflow = overflow}},
            [](Actor& self) {
                self.bind(kNumber, [](int number) {
                    if (number == 0)
                        throw std::runtime_error("zero");
                });
            });
    };
    for (const Overflow overflow :
         {Overflow::reject, Overflow::drop_newest, Overflow::drop_oldest, Overflow::keep_latest}) {
        const ActorRef destroyed = make(overflow);
        const ActorRef stopped = make(overflow);
        for (int number = 0; number < 5; ++number) {
            EXPECT_EQ(destroyed.send(kNumber, number + 1), SendResult::ok);
            EXPECT_EQ(stopped.send(kNumber, number), SendResult::ok);
        }
        destroyed.destroy();
        runtime.run_until_idle();
        EXPECT_EQ(stopped.send(kNumber, 1), SendResult::dead);
        EXPECT_EQ(letters.of(Expiry::destroyed, destroyed), 5u);
        EXPECT_EQ(letters.of(Expiry::stopped, stopped), 4u);
        expect_law(runtime);
    }
    EXPECT_EQ(runtime.expired(Expiry::overflow), 0u);
}

TEST_P(Overload, payloads_are_destroyed_once_and_a_refusal_leaves_the_arguments) {
    auto value = std::make_shared<int>(1);
    {
        Runtime runtime(config());
        std::vector<ActorRef> actors;
        for (const Overflow overflow : {Overflow::reject, Overflow::drop_newest,
                                        Overflow::drop_oldest, Overflow::keep_latest})
            actors.push_back(
                runtime.spawn_actor({.mail = {.max = 2, .overflow = overflow}}, [](Actor& self) {
                    self.bind(kOwned, [](const std::shared_ptr<int>&) {});
                }));
        for (const ActorRef actor : actors)
            for (int count = 0; count < 5; ++count)
                actor.send(kOwned, value);
        std::shared_ptr<int> moved = value;
        EXPECT_EQ(actors[0].try_send(kOwned, std::move(moved)), SendResult::full);
        EXPECT_NE(moved, nullptr); // NOLINT(bugprone-use-after-move)
        moved.reset();
        runtime.run_until_idle();
        EXPECT_EQ(value.use_count(), 1);
        for (const ActorRef actor : actors)
            for (int count = 0; count < 5; ++count)
                actor.send(kOwned, value);
    }
    EXPECT_EQ(value.use_count(), 1);
}

TEST_P(Overload, a_payload_that_throws_when_it_is_made_takes_no_room) {
    struct Thrower {
        explicit Thrower(int) { throw std::runtime_error("no"); }
    };
    static constexpr takt::Topic<Thrower> kThrower{"Thrower"};
    Runtime runtime(config());
    const ActorRef actor = runtime.spawn_actor(
        {.mail = {.max = 1}}, [](Actor& self) { self.bind_parallel(kNumber, [](int) {}); });
    EXPECT_THROW(actor.send(kThrower, 1), std::runtime_error);
    std::thread([&] { EXPECT_THROW(actor.send(kThrower, 1), std::runtime_error); }).join();
    EXPECT_EQ(actor.send(kNumber, 1), SendResult::ok);
    runtime.run_until_idle();
    expect_law(runtime);
}

// --- from outside ---------------------------------------------------------------------------------

TEST_P(Overload, who_waits_outside_goes_on_when_the_actor_has_room_or_at_the_deadline) {
    Runtime runtime(config());
    std::atomic<int> handled{0};
    const ActorRef actor = runtime.spawn_actor({.mail = {.max = 2}}, [&](Actor& self) {
        self.bind_parallel(kNumber, [&](int) { ++handled; });
    });
    for (int number = 0; number < 2; ++number)
        EXPECT_EQ(actor.send(kNumber, number), SendResult::ok);
    takt::MailProducer producer = runtime.producer();
    std::thread([&] {
        const auto before = std::chrono::steady_clock::now();
        EXPECT_EQ(actor.send_within(20ms, kNumber, 2), SendResult::full);
        EXPECT_EQ(producer.send_within(20ms, actor, kNumber, 2), SendResult::full);
        EXPECT_GE(std::chrono::steady_clock::now() - before, 40ms);
    }).join();
    constexpr int kEach = 200;
    std::atomic<int> senders{2};
    std::thread thread([&] {
        for (int number = 0; number < kEach; ++number)
            EXPECT_EQ(actor.send_within(60s, kNumber, number), SendResult::ok);
        --senders;
    });
    std::thread registered([&] {
        for (int number = 0; number < kEach; ++number)
            EXPECT_EQ(producer.send_within(60s, actor, kNumber, number), SendResult::ok);
        --senders;
    });
    while (senders != 0)
        runtime.step();
    thread.join();
    registered.join();
    runtime.run_until_idle();
    EXPECT_EQ(handled, 2 + 2 * kEach);
    EXPECT_EQ(runtime.outside_mail().refused_full, 2u);
    EXPECT_EQ(runtime.expired(Expiry::overflow), 0u);
    expect_law(runtime);
}

// The runtime sleeps when nothing is to be done: it is the frame's end that wakes who waits.
TEST_P(Overload, a_runtime_that_goes_to_sleep_wakes_who_waits_for_room) {
    takt::Config with{.workers = {.count = GetParam()},
                      .wait = {.spin_ns = 0},
                      .frame = {.pacing = takt::Pacing::on_demand}};
    Runtime runtime(with);
    const ActorRef actor = runtime.spawn_actor({.mail = {.max = 1}},
                                               [](Actor& self) { self.bind(kNumber, [](int) {}); });
    std::thread sender([&] {
        for (int number = 0; number < 300; ++number)
            EXPECT_EQ(actor.send_within(60s, kNumber, number), SendResult::ok);
        runtime.stop();
    });
    runtime.run();
    sender.join();
    runtime.run_until_idle();
    EXPECT_EQ(runtime.mail().handled, 300u);
    expect_law(runtime);
}

TEST_P(Overload, who_waits_for_a_runtime_that_ends_is_told_so) {
    std::optional<Runtime> runtime(config());
    const ActorRef actor = runtime->spawn_actor(
        {.mail = {.max = 1}}, [](Actor& self) { self.bind(kNumber, [](int) {}); });
    EXPECT_EQ(actor.send(kNumber, 1), SendResult::ok);
    takt::MailProducer producer = runtime->producer();
    std::thread sender(
        [&] { EXPECT_EQ(producer.send_within(60s, actor, kNumber, 2), SendResult::closed); });
    std::this_thread::sleep_for(10ms);
    runtime.reset();
    sender.join();
    EXPECT_EQ(producer.send(actor, kNumber, 3), SendResult::closed);
}

TEST_P(Overload, mail_that_the_gate_drops_is_counted_and_leaves_its_place) {
    takt::Config with = config();
    with.mail.outside_bytes = 4096;
    with.mail.outside_overflow = Overflow::drop_oldest;
    Runtime runtime(with);
    Letters letters(runtime);
    int handled = 0;
    Actor* inside = nullptr;
    const ActorRef actor = runtime.spawn_actor({.mail = {.max = 500}}, [&](Actor& self) {
        inside = &self;
        self.bind_parallel(kNumber, [&](int) { ++handled; });
    });
    bool posted = false;
    takt::MailProducer producer = runtime.producer();
    for (int round = 1; round <= 3; ++round) {
        std::thread([&] {
            EXPECT_EQ(runtime.post([&] { posted = true; }), SendResult::ok); // is never dropped
            for (int number = 0; number < 300; ++number)
                EXPECT_EQ(actor.send(kNumber, number), SendResult::ok);
            for (int number = 0; number < 200; ++number)
                EXPECT_EQ(producer.send(actor, kNumber, number), SendResult::ok);
            EXPECT_EQ(producer.send(actor, kNumber, 0), SendResult::full); // the actor's limit
        }).join();
        runtime.run_until_idle();
        EXPECT_TRUE(std::exchange(posted, false));
    }
    const std::uint64_t dropped = runtime.outside_mail().dropped_oldest;
    EXPECT_GT(dropped, 100u);
    EXPECT_EQ(runtime.expired(Expiry::overflow), dropped);
    EXPECT_EQ(expired(runtime, "Number", Expiry::overflow), dropped);
    EXPECT_EQ(inside->expired(Expiry::overflow), dropped);
    EXPECT_EQ(letters.of(Expiry::overflow, actor, "Number"), dropped);
    EXPECT_EQ(static_cast<std::uint64_t>(handled) + dropped, 1500u);
    expect_law(runtime);
}

TEST_P(Overload, the_hook_is_told_of_what_is_dropped_where_nothing_else_is_to_be_done) {
    Runtime runtime(config());
    Letters letters(runtime);
    const ActorRef actor = runtime.spawn_actor(
        {.mail = {.max = 1, .overflow = Overflow::drop_newest}}, [](Actor& self) {
            self.bind_parallel(kNumber, [](int) -> takt::Task<> { co_await takt::wait(1h); });
        });
    actor.send(kNumber, 0);
    runtime.run_until_idle();
    std::thread([&] { EXPECT_EQ(actor.send(kNumber, 1), SendResult::ok); }).join();
    runtime.run_until_idle();
    EXPECT_EQ(letters.of(Expiry::overflow, actor, "Number"), 1u);
    expect_law(runtime, 1);
}

TEST_P(Overload, control_mail_is_exempt) {
    Runtime runtime(config());
    bool gone = false;
    struct State {
        explicit State(bool* given) : flag(given) {}
        ~State() { *flag = true; }
        bool* flag;
    };
    int resumed = 0;
    const ActorRef actor = runtime.spawn_actor({.mail = {.max = 1}}, [&](Actor& self) {
        self.emplace_state<State>(&gone);
        self.bind(kNumber, [&](int) -> takt::Task<> {
            co_await takt::desynchronize(); // its way back needs no place
            ++resumed;
            co_await takt::next_frame();
        });
    });
    actor.send(kNumber, 1);
    runtime.step();
    EXPECT_EQ(actor.send(kNumber, 2), SendResult::full);
    EXPECT_EQ(resumed, 1);
    std::thread([&] { actor.destroy(); }).join();
    runtime.step();
    EXPECT_TRUE(gone);
    expect_law(runtime);
}

// --- options --------------------------------------------------------------------------------------

std::string error_of(const std::function<void()>& function) {
    try {
        function();
    } catch (const takt::Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

TEST_P(Overload, limits_that_make_no_sense_are_refused_by_name) {
    const auto setup = [](Actor&) {};
    {
        Runtime rounds(
            {.workers = {.count = GetParam()}, .frame = {.delivery = takt::Delivery::next_round}});
        for (const Overflow overflow : {Overflow::reject, Overflow::drop_newest})
            EXPECT_NE(error_of([&] {
                          rounds.spawn_actor({.mail = {.max = 1, .overflow = overflow}}, setup);
                      }).find("next_round"),
                      std::string::npos);
    }
    Runtime runtime(config());
    const auto spawn = [&](takt::MailLimit limit) {
        return error_of([&] { runtime.spawn_actor({.mail = limit}, setup); });
    };
    EXPECT_NE(spawn({.max = 0}).find("actor.mail.max"), std::string::npos);
    EXPECT_NE(spawn({.overflow = Overflow::keep_latest}).find("actor.mail.overflow"),
              std::string::npos);
    EXPECT_NE(error_of([&] {
                  takt::Dispatcher jobs(runtime, {.limit = {.max = 0}}, setup);
              }).find("dispatcher.limit.max"),
              std::string::npos);
    EXPECT_NE(error_of([&] {
                  takt::Dispatcher jobs(runtime, {.limit = {.overflow = Overflow::drop_oldest}},
                                        setup);
              }).find("overflow"),
              std::string::npos);
    EXPECT_EQ(runtime.actors(), 0u);
}

// --- next_round -----------------------------------------------------------------------------------

// Senders on all workers, in both phases and outside; the same messages are dropped on any number.
std::pair<Numbers, std::uint64_t> run_rounds(int workers, Overflow overflow, Phase handled_in) {
    Runtime runtime({.workers = {.count = workers},
                     .frame = {.delivery = takt::Delivery::next_round},
                     .clock = {.kind = takt::ClockKind::virtual_time}});
    Numbers handled;
    const ActorRef sink =
        runtime.spawn_actor({.mail = {.max = 5, .overflow = overflow}}, [&](Actor& self) {
            const auto handler = [&](int number) { handled.push_back(number); };
            handled_in == Phase::serial ? self.bind(kNumber, handler)
                                        : self.bind_parallel(kNumber, handler);
        });
    for (int sender = 0; sender < 4; ++sender)
        runtime.spawn_actor({}, [&, sender](Actor& self) {
            self.bind_parallel(kNumber, [&, sender](int step) {
                for (int number = 0; number < 3; ++number)
                    sink.send(kNumber, step * 1000 + sender * 100 + number);
                if (step < 10)
                    takt::this_actor().ref().send(kNumber, step + 1);
            });
            self.bind(kNumber, [&, sender](int step) {
                sink.send(kNumber, step * 1000 + sender * 100 + 50);
            });
            self.ref().send(kNumber, 0);
        });
    std::thread([&] {
        for (int number = 0; number < 20; ++number)
            sink.send(kNumber, number);
    }).join();
    runtime.run_until_idle();
    EXPECT_EQ(handled.size() + runtime.expired(Expiry::overflow), 4u * 11 * 4 + 20);
    expect_law(runtime);
    return {handled, runtime.expired(Expiry::overflow)};
}

TEST(OverloadInRounds, what_is_dropped_does_not_depend_on_the_number_of_workers) {
    for (const Overflow overflow : {Overflow::drop_oldest, Overflow::keep_latest})
        for (const Phase phase : {Phase::parallel, Phase::serial}) {
            const auto alone = run_rounds(1, overflow, phase);
            EXPECT_GT(alone.second, 50u);
            EXPECT_GE(alone.first.size(), 11u);
            EXPECT_EQ(run_rounds(2, overflow, phase), alone);
            EXPECT_EQ(run_rounds(4, overflow, phase), alone);
        }
}

// --- dispatchers ----------------------------------------------------------------------------------

TEST_P(Overload, a_dispatch_is_full_when_all_actors_are) {
    Runtime runtime(config());
    int handled = 0;
    takt::Dispatcher<takt::RoundRobin> jobs(
        runtime, {.actors = 4, .limit = {.max = 2}}, [&](Actor& actor) {
            actor.bind(kNumber, [&](int) { ++handled; });
            actor.bind_parallel(kAsk, [](int number) { return number; });
        });
    EXPECT_EQ(jobs.dispatch_by(takt::Sticky(7), kNumber, 0), SendResult::ok);
    EXPECT_EQ(jobs.dispatch_by(takt::Sticky(7), kNumber, 0), SendResult::ok);
    EXPECT_EQ(jobs.dispatch_by(takt::Sticky(7), kNumber, 0), SendResult::full); // it has one actor
    for (int job = 0; job < 6; ++job)
        EXPECT_EQ(jobs.dispatch(kNumber, job), SendResult::ok) << job;
    EXPECT_EQ(jobs.dispatch(kNumber, 6), SendResult::full);
    EXPECT_EQ(jobs.submit(kAsk, 1).status(), TicketStatus::full);
    EXPECT_EQ(jobs.dispatch_all(kNumber, 1), 0u);
    for (takt::Target target = 0; target < 4; ++target)
        EXPECT_EQ(jobs.load(target), 2u);
    EXPECT_EQ(runtime.refused(SendResult::full), 7u);
    runtime.run_until_idle();
    EXPECT_EQ(handled, 8);
    EXPECT_EQ(jobs.total_load(), 0u);
    const takt::Ticket<int> ticket = jobs.submit(kAsk, 1);
    EXPECT_EQ(jobs.dispatch_all(kNumber, 1), 4u);
    runtime.run_until_idle();
    EXPECT_EQ(ticket.status(), TicketStatus::answered);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Overload, dispatches_from_all_workers_never_load_an_actor_beyond_its_limit) {
    Runtime runtime(config());
    std::atomic<std::uint64_t> most{0};
    std::atomic<std::uint64_t> admitted{0};
    takt::Dispatcher jobs(runtime, {.actors = 3, .limit = {.max = 5}},
                          [](Actor& actor) { actor.bind(kNumber, [](int) {}); });
    std::vector<ActorRef> senders;
    for (int worker = 0; worker < GetParam(); ++worker)
        senders.push_back(runtime.spawn_actor({.worker = worker}, [&](Actor& self) {
            self.bind_parallel(kGo, [&] {
                for (int job = 0; job < 100; ++job)
                    admitted += jobs.dispatch(kNumber, job) == SendResult::ok;
            });
            self.bind(kGo, [&] { most = std::max(most.load(), jobs.total_load()); });
        }));
    for (int round = 1; round <= 20; ++round) {
        for (const ActorRef sender : senders)
            sender.send(kGo);
        runtime.step();
    }
    EXPECT_EQ(runtime.mail().handled, admitted + senders.size() * 20);
    EXPECT_EQ(admitted, 15u * 20);
    EXPECT_EQ(admitted + runtime.refused(SendResult::full), senders.size() * 20 * 100);
    EXPECT_LE(most, 15u);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Overload, what_a_dispatchers_actors_drop_falls_off_their_load) {
    for (const Overflow overflow :
         {Overflow::drop_newest, Overflow::drop_oldest, Overflow::keep_latest}) {
        Runtime runtime(config());
        Letters letters(runtime);
        std::map<std::uint64_t, Numbers> handled;
        takt::Dispatcher jobs(
            runtime, {.actors = 2, .limit = {.max = 3, .overflow = overflow}}, [&](Actor& actor) {
                actor.bind(kNumber,
                           [&](int number) { handled[takt::this_actor().id()].push_back(number); });
                actor.bind(kAsk, [](int number) { return number; });
            });
        for (int job = 0; job < 20; ++job)
            EXPECT_EQ(jobs.dispatch(kNumber, job), SendResult::ok);
        const takt::Ticket<int> ticket = jobs.submit(kAsk, 1);
        EXPECT_EQ(ticket.status(),
                  overflow == Overflow::drop_newest ? TicketStatus::full : TicketStatus::pending);
        runtime.run_until_idle();
        std::size_t sum = ticket.status() == TicketStatus::answered ? 1 : 0;
        for (const auto& [id, numbers] : handled)
            sum += numbers.size();
        EXPECT_EQ(sum, overflow == Overflow::keep_latest ? 2u : 6u);
        const std::size_t sent = overflow == Overflow::drop_newest ? 20 : 21;
        EXPECT_EQ(runtime.expired(Expiry::overflow), sent - sum);
        EXPECT_EQ(letters.of(Expiry::overflow), sent - sum);
        EXPECT_EQ(jobs.total_load(), 0u);
        expect_law(runtime);
    }
}

TEST(OverloadInRounds, what_a_dispatcher_refuses_does_not_depend_on_the_number_of_workers) {
    const auto run = [](int workers) {
        Runtime runtime(
            {.workers = {.count = workers}, .frame = {.delivery = takt::Delivery::next_round}});
        std::map<int, Numbers> refused;
        takt::Dispatcher jobs(runtime, {.actors = 3, .limit = {.max = 4}},
                              [](Actor& actor) { actor.bind(kNumber, [](int) {}); });
        for (int sender = 0; sender < 4; ++sender)
            runtime.spawn_actor({}, [&, sender](Actor& self) {
                Numbers& mine = refused[sender];
                self.bind_parallel(kNumber, [&](int step) {
                    for (int job = 0; job < 15; ++job)
                        if (jobs.dispatch(kNumber, job) == SendResult::full)
                            mine.push_back(step * 100 + job);
                    if (step < 5)
                        takt::this_actor().ref().send(kNumber, step + 1);
                });
                self.ref().send(kNumber, 0);
            });
        runtime.run_until_idle();
        EXPECT_EQ(jobs.total_load(), 0u);
        expect_law(runtime);
        return refused;
    };
    const std::map<int, Numbers> alone = run(1);
    EXPECT_EQ(alone.at(0).size() > 10, true);
    EXPECT_EQ(run(2), alone);
    EXPECT_EQ(run(4), alone);
}

// --- batches --------------------------------------------------------------------------------------

TEST_P(Overload, dispatches_of_one_round_reach_an_actor_as_one_batch) {
    Runtime runtime(config());
    std::vector<ActorRef> order; // who handled, on worker 0
    takt::Dispatcher<takt::RoundRobin> jobs(runtime, {.actors = 1}, [&](Actor& actor) {
        actor.bind_parallel(kNumber, [&](int) { order.push_back(takt::this_actor().ref()); });
    });
    constexpr int kCount = 1000;
    const ActorRef sender = runtime.spawn_actor({.worker = GetParam() - 1}, [&](Actor& self) {
        self.bind(kGo, [&] {
            for (int job = 0; job < kCount; ++job)
                jobs.dispatch(kNumber, job);
        });
    });
    sender.send(kGo);
    const takt::FrameReport report = runtime.step();
    EXPECT_EQ(report.rounds, 2u); // that of the sender, and one for all of them
    EXPECT_EQ(order, std::vector<ActorRef>(kCount, jobs.actor(0)));
    expect_law(runtime);
}

INSTANTIATE_TEST_SUITE_P(Workers, Overload, testing::Values(1, 2, 4));

} // namespace
