// SPDX-License-Identifier: MIT
#include "takt/profiler/recorder.hpp"

#include "profiler/capture_builder.hpp"

#include <array>
#include <cerrno>

namespace takt {

const char* name_of(ScopeKind kind) noexcept {
    constexpr std::array kNames{"frame",   "stage",  "round", "parallel", "serial",
                                "handler", "commit", "task",  "claim",    "wait",
                                "idle",    "park",   "user"};
    const auto at = static_cast<std::size_t>(kind);
    return at < kNames.size() ? kNames[at] : "unknown";
}

const std::string& Capture::name(std::uint32_t index) const noexcept {
    static const std::string none;
    return index < names.size() ? names[index] : none;
}

Recorder::Recorder(Runtime& runtime, const RecorderOptions& options)
    : runtime_(runtime), options_(options) {
    runtime_.add_after_frame(this, [this](const FrameReport& report) {
        const std::int64_t budget_ns = options_.budget.count();
        if (is_on_ && budget_ns > 0 && report.duration_ns > budget_ns && on_late_frame_)
            on_late_frame_(report);
    });
    try {
        start();
    } catch (...) {
        runtime_.remove_after_frame(this);
        throw;
    }
}

Recorder::~Recorder() {
    stop();
    runtime_.remove_after_frame(this);
}

void Recorder::start() {
    if (is_on_)
        return;
    runtime_.start_recording(options_.records);
    is_on_ = true;
}

void Recorder::stop() noexcept {
    if (std::exchange(is_on_, false))
        runtime_.stop_recording();
}

Capture Recorder::capture(std::size_t frames) const {
    const detail::RecordingView view = runtime_.recording();
    Capture made = detail::CaptureBuilder(view, options_.budget.count()).build(frames);
    made.title = program_invocation_short_name; // of glibc
    return made;
}

Latencies Recorder::latencies() const {
    const detail::RecordingView view = runtime_.recording();
    const detail::FrameTimes& frames = view.recording->kept_frame_times();
    Latencies sum{frames.frame, frames.parallel, frames.serial, {}, {}, {}};
    for (int worker = 0; worker < runtime_.workers(); ++worker) {
        const detail::WorkerTimes& times = view.recording->kept_times_of(worker);
        sum.barrier.merge(times.barrier);
        sum.handler.merge(times.handler);
        sum.queue_wait.merge(times.queue_wait);
    }
    return sum;
}

} // namespace takt
