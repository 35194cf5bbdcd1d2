// SPDX-License-Identifier: MIT
// Who hears that an attribute has changed, and when.
#include "model/model_support.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using takt::Attribute;
using takt::Instance;
using takt::testing::for_model;
using takt::testing::refusal_of;
using Values = std::vector<double>;

constexpr takt::Topic<> kGo{"Go"};
constexpr Attribute<double> kHealth{"Health"};
constexpr Attribute<std::string> kTeam{"Team"};

class AttributeSignals : public ::testing::TestWithParam<int> {
  protected:
    /// Notes the health, or -1 where there is none.
    void note() {
        const double* const health = npc.attribute(kHealth);
        heard.push_back(health == nullptr ? -1 : *health);
    }
    auto noting() {
        return [this] { note(); };
    }

    Values heard; // before the runtime, whose end may call listeners
    takt::Runtime runtime{for_model(GetParam())};
    takt::Serial serial = runtime.serial();
    takt::ActorRef actor = runtime.spawn_actor({.name = "npc"}, [](takt::Actor&) {});
    Instance npc = runtime.root().add_child(serial, "Npc", actor);
};
INSTANTIATE_TEST_SUITE_P(Workers, AttributeSignals, ::testing::Values(1, 2, 4));

TEST_P(AttributeSignals, fire_after_each_change_when_the_new_value_is_there) {
    npc.attribute_changed(serial, kHealth).connect(noting());
    npc.set_attribute(serial, kHealth, 95); // its first value is a change too
    npc.set_attribute(serial, kHealth, 90);
    npc.erase_attribute(serial, kHealth);
    EXPECT_EQ(heard, (Values{95, 90, -1}));
}

TEST_P(AttributeSignals, do_not_fire_for_an_equal_value_another_attribute_or_another_instance) {
    const Instance hat = npc.add_child(serial, "Hat");
    npc.set_attribute(serial, kHealth, 95);
    npc.attribute_changed(serial, kHealth).connect(noting());
    npc.set_attribute(serial, kHealth, 95);
    npc.set_attribute(serial, kTeam, "red");
    hat.set_attribute(serial, kHealth, 10);
    hat.erase_attribute(serial, kTeam);
    npc.erase_attribute(serial, kTeam);
    EXPECT_EQ(heard, Values());
}

TEST_P(AttributeSignals, fire_for_each_set_where_values_cannot_be_compared) {
    struct Thing {
        int number = 0;
    };
    static constexpr Attribute<Thing> kThing{"Thing"};
    static constexpr Attribute<std::vector<Thing>> kThings{"Things"};
    int fires = 0;
    npc.attribute_changed(serial, kThing).connect([&] { ++fires; });
    npc.attribute_changed(serial, kThings).connect([&] { ++fires; });
    npc.set_attribute(serial, kThing, {1});
    npc.set_attribute(serial, kThing, {1});
    npc.set_attribute(serial, kThings, {{1}});
    npc.set_attribute(serial, kThings, {{1}});
    EXPECT_EQ(fires, 4);
}

TEST_P(AttributeSignals, that_are_deferred_are_heard_in_the_next_round_once_for_each_change) {
    npc.attribute_changed(serial, kHealth, takt::Firing::deferred).connect(noting());
    npc.set_attribute(serial, kHealth, 95);
    npc.set_attribute(serial, kHealth, 90);
    EXPECT_EQ(heard, Values());
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Values{90, 90})); // listeners see what is there by then
}

TEST_P(AttributeSignals, of_both_kinds_and_once_and_wait_hear_the_same_change) {
    std::vector<std::string> order;
    const auto noting_as = [&](std::string name) {
        return [&order, name] { order.push_back(name); };
    };
    npc.attribute_changed(serial, kHealth).connect(noting_as("connect"));
    npc.attribute_changed(serial, kHealth).once(noting_as("once"));
    npc.attribute_changed(serial, kHealth, takt::Firing::deferred).connect(noting_as("deferred"));
    runtime.start([](takt::SignalSource<> signal, std::vector<std::string>& notes) -> takt::Task<> {
        co_await signal.wait();
        notes.push_back("wait");
    }(npc.attribute_changed(serial, kHealth), order));
    npc.set_attribute(serial, kHealth, 95);
    EXPECT_EQ(order, (std::vector<std::string>{"connect", "once", "wait"}));
    runtime.run_until_idle();
    EXPECT_EQ(order, (std::vector<std::string>{"connect", "once", "wait", "deferred"}));
    order.clear();
    npc.set_attribute(serial, kHealth, 90);
    runtime.run_until_idle();
    EXPECT_EQ(order, (std::vector<std::string>{"connect", "deferred"}));
}

TEST_P(AttributeSignals, reach_parallel_listeners_on_the_actors_worker) {
    takt::Phase phase = takt::Phase::outside;
    npc.connect_parallel(serial, npc.attribute_changed(serial, kHealth), [&] {
        phase = takt::current_phase();
        note();
    });
    npc.set_attribute(serial, kHealth, 95);
    EXPECT_EQ(heard, Values());
    runtime.run_until_idle();
    EXPECT_EQ(phase, takt::Phase::parallel);
    EXPECT_EQ(heard, (Values{95}));
}

