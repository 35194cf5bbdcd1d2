// SPDX-License-Identifier: MIT
#pragma once
// Layer 0, base. Memory that is given back all at once: what one worker needs until the end of a
// round. Below: cache_line.

#include "takt/base/cache_line.hpp"

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <new>
#include <vector>

namespace takt {

/// A bump allocator over chunks that it keeps. One thread at a time.
///
/// | operation | progress                                                |
/// |-----------|---------------------------------------------------------|
/// | allocate  | wait-free, but for memory when the chunks are used up   |
/// | reset     | wait-free                                               |
class Arena : public std::pmr::memory_resource {
  public:
    /// `chunk_bytes`: what is asked of the heap at a time; more for an allocation that is larger.
    explicit Arena(std::size_t chunk_bytes = 64 * 1024) noexcept : chunk_bytes_(chunk_bytes) {}
    ~Arena() override;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /// Valid until reset(). Throws std::bad_alloc.
    void* take(std::size_t bytes, std::size_t align) {
        const std::uintptr_t at = (next_ + align - 1) & ~(std::uintptr_t{align} - 1);
        if (at + bytes > end_ || at < next_) [[unlikely]]
            return take_elsewhere(bytes, align);
        next_ = at + bytes;
        return reinterpret_cast<void*>(at);
    }
    /// All that was taken is free. Chunks stay, also large ones.
    void reset() noexcept;
    /// Bytes of all chunks.
    std::size_t memory_bytes() const noexcept;

  private:
    struct Chunk {
        std::byte* data;
        std::size_t bytes;
    };

    void* take_elsewhere(std::size_t bytes, std::size_t align);
    void enter(std::size_t chunk) noexcept;

    void* do_allocate(std::size_t bytes, std::size_t align) override { return take(bytes, align); }
    void do_deallocate(void*, std::size_t, std::size_t) override {}
    bool do_is_equal(const memory_resource& other) const noexcept override {
        return this == &other;
    }

    std::uintptr_t next_ = 0;
    std::uintptr_t end_ = 0;
    std::vector<Chunk> chunks_;
    std::size_t used_ = 0; // chunks, the last of which next_ is in
    const std::size_t chunk_bytes_;
};

} // namespace takt
