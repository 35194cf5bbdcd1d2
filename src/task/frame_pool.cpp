// SPDX-License-Identifier: MIT
#include "takt/task/frame_pool.hpp"

#include "takt/base.hpp"

#include <atomic>
#include <new>

namespace takt::detail {

// Before each block, a line of its own so that the frame is aligned to one.
struct alignas(kCacheLine) FramePool::Header {
    FramePool* home;     // valid while the runtime of `group` lives
    std::uint64_t group; // 0: from the heap
    std::uint32_t lines; // of the block, without this header
    Header* next;        // in a list of free blocks
};

namespace {

constexpr std::align_val_t kAlignment{kCacheLine};

} // namespace

FramePool::~FramePool() {
    for (Header*& top : free_)
        while (Header* const block = top) {
            top = block->next;
            ::operator delete(block, kAlignment);
        }
    while (Header* const block = take_foreign())
        ::operator delete(block, kAlignment);
}

std::uint64_t FramePool::new_group() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1; // relaxed: only distinct
}

void* FramePool::allocate(std::size_t bytes) {
    const std::size_t lines = (bytes + kCacheLine - 1) / kCacheLine;
    FramePool* const pool = current_frame_pool();
    if (pool != nullptr && lines < kClasses) {
        if (pool->free_[lines] == nullptr) [[unlikely]]
            pool->adopt_foreign();
        if (Header* const block = pool->free_[lines]) [[likely]] {
            pool->free_[lines] = block->next;
            pool->free_bytes_ -= lines * kCacheLine;
            return block + 1;
        }
    }
    void* const memory = ::operator new(sizeof(Header) + lines * kCacheLine, kAlignment);
    auto* const block = ::new (memory) Header{pool, pool == nullptr ? 0 : pool->group_,
                                              static_cast<std::uint32_t>(lines), nullptr};
    return block + 1;
}

void FramePool::release(void* memory) noexcept {
    Header* const block = static_cast<Header*>(memory) - 1;
    FramePool* const here = current_frame_pool();
    if (here == nullptr || block->lines >= kClasses || block->group != here->group_) {
        ::operator delete(block, kAlignment);
        return;
    }
    if (current_phase() == Phase::serial) // F2
        block->home->keep(block);
    else if (block->home == here)
        here->keep(block);
    else
        here->keep_foreign(block);
}

void FramePool::keep_foreign(Header* block) noexcept {
    block->next = foreign_;
    foreign_ = block;
    free_bytes_ += block->lines * kCacheLine;
}

FramePool::Header* FramePool::take_foreign() noexcept {
    Header* const block = foreign_;
    if (block != nullptr) {
        foreign_ = block->next;
        free_bytes_ -= block->lines * kCacheLine;
    }
    return block;
}

void FramePool::send_home() noexcept {
    while (Header* const block = take_foreign())
        block->home->keep(block);
}

void FramePool::adopt_foreign() noexcept {
    while (Header* const block = take_foreign())
        keep(block);
}

void FramePool::keep(Header* block) noexcept {
    block->home = this;
    block->next = free_[block->lines];
    free_[block->lines] = block;
    free_bytes_ += block->lines * kCacheLine;
}

} // namespace takt::detail
