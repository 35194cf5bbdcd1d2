// SPDX-License-Identifier: MIT
#include "mailbox/shared_arena.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include <sys/mman.h>

namespace {

constexpr std::size_t kBytes = std::size_t{1} << 30; // touched as far as it is used

std::atomic<std::size_t>* used = nullptr; // at the beginning of the shared memory
std::atomic<bool> is_open{false};

bool is_shared(const void* memory) {
    const auto at = reinterpret_cast<std::uintptr_t>(memory);
    const auto begin = reinterpret_cast<std::uintptr_t>(used);
    return used != nullptr && at >= begin && at < begin + kBytes;
}

void* allocate_or_null(std::size_t bytes, std::size_t align) noexcept {
    void* memory = nullptr;
    if (is_open.load()) {
        const std::size_t from = used->fetch_add(bytes + align) + align;
        if (from + bytes <= kBytes)
            memory = reinterpret_cast<char*>(used) + from / align * align;
    } else {
        memory = std::aligned_alloc(align, std::max(align, (bytes + align - 1) / align * align));
    }
    return memory;
}

void* allocate(std::size_t bytes, std::size_t align) {
    void* const memory = allocate_or_null(bytes, align);
    if (memory == nullptr)
        throw std::bad_alloc();
    return memory;
}

void release(void* memory) {
    if (!is_shared(memory))
        std::free(memory);
}

} // namespace

namespace shared_arena {

bool open() noexcept {
    if (used == nullptr) {
        void* const memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED)
            return false;
        used = ::new (memory) std::atomic<std::size_t>(sizeof(std::atomic<std::size_t>));
    }
    is_open.store(true);
    return true;
}

void close() noexcept {
    is_open.store(false);
}

} // namespace shared_arena

// The forms for arrays come down to these.
void* operator new(std::size_t bytes) {
    return allocate(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t align) {
    return allocate(bytes, static_cast<std::size_t>(align));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    return allocate_or_null(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t align, const std::nothrow_t&) noexcept {
    return allocate_or_null(bytes, static_cast<std::size_t>(align));
}
void operator delete(void* memory) noexcept {
    release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    release(memory);
}
