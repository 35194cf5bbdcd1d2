// SPDX-License-Identifier: MIT
// Dispatchers that grow, shrink, are renewed and closed, and what becomes of their work: nothing is lost
// that is not reported.
#include "runtime/expect_law.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::CloseReport;
using takt::Closing;
using takt::Leaving;
using takt::SendResult;
using takt::Task;
using takt::Ticket;
using takt::TicketStatus;
using takt::testing_support::expect_law;

constexpr takt::Topic<int> kJob{"Job"};
constexpr takt::Topic<int> kUnbound{"Unbound"};
constexpr takt::Topic<int> kGo{"Go"};
constexpr takt::Request<int(int)> kTwice{"Twice"};

struct Setting {
    int workers;
    takt::Delivery delivery;
};

std::string name_of(const testing::TestParamInfo<Setting>& info) {
    return std::to_string(info.param.workers) +
           (info.param.delivery == takt::Delivery::next_round ? "_next_round" : "_immediate");
}

class Elastic : public testing::TestWithParam<Setting> {
  protected:
    takt::Runtime runtime{takt::Config{.workers = {.count = GetParam().workers},
                                       .frame = {.delivery = GetParam().delivery},
                                       .clock = {.kind = takt::ClockKind::virtual_time}}};
    std::atomic<int> handled{0};
    std::atomic<bool> release{false};

    void SetUp() override {
        runtime.on_failure([this](const takt::Failure&) { ++failures; });
    }
    auto quick() {
        return [this](Actor& actor) {
            actor.bind_parallel(kJob, [this](int) { ++handled; });
            actor.bind_parallel(kTwice, [](int number) { return 2 * number; });
        };
    }
    /// Jobs that end in the frame after `release`.
    auto patient() {
        return [this](Actor& actor) {
            actor.bind_parallel(kJob, [this](int) -> Task<> {
                while (!release)
                    co_await takt::next_frame();
                ++handled;
            });
            actor.bind_parallel(kTwice, [this](int number) -> Task<int> {
                while (!release)
                    co_await takt::next_frame();
                co_return 2 * number;
            });
        };
    }
    void dispatch(takt::Dispatcher<>& jobs, int count) {
        for (int job = 0; job < count; ++job)
            EXPECT_EQ(jobs.dispatch(kJob, job), SendResult::ok);
    }
    void frames(int count) {
        for (int frame = 0; frame < count; ++frame)
            runtime.step();
    }
    /// Runs `body` in the parallel phase.
    template <class Body>
    void in_parallel(Body body) {
        runtime
            .spawn_actor({.name = "caller"},
                         [&](Actor& actor) { actor.bind_parallel(kGo, [body](int) { body(); }); })
            .send(kGo, 0);
    }

    int failures = 0;
};

void expect_report(Ticket<CloseReport>& ticket, const CloseReport& expected) {
    ASSERT_EQ(ticket.status(), TicketStatus::answered);
    const CloseReport report = ticket.get();
    EXPECT_EQ(report.actors, expected.actors);
    EXPECT_EQ(report.finished, expected.finished);
    EXPECT_EQ(report.dropped, expected.dropped);
    EXPECT_EQ(report.still_running, expected.still_running);
}

// --- shrink ----------------------------------------------------------------------------------------

