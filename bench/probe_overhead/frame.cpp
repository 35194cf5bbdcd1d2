// SPDX-License-Identifier: MIT
#include "probe_overhead/config.hpp"
#include "support/work.hpp"

#include "takt/profiler.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace takt::bench::probe_overhead {
namespace {

constexpr Topic<> kRun{"Run"};
constexpr int kWorkers = 2;
constexpr double kHandlerNs = 1'000;
constexpr int kFrames = 500;
constexpr std::size_t kCaptured = 4; // frames, of each window that is recorded

class alignas(kInterference) Seat {
  public:
    void run(std::uint64_t rounds, const char* caller) noexcept {
        sum_ = work(sum_, rounds);
        ++count_;
        off_caller_ += this_thread_mark() != caller;
    }
    std::uint64_t count() const noexcept { return count_; }
    std::uint64_t off_caller() const noexcept { return off_caller_; }
    std::uint64_t sum() const noexcept { return sum_; }

  private:
    std::uint64_t sum_ = 1;
    std::uint64_t count_ = 0;
    std::uint64_t off_caller_ = 0;
};

// One runtime for both rows: two would differ in more than the recorder. `handlers` actors on each
// worker, one message for each in a frame, sent in the serial phase before it.
class Stage {
  public:
    explicit Stage(int handlers)
        : handlers_(handlers), seats_(static_cast<std::size_t>(kWorkers * handlers)),
          runtime_({.workers = {.count = kWorkers, .pin_caller = true}}, machine()),
          recorder_(runtime_) {
        recorder_.stop();
        for (std::size_t at = 0; at < seats_.size(); ++at)
            actors_.push_back(runtime_.spawn_actor(
                {.worker = static_cast<int>(at) % kWorkers}, [&](Actor& actor) {
                    actor.bind_parallel(kRun,
                                        [this, &seat = seats_[at]] { seat.run(rounds_, caller_); });
                }));
    }

    Window off() {
        recorder_.stop();
        Window window = take();
        off_ns_ = window.ns_per_operation;
        return window;
    }
    // Right after off().
    Window on() {
        recorder_.start();
        Window window = take();
        window.wrong |= !is_captured();
        window.counters["ratio"] = off_ns_ == 0 ? 0 : window.ns_per_operation / off_ns_;
        return window;
    }

  private:
    Window take();
    bool frame();
    bool is_captured() const;

    const int handlers_;
    const std::uint64_t rounds_ = rounds_of(kHandlerNs);
    const char* const caller_ = this_thread_mark();
    std::vector<Seat> seats_;
    Runtime runtime_;
    Recorder recorder_;
    std::vector<ActorRef> actors_;
    std::uint64_t frames_ = 0;
    double off_ns_ = 0;
};

bool Stage::frame() {
    for (const ActorRef actor : actors_)
        actor.send(kRun);
    ++frames_;
    return runtime_.step().messages == seats_.size();
}

Window Stage::take() {
    Window window;
    // Two records for each handler and one for the rest after them: each page of the workers' rings
    // has been written then.
    const int warm_up = static_cast<int>(RecorderOptions().records) / (2 * handlers_ + 1);
    for (int count = 0; count < warm_up; ++count)
        window.wrong |= !frame();
    window.samples.reserve(kFrames);
    measure::Span span{measure::ticks(), 0, sched_getcpu()};
    for (int count = 0; count < kFrames; ++count) {
        const std::uint64_t begin = measure::ticks();
        window.wrong |= !frame();
        window.samples.add(static_cast<double>(measure::ticks() - begin) * measure::ns_per_tick());
    }
    span.end = measure::ticks();
    window.spans = {span};
    window.ns_per_operation = window.samples.percentile(0.5);
    std::uint64_t off_caller = 0; // of all frames so far
    for (const Seat& seat : seats_)
        off_caller += seat.off_caller();
    window.counters["off_caller"] =
        static_cast<double>(off_caller) / static_cast<double>(frames_ * seats_.size());
    window.wrong |= std::ranges::any_of(seats_, [this](const Seat& seat) {
        return seat.count() != frames_ || seat.sum() != seats_.front().sum();
    });
    return window;
}

// The last frames are whole, and have each handler.
bool Stage::is_captured() const {
    const Capture capture = recorder_.capture(kCaptured);
    std::size_t handlers = 0;
    for (const CapturedLane& lane : capture.lanes)
        handlers += static_cast<std::size_t>(
            std::ranges::count(lane.scopes, ScopeKind::handler, &CapturedScope::kind));
    return capture.frames.size() == kCaptured && handlers == kCaptured * seats_.size();
}

} // namespace

void add_frames(Field& field, int handlers) {
    // Of one repetition, for both rows.
    const auto last = std::make_shared<std::weak_ptr<Stage>>();
    const auto stage = [handlers, last] {
        std::shared_ptr<Stage> shared = last->lock();
        if (shared == nullptr)
            *last = shared = std::make_shared<Stage>(handlers);
        return shared;
    };
    const std::string suffix = "/" + std::to_string(handlers);
    field.add("probe_overhead/frame/off" + suffix,
              [stage] { return [stage = stage()] { return stage->off(); }; });
    field.add("probe_overhead/frame/on" + suffix,
              [stage] { return [stage = stage()] { return stage->on(); }; });
}

} // namespace takt::bench::probe_overhead
