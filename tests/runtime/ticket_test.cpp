// SPDX-License-Identifier: MIT
// Requests and tickets: answers, exceptions, cancelling, deadlines, and every way to get none.
#include "runtime/expect_law.hpp"
#include "takt/takt.hpp"
#include "takt/testing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::CancelResult;
using takt::Task;
using takt::Ticket;
using takt::TicketError;
using takt::TicketStatus;
using takt::testing_support::expect_law;

constexpr takt::Request<int(int)> kTwice{"Twice"};
constexpr takt::Request<void(int)> kTell{"Tell"};
constexpr takt::Request<std::unique_ptr<int>(std::unique_ptr<int>)> kPass{"Pass"};
constexpr takt::Topic<int> kGo{"Go"};

struct Setting {
    int workers;
    takt::Delivery delivery;
};

std::string name_of(const testing::TestParamInfo<Setting>& info) {
    return std::to_string(info.param.workers) +
           (info.param.delivery == takt::Delivery::next_round ? "_next_round" : "_immediate");
}

takt::Config config_of(const Setting& setting) {
    return {.workers = {.count = setting.workers},
            .frame = {.delivery = setting.delivery},
            .clock = {.kind = takt::ClockKind::virtual_time}};
}

/// Another's, so that a runtime on it leaves the CPUs of this one to the fixture's.
takt::Machine other_machine() {
    return takt::discover_machine({.synthetic = "core:1 pu:1"});
}

class Tickets : public testing::TestWithParam<Setting> {
  protected:
    std::unique_ptr<takt::Runtime> owner = std::make_unique<takt::Runtime>(config_of(GetParam()));
    takt::Runtime& runtime = *owner;

    void SetUp() override {
        runtime.on_failure([this](const takt::Failure&) { ++failures; });
    }
    /// Who asks, for co_await: runs `body` once, in that phase.
    template <class Body>
    takt::ActorRef ask(takt::Phase phase, Body body) {
        const takt::ActorRef asker = runtime.spawn_actor({.name = "asker"}, [&](Actor& actor) {
            if (phase == takt::Phase::serial)
                actor.bind(kGo, [body](int) -> Task<> { return body(); });
            else
                actor.bind_parallel(kGo, [body](int) -> Task<> { return body(); });
        });
        asker.send(kGo, 0);
        return asker;
    }
    takt::Dispatcher<> twice(std::uint32_t actors = 4) {
        return takt::Dispatcher(runtime, {.actors = actors}, [](Actor& actor) {
            actor.bind_parallel(kTwice, [](int number) { return 2 * number; });
        });
    }
    /// Handlers that do not answer before `release` is true.
    takt::Dispatcher<> patient(const std::atomic<bool>& release, std::atomic<int>& begun) {
        return takt::Dispatcher(runtime, {.actors = 2}, [&release, &begun](Actor& actor) {
            actor.bind_parallel(kTwice, [&release, &begun](int number) -> Task<int> {
                ++begun;
                while (!release)
                    co_await takt::next_frame();
                co_return 2 * number;
            });
        });
    }
    void frames(int count) {
        for (int frame = 0; frame < count; ++frame)
            runtime.step();
    }
    /// The ticket's end, as TicketError names it.
    template <class R>
    static TicketStatus why(Ticket<R>& ticket) {
        try {
            ticket.get();
        } catch (const TicketError& error) {
            return error.status();
        }
        return TicketStatus::answered;
    }

    int failures = 0;
};

// --- answers -------------------------------------------------------------------------------------

TEST_P(Tickets, a_request_is_answered_by_a_parallel_a_serial_and_a_coroutine_handler) {
    takt::Dispatcher jobs(runtime, {.actors = 1}, [](Actor& actor) {
        actor.bind_parallel(kTwice, [](takt::Parallel, int number) { return 2 * number; });
        actor.bind(kTell, [](takt::Serial, int) {});
        actor.bind_parallel(kPass, [](std::unique_ptr<int> given) -> Task<std::unique_ptr<int>> {
            co_await takt::synchronize();
            ++*given;
            co_return given;
        });
    });
    Ticket<int> doubled = jobs.submit(kTwice, 21);
    Ticket<> told = jobs.submit(kTell, 1);
    Ticket<std::unique_ptr<int>> passed = jobs.submit(kPass, std::make_unique<int>(6));
    EXPECT_EQ(doubled.status(), TicketStatus::pending);
    EXPECT_FALSE(told.ready());
    EXPECT_EQ(jobs.total_load(), 3u);
    runtime.run_until_idle();
    EXPECT_EQ(doubled.get(), 42);
    EXPECT_EQ(told.status(), TicketStatus::answered);
    told.get();
    EXPECT_EQ(*passed.get(), 7);
    EXPECT_EQ(jobs.total_load(), 0u);
    EXPECT_EQ(runtime.mail().handled, 3u);
    expect_law(runtime);
}

TEST_P(Tickets, a_single_actor_is_asked_by_its_reference_and_answers_by_its_behaviour) {
    struct Counter {
        int sum = 0;
        int add(int number) { return sum += number; }
    };
    takt::Behaviour<Counter> behaviour;
    behaviour.bind_parallel(kTwice, &Counter::add);
    const takt::ActorRef counter = behaviour.spawn({});
    Ticket<int> one = counter.submit(kTwice, 3);
    Ticket<int> two = counter.submit(kTwice, 4);
    EXPECT_EQ(counter.load(), 0u); // which dispatchers write
    runtime.run_until_idle();
    EXPECT_EQ(one.get(), 3);
    EXPECT_EQ(two.get(), 7);
    Ticket<int> nobodys = takt::ActorRef().submit(kTwice, 1);
    EXPECT_EQ(why(nobodys), TicketStatus::dead);
    expect_law(runtime);
}

TEST_P(Tickets, an_awaited_answer_comes_in_the_phase_of_who_waits_on_its_own_worker) {
    takt::Dispatcher<> jobs = twice();
    int checked = 0;
    for (const takt::Phase phase : {takt::Phase::serial, takt::Phase::parallel})
        for (int asker = 0; asker < 8; ++asker)
            ask(phase, [&jobs, &checked, phase, asker]() -> Task<> {
                const std::uint64_t self = takt::this_actor().id();
                Ticket<int> ticket = jobs.submit(kTwice, asker);
                const int answer = co_await ticket;
                EXPECT_EQ(answer, 2 * asker);
                EXPECT_EQ(takt::current_phase(), phase);
                EXPECT_EQ(takt::this_actor().id(), self);
                co_await takt::synchronize();
                ++checked;
            });
    runtime.run_until_idle();
    EXPECT_EQ(checked, 16);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Tickets, an_answer_that_is_there_already_does_not_suspend) {
    takt::Dispatcher<> jobs = twice();
    Ticket<int> ticket = jobs.submit(kTwice, 4);
    runtime.run_until_idle();
    int got = 0;
    runtime.start([](Ticket<int>& ready, int& to) -> Task<> { to = co_await ready; }(ticket, got));
    EXPECT_EQ(got, 8); // at once: the task is of nobody, between frames
    expect_law(runtime);
}

TEST_P(Tickets, a_chain_of_requests_goes_there_and_back) {
    constexpr int kDepth = 6;
    std::vector<std::unique_ptr<takt::Dispatcher<>>> chain;
    for (int link = 0; link < kDepth; ++link) {
        takt::Dispatcher<>* const next = chain.empty() ? nullptr : chain.back().get();
        chain.push_back(std::make_unique<takt::Dispatcher<>>(
            takt::Dispatcher(runtime, {.actors = 3}, [next](Actor& actor) {
                actor.bind_parallel(kTwice, [next](int number) -> Task<int> {
                    if (next == nullptr)
                        co_return number;
                    Ticket<int> ticket = next->submit(kTwice, number + 1);
                    const int answer = co_await ticket;
                    co_return answer;
                });
            })));
    }
    std::vector<Ticket<int>> tickets;
    tickets.reserve(50);
    for (int number = 0; number < 50; ++number)
        tickets.push_back(chain.back()->submit(kTwice, number));
    runtime.run_until_idle();
    for (int number = 0; number < 50; ++number)
        EXPECT_EQ(tickets[static_cast<std::size_t>(number)].get(), number + kDepth - 1);
    for (const auto& link : chain)
        EXPECT_EQ(link->total_load(), 0u);
    EXPECT_EQ(runtime.mail().handled, 50u * kDepth);
    expect_law(runtime);
    while (!chain.empty()) // who asks before who is asked
        chain.pop_back();
}

