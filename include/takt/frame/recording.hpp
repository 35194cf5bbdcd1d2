// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. What is recorded of a runtime's frames: a probe for each worker and one for the serial
// phase. Below: base (probe). Above: the engine, which writes them; the profiler, which reads them.

#include "takt/base.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace takt::detail {

/// How long things took, in nanoseconds.
struct WorkerTimes {
    Histogram handler;    // a message in the parallel phase
    Histogram queue_wait; // from its send to that; with immediate delivery
    Histogram barrier;    // at rest, up to the end of the phase
};
struct FrameTimes {
    Histogram frame;
    Histogram parallel; // phase
    Histogram serial;   // phase
};

/// The frame thread's, between frames and in serial phases; workers take their probes as a phase begins.
/// So no ring is written while it is read: a worker writes only while it is awake in a phase, and notes
/// of its sleep in the next one.
class Recording {
  public:
    explicit Recording(int workers) : workers_(static_cast<std::size_t>(workers)) {}

    /// For one more user, from the next phase on; with the first one what was recorded before is
    /// forgotten. `frame`: the number of the next one. Throws std::bad_alloc.
    void start(std::size_t records, std::uint64_t frame) {
        if (users_ != 0) {
            ++users_;
            return;
        }
        std::vector<Worker> workers(workers_.size());
        for (Worker& worker : workers)
            worker = {std::make_unique<Probe>(records), std::make_unique<WorkerTimes>()};
        frame_times_ = std::make_unique<FrameTimes>();
        serial_ = std::make_unique<Probe>(records);
        workers_ = std::move(workers);
        gone_.clear();
        began_ = TickPair::now();
        ns_per_tick_ = measured_ns_per_tick(made_);
        first_frame_ = frame;
        users_ = 1;
    }
    /// For one of them. What was recorded stays.
    void stop() noexcept { --users_; }
    bool is_on() const noexcept { return users_ != 0; }
    std::uint64_t first_frame() const noexcept { return first_frame_; }

    /// Where to write; null: nothing is recorded.
    Probe* serial() const noexcept { return is_on() ? serial_.get() : nullptr; }
    Probe* of_worker(int worker) const noexcept {
        return is_on() ? of(worker).probe.get() : nullptr;
    }
    /// As that.
    WorkerTimes* times_of_worker(int worker) const noexcept {
        return is_on() ? of(worker).times.get() : nullptr;
    }
    FrameTimes* frame_times() const noexcept { return is_on() ? frame_times_.get() : nullptr; }
    std::int64_t ns_of_ticks(std::uint64_t ticks) const noexcept {
        return static_cast<std::int64_t>(static_cast<double>(ticks) * ns_per_tick_);
    }
    /// For workers: when the last parallel phase was over. Written by the frame thread before the next.
    std::uint64_t phase_end_tick = 0;
    /// What was written; start() has been called.
    const ProbeRing& ring_of_serial() const noexcept { return serial_->ring(); }
    const Probe& probe_of(int worker) const noexcept { return *of(worker).probe; }
    const WorkerTimes& kept_times_of(int worker) const noexcept { return *of(worker).times; }
    const FrameTimes& kept_frame_times() const noexcept { return *frame_times_; }
    std::size_t memory_bytes() const noexcept {
        std::size_t bytes = serial_ == nullptr ? 0 : serial_->ring().bytes() + sizeof(FrameTimes);
        for (const Worker& worker : workers_)
            if (worker.probe != nullptr)
                bytes += worker.probe->ring().bytes() + sizeof(WorkerTimes);
        return bytes;
    }
    const TickPair& began() const noexcept { return began_; }

    /// An actor is destroyed. Names of more than kGoneMax are not kept.
    void note_gone(std::uint64_t address, const std::string& name) noexcept {
        if (!is_on() || name.empty() || gone_.size() >= kGoneMax)
            return;
        try {
            gone_.emplace(address, name);
        } catch (...) { // it is called by its number
        }
    }
    /// Empty: it is not known.
    const std::string& name_of_gone(std::uint64_t address) const noexcept {
        static const std::string unknown;
        const auto found = gone_.find(address);
        return found == gone_.end() ? unknown : found->second;
    }

  private:
    static constexpr std::size_t kGoneMax = 65'536;

    int users_ = 0;
    std::uint64_t first_frame_ = 0;
    struct Worker {
        std::unique_ptr<Probe> probe;
        std::unique_ptr<WorkerTimes> times;
    };
    const Worker& of(int worker) const noexcept {
        return workers_[static_cast<std::size_t>(worker)];
    }

    const TickPair made_ = TickPair::now();
    double ns_per_tick_ = 1;
    std::unique_ptr<Probe> serial_;
    std::unique_ptr<FrameTimes> frame_times_;
    std::vector<Worker> workers_;
    TickPair began_;
    std::unordered_map<std::uint64_t, std::string> gone_;
};

/// What the frame thread notes of a frame. One stamp serves the end of one scope and the beginning of the
/// next.
class FrameMarks {
  public:
    explicit FrameMarks(const Recording& recording) noexcept
        : recording_(recording), probe_(recording.serial()), times_(recording.frame_times()) {}

    std::uint64_t stamp() noexcept { return last_ = probe_ == nullptr ? 0 : tick(); }
    std::uint64_t last() const noexcept { return last_; }
    /// Up to the last stamp.
    void write(ProbeKind kind, std::uint64_t begin, const char* name) noexcept {
        if (probe_ == nullptr)
            return;
        probe_->write(kind, begin, last_, name, 0);
        if (kind == ProbeKind::parallel)
            times_->parallel.record(recording_.ns_of_ticks(last_ - begin));
        else if (kind == ProbeKind::serial)
            times_->serial.record(recording_.ns_of_ticks(last_ - begin));
    }
    /// The frame is over.
    void write_frame(std::uint64_t begin, std::uint64_t number) noexcept {
        if (probe_ == nullptr)
            return;
        probe_->write(ProbeKind::frame, begin, last_, nullptr, 0);
        times_->frame.record(recording_.ns_of_ticks(last_ - begin));
        probe_->write(ProbeKind::number, last_, last_, nullptr, number);
    }

  private:
    const Recording& recording_;
    Probe* const probe_;
    FrameTimes* const times_;
    std::uint64_t last_ = 0;
};

} // namespace takt::detail