TEST_P(AttributeSignals, a_change_by_commit_is_heard_in_that_serial_phase) {
    npc.attribute_changed(serial, kHealth).connect(noting());
    const takt::ActorRef writer = runtime.spawn_actor({}, [&](takt::Actor& self) {
        self.bind_parallel(kGo, [&] {
            takt::commit([&](takt::Serial token) {
                npc.set_attribute(token, kHealth, 95);
                EXPECT_EQ(heard.size(), 1u);
            });
        });
    });
    writer.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Values{95}));
}

// --- ends ---

TEST_P(AttributeSignals, three_that_are_queued_are_none_after_disconnect) {
    takt::Connection connection =
        npc.attribute_changed(serial, kHealth, takt::Firing::deferred).connect(noting());
    for (const double value : {1, 2, 3})
        npc.set_attribute(serial, kHealth, value);
    connection.disconnect();
    runtime.run_until_idle();
    EXPECT_EQ(heard, Values());
}

TEST_P(AttributeSignals, three_that_are_queued_are_one_for_once) {
    npc.attribute_changed(serial, kHealth, takt::Firing::deferred).once(noting());
    for (const double value : {1, 2, 3})
        npc.set_attribute(serial, kHealth, value);
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Values{3}));
}

TEST_P(AttributeSignals, three_that_are_queued_are_three_when_the_instance_goes) {
    npc.attribute_changed(serial, kHealth, takt::Firing::deferred).connect(noting());
    for (const double value : {1, 2, 3})
        npc.set_attribute(serial, kHealth, value);
    npc.destroy(serial);
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Values{-1, -1, -1}));
}

TEST_P(AttributeSignals, go_with_the_instance) {
    takt::SignalSource<> changed = npc.attribute_changed(serial, kHealth);
    const takt::Connection connection = changed.connect(noting());
    std::string waited;
    runtime.start([](takt::SignalSource<> signal, std::string& error) -> takt::Task<> {
        try {
            co_await signal.wait();
        } catch (const takt::Error& gone) {
            error = gone.what();
        }
    }(changed, waited));
    npc.destroy(serial);
    runtime.run_until_idle();
    EXPECT_FALSE(connection.connected());
    EXPECT_NE(waited.find("signal = \"Health\""), std::string::npos) << waited;
    EXPECT_EQ(refusal_of([&] { changed.connect(noting()); }),
              "takt: signal = \"Health\": it is gone. Connect before, or ask for it again.");
    std::string late;
    runtime.start([](takt::SignalSource<> signal, std::string& error) -> takt::Task<> {
        try {
            co_await signal.wait();
        } catch (const takt::Error& gone) {
            error = gone.what();
        }
    }(changed, late));
    EXPECT_EQ(late, "takt: signal = \"Health\": it is gone. Wait for one that is there.");
}

// --- what listeners may do ---

TEST_P(AttributeSignals, a_listener_may_destroy_the_instance) {
    npc.attribute_changed(serial, kHealth).connect([&] {
        note();
        if (const double* const health = npc.attribute(kHealth); health != nullptr && *health <= 0)
            npc.destroy(runtime.serial());
    });
    npc.set_attribute(serial, kHealth, 5);
    npc.set_attribute(serial, kHealth, 0);
    EXPECT_FALSE(npc.alive());
    runtime.run_until_idle();
    EXPECT_EQ(heard, (Values{5, 0}));
    EXPECT_FALSE(actor.alive());
}

TEST_P(AttributeSignals, a_listener_may_set_attributes_and_a_chain_of_ten_is_refused_by_name) {
    std::string refused;
    npc.attribute_changed(serial, kHealth).connect([&] {
        note();
        refused = refusal_of(
            [&] { npc.set_attribute(runtime.serial(), kHealth, *npc.attribute(kHealth) + 1); });
    });
    npc.set_attribute(serial, kHealth, 1);
    EXPECT_EQ(*npc.attribute(kHealth), 11); // the eleventh is set, and nobody is told
    EXPECT_EQ(heard.size(), 10u);
    EXPECT_EQ(refused, "nothing"); // of the outermost
}

// --- what is refused ---

TEST_P(AttributeSignals, of_another_type_are_refused_by_name) {
    static constexpr Attribute<int> kOther{"Health"};
    npc.set_attribute(serial, kHealth, 95);
    EXPECT_EQ(refusal_of([&] { npc.attribute_changed(serial, kOther); }),
              "takt: attribute = \"Health\": \"Npc\" has it as double, and it is used as int. Use "
              "one name for one type.");
}

TEST_P(AttributeSignals, are_unsafe_to_obtain_in_parallel) {
    std::string refused;
    const takt::ActorRef other = runtime.spawn_actor({.name = "other"}, [&](takt::Actor& self) {
        self.bind_parallel(
            kGo, [&] { refused = refusal_of([&] { npc.attribute_changed(serial, kHealth); }); });
    });
    other.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(refused.rfind("takt: takt::Instance::attribute_changed was used in the parallel "
                            "phase by actor \"other\". It is Unsafe",
                            0),
              0u)
        << refused;
}

} // namespace