TEST_P(Tickets, an_answer_is_taken_once) {
    takt::Dispatcher<> jobs = twice();
    Ticket<int> ticket = jobs.submit(kTwice, 1);
    runtime.run_until_idle();
    EXPECT_EQ(ticket.get(), 2);
    EXPECT_EQ(why(ticket), TicketStatus::taken);
    Ticket<int> none;
    EXPECT_EQ(why(none), TicketStatus::taken);
    EXPECT_EQ(none.cancel(), CancelResult::nothing);
    expect_law(runtime);
}

TEST_P(Tickets, one_task_at_a_time_awaits_a_ticket) {
    const std::atomic<bool> release{false};
    std::atomic<int> begun{0};
    takt::Dispatcher<> jobs = patient(release, begun);
    Ticket<int> ticket = jobs.submit(kTwice, 1);
    bool refused = false;
    ask(takt::Phase::serial, [&ticket]() -> Task<> { (void)co_await ticket; });
    runtime.run_until_idle();
    ask(takt::Phase::serial, [&]() -> Task<> {
        try {
            (void)co_await ticket;
        } catch (const takt::Error&) {
            refused = true;
        }
    });
    runtime.run_until_idle();
    EXPECT_TRUE(refused);
    EXPECT_THROW(ticket.on_ready([](Ticket<int>) {}), takt::Error);
    ticket.cancel();
    runtime.run_until_idle();
    expect_law(runtime, 1); // the handler, which does not look
}

TEST_P(Tickets, a_dropped_ticket_detaches_and_the_request_goes_on) {
    std::atomic<int> handled{0};
    std::atomic<int> saw_cancel{0};
    takt::Dispatcher jobs(runtime, {.actors = 2}, [&](Actor& actor) {
        actor.bind_parallel(kTwice, [&](int number) {
            saw_cancel += takt::cancelled();
            ++handled;
            return number;
        });
    });
    for (int number = 0; number < 100; ++number)
        jobs.submit(kTwice, number);
    runtime.run_until_idle();
    EXPECT_EQ(handled, 100);
    EXPECT_EQ(saw_cancel, 0);
    EXPECT_EQ(jobs.total_load(), 0u);
    EXPECT_EQ(runtime.mail().handled, 100u);
    expect_law(runtime);
}

TEST_P(Tickets, what_a_handler_throws_reaches_who_awaits_and_fails_the_message) {
    takt::Dispatcher jobs(runtime, {.actors = 2}, [](Actor& actor) {
        actor.bind_parallel(kTwice, [](int number) -> int {
            throw std::out_of_range("plain " + std::to_string(number));
        });
        actor.bind(kTell, [](int number) -> Task<> {
            co_await takt::desynchronize();
            throw std::out_of_range("task " + std::to_string(number));
        });
    });
    Ticket<int> plain = jobs.submit(kTwice, 1);
    Ticket<> task = jobs.submit(kTell, 2);
    Ticket<int> awaited = jobs.submit(kTwice, 3);
    std::string text;
    ask(takt::Phase::parallel, [&]() -> Task<> {
        try {
            (void)co_await awaited;
        } catch (const std::out_of_range& error) {
            text = error.what();
        }
    });
    runtime.run_until_idle();
    EXPECT_EQ(plain.status(), TicketStatus::threw);
    EXPECT_THROW(plain.get(), std::out_of_range);
    EXPECT_THROW(plain.get(), std::out_of_range); // as often as one asks
    EXPECT_THROW(task.get(), std::out_of_range);
    EXPECT_EQ(text, "plain 3");
    EXPECT_EQ(failures, 3);
    EXPECT_EQ(runtime.mail().failed, 3u);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Tickets, Worker_throws_on_every_10th_request_and_Tasks_returns_to_0) {
    takt::Dispatcher jobs(runtime, {.actors = 8}, [](Actor& actor) {
        actor.bind_parallel(kTwice, [](int number) {
            if (number % 10 == 0)
                throw std::runtime_error("tenth");
            return number;
        });
    });
    std::vector<Ticket<int>> tickets;
    tickets.reserve(1000);
    for (int number = 0; number < 1000; ++number)
        tickets.push_back(jobs.submit(kTwice, number));
    EXPECT_EQ(jobs.total_load(), 1000u);
    runtime.run_until_idle();
    EXPECT_EQ(jobs.total_load(), 0u);
    int threw = 0;
    for (const Ticket<int>& ticket : tickets)
        threw += ticket.status() == TicketStatus::threw;
    EXPECT_EQ(threw, 100);
    EXPECT_EQ(runtime.mail().failed, 100u);
    EXPECT_EQ(runtime.mail().handled, 900u);
    expect_law(runtime);
}

// --- several ---------------------------------------------------------------------------------------

TEST_P(Tickets, when_all_gives_all_answers_in_the_order_of_the_tickets) {
    takt::Dispatcher jobs(runtime, {.actors = 4}, [](Actor& actor) {
        actor.bind_parallel(kTwice, [](int number) -> Task<int> {
            for (int frame = 0; frame < number % 4; ++frame) // later ones answer before
                co_await takt::next_frame();
            co_return 2 * number;
        });
        actor.bind(kTell, [](int) {});
    });
    std::tuple<int, std::monostate, int> several;
    std::vector<int> many;
    int all_void = 0;
    ask(takt::Phase::parallel, [&]() -> Task<> {
        Ticket<int> one = jobs.submit(kTwice, 3);
        Ticket<> two = jobs.submit(kTell, 0);
        Ticket<int> three = jobs.submit(kTwice, 1);
        several = co_await takt::when_all(one, two, three);
        EXPECT_EQ(takt::current_phase(), takt::Phase::parallel);
        std::vector<Ticket<int>> tickets;
        for (int number = 20; number > 0; --number)
            tickets.push_back(jobs.submit(kTwice, number));
        many = co_await takt::when_all(tickets);
        Ticket<> four = jobs.submit(kTell, 0);
        Ticket<> five = jobs.submit(kTell, 0);
        co_await takt::when_all(four, five);
        std::vector<Ticket<>> none;
        co_await takt::when_all(none);
        ++all_void;
    });
    frames(20);
    EXPECT_EQ(several, std::make_tuple(6, std::monostate(), 2));
    ASSERT_EQ(many.size(), 20u);
    for (int at = 0; at < 20; ++at)
        EXPECT_EQ(many[static_cast<std::size_t>(at)], 2 * (20 - at));
    EXPECT_EQ(all_void, 1);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Tickets, when_all_throws_what_failed_first_in_their_order_after_all_have_ended) {
    std::atomic<int> ended{0};
    takt::Dispatcher jobs(runtime, {.actors = 4}, [&](Actor& actor) {
        actor.bind_parallel(kTwice, [&](int number) -> Task<int> {
            for (int frame = 0; frame < number; ++frame)
                co_await takt::next_frame();
            ++ended;
            if (number % 2 == 1)
                throw std::runtime_error(std::to_string(number));
            co_return number;
        });
    });
    std::string text;
    int ended_then = 0;
    ask(takt::Phase::serial, [&]() -> Task<> {
        std::vector<Ticket<int>> tickets;
        for (const int number : {4, 3, 1, 2})
            tickets.push_back(jobs.submit(kTwice, number));
        try {
            (void)co_await takt::when_all(tickets);
        } catch (const std::runtime_error& error) {
            text = error.what();
            ended_then = ended;
        }
    });
    frames(8);
    EXPECT_EQ(text, "3");
    EXPECT_EQ(ended_then, 4);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Tickets, a_task_that_loses_a_race_does_not_wait_for_its_ticket_any_more) {
    std::atomic<bool> release{false};
    std::atomic<int> begun{0};
    takt::Dispatcher<> jobs = patient(release, begun);
    takt::Dispatcher<> quick = twice();
    Ticket<int> slow = jobs.submit(kTwice, 1);
    int won = 0;
    for (const takt::Phase phase : {takt::Phase::parallel, takt::Phase::serial})
        ask(phase, [&]() -> Task<> {
            const auto await = [](Ticket<int>& one) -> Task<int> {
                const int answer = co_await one;
                co_return answer;
            };
            Ticket<int> fast = quick.submit(kTwice, 5);
            Ticket<int> other = jobs.submit(kTwice, 7);
            const auto first = co_await takt::when_any(await(fast), await(other));
            EXPECT_EQ(first.index(), 0u);
            EXPECT_EQ(std::get<0>(first), 10);
            co_await takt::synchronize();
            ++won;
        });
    runtime.run_until_idle();
    EXPECT_EQ(won, 2);
    release = true;
    frames(3);
    EXPECT_EQ(slow.get(), 2);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Tickets, a_task_gets_the_answer_that_it_waits_for_whatever_becomes_of_the_ticket) {
    takt::Dispatcher jobs(runtime, {.actors = 2}, [](Actor& actor) {
        actor.bind_parallel(kTwice, [](int number) -> Task<int> {
            for (int frame = 0; frame < number; ++frame)
                co_await takt::next_frame();
            co_return 2 * number;
        });
    });
    auto erased = std::make_unique<Ticket<int>>(jobs.submit(kTwice, 3));
    Ticket<int> reassigned = jobs.submit(kTwice, 4);
    Ticket<int> moved = jobs.submit(kTwice, 5);
    std::vector<int> answers;
    for (Ticket<int>* const ticket : {erased.get(), &reassigned, &moved})
        runtime.start([](Ticket<int>& awaited, std::vector<int>& to) -> Task<> {
            const int answer = co_await awaited;
            to.push_back(answer);
        }(*ticket, answers));
    runtime.step();
    erased.reset();
    reassigned = jobs.submit(kTwice, 1);
    const Ticket<int> elsewhere = std::move(moved);
    frames(10);
    EXPECT_EQ(answers, (std::vector<int>{6, 8, 10}));
    EXPECT_EQ(reassigned.get(), 2);
    EXPECT_EQ(elsewhere.status(), TicketStatus::answered);
    EXPECT_EQ(failures, 0);
    expect_law(runtime);
}

