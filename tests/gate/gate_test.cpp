// SPDX-License-Identifier: MIT
#include "gate/payloads.hpp"
#include "takt/mailbox.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace gate_test;
using takt::GateCounts;
using takt::Overflow;
using takt::Publishing;
using takt::SendResult;
using takt::StdPolicy;
using Gate = takt::Gate<StdPolicy>;
using Producer = takt::Producer<StdPolicy>;
using Bell = takt::Doorbell<StdPolicy>;

struct Routed {
    std::uint64_t address;
    int value;
    bool operator==(const Routed&) const = default;
};

std::vector<Routed> route(Gate& gate, std::size_t limit = SIZE_MAX) {
    std::vector<Routed> mail;
    gate.route(
        [&](std::uint64_t address, const takt::RecordType& type, void* payload) {
            const int value = &type == &takt::record_type_of<Counted>
                                  ? static_cast<Counted*>(payload)->value
                                  : *static_cast<int*>(payload);
            mail.push_back({address, value});
        },
        limit);
    return mail;
}

std::vector<Routed> round(Gate& gate) {
    gate.admit();
    return route(gate);
}

// A gate whose law is looked at when the test ends, and whose payloads all are gone then.
class GateTest : public ::testing::Test {
  protected:
    ~GateTest() override { EXPECT_EQ(Counted::live, 0); }
    static void expect_law(Gate& gate, std::uint64_t accepted) {
        const GateCounts counts = gate.counts();
        EXPECT_EQ(counts.accepted(), accepted);
        EXPECT_EQ(counts.entered, counts.routed + counts.dropped_oldest + counts.discarded);
    }
    static takt::Bounds room_for(std::uint64_t messages, Overflow overflow = Overflow::reject) {
        return {.share_bytes = messages * 2 * takt::kRecordUnit, .overflow = overflow};
    }
    Bell bell;
};

TEST_F(GateTest, routes_lanes_in_the_order_of_registration_and_then_the_queue) {
    Gate gate(bell);
    EXPECT_EQ(gate.send<int>(1, 10), SendResult::ok);
    Producer first = gate.register_producer();
    Producer second = gate.register_producer();
    EXPECT_EQ(second.send<int>(2, 20), SendResult::ok);
    EXPECT_EQ(first.send<int>(3, 30), SendResult::ok);
    EXPECT_EQ(first.send<int>(3, 31), SendResult::ok);
    EXPECT_EQ(round(gate), (std::vector<Routed>{{3, 30}, {3, 31}, {2, 20}, {1, 10}}));
    expect_law(gate, 4);
}

TEST_F(GateTest, G4_routes_what_was_there_at_the_start_of_the_round_and_nothing_later) {
    Gate gate(bell);
    Producer producer = gate.register_producer();
    EXPECT_EQ(producer.send<int>(1, 1), SendResult::ok);
    EXPECT_EQ(gate.send<int>(1, 2), SendResult::ok);
    gate.admit();
    EXPECT_EQ(producer.send<int>(1, 3), SendResult::ok);
    EXPECT_EQ(gate.send<int>(1, 4), SendResult::ok);
    EXPECT_EQ(route(gate), (std::vector<Routed>{{1, 1}, {1, 2}}));
    EXPECT_EQ(gate.counts().inside(), 2u);
    EXPECT_EQ(round(gate), (std::vector<Routed>{{1, 3}, {1, 4}}));
    expect_law(gate, 4);
}

TEST_F(GateTest, G4_admits_nothing_new_before_the_rest_of_a_limited_round_is_routed) {
    Gate gate(bell);
    Producer first = gate.register_producer();
    Producer second = gate.register_producer();
    for (int number = 0; number < 2; ++number) {
        EXPECT_EQ(first.send<int>(1, number), SendResult::ok);
        EXPECT_EQ(second.send<int>(2, number), SendResult::ok);
    }
    gate.admit();
    EXPECT_EQ(route(gate, 3), (std::vector<Routed>{{1, 0}, {1, 1}, {2, 0}}));
    EXPECT_EQ(first.send<int>(1, 2), SendResult::ok);
    EXPECT_EQ(round(gate), (std::vector<Routed>{{2, 1}})) << "the oldest first";
    EXPECT_EQ(round(gate), (std::vector<Routed>{{1, 2}}));
    expect_law(gate, 5);
}

