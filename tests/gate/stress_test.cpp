// SPDX-License-Identifier: MIT
// Gate and outlet on real threads: the scenarios of scenarios.hpp with the real queue, and longer
// runs.
#include "gate/payloads.hpp"
#include "gate/scenarios.hpp"
#include "protocol/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace {

using namespace gate_test;
using protocol::stress;
using protocol::Threads;
using Queue = takt::GateQueue;

TEST(GateStress, come_send_and_leave) {
    const std::vector<Way> senders{Way::lane, Way::lane_in_batch, Way::queue, Way::queue};
    for (const bool sleep : {false, true})
        stress(come_send_and_leave<Threads, Queue>(
                   {.senders = senders, .letters = 300, .sleep = sleep}),
               100);
}

TEST(GateStress, close_against_senders) {
    const std::vector<Way> senders{Way::lane, Way::lane_in_batch, Way::queue, Way::queue};
    for (const Closer closer : {Closer::owner, Closer::another})
        stress(close_against_senders<Threads, Queue>({.senders = senders, .letters = 300}, closer),
               200);
}

TEST(GateStress, credit_against_rounds) {
    for (const Way way : {Way::lane, Way::lane_in_batch, Way::queue})
        for (const bool sleep : {false, true})
            stress(credit_against_route<Threads, Queue>(way, 300, sleep), 10);
    stress(close_against_waiting_sender<Threads, Queue>(Way::lane), 300);
    stress(close_against_waiting_sender<Threads, Queue>(Way::queue), 300);
}

TEST(GateStress, deadline_against_route) {
    // A thread may lose its CPU in the blink of an eye: nothing is said about that here.
    constexpr std::int64_t kAnyTime = takt::kNever / 2;
    for (const Way way : {Way::lane, Way::lane_in_batch, Way::queue})
        for (const std::int64_t wait_ns : {0, 20'000, 200'000})
            stress(deadline_against_route<Threads, Queue>(
                       {.way = way, .wait_ns = wait_ns, .blink_ns = kAnyTime}),
                   100);
}

TEST(GateStress, stuck_in_mid_send) {
    stress(stuck_in_mid_send<Threads, Queue>(Way::lane, Way::queue), 50);
    stress(stuck_in_mid_send<Threads, Queue>(Way::queue, Way::lane), 50);
    stress(stuck_in_mid_send<Threads, Queue>(Way::queue, Way::queue), 50);
}

TEST(OutletStress, push_against_wait) {
    for (const bool epoll : {false, true})
        for (const bool flush_each : {false, true})
            stress(push_against_wait<Threads>(
                       {.workers = 3, .results = 300, .flush_each = flush_each, .epoll = epoll}),
                   50);
}

TEST(OutletStress, push_against_death) {
    for (const int received : {0, 1, 500})
        stress(push_against_death<Threads>(3, received), 100);
}

using ProductGate = takt::Gate<takt::StdPolicy>;