// --- on_ready --------------------------------------------------------------------------------------

TEST_P(Tickets, on_ready_is_called_in_the_serial_phase_with_the_answer_or_the_failure) {
    takt::Dispatcher jobs(runtime, {.actors = 2}, [](Actor& actor) {
        actor.bind_parallel(kTwice, [](int number) {
            if (number == 13)
                throw std::runtime_error("thirteen");
            return 2 * number;
        });
    });
    int sum = 0;
    int failed = 0;
    int refused = 0;
    const auto note = [&](Ticket<int> ticket) {
        EXPECT_EQ(takt::current_phase(), takt::Phase::serial);
        try {
            sum += ticket.get();
        } catch (const std::runtime_error&) {
            ++failed;
        }
    };
    std::vector<Ticket<int>> kept;
    for (const int number : {1, 2, 13}) {
        kept.push_back(jobs.submit(kTwice, number));
        kept.back().on_ready(note);
    }
    Ticket<int> late = jobs.submit(kTwice, 10);
    runtime.run_until_idle();
    EXPECT_EQ(sum, 6);
    EXPECT_EQ(failed, 1);
    late.on_ready(note); // it has its answer already
    EXPECT_EQ(sum, 6);
    runtime.run_until_idle();
    EXPECT_EQ(sum, 26);
    ask(takt::Phase::parallel, [&]() -> Task<> {
        jobs.submit(kTwice, 100).on_ready(note); // and is dropped
        co_return;
    });
    runtime.run_until_idle();
    EXPECT_EQ(sum, 226);
    takt::Dispatcher none(runtime, {.actors = 0}, [](Actor&) {});
    none.submit(kTwice, 1).on_ready([&](Ticket<int> ticket) {
        EXPECT_EQ(ticket.status(), TicketStatus::dead);
        ++refused;
    });
    runtime.run_until_idle();
    EXPECT_EQ(refused, 1);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Tickets, on_ready_of_an_actor_goes_with_it) {
    std::atomic<bool> release{false};
    std::atomic<int> begun{0};
    takt::Dispatcher<> jobs = patient(release, begun);
    const auto alive = std::make_shared<int>(1);
    int called = 0;
    const takt::ActorRef asker = ask(takt::Phase::serial, [&, alive]() -> Task<> {
        jobs.submit(kTwice, 1).on_ready([alive, &called](Ticket<int>) { ++called; });
        co_return;
    });
    runtime.run_until_idle();
    asker.destroy();
    release = true;
    frames(3);
    EXPECT_EQ(called, 0);
    EXPECT_EQ(alive.use_count(), 1);
    expect_law(runtime);
}

TEST_P(Tickets, on_ready_of_nobody_is_called_however_its_runtime_ends) {
    /// Cancels a ticket outside when the way in is closed.
    struct Canceller {
        Ticket<int>* ticket;
        ~Canceller() {
            std::thread([this] { EXPECT_EQ(ticket->cancel(), CancelResult::done); }).join();
        }
    };
    const std::atomic<bool> release{false};
    std::atomic<int> begun{0};
    takt::Behaviour<std::unique_ptr<Canceller>> cancelling;
    Ticket<int> meanwhile;
    cancelling.spawn({}, std::unique_ptr<Canceller>(new Canceller{&meanwhile}));
    takt::Dispatcher<> jobs = patient(release, begun);
    meanwhile = jobs.submit(kTwice, 1);
    Ticket<int> before = jobs.submit(kTwice, 2);
    Ticket<int> by_shutdown = jobs.submit(kTwice, 3);
    std::vector<TicketStatus> told;
    const auto note = [&told](Ticket<int> ended) { told.push_back(ended.status()); };
    for (Ticket<int>* const ticket : {&before, &meanwhile, &by_shutdown})
        ticket->on_ready(note);
    runtime.run_until_idle();
    EXPECT_EQ(begun, 3);
    std::thread([&] { EXPECT_EQ(before.cancel(), CancelResult::done); }).join();
    runtime.shutdown(1s);
    EXPECT_EQ(told.size(), 3u);
    EXPECT_EQ(std::count(told.begin(), told.end(), TicketStatus::cancelled), 2);
    EXPECT_EQ(std::count(told.begin(), told.end(), TicketStatus::shut_down), 1);
    const auto alive = std::make_shared<int>(1);
    before.on_ready([&, alive](const Ticket<int>&) { told.clear(); });
    EXPECT_TRUE(told.empty());
    EXPECT_EQ(alive.use_count(), 1);
    expect_law(runtime);
}

TEST_P(Tickets, what_on_ready_throws_is_a_failure_of_nobody_else) {
    takt::Dispatcher<> jobs = twice();
    jobs.submit(kTwice, 1).on_ready([](Ticket<int>) { throw std::runtime_error("mine"); });
    runtime.run_until_idle();
    EXPECT_EQ(failures, 1);
    EXPECT_EQ(runtime.mail().handled, 1u);
    expect_law(runtime);
}

TEST_P(Tickets, on_ready_after_a_wait_that_was_given_up_is_called_once) {
    const std::atomic<bool> release{false};
    std::atomic<int> begun{0};
    takt::Dispatcher<> jobs = patient(release, begun);
    Ticket<int> ticket = jobs.submit(kTwice, 1);
    runtime.serial();
    const takt::TaskRef waiter = takt::spawn([&]() -> Task<> { (void)co_await ticket; });
    runtime.run_until_idle();
    std::thread([&] { EXPECT_EQ(ticket.cancel(), CancelResult::done); }).join();
    EXPECT_EQ(takt::cancel(waiter), CancelResult::done); // who was to be told, and is not any more
    int called = 0;
    ticket.on_ready([&](Ticket<int> ended) {
        EXPECT_EQ(ended.status(), TicketStatus::cancelled);
        ++called;
    });
    runtime.run_until_idle();
    EXPECT_EQ(called, 1);
    EXPECT_EQ(failures, 0);
    expect_law(runtime, 1);
}

TEST_P(Tickets, on_ready_in_the_phase_that_ends_the_ticket_is_called_once) {
    const std::atomic<bool> release{false};
    std::atomic<int> begun{0};
    takt::Dispatcher<> jobs = patient(release, begun);
    Ticket<int> ticket;
    takt::TaskRef waiter;
    int called = 0;
    const takt::ActorRef asker = runtime.spawn_actor({}, [&](Actor& actor) {
        actor.bind(kGo, [&](int) {
            ticket = jobs.submit(kTwice, 1);
            waiter = takt::spawn([&]() -> Task<> { (void)co_await ticket; });
        });
        actor.bind_parallel(kTell, [&](int) {
            ticket.cancel();
            takt::cancel(waiter);
            ticket.on_ready([&](Ticket<int>) { ++called; });
        });
    });
    asker.send(kGo, 0);
    runtime.run_until_idle();
    Ticket<> told = asker.submit(kTell, 0);
    runtime.run_until_idle();
    EXPECT_EQ(called, 1);
    EXPECT_EQ(failures, 0);
    expect_law(runtime, 1);
}

// --- cancel and deadline -----------------------------------------------------------------------------