TEST_F(GateTest, a_producer_in_batches_is_seen_at_its_flush_and_at_its_end) {
    Gate gate(bell);
    {
        Producer producer = gate.register_producer(Publishing::in_batch);
        EXPECT_EQ(producer.send<int>(1, 1), SendResult::ok);
        EXPECT_TRUE(round(gate).empty());
        EXPECT_EQ(gate.counts().inside(), 1u);
        producer.flush();
        EXPECT_EQ(round(gate), (std::vector<Routed>{{1, 1}}));
        EXPECT_EQ(producer.send<int>(1, 2), SendResult::ok);
    }
    EXPECT_EQ(round(gate), (std::vector<Routed>{{1, 2}}));
    expect_law(gate, 2);
}

TEST_F(GateTest, forgets_a_producer_that_left_once_its_mail_is_routed_and_keeps_its_counts) {
    Gate gate(bell);
    {
        Producer producer = gate.register_producer();
        EXPECT_EQ(producer.send<int>(1, 1), SendResult::ok);
    }
    std::thread([&] { EXPECT_EQ(gate.send<int>(1, 2), SendResult::ok); }).join();
    gate.admit();
    EXPECT_EQ(gate.senders(), 2u);
    EXPECT_EQ(route(gate).size(), 2u);
    gate.admit();
    EXPECT_EQ(gate.senders(), 0u);
    expect_law(gate, 2);
}

TEST_F(GateTest, move_only_payloads_are_moved_out_and_destroyed_once) {
    Gate gate(bell);
    Producer producer = gate.register_producer();
    EXPECT_EQ(producer.send<Counted>(1, Counted(1)), SendResult::ok);
    EXPECT_EQ(gate.send<Counted>(1, Counted(2)), SendResult::ok);
    EXPECT_EQ(Counted::live, 2);
    gate.admit();
    std::vector<Counted> kept;
    gate.route([&](auto, const auto&, void* payload) {
        kept.push_back(std::move(*static_cast<Counted*>(payload)));
    });
    ASSERT_EQ(kept.size(), 2u);
    EXPECT_EQ(kept[0].value + kept[1].value, 3);
    EXPECT_EQ(Counted::live, 2);
    expect_law(gate, 2);
}

TEST_F(GateTest, over_aligned_payloads_are_aligned_on_both_ways) {
    Gate gate(bell);
    Producer producer = gate.register_producer();
    for (int number = 0; number < 3; ++number) {
        EXPECT_EQ(producer.send<Wide>(1, number), SendResult::ok);
        EXPECT_EQ(gate.send<Wide>(1, number), SendResult::ok);
    }
    gate.admit();
    const auto routed = gate.route([&](auto, const auto&, void* payload) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(payload) % alignof(Wide), 0u);
    });
    EXPECT_EQ(routed, 6u);
    expect_law(gate, 6);
}

TEST_F(GateTest, a_throwing_constructor_sends_nothing) {
    Gate gate(bell);
    Producer producer = gate.register_producer();
    EXPECT_THROW((void)producer.send<Throws>(1), std::runtime_error);
    EXPECT_THROW((void)gate.send<Throws>(1), std::runtime_error);
    EXPECT_EQ(producer.send<int>(1, 1), SendResult::ok);
    EXPECT_EQ(gate.send<int>(1, 2), SendResult::ok);
    EXPECT_EQ(round(gate), (std::vector<Routed>{{1, 1}, {1, 2}}));
    EXPECT_EQ(Throws::destroyed, 0);
    expect_law(gate, 2);
    gate.close();
    EXPECT_TRUE(gate.quiet()) << "who threw is outside again";
}

TEST_F(GateTest, a_throwing_visitor_loses_its_own_message_only) {
    Gate gate(bell);
    Producer producer = gate.register_producer();
    for (int number = 0; number < 2; ++number) {
        EXPECT_EQ(producer.send<Counted>(1, Counted(number)), SendResult::ok);
        EXPECT_EQ(gate.send<Counted>(1, Counted(number)), SendResult::ok);
    }
    gate.admit();
    for (int number = 0; number < 4; ++number)
        EXPECT_THROW(gate.route([](auto, const auto&, void*) { throw 1; }), int);
    EXPECT_EQ(gate.route([](auto, const auto&, void*) {}), 0u);
    EXPECT_EQ(Counted::live, 0);
    expect_law(gate, 4);
}

