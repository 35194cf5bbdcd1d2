// SPDX-License-Identifier: MIT
#include "takt/dispatcher/departure.hpp"

#include <utility>

namespace takt::detail {

namespace {

// Null: it is gone, or about to go.
const ActorCell* find_alive(ActorRef actor) noexcept {
    const ActorCell* const cell = actor_context()->table->find(actor);
    return cell == nullptr || cell->read_word().life == Life::dying ? nullptr : cell;
}

std::uint64_t ended_by(const ActorCell& cell) noexcept {
    return cell.handled + (cell.more == nullptr ? 0 : cell.more->failed);
}

} // namespace

Departure::Departure(World world, std::shared_ptr<LoadBoard<StdPolicy>> loads,
                     Answer<CloseReport> answer, std::int64_t deadline_ns)
    : world_(world), loads_(std::move(loads)), answer_(std::move(answer)),
      deadline_ns_(deadline_ns) {}

void Departure::add(ActorRef actor, Load<StdPolicy>& load) {
    const ActorCell* const cell = find_alive(actor);
    leaving_.push_back({cell == nullptr ? ActorRef() : actor, &load,
                        cell == nullptr ? 0 : ended_by(*cell), load.dropped()});
}

// What has nothing to do any more goes; where nothing is to be finished, all do.
void Departure::look_at(One& one) {
    if (!one.actor)
        return;
    const ActorCell* const cell = find_alive(one.actor);
    if (cell == nullptr) { // somebody else destroyed it
        one.actor = {};
        return;
    }
    one.finished = ended_by(*cell) - one.handled_before;
    if (!is_cancelled_ && (one.load->value() != 0 || cell->in_flight != 0))
        return;
    still_running_ += world_.offloaded(one.actor);
    one.actor.destroy();
    one.actor = {};
}

// Mail of an actor that has gone may be on its way to it, and counts on its load. Weights of others,
// which may never go, are not waited for in the frames after the deadline.
bool Departure::settle() {
    if (is_over_)
        return true;
    const TaskHost& frame = *actor_context()->task_host;
    if (late_frame_ == 0 && frame.frame_time_ns() >= deadline_ns_)
        late_frame_ = frame.frame_number();
    is_cancelled_ |= late_frame_ != 0;
    bool waits = false;
    for (One& one : leaving_) {
        look_at(one);
        waits |= one.actor || one.load->value() != 0;
    }
    if (waits && (late_frame_ == 0 || frame.frame_number() == late_frame_))
        return false;
    report();
    return true;
}

void Departure::report() {
    is_over_ = true;
    CloseReport report{.actors = leaving_.size(), .still_running = still_running_};
    for (const One& one : leaving_) {
        report.finished += one.finished;
        report.dropped += one.load->dropped() - one.dropped_before;
        if (one.load->value() == 0)
            loads_->put_back(*one.load);
    }
    answer_.core().value.emplace(report);
    answer_.give();
}

Task<> see_off(Farewell departure) {
    while (!departure->settle())
        co_await next_frame();
}

} // namespace takt::detail