// Eight threads hammer, through the queue's thread-kept senders and through producers that come and
// go, while the gate is closed under them. What was answered ok is routed, in order, and no more.
TEST(GateStress, eight_threads_hammer_through_the_close) {
    constexpr int kThreads = 8;
    for (int run = 0; run < 20; ++run) {
        takt::Doorbell<takt::StdPolicy> bell;
        ProductGate gate(bell, {.bounds = {.share_bytes = 16'384}});
        std::atomic<int> ready{0};
        std::array<std::atomic<std::uint64_t>, kThreads> accepted{};
        std::array<std::atomic<std::uint64_t>, kThreads> refused{};
        std::vector<std::thread> threads;
        for (int number = 0; number < kThreads; ++number)
            threads.emplace_back([&, number] {
                const auto at = static_cast<std::size_t>(number);
                const auto address = static_cast<std::uint64_t>(number);
                takt::Producer<takt::StdPolicy> producer;
                if (number % 2 == 0)
                    producer = gate.register_producer();
                ready.fetch_add(1);
                for (std::uint64_t sequence = 0; refused[at] < 100; ++sequence) {
                    const SendResult result = number % 2 == 0
                                                  ? producer.send<std::uint64_t>(address, sequence)
                                                  : gate.send<std::uint64_t>(address, sequence);
                    if (result == SendResult::ok)
                        ++accepted[at];
                    else if (result == SendResult::closed)
                        ++refused[at];
                    else
                        --sequence; // full: the same again
                }
            });
        std::array<std::uint64_t, kThreads> routed{};
        const auto round = [&] {
            gate.admit();
            gate.route([&](std::uint64_t address, const auto&, void* payload) {
                EXPECT_EQ(*static_cast<std::uint64_t*>(payload), routed[address]++);
            });
        };
        while (ready.load() < kThreads)
            round();
        for (int rounds = 0; rounds < 5 * run; ++rounds)
            round();
        gate.close();
        while (!gate.quiet())
            round();
        round();
        round();
        const takt::GateCounts at_quiet = gate.counts();
        EXPECT_EQ(at_quiet.inside(), 0u);
        for (std::thread& thread : threads)
            thread.join();
        for (std::size_t at = 0; at < kThreads; ++at)
            EXPECT_EQ(routed[at], accepted[at].load()) << "thread " << at;
        const takt::GateCounts counts = gate.counts();
        EXPECT_EQ(counts.entered, at_quiet.entered) << "somebody came in after it was quiet";
        EXPECT_EQ(counts.refused_closed, std::uint64_t{100 * kThreads});
        if (::testing::Test::HasFailure())
            return;
    }
}

// A constructor that takes two seconds is a producer stopped between reserve and commit.
struct TakesTwoSeconds {
    TakesTwoSeconds() { std::this_thread::sleep_for(std::chrono::seconds(2)); }
};

TEST(GateStress, a_producer_stopped_for_two_seconds_delays_its_own_mail_only) {
    takt::Doorbell<takt::StdPolicy> bell;
    ProductGate gate(bell);
    std::thread stopped_lane([&] {
        auto producer = gate.register_producer();
        EXPECT_EQ(producer.send<TakesTwoSeconds>(1), SendResult::ok);
        EXPECT_EQ(producer.send<int>(2, 0), SendResult::ok);
    });
    std::thread stopped_queue([&] {
        EXPECT_EQ(gate.send<TakesTwoSeconds>(3), SendResult::ok);
        EXPECT_EQ(gate.send<int>(4, 0), SendResult::ok);
    });
    std::thread lane([&] {
        auto producer = gate.register_producer();
        while (producer.send_until<int>(takt::kNever, 5, 0) == SendResult::ok) {
        }
    });
    std::thread queue([&] {
        while (gate.send_until<int>(takt::kNever, 6, 0) == SendResult::ok) {
        }
    });
    const std::int64_t start_ns = takt::now_ns();
    std::vector<std::uint64_t> stopped; // in the order of its coming
    std::int64_t longest_gap_ns = 0;
    std::int64_t last_ns = start_ns;
    while (stopped.size() < 4) {
        gate.admit();
        gate.route([&](std::uint64_t address, const auto&, void*) {
            if (address <= 4) {
                stopped.push_back(address);
                EXPECT_GE(takt::now_ns() - start_ns, 1'900'000'000);
            } else {
                longest_gap_ns = std::max(longest_gap_ns, takt::now_ns() - last_ns);
                last_ns = takt::now_ns();
            }
        });
    }
    gate.close();
    for (std::thread* thread : {&stopped_lane, &stopped_queue, &lane, &queue})
        thread->join();
    EXPECT_LT(longest_gap_ns, 1'000'000'000) << "the others waited, too";
    const auto position = [&](std::uint64_t address) {
        return std::find(stopped.begin(), stopped.end(), address);
    };
    EXPECT_LT(position(1), position(2));
    EXPECT_LT(position(3), position(4));
}

// Senders and the gate go in any order; the last one clears up.
TEST(GateStress, gates_and_threads_die_in_any_order) {
    for (int run = 0; run < 200; ++run) {
        takt::Doorbell<takt::StdPolicy> bell;
        auto gate = std::make_unique<ProductGate>(bell);
        std::atomic<int> sent{0};
        std::vector<std::thread> threads;
        for (int number = 0; number < 3; ++number)
            threads.emplace_back([&, number, producer = gate->register_producer()]() mutable {
                EXPECT_EQ(gate->send<Letter<Threads>>(1, number, 0), SendResult::ok);
                EXPECT_EQ(producer.send<int>(1, 1), SendResult::ok);
                ++sent;
                while (producer.send<int>(1, 1) != SendResult::closed)
                    std::this_thread::yield();
            });
        while (sent.load() < 3)
            std::this_thread::yield();
        gate->close();
        while (!gate->quiet())
            std::this_thread::yield();
        gate.reset();
        for (std::thread& thread : threads)
            thread.join();
    }
}

TEST(OutletStress, a_receiver_dies_while_workers_push) {
    static std::atomic<int> live{0};
    struct Result {
        Result() { ++live; }
        Result(Result&&) noexcept { ++live; }
        ~Result() { --live; }
    };
    for (int run = 0; run < 200; ++run) {
        auto outlet = std::make_unique<takt::Outlet<Result>>(2);
        std::vector<std::thread> workers;
        for (int worker = 0; worker < 2; ++worker)
            workers.emplace_back([sender = outlet->sender(worker)]() mutable {
                for (SendResult result = SendResult::ok; result != SendResult::closed;) {
                    result = sender.push();
                    sender.flush();
                }
            });
        outlet->wait();
        outlet->try_receive();
        outlet.reset();
        for (std::thread& worker : workers)
            worker.join();
        workers.clear();
        EXPECT_EQ(live.load(), 0);
    }
}

} // namespace
