// SPDX-License-Identifier: MIT
#include "takt/takt.hpp"
#include "signal_fire/config.hpp"

namespace takt::bench::signal_fire {
namespace {

Config config(int workers) {
    return {.workers = {.count = workers, .pin_caller = true}};
}

class Serial {
  public:
    explicit Serial(Seats& seats) : runtime_(config(1), machine()) {
        for (Seat& seat : seats)
            signal_.connect([&seat](std::uint64_t fire) { seat.hear(fire); });
    }
    void fire(std::uint64_t number) { signal_.fire(number); }

  private:
    Runtime runtime_;
    Signal<std::uint64_t> signal_{runtime_, "signal"};
};

class Parallel {
  public:
    explicit Parallel(Seats& seats) : runtime_(config(kWorkers), machine()) {
        for (Seat& seat : seats)
            runtime_.spawn_actor({}, [&](Actor&) {
                signal_.connect_parallel([&seat](std::uint64_t fire) { seat.hear(fire); });
            });
    }
    void fire(std::uint64_t number) {
        signal_.fire(number);
        runtime_.step();
    }

  private:
    Runtime runtime_;
    Signal<std::uint64_t> signal_{runtime_, "signal"};
};

} // namespace

void add_takt(Field& serial, Field& parallel, std::size_t listeners) {
    add_contender<Serial>(serial, "takt", listeners, "serial");
    add_contender<Parallel>(parallel, "takt", listeners, "parallel");
}

} // namespace takt::bench::signal_fire
