// SPDX-License-Identifier: MIT
// phase_switch/takt/<tasks>: tasks that go to the serial phase and back, again and again.
// commit/takt/<closures>:    as many closures that handlers hand to the serial phase instead.
//
//   parallel  t1 t2 ... tn  |  serial  t1 t2 ... tn  |  parallel  t1 t2 ...     on one of two workers
//
// One operation of phase_switch is one task's way through synchronize() and back: ten in a frame, one
// a round. One operation of commit is one closure, with the n-th part of the message that asks for n
// of them. What runs in the serial phase counts, and a wrong count fails the row; so does an
// allocation: as many frames have been run before.
#include "support/allocations.hpp"
#include "support/window.hpp"

#include "takt/takt.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace takt::bench {
namespace {

constexpr int kWindows = 9;
constexpr std::uint64_t kOperations = 100'000; // of a window, at least
constexpr std::uint64_t kFramesMin = 20;
constexpr std::uint64_t kRounds = 10;

constexpr Topic<> kBegin{"Begin"};
constexpr Topic<std::uint64_t> kCommit{"Commit"};

/// An actor on worker 1 of two, and what its code has done in serial phases.
class World {
  public:
    template <class Setup>
    explicit World(Setup setup)
        : runtime_({.workers = {.count = 2, .pin_caller = true},
                    .frame = {.max_rounds = static_cast<int>(kRounds)}},
                   machine()),
          actor_(runtime_.spawn_actor({.worker = 1},
                                      [this, setup](Actor& self) { setup(self, serial_runs_); })) {}

    template <class Begin>
    Window window(std::uint64_t operations_per_frame, Begin begin) {
        const std::uint64_t frames = std::max(kFramesMin, kOperations / operations_per_frame);
        const auto step = [&] {
            begin(actor_);
            runtime_.step();
        };
        for (std::uint64_t frame = 0; frame < frames; ++frame) // lanes and pools grow meanwhile
            step();
        Window window;
        window.samples.reserve(frames);
        const std::uint64_t runs_before = serial_runs_;
        const std::uint64_t allocations_before = allocations::count();
        for (std::uint64_t frame = 0; frame < frames; ++frame) {
            const std::uint64_t ticks = measure::ticks();
            step();
            window.samples.add(static_cast<double>(measure::ticks() - ticks) *
                               measure::ns_per_tick() / static_cast<double>(operations_per_frame));
        }
        const std::uint64_t allocated = allocations::count() - allocations_before;
        window.counters["allocations"] = static_cast<double>(allocated);
        window.wrong =
            serial_runs_ - runs_before != frames * operations_per_frame || allocated != 0;
        window.ns_per_operation = window.samples.percentile(0.5);
        window.spans = {{0, 1}};
        return window;
    }

  private:
    std::uint64_t serial_runs_ = 0;
    Runtime runtime_;
    ActorRef actor_;
};

Task<> switch_phases(std::uint64_t& serial_runs) {
    for (;;) {
        co_await synchronize();
        ++serial_runs;
        co_await desynchronize();
    }
}

Window switch_window(std::uint64_t tasks) {
    World world([](Actor& self, std::uint64_t& serial_runs) {
        self.bind_parallel(kBegin, [&serial_runs] { spawn(switch_phases(serial_runs)); });
    });
    std::uint64_t left = tasks; // to begin
    return world.window(kRounds * tasks, [&left](ActorRef actor) {
        for (; left != 0; --left)
            actor.send(kBegin);
    });
}

Window commit_window(std::uint64_t closures) {
    World world([](Actor& self, std::uint64_t& serial_runs) {
        self.bind_parallel(kCommit, [&serial_runs](std::uint64_t count) {
            for (; count != 0; --count)
                commit([&serial_runs] { ++serial_runs; });
        });
    });
    return world.window(closures, [closures](ActorRef actor) { actor.send(kCommit, closures); });
}

} // namespace
} // namespace takt::bench

int main(int argc, char** argv) {
    using namespace takt::bench;
    std::vector<std::unique_ptr<Field>> fields;
    for (const std::uint64_t count : {1u, 100u, 10'000u}) {
        Field& field = *fields.emplace_back(std::make_unique<Field>(kWindows));
        const auto add = [&](const char* name, Window (*window)(std::uint64_t)) {
            field.add(name + std::to_string(count), [=] { return [=] { return window(count); }; });
        };
        add("phase_switch/takt/", &switch_window);
        add("commit/takt/", &commit_window);
    }
    return run(argc, argv);
}
