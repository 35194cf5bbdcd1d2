// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, dispatcher. Equal actors made from one template, and work for the least busy of them.
// Below: frame (World), actor (selectors, loads). Above: user code.

#include "takt/frame.hpp"

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace takt {

struct DispatcherOptions {
    /// Actors to begin with; more by allocate().
    std::uint32_t actors = 1;
    /// Actors are called "name-0", "name-1", ...
    std::string name = "dispatcher";
    /// What a handler that throws does to its actor. The load falls in every case.
    FailurePolicy on_failure = FailurePolicy::resume;
};

/// The selector of one dispatching thread: made from its Seat where S can be, else by default.
template <class S>
S make_selector(Seat seat) {
    if constexpr (std::same_as<S, LeastBusy>)
        return LeastBusy({.seat = seat});
    else if constexpr (std::constructible_from<S, Seat>)
        return S(seat);
    else
        return S();
}

namespace detail {

/// A dispatcher's own, which its hooks and its actors' setups share.
template <class S>
struct DispatcherCore {
    struct alignas(kInterference) Seated {
        S selector;
    };
    /// What one actor placed since the last barrier, where nothing may depend on timing.
    struct Caller {
        std::uint64_t actor;
        S selector;
        std::vector<std::uint32_t> placed;
    };
    struct alignas(kInterference) Callers {
        std::vector<Caller> list;
        std::size_t used = 0;
    };

    DispatcherCore(World at, const DispatcherOptions& given)
        : world(at), options(given), loads(std::make_shared<LoadBoard<StdPolicy>>()),
          callers(static_cast<std::size_t>(at.workers())) {
        const auto workers = static_cast<std::uint32_t>(at.workers());
        for (std::uint32_t worker = 0; worker < workers; ++worker)
            seated.push_back(Seated{make_selector<S>({worker, workers})});
    }

    void fit() {
        for (Seated& one : seated)
            fit_selector(one.selector, loads->size());
    }
    void note_loads() {
        at_barrier.resize(loads->size());
        for (Target target = 0; target < loads->size(); ++target)
            at_barrier[target] = (*loads)[target].value();
        for (Callers& one : callers)
            one.used = 0;
    }
    Caller& caller(std::size_t worker, std::uint64_t actor);

    World world;
    const DispatcherOptions options;
    const std::shared_ptr<LoadBoard<StdPolicy>> loads;
    std::vector<ActorRef> actors; // by target
    std::vector<Seated> seated;   // by worker
    std::vector<Callers> callers; // by worker; for next_round
    std::vector<std::uint64_t> at_barrier;
    std::uint64_t hook = 0;
    std::uint32_t made = 0; // actors ever, for their names
    unsigned runtime = 0;   // its number
};

template <class S>
typename DispatcherCore<S>::Caller& DispatcherCore<S>::caller(std::size_t worker,
                                                              std::uint64_t actor) {
    Callers& here = callers[worker];
    for (std::size_t at = 0; at < here.used; ++at)
        if (here.list[at].actor == actor)
            return here.list[at];
    if (here.used == here.list.size())
        here.list.push_back({actor, make_selector<S>({}), {}});
    Caller& added = here.list[here.used++];
    added.actor = actor;
    added.selector = make_selector<S>({});
    added.placed.assign(loads->size(), 0);
    return added;
}

/// The loads of the last barrier and the caller's own placements, from a place on that differs from
/// caller to caller and from round to round, so that equal loads do not all fill the first targets.
struct ReproducibleLoads {
    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(placed.size()); }
    std::uint64_t peek(Target target) const noexcept {
        const Target real = turned(target);
        return (real < at_barrier.size() ? at_barrier[real] : 0) + placed[real];
    }
    Target turned(Target target) const noexcept {
        return static_cast<Target>((target + turn) % placed.size());
    }

    const std::vector<std::uint64_t>& at_barrier;
    const std::vector<std::uint32_t>& placed;
    std::uint64_t turn;
};

} // namespace detail

/// Actors that are made from one template and are as good as each other, and work that goes to one
/// of them: VMsDispatcher, with a load that counts from the dispatch on.
///
///     takt::Dispatcher generators{runtime, {.actors = 32}, [](takt::Actor& actor) {
///         actor.bind_parallel(generate, [](int x, int y) { ... });
///     }};
///     generators.dispatch(generate, 3, 4);
///
/// Used in a phase: on the frame thread between frames, or from what a frame runs; there,
/// too, it is destroyed, with its actors. Dispatching is wait-free, but for memory. It must not
/// outlive its runtime.
///
/// Another selector: `takt::Dispatcher<takt::RoundRobin> jobs{...}`, or one of the user's (see
/// Selector). Each worker has its own, made by make_selector.
///
/// With next_round delivery a selection sees the loads of the last barrier and what the calling
/// actor has placed since, so that it does not depend on timing or on the number of workers.
template <class S = LeastBusy>
class Dispatcher {
  public:
    /// `setup(Actor&)` is called for each actor, as in spawn_actor. In the serial phase. Throws what
    /// setup throws; then there is no dispatcher.
    template <class F>
    requires std::invocable<F&, Actor&> Dispatcher(World world, DispatcherOptions options, F setup)
        : core_(std::make_shared<Core>(world, options)) {
        world.enter("takt::Dispatcher", Level::unsafe);
        require_serial("takt::Dispatcher");
        core_->runtime = detail::actor_context()->runtime;
        world.keep(core_->loads);
        core_->hook = world.at_barrier([core = std::weak_ptr<Core>(core_)] {
            if (const std::shared_ptr<Core> alive = core.lock();
                alive != nullptr && alive->world.is_reproducible())
                alive->note_loads();
        });
        allocate(options.actors, std::move(setup));
    }
    ~Dispatcher() {
        if (core_ == nullptr)
            return;
        core_->world.forget_barrier_hook(core_->hook);
        for (const ActorRef actor : core_->actors)
            actor.destroy();
    }
    Dispatcher(Dispatcher&&) noexcept = default;
    Dispatcher& operator=(Dispatcher&&) = delete;