TEST_P(Elastic, those_that_shrink_takes_out_get_no_more_work_and_finish_what_they_have) {
    takt::Dispatcher jobs(runtime, {.actors = 4}, quick());
    dispatch(jobs, 400);
    const takt::ActorRef stays = jobs.actor(0);
    const takt::ActorRef leaves = jobs.actor(3);
    Ticket<CloseReport> gone = jobs.shrink(2);
    EXPECT_EQ(jobs.size(), 2u);
    EXPECT_FALSE(gone.ready());
    EXPECT_TRUE(leaves.alive());
    EXPECT_EQ(jobs.total_load(), 200u);
    dispatch(jobs, 200);
    EXPECT_EQ(leaves.load(), 100u); // it has what it had
    EXPECT_EQ(jobs.total_load(), 400u);
    runtime.run_until(gone);
    expect_report(gone, {.actors = 2, .finished = 200});
    EXPECT_FALSE(leaves.alive());
    EXPECT_TRUE(stays.alive());
    runtime.run_until_idle();
    EXPECT_EQ(handled, 600);
    EXPECT_EQ(runtime.actors(), 2u);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Elastic, shrink_takes_the_oldest_where_one_says_so) {
    takt::Dispatcher jobs(runtime, {.actors = 3}, quick());
    const takt::ActorRef first = jobs.actor(0);
    const takt::ActorRef second = jobs.actor(1);
    const takt::ActorRef third = jobs.actor(2);
    Ticket<CloseReport> gone = jobs.shrink(1, Leaving::oldest);
    expect_report(gone, {.actors = 1}); // it had nothing to do
    EXPECT_FALSE(first.alive());
    EXPECT_EQ(jobs.actor(0), second);
    EXPECT_EQ(jobs.actor(1), third);
    dispatch(jobs, 10);
    EXPECT_EQ(jobs.load(0), 5u);
    EXPECT_EQ(second.load(), 5u);
    EXPECT_EQ(third.load(), 5u);
    runtime.run_until_idle();
    EXPECT_EQ(handled, 10);
    EXPECT_EQ(runtime.actors(), 2u);
    expect_law(runtime);
}

TEST_P(Elastic, an_actor_that_leaves_lives_until_its_tasks_have_ended) {
    takt::Dispatcher jobs(runtime, {.actors = 2}, patient());
    dispatch(jobs, 6);
    Ticket<int> asked = jobs.submit(kTwice, 21);
    frames(2);
    const takt::ActorRef leaves = jobs.actor(0);
    Ticket<CloseReport> gone = jobs.shrink(2, Leaving::oldest);
    frames(3);
    EXPECT_FALSE(gone.ready());
    EXPECT_TRUE(leaves.alive());
    release = true;
    runtime.run_until(gone);
    expect_report(gone, {.actors = 2, .finished = 7});
    EXPECT_EQ(asked.get(), 42);
    EXPECT_EQ(handled, 6);
    runtime.run_until_idle();
    EXPECT_EQ(runtime.actors(), 0u);
    expect_law(runtime);
}

TEST_P(Elastic, more_than_there_are_cannot_leave) {
    takt::Dispatcher jobs(runtime, {.actors = 2}, quick());
    EXPECT_THROW(jobs.shrink(3), takt::Error);
    EXPECT_EQ(jobs.size(), 2u);
    Ticket<CloseReport> none = jobs.shrink(0);
    expect_report(none, {});
    Ticket<CloseReport> too_many;
    in_parallel([&] { too_many = jobs.shrink(3); });
    runtime.run_until_idle();
    EXPECT_EQ(too_many.status(), TicketStatus::threw);
    EXPECT_THROW(too_many.get(), takt::Error);
    EXPECT_EQ(jobs.size(), 2u);
    EXPECT_EQ(failures, 0);
    expect_law(runtime);
}

TEST_P(Elastic, shrink_and_close_are_awaited_by_who_calls_them_in_the_parallel_phase) {
    takt::Dispatcher jobs(runtime, {.actors = 4}, quick());
    dispatch(jobs, 40);
    std::vector<CloseReport> reports;
    runtime
        .spawn_actor({},
                     [&](Actor& actor) {
                         actor.bind_parallel(kGo, [&](int) -> Task<> {
                             Ticket<CloseReport> some = jobs.shrink(1);
                             EXPECT_EQ(jobs.size(), 4u); // until the serial phase
                             const CloseReport shrunk = co_await some;
                             Ticket<CloseReport> all = jobs.close();
                             const CloseReport closed = co_await all;
                             EXPECT_EQ(takt::current_phase(), takt::Phase::parallel);
                             co_await takt::synchronize();
                             reports = {shrunk, closed};
                         });
                     })
        .send(kGo, 0);
    for (int frame = 0; frame < 20 && reports.empty(); ++frame)
        runtime.step();
    ASSERT_EQ(reports.size(), 2u);
    EXPECT_EQ(reports[0].actors, 1u);
    EXPECT_EQ(reports[1].actors, 3u);
    EXPECT_EQ(reports[0].dropped + reports[1].dropped, 0u);
    EXPECT_EQ(handled, 40);
    EXPECT_EQ(jobs.size(), 0u);
    expect_law(runtime);
}

