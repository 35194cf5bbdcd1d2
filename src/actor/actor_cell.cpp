// SPDX-License-Identifier: MIT
#include "takt/actor/actor_cell.hpp"

#include <new>

namespace takt::detail {

KeptMail::KeptMail(MailHead& from, const MailType& what)
    : type(what), memory(::operator new (what.payload_bytes, std::align_val_t{what.align})) {
    type.move_to(memory, &from);
}

KeptMail::~KeptMail() {
    if (type.destroy != nullptr)
        type.destroy(memory);
    ::operator delete (memory, std::align_val_t{type.align});
}

} // namespace takt::detail
