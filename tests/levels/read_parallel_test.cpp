// SPDX-License-Identifier: MIT
// Shared state that all read and the serial phase writes; what happens to who is wrong.
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

using takt::CheckLevel;
using takt::OnViolation;
using takt::PhaseError;
using takt::ReadParallel;

constexpr takt::Topic<> kGo{"Go"};

takt::Config checked(CheckLevel level, OnViolation reaction = OnViolation::raise) {
    return {.workers = {.count = 2},
            .checks = {.level = level, .on_violation = reaction},
            .failure = {.policy = takt::FailurePolicy::resume}};
}

// A token of the serial phase, kept until the parallel phase.
void write_with_an_old_token(takt::Runtime& runtime, ReadParallel<int>& shared) {
    const takt::ActorRef actor = runtime.spawn_actor({.name = "keeper"}, [&](takt::Actor& self) {
        self.bind(kGo, [&]() -> takt::Task<> {
            takt::Serial kept = co_await takt::synchronize();
            shared.write(kept) = 1;
            co_await takt::desynchronize();
            shared.write(kept) = 2;
        });
    });
    actor.send(kGo);
    runtime.run_until_idle();
}

TEST(ReadParallelTest, is_read_in_both_phases_and_written_in_the_serial_phase) {
    takt::Runtime runtime(checked(CheckLevel::always));
    ReadParallel<std::vector<int>> shared(3u, 7);
    std::vector<std::size_t> sizes;
    const takt::ActorRef actor = runtime.spawn_actor({}, [&](takt::Actor& self) {
        self.bind_parallel(kGo, [&] { sizes.push_back(shared->size()); });
        self.bind(kGo, [&](takt::Serial serial) { shared.write(serial).push_back((*shared)[0]); });
    });
    actor.send(kGo);
    runtime.run_until_idle();
    actor.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 4}));
    EXPECT_EQ(shared->size(), 5u);
    shared.write(runtime.serial()).clear();
    EXPECT_TRUE(shared.read().empty());
}

TEST(ReadParallelTest, a_token_kept_across_an_await_is_caught_where_it_is_used) {
    takt::Runtime runtime(checked(CheckLevel::always));
    std::string text;
    takt::Phase phase = takt::Phase::outside;
    runtime.on_failure([&](const takt::Failure& failure) {
        try {
            std::rethrow_exception(failure.exception);
        } catch (const PhaseError& error) {
            text = error.what();
            phase = error.phase();
            EXPECT_EQ(error.member(), "takt::ReadParallel::write");
            EXPECT_EQ(error.actor(), "keeper");
        }
    });
    ReadParallel<int> shared(0);
    write_with_an_old_token(runtime, shared);
    EXPECT_EQ(*shared, 1);
    EXPECT_EQ(phase, takt::Phase::parallel);
    EXPECT_NE(
        text.find("takt::ReadParallel::write was used in the parallel phase by actor \"keeper\""),
        std::string::npos)
        << text;
    EXPECT_NE(text.find("synchronize()"), std::string::npos) << text;
}

TEST(ReadParallelTest, with_checks_off_nothing_is_caught) {
    takt::Runtime runtime(checked(CheckLevel::off));
    ReadParallel<int> shared(0);
    write_with_an_old_token(runtime, shared);
    EXPECT_EQ(*shared, 2);
    EXPECT_EQ(runtime.mail().failed, 0u);
}

TEST(ReadParallelTest, outside_the_frame_it_cannot_be_read) {
    takt::Runtime runtime(checked(CheckLevel::always));
    ReadParallel<int> shared(0);
    std::thread([&] { EXPECT_THROW(static_cast<void>(shared.read()), PhaseError); }).join();
}

TEST(ReadParallelDeathTest, the_other_reaction_is_to_abort_with_the_same_text) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            takt::Runtime runtime(checked(CheckLevel::always, OnViolation::abort));
            ReadParallel<int> shared(0);
            write_with_an_old_token(runtime, shared);
        },
        "takt::ReadParallel::write was used in the parallel phase by actor \"keeper\"");
}

} // namespace
