// SPDX-License-Identifier: MIT
#include "gate/payloads.hpp"
#include "takt/mailbox.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace {

using namespace gate_test;
using takt::Outlet;
using takt::Overflow;
using takt::SendResult;

std::vector<int> drain(Outlet<Counted>& outlet) {
    std::vector<int> values;
    outlet.drain([&](Counted&& result) { values.push_back(result.value); });
    return values;
}

class OutletTest : public ::testing::Test {
  protected:
    ~OutletTest() override { EXPECT_EQ(Counted::live, 0); }
    static void expect_law(Outlet<Counted>& outlet, std::uint64_t pushed) {
        const takt::OutletCounts counts = outlet.counts();
        EXPECT_EQ(counts.pushed, pushed);
        EXPECT_EQ(counts.inside(), 0u);
    }
    static takt::OutletConfig room_for(std::uint64_t results, Overflow overflow) {
        return {.bounds = {.share_bytes = results * 2 * takt::kRecordUnit, .overflow = overflow}};
    }
};

TEST_F(OutletTest, results_are_seen_after_the_flush_in_each_workers_order) {
    Outlet<Counted> outlet(3);
    auto first = outlet.sender(0);
    auto third = outlet.sender(2);
    EXPECT_EQ(third.push(20), SendResult::ok);
    EXPECT_EQ(first.push(1), SendResult::ok);
    EXPECT_EQ(first.push(Counted(2)), SendResult::ok);
    EXPECT_TRUE(drain(outlet).empty());
    EXPECT_EQ(outlet.counts().inside(), 3u);
    first.flush();
    third.flush();
    EXPECT_EQ(drain(outlet), (std::vector<int>{1, 2, 20}));
    first.flush();
    EXPECT_TRUE(drain(outlet).empty());
    expect_law(outlet, 3);
}

TEST_F(OutletTest, try_receive_takes_one_and_lets_workers_take_turns) {
    Outlet<Counted> outlet(2);
    EXPECT_FALSE(outlet.try_receive());
    for (int worker = 0; worker < 2; ++worker) {
        auto sender = outlet.sender(worker);
        for (int number = 0; number < 2; ++number)
            EXPECT_EQ(sender.push(10 * worker + number), SendResult::ok);
        sender.flush();
    }
    for (const int expected : {0, 10, 1, 11}) {
        const auto result = outlet.try_receive();
        ASSERT_TRUE(result);
        EXPECT_EQ(result->value, expected);
    }
    EXPECT_FALSE(outlet.try_receive());
    expect_law(outlet, 4);
}

TEST_F(OutletTest, a_receiver_that_died_refuses_and_nothing_leaks) {
    auto outlet = std::make_unique<Outlet<Counted>>(2);
    auto sender = outlet->sender(1);
    EXPECT_EQ(sender.push(1), SendResult::ok);
    sender.flush();
    EXPECT_EQ(sender.push(2), SendResult::ok);
    outlet.reset();
    Counted kept(3);
    EXPECT_EQ(sender.push(std::move(kept)), SendResult::closed);
    EXPECT_EQ(kept.value, 3);
    sender.flush();
}

TEST_F(OutletTest, a_throwing_constructor_pushes_nothing) {
    Outlet<Throws> outlet(1);
    auto sender = outlet.sender(0);
    EXPECT_THROW((void)sender.push(), std::runtime_error);
    sender.flush();
    EXPECT_EQ(outlet.counts().pushed, 0u);
    EXPECT_EQ(outlet.drain([](Throws&&) {}), 0u);
}

TEST_F(OutletTest, a_throwing_visitor_loses_its_own_result_only) {
    Outlet<Counted> outlet(1);
    auto sender = outlet.sender(0);
    EXPECT_EQ(sender.push(1), SendResult::ok);
    EXPECT_EQ(sender.push(2), SendResult::ok);
    sender.flush();
    EXPECT_THROW(outlet.drain([](Counted&&) { throw 1; }), int);
    EXPECT_EQ(drain(outlet), (std::vector<int>{2}));
    expect_law(outlet, 2);
}

