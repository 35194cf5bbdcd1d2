// SPDX-License-Identifier: MIT
#pragma once
// Layer 8, levels. Shared state of the serial phase alone. Below: phase.

#include "takt/phase.hpp"

#include <utility>

namespace takt {

/// Read and written in the serial phase only: what the parallel phase must not even look at. No
/// lock, no atomic, no copy; the barrier orders what the serial phases do. Between frames the frame
/// thread is in the serial phase.
///
///     takt::Unsafe<Scoreboard> scores;
///     scores.write(serial).add(player, 3);     // with the token of the serial phase
///     scores->leader();                        // in the serial phase; checked at run time
template <class T>
class Unsafe {
  public:
    template <class... Args>
    explicit Unsafe(Args&&... args) : value_(std::forward<Args>(args)...) {}
    Unsafe(const Unsafe&) = delete;
    Unsafe& operator=(const Unsafe&) = delete;

    /// PhaseError outside the serial phase, where checks are on. Wait-free: one thread-local
    /// compare.
    const T& read() const {
        require_serial("takt::Unsafe::read");
        return value_;
    }
    /// The same; where the caller has a token, the phase is known to the compiler too.
    const T& read(Serial) const { return read(); }
    const T& operator*() const { return read(); }
    const T* operator->() const { return &read(); }

    /// PhaseError when the token is of an earlier phase: kept across an await, for example.
    T& write(Serial) {
        require_serial("takt::Unsafe::write");
        return value_;
    }
    /// Does not compile.
    template <class Nothing = void>
    T& write() {
        detail::token_is_missing<Nothing>();
        return value_;
    }

  private:
    T value_;
};

} // namespace takt
