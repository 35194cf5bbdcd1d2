// SPDX-License-Identifier: MIT
// Shared state of the serial phase alone, the checks for functions, and code that is not checked.
#include "levels/levels_support.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using takt::testing_support::checked;
using takt::testing_support::text_of;

constexpr takt::Topic<> kGo{"Go"};

class Levels : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Workers, Levels, ::testing::Values(1, 2, 4));

/// Runs `use` once, as actor "hero", in the parallel phase.
void in_parallel(takt::Runtime& runtime, const std::function<void()>& use) {
    const takt::ActorRef hero = runtime.spawn_actor(
        {.name = "hero"}, [&](takt::Actor& self) { self.bind_parallel(kGo, [&use] { use(); }); });
    hero.send(kGo);
    runtime.run_until_idle();
    hero.destroy();
}

TEST_P(Levels, an_unsafe_value_is_read_and_written_in_the_serial_phase) {
    takt::Runtime runtime(checked(GetParam()));
    takt::Unsafe<std::vector<int>> values(2u, 5);
    for (int count = 0; count < 3; ++count)
        runtime
            .spawn_actor({},
                         [&](takt::Actor& self) {
                             self.bind(kGo, [&](takt::Serial serial) {
                                 values.write(serial).push_back(values->back() + 1);
                             });
                         })
            .send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(*values, (std::vector<int>{5, 5, 6, 7, 8}));
    EXPECT_EQ(values.read(runtime.serial()).size(), 5u);
}

TEST_P(Levels, an_unsafe_value_is_not_even_read_in_the_parallel_phase) {
    takt::Runtime runtime(checked(GetParam()));
    takt::Unsafe<int> value(3);
    std::string read;
    std::string arrow;
    in_parallel(runtime, [&] {
        read = text_of([&] { static_cast<void>(value.read()); });
        arrow = text_of([&] { static_cast<void>(*value); });
    });
    EXPECT_EQ(read, "takt: takt::Unsafe::read was used in the parallel phase by actor \"hero\". It "
                    "is Unsafe: in the serial phase only. Call it from the serial phase: from a "
                    "handler that was bound with bind(), from commit(), or after co_await "
                    "takt::synchronize().");
    EXPECT_EQ(arrow, read);
}

TEST_P(Levels, a_token_of_an_earlier_phase_does_not_open_an_unsafe_value) {
    takt::Runtime runtime(checked(GetParam()));
    takt::Unsafe<int> value(3);
    std::optional<takt::Serial> kept = runtime.serial();
    std::string read;
    std::string write;
    in_parallel(runtime, [&] {
        read = text_of([&] { static_cast<void>(value.read(*kept)); });
        write = text_of([&] { value.write(*kept) = 4; });
    });
    EXPECT_NE(read.find("takt::Unsafe::read"), std::string::npos) << read;
    EXPECT_NE(write.find("takt::Unsafe::write"), std::string::npos) << write;
    EXPECT_EQ(*value, 3);
}

TEST_P(Levels, an_unsafe_value_cannot_be_used_outside_the_frame) {
    takt::Runtime runtime(checked(GetParam()));
    takt::Unsafe<int> value(3);
    std::string text;
    std::thread([&] { text = text_of([&] { static_cast<void>(value.read()); }); }).join();
    EXPECT_NE(text.find("takt::Unsafe::read was used outside the frame. It is Unsafe"),
              std::string::npos)
        << text;
}

TEST_P(Levels, a_function_can_require_the_serial_phase) {
    takt::Runtime runtime(checked(GetParam()));
    const auto explode = [] { takt::require_serial("World::explode"); };
    EXPECT_EQ(text_of(explode), "nothing");
    std::string text;
    in_parallel(runtime, [&] { text = text_of(explode); });
    EXPECT_NE(text.find("World::explode was used in the parallel phase by actor \"hero\". It is "
                        "Unsafe: in the serial phase only."),
              std::string::npos)
        << text;
}

TEST_P(Levels, a_function_can_require_its_owner_or_the_serial_phase) {
    takt::Runtime runtime(checked(GetParam()));
    takt::ActorRef npc;
    const auto heal = [&] { takt::require_owner(npc, "Npc::heal"); };
    std::string of_owner;
    npc = runtime.spawn_actor({.name = "npc"}, [&](takt::Actor& self) {
        self.bind_parallel(kGo, [&] { of_owner = text_of(heal); });
    });
    npc.send(kGo);
    std::string of_other;
    in_parallel(runtime, [&] { of_other = text_of(heal); });
    EXPECT_EQ(of_owner, "nothing");
    EXPECT_EQ(
        of_other,
        "takt: Npc::heal was used in the parallel phase by actor \"hero\". It is Local Safe: "
        "in the parallel phase its owner's. Call it as its owner, actor #1, which others send "
        "a message; or from the serial phase of its runtime, for example from commit().");
    EXPECT_EQ(text_of(heal), "nothing"); // between frames
    std::string outside;
    std::thread([&] { outside = text_of(heal); }).join();
    EXPECT_NE(outside.find("Npc::heal was used outside the frame"), std::string::npos) << outside;
}

