// SPDX-License-Identifier: MIT
#pragma once
// Layer 1, topology. Pins the calling thread and believes the result only after reading it back.
// Below: limits.hpp, whose mask is remembered before the first pin; the worker layer pins with it.

#include "takt/topology/cpu_set.hpp"

#include <string>

namespace takt {

/// What was asked and what the kernel granted.
struct [[nodiscard]] PinResult {
    int requested = 0;
    CpuSet granted = {};  ///< the thread's mask, read back after the call
    bool pinned = false;  ///< `granted` is exactly the requested CPU
    std::string why = {}; ///< empty when pinned, else what went wrong
};

/// Pins the calling thread to one CPU. A refusal is an answer, never an exception or an abort.
PinResult pin_this_thread(int cpu);

/// Gives the calling thread the mask that the process had before takt pinned anything: a thread that
/// a pinned one starts inherits its pin.
void unpin_this_thread() noexcept;

/// Pins the calling thread for a scope and then gives that thread back the mask it had. May be
/// destroyed on another thread, while the first one lives.
class ScopedPin {
  public:
    explicit ScopedPin(int cpu);
    ~ScopedPin();
    ScopedPin(const ScopedPin&) = delete;
    ScopedPin& operator=(const ScopedPin&) = delete;

    const PinResult& result() const noexcept { return result_; }

  private:
    int thread_id_;
    CpuSet before_; // empty when the kernel would not say
    PinResult result_;
};

} // namespace takt
