// SPDX-License-Identifier: MIT
#include "exchange.hpp"

#include <algorithm>
#include <list>

namespace exchange {

namespace {

class Book {
  public:
    explicit Book(std::chrono::nanoseconds good_for) : good_for_(good_for) {}

    void place(Order order) {
        while (order.quantity > 0) {
            const auto best = best_against(order);
            if (best == open_.end())
                break;
            trade(order, *best);
            if (best->quantity == 0)
                open_.erase(best);
        }
        if (order.quantity == 0)
            return;
        open_.push_back(order);
        takt::delay(good_for_, [this, id = order.id] { close(id); });
    }

    // One that is not there has traded, or was closed before: its trader knows.
    void close(std::uint64_t id) {
        const auto found = std::find_if(open_.begin(), open_.end(),
                                        [id](const Order& one) { return one.id == id; });
        if (found == open_.end())
            return;
        found->trader.send(closed, id, found->quantity);
        open_.erase(found);
    }

  private:
    // The best price, and of these the oldest order.
    std::list<Order>::iterator best_against(const Order& order) {
        auto best = open_.end();
        for (auto other = open_.begin(); other != open_.end(); ++other)
            if (meets(order, *other) && (best == open_.end() || is_better(*other, *best)))
                best = other;
        return best;
    }

    static bool meets(const Order& order, const Order& other) {
        if (order.side == other.side)
            return false;
        return order.side == Side::buy ? order.price >= other.price : order.price <= other.price;
    }

    static bool is_better(const Order& one, const Order& other) {
        return one.side == Side::sell ? one.price < other.price : one.price > other.price;
    }

    static void trade(Order& order, Order& resting) {
        const int quantity = std::min(order.quantity, resting.quantity);
        order.quantity -= quantity;
        resting.quantity -= quantity;
        order.trader.send(traded, order.id, resting.price, quantity);
        resting.trader.send(traded, resting.id, resting.price, quantity);
    }

    const std::chrono::nanoseconds good_for_;
    std::list<Order> open_; // the oldest first
};

} // namespace

takt::ActorRef spawn_exchange(takt::Runtime& runtime, std::chrono::nanoseconds good_for) {
    return runtime.spawn_actor({.name = "exchange"}, [good_for](takt::Actor& actor) {
        auto& book = actor.emplace_state<Book>(good_for);
        actor.bind_parallel(place, [&book](const Order& order) { book.place(order); });
        actor.bind_parallel(cancel, [&book](std::uint64_t id) { book.close(id); });
    });
}

} // namespace exchange
