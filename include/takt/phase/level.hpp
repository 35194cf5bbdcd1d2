// SPDX-License-Identifier: MIT
#pragma once
// Layer 4, phase. The thread safety levels: what a member may be used for, and where. The level of
// each public member, and what happens elsewhere: docs/levels.md. Below: nothing.

#include <cstdint>

namespace takt {

/// The first four are those of Parallel Luau.
enum class Level : std::uint8_t {
    unsafe,         ///< in the serial phase only
    read_parallel,  ///< read in both phases, written in the serial phase
    local_safe,     ///< in the parallel phase its owner's
    safe,           ///< from every thread
    in_frame,       ///< in both phases, and not outside
    between_frames, ///< on the frame thread, when no frame runs
    outside,        ///< from threads that run no frame
};

/// "Unsafe", "Read Parallel", ...
const char* name_of(Level level) noexcept;

} // namespace takt
