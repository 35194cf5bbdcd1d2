// SPDX-License-Identifier: MIT
// Tests of a small exchange, without a test framework. TAKT_SEED=n runs the last with that seed only.
#include "tests.hpp"

#include <exception>
#include <iostream>

int main() {
    try {
        orders_trade_at_the_older_ones_price();
        takt::testing::for_each_seed(1000, no_share_is_lost);
    } catch (const std::exception& failure) {
        std::cerr << failure.what() << "\n";
        return 1;
    }
    std::cout << "the exchange passes its tests\n";
}
