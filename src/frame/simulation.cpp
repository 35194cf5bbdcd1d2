// SPDX-License-Identifier: MIT
// Fixed-rate work: which steps of which binding a frame has to make up for.
#include "frame/engine.hpp"

#include <algorithm>
#include <string>

namespace takt::detail {

namespace {

// Steps of one binding in one frame; a frame that makes up for more would be the later for it.
constexpr std::uint64_t kCatchUpMax = 8;

std::uint64_t last_step_until(std::int64_t time_ns, double rate_hz) noexcept {
    auto step = static_cast<std::uint64_t>(static_cast<long double>(time_ns) * rate_hz / 1e9L);
    while (time_of_step(step, rate_hz) > time_ns)
        --step;
    while (time_of_step(step + 1, rate_hz) <= time_ns)
        ++step;
    return step;
}

} // namespace

std::int64_t time_of_step(std::uint64_t step, double rate_hz) noexcept {
    return static_cast<std::int64_t>(static_cast<long double>(step) * 1e9L / rate_hz);
}

Connection Engine::bind_to_simulation(double rate_hz, int priority,
                                      std::unique_ptr<Handler> handler) {
    enter("takt::Runtime::bind_to_simulation", Level::unsafe);
    require_serial("takt::Runtime::bind_to_simulation");
    if (!(rate_hz >= 0.001 && rate_hz <= 1e9))
        throw Error("simulation.rate_hz", std::to_string(rate_hz),
                    "a rate is from 0.001 to 1e9 steps a second", "For example 60");
    auto signal = make_signal("simulation", false);
    Connection connection = connect(*signal, Phase::serial, false, std::move(handler));
    const auto place =
        std::upper_bound(simulation_.begin(), simulation_.end(), priority,
                         [](int one, const Simulation& other) { return one < other.priority; });
    std::shared_ptr<Listener> listener = signal->serial_.front();
    simulation_.insert(place, {std::move(signal), std::move(listener), rate_hz, priority,
                               last_step_until(time_.time_ns, rate_hz) + 1, 0});
    return connection;
}

// What cannot be made up for is left out, the oldest first. False: nothing is due.
bool Engine::skip_simulation() {
    if (simulation_.empty())
        return false;
    std::erase_if(simulation_, [this](const Simulation& one) {
        if (one.listener->is_connected())
            return false;
        close_signal(*one.signal);
        return true;
    });
    bool has_some = false;
    for (Simulation& one : simulation_) {
        const std::uint64_t last = last_step_until(time_.time_ns, one.rate_hz);
        if (last < one.next)
            continue;
        has_some = true;
        const std::uint64_t due = last - one.next + 1;
        if (due > kCatchUpMax) {
            one.skipped += due - kCatchUpMax;
            skipped_steps_ += due - kCatchUpMax;
            one.next += due - kCatchUpMax;
        }
    }
    return has_some;
}

// By time, then by priority, then in bind order; steps may bind and disconnect.
void Engine::run_simulation() {
    for (;;) {
        Simulation* first = nullptr;
        std::int64_t first_ns = later(time_.time_ns, 1);
        for (Simulation& one : simulation_) {
            const std::int64_t due_ns = time_of_step(one.next, one.rate_hz);
            if (due_ns < first_ns && one.listener->is_connected()) {
                first = &one;
                first_ns = due_ns;
            }
        }
        if (first == nullptr)
            return;
        const SimulationStep step{first->next, first_ns,
                                  first_ns - time_of_step(first->next - 1, first->rate_hz),
                                  std::exchange(first->skipped, 0)};
        ++first->next;
        const std::shared_ptr<SignalCore> signal = first->signal;
        fire(*signal, make_event<SimulationStep>(signal->name(), nullptr, step), false);
    }
}

std::int64_t Engine::next_simulation_ns() const noexcept {
    std::int64_t next_ns = kNever;
    for (const Simulation& one : simulation_)
        next_ns = std::min(next_ns, time_of_step(one.next, one.rate_hz));
    return next_ns;
}

} // namespace takt::detail