TEST_F(GateTest, G6_a_closed_gate_refuses_and_leaves_the_argument_alone) {
    Gate gate(bell);
    Producer producer = gate.register_producer();
    EXPECT_EQ(producer.send<Counted>(1, Counted(1)), SendResult::ok);
    EXPECT_EQ(gate.send<Counted>(1, Counted(2)), SendResult::ok);
    EXPECT_FALSE(gate.quiet());
    gate.close();
    EXPECT_TRUE(gate.quiet());
    {
        Counted kept(3);
        EXPECT_EQ(producer.send<Counted>(1, std::move(kept)), SendResult::closed);
        EXPECT_EQ(gate.send<Counted>(1, std::move(kept)), SendResult::closed);
        EXPECT_EQ(kept.value, 3);
        std::thread([&] {
            EXPECT_EQ(gate.send<Counted>(1, std::move(kept)), SendResult::closed);
        }).join();
        Producer late = gate.register_producer();
        EXPECT_FALSE(late.registered());
        EXPECT_EQ(late.send<Counted>(1, std::move(kept)), SendResult::closed);
        EXPECT_EQ(late.send_until<Counted>(takt::kNever, 1, std::move(kept)), SendResult::closed);
        EXPECT_EQ(kept.value, 3);
    }
    EXPECT_EQ(round(gate), (std::vector<Routed>{{1, 1}, {1, 2}}));
    expect_law(gate, 2);
    EXPECT_EQ(gate.counts().refused_closed, 5u);
}

TEST_F(GateTest, G6_what_is_inside_when_the_gate_dies_is_counted_and_destroyed_once) {
    {
        Gate gate(bell);
        Producer producer = gate.register_producer(Publishing::in_batch);
        EXPECT_EQ(producer.send<Counted>(1, Counted(1)), SendResult::ok);
        producer.flush();
        EXPECT_EQ(producer.send<Counted>(1, Counted(2)), SendResult::ok);
        EXPECT_EQ(gate.send<Counted>(1, Counted(3)), SendResult::ok);
        EXPECT_EQ(gate.send<Counted>(1, Counted(4)), SendResult::ok);
        gate.admit();
        EXPECT_EQ(route(gate, 1), (std::vector<Routed>{{1, 1}}));
        gate.close();
        EXPECT_EQ(gate.discard(), 2u);
        EXPECT_EQ(gate.counts().discarded, 2u);
        EXPECT_EQ(gate.counts().inside(), 1u) << "what the batch holds back";
        EXPECT_EQ(Counted::live, 1);
    }
    EXPECT_EQ(Counted::live, 0);
}

TEST_F(GateTest, senders_may_outlive_the_gate) {
    Producer producer;
    EXPECT_EQ(producer.send<int>(1, 1), SendResult::closed) << "it was never registered";
    {
        Gate gate(bell);
        producer = gate.register_producer(Publishing::in_batch);
        EXPECT_EQ(producer.send<Counted>(1, Counted(1)), SendResult::ok);
        EXPECT_EQ(gate.send<Counted>(1, Counted(2)), SendResult::ok);
    }
    EXPECT_EQ(producer.send<Counted>(1, Counted(3)), SendResult::closed);
    producer.flush();
    Gate another(bell);
    EXPECT_EQ(another.send<int>(1, 4), SendResult::ok) << "the thread's old sender is gone";
    EXPECT_EQ(round(another), (std::vector<Routed>{{1, 4}}));
    producer = Producer();
    EXPECT_EQ(Counted::live, 0);
}

TEST_F(GateTest, C1_a_full_share_refuses_and_leaves_the_argument_alone) {
    Gate gate(bell, {.bounds = room_for(2)});
    Producer producer = gate.register_producer();
    for (int number = 0; number < 2; ++number) {
        EXPECT_EQ(producer.send<Counted>(1, Counted(number)), SendResult::ok);
        EXPECT_EQ(gate.send<Counted>(2, Counted(number)), SendResult::ok);
    }
    {
        Counted kept(9);
        EXPECT_EQ(producer.send<Counted>(1, std::move(kept)), SendResult::full);
        EXPECT_EQ(gate.send<Counted>(2, std::move(kept)), SendResult::full);
        const std::int64_t soon_ns = takt::now_ns() + 1'000'000;
        EXPECT_EQ(producer.send_until<Counted>(soon_ns, 1, std::move(kept)), SendResult::full);
        EXPECT_EQ(gate.send_until<Counted>(soon_ns, 2, std::move(kept)), SendResult::full);
        EXPECT_GE(takt::now_ns(), soon_ns);
        EXPECT_EQ(kept.value, 9);
        EXPECT_EQ(producer.send_control<Counted>(1, std::move(kept)), SendResult::ok);
        EXPECT_EQ(gate.send_control<Counted>(2, Counted(9)), SendResult::ok);
    }
    EXPECT_EQ(round(gate).size(), 6u);
    EXPECT_EQ(producer.send<Counted>(1, Counted(3)), SendResult::ok);
    EXPECT_EQ(gate.send<Counted>(2, Counted(3)), SendResult::ok);
    EXPECT_EQ(round(gate), (std::vector<Routed>{{1, 3}, {2, 3}}));
    expect_law(gate, 8);
    EXPECT_EQ(gate.counts().refused_full, 4u);
}

