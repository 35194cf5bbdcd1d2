// SPDX-License-Identifier: MIT
// Work that is uneven: idle workers claim shards of busy ones, shards move, and nothing of what is
// promised of order, places and counts changes by that.
#include "runtime/expect_law.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Actor;
using takt::ActorRef;
using takt::Balancing;
using takt::Delivery;
using takt::Runtime;
using takt::testing_support::expect_law;

// Long enough for a machine that is busy with other things.
constexpr auto kPatience = 60s;
constexpr std::uint64_t kClaims = 20;
constexpr std::size_t kActors = 64;

constexpr takt::Topic<int> kWork{"Work"};
constexpr takt::Topic<int, int> kLetter{"Letter"}; // who, which

struct Setting {
    Balancing balance = Balancing::moves;
    Delivery delivery = Delivery::immediate;
    int workers = 2;
    std::uint64_t phase_messages = 65'536;
    bool limits_time = false;
};

takt::Config config_of(const Setting& setting) {
    takt::Config config{.workers = {.count = setting.workers},
                        .wait = {.spin_ns = 1'000'000},
                        .frame = {.delivery = setting.delivery, .balance = setting.balance}};
    if (setting.delivery == Delivery::immediate)
        config.frame.phase_messages = setting.phase_messages;
    if (setting.limits_time)
        config.frame.phase_time_ns = 3'600'000'000'000;
    return config;
}

/// Work of so many microseconds that leaves the CPU to others, on a machine that has few.
void toil(int us) {
    if (us > 0)
        std::this_thread::sleep_for(std::chrono::microseconds(us));
}

struct Cell {
    int runs = 0;
    int worker = -1; // that it ran on last
    bool is_running = false;
};

/// Actors of which every second one, those of one worker, has work in each frame.
class Uneven {
  public:
    explicit Uneven(const Setting& setting)
        : runtime(config_of(setting)), numbers(runtime, [](int worker) { return worker; }),
          cells(kActors) {
        for (std::size_t at = 0; at < kActors; ++at)
            actors.push_back(runtime.spawn_actor({}, [this, at](Actor& self) {
                self.bind_parallel(kWork, [this, at](int us) { work(cells[at], us); });
            }));
    }

    void frame(int us) {
        for (std::size_t at = 0; at < kActors; at += 2) {
            actors[at].send(kWork, us);
            ++sent;
        }
        runtime.step();
    }
    /// Frames until it has happened. False: it does not.
    template <class Happened>
    bool frames_until(Happened happened) {
        const auto end = std::chrono::steady_clock::now() + kPatience;
        while (!happened()) {
            if (std::chrono::steady_clock::now() > end)
                return false;
            frame(50);
        }
        return true;
    }
    int runs() const {
        int sum = 0;
        for (const Cell& cell : cells)
            sum += cell.runs;
        return sum;
    }

    Runtime runtime;
    takt::PerWorker<int> numbers;
    std::vector<Cell> cells;
    std::vector<ActorRef> actors;
    int sent = 0;

  private:
    void work(Cell& cell, int us) {
        EXPECT_FALSE(std::exchange(cell.is_running, true)) << "two workers run one actor";
        toil(us);
        ++cell.runs;
        cell.worker = numbers.local();
        cell.is_running = false;
    }
};

class Balance : public testing::TestWithParam<Delivery> {};

TEST_P(Balance, an_idle_worker_claims_what_a_busy_one_has) {
    Uneven uneven({.balance = Balancing::claims, .delivery = GetParam()});
    EXPECT_TRUE(uneven.frames_until([&] { return uneven.runtime.balance().claims > kClaims; }));
    EXPECT_EQ(uneven.runtime.balance().moves, 0u);
    EXPECT_EQ(uneven.runs(), uneven.sent);
    expect_law(uneven.runtime);
}

