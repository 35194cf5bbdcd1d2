// SPDX-License-Identifier: MIT
#include "takt/actor/actor_cell.hpp"

#include <new>
#include <numeric>

namespace takt {

const char* name_of(Expiry reason) noexcept {
    switch (reason) {
    case Expiry::gone:
        return "gone";
    case Expiry::destroyed:
        return "destroyed";
    case Expiry::stopped:
        return "stopped";
    case Expiry::kept_full:
        return "kept_full";
    case Expiry::no_memory:
        return "no_memory";
    case Expiry::cancelled:
        return "cancelled";
    case Expiry::overflow:
        return "overflow";
    }
    return "unknown";
}

std::uint64_t ExpiryCounts::sum() const noexcept {
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

ExpiryCounts& ExpiryCounts::operator+=(const ExpiryCounts& other) noexcept {
    for (std::size_t reason = 0; reason < kReasons; ++reason)
        counts_[reason] += other.counts_[reason];
    return *this;
}

namespace detail {

KeptMail::KeptMail(MailHead& from, const MailType& what)
    : type(what), memory(::operator new (what.payload_bytes, std::align_val_t{what.align})) {
    type.move_to(memory, &from);
}

KeptMail::~KeptMail() {
    if (type.destroy != nullptr)
        type.destroy(memory);
    ::operator delete (memory, std::align_val_t{type.align});
}

} // namespace detail
} // namespace takt
