// SPDX-License-Identifier: MIT
#pragma once
// The law of DESIGN.md 8, asserted after each test of the runtime.

#include "takt/takt.hpp"

#include <gtest/gtest.h>

namespace takt::testing_support {

/// accepted = handled + failed + expired + in flight; `in_flight` is what the test knows to be kept
/// or suspended.
inline void expect_law(const Runtime& runtime, std::uint64_t in_flight = 0) {
    const MailCounts all = runtime.mail();
    EXPECT_EQ(all.in_flight, in_flight);
    MailCounts sum;
    for (const TopicReport& topic : runtime.topics()) {
        sum += topic.counts;
        EXPECT_EQ(topic.expired.sum(), topic.counts.expired) << topic.topic;
    }
    EXPECT_EQ(sum.in_flight, all.in_flight);
    EXPECT_EQ(sum.handled, all.handled);
    EXPECT_EQ(sum.failed, all.failed);
    EXPECT_EQ(sum.expired, all.expired);
}

} // namespace takt::testing_support
