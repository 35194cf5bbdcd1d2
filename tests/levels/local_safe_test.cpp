// SPDX-License-Identifier: MIT
// State that its owner changes in the parallel phase while the others read what it was.
#include "levels/levels_support.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using takt::LocalSafe;
using takt::testing_support::checked;
using takt::testing_support::text_of;

constexpr takt::Topic<> kGo{"Go"};
constexpr takt::Topic<> kLook{"Look"};
constexpr takt::Topic<int> kWrite{"Write"};

class LocalSafeLevel : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Workers, LocalSafeLevel, ::testing::Values(1, 2, 4));

/// Counts its copies.
struct Counted {
    explicit Counted(int given) : value(given) {}
    Counted(const Counted& other) : value(other.value) { ++copies; }
    Counted& operator=(const Counted& other) {
        value = other.value;
        ++copies;
        return *this;
    }
    Counted(Counted&&) = default;
    Counted& operator=(Counted&&) = default;

    int value;
    static inline std::atomic<int> copies{0};
};

TEST_P(LocalSafeLevel, the_owner_sees_its_own_write_at_once_and_others_from_the_barrier_on) {
    takt::Runtime runtime(checked(GetParam()));
    std::optional<LocalSafe<int>> shared;
    std::vector<int> of_owner;
    std::vector<int> of_other;
    std::vector<int> of_serial;
    const takt::ActorRef other = runtime.spawn_actor({.worker = 0}, [&](takt::Actor& self) {
        self.bind_parallel(kLook, [&] { of_other.push_back(**shared); });
    });
    const takt::ActorRef owner = runtime.spawn_actor({.worker = 0}, [&](takt::Actor& self) {
        self.bind_parallel(kWrite, [&](int value) {
            shared->write() = value;
            of_owner.push_back(shared->read());
            other.send(kLook); // handled in this phase
            takt::commit([&] { of_serial.push_back(shared->read()); });
        });
    });
    shared.emplace(owner, 1);
    owner.send(kWrite, 2);
    runtime.run_until_idle();
    owner.send(kWrite, 3);
    runtime.run_until_idle();
    other.send(kLook);
    runtime.run_until_idle();
    EXPECT_EQ(of_owner, (std::vector<int>{2, 3}));
    EXPECT_EQ(of_other, (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(of_serial, (std::vector<int>{2, 3})); // in the same round
}

TEST_P(LocalSafeLevel, others_read_one_value_all_phase_long_while_the_owner_writes) {
    constexpr int kRounds = 50;
    constexpr int kReaders = 6;
    takt::Runtime runtime(checked(GetParam()));
    std::optional<LocalSafe<std::vector<int>>> shared;
    std::atomic<int> wrong{0};
    std::atomic<int> reads{0};
    const int last = GetParam() - 1;
    const takt::ActorRef owner = runtime.spawn_actor({.worker = last}, [&](takt::Actor& self) {
        self.bind_parallel(kWrite, [&](int round) {
            for (int& one : shared->write())
                one = round;
            shared->write().push_back(round);
        });
    });
    shared.emplace(owner, 1u, 0);
    std::vector<takt::ActorRef> readers;
    for (int count = 0; count < kReaders; ++count)
        readers.push_back(runtime.spawn_actor({}, [&](takt::Actor& self) {
            self.bind_parallel(kWrite, [&](int round) {
                const std::vector<int>& seen = shared->read();
                for (int look = 0; look < 20; ++look)
                    wrong += seen != std::vector<int>(static_cast<std::size_t>(round), round - 1);
                ++reads;
            });
        }));
    for (int round = 1; round <= kRounds; ++round) {
        for (const takt::ActorRef reader : readers)
            reader.send(kWrite, round);
        owner.send(kWrite, round);
        runtime.run_until_idle();
    }
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(reads, kRounds * kReaders);
    EXPECT_EQ(shared->read().size(), kRounds + 1u);
}

TEST_P(LocalSafeLevel, a_round_costs_one_copy_and_an_unchanged_value_none) {
    takt::Runtime runtime(checked(GetParam()));
    std::optional<LocalSafe<Counted>> shared;
    const takt::ActorRef owner = runtime.spawn_actor({}, [&](takt::Actor& self) {
        self.bind_parallel(kWrite, [&](int value) {
            shared->write().value = value;
            shared->write().value += 1;
        });
        self.bind_parallel(kGo, [&] { shared->set(Counted(9)); });
        self.bind_parallel(kLook, [&] { static_cast<void>(shared->read()); });
    });
    shared.emplace(owner, 1);
    const int before = Counted::copies;
    owner.send(kWrite, 5);
    runtime.run_until_idle();
    EXPECT_EQ(shared->read().value, 6);
    EXPECT_EQ(Counted::copies - before, 1);
    owner.send(kLook);
    runtime.run_until_idle();
    EXPECT_EQ(Counted::copies - before, 1);
    owner.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(shared->read().value, 9);
    EXPECT_EQ(Counted::copies - before, 1);
}

TEST_P(LocalSafeLevel, in_the_serial_phase_all_write_and_the_next_parallel_phase_sees_it) {
    takt::Runtime runtime(checked(GetParam()));
    std::optional<LocalSafe<int>> shared;
    int in_serial = 0;
    int in_parallel = 0;
    const takt::ActorRef owner = runtime.spawn_actor({}, [](takt::Actor&) {});
    const takt::ActorRef other = runtime.spawn_actor({}, [&](takt::Actor& self) {
        self.bind(kGo, [&] {
            ++shared->write();
            in_serial = **shared;
            self.ref().send(kLook);
        });
        self.bind_parallel(kLook, [&] { in_parallel = **shared; });
    });
    shared.emplace(owner, 1);
    shared->write() = 10; // between frames
    EXPECT_EQ(**shared, 10);
    other.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(in_serial, 11);
    EXPECT_EQ(in_parallel, 11);
}

TEST_P(LocalSafeLevel, only_the_owner_writes_in_the_parallel_phase) {
    takt::Runtime runtime(checked(GetParam()));
    std::optional<LocalSafe<int>> shared;
    std::string write;
    std::string set;
    const takt::ActorRef owner = runtime.spawn_actor({.name = "owner"}, [](takt::Actor&) {});
    runtime
        .spawn_actor({.name = "thief"},
                     [&](takt::Actor& self) {
                         self.bind_parallel(kGo, [&] {
                             write = text_of([&] { shared->write() = 2; });
                             set = text_of([&] { shared->set(2); });
                         });
                     })
        .send(kGo);
    shared.emplace(owner, 1);
    runtime.run_until_idle();
    EXPECT_EQ(write, "takt: takt::LocalSafe::write was used in the parallel phase by actor "
                     "\"thief\". It is Local Safe: in the parallel phase its owner's. Call it as "
                     "its owner, actor #1, which others send a message; or from the serial phase "
                     "of its runtime, for example from commit().");
    EXPECT_NE(set.find("takt::LocalSafe::set"), std::string::npos) << set;
    EXPECT_EQ(**shared, 1);
}

TEST_P(LocalSafeLevel, outside_it_is_neither_read_nor_written) {
    takt::Runtime runtime(checked(GetParam()));
    LocalSafe<int> shared(runtime.spawn_actor({}, [](takt::Actor&) {}), 1);
    std::string read;
    std::string write;
    std::string unchecked_write;
    int unchecked_read = 0;
    std::thread([&] {
        read = text_of([&] { static_cast<void>(*shared); });
        write = text_of([&] { shared.write() = 2; });
        const takt::UncheckedScope unchecked;
        unchecked_read = *shared;
        unchecked_write = text_of([&] { shared.write() = 2; }); // no barrier would publish it
    }).join();
    EXPECT_NE(read.find("takt::LocalSafe::read was used outside the frame"), std::string::npos)
        << read;
    EXPECT_NE(write.find("takt::LocalSafe::write was used outside"), std::string::npos) << write;
    EXPECT_EQ(unchecked_read, 1);
    EXPECT_NE(unchecked_write, "nothing");
    EXPECT_EQ(*shared, 1);
}

TEST_P(LocalSafeLevel, when_the_owner_is_gone_its_last_value_stays) {
    takt::Runtime runtime(checked(GetParam()));
    std::optional<LocalSafe<std::string>> shared;
    std::string seen;
    const takt::ActorRef owner = runtime.spawn_actor({}, [&](takt::Actor& self) {
        self.bind_parallel(kGo, [&self, &shared] {
            shared->write() = "last words";
            self.ref().destroy();
        });
    });
    shared.emplace(owner, "first");
    owner.send(kGo);
    runtime.run_until_idle();
    EXPECT_FALSE(owner.alive());
    const takt::ActorRef heir = runtime.spawn_actor({}, [&](takt::Actor& self) {
        self.bind_parallel(kLook, [&] { seen = **shared; });
        self.bind_parallel(kGo, [&] { shared->write() = "mine"; }); // perhaps in the owner's slot
    });
    heir.send(kLook);
    heir.send(kGo);
    runtime.on_failure([](const takt::Failure&) {});
    runtime.run_until_idle();
    EXPECT_EQ(seen, "last words");
    EXPECT_EQ(runtime.mail().failed, 1u);
    shared->write() += "!"; // the serial phase may
    EXPECT_EQ(**shared, "last words!");
}

TEST_P(LocalSafeLevel, it_may_go_with_a_change_that_is_due_and_after_its_runtime) {
    std::optional<LocalSafe<std::vector<int>>> outlives;
    std::optional<LocalSafe<int>> stays;
    {
        takt::Runtime runtime(checked(GetParam()));
        std::unique_ptr<LocalSafe<int>> goes;
        const takt::ActorRef owner = runtime.spawn_actor({}, [&](takt::Actor& self) {
            self.bind_parallel(kGo, [&] {
                stays->write() = 2;
                goes->write() = 3;
                outlives->write().push_back(4);
                goes.reset(); // out of the middle of what is due
            });
        });
        goes = std::make_unique<LocalSafe<int>>(owner, 0);
        outlives.emplace(owner);
        stays.emplace(owner, 0);
        owner.send(kGo);
        runtime.run_until_idle();
        EXPECT_EQ(**stays, 2);
        EXPECT_EQ(outlives->read(), std::vector<int>{4});
        outlives->write().push_back(5); // due when the runtime ends
    }
    outlives.reset();
}

TEST_P(LocalSafeLevel, a_copy_that_throws_fails_the_writer_and_the_value_stays) {
    struct Throws {
        Throws() = default;
        Throws(const Throws&) = default;
        Throws& operator=(const Throws& other) {
            if (other.armed)
                throw std::runtime_error("no copy");
            armed = other.armed;
            return *this;
        }
        bool armed = false;
    };
    takt::Runtime runtime(checked(GetParam()));
    std::optional<LocalSafe<Throws>> shared;
    const takt::ActorRef owner = runtime.spawn_actor({}, [&](takt::Actor& self) {
        self.bind_parallel(kGo, [&] { shared->write().armed = true; });
    });
    shared.emplace(owner);
    int failures = 0;
    runtime.on_failure([&](const takt::Failure&) { ++failures; });
    owner.send(kGo);
    runtime.run_until_idle();
    owner.send(kGo);
    runtime.run_until_idle();
    EXPECT_EQ(failures, 1);
    EXPECT_TRUE(shared->read().armed);
}

TEST_P(LocalSafeLevel, it_belongs_to_an_actor) {
    EXPECT_THROW(LocalSafe<int>(takt::ActorRef(), 1), takt::Error);
    takt::Runtime runtime(checked(GetParam()));
    const takt::ActorRef actor = runtime.spawn_actor({}, [](takt::Actor&) {});
    EXPECT_EQ(LocalSafe<int>(actor, 1).owner(), actor);
}

TEST(LocalSafeLevelTest, the_run_is_the_same_for_any_number_of_workers_under_next_round) {
    std::vector<std::vector<int>> runs;
    for (const int workers : {1, 2, 4}) {
        takt::Config config = checked(workers);
        config.preset = takt::Preset::deterministic;
        takt::Runtime runtime(config);
        std::vector<std::unique_ptr<LocalSafe<int>>> shared;
        std::vector<takt::ActorRef> actors;
        for (int index = 0; index < 5; ++index) {
            actors.push_back(runtime.spawn_actor({}, [&, index](takt::Actor& self) {
                self.bind_parallel(kGo, [&, index] {
                    const int next = (index + 1) % 5;
                    shared[static_cast<std::size_t>(index)]->write() +=
                        2 * shared[static_cast<std::size_t>(next)]->read() + 1;
                });
            }));
            shared.push_back(std::make_unique<LocalSafe<int>>(actors.back(), index));
        }
        for (int round = 0; round < 6; ++round) {
            for (const takt::ActorRef actor : actors)
                actor.send(kGo);
            runtime.run_until_idle();
        }
        std::vector<int>& values = runs.emplace_back();
        for (const auto& one : shared)
            values.push_back(one->read());
    }
    EXPECT_EQ(runs[0], runs[1]);
    EXPECT_EQ(runs[0], runs[2]);
}

} // namespace