TEST_P(Balance, shards_move_where_one_worker_s_cost_more_in_frame_after_frame) {
    Uneven uneven({.delivery = GetParam()});
    EXPECT_TRUE(uneven.frames_until([&] { return uneven.runtime.balance().moves > 4; }));
    const std::uint64_t moves = uneven.runtime.balance().moves;
    for (int frame = 0; frame < 200; ++frame)
        uneven.frame(50);
    EXPECT_LE(uneven.runtime.balance().moves, moves + kActors) << "they go to and fro";
    EXPECT_EQ(uneven.runs(), uneven.sent);
    expect_law(uneven.runtime);
}

TEST_P(Balance, nothing_is_claimed_where_balancing_is_off) {
    Uneven uneven({.balance = Balancing::off, .delivery = GetParam()});
    for (int frame = 0; frame < 200; ++frame)
        uneven.frame(50);
    EXPECT_EQ(uneven.runtime.balance().claims, 0u);
    for (std::size_t at = 0; at < kActors; at += 2)
        EXPECT_EQ(uneven.cells[at].worker, uneven.cells[0].worker);
}

INSTANTIATE_TEST_SUITE_P(, Balance, testing::Values(Delivery::immediate, Delivery::next_round),
                         [](const auto& test) {
                             return test.param == Delivery::immediate ? "immediate" : "next_round";
                         });

TEST(BalanceLimits, nothing_is_claimed_in_phases_of_limited_time) {
    Uneven uneven({.limits_time = true});
    for (int frame = 0; frame < 200; ++frame)
        uneven.frame(50);
    EXPECT_EQ(uneven.runtime.balance().claims, 0u);
    EXPECT_EQ(uneven.runs(), uneven.sent);
}

TEST(BalanceLimits, short_messages_are_left_alone) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "no message is short where each access is checked";
#endif
    Uneven uneven({});
    EXPECT_TRUE(uneven.frames_until([&] { return uneven.runtime.balance().claims > 0; }));
    // Once it has found out, it pauses for about a thousand phases.
    std::uint64_t fewest = UINT64_MAX;
    for (int stretch = 0; stretch < 20; ++stretch) {
        const std::uint64_t before = uneven.runtime.balance().claims;
        for (int frame = 0; frame < 100; ++frame)
            uneven.frame(0);
        fewest = std::min(fewest, uneven.runtime.balance().claims - before);
    }
    EXPECT_EQ(fewest, 0u);
}

TEST(BalanceLimits, who_asked_for_a_worker_stays_there) {
    Runtime runtime(config_of({}));
    takt::PerWorker<int> numbers(runtime, [](int worker) { return worker; });
    std::vector<ActorRef> pinned;
    std::vector<ActorRef> others;
    int strayed = 0;
    pinned.reserve(32);
    for (int at = 0; at < 32; ++at)
        pinned.push_back(runtime.spawn_actor({.worker = 1}, [&](Actor& self) {
            self.bind_parallel(kWork, [&](int us) {
                toil(us);
                if (numbers.local() != 1)
                    takt::commit([&] { ++strayed; });
            });
        }));
    others.reserve(64);
    for (int at = 0; at < 64; ++at)
        others.push_back(runtime.spawn_actor(
            {}, [](Actor& self) { self.bind_parallel(kWork, [](int us) { toil(us); }); }));
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (runtime.balance().claims < kClaims && std::chrono::steady_clock::now() < end) {
        for (const ActorRef& actor : pinned)
            actor.send(kWork, 50);
        for (std::size_t at = 1; at < others.size(); at += 2)
            others[at].send(kWork, 50);
        runtime.step();
    }
    EXPECT_GE(runtime.balance().claims, kClaims);
    EXPECT_EQ(strayed, 0);
}