TEST_F(GateTest, a_batch_that_uses_up_its_share_is_published_when_it_is_refused) {
    Gate gate(bell, {.bounds = room_for(1)});
    Producer producer = gate.register_producer(Publishing::in_batch);
    EXPECT_EQ(producer.send<int>(1, 1), SendResult::ok);
    EXPECT_EQ(producer.send<int>(1, 2), SendResult::full);
    EXPECT_EQ(round(gate), (std::vector<Routed>{{1, 1}}));
    EXPECT_EQ(producer.send<int>(1, 2), SendResult::ok);
}

TEST_F(GateTest, drop_newest_accepts_drops_and_counts) {
    Gate gate(bell, {.bounds = room_for(1, Overflow::drop_newest)});
    Producer producer = gate.register_producer();
    for (int number = 0; number < 3; ++number) {
        EXPECT_EQ(producer.send<Counted>(1, Counted(number)), SendResult::ok);
        EXPECT_EQ(gate.send_until<Counted>(takt::kNever, 2, Counted(number)), SendResult::ok);
    }
    EXPECT_EQ(round(gate), (std::vector<Routed>{{1, 0}, {2, 0}}));
    expect_law(gate, 6);
    EXPECT_EQ(gate.counts().dropped_newest, 4u);
}

TEST_F(GateTest, drop_oldest_keeps_what_fits_and_control_mail_and_counts) {
    takt::Bounds bounds = room_for(2, Overflow::drop_oldest);
    bounds.is_control = [](std::uint64_t address, const takt::RecordType&) { return address == 9; };
    Gate gate(bell, {.bounds = bounds});
    Producer producer = gate.register_producer();
    EXPECT_EQ(producer.send_control<Counted>(9, Counted(0)), SendResult::ok);
    EXPECT_EQ(gate.send_control<Counted>(9, Counted(0)), SendResult::ok);
    for (int number = 1; number < 5; ++number) {
        EXPECT_EQ(producer.send<Counted>(1, Counted(number)), SendResult::ok);
        EXPECT_EQ(gate.send<Counted>(2, Counted(number)), SendResult::ok);
    }
    EXPECT_EQ(round(gate), (std::vector<Routed>{{9, 0}, {1, 3}, {1, 4}, {9, 0}, {2, 3}, {2, 4}}));
    EXPECT_EQ(Counted::live, 0);
    expect_law(gate, 10);
    EXPECT_EQ(gate.counts().dropped_oldest, 4u);
}

TEST_F(GateTest, drop_oldest_fills_a_limited_round_with_what_it_keeps) {
    Gate gate(bell, {.bounds = room_for(2, Overflow::drop_oldest)});
    Producer producer = gate.register_producer();
    for (int number = 0; number < 5; ++number)
        EXPECT_EQ(producer.send<Counted>(1, Counted(number)), SendResult::ok);
    gate.admit();
    EXPECT_EQ(route(gate, 1), (std::vector<Routed>{{1, 3}}));
    EXPECT_EQ(route(gate, 1), (std::vector<Routed>{{1, 4}}));
    expect_law(gate, 5);
}

TEST_F(GateTest, keep_latest_keeps_the_newest_of_each_sender) {
    Gate gate(bell, {.bounds = room_for(2, Overflow::keep_latest)});
    Producer producer = gate.register_producer();
    for (int number = 0; number < 5; ++number) {
        EXPECT_EQ(producer.send<Counted>(1, Counted(number)), SendResult::ok);
        EXPECT_EQ(gate.send<Counted>(2, Counted(number)), SendResult::ok);
    }
    EXPECT_EQ(round(gate), (std::vector<Routed>{{1, 4}, {2, 4}}));
    expect_law(gate, 10);
    EXPECT_EQ(gate.counts().dropped_oldest, 8u);
}