TEST_P(Elastic, what_is_left_at_the_deadline_is_dropped_and_reported) {
    takt::Dispatcher jobs(runtime, {.actors = 2}, patient());
    dispatch(jobs, 10);
    Ticket<int> asked = jobs.submit(kTwice, 1);
    runtime.step();
    Ticket<CloseReport> gone = jobs.shrink(2, Leaving::newest, 100ms);
    frames(4);
    EXPECT_FALSE(gone.ready());
    frames(5);
    expect_report(gone, {.actors = 2, .finished = 0, .dropped = 11});
    EXPECT_EQ(asked.status(), TicketStatus::actor_gone);
    EXPECT_EQ(runtime.mail().expired, 11u);
    EXPECT_EQ(runtime.actors(), 0u);
    expect_law(runtime);
}

TEST_P(Elastic, weights_of_others_are_waited_for_up_to_the_deadline) {
    takt::Dispatcher jobs(runtime, {.actors = 2}, [](Actor& actor) {
        actor.emplace_state<takt::Busy>(); // goes with it; not before
    });
    std::optional<takt::Busy> held;
    in_parallel([] {});
    takt::Dispatcher others(runtime, {.actors = 1}, [&](Actor&) { held.emplace(); });
    Ticket<CloseReport> waits = others.close();
    frames(5);
    EXPECT_FALSE(waits.ready());
    held.reset();
    runtime.run_until(waits);
    expect_report(waits, {.actors = 1});
    Ticket<CloseReport> late = jobs.close(Closing::drain, 50ms);
    runtime.run_until(late);
    expect_report(late, {.actors = 2});
    runtime.run_until_idle();
    EXPECT_EQ(runtime.actors(), 1u);
    expect_law(runtime);
}

