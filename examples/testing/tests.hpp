// SPDX-License-Identifier: MIT
#pragma once
// The tests of the exchange, and the one thing that they need of a test framework.

#include "takt/testing.hpp"

#include <stdexcept>
#include <string>

inline void check(bool holds, const std::string& what) {
    if (!holds)
        throw std::runtime_error(what);
}

void orders_trade_at_the_older_ones_price();
void no_share_is_lost(takt::testing::TestRuntime& test);
