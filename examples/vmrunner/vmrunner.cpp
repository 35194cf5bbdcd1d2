// SPDX-License-Identifier: MIT
#include "vmrunner/vmrunner.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <utility>

namespace example {
namespace {

using namespace std::chrono_literals;

constexpr takt::Topic<> kInit{"Init"};
constexpr takt::Topic<int> kDoTask{"DOTASK"};
constexpr auto kTaskEvery = 100ms;
constexpr int kBeatsMin = 100;
constexpr int kBeatsMax = 1000;

using Random = std::mt19937_64;

/// One actor's heartbeat loop: a little work under a label that nobody knew before.
class Vm {
  public:
    explicit Vm(std::uint64_t seed) : random_(seed) {}

    void beat() {
        ++labels_["VMworker" + std::to_string(std::uniform_int_distribution(1, 100)(random_))];
        for (std::uint64_t number = 1; number <= 10'000; ++number)
            sink_ = number * number * number;
    }
    const std::map<std::string, std::uint64_t>& labels() const noexcept { return labels_; }

  private:
    Random random_;
    std::map<std::string, std::uint64_t> labels_;
    volatile std::uint64_t sink_ = 0; // or the compiler leaves the work out
};

void set_up(takt::Actor& actor, Vm& vm, takt::FrameSignal heartbeat) {
    actor.bind(kInit, [&vm, heartbeat]() mutable {
        heartbeat.connect_parallel([&vm](takt::FrameTime) { vm.beat(); });
    });
    // The load counts the task from its dispatch to the end of this coroutine.
    actor.bind_parallel(kDoTask, [](int heartbeats) -> takt::Task<> {
        for (int beat = 0; beat < heartbeats; ++beat)
            co_await takt::next_frame();
    });
}

/// The runner's loop. Its deadlines are absolute: a frame is no divisor of 100 ms.
template <class S>
takt::Task<> dispatch_tasks(takt::FrameSignal heartbeat, takt::Dispatcher<S>& vms, Random random,
                            std::uint64_t& tasks) {
    std::uniform_int_distribution beats(kBeatsMin, kBeatsMax);
    for (std::chrono::nanoseconds due = kTaskEvery;; due += kTaskEvery) {
        co_await takt::wait(due - std::chrono::nanoseconds(heartbeat.now().time_ns));
        vms.dispatch(kDoTask, beats(random));
        ++tasks;
    }
}

template <class S>
std::vector<std::uint64_t> loads_of(const takt::Dispatcher<S>& vms) {
    std::vector<std::uint64_t> loads(vms.size());
    for (takt::Target target = 0; target < vms.size(); ++target)
        loads[target] = vms.load(target);
    return loads;
}

/// Means over the frames, of what the selector answers for.
class Spread {
  public:
    void add(const std::vector<std::uint64_t>& loads) {
        const auto [least, most] = std::ranges::minmax(loads);
        spread_ += most - least;
        most_ += most * loads.size();
        sum_ += std::accumulate(loads.begin(), loads.end(), std::uint64_t{0});
        ++frames_;
    }
    double spread() const { return share(spread_, frames_); }
    double balance() const { return sum_ == 0 ? 1 : share(most_, sum_); }

  private:
    static double share(std::uint64_t part, std::uint64_t whole) {
        return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
    }

    std::uint64_t spread_ = 0;
    std::uint64_t most_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t frames_ = 0;
};

/// Until the first tasks end, the loads only grow, and any selector looks good.
std::uint64_t settled_after(std::uint64_t frames) {
    return std::min<std::uint64_t>(kBeatsMax, frames / 2);
}

template <class S>
void run_frames(takt::Runtime& runtime, const takt::Dispatcher<S>& vms, const VmOptions& options,
                VmRun& run) {
    Progress progress("vmrunner: frames", options.frames);
    Spread spread;
    const std::uint64_t row_every = std::max<std::uint64_t>(1, options.frames / options.rows);
    for (std::uint64_t frame = 1; frame <= options.frames; ++frame) {
        const takt::FrameReport report = runtime.step();
        run.log.add(report);
        const std::vector<std::uint64_t> loads = loads_of(vms);
        if (frame > settled_after(options.frames))
            spread.add(loads);
        if (frame % row_every == 0)
            run.over_time.push_back({static_cast<double>(report.time.time_ns) / 1e9, loads});
        progress.at(frame);
    }
    run.spread = spread.spread();
    run.balance = spread.balance();
}

template <class S>
VmRun run_with(const VmOptions& options) {
    std::vector<Vm> states;
    for (std::uint32_t actor = 0; actor < options.actors; ++actor)
        states.emplace_back(options.seed + actor);

    VmRun run;
    // The virtual clock: a hundred seconds of frames pass in one.
    takt::Runtime runtime({.workers = {.count = options.workers, .pin_caller = true},
                           .clock = {.kind = takt::ClockKind::virtual_time}});
    run.workers = workers_text(runtime);
    auto next_state = states.begin();
    takt::Dispatcher<S> vms(
        runtime, {.actors = options.actors, .name = "VM"},
        [&](takt::Actor& actor) { set_up(actor, *next_state++, runtime.heartbeat()); });
    vms.dispatch_all(kInit);
    runtime.start(dispatch_tasks(runtime.heartbeat(), vms, Random(options.seed), run.tasks));
    run_frames(runtime, vms, options, run);
    for (const Vm& state : states)
        run.labels.push_back(state.labels());
    return run;
}

} // namespace

VmRun run_vms(const std::string& selector, const VmOptions& options) {
    if (selector == "round_robin")
        return run_with<takt::RoundRobin>(options);
    if (selector == "two_choices")
        return run_with<takt::TwoChoices>(options);
    return run_with<takt::LeastBusy>(options);
}

} // namespace example
