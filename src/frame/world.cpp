// SPDX-License-Identifier: MIT
#include "takt/frame.hpp"

#include "frame/engine.hpp"

namespace takt {

void World::enter(const char* member, Level level) const {
    engine_->enter(member, level);
}

int World::workers() const noexcept {
    return engine_->workers();
}

bool World::is_reproducible() const noexcept {
    return engine_->options().next_round;
}

std::uint64_t World::round() const noexcept {
    return engine_->rounds();
}

std::uint64_t World::at_barrier(UniqueFunction<void()> hook) const {
    return engine_->at_barrier(std::move(hook));
}

void World::forget_barrier_hook(std::uint64_t number) const noexcept {
    engine_->forget_barrier_hook(number);
}

std::shared_ptr<detail::SignalCore> World::make_signal(const char* name, bool is_deferred) const {
    engine_->enter("takt::Signal::Signal", Level::unsafe);
    require_serial("takt::Signal::Signal");
    return engine_->make_signal(name, is_deferred);
}

std::uint64_t World::offloaded(ActorRef actor) const noexcept {
    return engine_->offloaded(actor);
}

void World::start(Task<> task) const {
    engine_->start(std::move(task));
}

void World::set_tree(detail::ActorTree& tree) const noexcept {
    engine_->set_tree(tree);
}

void World::keep(std::shared_ptr<LoadBoard<StdPolicy>> loads) const {
    engine_->keep_loads(std::move(loads));
}

} // namespace takt
