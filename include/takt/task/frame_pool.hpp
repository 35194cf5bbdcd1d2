// SPDX-License-Identifier: MIT
#pragma once
// Layer 5, task. Where coroutine frames live: a pool for each worker, so that a task that starts and
// ends in every frame allocates nothing. Below: phase (whose turn it is decides who may touch which
// pool). Above: task.

#include "takt/phase.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace takt::detail {

/// Free blocks by size, in steps of a cache line. A block is an allocation of its own: it may end in
/// another pool than it came from, or in none.
///
/// F1  A pool is used by its worker in the parallel phase, and by the frame thread in the serial
///     phase; threads outside have none and go to the heap.
/// F2  In the serial phase a block returns to the pool that it came from. In the parallel phase it
///     waits in the pool of who frees it for send_home(), or until that pool has no other. So tasks
///     that begin on one worker and end on another find their blocks again.
class FramePool {
  public:
    /// `group`: one number for all pools of a runtime, never used again.
    explicit FramePool(std::uint64_t group) noexcept : group_(group) {}
    ~FramePool();
    FramePool(const FramePool&) = delete;
    FramePool& operator=(const FramePool&) = delete;

    /// `bytes`, aligned to a cache line, from the pool of the calling thread. Throws
    /// std::bad_alloc.
    static void* allocate(std::size_t bytes);
    /// What allocate() returned; any thread.
    static void release(void* block) noexcept;

    /// Blocks of other pools return there. In the serial phase.
    void send_home() noexcept;
    /// Bytes that lie in the pool, free.
    std::size_t free_bytes() const noexcept { return free_bytes_; }
    static std::uint64_t new_group() noexcept;

  private:
    struct Header;
    static constexpr std::size_t kClasses = 64; // up to 4 KiB; larger frames are not kept

    void keep(Header* block) noexcept;
    void keep_foreign(Header* block) noexcept;
    Header* take_foreign() noexcept;
    void adopt_foreign() noexcept;

    const std::uint64_t group_;
    std::size_t free_bytes_ = 0;
    std::array<Header*, kClasses> free_{};
    Header* foreign_ = nullptr; // of other pools
};

// t_frame_pool:   writes: its thread, and who sends a frame thread away   reads: its thread
inline constinit thread_local std::atomic<FramePool*> t_frame_pool{nullptr};

/// That of the calling thread; null outside.
TAKT_THREAD_LOCAL_ACCESS FramePool* current_frame_pool() noexcept {
    return t_frame_pool.load(std::memory_order_relaxed); // relaxed: the thread's own
}
TAKT_THREAD_LOCAL_ACCESS void set_current_frame_pool(FramePool* pool) noexcept {
    t_frame_pool.store(pool, std::memory_order_relaxed); // relaxed: the thread's own
}

} // namespace takt::detail