    /// Adds actors, made by `setup`. From the parallel phase they count from this round's serial
    /// phase on.
    template <class F>
    requires std::invocable<F&, Actor&>
    void allocate(std::uint32_t actors, F setup) {
        context("takt::Dispatcher::allocate");
        auto shared = std::make_shared<F>(std::move(setup));
        commit([core = core_, actors, shared] {
            for (std::uint32_t count = 0; count < actors; ++count)
                add(core, shared);
            core->fit();
        });
    }

    /// Sends the message to the actor that the selector chooses. Its load counts it from now until
    /// its handlers, and the tasks that they begin, have ended. `dead`: there are no actors.
    template <class... Args, class... Given>
    SendResult dispatch(const Topic<Args...>& topic, Given&&... args) {
        detail::ActorContext& here = context("takt::Dispatcher::dispatch");
        return send_to(here, select(here), topic, std::forward<Given>(args)...);
    }
    /// The same with a selector for this once, for example takt::Sticky(key).
    template <class Once, class... Args, class... Given>
    requires Selector<std::remove_reference_t<Once>>
        SendResult dispatch_by(Once&& selector, const Topic<Args...>& topic, Given&&... args) {
        detail::ActorContext& here = context("takt::Dispatcher::dispatch_by");
        return send_to(here, selector.select(*core_->loads), topic, std::forward<Given>(args)...);
    }
    /// Sends a copy to each actor, in their order. Returns how many accepted it.
    template <class... Args>
    std::uint32_t dispatch_all(const Topic<Args...>& topic, const Args&... args) {
        detail::ActorContext& here = context("takt::Dispatcher::dispatch_all");
        std::uint32_t accepted = 0;
        for (Target target = 0; target < size(); ++target)
            accepted += send_to(here, target, topic, args...) == SendResult::ok;
        return accepted;
    }

    std::uint32_t size() const {
        context("takt::Dispatcher::size");
        return static_cast<std::uint32_t>(core_->actors.size());
    }
    /// Needs target < size().
    ActorRef actor(Target target) const {
        context("takt::Dispatcher::actor");
        return core_->actors[target];
    }
    /// The load of one actor. Needs target < size(). Wait-free.
    std::uint64_t load(Target target) const {
        context("takt::Dispatcher::load");
        return (*core_->loads)[target].value();
    }
    /// Of all; exact whenever no phase runs.
    std::uint64_t total_load() const {
        context("takt::Dispatcher::total_load");
        return core_->loads->total();
    }

  private:
    using Core = detail::DispatcherCore<S>;

    // Each worker of its runtime has a selector; nobody else has.
    detail::ActorContext& context(const char* member) const {
        detail::ActorContext& here = detail::need_actor_context(member);
        if (here.runtime != core_->runtime) [[unlikely]]
            detail::violated(member,
                             "Use it in a frame of its own runtime; actors of another one "
                             "send messages",
                             Level::in_frame);
        return here;
    }

    template <class F>
    static void add(const std::shared_ptr<Core>& core, const std::shared_ptr<F>& setup) {
        const Target target = core->loads->size();
        core->actors.reserve(core->actors.size() + 1);
        core->loads->resize(target + 1);
        ActorOptions options{.name = core->options.name + "-" + std::to_string(core->made++),
                             .on_failure = core->options.on_failure};
        Load<StdPolicy>& load = (*core->loads)[target];
        core->actors.push_back(spawn_actor(std::move(options), [&load, setup](Actor& actor) {
            // relaxed: the barrier hands it over
            detail::ActorAccess::cell(actor).load.store(&load, std::memory_order_relaxed);
            return (*setup)(actor);
        }));
    }

    Selection select(detail::ActorContext& here) {
        const auto worker = static_cast<std::size_t>(here.worker);
        if (!core_->world.is_reproducible())
            return core_->seated[worker].selector.select(*core_->loads);
        const std::uint64_t actor = here.sender_id();
        typename Core::Caller& caller = core_->caller(worker, actor);
        if (caller.placed.empty())
            return std::nullopt;
        const detail::ReproducibleLoads loads{core_->at_barrier, caller.placed,
                                              actor * 0x9e37 + core_->world.round()};
        const Selection selected = caller.selector.select(loads);
        if (!selected)
            return selected;
        const Target real = loads.turned(*selected);
        ++caller.placed[real];
        return real;
    }

    template <class... Args, class... Given>
    SendResult send_to(detail::ActorContext& here, Selection target, const Topic<Args...>& topic,
                       Given&&... args) {
        static_assert(std::is_constructible_v<std::tuple<Args...>, Given&&...>,
                      "takt: the arguments do not fit the topic's types");
        if (!target)
            return here.refuse(SendResult::dead);
        return detail::send_here<detail::DispatchedMail<Args...>>(
            here, core_->actors[*target], topic.name(), topic.hash(), (*core_->loads)[*target],
            std::forward<Given>(args)...);
    }

    std::shared_ptr<Core> core_;
};

template <class F>
Dispatcher(World, DispatcherOptions, F) -> Dispatcher<LeastBusy>;

} // namespace takt