TEST_F(GateTest, a_backlog_refuses_where_the_reader_drops) {
    takt::Bounds bounds = room_for(1, Overflow::drop_oldest);
    bounds.backlog_bytes = room_for(3).share_bytes;
    Gate gate(bell, {.bounds = bounds});
    Producer producer = gate.register_producer();
    for (int number = 0; number < 3; ++number)
        EXPECT_EQ(producer.send<int>(1, number), SendResult::ok);
    EXPECT_EQ(producer.send<int>(1, 3), SendResult::full);
    EXPECT_EQ(round(gate), (std::vector<Routed>{{1, 2}}));
    EXPECT_EQ(producer.send<int>(1, 3), SendResult::ok);
}

TEST_F(GateTest, segments_are_used_again_in_the_steady_state) {
    Gate gate(bell, {.lane = {.segment_units = 16, .start = 0xffff'ff00}});
    Producer producer = gate.register_producer();
    int expected = 0;
    for (int number = 0; number <= 1001; ++number) {
        EXPECT_EQ(producer.send<int>(1, number), SendResult::ok);
        if (number % 7 != 0)
            continue;
        for (const Routed& mail : round(gate))
            EXPECT_EQ(mail.value, expected++);
    }
}

TEST_F(GateTest, a_sleeping_owner_rises_for_mail_for_its_own_condition_and_in_time) {
    Gate gate(bell);
    Producer producer = gate.register_producer();
    gate.admit();
    EXPECT_FALSE(gate.moved());
    EXPECT_FALSE(gate.sleep([] { return false; }, takt::now_ns() + 1'000'000));
    EXPECT_TRUE(gate.sleep([] { return true; }));
    EXPECT_EQ(producer.send<int>(1, 1), SendResult::ok);
    EXPECT_TRUE(gate.sleep([] { return false; }));
    EXPECT_EQ(round(gate).size(), 1u);
    EXPECT_EQ(gate.send<int>(1, 1), SendResult::ok);
    EXPECT_TRUE(gate.sleep([] { return false; }));
    EXPECT_EQ(round(gate).size(), 1u);
    EXPECT_FALSE(gate.moved());
}

// Sends from the destructor of a thread-local that outlives the thread's senders.
struct SendsLate {
    ~SendsLate() {
        if (gate != nullptr)
            last = gate->send<int>(1, 2);
    }
    Gate* gate = nullptr;
    static inline SendResult last = SendResult::ok;
};

TEST_F(GateTest, a_thread_that_is_nearly_over_is_answered_closed) {
    Gate gate(bell);
    std::thread([&] {
        thread_local SendsLate late; // before the senders, so destroyed after them
        late.gate = &gate;
        EXPECT_EQ(gate.send<int>(1, 1), SendResult::ok);
    }).join();
    EXPECT_EQ(SendsLate::last, SendResult::closed);
    EXPECT_EQ(round(gate), (std::vector<Routed>{{1, 1}}));
}

TEST_F(GateTest, a_payload_may_send_through_another_gate_while_it_is_made) {
    Gate outer(bell);
    Gate inner(bell);
    struct Sends {
        explicit Sends(Gate& gate) { EXPECT_EQ(gate.send<int>(2, 2), SendResult::ok); }
    };
    EXPECT_EQ(outer.send<Sends>(1, inner), SendResult::ok);
    outer.admit();
    EXPECT_EQ(outer.route([](auto, const auto&, void*) {}), 1u);
    EXPECT_EQ(round(inner), (std::vector<Routed>{{2, 2}}));
}

TEST(SendResult, has_a_name_for_each) {
    for (const SendResult result : {SendResult::ok, SendResult::dead, SendResult::full,
                                    SendResult::closed, SendResult::no_memory})
        EXPECT_STRNE(takt::name_of(result), "unknown");
    EXPECT_STREQ(takt::name_of(SendResult::no_memory), "no_memory");
}

TEST_F(GateTest, a_sender_that_moves_away_goes_on_where_it_was) {
    Gate gate(bell, {.bounds = room_for(2)});
    auto sender = gate.sender();
    EXPECT_EQ(sender.send<Counted>(1, 0), SendResult::ok);
    EXPECT_EQ(sender.send<Counted>(1, 1), SendResult::ok);
    EXPECT_EQ(round(gate).size(), 2u);
    EXPECT_FALSE(gate.moved());
    auto moved = std::move(sender);
    EXPECT_EQ(moved.send<Counted>(1, 2), SendResult::ok);
    EXPECT_TRUE(gate.moved()) << "else its owner sleeps";
    EXPECT_EQ(moved.send<Counted>(1, 3), SendResult::ok);
    EXPECT_EQ(moved.send<Counted>(1, 4), SendResult::full);
    EXPECT_EQ(round(gate).size(), 2u);
    EXPECT_FALSE(gate.moved());
    expect_law(gate, 4);
}

} // namespace