TEST_P(Elastic, a_place_that_was_left_starts_again_with_nothing_on_it) {
    takt::Dispatcher jobs(runtime, {.actors = 2}, patient());
    dispatch(jobs, 20);
    runtime.step();
    Ticket<CloseReport> gone = jobs.shrink(1);
    jobs.allocate(1, quick());
    EXPECT_EQ(jobs.load(1), 0u);
    dispatch(jobs, 10); // all to who has nothing
    EXPECT_EQ(jobs.load(0), 10u);
    EXPECT_EQ(jobs.load(1), 10u);
    release = true;
    runtime.run_until(gone);
    runtime.run_until_idle();
    frames(1);
    runtime.run_until_idle();
    EXPECT_EQ(handled, 30);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

// --- close -----------------------------------------------------------------------------------------

TEST_P(Elastic, a_dispatcher_that_is_closed_refuses_as_closed_and_counts_that) {
    takt::Dispatcher jobs(runtime, {.actors = 2}, quick());
    dispatch(jobs, 10);
    Ticket<CloseReport> closed = jobs.close();
    EXPECT_EQ(jobs.size(), 0u);
    EXPECT_EQ(jobs.dispatch(kJob, 1), SendResult::closed);
    EXPECT_EQ(jobs.dispatch_by(takt::Sticky(1), kJob, 1), SendResult::closed);
    EXPECT_EQ(jobs.dispatch_all(kJob, 1), 0u);
    Ticket<int> refused = jobs.submit(kTwice, 1);
    EXPECT_EQ(refused.status(), TicketStatus::closed);
    EXPECT_EQ(jobs.submit_by(takt::Sticky(1), kTwice, 1).status(), TicketStatus::closed);
    EXPECT_THROW(jobs.allocate(1, quick()), takt::Error);
    SendResult in_phase = SendResult::ok;
    in_parallel([&] { in_phase = jobs.dispatch(kJob, 1); });
    runtime.run_until(closed);
    expect_report(closed, {.actors = 2, .finished = 10});
    EXPECT_EQ(in_phase, SendResult::closed);
    EXPECT_EQ(runtime.refused(SendResult::closed), 5u);
    EXPECT_EQ(handled, 10);
    expect_law(runtime);
}

TEST_P(Elastic, closing_with_cancel_drops_exactly_what_is_not_finished) {
    takt::Dispatcher jobs(runtime, {.actors = 2}, [this](Actor& actor) {
        patient()(actor);
        actor.bind(kGo, [this](int) { ++handled; });
    });
    dispatch(jobs, 4);                // will wait
    for (int job = 0; job < 6; ++job) // will be finished
        EXPECT_EQ(jobs.dispatch(kGo, 1), SendResult::ok);
    Ticket<int> begun = jobs.submit(kTwice, 1);
    runtime.step();
    EXPECT_EQ(handled, 6);
    EXPECT_EQ(jobs.dispatch(kUnbound, 1), SendResult::ok); // will be kept
    runtime.step();
    dispatch(jobs, 3);                                // are in lanes
    EXPECT_EQ(jobs.dispatch(kGo, 1), SendResult::ok); // too
    Ticket<int> unopened = jobs.submit(kTwice, 1);
    const std::uint64_t load = jobs.total_load();
    EXPECT_EQ(load, 4u + 1 + 1 + 3 + 1 + 1);
    Ticket<CloseReport> closed = jobs.close(Closing::cancel);
    runtime.run_until(closed);
    expect_report(closed, {.actors = 2, .finished = 0, .dropped = load});
    EXPECT_EQ(handled, 6);
    EXPECT_EQ(begun.status(), TicketStatus::actor_gone);
    EXPECT_EQ(unopened.status(), TicketStatus::actor_gone);
    EXPECT_EQ(runtime.mail().handled, 6u);
    EXPECT_EQ(runtime.mail().expired, load);
    EXPECT_EQ(runtime.actors(), 0u);
    expect_law(runtime);
}

TEST_P(Elastic, closing_with_cancel_ends_what_still_drains) {
    takt::Dispatcher jobs(runtime, {.actors = 3}, patient());
    dispatch(jobs, 9);
    runtime.step();
    Ticket<CloseReport> shrunk = jobs.shrink(1);
    Ticket<CloseReport> drained = jobs.close();
    frames(2);
    EXPECT_FALSE(shrunk.ready());
    EXPECT_FALSE(drained.ready());
    Ticket<CloseReport> cancelled = jobs.close(Closing::cancel);
    frames(2);
    expect_report(shrunk, {.actors = 1, .finished = 0, .dropped = 3});
    expect_report(drained, {.actors = 2, .finished = 0, .dropped = 6});
    expect_report(cancelled, {});
    expect_law(runtime);
}

TEST_P(Elastic, what_is_cancelled_on_a_background_thread_is_said_to_run_still) {
    std::atomic<int> there{0};
    takt::Dispatcher jobs(runtime, {.actors = 2}, [&](Actor& actor) {
        actor.bind_parallel(kJob, [&](int) -> Task<> {
            co_await takt::offload();
            ++there;
            while (!release)
                std::this_thread::yield();
        });
    });
    dispatch(jobs, 2);
    runtime.step();
    while (there != 2)
        std::this_thread::yield();
    Ticket<CloseReport> closed = jobs.close(Closing::cancel);
    frames(2);
    expect_report(closed, {.actors = 2, .finished = 0, .dropped = 2, .still_running = 2});
    release = true;
    runtime.run_until_idle();
    expect_law(runtime);
}

TEST_P(Elastic, a_request_that_is_cancelled_while_its_actor_drains_is_a_drop) {
    takt::Dispatcher jobs(runtime, {.actors = 1}, quick());
    Ticket<int> wanted = jobs.submit(kTwice, 1);
    Ticket<int> unwanted = jobs.submit(kTwice, 2);
    dispatch(jobs, 3);
    Ticket<CloseReport> closed = jobs.close();
    unwanted.cancel();
    runtime.run_until(closed);
    expect_report(closed, {.actors = 1, .finished = 4, .dropped = 1});
    EXPECT_EQ(wanted.get(), 2);
    expect_law(runtime);
}

TEST_P(Elastic, a_thread_outside_waits_until_it_is_closed) {
    takt::Dispatcher jobs(runtime, {.actors = 2}, patient());
    dispatch(jobs, 8);
    Ticket<CloseReport> closed = jobs.close();
    std::atomic<bool> timed_out{false};
    std::thread outside([&] {
        timed_out = !closed.wait_for(1ms);
        EXPECT_EQ(closed.get().finished, 8u);
    });
    while (!timed_out)
        runtime.step();
    release = true;
    runtime.run_until(closed);
    outside.join();
    EXPECT_EQ(handled, 8);
    runtime.run_until_idle();
    expect_law(runtime);
}

TEST_P(Elastic, a_runtime_that_ends_ends_what_drains) {
    takt::Dispatcher jobs(runtime, {.actors = 2}, patient());
    dispatch(jobs, 4);
    runtime.step();
    Ticket<CloseReport> shrunk = jobs.shrink(1);
    Ticket<CloseReport> closed = jobs.close();
    runtime.step();
    runtime.shutdown(1s);
    EXPECT_EQ(shrunk.status(), TicketStatus::shut_down);
    EXPECT_EQ(closed.status(), TicketStatus::shut_down);
    expect_law(runtime);
}

TEST_P(Elastic, actors_that_leave_finish_also_when_their_dispatcher_goes) {
    std::optional<takt::Dispatcher<>> jobs;
    jobs.emplace(takt::Dispatcher(runtime, {.actors = 2}, patient()));
    dispatch(*jobs, 4);
    runtime.step();
    Ticket<CloseReport> closed = jobs->close();
    jobs.reset();
    frames(2);
    EXPECT_FALSE(closed.ready());
    release = true;
    runtime.run_until(closed);
    expect_report(closed, {.actors = 2, .finished = 4});
    EXPECT_EQ(handled, 4);
    expect_law(runtime);
}

// --- the rows of semantics.md 13 -------------------------------------------------------------------

TEST_P(Elastic, Allocate_while_dispatching) {
    takt::Dispatcher jobs(runtime, {.actors = 1}, quick());
    std::atomic<int> sent{0};
    for (int caller = 0; caller < 4; ++caller)
        runtime
            .spawn_actor({},
                         [&](Actor& actor) {
                             actor.bind_parallel(kGo, [&](int) -> Task<> {
                                 for (int turn = 0; turn < 10; ++turn) {
                                     for (int job = 0; job < 25; ++job)
                                         sent += jobs.dispatch(kJob, job) == SendResult::ok;
                                     jobs.allocate(1, quick());
                                     co_await takt::next_frame();
                                 }
                             });
                         })
            .send(kGo, 0);
    frames(12);
    runtime.run_until_idle();
    EXPECT_EQ(sent, 1000);
    EXPECT_EQ(handled, 1000);
    EXPECT_EQ(jobs.size(), 41u);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Elastic, Destroy_while_dispatching) {
    std::optional<takt::Dispatcher<>> jobs;
    jobs.emplace(takt::Dispatcher(runtime, {.actors = 4}, quick()));
    dispatch(*jobs, 100);
    for (takt::Target target = 0; target < 2; ++target)
        jobs->actor(target).destroy();
    int sent = 0;
    for (int job = 0; job < 100; ++job)
        sent += jobs->dispatch(kJob, job) == SendResult::ok;
    EXPECT_EQ(sent, 99); // who is about to go refuses once, and is no target any more
    EXPECT_EQ(jobs->size(), 2u);
    jobs.reset();
    runtime.run_until_idle();
    EXPECT_EQ(runtime.mail().expired, 100u + static_cast<std::uint64_t>(sent));
    EXPECT_EQ(handled, 0);
    EXPECT_EQ(runtime.actors(), 0u);
    expect_law(runtime);
}

TEST_P(Elastic, who_was_destroyed_or_stopped_is_no_target_from_the_next_barrier_on) {
    takt::Dispatcher jobs(runtime, {.actors = 4, .on_failure = takt::FailurePolicy::stop},
                          [this](Actor& actor) {
                              actor.bind_parallel(kJob, [this](int job) {
                                  if (job == -1)
                                      throw std::runtime_error("minus one");
                                  ++handled;
                              });
                          });
    jobs.dispatch(kJob, -1);
    runtime.run_until_idle();
    jobs.actor(1).destroy();
    runtime.run_until_idle();
    std::atomic<int> sent{0};
    const auto send_some = [&] {
        for (int job = 0; job < 20; ++job)
            sent += jobs.dispatch(kJob, job) == SendResult::ok;
    };
    in_parallel(send_some);
    runtime.run_until_idle();
    EXPECT_LT(sent, 20);
    runtime.step();
    in_parallel([] {}); // a barrier
    runtime.run_until_idle();
    EXPECT_EQ(jobs.size(), 2u);
    sent = 0;
    handled = 0;
    in_parallel(send_some);
    runtime.run_until_idle();
    EXPECT_EQ(sent, 20);
    EXPECT_EQ(handled, 20);
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
}

TEST_P(Elastic, Destroy_twice) {
    takt::Dispatcher jobs(runtime, {.actors = 3}, quick());
    dispatch(jobs, 30);
    Ticket<CloseReport> first = jobs.close();
    Ticket<CloseReport> second = jobs.close();
    expect_report(second, {});
    runtime.run_until(first);
    expect_report(first, {.actors = 3, .finished = 30});
    Ticket<CloseReport> third = jobs.close(Closing::cancel);
    expect_report(third, {});
    runtime.run_until_idle();
    EXPECT_EQ(runtime.actors(), 0u);
    expect_law(runtime);
}

TEST_P(Elastic, Dispatch_on_an_empty_pool) {
    takt::Dispatcher jobs(runtime, {.actors = 1}, quick());
    jobs.shrink(1);
    EXPECT_EQ(jobs.dispatch(kJob, 1), SendResult::dead);
    EXPECT_EQ(jobs.submit(kTwice, 1).status(), TicketStatus::dead);
    EXPECT_EQ(runtime.refused(SendResult::dead), 2u);
    jobs.allocate(1, quick());
    dispatch(jobs, 1);
    runtime.run_until_idle();
    EXPECT_EQ(handled, 1);
    expect_law(runtime);
}

// --- a rolling update ------------------------------------------------------------------------------

TEST_P(Elastic, a_rolling_update_under_load_loses_nothing) {
    constexpr int kVersions = 8;
    constexpr std::uint32_t kActors = 3;
    constexpr int kCallers = 4;
    std::vector<std::atomic<int>> by_version(kVersions);
    const auto version = [&by_version](int number) {
        return [&by_version, number](Actor& actor) {
            actor.bind_parallel(kJob, [&by_version, number](int job) -> Task<> {
                if (job % 3 == 1)
                    co_await takt::synchronize();
                if (job % 3 == 2)
                    co_await takt::next_frame();
                ++by_version[static_cast<std::size_t>(number)];
            });
            actor.bind_parallel(kTwice, [number](int) -> Task<int> {
                co_await takt::next_frame();
                co_return number;
            });
        };
    };
    takt::Dispatcher jobs(runtime, {.actors = kActors}, version(0));
    std::atomic<int> sent{0};
    std::atomic<int> answered{0};
    std::atomic<bool> stop{false};
    for (int caller = 0; caller < kCallers; ++caller)
        runtime
            .spawn_actor({},
                         [&](Actor& actor) {
                             actor.bind_parallel(kGo, [&](int) -> Task<> {
                                 for (int job = 0; !stop; ++job) {
                                     sent += jobs.dispatch(kJob, job) == SendResult::ok;
                                     Ticket<int> asked = jobs.submit(kTwice, job);
                                     const int by = co_await asked; // throws where it is lost
                                     answered += by >= 0;
                                     co_await takt::next_frame();
                                 }
                             });
                         })
            .send(kGo, 0);
    std::vector<Ticket<CloseReport>> renewed;
    for (int next = 1; next < kVersions; ++next) {
        frames(3);
        jobs.allocate(kActors, version(next));
        renewed.push_back(jobs.shrink(kActors, Leaving::oldest));
        EXPECT_EQ(jobs.size(), kActors);
    }
    frames(3);
    stop = true;
    frames(5);
    runtime.run_until_idle();
    int handled_by_all = 0;
    for (const std::atomic<int>& one : by_version) {
        EXPECT_GT(one, 0); // each had its time
        handled_by_all += one;
    }
    EXPECT_EQ(handled_by_all, sent);
    EXPECT_GT(sent, kVersions * kCallers);
    EXPECT_EQ(failures, 0);
    for (Ticket<CloseReport>& one : renewed) {
        ASSERT_TRUE(one.ready());
        const CloseReport report = one.get();
        EXPECT_EQ(report.actors, kActors);
        EXPECT_EQ(report.dropped, 0u);
    }
    EXPECT_EQ(runtime.mail().expired, 0u);
    EXPECT_EQ(runtime.refused(SendResult::dead), 0u);
    EXPECT_EQ(jobs.total_load(), 0u);
    EXPECT_EQ(runtime.actors(), kActors + kCallers);
    expect_law(runtime);
}

INSTANTIATE_TEST_SUITE_P(
    Settings, Elastic,
    testing::Values(Setting{1, takt::Delivery::immediate}, Setting{2, takt::Delivery::immediate},
                    Setting{4, takt::Delivery::immediate}, Setting{1, takt::Delivery::next_round},
                    Setting{2, takt::Delivery::next_round}, Setting{4, takt::Delivery::next_round}),
    name_of);

// Who got what while a dispatcher is renewed from the parallel phase.
std::vector<std::string> trace_of_an_update(int workers) {
    takt::Runtime runtime({.preset = takt::Preset::deterministic, .workers = {.count = workers}});
    std::vector<std::string> log;
    const auto setup = [&log](Actor& actor) {
        actor.bind_parallel(kJob, [&log, id = actor.id()](int job) -> Task<> {
            if (job % 2 == 1)
                co_await takt::next_frame();
            co_await takt::synchronize();
            log.push_back(std::to_string(id) + ":" + std::to_string(job));
        });
    };
    takt::Dispatcher jobs(runtime, {.actors = 4}, setup);
    std::vector<takt::ActorRef> callers;
    callers.reserve(5);
    for (int caller = 0; caller < 5; ++caller)
        callers.push_back(runtime.spawn_actor({}, [&, caller](Actor& actor) {
            actor.bind_parallel(kGo, [&, caller](int turn) -> Task<> {
                for (int job = 0; job < 7; ++job)
                    jobs.dispatch(kJob, 1000 * caller + 10 * turn + job);
                if (caller != turn % 5)
                    co_return;
                jobs.allocate(2, setup);
                Ticket<CloseReport> gone = jobs.shrink(2, Leaving::oldest);
                const CloseReport report = co_await gone;
                co_await takt::synchronize();
                log.push_back("gone " + std::to_string(report.finished));
            });
        }));
    for (int turn = 0; turn < 10; ++turn) {
        for (const takt::ActorRef caller : callers)
            caller.send(kGo, turn);
        runtime.step();
    }
    for (int frame = 0; frame < 5; ++frame)
        runtime.step();
    EXPECT_EQ(jobs.total_load(), 0u);
    expect_law(runtime);
    return log;
}

TEST(ReproducibleElastic, in_next_round_an_update_does_not_depend_on_the_number_of_workers) {
    const std::vector<std::string> with_one = trace_of_an_update(1);
    EXPECT_EQ(with_one.size(), 10u * 5 * 7 + 10);
    EXPECT_EQ(trace_of_an_update(2), with_one);
    EXPECT_EQ(trace_of_an_update(4), with_one);
}

} // namespace