TEST_P(Tickets, a_request_that_is_cancelled_before_it_begins_is_not_handled) {
    std::atomic<int> handled{0};
    std::vector<takt::DeadLetter> letters;
    runtime.on_dead_letter([&](const takt::DeadLetter& letter) { letters.push_back(letter); });
    takt::Dispatcher jobs(runtime, {.actors = 2}, [&](Actor& actor) {
        actor.bind_parallel(kTwice, [&](int) { return ++handled; });
        actor.bind(kTell, [&](int) { ++handled; });
    });
    Ticket<int> parallel = jobs.submit(kTwice, 1);
    Ticket<> serial = jobs.submit(kTell, 1);
    EXPECT_EQ(parallel.cancel(), CancelResult::done);
    EXPECT_EQ(parallel.cancel(), CancelResult::nothing);
    EXPECT_EQ(serial.cancel(), CancelResult::done);
    EXPECT_EQ(why(parallel), TicketStatus::cancelled);
    EXPECT_EQ(jobs.total_load(), 2u); // until the mail is opened
    runtime.run_until_idle();
    EXPECT_EQ(handled, 0);
    EXPECT_EQ(jobs.total_load(), 0u);
    EXPECT_EQ(runtime.mail().expired, 2u);
    ASSERT_EQ(letters.size(), 2u);
    EXPECT_EQ(letters[0].reason, takt::DeadLetter::Reason::cancelled);
    EXPECT_EQ(letters[0].topic, "Twice");
    expect_law(runtime);
}

TEST_P(Tickets, a_serial_request_that_is_dropped_in_its_round_is_a_dead_letter_too) {
    using Reason = takt::DeadLetter::Reason;
    std::vector<Reason> letters;
    runtime.on_dead_letter(
        [&](const takt::DeadLetter& letter) { letters.push_back(letter.reason); });
    std::vector<takt::ActorRef> actors;
    for (int number = 0; number < 3; ++number)
        actors.push_back(
            runtime.spawn_actor({.on_failure = takt::FailurePolicy::stop}, [](Actor& actor) {
                actor.bind(kGo, [&actor](int what) {
                    if (what == 1)
                        throw std::runtime_error("stop");
                    if (what == 2)
                        actor.destroy();
                });
                actor.bind(kTwice, [](int asked) { return asked; });
            }));
    std::vector<Ticket<int>> tickets;
    for (int number = 0; number < 3; ++number) {
        const takt::ActorRef actor = actors[static_cast<std::size_t>(number)];
        actor.send(kGo, number);
        tickets.push_back(actor.submit(kTwice, number));
    }
    runtime.start([](Ticket<int>& ticket) -> Task<> { // in the serial phase, before all actors
        co_await takt::next_frame();
        ticket.cancel();
    }(tickets[0]));
    frames(2);
    EXPECT_EQ(tickets[1].status(), TicketStatus::actor_stopped);
    EXPECT_EQ(tickets[2].status(), TicketStatus::actor_gone);
    EXPECT_EQ(tickets[0].status(), TicketStatus::cancelled);
    EXPECT_EQ(letters,
              (std::vector<Reason>{Reason::cancelled, Reason::stopped, Reason::destroyed}));
    EXPECT_EQ(runtime.mail().expired, 3u);
    expect_law(runtime);
}

TEST_P(Tickets,
       a_handler_sees_that_it_is_cancelled_also_in_what_it_awaits_and_on_a_background_thread) {
    std::atomic<int> saw{0};
    std::atomic<int> spawned_saw{0};
    std::atomic<bool> away{false};
    takt::Dispatcher jobs(runtime, {.actors = 1}, [&](Actor& actor) {
        actor.bind(kTwice, [&](int number) -> Task<int> {
            const auto inner = [&]() -> Task<> {
                while (!takt::cancelled())
                    co_await takt::next_frame();
                ++saw;
            };
            EXPECT_FALSE(takt::cancelled());
            co_await inner();
            co_await takt::when_all(inner(), inner());
            takt::spawn([&] { spawned_saw += takt::cancelled(); });
            co_await takt::offload();
            saw += takt::cancelled();
            away = true;
            co_return number;
        });
    });
    Ticket<int> ticket = jobs.submit(kTwice, 1);
    frames(3);
    EXPECT_EQ(saw, 0);
    EXPECT_FALSE(takt::cancelled()); // not here
    EXPECT_EQ(ticket.cancel(), CancelResult::done);
    runtime.run_until_idle();
    frames(2);
    runtime.run_until_idle();
    EXPECT_EQ(saw, 4);
    EXPECT_EQ(spawned_saw, 0);
    EXPECT_TRUE(away);
    EXPECT_EQ(why(ticket), TicketStatus::cancelled); // what it answered nobody gets
    EXPECT_EQ(jobs.total_load(), 0u);
    EXPECT_EQ(runtime.mail().handled, 1u); // it ended well all the same
    expect_law(runtime);
}

TEST_P(Tickets, cancelling_from_a_handler_and_from_outside_wakes_who_awaits) {
    const std::atomic<bool> release{false};
    std::atomic<int> begun{0};
    takt::Dispatcher<> jobs = patient(release, begun);
    Ticket<int> by_handler = jobs.submit(kTwice, 1);
    Ticket<int> by_thread = jobs.submit(kTwice, 1);
    int woken = 0;
    for (Ticket<int>* const ticket : {&by_handler, &by_thread})
        for (const takt::Phase phase : {takt::Phase::parallel}) {
            ask(phase, [&woken, ticket]() -> Task<> {
                try {
                    (void)co_await *ticket;
                } catch (const TicketError& error) {
                    EXPECT_EQ(error.status(), TicketStatus::cancelled);
                    EXPECT_EQ(error.value(), "Twice");
                }
                EXPECT_EQ(takt::current_phase(), takt::Phase::parallel);
                co_await takt::synchronize();
                ++woken;
            });
        }
    runtime.run_until_idle();
    EXPECT_EQ(begun, 2);
    ask(takt::Phase::parallel, [&]() -> Task<> {
        const CancelResult result = by_handler.cancel();
        EXPECT_EQ(result, GetParam().delivery == takt::Delivery::next_round ? CancelResult::pending
                                                                            : CancelResult::done);
        co_return;
    });
    runtime.run_until_idle();
    EXPECT_EQ(woken, 1);
    std::thread([&] { EXPECT_EQ(by_thread.cancel(), CancelResult::done); }).join();
    runtime.run_until_idle();
    EXPECT_EQ(woken, 2);
    EXPECT_EQ(jobs.total_load(), 2u); // handlers that do not look go on
    expect_law(runtime, 2);
}

TEST_P(Tickets, a_deadline_ends_a_request_in_the_first_heartbeat_at_or_after_it) {
    std::atomic<bool> release{false};
    std::atomic<int> begun{0};
    takt::Dispatcher<> jobs = patient(release, begun);
    runtime.step();
    Ticket<int> late = jobs.submit(kTwice, 1).with_deadline(60ms); // frames of 16.7 ms
    Ticket<int> in_time = jobs.submit(kTwice, 2);
    in_time.with_deadline(1h);
    EXPECT_THROW(in_time.with_deadline(2h), takt::Error);
    int awaited = 0;
    ask(takt::Phase::parallel, [&]() -> Task<> {
        Ticket<int> own = jobs.submit(kTwice, 3).with_deadline(60ms);
        const std::int64_t begin_ns = runtime.heartbeat().now().time_ns;
        try {
            (void)co_await own;
        } catch (const TicketError& error) {
            EXPECT_EQ(error.status(), TicketStatus::deadline);
            const std::int64_t passed_ns = runtime.heartbeat().now().time_ns - begin_ns;
            EXPECT_GE(passed_ns, 60'000'000);
            EXPECT_LE(passed_ns, 70'000'000);
            ++awaited;
        }
    });
    frames(3);
    EXPECT_EQ(late.status(), TicketStatus::pending);
    frames(2);
    EXPECT_EQ(why(late), TicketStatus::deadline);
    EXPECT_EQ(awaited, 1);
    release = true;
    frames(3);
    EXPECT_EQ(in_time.get(), 4);
    EXPECT_EQ(why(late), TicketStatus::deadline);
    EXPECT_EQ(jobs.total_load(), 0u);
    EXPECT_EQ(runtime.mail().handled, 4u);
    expect_law(runtime);
}

TEST_P(Tickets, a_handler_sees_that_its_deadline_has_passed) {
    int saw_at_frame = 0;
    takt::Dispatcher jobs(runtime, {.actors = 1}, [&](Actor& actor) {
        actor.bind(kTell, [&](int) -> Task<> {
            for (int frame = 1; !takt::cancelled(); ++frame) {
                saw_at_frame = frame;
                co_await takt::next_frame();
            }
        });
    });
    Ticket<> ticket = jobs.submit(kTell, 0).with_deadline(100ms);
    frames(20);
    EXPECT_GE(saw_at_frame, 5);
    EXPECT_LE(saw_at_frame, 8);
    EXPECT_EQ(why(ticket), TicketStatus::deadline);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Tickets, the_deadlines_of_requests_that_have_ended_are_forgotten) {
    takt::Dispatcher<> jobs = twice();
    const auto before = std::make_unique<Ticket<int>>();
    for (int number = 0; number < 1000; ++number)
        jobs.submit(kTwice, number).with_deadline(1h);
    ask(takt::Phase::parallel, [&]() -> Task<> {
        for (int number = 0; number < 1000; ++number)
            jobs.submit(kTwice, number).with_deadline(1h);
        co_return;
    });
    runtime.run_until_idle();
    runtime.advance(2h);
    const takt::FrameReport report = runtime.step();
    EXPECT_EQ(report.rounds, 0u); // nothing was due
    EXPECT_EQ(runtime.mail().handled, 2001u);
    expect_law(runtime);
}