TEST_F(OutletTest, C1_a_full_share_refuses_until_the_receiver_came) {
    Outlet<Counted> outlet(2, room_for(2, Overflow::reject));
    auto sender = outlet.sender(0);
    EXPECT_EQ(sender.push(1), SendResult::ok);
    EXPECT_EQ(sender.push(2), SendResult::ok);
    EXPECT_EQ(sender.push(3), SendResult::full) << "and is flushed";
    EXPECT_EQ(outlet.sender(1).push(4), SendResult::ok) << "another worker has a share of its own";
    outlet.sender(1).flush();
    EXPECT_EQ(drain(outlet), (std::vector<int>{1, 2, 4}));
    EXPECT_EQ(sender.push(3), SendResult::ok);
    sender.flush();
    EXPECT_EQ(drain(outlet), (std::vector<int>{3}));
    expect_law(outlet, 4);
    EXPECT_EQ(outlet.counts().refused_full, 1u);
}

TEST_F(OutletTest, drops_what_its_policy_says_and_counts) {
    struct Case {
        Overflow overflow;
        std::vector<int> received;
        std::uint64_t newest, oldest;
    };
    for (const Case& each :
         {Case{Overflow::drop_newest, {0, 1}, 2, 0}, Case{Overflow::drop_oldest, {2, 3}, 0, 2},
          Case{Overflow::keep_latest, {3}, 0, 3}}) {
        Outlet<Counted> outlet(1, room_for(2, each.overflow));
        auto sender = outlet.sender(0);
        for (int number = 0; number < 4; ++number)
            EXPECT_EQ(sender.push(number), SendResult::ok);
        sender.flush();
        std::vector<int> received;
        while (const auto result = outlet.try_receive())
            received.push_back(result->value);
        EXPECT_EQ(received, each.received);
        EXPECT_EQ(outlet.counts().dropped_newest, each.newest);
        EXPECT_EQ(outlet.counts().dropped_oldest, each.oldest);
        EXPECT_EQ(outlet.counts().inside(), 0u);
    }
}

TEST_F(OutletTest, wait_ends_for_a_result_and_in_time) {
    Outlet<Counted> outlet(1);
    EXPECT_FALSE(outlet.wait(takt::now_ns() + 1'000'000));
    std::thread worker([sender = outlet.sender(0)]() mutable {
        EXPECT_EQ(sender.push(1), SendResult::ok);
        sender.flush();
    });
    EXPECT_TRUE(outlet.wait());
    EXPECT_EQ(drain(outlet), (std::vector<int>{1}));
    worker.join();
}

class Epoll {
  public:
    explicit Epoll(int fd) {
        epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
        EXPECT_EQ(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), 0);
    }
    ~Epoll() { close(epoll_); }
    Epoll(const Epoll&) = delete;
    Epoll& operator=(const Epoll&) = delete;
    bool readable(int timeout_ms) {
        epoll_event event{};
        return epoll_wait(epoll_, &event, 1, timeout_ms) == 1;
    }

  private:
    int epoll_ = epoll_create1(0);
};

TEST_F(OutletTest, O2_its_descriptor_is_readable_once_something_came_while_it_was_armed) {
    Outlet<Counted> outlet(1);
    const int fd = outlet.event_fd();
    EXPECT_EQ(outlet.event_fd(), fd);
    Epoll epoll(fd);
    auto sender = outlet.sender(0);
    const auto send = [&](int value) {
        EXPECT_EQ(sender.push(value), SendResult::ok);
        sender.flush();
    };
    send(1);
    EXPECT_FALSE(epoll.readable(0)) << "not armed";
    EXPECT_FALSE(outlet.arm()) << "there is a result";
    drain(outlet);
    EXPECT_TRUE(outlet.arm());
    EXPECT_FALSE(epoll.readable(0));
    send(2);
    send(3);
    EXPECT_TRUE(epoll.readable(0));
    eventfd_t raised = 0;
    EXPECT_EQ(read(fd, &raised, sizeof raised), ssize_t{sizeof raised});
    EXPECT_EQ(raised, 1u) << "one write for each arming";
    EXPECT_EQ(drain(outlet), (std::vector<int>{2, 3}));
    EXPECT_TRUE(outlet.arm());
    EXPECT_FALSE(epoll.readable(0));
}

TEST_F(OutletTest, segments_are_used_again_in_the_steady_state) {
    Outlet<Counted> outlet(1, {.lane = {.segment_units = 16, .start = 0xffff'ff00}});
    auto sender = outlet.sender(0);
    int expected = 0;
    for (int number = 0; number <= 1001; ++number) {
        EXPECT_EQ(sender.push(number), SendResult::ok);
        sender.flush();
        if (number % 7 != 0)
            continue;
        for (const int value : drain(outlet))
            EXPECT_EQ(value, expected++);
    }
}

} // namespace
