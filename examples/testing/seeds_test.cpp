// SPDX-License-Identifier: MIT
// What holds in whichever order the traders' orders come.
#include "exchange.hpp"
#include "tests.hpp"

#include <optional>
#include <tuple>
#include <vector>

using namespace std::chrono_literals;
using exchange::Side;
using takt::ActorRef;
using takt::testing::Probe;
using takt::testing::TestRuntime;

namespace {

/// What a trader was told of the one order that she had.
struct Outcome {
    int traded = 0;
    std::optional<int> closed = {};
};

Outcome outcome_of(Probe& trader, const exchange::Order& order) {
    Outcome outcome;
    while (const auto trade = trader.take(exchange::traded)) {
        const auto [id, price, quantity] = *trade;
        check(id == order.id, "a trader is told of her own order");
        check(order.side == Side::buy ? price <= order.price : price >= order.price,
              "nobody trades beyond the limit");
        outcome.traded += quantity;
    }
    if (const auto left = trader.take(exchange::closed))
        outcome.closed = std::get<1>(*left);
    trader.expect_empty(); // an order is closed once
    return outcome;
}

} // namespace

// README-BEGIN
// Six traders at the same time, and each cancels right away: no share is lost, and none sold twice.
void no_share_is_lost(TestRuntime& test) {
    const ActorRef market = exchange::spawn_exchange(test.runtime(), 5s);
    std::vector<exchange::Order> orders;
    std::vector<Probe> traders;
    for (int number = 0; number < 6; ++number) {
        Probe trader = test.probe("trader", exchange::traded, exchange::closed);
        const Side side = number % 2 == 0 ? Side::buy : Side::sell;
        orders.push_back({std::uint64_t(number), side, 100 - number, 10 + number, trader.ref()});
        trader.send(market, exchange::place, orders.back());
        trader.send(market, exchange::cancel, orders.back().id);
        traders.push_back(trader);
    }
    test.run_until_idle();
    test.advance(5s); // its timers find nothing left to close

    int bought = 0, sold = 0;
    for (std::size_t number = 0; number < traders.size(); ++number) {
        const Outcome outcome = outcome_of(traders[number], orders[number]);
        check(outcome.traded + outcome.closed.value_or(0) == orders[number].quantity,
              "each share has traded, or was given back");
        (orders[number].side == Side::buy ? bought : sold) += outcome.traded;
    }
    check(bought == sold, "what is bought is sold");
    test.expect_all_accounted();
}
// README-END
