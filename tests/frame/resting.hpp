// SPDX-License-Identifier: MIT
#pragma once
// What a worker looks at while it rests, for the scenarios of the phases: src/frame/frame_worker.cpp,
// line by line. P is protocol::Model or protocol::Threads, Crew has `mailboxes` and `phases`.

#include "takt/frame.hpp"
#include "takt/mailbox.hpp"

namespace resting {

enum class Seen : unsigned char { nothing, mail, over };

/// Engine::wake_sleepers.
template <class Crew>
void wake_sleepers(Crew& crew) {
    for (int worker = 1; worker < crew.options.workers; ++worker)
        crew.mailboxes.mailbox(worker).bell().look();
}

/// `rest` is called again where the phase was closed meanwhile (N3).
template <class P, class Crew, class Rest>
Seen look_at_phase(Crew& crew, int index, typename takt::Quiescence<P>::Number number,
                   bool& used_up, const Rest& rest) {
    using Phases = takt::Quiescence<P>;
    if (index == 0) {
        const typename Phases::End end = crew.phases.try_end();
        if (end == Phases::End::over)
            return Seen::over;
        if (end == Phases::End::closing)
            wake_sleepers(crew); // N4
    }
    const typename Phases::Number now = crew.phases.phase();
    if (Phases::opened(now) != number)
        return Seen::over;
    if (Phases::is_closed(now) && !used_up) { // N3
        used_up = true;
        rest();
        if (index == 0) // its own rest may be the last one, and nobody wakes it for that
            return look_at_phase<P>(crew, index, number, used_up, rest);
    }
    return Seen::nothing;
}

/// Mail first: who finds it is in the phase that it is for (N5).
template <class P, class Crew, class Rest>
Seen look(Crew& crew, int index, typename takt::Quiescence<P>::Number number, bool& used_up,
          bool exact, const Rest& rest) {
    auto& mailbox = crew.mailboxes.mailbox(index);
    const bool has_mail = !used_up && (exact || mailbox.peek()) && mailbox.moved();
    const Seen seen = look_at_phase<P>(crew, index, number, used_up, rest);
    return seen == Seen::nothing && has_mail && !used_up ? Seen::mail : seen;
}

} // namespace resting
