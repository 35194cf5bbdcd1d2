// SPDX-License-Identifier: MIT
#include "support/allocations.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>

namespace {

constexpr std::uint64_t kNoFailure = std::numeric_limits<std::uint64_t>::max();
std::atomic<std::uint64_t> made{0};
std::atomic<std::int64_t> living{0};
std::atomic<std::uint64_t> fails_at{kNoFailure};

void* allocate_or_null(std::size_t bytes, std::size_t align) noexcept {
    void* memory = nullptr;
    if (made.fetch_add(1) != fails_at.load())
        memory = std::aligned_alloc(align, std::max(align, (bytes + align - 1) / align * align));
    living.fetch_add(memory != nullptr);
    return memory;
}

void* allocate(std::size_t bytes, std::size_t align) {
    void* const memory = allocate_or_null(bytes, align);
    if (memory == nullptr)
        throw std::bad_alloc();
    return memory;
}

void release(void* memory) noexcept {
    living.fetch_sub(memory != nullptr);
    std::free(memory);
}

} // namespace

namespace allocations {

std::uint64_t count() noexcept {
    return made.load();
}
std::int64_t live() noexcept {
    return living.load();
}
void fail_after(std::uint64_t allowed) noexcept {
    fails_at.store(made.load() + allowed);
}
void fail_no_more() noexcept {
    fails_at.store(kNoFailure);
}

} // namespace allocations

// The array forms too: the default ones call the others, but the sanitizers bring their own.
// noinline: else g++ 12 takes a delete for free() of memory from new, and warns.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
    return allocate(bytes, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t align) {
    return allocate(bytes, static_cast<std::size_t>(align));
}
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    return allocate_or_null(bytes, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t align,
                                     const std::nothrow_t&) noexcept {
    return allocate_or_null(bytes, static_cast<std::size_t>(align));
}
[[gnu::noinline]] void* operator new[](std::size_t bytes) {
    return allocate(bytes, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new[](std::size_t bytes, std::align_val_t align) {
    return allocate(bytes, static_cast<std::size_t>(align));
}
[[gnu::noinline]] void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
    return allocate_or_null(bytes, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new[](std::size_t bytes, std::align_val_t align,
                                       const std::nothrow_t&) noexcept {
    return allocate_or_null(bytes, static_cast<std::size_t>(align));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    release(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
    release(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
    release(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    release(memory);
}
[[gnu::noinline]] void operator delete[](void* memory) noexcept {
    release(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept {
    release(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::align_val_t) noexcept {
    release(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
    release(memory);
}
