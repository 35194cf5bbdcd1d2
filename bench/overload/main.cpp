// SPDX-License-Identifier: MIT
#include "overload/config.hpp"

#include <malloc.h>

namespace takt::bench::overload {
namespace {

// In use, by malloc's own figures.
std::size_t heap_bytes() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

using Case = Window (*)(const Policy&, double);

void add(Field& field, const std::string& name, Case one) {
    for (const Policy& policy : kPolicies)
        for (const double load : {0.5, 10.0}) {
            const std::string row =
                "overload/takt/" + name + "/" + policy.name + "/" + (load < 1 ? "0.5" : "10");
            field.add(row, [=] { return [=] { return one(policy, load); }; });
        }
}

} // namespace

Server::Server(Runtime& runtime, const Policy& policy) : runtime_(runtime) {
    samples_.reserve(1'000'000); // so that measuring is no part of what grows
    runtime.on_dead_letter(
        [this](const DeadLetter& letter) { letters_ += letter.reason == Expiry::overflow; });
    actor_ = runtime.spawn_actor({.worker = 0, .mail = policy.limit}, [this](Actor& self) {
        inside_ = &self;
        self.bind_parallel(kWork, [this](std::int64_t meant_ns) { handle(meant_ns); });
    });
}

void Server::handle(std::int64_t meant_ns) {
    const std::int64_t begin_ns = now_ns();
    ++handled_;
    samples_.add(static_cast<double>(begin_ns - meant_ns));
    while (now_ns() < begin_ns + kServiceNs) {
    }
}

void Server::look(std::int64_t elapsed_ns) {
    if (!heap_at_half_ && elapsed_ns >= kWindowNs / 2)
        heap_at_half_ = heap_bytes();
}

void Server::finish(Window& result, const std::function<Totals()>& totals) {
    const std::size_t at_end = heap_bytes();
    const double grown = static_cast<double>(at_end) - static_cast<double>(*heap_at_half_);
    runtime_.run_until_idle();
    const auto [sent, refused] = totals();
    const std::uint64_t dropped = runtime_.expired(Expiry::overflow);
    std::uint64_t dropped_of_topic = 0;
    for (const TopicReport& topic : runtime_.topics())
        if (topic.topic == kWork.name())
            dropped_of_topic = topic.expired[Expiry::overflow];
    const MailCounts counts = inside_->counts();
    result.wrong |= sent != handled_ + dropped + refused || handled_ != counts.handled ||
                    dropped != dropped_of_topic || dropped != letters_ ||
                    dropped != inside_->expired(Expiry::overflow) ||
                    counts.accepted() + refused != sent || counts.in_flight != 0;
    constexpr double kSecond = 1e9 / static_cast<double>(kWindowNs);
    result.counters["sent"] = static_cast<double>(sent) * kSecond;
    result.counters["handled"] = static_cast<double>(handled_) * kSecond;
    result.counters["dropped"] = static_cast<double>(dropped) * kSecond;
    result.counters["refused"] = static_cast<double>(refused) * kSecond;
    result.counters["grown_kib"] = grown / 1024;
    result.ns_per_operation = samples_.percentile(0.5);
    result.samples = std::move(samples_);
}

} // namespace takt::bench::overload

int main(int argc, char** argv) {
    using namespace takt::bench;
    Field clients(overload::kWindows);
    Field senders(overload::kWindows);
    overload::add(clients, "client", &overload::client);
    overload::add(senders, "senders", &overload::senders);
    return run(argc, argv);
}
