// SPDX-License-Identifier: MIT
// What the exchange sends, and what it does in time.
#include "exchange.hpp"
#include "tests.hpp"

#include <tuple>

using namespace std::chrono_literals;
using exchange::Side;
using takt::ActorRef;
using takt::testing::Probe;
using takt::testing::TestRuntime;

// README-BEGIN
void orders_trade_at_the_older_ones_price() {
    TestRuntime test;
    const ActorRef market = exchange::spawn_exchange(test.runtime(), 5s);
    Probe ann = test.probe("ann", exchange::traded, exchange::closed);
    Probe bob = test.probe("bob", exchange::traded, exchange::closed);

    ann.send(market, exchange::place, exchange::Order{1, Side::sell, 100, 10, ann.ref()});
    test.run_until_idle();
    check(ann.empty(), "nobody buys yet");

    bob.send(market, exchange::place, exchange::Order{2, Side::buy, 105, 4, bob.ref()});
    test.run_until_idle();
    check(ann.expect(exchange::traded) == std::tuple(1, 100, 4), "ann sells 4 at her price");
    check(bob.expect(exchange::traded) == std::tuple(2, 100, 4), "and bob buys them");

    test.advance(5s); // as long as an order is good for
    check(ann.expect(exchange::closed) == std::tuple(1, 6), "6 did not trade");
    bob.expect_empty();
}
// README-END
