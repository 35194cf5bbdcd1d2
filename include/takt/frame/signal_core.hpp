// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. A signal as the frame sees it: who listens, in connect order, whatever the types of
// its arguments. Below: actor (listener). Above: signal, which knows the types.

#include "takt/actor.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace takt {

/// One step of fixed-rate work.
struct SimulationStep {
    std::uint64_t step = 0;    ///< counts from the runtime's begin: time_ns * rate
    std::int64_t time_ns = 0;  ///< when it is due, as frame time
    std::int64_t step_ns = 0;  ///< since the step before
    std::uint64_t skipped = 0; ///< steps before this one that were too late to make up for
};

namespace detail {

class Engine;

/// The frame thread's in the serial phase, but for what says otherwise.
///
/// Y1  Listeners are called in connect order, parallel ones on each worker; who connects while a fire
///     runs, or whose actor's setup has not finished, does not hear it.
/// Y2  When a listener's actor or its signal goes, the calls that are pending still come: those of an
///     actor at its end, all in the serial phase. disconnect() drops them.
/// Y3  A listener's closure goes in the serial phase, and not before the tasks that it began.
class SignalCore : public std::enable_shared_from_this<SignalCore> {
  public:
    SignalCore(Engine& engine, unsigned runtime, std::uint64_t id, const char* name,
               bool is_deferred) noexcept
        : runtime_(runtime), id_(id), name_(name), is_deferred_(is_deferred), engine_(&engine) {}
    ~SignalCore();
    SignalCore(const SignalCore&) = delete;
    SignalCore& operator=(const SignalCore&) = delete;

    /// In either phase, in the name of the actor whose code runs. Throws Error when the signal is
    /// gone.
    Connection connect(Phase phase, bool once, std::unique_ptr<Handler> handler);
    /// `wait.task` goes on with the next fire, in `task.phase`. In either phase. Throws as connect().
    void wait(SignalWait& wait, RootTask& task);
    /// The signal is gone. Any thread.
    void close();

    unsigned runtime() const noexcept { return runtime_; }
    std::uint64_t id() const noexcept { return id_; }
    const char* name() const noexcept { return name_; }
    bool has_listeners() const noexcept { return !serial_.empty() || !parallel_.empty(); }

  private:
    friend class Engine;
    using Listeners = std::vector<std::shared_ptr<Listener>>;

    /// Closed, or its runtime has ended. In a phase.
    bool is_gone() const noexcept { return engine_ == nullptr || is_closed_; }

    const unsigned runtime_;
    const std::uint64_t id_; // never used again
    const char* const name_;
    const bool is_deferred_;
    Engine* engine_; // null: the runtime has ended
    Listeners serial_;
    Listeners parallel_;
    std::uint32_t open_fires_ = 0; // that serial listeners have not all heard
    bool is_closed_ = false;
};

/// From outside: in the next round, as a deferred fire.
SendResult fire_from_outside(unsigned runtime, std::uint64_t signal,
                             std::shared_ptr<SignalEvent> event) noexcept;

} // namespace detail
} // namespace takt