TEST_P(Tickets, a_deadline_is_its_own_runtimes_whoever_awaits_and_cancels) {
    takt::Runtime other(config_of({1, takt::Delivery::immediate}), other_machine());
    const std::atomic<bool> release{false};
    std::atomic<int> begun{0};
    runtime.serial();
    takt::Dispatcher<> jobs = patient(release, begun);
    std::vector<Ticket<int>> tickets;
    for (int number = 0; number < 4; ++number)
        tickets.push_back(jobs.submit(kTwice, number).with_deadline(100ms));
    runtime.run_until_idle();
    other.serial();
    TicketStatus heard = TicketStatus::pending;
    other.start([](Ticket<int>& ticket, TicketStatus& to) -> Task<> {
        try {
            (void)co_await ticket;
        } catch (const TicketError& error) {
            to = error.status();
        }
    }(tickets[0], heard));
    const takt::ActorRef canceller = other.spawn_actor({}, [&](Actor& actor) {
        actor.bind_parallel(kGo, [&](int) { EXPECT_EQ(tickets[0].cancel(), CancelResult::done); });
    });
    canceller.send(kGo, 0);
    other.run_until_idle();
    EXPECT_EQ(heard, TicketStatus::cancelled);
    tickets.erase(tickets.begin());
    frames(20);
    for (const Ticket<int>& ticket : tickets)
        EXPECT_EQ(ticket.status(), TicketStatus::deadline);
    expect_law(runtime, 4);
}

constexpr takt::Request<std::shared_ptr<int>()> kShare{"Share"};

TEST_P(Tickets, the_deadline_of_a_request_that_is_cancelled_outside_is_forgotten) {
    const auto shared = std::make_shared<int>(1);
    std::atomic<bool> release{false};
    const takt::ActorRef sharer = runtime.spawn_actor({}, [&](Actor& actor) {
        actor.bind_parallel(kShare, [&]() -> Task<std::shared_ptr<int>> {
            while (!release)
                co_await takt::next_frame();
            co_return shared;
        });
    });
    {
        const auto ticket = sharer.submit(kShare).with_deadline(1h);
        runtime.run_until_idle();
        std::thread([&] { EXPECT_EQ(ticket.cancel(), CancelResult::done); }).join();
    }
    release = true;
    frames(3);
    EXPECT_EQ(runtime.mail().handled, 1u);
    EXPECT_EQ(shared.use_count(), 1); // what nobody gets went with the ticket
    expect_law(runtime);
}

TEST_P(Tickets, a_ticket_that_another_is_moved_to_goes_at_once) {
    auto shared = std::make_shared<int>(1);
    const takt::ActorRef sharer = runtime.spawn_actor(
        {}, [&](Actor& actor) { actor.bind_parallel(kShare, [&shared] { return shared; }); });
    Ticket<std::shared_ptr<int>> one = sharer.submit(kShare);
    Ticket<std::shared_ptr<int>> two = sharer.submit(kShare);
    runtime.run_until_idle();
    EXPECT_EQ(shared.use_count(), 3);
    one = std::move(two);
    EXPECT_EQ(shared.use_count(), 2);
    expect_law(runtime);
}

TEST_P(Tickets, a_deadline_after_on_ready_of_a_request_that_was_refused_is_no_error) {
    takt::Runtime second(config_of({1, takt::Delivery::immediate}),
                         other_machine()); // its number is not 0
    second.serial();
    takt::Dispatcher none(second, {.actors = 0}, [](Actor&) {});
    Ticket<int> ticket = none.submit(kTwice, 1);
    int called = 0;
    ticket.on_ready([&](Ticket<int>) { ++called; });
    ticket.with_deadline(1s);
    second.run_until_idle();
    EXPECT_EQ(called, 1);
    EXPECT_EQ(ticket.status(), TicketStatus::dead);
}

// --- every way to get none -----------------------------------------------------------------------------

TEST_P(Tickets, a_request_to_an_empty_dispatcher_is_refused_as_dead_and_counted) {
    takt::Dispatcher none(runtime, {.actors = 0}, [](Actor&) {});
    Ticket<int> ticket = none.submit(kTwice, 1);
    EXPECT_TRUE(ticket.ready());
    EXPECT_EQ(why(ticket), TicketStatus::dead);
    EXPECT_EQ(runtime.refused(takt::SendResult::dead), 1u);
    bool thrown = false;
    ask(takt::Phase::parallel, [&]() -> Task<> {
        try {
            (void)co_await ticket;
        } catch (const TicketError& error) {
            thrown = error.status() == TicketStatus::dead;
        }
    });
    runtime.run_until_idle();
    EXPECT_TRUE(thrown);
    expect_law(runtime);
}

TEST_P(Tickets, requests_of_an_actor_that_is_destroyed_end_as_actor_gone_and_the_load_falls) {
    const std::atomic<bool> release{false};
    std::atomic<int> begun{0};
    takt::Dispatcher<> jobs = patient(release, begun);
    Ticket<int> begun_one = jobs.submit(kTwice, 1); // suspended
    runtime.run_until_idle();
    Ticket<int> in_lane = jobs.submit(kTwice, 1);
    Ticket<void> never_bound = jobs.submit(kTell, 1); // kept
    runtime.run_until_idle();
    Ticket<int> unopened = jobs.submit(kTwice, 1);
    int told = 0;
    ask(takt::Phase::parallel, [&]() -> Task<> {
        try {
            (void)co_await begun_one;
        } catch (const TicketError& error) {
            EXPECT_EQ(error.status(), TicketStatus::actor_gone);
        }
        co_await takt::synchronize();
        ++told;
    });
    for (takt::Target target = 0; target < jobs.size(); ++target)
        jobs.actor(target).destroy();
    Ticket<int> refused = jobs.submit(kTwice, 1);
    EXPECT_EQ(why(refused), TicketStatus::dead);
    runtime.run_until_idle();
    EXPECT_EQ(why(begun_one), TicketStatus::actor_gone);
    EXPECT_EQ(why(in_lane), TicketStatus::actor_gone);
    EXPECT_EQ(why(never_bound), TicketStatus::actor_gone);
    EXPECT_EQ(why(unopened), TicketStatus::actor_gone);
    EXPECT_EQ(told, 1);
    EXPECT_EQ(jobs.total_load(), 0u);
    EXPECT_EQ(runtime.mail().expired, 4u);
    expect_law(runtime);
}

TEST_P(Tickets, a_request_whose_handler_is_on_a_background_thread_ends_with_its_actor) {
    std::atomic<bool> release{false};
    std::atomic<bool> there{false};
    takt::Dispatcher jobs(runtime, {.actors = 1}, [&](Actor& actor) {
        actor.bind_parallel(kTwice, [&](int number) -> Task<int> {
            co_await takt::offload();
            there = true;
            while (!release)
                std::this_thread::yield();
            co_return number + takt::cancelled();
        });
    });
    Ticket<int> ticket = jobs.submit(kTwice, 1);
    runtime.step();
    while (!there)
        std::this_thread::yield();
    jobs.actor(0).destroy();
    runtime.step();
    EXPECT_EQ(why(ticket), TicketStatus::actor_gone); // before it comes home
    EXPECT_EQ(jobs.total_load(), 0u);
    ticket = {};
    release = true;
    runtime.run_until_idle();
    expect_law(runtime);
}

