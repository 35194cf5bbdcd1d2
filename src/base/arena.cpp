// SPDX-License-Identifier: MIT
#include "takt/base/arena.hpp"

#include <algorithm>

namespace takt {

namespace {

constexpr std::align_val_t kAlignment{kCacheLine};

} // namespace

Arena::~Arena() {
    for (const Chunk& chunk : chunks_)
        ::operator delete(chunk.data, kAlignment);
}

void Arena::reset() noexcept {
    used_ = 0;
    next_ = end_ = 0;
    if (!chunks_.empty())
        enter(0);
}

std::size_t Arena::memory_bytes() const noexcept {
    std::size_t bytes = 0;
    for (const Chunk& chunk : chunks_)
        bytes += chunk.bytes;
    return bytes;
}

void Arena::enter(std::size_t chunk) noexcept {
    next_ = reinterpret_cast<std::uintptr_t>(chunks_[chunk].data);
    end_ = next_ + chunks_[chunk].bytes;
    used_ = chunk + 1;
}

void* Arena::take_elsewhere(std::size_t bytes, std::size_t align) {
    const std::size_t wanted = bytes + align;
    while (used_ < chunks_.size()) {
        enter(used_);
        if (chunks_[used_ - 1].bytes >= wanted)
            return take(bytes, align);
    }
    chunks_.reserve(chunks_.size() + 1);
    const std::size_t size = std::max(chunk_bytes_, wanted);
    chunks_.push_back({static_cast<std::byte*>(::operator new(size, kAlignment)), size});
    enter(chunks_.size() - 1);
    return take(bytes, align);
}

} // namespace takt
