// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. Handlers that many actors share, so that an idle one costs its state and a small
// header. Below: send.

#include "takt/actor/send.hpp"

#include <atomic>
#include <memory>
#include <type_traits>
#include <utility>

namespace takt {

/// What all actors with this State do.
///
///     takt::Behaviour<Npc> npc;
///     npc.bind_parallel(hit, &Npc::on_hit);              // void Npc::on_hit(int damage)
///     ActorRef goblin = runtime.spawn_actor(npc, {.name = "goblin"}, Npc{...});
///
/// Handlers take the state first, as a member function or as a parameter. Bind everything before the
/// first actor is spawned; binding later throws takt::Error. May be destroyed before its actors.
template <class State>
class Behaviour {
  public:
    Behaviour() : table_(new detail::BehaviourTable) {
        table_->destroy_state = [](void* state) noexcept { delete static_cast<State*>(state); };
    }
    ~Behaviour() { table_->release(); }
    Behaviour(const Behaviour&) = delete;
    Behaviour& operator=(const Behaviour&) = delete;

    /// As Actor::bind, with the state before all other parameters.
    template <class... Args, class F>
    void bind(const Topic<Args...>& topic, F handler) {
        add<Phase::serial>(topic, std::move(handler));
    }
    /// As Actor::bind_parallel, with the state before all other parameters.
    template <class... Args, class F>
    void bind_parallel(const Topic<Args...>& topic, F handler) {
        add<Phase::parallel>(topic, std::move(handler));
    }
    template <class R, class... Args, class F>
    void bind(const Request<R(Args...)>& request, F handler) {
        add<Phase::serial>(request, std::move(handler));
    }
    template <class R, class... Args, class F>
    void bind_parallel(const Request<R(Args...)>& request, F handler) {
        add<Phase::parallel>(request, std::move(handler));
    }

    /// Spawns an actor that owns `state`. As takt::spawn_actor.
    ActorRef spawn(ActorOptions options, State state = State()) {
        return spawn(std::move(options), std::move(state), [](Actor&) {});
    }
    template <class F>
    requires std::invocable<F&, Actor&> ActorRef spawn(ActorOptions options, State state,
                                                       F&& setup) {
        return spawn_with(std::move(options), std::move(state),
                          detail::make_setup(std::forward<F>(setup)));
    }

  private:
    template <Phase kPhase, class... Args, class F>
    void add(const Topic<Args...>& topic, F handler) {
        require_open(topic.name());
        using Made = detail::HandlerOf<kPhase, State, F, Args...>;
        table_->handlers.add(kPhase, topic.hash(), topic.name(), detail::signature_of<Args...>,
                             std::make_unique<Made>(std::move(handler)));
    }
    template <Phase kPhase, class R, class... Args, class F>
    void add(const Request<R(Args...)>& request, F handler) {
        require_open(request.name());
        using Made = detail::RequestHandlerOf<kPhase, State, F, R, Args...>;
        table_->handlers.add(kPhase, request.hash(), request.name(),
                             detail::request_signature_of<R, Args...>,
                             std::make_unique<Made>(std::move(handler)));
    }
    void require_open(const char* topic) const {
        if (sealed_.load(std::memory_order_relaxed)) // relaxed: binding comes before or is refused
            throw Error("behaviour", topic, "it has actors already",
                        "Bind all handlers of a behaviour before its first actor is spawned");
    }
    ActorRef spawn_with(ActorOptions&& options, State&& state, detail::Setup setup) {
        detail::ActorContext& here = detail::need_actor_context("takt::Behaviour::spawn");
        sealed_.store(true, std::memory_order_relaxed); // relaxed: as above
        auto made = std::make_unique<State>(std::move(state));
        const ActorRef actor = here.host->spawn(std::move(options), table_, made.get(),
                                                table_->destroy_state, std::move(setup));
        static_cast<void>(made.release()); // the actor's
        return actor;
    }

    detail::BehaviourTable* table_;
    // sealed_:   writes: who spawns, on any worker   reads: who binds
    std::atomic<bool> sealed_{false};
};

} // namespace takt
