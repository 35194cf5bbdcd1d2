// SPDX-License-Identifier: MIT
#pragma once
// Layer 8, levels. Shared state that all read and the serial phase changes. Below: phase.

#include "takt/phase.hpp"

#include <utility>

namespace takt {

/// Read in both phases, written in the serial phase: no lock, no atomic, no copy. The barrier orders
/// the two. Between frames the frame thread is in the serial phase.
///
///     takt::ReadParallel<Terrain> terrain;
///     terrain->height_at(x, z);            // anywhere in a frame
///     terrain.write(serial).dig(x, z);     // with the token of the serial phase
template <class T>
class ReadParallel {
  public:
    template <class... Args>
    explicit ReadParallel(Args&&... args) : value_(std::forward<Args>(args)...) {}
    ReadParallel(const ReadParallel&) = delete;
    ReadParallel& operator=(const ReadParallel&) = delete;

    /// PhaseError outside the frame, where checks are on. Wait-free: one thread-local read.
    const T& read() const {
        if (current_phase() == Phase::outside) [[unlikely]]
            detail::check_failed("takt::ReadParallel::read", Level::read_parallel,
                                 "Read it in a frame, or on the frame thread between frames; other "
                                 "threads send a message or post()");
        return value_;
    }
    const T& operator*() const { return read(); }
    const T* operator->() const { return &read(); }

    /// PhaseError when the token is of an earlier phase: kept across an await, for example.
    T& write(Serial) {
        require_serial("takt::ReadParallel::write", Level::read_parallel);
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
