// SPDX-License-Identifier: MIT
#pragma once
// mailbox_pair/<contender>/<bytes>/<batch>: what a message costs from one worker to another.
//
//   worker 0  ==push==push==publish==>  worker 1      one operation = one message
//                 |---- batch ----|     checks sequence and content of each
//
// In rounds of kRoundMessages, with a meeting after each, as frames have them: that bounds what is
// under way for every contender alike, and takt takes its segments back there. Each contender uses
// the best calls it has; how it batches is up to it as long as a round is complete.

#include "support/window.hpp"
#include "takt/mailbox.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace takt::bench::pair {

inline constexpr std::uint64_t kRoundMessages = 8'192;
inline constexpr std::uint64_t kRounds = 32;
inline constexpr int kWindows = 10;

template <std::size_t Bytes>
struct Message {
    Message() = default;
    explicit Message(std::uint64_t number) : sequence(number) { content.fill(~number); }

    // 0 when this is message `number`, complete.
    std::uint64_t wrong(std::uint64_t number) const {
        return (sequence ^ number) | (content.back() ^ ~number);
    }

    std::uint64_t sequence = 0;
    std::array<std::uint64_t, Bytes / 8 - 1> content{};
};

/// What a contender provides; C is made anew for each row.
///   worker 0: push(message), publish() after each batch, end_round() when a round is sent, meet()
///             when it was received
///   worker 1: drain(visit), visit(const Message&)
template <class C, std::size_t Bytes>
Window window(C& contender, std::uint64_t batch) {
    Window result;
    result.spans.resize(2);
    Workers crew(plan_for(2), {.pin_caller = true});
    struct alignas(kInterference) Line {
        std::atomic<std::uint64_t> word{0};
    } done, ready;
    crew.run([&](int worker) {
        measure::Span& span = result.spans[static_cast<std::size_t>(worker)];
        if (worker == 0) {
            while (ready.word.load(std::memory_order_acquire) == 0) { // edge ready, acquire side
            }
            span.begin = measure::ticks();
            std::uint64_t number = 0;
            for (std::uint64_t round = 1; round <= kRounds; ++round) {
                for (std::uint64_t sent = 0; sent < kRoundMessages; sent += batch) {
                    for (std::uint64_t in_batch = 0; in_batch < batch; ++in_batch)
                        contender.push(Message<Bytes>(number++));
                    contender.publish();
                }
                contender.end_round();
                // edge done, acquire side
                while (done.word.load(std::memory_order_acquire) != round) {
                }
                contender.meet();
            }
            span.end = measure::ticks();
            return;
        }
        ready.word.store(1, std::memory_order_release); // edge ready, release side
        span.begin = measure::ticks();
        std::uint64_t last = span.begin;
        std::uint64_t expected = 0;
        std::uint64_t difference = 0;
        for (std::uint64_t round = 1; round <= kRounds; ++round) {
            while (expected < round * kRoundMessages)
                contender.drain([&](const Message<Bytes>& message) {
                    difference |= message.wrong(expected++);
                });
            done.word.store(round, std::memory_order_release); // edge done, release side
            const std::uint64_t now = measure::ticks();
            result.samples.add(static_cast<double>(now - last) * measure::ns_per_tick() /
                               kRoundMessages);
            last = now;
        }
        span.end = measure::ticks();
        // A message is lost, doubled, damaged or out of order.
        result.wrong = difference != 0 || expected != kRounds * kRoundMessages;
    });
    const measure::Span& sender = result.spans.front();
    result.ns_per_operation = static_cast<double>(sender.end - sender.begin) *
                              measure::ns_per_tick() / (kRounds * kRoundMessages);
    return result;
}

/// All contenders and batches of one size.
template <std::size_t Bytes>
Field& field() {
    static Field rows(kWindows);
    return rows;
}

template <template <std::size_t> class C, std::size_t Bytes>
void add_size(const std::string& name) {
    for (const std::uint64_t batch : {1U, 8U, 32U, 256U})
        field<Bytes>().add("mailbox_pair/" + name + "/" + std::to_string(Bytes) + "/" +
                               std::to_string(batch),
                           [batch] {
                               return [batch, contender = std::make_shared<C<Bytes>>()] {
                                   return window<C<Bytes>, Bytes>(*contender, batch);
                               };
                           });
}

template <template <std::size_t> class C>
void add(const std::string& name) {
    add_size<C, 16>(name);
    add_size<C, 64>(name);
}

} // namespace takt::bench::pair
