// SPDX-License-Identifier: MIT
#include "takt/testing.hpp"

#include "testing/seed_of_environment.hpp"

#include <cstdio>

namespace takt::testing {

namespace {

// Another machine's, so that a test does not depend on this one, and costs no look at it.
const Machine& one_core() {
    static const Machine machine = discover_machine({.synthetic = "core:1 pu:1"});
    return machine;
}

Config on_one_thread(Config config) {
    config.workers = {.count = 1, .pin = false};
    config.frame.pacing = Pacing::manual;
    config.frame.phase_time_ns.reset();
    config.clock.kind = ClockKind::virtual_time;
    if (!config.checks.level)
        config.checks.level = CheckLevel::always;
    return config;
}

// Failure::text() of each, on lines of their own where there are several.
std::string text_of(const std::vector<Failure>& failures, std::size_t begin) {
    const std::size_t count = failures.size() - begin;
    std::string text;
    if (count != 1)
        text = std::to_string(count) + " failures:";
    for (std::size_t at = begin; at < failures.size(); ++at)
        text += (count == 1 ? "" : "\n  ") + failures[at].text();
    return text;
}

} // namespace

TestRuntime::TestRuntime(const Config& config, std::optional<std::uint64_t> seed)
    : seed_(seed ? *seed : seed_of_environment().value_or(1)),
      runtime_(on_one_thread(config), one_core(), seed_) {
    runtime_.on_failure([this](const Failure& failure) { failures_.push_back(failure); });
    runtime_.on_dead_letter([this](const DeadLetter& letter) { dead_letters_.push_back(letter); });
}

TestRuntime::~TestRuntime() {
    runtime_.shutdown(std::chrono::nanoseconds::zero());
    for (; seen_ < failures_.size(); ++seen_)
        std::fprintf(stderr, "takt: seed %llu, not seen by the test: %s\n",
                     static_cast<unsigned long long>(seed_), failures_[seen_].text().c_str());
}

FrameReport TestRuntime::step() {
    const FrameReport report = runtime_.step();
    look_at_failures();
    return report;
}

void TestRuntime::advance(std::chrono::nanoseconds by) {
    if (by.count() < 0)
        throw Error("by", std::to_string(by.count()) + " ns", "time does not go back",
                    "Give the time that is to pass");
    const std::int64_t end_ns = later(now().count(), by.count());
    while (now().count() < end_ns) {
        runtime_.step_no_later(end_ns);
        look_at_failures();
    }
}

std::uint64_t TestRuntime::run_until_idle(std::uint64_t frames_max) {
    std::uint64_t frames = 0;
    do {
        if (frames == frames_max)
            throw TestFailure(seed_, "after " + std::to_string(frames) +
                                         " frames there is still something to do; actors that "
                                         "write to each other for ever are never idle");
        step();
        ++frames;
    } while (!runtime_.is_idle());
    return frames;
}

std::chrono::nanoseconds TestRuntime::now() const {
    return std::chrono::nanoseconds(runtime_.last_frame().time.time_ns);
}

void TestRuntime::look_at_failures() {
    if (!collects_)
        expect_no_failures();
}

void TestRuntime::expect_no_failures() {
    if (seen_ != failures_.size())
        throw TestFailure(seed_, text_of(failures_, std::exchange(seen_, failures_.size())));
}

std::uint64_t TestRuntime::unaccounted() {
    return runtime_.mail().in_flight + runtime_.mail_under_way();
}

void TestRuntime::expect_all_accounted() {
    if (unaccounted() == 0)
        return;
    std::string text = "mail was accepted and has neither been handled, nor failed or expired:";
    for (const TopicReport& topic : runtime_.topics())
        if (topic.counts.in_flight != 0)
            text += " " + std::to_string(topic.counts.in_flight) + " of topic \"" + topic.topic +
                    "\" (not bound, or held by a task that waits),";
    text += " " + std::to_string(runtime_.mail_under_way()) + " under way";
    throw TestFailure(seed_, text);
}

} // namespace takt::testing
