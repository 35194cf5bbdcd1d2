// SPDX-License-Identifier: MIT
// Every allocation of gate and outlet fails once: the answer is no_memory, the argument stays with
// the caller, the law holds, and the next try gets through. And no allocations in the steady state.
#include "gate/payloads.hpp"
#include "support/allocations.hpp"
#include "takt/mailbox.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace {

using namespace gate_test;
using takt::Publishing;
using takt::SendResult;
using takt::StdPolicy;
using Gate = takt::Gate<StdPolicy>;
using Bell = takt::Doorbell<StdPolicy>;

std::size_t round(Gate& gate) {
    gate.admit();
    return gate.route([](auto, const auto&, void*) {});
}

// Sends through `send(Counted&&)` while allocations fail, in a gate of its own each time.
template <class Way>
std::uint64_t fail_each_send(Way way) {
    return allocations::fail_each([&] {
        Bell bell;
        std::unique_ptr<Gate> gate;
        try {
            gate = std::make_unique<Gate>(bell);
        } catch (const std::bad_alloc&) {
            return;
        }
        way(*gate);
        EXPECT_EQ(Counted::live, 0);
    });
}

void expect_law(Gate& gate, std::uint64_t accepted) {
    const takt::GateCounts counts = gate.counts();
    EXPECT_EQ(counts.entered, accepted);
    EXPECT_EQ(counts.routed, accepted);
    EXPECT_EQ(counts.inside(), 0u);
}

TEST(Memory, a_producer_without_memory_leaves_the_argument_alone) {
    const auto failures = fail_each_send([](Gate& gate) {
        auto producer = gate.register_producer();
        if (!producer.registered())
            producer = gate.register_producer();
        ASSERT_TRUE(producer.registered());
        for (int number = 0; number < 2; ++number) {
            Counted letter(number);
            SendResult result = producer.send<Counted>(1, std::move(letter));
            if (result == SendResult::no_memory) {
                EXPECT_EQ(letter.value, number);
                result = producer.send<Counted>(1, std::move(letter));
            }
            EXPECT_EQ(result, SendResult::ok);
            EXPECT_EQ(letter.value, -1);
        }
        EXPECT_EQ(round(gate), 2u);
        expect_law(gate, 2);
    });
    EXPECT_GE(failures, 3u) << "the gate, the door, the lane's segment";
}

TEST(Memory, the_queue_without_memory_leaves_the_argument_alone) {
    const auto failures = fail_each_send([](Gate& gate) {
        std::uint64_t refused = 0;
        for (int number = 0; number < 200; ++number) {
            Counted letter(number);
            SendResult result = gate.send<Counted>(1, std::move(letter));
            if (result == SendResult::no_memory) {
                ++refused;
                EXPECT_EQ(letter.value, number);
                result = gate.send<Counted>(1, std::move(letter));
            }
            EXPECT_EQ(result, SendResult::ok);
        }
        EXPECT_EQ(round(gate), 200u);
        expect_law(gate, 200);
        EXPECT_EQ(gate.counts().refused_no_memory, refused);
    });
    EXPECT_GE(failures, 200u) << "a box for each, blocks of the queue";
}

TEST(Memory, an_unregistered_producer_says_why) {
    Bell bell;
    Gate gate(bell);
    allocations::fail_after(0);
    auto producer = gate.register_producer();
    allocations::fail_no_more();
    EXPECT_FALSE(producer.registered());
    EXPECT_EQ(producer.send<int>(1, 1), SendResult::no_memory);
    EXPECT_EQ(gate.counts().refused_no_memory, 1u);
}

TEST(Memory, an_outlet_without_memory_leaves_the_argument_alone) {
    const auto failures = allocations::fail_each([] {
        std::unique_ptr<takt::Outlet<Counted>> outlet;
        try {
            outlet = std::make_unique<takt::Outlet<Counted>>(2);
        } catch (const std::bad_alloc&) {
            return;
        }
        auto sender = outlet->sender(1);
        Counted result(1);
        SendResult answer = sender.push(std::move(result));
        if (answer == SendResult::no_memory) {
            EXPECT_EQ(result.value, 1);
            EXPECT_EQ(outlet->counts().pushed, 0u);
            answer = sender.push(std::move(result));
        }
        EXPECT_EQ(answer, SendResult::ok);
        sender.flush();
        EXPECT_EQ(outlet->drain([](Counted&&) {}), 1u);
    });
    EXPECT_GE(failures, 4u);
    EXPECT_EQ(Counted::live, 0);
}

TEST(Memory, producers_and_outlets_allocate_nothing_in_the_steady_state) {
    Bell bell;
    Gate gate(bell);
    auto producer = gate.register_producer();
    takt::Outlet<int> outlet(1);
    auto sender = outlet.sender(0);
    const auto work = [&] {
        for (int number = 0; number < 100; ++number) {
            EXPECT_EQ(producer.send<int>(1, number), SendResult::ok);
            EXPECT_EQ(sender.push(number), SendResult::ok);
        }
        sender.flush();
        EXPECT_EQ(round(gate), 100u);
        EXPECT_EQ(outlet.drain([](int) {}), 100u);
    };
    for (int warm_up = 0; warm_up < 20; ++warm_up)
        work();
    const std::uint64_t before = allocations::count();
    for (int again = 0; again < 100; ++again)
        work();
    EXPECT_EQ(allocations::count(), before);
}

} // namespace
