// SPDX-License-Identifier: MIT
#include "takt/levels.hpp"

#include <string>

namespace takt::detail {

// By number: its name may only be read by itself in the parallel phase.
void owner_check_failed(ActorRef owner, const char* member) {
    std::string remedy = "Call it as its owner";
    if (const ActorContext* const here = context_in(owner.runtime()))
        if (ActorCell* const cell = here->table->find(owner); cell != nullptr && cell->id != 0)
            remedy += ", actor #" + std::to_string(cell->id);
    remedy += ", which others send a message; or from the serial phase of its runtime, for example "
              "from commit()";
    check_failed(member, Level::local_safe, remedy.c_str());
}

} // namespace takt::detail