/// Actors that write numbered letters to each other, and to themselves, from both phases, while
/// their work is uneven. Who receives them looks whether one is missing or too early.
class Post {
  public:
    explicit Post(const Setting& setting)
        : runtime(config_of(setting)), sent(kActors, std::vector<int>(kActors)), received(sent) {
        for (std::size_t at = 0; at < kActors; ++at)
            actors.push_back(runtime.spawn_actor({}, [this, at](Actor& self) {
                self.bind_parallel(kWork, [this, at](int hops) {
                    toil(at % 8 == 0 ? 100 : 0);
                    write(at, hops);
                    if (at % 5 == 0)
                        takt::commit([this, at] { write(at, 0); });
                });
                self.bind_parallel(kLetter, [this, at](int from, int number) {
                    take(at, static_cast<std::size_t>(from), number);
                });
            }));
    }

    /// A burst, and frames until it is over: sharing begins when no mail is left.
    void burst(int hops) {
        for (const ActorRef& actor : actors)
            actor.send(kWork, hops);
        runtime.run_until_idle();
    }
    void expect_all() {
        runtime.run_until_idle();
        EXPECT_EQ(sent, received);
        EXPECT_EQ(out_of_order, 0u);
        expect_law(runtime);
    }

    Runtime runtime;
    std::vector<ActorRef> actors;
    std::vector<std::vector<int>> sent; // by sender and receiver
    std::vector<std::vector<int>> received;
    std::atomic<unsigned> out_of_order{0};

  private:
    void write(std::size_t from, int hops) {
        for (const std::size_t to : {from, (from + 1) % kActors, (from * 7 + 3) % kActors}) {
            actors[to].send(kLetter, static_cast<int>(from), sent[from][to]++);
            if (hops > 0 && to != from)
                actors[to].send(kWork, hops - 1);
        }
    }
    void take(std::size_t at, std::size_t from, int number) {
        if (received[from][at]++ != number)
            ++out_of_order;
    }
};

void expect_order(const Setting& setting, int hops) {
    Post post(setting);
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (post.runtime.balance().claims < kClaims && std::chrono::steady_clock::now() < end)
        post.burst(hops);
    EXPECT_GE(post.runtime.balance().claims, kClaims);
    post.expect_all();
}

TEST(BalanceOrder, letters_come_in_order) {
    expect_order({}, 0);
    expect_order({}, 2);
}

TEST(BalanceOrder, letters_come_in_order_where_phases_leave_mail) {
    expect_order({.phase_messages = 40}, 2);
}

TEST(BalanceOrder, letters_come_in_order_in_next_round) {
    expect_order({.delivery = Delivery::next_round}, 2);
}

TEST(BalanceOrder, letters_come_in_order_with_more_workers_than_cpus) {
    expect_order({.workers = 4}, 2);
    expect_order({.workers = 3, .phase_messages = 40}, 2);
}

/// What became of a world that is the same each time, but for who ran what.
std::vector<std::uint64_t> history(int workers, Balancing balance, std::uint64_t* claims) {
    Runtime runtime({.preset = takt::Preset::deterministic,
                     .workers = {.count = workers},
                     .wait = {.spin_ns = 1'000'000},
                     .frame = {.balance = balance}});
    std::vector<std::uint64_t> log;
    std::vector<std::uint64_t> states(kActors);
    std::vector<ActorRef> actors;
    for (std::size_t at = 0; at < kActors; ++at)
        actors.push_back(runtime.spawn_actor({}, [&, at](Actor& self) {
            self.bind_parallel(kWork, [&, at](int hops) {
                toil(at % 8 == 0 ? 50 : 0);
                states[at] = states[at] * 31 + static_cast<std::uint64_t>(hops);
                if (hops > 0) {
                    actors[(at * 5 + 1) % kActors].send(kWork, hops - 1);
                    actors[(at + 2) % kActors].send(kLetter, static_cast<int>(at), hops);
                }
                takt::commit([&, at] { log.push_back(states[at]); });
            });
            self.bind_parallel(kLetter, [&, at](int from, int number) {
                states[at] = states[at] * 17 + static_cast<std::uint64_t>(from * 100 + number);
            });
        }));
    for (int frame = 0; frame < 50; ++frame) {
        for (const ActorRef& actor : actors)
            actor.send(kWork, 3);
        runtime.step();
    }
    *claims += runtime.balance().claims;
    return log;
}

