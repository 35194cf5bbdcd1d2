// SPDX-License-Identifier: MIT
#include "takt/profiler/watchdog.hpp"

#include <cstdio>
#include <system_error>
#include <utility>

namespace takt {

std::string SlowScope::text() const {
    std::string text = "worker " + std::to_string(worker);
    if (cpu >= 0)
        text += " on CPU " + std::to_string(cpu);
    text += " has been running ";
    if (!actor)
        text += "code outside actors";
    else
        text += name.empty() ? "an actor" : "actor \"" + name + "\"";
    if (!topic.empty())
        text += ", topic \"" + topic + "\"";
    return text + ", for " + std::to_string(running.count() / 1'000'000) + " ms";
}

Watchdog::Watchdog(Runtime& runtime, WatchdogOptions options)
    : runtime_(runtime), options_(std::move(options)),
      seen_(static_cast<std::size_t>(runtime.workers())) {
    if (options_.budget < std::chrono::milliseconds(1))
        throw Error("watchdog.budget", std::to_string(options_.budget.count()) + " ns",
                    "allowed is 1 ms or more", "Give more; a Recorder tells of shorter ones");
    runtime_.watch(true);
    try {
        thread_ = std::thread([this] { watch(); });
    } catch (const std::system_error& error) {
        runtime_.watch(false);
        throw Error("watchdog", "a thread", error.what(), "Look at the limits of this process");
    }
}

Watchdog::~Watchdog() {
    {
        const std::lock_guard lock(mutex_);
        ends_ = true;
    }
    wake_.notify_all();
    thread_.join();
    runtime_.watch(false);
}

void Watchdog::watch() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, options_.budget / 4, [this] { return ends_; })) {
        lock.unlock(); // on_slow may ask for running()
        look(now_ns());
        lock.lock();
    }
}

void Watchdog::look(std::int64_t now) {
    for (int worker = 0; worker < static_cast<int>(seen_.size()); ++worker) {
        RunningScope scope;
        const bool runs = runtime_.running(worker).look(scope);
        std::unique_lock lock(mutex_);
        Seen& seen = seen_[static_cast<std::size_t>(worker)];
        if (!runs || scope.number != seen.number) {
            seen = {runs ? scope.number : 0, now, false};
            continue;
        }
        if (seen.is_told || now - seen.since_ns < options_.budget.count())
            continue;
        seen.is_told = true;
        ++slow_;
        const SlowScope slow = describe(worker, scope, seen.since_ns, now);
        lock.unlock();
        if (options_.on_slow)
            options_.on_slow(slow);
        else
            std::fprintf(stderr, "takt: %s\n", slow.text().c_str());
    }
}

SlowScope Watchdog::describe(int worker, const RunningScope& scope, std::int64_t since_ns,
                             std::int64_t now) const {
    SlowScope slow;
    slow.actor = ActorRef::from_address(scope.actor);
    slow.name = scope.name;
    slow.topic = scope.topic == nullptr ? "" : scope.topic;
    slow.worker = worker;
    slow.cpu = runtime_.plan().workers[static_cast<std::size_t>(worker)].cpu;
    slow.running = std::chrono::nanoseconds(now - since_ns);
    return slow;
}

std::vector<SlowScope> Watchdog::running() const {
    const std::int64_t now = now_ns();
    std::vector<SlowScope> found;
    const std::lock_guard lock(mutex_);
    for (int worker = 0; worker < static_cast<int>(seen_.size()); ++worker) {
        RunningScope scope;
        if (!runtime_.running(worker).look(scope))
            continue;
        const Seen& seen = seen_[static_cast<std::size_t>(worker)];
        found.push_back(
            describe(worker, scope, seen.number == scope.number ? seen.since_ns : now, now));
    }
    return found;
}

std::uint64_t Watchdog::slow() const {
    const std::lock_guard lock(mutex_);
    return slow_;
}

} // namespace takt