TEST(LevelsTest, the_serial_phase_of_another_runtime_is_not_its_owners) {
    takt::Runtime runtime(checked(1));
    const takt::ActorRef npc = runtime.spawn_actor({}, [](takt::Actor&) {});
    takt::Runtime other(checked(1));
    EXPECT_NE(text_of([&] { takt::require_owner(npc, "Npc::heal"); }), "nothing");
    static_cast<void>(runtime.serial());
    EXPECT_EQ(text_of([&] { takt::require_owner(npc, "Npc::heal"); }), "nothing");
}

TEST_P(Levels, with_checks_off_nothing_is_asked) {
    takt::Runtime runtime(checked(GetParam(), takt::CheckLevel::off));
    const takt::ActorRef npc = runtime.spawn_actor({}, [](takt::Actor&) {});
    takt::Unsafe<int> value(3);
    std::string text;
    in_parallel(runtime, [&] {
        text = text_of([&] {
            static_cast<void>(value.read());
            takt::require_serial("f");
            takt::require_owner(npc, "g");
        });
    });
    EXPECT_EQ(text, "nothing");
}

bool is_checked() {
    return text_of([] { takt::require_serial("f"); }) != "nothing";
}

TEST_P(Levels, an_unchecked_scope_ends_with_its_block) {
    takt::Runtime runtime(checked(GetParam()));
    std::vector<bool> seen;
    const auto returns_early = [&] {
        const takt::UncheckedScope unchecked;
        seen.push_back(is_checked());
        return;
    };
    in_parallel(runtime, [&] {
        {
            const takt::UncheckedScope unchecked;
            {
                const takt::UncheckedScope nested;
                seen.push_back(is_checked());
            }
            seen.push_back(is_checked());
        }
        seen.push_back(is_checked()); // true
        returns_early();
        seen.push_back(is_checked()); // true
        try {
            const takt::UncheckedScope unchecked;
            seen.push_back(is_checked());
            throw std::runtime_error("out");
        } catch (const std::runtime_error&) {
            seen.push_back(is_checked()); // true
        }
    });
    EXPECT_EQ(seen, (std::vector<bool>{false, false, true, false, true, false, true}));
}

TEST_P(Levels, an_unchecked_scope_covers_its_own_thread_only) {
    takt::Runtime runtime(checked(GetParam()));
    takt::ReadParallel<int> value(7);
    bool beside = false;
    int read_outside = 0;
    in_parallel(runtime, [&] {
        const takt::UncheckedScope unchecked;
        std::thread([&] {
            beside = is_checked();
            const takt::UncheckedScope own;
            read_outside = value.read(); // nobody else uses it
        }).join();
    });
    EXPECT_TRUE(beside);
    EXPECT_EQ(read_outside, 7);
}

TEST_P(Levels, an_unchecked_scope_does_not_leak_out_of_a_task_that_waits) {
    takt::Runtime runtime(checked(GetParam()));
    std::vector<bool> in_task;
    std::vector<bool> in_handler;
    constexpr takt::Topic<> kLook{"Look"};
    const takt::ActorRef actor = runtime.spawn_actor({.worker = 0}, [&](takt::Actor& self) {
        self.bind_parallel(kGo, [&]() -> takt::Task<> {
            const takt::UncheckedScope unchecked;
            in_task.push_back(is_checked());
            co_await takt::synchronize();
            co_await takt::desynchronize();
            in_task.push_back(is_checked()); // true
        });
        self.bind_parallel(kLook, [&] { in_handler.push_back(is_checked()); });
    });
    actor.send(kGo);
    actor.send(kLook);
    runtime.run_until_idle();
    actor.send(kLook);
    runtime.run_until_idle();
    EXPECT_EQ(in_task, (std::vector<bool>{false, true}));
    EXPECT_EQ(in_handler, (std::vector<bool>{true, true}));
}

TEST(LevelsDeathTest, the_other_reaction_is_to_abort_with_the_same_text) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            takt::Runtime runtime(checked(1, takt::CheckLevel::always, takt::OnViolation::abort));
            const takt::ActorRef npc = runtime.spawn_actor({}, [](takt::Actor&) {});
            in_parallel(runtime, [&] { takt::require_owner(npc, "Npc::heal"); });
        },
        "Npc::heal was used in the parallel phase by actor \"hero\"");
}

} // namespace