TEST(BalanceOrder, a_deterministic_run_does_not_depend_on_who_claims_what) {
    std::uint64_t claims = 0;
    const std::vector<std::uint64_t> alone = history(1, Balancing::off, &claims);
    EXPECT_EQ(history(2, Balancing::off, &claims), alone);
    EXPECT_EQ(claims, 0u);
    EXPECT_EQ(history(2, Balancing::moves, &claims), alone);
    EXPECT_EQ(history(3, Balancing::moves, &claims), alone);
    EXPECT_GT(claims, 0u) << "nothing was tested";
}

/// Tasks that begin on one worker and go on on another.
TEST(BalanceTasks, tasks_end_once_wherever_they_go_on) {
    for (const Delivery delivery : {Delivery::immediate, Delivery::next_round}) {
        Runtime runtime(config_of({.delivery = delivery, .workers = 3}));
        std::vector<int> done(kActors);
        std::vector<int> begun(kActors);
        std::vector<ActorRef> actors;
        for (std::size_t at = 0; at < kActors; ++at)
            actors.push_back(runtime.spawn_actor({}, [&, at](Actor& self) {
                self.bind_parallel(kWork, [&, at](int us) -> takt::Task<> {
                    ++begun[at];
                    toil(us);
                    co_await takt::synchronize();
                    co_await takt::desynchronize();
                    toil(us);
                    const takt::TaskRef never =
                        takt::spawn([]() -> takt::Task<> { co_await takt::wait(3600s); });
                    takt::defer([&done, at] { ++done[at]; });
                    takt::cancel(never);
                });
            }));
        const auto end = std::chrono::steady_clock::now() + kPatience;
        while (runtime.balance().claims < kClaims && std::chrono::steady_clock::now() < end) {
            for (std::size_t at = 0; at < kActors; ++at)
                actors[at].send(kWork, at % 8 == 0 ? 50 : 0);
            runtime.step();
        }
        EXPECT_GE(runtime.balance().claims, kClaims);
        runtime.run_until_idle();
        EXPECT_EQ(begun, done);
        expect_law(runtime);
    }
}

TEST(BalanceTasks, actors_come_and_go_meanwhile) {
    Runtime runtime(config_of({.workers = 3}));
    runtime.on_failure([](const takt::Failure&) {});
    std::vector<ActorRef> actors(kActors);
    std::vector<int> handled(kActors);
    const auto make = [&](std::size_t at) {
        return runtime.spawn_actor({.on_failure = takt::FailurePolicy::stop}, [&, at](Actor& self) {
            self.bind_parallel(kWork, [&, at](int number) {
                toil(at % 8 == 0 ? 50 : 0);
                if (++handled[at] % 40 == 39)
                    throw std::runtime_error("on purpose");
                if (number % 50 == 49)
                    takt::this_actor().destroy();
            });
        });
    };
    for (std::size_t at = 0; at < kActors; ++at)
        actors[at] = make(at);
    std::uint64_t sent = 0;
    const auto end = std::chrono::steady_clock::now() + kPatience;
    for (int frame = 0; (runtime.balance().claims < kClaims || frame < 100) &&
                        std::chrono::steady_clock::now() < end;
         ++frame) {
        for (std::size_t at = 0; at < kActors; ++at) {
            if (actors[at].try_send(kWork, frame + static_cast<int>(at)) == takt::SendResult::ok) {
                actors[at].send(kWork, frame);
                sent += 2;
            } else {
                actors[at] = make(at);
            }
        }
        runtime.step();
    }
    EXPECT_GE(runtime.balance().claims, kClaims);
    runtime.run_until_idle();
    const takt::MailCounts counts = runtime.mail();
    EXPECT_GT(counts.failed, 0u);
    EXPECT_EQ(counts.accepted(), sent);
    EXPECT_EQ(counts.in_flight, 0u);
    expect_law(runtime);
}