TEST_P(Tickets, an_answer_from_a_background_thread_comes_home_first) {
    takt::Dispatcher jobs(runtime, {.actors = 2}, [](Actor& actor) {
        actor.bind_parallel(kTwice, [](int number) -> Task<int> {
            co_await takt::offload();
            if (number == 0)
                throw std::runtime_error("zero");
            co_return 2 * number;
        });
    });
    std::vector<Ticket<int>> tickets;
    tickets.reserve(20);
    for (int number = 0; number < 20; ++number)
        tickets.push_back(jobs.submit(kTwice, number));
    runtime.run_until_idle();
    EXPECT_THROW(tickets[0].get(), std::runtime_error);
    for (int number = 1; number < 20; ++number)
        EXPECT_EQ(tickets[static_cast<std::size_t>(number)].get(), 2 * number);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Tickets, requests_to_an_actor_that_was_stopped_end_as_actor_stopped) {
    takt::Dispatcher jobs(
        runtime, {.actors = 1, .on_failure = takt::FailurePolicy::stop}, [](Actor& actor) {
            actor.bind_parallel(kTwice, [](int) -> int { throw std::runtime_error("stop"); });
            actor.bind(kTell, [](int) {});
        });
    Ticket<> serial = jobs.submit(kTell, 1); // waits for the serial phase, which comes after
    Ticket<int> thrower = jobs.submit(kTwice, 1);
    Ticket<int> behind = jobs.submit(kTwice, 1);
    runtime.run_until_idle();
    EXPECT_EQ(thrower.status(), TicketStatus::threw);
    EXPECT_EQ(why(behind), TicketStatus::actor_stopped);
    EXPECT_EQ(why(serial), TicketStatus::actor_stopped);
    Ticket<int> refused = jobs.submit(kTwice, 1);
    EXPECT_EQ(why(refused), TicketStatus::dead);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Tickets, a_request_by_another_type_of_its_name_ends_with_the_error_that_names_both) {
    constexpr takt::Request<int(int)> other{"Tell"};
    takt::Dispatcher jobs(runtime, {.actors = 1},
                          [](Actor& actor) { actor.bind_parallel(kTell, [](int) {}); });
    Ticket<int> ticket = jobs.submit(other, 1);
    runtime.run_until_idle();
    EXPECT_EQ(ticket.status(), TicketStatus::threw);
    EXPECT_THROW(ticket.get(), takt::Error);
    EXPECT_EQ(runtime.mail().failed, 1u);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Tickets, a_serial_request_whose_handler_goes_before_it_is_kept_for_the_next_one) {
    takt::Connection bound;
    const takt::ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        bound = self.bind(kTwice, [&](int number) {
            bound.disconnect();
            return 2 * number;
        });
        self.bind(kGo,
                  [&self](int) { self.bind_parallel(kTwice, [](int number) { return -number; }); });
    });
    Ticket<int> first = actor.submit(kTwice, 1);
    Ticket<int> second = actor.submit(kTwice, 2);
    runtime.run_until_idle();
    EXPECT_EQ(first.get(), 2);
    EXPECT_EQ(second.status(), TicketStatus::pending);
    EXPECT_EQ(runtime.mail().handled, 1u);
    EXPECT_EQ(runtime.mail().in_flight, 1u);
    actor.send(kGo, 0);
    runtime.run_until_idle();
    EXPECT_EQ(second.get(), -2);
    EXPECT_EQ(runtime.mail().handled, 3u);
    expect_law(runtime);
}

TEST_P(Tickets, a_serial_request_whose_handler_is_replaced_before_it_gets_the_new_one) {
    takt::Connection bound;
    const takt::ActorRef actor = runtime.spawn_actor({}, [&](Actor& self) {
        bound = self.bind(kTwice, [](int number) { return number; });
        self.bind(kGo, [&](int) {
            bound.disconnect();
            self.bind_parallel(kTwice, [](int number) { return -number; });
        });
    });
    actor.send(kGo, 0);
    Ticket<int> ticket = actor.submit(kTwice, 7);
    runtime.run_until_idle();
    EXPECT_EQ(ticket.get(), -7);
    EXPECT_EQ(runtime.mail().handled, 2u);
    expect_law(runtime);
}

constexpr takt::Topic<int> kTwiceAsTopic{"Twice"};

TEST_P(Tickets, a_request_has_one_handler) {
    runtime.spawn_actor({}, [](Actor& actor) {
        actor.bind_parallel(kTwice, [](int number) { return number; });
        EXPECT_THROW(actor.bind(kTwice, [](int number) { return number; }), takt::Error);
        EXPECT_THROW(actor.bind(kTwiceAsTopic, [](int) {}), takt::Error);
    });
    takt::Behaviour<int> shared;
    shared.bind(kTwice, [](int&, int number) { return number; });
    EXPECT_THROW(shared.bind(kTwice, [](int&, int number) { return number; }), takt::Error);
    shared.spawn({}, 0, [](Actor& actor) {
        EXPECT_THROW(actor.bind(kTwice, [](int number) { return number; }), takt::Error);
    });
    expect_law(runtime);
}

TEST_P(Tickets, requests_end_with_their_runtime) {
    const std::atomic<bool> release{false};
    std::atomic<int> begun{0};
    int told = 0;
    std::optional<takt::Dispatcher<>> jobs(patient(release, begun));
    Ticket<int> begun_one = jobs->submit(kTwice, 1);
    Ticket<int> heard = jobs->submit(kTwice, 1).with_deadline(1h);
    heard.on_ready([&told](Ticket<int> ticket) {
        EXPECT_EQ(ticket.status(), TicketStatus::shut_down);
        ++told;
    });
    runtime.step();
    Ticket<int> unopened = jobs->submit(kTwice, 1);
    runtime.shutdown(1s);
    EXPECT_EQ(told, 1);
    EXPECT_EQ(jobs->total_load(), 0u);
    Ticket<int> after = jobs->submit(kTwice, 1);
    EXPECT_EQ(why(after), TicketStatus::dead);
    expect_law(runtime);
    jobs.reset();
    owner.reset();
    EXPECT_EQ(why(begun_one), TicketStatus::shut_down);
    EXPECT_EQ(why(unopened), TicketStatus::shut_down);
    EXPECT_EQ(unopened.cancel(), CancelResult::nothing);
}

// --- outside -------------------------------------------------------------------------------------------

TEST_P(Tickets, a_thread_outside_waits_for_an_answer) {
    takt::Dispatcher<> jobs = twice();
    Ticket<int> ticket = jobs.submit(kTwice, 21);
    EXPECT_THROW(ticket.wait(), takt::PhaseError); // on the frame thread
    EXPECT_THROW(ticket.get(), takt::PhaseError);
    EXPECT_THROW((void)ticket.wait_for(1s), takt::PhaseError);
    std::atomic<bool> timed_out{false};
    std::atomic<int> answer{0};
    std::thread waiter([&] {
        const auto begin = std::chrono::steady_clock::now();
        timed_out = !ticket.wait_for(20ms);
        EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
        ticket.wait();
        EXPECT_TRUE(ticket.wait_for(0ns));
        answer = ticket.get();
    });
    while (!timed_out)
        std::this_thread::yield();
    runtime.run_until(ticket);
    waiter.join();
    EXPECT_EQ(answer, 42);
    EXPECT_TRUE(ticket.ready());
    expect_law(runtime);
}

TEST_P(Tickets, waiting_in_a_handler_is_a_phase_error_unless_the_answer_is_there) {
    takt::Dispatcher<> jobs = twice();
    Ticket<int> ready = jobs.submit(kTwice, 2);
    runtime.run_until(ready);
    int checked = 0;
    ask(takt::Phase::parallel, [&]() -> Task<> {
        EXPECT_EQ(ready.get(), 4);
        Ticket<int> pending = jobs.submit(kTwice, 1);
        EXPECT_THROW(pending.wait(), takt::PhaseError);
        checked = co_await pending;
    });
    runtime.run_until_idle();
    EXPECT_EQ(checked, 2);
    expect_law(runtime);
}

