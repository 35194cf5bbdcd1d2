// SPDX-License-Identifier: MIT
#include "takt/runtime/stats.hpp"

#include <iomanip>
#include <ostream>

namespace takt {

void print(std::ostream& out, const std::vector<ActorState>& actors) {
    const auto line = [&out](const auto& worker, const auto& life, const auto& handled,
                             const auto& in_flight, const auto& kept, const auto& tasks,
                             const auto& offloaded, const auto& name) {
        out << std::setw(6) << worker << "  " << std::left << std::setw(8) << life << std::right
            << std::setw(12) << handled << std::setw(11) << in_flight << std::setw(8) << kept
            << std::setw(8) << tasks << std::setw(11) << offloaded << "  " << name << "\n";
    };
    line("worker", "life", "handled", "in flight", "kept", "tasks", "offloaded", "actor");
    for (const ActorState& actor : actors)
        line(actor.worker, actor.life, actor.handled, actor.in_flight, actor.kept, actor.tasks,
             actor.offloaded, actor.name);
}

} // namespace takt