// What begins on one worker and ends on another must not gather there.
TEST(BalanceTasks, memory_stays_what_it_is) {
    Runtime runtime(config_of({.balance = Balancing::claims}));
    std::vector<ActorRef> actors;
    for (std::size_t at = 0; at < 32; ++at)
        actors.push_back(runtime.spawn_actor({}, [&, at](Actor& self) {
            self.bind_parallel(kLetter, [](int, int) {});
            self.bind_parallel(kWork, [&, at](int us) -> takt::Task<> {
                toil(us);
                takt::defer([] {});
                co_await takt::synchronize();
                actors[at].send(kLetter, 0, 0);
                co_await takt::desynchronize();
            });
        }));
    const auto frames = [&](int count) {
        for (int frame = 0; frame < count; ++frame) {
            for (std::size_t at = 0; at < actors.size(); at += 2)
                actors[at].send(kWork, 50);
            runtime.run_until_idle();
        }
        return runtime.memory_bytes();
    };
    const std::size_t before = frames(200);
    EXPECT_LE(frames(400), before + before / 2);
    EXPECT_GT(runtime.balance().claims, 0u);
}

constexpr takt::Topic<int> kLate{"Late"};

/// Frames until shards are claimed; then mail that was kept becomes due, in rounds in which others
/// claim.
TEST(BalanceKept, in_next_round_an_actor_runs_on_one_worker_in_a_round) {
    Runtime runtime(config_of({.balance = Balancing::claims, .delivery = Delivery::next_round}));
    takt::PerWorker<int> numbers(runtime, [](int worker) { return worker; });
    int round = 0;
    takt::World(runtime).at_barrier([&] { ++round; });
    struct Place {
        int round = -1;
        int worker = -1;
    };
    std::vector<Place> places(32);
    std::atomic<int> strays{0};
    int late = 0;
    std::vector<ActorRef> actors;
    const auto note = [&](std::size_t at) {
        const Place here{round, numbers.local()};
        const Place before = std::exchange(places[at], here);
        strays += before.round == here.round && before.worker != here.worker;
    };
    for (std::size_t at = 0; at < places.size(); ++at)
        actors.push_back(runtime.spawn_actor({}, [&, at](Actor& self) {
            self.bind_parallel(kWork, [&, at](int what) {
                note(at);
                toil(50);
                if (what != 0)
                    return;
                takt::commit([&, at] {
                    actors[at].send(kWork, 1);
                    takt::this_actor().bind_parallel(kLate, [&, at](int) {
                        note(at);
                        toil(500);
                        takt::commit([&] { ++late; });
                    });
                });
            });
        }));
    const auto frame = [&](int what) {
        for (std::size_t at = 0; at < actors.size(); at += 2)
            actors[at].send(kWork, what);
        runtime.step();
    };
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (runtime.balance().claims < kClaims && std::chrono::steady_clock::now() < end)
        frame(1);
    for (std::size_t at = 0; at < actors.size(); at += 2)
        actors[at].send(kLate, 0);
    frame(0);
    for (int more = 0; more < 20; ++more)
        frame(1);
    EXPECT_GE(runtime.balance().claims, kClaims);
    EXPECT_EQ(late, 16);
    EXPECT_EQ(strays, 0);
    expect_law(runtime);
}

TEST(BalanceReport, a_message_that_was_passed_on_is_one_message) {
    Post post({});
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (post.runtime.balance().passed_on < kClaims && std::chrono::steady_clock::now() < end) {
        for (const ActorRef& actor : post.actors)
            actor.send(kWork, 1);
        const takt::MailCounts before = post.runtime.mail();
        std::uint64_t messages = 0;
        do {
            messages += post.runtime.step().messages;
        } while (post.runtime.last_frame().left_over);
        EXPECT_EQ(messages, post.runtime.mail().accepted() - before.accepted());
    }
    EXPECT_GE(post.runtime.balance().passed_on, kClaims);
}

} // namespace
