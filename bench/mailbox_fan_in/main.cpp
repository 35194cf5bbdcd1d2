// SPDX-License-Identifier: MIT
// mailbox_fan_in/<contender>/<producers>: what a message costs when several workers write to one.
//
//   worker 1  ==+
//   worker 2  ==+=>  worker 0: checks each sender's sequence      one operation = one message
//   worker n  ==+
//
// In rounds, with a meeting after each, as mailbox_pair. Senders publish every kBatch messages.
// With more workers than cores the threads share CPUs, yield where they wait, and the figures say
// how a contender bears that, not how it scales.
#include "mailbox/moodycamel_mailboxes.hpp"
#include "support/window.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace takt::bench {
namespace {

constexpr int kWindows = 10;
constexpr std::uint64_t kRounds = 16;
constexpr std::uint64_t kRoundMessages = 8'192; // of all senders together
constexpr std::uint64_t kBatch = 32;

struct alignas(kInterference) Line {
    std::atomic<std::uint64_t> word{0};
};

struct Message {
    std::uint64_t number;
    std::uint64_t sender;
};

template <class M>
class FanIn {
  public:
    explicit FanIn(int producers)
        : producers_(producers), plan_(plan_for(producers + 1)),
          mailboxes_(std::vector<int>(static_cast<std::size_t>(producers + 1), 0)) {}

    bool wrong() const { return wrong_; }

    Window window() {
        Window result;
        result.spans.resize(1); // sharing CPUs is part of the larger rows
        if (!plan_.oversubscribed)
            result.spans.resize(static_cast<std::size_t>(producers_ + 1));
        done_.word.store(0, std::memory_order_relaxed); // relaxed: the crew has not begun
        Workers crew(plan_, {.pin_caller = true});
        crew.run([&](int worker) {
            measure::Span span;
            span.begin = measure::ticks();
            if (worker == 0)
                receive(result);
            else
                send(worker);
            span.end = measure::ticks();
            if (static_cast<std::size_t>(worker) < result.spans.size())
                result.spans[static_cast<std::size_t>(worker)] = span;
        });
        result.ns_per_operation = static_cast<double>(result.spans[0].end - result.spans[0].begin) *
                                  measure::ns_per_tick() /
                                  static_cast<double>(kRounds * round_messages());
        return result;
    }

  private:
    std::uint64_t each() const { return kRoundMessages / static_cast<std::uint64_t>(producers_); }
    std::uint64_t round_messages() const { return each() * static_cast<std::uint64_t>(producers_); }
    void wait() const {
        if (plan_.oversubscribed)
            std::this_thread::yield();
    }

    void send(int worker) {
        auto& outbox = mailboxes_.outbox(worker);
        std::uint64_t number = 0;
        for (std::uint64_t round = 1; round <= kRounds; ++round) {
            for (std::uint64_t sent = 1; sent <= each(); ++sent) {
                const Message message{number++, static_cast<std::uint64_t>(worker)};
                if (!outbox.template push<Message>(0, 0, message))
                    throw std::bad_alloc();
                if (sent % kBatch == 0 || sent == each())
                    outbox.publish();
            }
            while (done_.word.load(std::memory_order_acquire) < round) // edge done, acquire side
                wait();
            outbox.recycle();
        }
    }

    void receive(Window& result) {
        std::vector<std::uint64_t> next(static_cast<std::size_t>(producers_ + 1), 0);
        std::uint64_t last = measure::ticks();
        for (std::uint64_t round = 1; round <= kRounds; ++round) {
            for (std::uint64_t left = round_messages(); left > 0;) {
                const std::size_t count = mailboxes_.mailbox(0).drain(
                    [&](std::uint64_t, const RecordType&, void* payload) {
                        const Message& message = *static_cast<const Message*>(payload);
                        wrong_ |= message.number != next[message.sender]++;
                    });
                left -= count;
                if (count == 0)
                    wait();
            }
            done_.word.store(round, std::memory_order_release); // edge done, release side
            const std::uint64_t now = measure::ticks();
            result.samples.add(static_cast<double>(now - last) * measure::ns_per_tick() /
                               static_cast<double>(round_messages()));
            last = now;
        }
    }

    const int producers_;
    const Plan plan_;
    M mailboxes_;
    Line done_;
    bool wrong_ = false;
};

template <class M>
void add(const std::string& name) {
    for (const int producers : {1, 2, 4, 8})
        benchmark::RegisterBenchmark(
            ("mailbox_fan_in/" + name + "/" + std::to_string(producers)).c_str(),
            [producers](benchmark::State& state) {
                FanIn<M> fan_in(producers);
                run_windows(state, [&] { return fan_in.window(); });
                if (fan_in.wrong())
                    state.SkipWithError("a sender's message is lost, doubled or out of order");
            })
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
