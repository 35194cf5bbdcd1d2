// SPDX-License-Identifier: MIT
// TAKT_TRACE: a capture of any program that links takt, without a change to it.
#include "takt/profiler/files.hpp"
#include "takt/profiler/recorder.hpp"

#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace takt::detail {

namespace {

void say(const std::string& text) {
    std::fprintf(stderr, "takt: %s\n", text.c_str());
}

// Nothing where the variable is not set; where it is no number from 1 to `most`, says so.
std::optional<std::int64_t> number_from(const char* variable, std::int64_t most) {
    const char* const text = std::getenv(variable);
    if (text == nullptr || *text == '\0')
        return std::nullopt;
    const std::string_view given(text);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
    if (error == std::errc() && end == given.data() + given.size() && value >= 1 && value <= most)
        return value;
    say(std::string(variable) + " = \"" + text +
        "\" is left out of account: it takes a whole number from 1 to " + std::to_string(most));
    return std::nullopt;
}

// "frames.html" of the first runtime of a program, "frames-2.html" of the second.
std::string path_of(std::string path, unsigned number) {
    if (number == 1)
        return path;
    const std::size_t slash = path.rfind('/');
    std::size_t dot = path.rfind('.');
    if (dot == std::string::npos || (slash != std::string::npos && dot < slash))
        dot = path.size();
    return path.insert(dot, "-" + std::to_string(number));
}

/// Writes the last frames when the runtime goes, and, where a budget is given, those up to the longest
/// frame beyond it as soon as it is over.
class TraceFile {
  public:
    TraceFile(Runtime& runtime, std::string path, std::size_t frames, std::int64_t late_us)
        : recorder_(runtime, {.budget = std::chrono::microseconds(late_us)}),
          path_(std::move(path)), frames_(frames), late_only_(late_us > 0) {
        recorder_.on_late_frame([this](const FrameReport& report) {
            if (report.duration_ns <= longest_ns_)
                return;
            longest_ns_ = report.duration_ns;
            write("up to frame " + std::to_string(report.time.frame) + ", which took " +
                  std::to_string(report.duration_ns / 1000) + " us");
        });
    }
    ~TraceFile() {
        if (!late_only_)
            write("before the end");
        else if (longest_ns_ == 0)
            say("no frame took longer than its budget: " + path_ + " is not written");
    }
    TraceFile(const TraceFile&) = delete;
    TraceFile& operator=(const TraceFile&) = delete;

  private:
    void write(const std::string& which) noexcept {
        try {
            const Capture capture = recorder_.capture(frames_);
            if (const std::optional<std::string> error = write_capture(capture, path_))
                say(*error);
            else
                say("the " + std::to_string(capture.frames.size()) + " frames " + which +
                    " are in " + path_);
        } catch (const std::exception& error) { // of memory
            say(path_ + " is not written: " + error.what());
        }
    }

    Recorder recorder_;
    const std::string path_;
    const std::size_t frames_;
    const bool late_only_;
    std::int64_t longest_ns_ = 0;
};

} // namespace

std::shared_ptr<void> record_as_environment_says(Runtime& runtime) {
    constexpr std::int64_t kFramesMax = 1'000'000;
    constexpr std::int64_t kFramesStandard = 600;
    constexpr std::int64_t kLateMaxUs = 3'600'000'000;
    static std::atomic<unsigned> runtimes{0};
    const char* const path = std::getenv("TAKT_TRACE");
    if (path == nullptr || *path == '\0')
        return nullptr;
    const auto frames = number_from("TAKT_TRACE_FRAMES", kFramesMax).value_or(kFramesStandard);
    const auto late_us = number_from("TAKT_TRACE_LATE_US", kLateMaxUs).value_or(0);
    const unsigned number =
        runtimes.fetch_add(1, std::memory_order_relaxed) + 1; // relaxed: distinct
    return std::make_shared<TraceFile>(runtime, path_of(path, number),
                                       static_cast<std::size_t>(frames), late_us);
}

} // namespace takt::detail
