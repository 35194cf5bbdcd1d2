// SPDX-License-Identifier: MIT
#pragma once
// A matching engine for one instrument, as an actor: orders meet by price, then time, and what does not
// trade within its time is closed.

#include "takt/takt.hpp"

#include <chrono>
#include <cstdint>

namespace exchange {

enum class Side : std::uint8_t { buy, sell };

struct Order {
    std::uint64_t id; // of this order alone
    Side side;
    int price; // limit, in ticks
    int quantity;
    takt::ActorRef trader;
};

// To the exchange.
inline constexpr takt::Topic<Order> place{"Place"};
inline constexpr takt::Topic<std::uint64_t> cancel{"Cancel"};

// To the trader, each with the order's id.
inline constexpr takt::Topic<std::uint64_t, int, int> traded{"Traded"}; // price, quantity
inline constexpr takt::Topic<std::uint64_t, int> closed{"Closed"};      // what did not trade

/// Orders that have not traded after `good_for` are closed.
takt::ActorRef spawn_exchange(takt::Runtime& runtime, std::chrono::nanoseconds good_for);

} // namespace exchange
