// SPDX-License-Identifier: MIT
#include "signal_fire/config.hpp"

#include <functional>

namespace takt::bench::signal_fire {
namespace {

// No disconnecting, no owners, nothing may change while it fires: the least that a fire can be.
class VectorFunction {
  public:
    explicit VectorFunction(Seats& seats) : plan_(plan_for(1)), pin_(plan_.workers[0].cpu) {
        for (Seat& seat : seats)
            listeners_.emplace_back([&seat](std::uint64_t fire) { seat.hear(fire); });
    }
    void fire(std::uint64_t number) {
        for (const auto& listener : listeners_)
            listener(number);
    }

  private:
    Plan plan_;
    ScopedPin pin_;
    std::vector<std::function<void(std::uint64_t)>> listeners_;
};

} // namespace

void add_vector_function(Field& serial, std::size_t listeners) {
    add_contender<VectorFunction>(serial, "vector_function", listeners, "serial");
}

} // namespace takt::bench::signal_fire
