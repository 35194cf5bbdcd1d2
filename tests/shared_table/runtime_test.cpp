// SPDX-License-Identifier: MIT
// Shared tables in a runtime: by name, in messages, in both phases, and with next_round delivery.
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace {

using takt::Actor;
using takt::Delivery;
using takt::PhaseError;
using takt::Runtime;
using takt::SharedTable;
using takt::SharedTableRegistry;

constexpr takt::Topic<int> kGo{"Go"};
constexpr takt::Topic<SharedTable> kTable{"Table"};

takt::Config config_of(int workers, Delivery delivery = Delivery::immediate) {
    return {.workers = {.count = workers, .pin = false},
            .frame = {.delivery = delivery},
            .checks = {.level = takt::CheckLevel::always},
            .failure = {.policy = takt::FailurePolicy::resume}};
}

/// What `use` raises in a parallel handler of actor "writer"; "" when nothing.
std::string refusal_in_parallel(Runtime& runtime, const std::function<void()>& use) {
    std::string said;
    const takt::ActorRef writer = runtime.spawn_actor({.name = "writer"}, [&](Actor& self) {
        self.bind_parallel(kGo, [&](int) {
            try {
                use();
            } catch (const PhaseError& error) {
                said = error.what();
            }
        });
    });
    writer.send(kGo, 1);
    runtime.run_until_idle();
    return said;
}

// --- by name -------------------------------------------------------------------------------------

TEST(SharedTableRegistry, makes_a_table_once_and_finds_it) {
    Runtime runtime(config_of(1));
    SharedTableRegistry& tables = runtime.shared_tables();
    EXPECT_FALSE(tables.find("scores").has_value());
    SharedTable scores = tables.get_or_create("scores");
    EXPECT_EQ(scores.size(), 0u);
    scores.set("ada", 3);
    EXPECT_EQ(tables.get_or_create("scores"), scores);
    EXPECT_EQ(tables.find("scores"), scores);
    EXPECT_EQ(tables.get_or_create("scores").get<std::int64_t>("ada"), 3);
    EXPECT_NE(tables.get_or_create("other"), scores);
    EXPECT_EQ(tables.names(), (std::vector<std::string>{"other", "scores"}));
}

TEST(SharedTableRegistry, a_name_can_be_given_to_another_table_and_taken_away) {
    Runtime runtime(config_of(1));
    SharedTableRegistry& tables = runtime.shared_tables();
    const SharedTable first = tables.get_or_create("world");
    const SharedTable second({{"gold", 5}});
    tables.set("world", second);
    EXPECT_EQ(tables.find("world"), second);
    EXPECT_EQ(first.size(), 0u); // who has it keeps it
    EXPECT_TRUE(tables.erase("world"));
    EXPECT_FALSE(tables.erase("world"));
    EXPECT_FALSE(tables.find("world").has_value());
    EXPECT_EQ(second.get<std::int64_t>("gold"), 5);
    EXPECT_EQ(tables.get_or_create("world").size(), 0u);
}

TEST(SharedTableRegistry, all_who_ask_at_once_get_one_table) {
    constexpr int kNames = 200;
    Runtime runtime(config_of(2));
    std::vector<takt::ActorRef> actors;
    std::vector<std::vector<SharedTable>> got(6, std::vector<SharedTable>(kNames));
    const auto ask = [&](std::size_t who) {
        for (int name = 0; name < kNames; ++name) {
            got[who][static_cast<std::size_t>(name)] =
                runtime.shared_tables().get_or_create(std::to_string(name));
            got[who][static_cast<std::size_t>(name)].update("asked", [](const auto& now) {
                return now ? std::get<std::int64_t>(*now) + 1 : 1;
            });
        }
    };
    for (std::size_t who = 0; who < 4; ++who)
        actors.push_back(runtime.spawn_actor(
            {}, [&, who](Actor& self) { self.bind_parallel(kGo, [&, who](int) { ask(who); }); }));
    for (const takt::ActorRef actor : actors)
        actor.send(kGo, 1);
    std::thread one([&] { ask(4); }), other([&] { ask(5); });
    runtime.run_until_idle();
    one.join();
    other.join();
    for (int name = 0; name < kNames; ++name) {
        const SharedTable table = *runtime.shared_tables().find(std::to_string(name));
        EXPECT_EQ(table.get<std::int64_t>("asked"), 6) << name;
        for (std::size_t who = 0; who < got.size(); ++who)
            EXPECT_EQ(got[who][static_cast<std::size_t>(name)], table) << name << " of " << who;
    }
}

TEST(SharedTableRegistry, two_runtimes_do_not_share_names) {
    Runtime one(config_of(1)), other(config_of(1));
    one.shared_tables().get_or_create("world");
    EXPECT_FALSE(other.shared_tables().find("world").has_value());
}

TEST(SharedTableRegistry, a_table_outlives_its_runtime) {
    SharedTable kept;
    {
        Runtime runtime(config_of(1));
        kept = runtime.shared_tables().get_or_create("world");
        kept.set("gold", 7);
    }
    EXPECT_EQ(kept.get<std::int64_t>("gold"), 7);
}

// --- in messages ---------------------------------------------------------------------------------

TEST(SharedTableInMessages, travels_without_a_copy) {
    for (const int workers : {1, 2, 4}) {
        Runtime runtime(config_of(workers));
        constexpr int kEach = 100;
        std::vector<takt::ActorRef> actors;
        for (int number = 0; number < 8; ++number)
            actors.push_back(runtime.spawn_actor({}, [&](Actor& self) {
                self.bind_parallel(kTable, [](SharedTable table) { table.increment("hits", 1); });
            }));
        SharedTable table({{"hits", 0}});
        for (int round = 0; round < kEach; ++round)
            for (const takt::ActorRef actor : actors)
                actor.send(kTable, table);
        runtime.run_until_idle();
        EXPECT_EQ(table.get<std::int64_t>("hits"), 8 * kEach);
    }
}

TEST(SharedTableInMessages, what_is_never_read_lets_go_of_it) {
    SharedTable outer;
    {
        Runtime runtime(config_of(1));
        const takt::ActorRef nobody = runtime.spawn_actor({}, [](Actor&) {});
        SharedTable table({{"text", std::string(100'000, 'x')}});
        nobody.send(kTable, table);
        outer.set("inner", table);
    }
    const SharedTable inner = *outer.get<SharedTable>("inner");
    EXPECT_EQ(inner.get<std::string>("text")->size(), 100'000u);
}

// --- next_round ----------------------------------------------------------------------------------

TEST(SharedTableWithNextRound, is_not_written_in_the_parallel_phase) {
    Runtime runtime(config_of(2, Delivery::next_round));
    SharedTable table({{"n", 1}});
    EXPECT_EQ(
        refusal_in_parallel(runtime, [&] { table.set("n", 2); }),
        "takt: takt::SharedTable::set was used in the parallel phase by actor \"writer\". It is "
        "Read Parallel: read in both phases, written in the serial phase. With next_round "
        "delivery nothing may depend on timing: write shared tables from the serial phase, for "
        "example by commit(), or choose Delivery::immediate.");
    const auto is_refused = [&](const std::string& member, const std::function<void()>& use) {
        EXPECT_EQ(refusal_in_parallel(runtime, use).find("takt: takt::" + member + " was used"), 0u)
            << member;
    };
    is_refused("SharedTable::erase", [&] { table.erase("n"); });
    is_refused("SharedTable::increment", [&] { table.increment("n", 1); });
    is_refused("SharedTable::update", [&] { table.update("n", [](const auto&) { return 2; }); });
    is_refused("SharedTable::clear", [&] { table.clear(); });
    SharedTableRegistry& tables = runtime.shared_tables();
    is_refused("SharedTableRegistry::get_or_create", [&] { tables.get_or_create("new"); });
    is_refused("SharedTableRegistry::set", [&] { tables.set("new", table); });
    is_refused("SharedTableRegistry::erase", [&] { tables.erase("new"); });
    EXPECT_EQ(table.get<std::int64_t>("n"), 1);
    EXPECT_EQ(table.size(), 1u);
    EXPECT_TRUE(tables.names().empty());
}

TEST(SharedTableWithNextRound, is_read_cloned_and_made_in_the_parallel_phase) {
    Runtime runtime(config_of(2, Delivery::next_round));
    SharedTable table({{"n", 1}});
    runtime.shared_tables().set("known", table);
    EXPECT_EQ(refusal_in_parallel(runtime,
                                  [&] {
                                      EXPECT_EQ(table.get<std::int64_t>("n"), 1);
                                      EXPECT_EQ(table.clone().size(), 1u);
                                      EXPECT_TRUE(table.clone_and_freeze(true).is_frozen());
                                      EXPECT_EQ(SharedTable({{"m", 2}}).size(), 1u);
                                      EXPECT_EQ(runtime.shared_tables().get_or_create("known"),
                                                table);
                                  }),
              "");
}

TEST(SharedTableWithNextRound, is_written_in_the_serial_phase_and_from_outside) {
    Runtime runtime(config_of(2, Delivery::next_round));
    SharedTable table({{"n", 1}});
    EXPECT_EQ(refusal_in_parallel(runtime, [&] { takt::commit([&] { table.increment("n", 1); }); }),
              "");
    EXPECT_EQ(table.get<std::int64_t>("n"), 2);
    std::thread([&] { table.increment("n", 1); }).join();
    table.increment("n", 1); // between frames
    EXPECT_EQ(table.get<std::int64_t>("n"), 4);
}

TEST(SharedTableWithNextRound, an_unchecked_scope_lets_a_write_pass) {
    Runtime runtime(config_of(1, Delivery::next_round));
    SharedTable table({{"n", 1}});
    EXPECT_EQ(refusal_in_parallel(runtime,
                                  [&] {
                                      const takt::UncheckedScope alone;
                                      table.set("n", 2);
                                  }),
              "");
    EXPECT_EQ(table.get<std::int64_t>("n"), 2);
}

// --- garbage -------------------------------------------------------------------------------------

TEST(SharedTableGarbage, of_one_very_long_frame_is_bounded) {
    Runtime runtime(config_of(2));
    SharedTable table;
    std::size_t most = 0;
    const takt::ActorRef writer = runtime.spawn_actor({}, [&](Actor& self) {
        self.bind_parallel(kGo, [&](int) {
            const std::string text(1000, 'x');
            for (int write = 0; write < 100'000; ++write) { // 100 MB go through one key
                table.set("text", text);
                if (write % 64 == 0)
                    most = std::max(most, takt::shared_table_garbage_bytes());
            }
        });
    });
    writer.send(kGo, 1);
    runtime.step();
    EXPECT_GT(most, 0u);
    EXPECT_LT(most, 4u << 20);
}

} // namespace
