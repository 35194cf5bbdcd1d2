// SPDX-License-Identifier: MIT
#pragma once
// request/<contender>/<rate>: a server answers requests that come whether it keeps up or not.
//
//   client thread  --request n, at its intended time-->  server, on one worker
//                  <--answer n--------------------------
//
// Open loop: request n is meant to leave at n / rate, and its latency counts from then on, also when
// the client was late: a server that stalls pays for all that came meanwhile. The client spins: it
// looks for answers between its requests. spinning and parked is how the server waits for them. Each
// answer carries the square of its question, and answers come once and in order.

#include "support/window.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace takt::bench::request {

inline constexpr int kWindows = 3;

struct Answer {
    std::uint64_t number;
    std::uint64_t square;
};

/// Used by the client's thread.
class Server {
  public:
    virtual ~Server() = default;
    virtual void ask(std::uint64_t number) = 0;
    /// False: there is no answer yet.
    virtual bool receive(Answer& answer) = 0;
};

enum class Waits { spinning, parked };

std::unique_ptr<Server> make_takt(Waits waits);
std::unique_ptr<Server> make_thread_pool(Waits waits);

} // namespace takt::bench::request