TEST_P(Tickets, threads_that_ask_by_post_get_their_answers_while_frames_run) {
    takt::Dispatcher<> jobs = twice();
    constexpr int kThreads = 3;
    constexpr int kEach = 50;
    std::atomic<int> done{0};
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&] {
            for (int number = 0; number < kEach; ++number) {
                std::optional<Ticket<int>> ticket;
                std::atomic<bool> asked{false};
                runtime.post([&] {
                    ticket = jobs.submit(kTwice, number);
                    asked = true;
                    asked.notify_one();
                });
                asked.wait(false);
                if (number % 7 == 3) {
                    const CancelResult result = ticket->cancel();
                    EXPECT_NE(result, CancelResult::pending);
                    ticket->wait();
                    EXPECT_TRUE(ticket->status() == TicketStatus::cancelled ||
                                ticket->status() == TicketStatus::answered);
                } else {
                    EXPECT_EQ(ticket->get(), 2 * number);
                }
            }
            ++done;
        });
    runtime.run_until([&] { return done == kThreads; });
    for (std::thread& thread : threads)
        thread.join();
    runtime.run_until_idle();
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Tickets, with_many_askers_every_request_ends_once) {
    takt::Dispatcher jobs(runtime, {.actors = 5}, [](Actor& actor) {
        actor.bind_parallel(kTwice, [](int number) -> Task<int> {
            if (number % 3 == 1)
                co_await takt::synchronize();
            if (number % 3 == 2)
                co_await takt::next_frame();
            if (number % 11 == 0)
                throw std::runtime_error("eleven");
            co_return 2 * number;
        });
    });
    struct Tally {
        int answered = 0;
        int threw = 0;
        int cancelled = 0;
    };
    constexpr int kAskers = 12;
    constexpr int kEach = 60;
    std::vector<Tally> tallies(kAskers);
    for (int asker = 0; asker < kAskers; ++asker)
        ask(asker % 2 == 0 ? takt::Phase::parallel : takt::Phase::serial, [&, asker]() -> Task<> {
            Tally& tally = tallies[static_cast<std::size_t>(asker)];
            for (int number = 0; number < kEach; ++number) {
                Ticket<int> ticket = jobs.submit(kTwice, number);
                if (number % 5 == 4)
                    ticket.cancel();
                try {
                    const int answer = co_await ticket;
                    EXPECT_EQ(answer, 2 * number);
                    ++tally.answered;
                } catch (const TicketError& error) {
                    EXPECT_EQ(error.status(), TicketStatus::cancelled);
                    ++tally.cancelled;
                } catch (const std::runtime_error&) {
                    ++tally.threw;
                }
            }
        });
    frames(200);
    runtime.run_until_idle();
    for (const Tally& tally : tallies)
        EXPECT_EQ(tally.answered + tally.threw + tally.cancelled, kEach);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

INSTANTIATE_TEST_SUITE_P(
    Settings, Tickets,
    testing::Values(Setting{1, takt::Delivery::immediate}, Setting{2, takt::Delivery::immediate},
                    Setting{4, takt::Delivery::immediate}, Setting{1, takt::Delivery::next_round},
                    Setting{2, takt::Delivery::next_round}, Setting{4, takt::Delivery::next_round}),
    name_of);

// --- background threads -------------------------------------------------------------------------------------

TEST(TicketsOffload,
     waiting_in_what_the_frame_thread_runs_for_want_of_background_threads_is_refused) {
    takt::testing::TestRuntime runtime;
    const takt::ActorRef patient = runtime.spawn_actor({}, [](Actor& actor) {
        actor.bind_parallel(kTwice, [](int number) -> Task<int> {
            co_await takt::next_frame();
            co_return 2 * number;
        });
    });
    int refused = 0;
    int answer = 0;
    const takt::ActorRef asker = runtime.spawn_actor({}, [&](Actor& actor) {
        actor.bind_parallel(kGo, [&](int) -> Task<> {
            Ticket<int> ticket = patient.submit(kTwice, 1);
            co_await takt::offload();
            try {
                refused = ticket.wait_for(100ms) ? 2 : 3;
            } catch (const takt::PhaseError&) {
                refused = 1;
            }
            co_await takt::synchronize();
            answer = co_await ticket;
        });
    });
    asker.send(kGo, 0);
    runtime.run_until_idle();
    runtime.step();
    runtime.run_until_idle();
    EXPECT_EQ(refused, 1);
    EXPECT_EQ(answer, 2);
    runtime.expect_all_accounted();
}

TEST(TicketsOffload, run_until_idle_comes_to_what_a_background_thread_waits_for) {
    takt::Runtime runtime({.workers = {.count = 1}});
    const takt::ActorRef patient = runtime.spawn_actor({}, [](Actor& actor) {
        actor.bind_parallel(kTwice, [](int number) -> Task<int> {
            co_await takt::wait(number == 1 ? 20ms : std::chrono::nanoseconds(1h));
            co_return 2 * number;
        });
    });
    int answer = 0;
    TicketStatus too_late = TicketStatus::pending;
    std::atomic<bool> done{false};
    const takt::ActorRef asker = runtime.spawn_actor({}, [&](Actor& actor) {
        actor.bind_parallel(kGo, [&](int) -> Task<> {
            Ticket<int> soon = patient.submit(kTwice, 1);
            Ticket<int> late = patient.submit(kTwice, 2).with_deadline(30ms);
            co_await takt::offload();
            answer = soon.get();
            try {
                late.get();
            } catch (const TicketError& error) {
                too_late = error.status();
            }
            co_await takt::synchronize();
        });
    });
    asker.send(kGo, 0);
    std::thread guard([&] {
        for (int tenth = 0; tenth < 200 && !done; ++tenth)
            std::this_thread::sleep_for(100ms);
        EXPECT_TRUE(done);
        if (!done)
            runtime.stop();
    });
    runtime.run_until_idle();
    done = true;
    guard.join();
    EXPECT_EQ(answer, 2);
    EXPECT_EQ(too_late, TicketStatus::deadline);
    expect_law(runtime, 1);
}

// --- a runtime that rests, or goes -----------------------------------------------------------------------

TEST(TicketsFromOutside, run_until_rises_when_a_ticket_is_cancelled_that_no_task_awaits) {
    takt::Runtime runtime({.workers = {.count = 1}, .frame = {.pacing = takt::Pacing::on_demand}});
    const takt::ActorRef never = runtime.spawn_actor({}, [](Actor& actor) {
        actor.bind_parallel(kTwice, [](int number) -> Task<int> {
            co_await takt::wait(1h);
            co_return number;
        });
    });
    Ticket<int> ticket = never.submit(kTwice, 1);
    std::atomic<bool> returned{false};
    std::thread outside([&] {
        std::this_thread::sleep_for(100ms); // it rests by then, or finds the end before it does
        EXPECT_EQ(ticket.cancel(), CancelResult::done);
        for (int tenth = 0; tenth < 200 && !returned; ++tenth)
            std::this_thread::sleep_for(100ms);
        EXPECT_TRUE(returned);
        runtime.stop();
    });
    runtime.run_until(ticket);
    returned = true;
    outside.join();
    EXPECT_EQ(ticket.status(), TicketStatus::cancelled);
    int called = 0; // run_until() does not wait for it any more
    ticket.on_ready([&](Ticket<int>) { ++called; });
    runtime.step();
    runtime.step();
    EXPECT_EQ(called, 1);
    expect_law(runtime, 1);
}

TEST(TicketsFromOutside, a_ticket_that_run_until_has_waited_for_can_be_awaited) {
    takt::Runtime runtime(config_of({1, takt::Delivery::immediate}));
    std::atomic<bool> release{false};
    const takt::ActorRef patient = runtime.spawn_actor({}, [&](Actor& actor) {
        actor.bind_parallel(kTwice, [&](int number) -> Task<int> {
            while (!release)
                co_await takt::next_frame();
            co_return number;
        });
    });
    Ticket<int> one = patient.submit(kTwice, 1);
    Ticket<int> two = patient.submit(kTwice, 2);
    for (const Ticket<int>* const ticket : {&one, &two}) {
        runtime.start([](takt::Runtime& to_stop) -> Task<> {
            co_await takt::next_frame();
            co_await takt::next_frame();
            to_stop.stop();
        }(runtime));
        runtime.run_until(*ticket);
        EXPECT_FALSE(ticket->ready());
    }
    int answer = 0;
    int called = 0;
    runtime.start(
        [](Ticket<int>& ticket, int& to) -> Task<> { to = co_await ticket; }(one, answer));
    two.on_ready([&](Ticket<int> ready) { called = ready.get(); });
    release = true;
    runtime.run_until(one);
    runtime.run_until_idle();
    EXPECT_EQ(answer, 1);
    EXPECT_EQ(called, 2);
    expect_law(runtime);
}

TEST(TicketsFromOutside, a_runtime_that_goes_waits_for_who_uses_its_gate) {
    constexpr unsigned kNumber = takt::ActorRef::kRuntimesMax - 1; // nobody has it
    takt::Doorbell<takt::StdPolicy> bell;
    takt::Gate<takt::StdPolicy> gate(bell);
    takt::detail::set_gate(kNumber, &gate);
    std::optional<takt::detail::GateUse> use(std::in_place, kNumber);
    EXPECT_EQ(use->gate(), &gate);
    std::atomic<bool> gone{false};
    std::thread owner([&] {
        takt::detail::set_gate(kNumber, nullptr);
        gone = true;
    });
    while (takt::detail::gate_of(kNumber) != nullptr)
        std::this_thread::yield();
    EXPECT_EQ(takt::detail::GateUse(kNumber).gate(), nullptr);
    std::this_thread::sleep_for(20ms);
    EXPECT_FALSE(gone);
    use.reset();
    owner.join();
    EXPECT_TRUE(gone);
}

TEST(TicketsFromOutside, a_ticket_may_be_cancelled_while_the_runtime_of_who_waits_goes) {
    for (int round = 0; round < 50; ++round) {
        auto runtime = std::make_unique<takt::Runtime>(config_of({1, takt::Delivery::immediate}));
        const takt::ActorRef never = runtime->spawn_actor({}, [](Actor& actor) {
            actor.bind_parallel(kTwice, [](int number) -> Task<int> {
                for (;;)
                    co_await takt::next_frame();
                co_return number;
            });
        });
        Ticket<int> ticket = never.submit(kTwice, 1);
        runtime->start([](Ticket<int>& awaited) -> Task<> { (void)co_await awaited; }(ticket));
        runtime->step();
        std::atomic<bool> begins{false};
        std::thread outside([&] {
            begins = true;
            static_cast<void>(ticket.cancel());
        });
        while (!begins)
            std::this_thread::yield();
        runtime.reset();
        outside.join();
        EXPECT_TRUE(ticket.status() == TicketStatus::cancelled ||
                    ticket.status() == TicketStatus::shut_down);
    }
}

// --- bounds: with immediate delivery only -----------------------------------------------------------------

TEST(TicketBounds, a_lane_that_is_full_refuses_a_request) {
    takt::Config config = config_of({1, takt::Delivery::immediate});
    config.mail.worker_bytes = 65'536;
    takt::Runtime narrow(config);
    takt::Dispatcher jobs(narrow, {.actors = 4}, [](Actor& actor) {
        actor.bind_parallel(kTwice, [](int number) { return number; });
    });
    std::vector<Ticket<int>> tickets;
    while (tickets.size() < 100'000 &&
           (tickets.empty() || tickets.back().status() == TicketStatus::pending))
        tickets.push_back(jobs.submit(kTwice, 1));
    EXPECT_EQ(tickets.back().status(), TicketStatus::full);
    EXPECT_THROW(tickets.back().get(), TicketError);
    EXPECT_EQ(jobs.total_load(), tickets.size() - 1);
    EXPECT_EQ(narrow.refused(takt::SendResult::full), 1u);
    narrow.run_until_idle();
    EXPECT_EQ(jobs.total_load(), 0u);
    EXPECT_EQ(narrow.mail().handled, tickets.size() - 1);
    expect_law(narrow);
}

TEST(TicketBounds, kept_requests_that_were_cancelled_make_room_for_others) {
    takt::Config config = config_of({1, takt::Delivery::immediate});
    config.mail.kept_max = 4;
    takt::Runtime narrow(config);
    int letters = 0;
    narrow.on_dead_letter([&](const takt::DeadLetter& letter) {
        letters += letter.reason == takt::DeadLetter::Reason::cancelled;
    });
    takt::Dispatcher jobs(narrow, {.actors = 1}, [](Actor& actor) {
        actor.bind(kTell, [&actor](int) { actor.bind(kGo, [](int) {}); });
    });
    Ticket<int> wanted = jobs.submit(kTwice, 0);
    for (int number = 1; number < 4; ++number) {
        const Ticket<int> ticket = jobs.submit(kTwice, number);
        narrow.run_until_idle();
        EXPECT_EQ(ticket.cancel(), CancelResult::done);
    }
    EXPECT_EQ(jobs.total_load(), 4u);
    Ticket<int> live = jobs.submit(kTwice, 4);
    narrow.run_until_idle();
    EXPECT_EQ(live.status(), TicketStatus::pending); // it is kept
    EXPECT_EQ(wanted.status(), TicketStatus::pending);
    EXPECT_EQ(letters, 3);
    EXPECT_EQ(jobs.total_load(), 2u);
    EXPECT_EQ(live.cancel(), CancelResult::done);
    Ticket<> rebinds = jobs.submit(kTell, 0); // then what is kept is looked at
    narrow.run_until_idle();
    EXPECT_EQ(letters, 4);
    EXPECT_EQ(jobs.total_load(), 1u);
    EXPECT_EQ(narrow.mail().expired, 4u);
    expect_law(narrow, 1);
}

// --- reproducible ----------------------------------------------------------------------------------------

// In which order answers come, to tasks of both phases and to functions, with cancels in between.
std::vector<std::string> order_of_answers(int workers) {
    takt::Runtime runtime({.preset = takt::Preset::deterministic, .workers = {.count = workers}});
    runtime.on_failure([](const takt::Failure&) {});
    std::vector<std::string> log;
    const auto write = [&log](const std::string& line) {
        takt::commit([&log, line] { log.push_back(line); });
    };
    takt::Dispatcher jobs(runtime, {.actors = 7}, [](Actor& actor) {
        actor.bind_parallel(kTwice, [](int number) -> Task<int> {
            for (int frame = 0; frame < number % 3; ++frame)
                co_await takt::desynchronize();
            if (number % 4 == 3)
                co_await takt::synchronize();
            if (number % 9 == 8)
                throw std::runtime_error("nine");
            co_return 2 * number;
        });
    });
    for (int asker = 0; asker < 9; ++asker)
        runtime
            .spawn_actor(
                {},
                [&, asker](Actor& actor) {
                    const auto body = [&, asker](int) -> Task<> {
                        std::vector<Ticket<int>> tickets;
                        for (int number = 0; number < 12; ++number) {
                            tickets.push_back(jobs.submit(kTwice, number));
                            if (number % 5 == asker % 5)
                                tickets.back().on_ready([write, asker, number](Ticket<int> done) {
                                    write("function " + std::to_string(asker) + "/" +
                                          std::to_string(number) + takt::name_of(done.status()));
                                });
                        }
                        for (int number = 0; number < 12; ++number) {
                            if (number % 5 == asker % 5)
                                continue;
                            Ticket<int>& ticket = tickets[static_cast<std::size_t>(number)];
                            if (number % 6 == 5)
                                ticket.cancel();
                            try {
                                (void)co_await ticket;
                            } catch (const std::exception&) {
                            }
                            write(std::to_string(asker) + "/" + std::to_string(number) +
                                  takt::name_of(ticket.status()));
                        }
                    };
                    if (asker % 2 == 0)
                        actor.bind(kGo, body);
                    else
                        actor.bind_parallel(kGo, body);
                })
            .send(kGo, 0);
    runtime.run_until_idle();
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
    return log;
}

TEST(ReproducibleTickets,
     in_next_round_the_order_of_answers_does_not_depend_on_the_number_of_workers) {
    const std::vector<std::string> with_one = order_of_answers(1);
    EXPECT_EQ(with_one.size(), 9u * 12u);
    EXPECT_EQ(order_of_answers(2), with_one);
    EXPECT_EQ(order_of_answers(4), with_one);
}

/// Commits in nobody's name, on whichever worker it goes.
struct Litter {
    explicit Litter(int) noexcept {}
    Litter(Litter&& other) noexcept : is_there(std::exchange(other.is_there, false)) {}
    ~Litter() {
        if (is_there)
            takt::commit([] {});
    }
    bool is_there = true;
};
constexpr takt::Topic<Litter> kLitter{"Litter"};

// How requests stand, in nobody's name, before and after what is asked in it.
std::string order_of_nobodys_answers(int workers) {
    takt::Runtime runtime({.preset = takt::Preset::deterministic, .workers = {.count = workers}});
    std::vector<takt::ActorRef> actors;
    for (int number = 0; number < 4; ++number)
        actors.push_back(runtime.spawn_actor({.worker = number % workers}, [](Actor& actor) {
            actor.bind_parallel(kLitter, [](Litter&&) {});
            actor.bind_parallel(kTwice, [](int asked) { return 2 * asked; });
        }));
    runtime.run_until_idle();
    for (int round = 0; round < 3; ++round) {
        for (const takt::ActorRef actor : actors)
            actor.send(kLitter, Litter(round));
        runtime.run_until_idle();
    }
    std::string log;
    std::vector<Ticket<int>> tickets;
    tickets.reserve(6);
    for (int number = 0; number < 6; ++number) {
        tickets.push_back(actors[1].submit(kTwice, number));
        const auto look = [&log, &ticket = tickets.back()] { log += ticket.ready() ? "r" : "p"; };
        runtime.start([](auto looks) -> Task<> {
            co_await takt::next_frame();
            looks();
        }(look));
        runtime.post(look);
        runtime.step();
        runtime.step();
    }
    expect_law(runtime);
    return log;
}

TEST(ReproducibleTickets,
     in_next_round_the_place_of_requests_in_nobodys_name_does_not_depend_on_the_number_of_workers) {
    const std::string with_one = order_of_nobodys_answers(1);
    EXPECT_EQ(with_one.size(), 12u);
    EXPECT_EQ(order_of_nobodys_answers(2), with_one);
    EXPECT_EQ(order_of_nobodys_answers(4), with_one);
}

} // namespace
