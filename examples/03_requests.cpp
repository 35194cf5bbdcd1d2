// SPDX-License-Identifier: MIT
// Eight actors find prime factors. One task asks them all and puts the answers together, with a
// deadline for each.
#include "takt/takt.hpp"

#include <chrono>
#include <cstdint>
#include <iostream>
#include <vector>

namespace {

using namespace std::chrono_literals;

std::uint64_t smallest_factor(std::uint64_t number) {
    for (std::uint64_t factor = 2; factor * factor <= number; ++factor)
        if (number % factor == 0 || takt::cancelled())
            return factor;
    return number;
}

} // namespace

// README-BEGIN
constexpr takt::Request<std::uint64_t(std::uint64_t)> factor{"Factor"};

takt::Task<> count_primes(takt::Dispatcher<>& factories) {
    std::vector<takt::Ticket<std::uint64_t>> tickets;
    for (std::uint64_t number = 1'000'000'007; number < 1'000'000'107; ++number)
        tickets.push_back(factories.submit(factor, number).with_deadline(5s));

    std::size_t primes = 0;
    try {
        for (std::uint64_t found : co_await takt::when_all(tickets)) // in their order
            primes += found >= 1'000'000'007;
    } catch (const takt::TicketError& error) { // it names the request and the reason
        std::cout << error.what() << "\n";
    }
    std::cout << primes << " primes\n";
}

int main() {
    takt::Runtime runtime;
    takt::Dispatcher factories{runtime, {.actors = 8}, [](takt::Actor& actor) {
                                   actor.bind_parallel(factor, smallest_factor);
                               }};
    runtime.start(
        count_primes(factories)); // in the serial phase; an actor's handler may be one too
    runtime.run_until_idle();
}
// README-END
