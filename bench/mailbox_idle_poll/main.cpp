// SPDX-License-Identifier: MIT
// mailbox_idle_poll/<contender>/<lanes>: what it costs a worker to find that it has no mail, when
// so many senders have written before.
//
//   sender 0 ... n-1  (idle)  -->  reader: polls, finds nothing      one operation = one poll
//
// One thread: an idle poll meets nobody. bytes_per_lane: memory of a sender that has written one
// message; bytes_per_idle_mailbox: memory of a worker to whom nobody has written yet.
#include "mailbox/moodycamel_mailboxes.hpp"
#include "support/window.hpp"

#include <malloc.h>

#include <memory>
#include <string>
#include <vector>

namespace takt::bench {
namespace {

constexpr int kWindows = 10;
constexpr int kRounds = 200;
constexpr int kPollsPerRound = 500;

double memory_bytes() {
    const struct mallinfo2 info = mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd);
}

// Worker 0 reads, all write to it, itself included.
template <class M>
void run(benchmark::State& state, int lanes) {
    const std::vector<int> one_cache(static_cast<std::size_t>(lanes), 0);
    const double empty = memory_bytes();
    auto mailboxes = std::make_unique<M>(one_cache);
    const double idle = memory_bytes();
    for (int from = 0; from < lanes; ++from) {
        if (!mailboxes->outbox(from).template push<std::uint64_t>(0, 0, 1U))
            state.SkipWithError("no memory");
        mailboxes->outbox(from).publish();
    }
    const double in_use = memory_bytes();
    auto& mailbox = mailboxes->mailbox(0);
    std::size_t messages = 0;
    const auto poll = [&] {
        messages += mailbox.drain([](std::uint64_t, const RecordType&, void*) {});
    };
    poll();
    if (messages != static_cast<std::size_t>(lanes))
        state.SkipWithError("a message is lost");
    run_windows(state, [&] {
        Window window;
        const std::uint64_t begin = measure::ticks();
        std::uint64_t last = begin;
        for (int round = 0; round < kRounds; ++round) {
            for (int again = 0; again < kPollsPerRound; ++again)
                poll();
            const std::uint64_t now = measure::ticks();
            window.samples.add(static_cast<double>(now - last) * measure::ns_per_tick() /
                               kPollsPerRound);
            last = now;
        }
        window.spans.push_back({begin, last});
        window.ns_per_operation =
            static_cast<double>(last - begin) * measure::ns_per_tick() / (kRounds * kPollsPerRound);
        return window;
    });
    if (messages != static_cast<std::size_t>(lanes))
        state.SkipWithError("an idle poll found mail");
    state.counters["bytes_per_lane"] = (in_use - idle) / lanes;
    state.counters["bytes_per_idle_mailbox"] = (idle - empty) / lanes;
}

template <class M>
void add(const std::string& name) {
    for (const int lanes : {1, 8, 64, 256})
        benchmark::RegisterBenchmark(
            ("mailbox_idle_poll/" + name + "/" + std::to_string(lanes)).c_str(),
            [lanes](benchmark::State& state) { run<M>(state, lanes); })
            ->Iterations(kWindows)
            ->UseManualTime();
}

} // namespace
} // namespace takt::bench

int main(int argc, char** argv) {
    using namespace takt::bench;
    add<takt::Mailboxes<takt::StdPolicy>>("takt");
    add<takt::MoodycamelMailboxes>("moodycamel");
    return run(argc, argv);
}
