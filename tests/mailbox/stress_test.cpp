// SPDX-License-Identifier: MIT
// Lanes, boards and doorbells on real threads: the scenarios of scenarios.hpp, longer; and a writer
// that stands still for two seconds in the middle of a push.
#include "mailbox/scenarios.hpp"
#include "mailbox/shared_arena.hpp"
#include "protocol/threads.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace protocol;

constexpr std::uint32_t kShortlyBeforeTheWrap = 0xffff'fffb; // 2^32 - 5

TEST(Stress, push_and_drain) {
    for (const int batch : {1, 7, 64})
        for (const std::uint32_t letters_in_a_segment : {1U, 5U, 80U})
            stress(push_and_drain<Threads>({.letters = 50'000,
                                            .batch = batch,
                                            .letters_in_a_segment = letters_in_a_segment,
                                            .odd_units = 1,
                                            .limit = 100,
                                            .start = kShortlyBeforeTheWrap,
                                            .unread = 3}),
                   2);
}

TEST(Stress, mail_to_one_reader) {
    for (const bool sleeps : {false, true})
        for (const int writers : {1, 3, 20}) {
            stress(mail_to_one_reader<Threads>({.writers = writers,
                                                .letters = 20'000 / writers,
                                                .sleeps = sleeps,
                                                .limit = 50,
                                                .start = kShortlyBeforeTheWrap}),
                   2);
            stress(
                mail_to_one_reader<Threads>({.writers = writers, .letters = 1, .sleeps = sleeps}),
                50);
        }
}

TEST(Stress, drain_writer_by_writer) {
    stress(mail_to_one_reader<Threads>({.writers = 3, .letters = 20'000, .by_writer = true}), 2);
}

TEST(Stress, sleep_against_publish) {
    stress(sleep_against_publish<Threads>({.letters = 3'000}), 5);
    stress(sleep_against_publish<Threads>({.letters = 3'000, .rings = 500}), 5);
    stress(sleep_against_publish<Threads>({.letters = 3'000, .sleep_ns = 20'000}), 5);
}

using Mailboxes = takt::Mailboxes<takt::StdPolicy>;
constexpr std::chrono::milliseconds kStandstill{2'000};

// What worker 0 has received from writers 1 and 2.
struct Received {
    std::array<std::int64_t, 3> next{};
    bool in_order = true;

    std::size_t drain(Mailboxes& all) {
        return all.mailbox(0).drain(
            [&](std::uint64_t from, const takt::RecordType&, void* payload) {
                in_order &= *static_cast<std::int64_t*>(payload) == next[from]++;
            });
    }
    void drain_for(Mailboxes& all, std::chrono::nanoseconds time) {
        const auto until = std::chrono::steady_clock::now() + time;
        while (std::chrono::steady_clock::now() < until)
            if (drain(all) == 0)
                std::this_thread::yield();
    }
};

constexpr std::int64_t kNowhere = -1;

// Pushes numbers until it is told to stop; stands still once, between reserve and commit of `at`.
void send(Mailboxes& all, int from, const std::atomic<bool>& stop, std::int64_t at = kNowhere) {
    takt::Outbox<takt::StdPolicy>& outbox = all.outbox(from);
    for (std::int64_t number = 0; !stop.load(); ++number) {
        void* const room = outbox.reserve(0, sizeof number, alignof(std::int64_t));
        ASSERT_NE(room, nullptr);
        ::new (room) std::int64_t(number);
        if (number == at)
            std::this_thread::sleep_for(kStandstill);
        outbox.commit(0, takt::record_type_of<std::int64_t>, static_cast<std::uint64_t>(from));
        outbox.publish();
        outbox.recycle();
        if (number % 64 == 0)
            std::this_thread::sleep_for(std::chrono::microseconds(50)); // bounds what is unread
    }
}

TEST(Stress, a_writer_that_stands_still_between_reserve_and_commit_delays_only_its_own_mail) {
    Mailboxes all(std::vector<int>{0, 0, 0});
    std::atomic<bool> stop{false};
    constexpr std::int64_t kAt = 1'000;
    std::thread still([&] { send(all, 1, stop, kAt); });
    std::thread lively([&] { send(all, 2, stop); });
    Received received;
    while (received.next[1] < kAt)
        received.drain(all);
    const std::int64_t before = received.next[2];
    received.drain_for(all, kStandstill * 3 / 4);
    EXPECT_EQ(received.next[1], kAt);
    EXPECT_GT(received.next[2], before + 1'000) << "the other writer's mail has not gone on";
    received.drain_for(all, kStandstill / 2);
    EXPECT_GT(received.next[1], kAt) << "its mail has not gone on";
    EXPECT_TRUE(received.in_order);
    stop.store(true);
    still.join();
    lively.join();
}

TEST(Stress, a_process_stopped_somewhere_in_a_push_delays_only_its_own_mail) {
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "ThreadSanitizer does not follow memory that processes share";
#endif
    ASSERT_TRUE(shared_arena::open());
    auto* const all = new Mailboxes(std::vector<int>{0, 0, 0});
    auto* const stop = new std::atomic<bool>(false);
    const pid_t child = fork();
    if (child == 0) {
        send(*all, 1, *stop);
        _exit(0);
    }
    ASSERT_GT(child, 0);
    std::thread lively([&] { send(*all, 2, *stop); });
    Received received;
    received.drain_for(*all, std::chrono::milliseconds(200));
    kill(child, SIGSTOP);
    int status = 0;
    waitpid(child, &status, WUNTRACED);
    EXPECT_TRUE(WIFSTOPPED(status));
    received.drain_for(*all, std::chrono::milliseconds(10));
    const Received stopped = received;
    received.drain_for(*all, kStandstill);
    EXPECT_GT(stopped.next[1], 0);
    EXPECT_EQ(received.next[1], stopped.next[1]);
    EXPECT_GT(received.next[2], stopped.next[2] + 1'000) << "the other writer's mail stands still";
    kill(child, SIGCONT);
    received.drain_for(*all, std::chrono::milliseconds(200));
    EXPECT_GT(received.next[1], stopped.next[1]) << "its mail has not gone on";
    EXPECT_TRUE(received.in_order);
    stop->store(true);
    lively.join();
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    delete stop;
    delete all;
    shared_arena::close();
}

} // namespace
