// SPDX-License-Identifier: MIT
#pragma once
// Layer 5, task. The name of a task that runs on its own. Below: nothing. Above: task, library.

#include <cstdint>

namespace takt {

/// What cancel() did.
enum class CancelResult : std::uint8_t {
    done,    ///< the task does not go on, and what it held is destroyed
    pending, ///< the same at its next await that waits, when it comes home from offload(), or, if
             ///< it is another actor's, in this round's serial phase
    nothing, ///< it had ended, or was cancelled before
};

/// Names a task that spawn(), defer() or delay() began. Can be copied, kept and sent; it does not
/// own the task, and names nothing once that has ended.
class TaskRef {
  public:
    TaskRef() = default;
    /// For the runtime. `owner`: the address of the task's actor; that of its runtime, for nobody's.
    TaskRef(std::uint64_t owner, std::uint32_t slot, std::uint32_t generation) noexcept
        : owner_(owner), slot_(slot), generation_(generation) {}

    std::uint64_t owner() const noexcept { return owner_; }
    std::uint32_t slot() const noexcept { return slot_; }
    std::uint32_t generation() const noexcept { return generation_; }
    /// It names a task, which may have ended.
    explicit operator bool() const noexcept { return slot_ != 0; }
    bool operator==(const TaskRef&) const = default;

  private:
    std::uint64_t owner_ = 0;
    std::uint32_t slot_ = 0; // from 1
    std::uint32_t generation_ = 0;
};

} // namespace takt
