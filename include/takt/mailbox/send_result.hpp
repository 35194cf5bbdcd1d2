// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. What a send answers. Below: nothing. Above: gate, outlet, and the actors'
// sends.

#include <cstdint>

namespace takt {

/// Everything but `ok` is a refusal: nothing was sent, and the arguments are as they were.
enum class SendResult : std::uint8_t {
    ok,
    dead, ///< there is no such receiver any more
    full, ///< the sender has used up its share of the receiver's bytes, or the receiver is at its limit
    closed,    ///< the way in was closed
    no_memory, ///< an allocation failed
};

constexpr const char* name_of(SendResult result) noexcept {
    switch (result) {
    case SendResult::ok:
        return "ok";
    case SendResult::dead:
        return "dead";
    case SendResult::full:
        return "full";
    case SendResult::closed:
        return "closed";
    case SendResult::no_memory:
        return "no_memory";
    }
    return "unknown";
}

} // namespace takt
