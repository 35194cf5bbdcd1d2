// SPDX-License-Identifier: MIT
#pragma once
// overload/takt/<case>/<policy>/<load>: what limits do to a server that gets more than it can do.
//
//   client    a thread outside -> a producer -> one actor on the one worker; open loop: message n is meant to
//             leave at n / rate, and its latency counts from then on, until its handler begins
//   senders   1000 actors on two workers -> one sink; a frame each kFrameNs, in which all send; latency
//             counts from the time at which the frame was meant to begin
//
// A message takes its handler kServiceNs. load 0.5 is half of what the receiver can do, 10 is ten times
// that. `unlimited` is the same without limits, as the contender: what is not refused waits. Other policies
// have room for kMax messages.
//
// The row's time is the median latency of what was handled, p99_ns and max_ns its tail. Per second:
//   handled, dropped, refused    sent = handled + dropped + refused, which is checked
//   grown_kib                    the heap at the end of the second half of the window, less that at its
//                                begin: 0 or little where memory is flat
// The bars: grown_kib flat, and p99 no more than kMax services beyond that of load 0.5 of the same
// policy, where limits are on.
//
// Refused: a message that is handled and counted as something else as well, or not at all; drops that the
// hook, the topic, the actor and the reason count differently.

#include "support/window.hpp"
#include "takt/takt.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace takt::bench::overload {

inline constexpr int kWindows = 3;
inline constexpr std::int64_t kServiceNs = 10'000;
inline constexpr std::uint64_t kMax = 100;
inline constexpr std::int64_t kWindowNs = 400'000'000;

struct Policy {
    const char* name;
    MailLimit limit;
};
inline const std::vector<Policy> kPolicies{
    {"unlimited", {}},
    {"reject", {.max = kMax}},
    {"drop_newest", {.max = kMax, .overflow = Overflow::drop_newest}},
    {"drop_oldest", {.max = kMax, .overflow = Overflow::drop_oldest}},
    {"keep_latest", {.max = kMax, .overflow = Overflow::keep_latest}},
};

/// Its argument: when it was meant to be sent, in now_ns time.
inline constexpr Topic<std::int64_t> kWork{"Work"};

/// What the senders know.
struct Totals {
    std::uint64_t sent = 0;
    std::uint64_t refused = 0;
};

/// The receiver, and all that is counted of what it gets. The frame thread's.
class Server {
  public:
    Server(Runtime& runtime, const Policy& policy);
    ActorRef actor() const noexcept { return actor_; }
    /// Once a frame: the heap at half time.
    void look(std::int64_t elapsed_ns);
    /// `totals` is asked when nothing is under way any more.
    void finish(Window& result, const std::function<Totals()>& totals);

  private:
    void handle(std::int64_t meant_ns);

    Runtime& runtime_;
    ActorRef actor_;
    Actor* inside_ = nullptr;
    measure::Samples samples_;
    std::uint64_t handled_ = 0;
    std::uint64_t letters_ = 0;
    std::optional<std::size_t> heap_at_half_;
};

Window client(const Policy& policy, double load);
Window senders(const Policy& policy, double load);

} // namespace takt::bench::overload
