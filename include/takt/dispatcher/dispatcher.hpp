// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, dispatcher. Equal actors made from one template, and work for the least busy of them.
// Below: frame (World), actor (selectors, loads). Above: user code.

#include "takt/dispatcher/departure.hpp"
#include "takt/dispatcher/range.hpp"
#include "takt/frame.hpp"

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
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
    /// What each of its actors may have. reject: by its load, which counts what dispatchers gave it and
    /// takt::Busy, and is never exceeded by a dispatch; one that finds its actor full goes to another one,
    /// and is answered `full` where all are. With next_round delivery it goes by the loads that the
    /// selection sees. The others: the limit of each actor's mail, as ActorOptions::mail.
    MailLimit limit = {};
};

namespace detail {
/// Throws takt::Error where it is none; what else may be wrong with it, the first actor's making tells.
inline void require_dispatcher_limit(const MailLimit& limit) {
    if (limit.max == 0)
        throw Error("dispatcher.limit.max", "0", "an actor has room for 1 message or more",
                    "Leave it out for no limit");
}
} // namespace detail

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
        bool met_dead = false; // it chose an actor that takes no mail
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
        : world(at), options(given),
          load_max(given.limit.overflow == Overflow::reject ? given.limit.max : kUnboundedBytes),
          loads(std::make_shared<LoadBoard<StdPolicy>>()),
          callers(static_cast<std::size_t>(at.workers()) + 1) {
        const auto workers = static_cast<std::uint32_t>(at.workers());
        for (std::uint32_t worker = 0; worker < workers; ++worker)
            seated.push_back(Seated{make_selector<S>({worker, workers})});
    }

    /// In the serial phase: the targets are others.
    void fit() {
        for (Seated& one : seated)
            fit_selector(one.selector, loads->size());
        if (world.is_reproducible()) // what callers placed was by the targets of before
            note_loads();
    }
    void note_loads() {
        at_barrier.resize(loads->size());
        for (Target target = 0; target < loads->size(); ++target)
            at_barrier[target] = (*loads)[target].value();
        for (Callers& one : callers)
            one.used = 0;
    }
    Caller& caller(const detail::ActorContext& here);
    /// In the serial phase: from here on it is done without them.
    void let_go(std::uint32_t count, Leaving which, Departure& departure);
    void settle() {
        std::erase_if(departures, [](const auto& one) { return one->settle(); });
    }
    /// In the serial phase: actors that were destroyed or stopped are no targets any more. With no load,
    /// they would be chosen before all others.
    void forget_dead();
    /// What is answered where there is nobody to send to.
    SendResult why_nobody() const noexcept {
        return is_closed ? SendResult::closed : SendResult::dead;
    }

    World world;
    const DispatcherOptions options;
    const std::uint64_t load_max; // of an actor, where dispatches keep to that
    const std::shared_ptr<LoadBoard<StdPolicy>> loads;
    std::vector<ActorRef> actors; // by target
    std::vector<std::shared_ptr<Departure>> departures;
    bool is_closed = false;     // for ever
    std::vector<Seated> seated; // by worker
    // For next_round, by worker; the last is the serial phase's: what is placed there is not seen in the
    // parallel phase, whoever runs the caller then.
    std::vector<Callers> callers;
    std::vector<std::uint64_t> at_barrier;
    std::uint64_t hook = 0;
    std::uint32_t made = 0; // actors ever, for their names
    unsigned runtime = 0;   // its number
};

template <class S>
typename DispatcherCore<S>::Caller& DispatcherCore<S>::caller(const detail::ActorContext& here) {
    const std::uint64_t actor = here.sender_id();
    Callers& known = here.phase == Phase::serial ? callers.back()
                                                 : callers[static_cast<std::size_t>(here.worker)];
    for (std::size_t at = 0; at < known.used; ++at)
        if (known.list[at].actor == actor)
            return known.list[at];
    if (known.used == known.list.size())
        known.list.push_back({actor, make_selector<S>({}), {}});
    Caller& added = known.list[known.used++];
    added.actor = actor;
    added.selector = make_selector<S>({});
    added.placed.assign(loads->size(), 0);
    return added;
}

template <class S>
void DispatcherCore<S>::let_go(std::uint32_t count, Leaving which, Departure& departure) {
    const auto first =
        static_cast<std::ptrdiff_t>(which == Leaving::oldest ? 0 : actors.size() - count);
    const auto from = actors.begin() + first;
    for (std::uint32_t one = 0; one < count; ++one)
        departure.add(from[one], loads->take_out(static_cast<Target>(first)));
    actors.erase(from, from + count);
    fit();
}

template <class S>
void DispatcherCore<S>::forget_dead() {
    bool met_dead = false;
    for (Seated& one : seated)
        met_dead |= std::exchange(one.met_dead, false);
    if (!met_dead)
        return;
    const ActorTable& table = *actor_context()->table;
    for (Target target = 0; target < actors.size();) {
        const ActorCell* const cell = table.find(actors[target]);
        if (cell != nullptr && cell->read_word().takes_mail()) {
            ++target;
            continue;
        }
        if (Load<StdPolicy>& load = loads->take_out(target); load.value() == 0)
            loads->put_back(load);
        actors.erase(actors.begin() + static_cast<std::ptrdiff_t>(target));
    }
    fit();
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
/// too, it is destroyed, with its actors; those that leave it (shrink, close) go on without it. Dispatching is wait-free, but for memory. It must not
/// outlive its runtime.
///
/// Another selector: `takt::Dispatcher<takt::RoundRobin> jobs{...}`, or one of the user's (see
/// Selector). Each worker has its own, made by make_selector.
///
/// Of an actor that was destroyed, or stopped by a failure, the first dispatch to it is refused as `dead`;
/// then, in the parallel phase from the next barrier on, it is no target any more.
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
        detail::require_dispatcher_limit(options.limit);
        world.enter("takt::Dispatcher", Level::unsafe);
        require_serial("takt::Dispatcher");
        core_->runtime = detail::actor_context()->runtime;
        world.keep(core_->loads);
        core_->hook = world.at_barrier([core = std::weak_ptr<Core>(core_)] {
            const std::shared_ptr<Core> alive = core.lock();
            if (alive == nullptr)
                return;
            alive->settle();
            alive->forget_dead();
            if (alive->world.is_reproducible())
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
            if (core->is_closed)
                throw Error("dispatcher", core->options.name, "it is closed, and makes no actors",
                            "Make another one");
            for (std::uint32_t count = 0; count < actors; ++count)
                add(core, shared);
            core->fit();
        });
    }

    /// Takes so many actors out: they get no more work from here, finish what they have, and are
    /// destroyed then. The ticket tells when all are gone, and what became of their work; it may be
    /// dropped. At `deadline`, frame time from now, those that are left are destroyed with what they
    /// have. Weights that others hold on them (takt::Busy), and kept mail, are work too; mail that they
    /// are sent meanwhile by others may come too late, and expire.
    ///
    /// To renew a dispatcher without losing anything: `allocate(n, setup)`, then
    /// `shrink(n, takt::Leaving::oldest)`. The targets of those that stay begin at 0 again.
    ///
    /// From the parallel phase it counts from this round's serial phase on. Throws takt::Error when
    /// there are not so many; in the parallel phase the ticket does.
    Ticket<CloseReport> shrink(std::uint32_t actors, Leaving which = Leaving::newest,
                               std::chrono::nanoseconds deadline = kForever) {
        return depart(
            "takt::Dispatcher::shrink", deadline,
            [actors, which](const std::shared_ptr<Core>& core, detail::Departure& departure) {
                if (actors > core->actors.size())
                    throw Error("actors", std::to_string(actors),
                                "the dispatcher has " + std::to_string(core->actors.size()),
                                "Let that many go, or fewer");
                core->let_go(actors, which, departure);
            });
    }
    /// Takes no more work: it is refused as `closed`. The actors finish what they have and are
    /// destroyed then, as by shrink(), or at once. Closing with `cancel` ends shrinks and closings that
    /// still drain; those report what they dropped. It may be closed more than once.
    Ticket<CloseReport> close(Closing how = Closing::drain,
                              std::chrono::nanoseconds deadline = kForever) {
        return depart("takt::Dispatcher::close", deadline,
                      [how](const std::shared_ptr<Core>& core, detail::Departure& departure) {
                          core->is_closed = true;
                          core->let_go(static_cast<std::uint32_t>(core->actors.size()),
                                       Leaving::newest, departure);
                          if (how == Closing::drain)
                              return;
                          departure.cancel();
                          for (const auto& earlier : core->departures)
                              earlier->cancel();
                      });
    }
    static constexpr std::chrono::nanoseconds kForever = std::chrono::nanoseconds::max();

    /// Sends the message to the actor that the selector chooses. Its load counts it from now until
    /// its handlers, and the tasks that they begin, have ended. `dead`: there are no actors; `closed`: it
    /// was closed; `full`: all are at the limit (DispatcherOptions::limit). All are counted, as all
    /// refusals are.
    template <class... Args, class... Given>
    SendResult dispatch(const Topic<Args...>& topic, Given&&... args) {
        detail::ActorContext& here = context("takt::Dispatcher::dispatch");
        Place place = find_place(here, select(here), Choice::selected);
        return send_to(here, place, topic, std::forward<Given>(args)...);
    }
    /// The same with a selector for this once, for example takt::Sticky(key).
    template <class Once, class... Args, class... Given>
    requires Selector<std::remove_reference_t<Once>>
        SendResult dispatch_by(Once&& selector, const Topic<Args...>& topic, Given&&... args) {
        detail::ActorContext& here = context("takt::Dispatcher::dispatch_by");
        Place place = find_place(here, selector.select(*core_->loads), Choice::given);
        return send_to(here, place, topic, std::forward<Given>(args)...);
    }
    /// The same for a request: what comes back is its answer, or why there is none. Where it is
    /// refused, the ticket says so at once.
    template <class R, class... Args, class... Given>
    Ticket<R> submit(const Request<R(Args...)>& request, Given&&... args) {
        detail::ActorContext& here = context("takt::Dispatcher::submit");
        Place place = find_place(here, select(here), Choice::selected);
        return submit_to(here, place, request, std::forward<Given>(args)...);
    }
    /// The same with a selector for this once.
    template <class Once, class R, class... Args, class... Given>
    requires Selector<std::remove_reference_t<Once>> Ticket<R>
    submit_by(Once&& selector, const Request<R(Args...)>& request, Given&&... args) {
        detail::ActorContext& here = context("takt::Dispatcher::submit_by");
        Place place = find_place(here, selector.select(*core_->loads), Choice::given);
        return submit_to(here, place, request, std::forward<Given>(args)...);
    }
    /// Sends a copy to each actor, in their order. Returns how many accepted it.
    template <class... Args>
    std::uint32_t dispatch_all(const Topic<Args...>& topic, const Args&... args) {
        detail::ActorContext& here = context("takt::Dispatcher::dispatch_all");
        std::uint32_t accepted = 0;
        for (Target target = 0; target < size();) {
            const ActorRef whom = core_->actors[target];
            Place place = find_place(here, target, Choice::given);
            accepted += send_to(here, place, topic, args...) == SendResult::ok;
            target += target < size() && core_->actors[target] == whom; // else it is no target now
        }
        return accepted;
    }

    /// Calls `function(index)` for each index of [0, size), in the parallel phase: one actor on each
    /// worker, the least busy one, takes chunks of neighbouring indices until none is left, first of a share
    /// of its own, then of the others'; with
    /// next_round delivery all actors take fixed shares. The function is shared, so it is const. It runs
    /// in an actor's name, and each actor's part counts on its load; an actor's worker does nothing else
    /// until no chunk is left. A call that throws is reported as that part's failure; the others go on.
    /// What it begins, also other ranges, comes after it. Of an actor that goes before it has begun, the
    /// others take the part; with next_round delivery its share is left out.
    ///
    /// `dead`: there are no actors; `ok` when one actor has a part, which is all of it if need be (with
    /// next_round delivery: when all have). Claiming a chunk is wait-free.
    template <class F>
    SendResult dispatch_range(std::size_t size, F function, RangeOptions options = {}) {
        static_assert(detail::check_range<F>());
        detail::ActorContext& here = context("takt::Dispatcher::dispatch_range");
        try {
            std::vector<Taker> takers = choose_takers(here);
            if (takers.empty())
                return here.refuse(core_->why_nobody());
            const detail::RangeJob::Shape shape = shape_of(size, options, takers);
            return send_parts(
                here, takers,
                std::make_shared<detail::DetachedRange<F>>(shape, std::move(function)));
        } catch (const std::bad_alloc&) {
            return here.refuse(SendResult::no_memory);
        }
    }
    /// The same with results: the ticket has a std::vector of what the function gave, in the order of
    /// the indices (of void, nothing). R has a default constructor and is not bool. A call that throws
    /// ends the range: the ticket has that of the lowest chunk that failed, and no more chunks are
    /// taken (with next_round delivery: by that actor). cancel() and a deadline end it between two
    /// chunks, and takt::cancelled() tells the function. When all that had a part are gone before the end
    /// (with next_round delivery: when one is): `actor_gone`. `no_memory`: there is no room for so many
    /// results. The answer comes with the last index; the function goes with the last part, which may be
    /// later in the same phase.
    template <class F>
    Ticket<detail::RangeResults<detail::RangeResult<F>>> submit_range(std::size_t size, F function,
                                                                      RangeOptions options = {}) {
        static_assert(detail::check_range<F>());
        using R = detail::RangeResult<F>;
        static_assert(detail::check_range_result<R>());
        using Results = detail::RangeResults<R>;
        detail::ActorContext& here = context("takt::Dispatcher::submit_range");
        const auto refused = [&here](SendResult why) {
            return detail::TicketAccess::refused<Results>(detail::kRange.name(),
                                                          detail::status_of(here.refuse(why)));
        };
        try {
            std::vector<Taker> takers = choose_takers(here);
            if (takers.empty())
                return refused(core_->why_nobody());
            const detail::RangeJob::Shape shape = shape_of(size, options, takers);
            auto ticket = detail::TicketAccess::make<Results>(
                detail::TicketHold::adopt(*new detail::TicketCoreOf<Results>(
                    detail::kRange.name(), here.runtime, here.sender_id(), here.take_sequence())));
            const auto job = std::make_shared<detail::AnsweredRange<F>>(
                shape, std::move(function),
                detail::Answer<Results>(detail::TicketAccess::core(ticket)));
            if (const SendResult sent = send_parts(here, takers, job); sent != SendResult::ok)
                job->refuse(detail::status_of(sent));
            return ticket;
        } catch (const std::bad_alloc&) {
            return refused(SendResult::no_memory);
        }
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
        if (core->options.limit.overflow != Overflow::reject)
            options.mail = core->options.limit;
        Load<StdPolicy>& load = (*core->loads)[target];
        core->actors.push_back(spawn_actor(std::move(options), [&load, setup](Actor& actor) {
            // relaxed: the barrier hands it over
            detail::ActorAccess::cell(actor).load.store(&load, std::memory_order_relaxed);
            actor.bind_parallel(detail::kRange, [](detail::RangePart&& part) { part.run(); });
            return (*setup)(actor);
        }));
    }

    // `take(core, departure)`, in the serial phase, says who goes.
    template <class Take>
    Ticket<CloseReport> depart(const char* member, std::chrono::nanoseconds deadline, Take take) {
        detail::ActorContext& here = context(member);
        auto* const shared = new detail::TicketCoreOf<CloseReport>(
            member, here.runtime, here.sender_id(), here.take_sequence());
        auto ticket = detail::TicketAccess::make<CloseReport>(detail::TicketHold::adopt(*shared));
        const std::int64_t deadline_ns = later(here.task_host->frame_time_ns(), deadline.count());
        const bool is_serial = here.phase == Phase::serial;
        commit([core = core_, answer = detail::Answer<CloseReport>(*shared), deadline_ns, take,
                is_serial]() mutable {
            auto departure = std::make_shared<detail::Departure>(core->world, core->loads,
                                                                 std::move(answer), deadline_ns);
            try {
                take(core, *departure);
            } catch (...) {
                if (is_serial)
                    throw;
                departure->fail(std::current_exception());
                return;
            }
            core->departures.push_back(departure);
            core->settle();
            core->world.start(detail::see_off(detail::Farewell(std::move(departure))));
        });
        return ticket;
    }

    Selection select(detail::ActorContext& here) {
        const auto worker = static_cast<std::size_t>(here.worker);
        if (!core_->world.is_reproducible())
            return core_->seated[worker].selector.select(*core_->loads);
        const std::uint64_t actor = here.sender_id();
        typename Core::Caller& caller = core_->caller(here);
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

    /// Where a dispatch goes.
    struct Place {
        Selection target = std::nullopt; // none: nowhere, and why
        SendResult why = SendResult::ok;
        std::optional<Busy> claim = std::nullopt; // for the mail, until that counts itself
    };
    /// Who chose the target: the dispatcher's selector, which may have to take the next one, or the caller.
    enum class Choice : std::uint8_t { selected, given };

    Place find_place(detail::ActorContext& here, Selection target, Choice choice) {
        if (!target)
            return {.why = core_->why_nobody()};
        if (core_->load_max == kUnboundedBytes) [[likely]]
            return {.target = target};
        const auto size = static_cast<Target>(core_->actors.size());
        const Target tries = choice == Choice::selected ? size : 1;
        std::uint32_t* const placed = placed_by(here);
        if (placed != nullptr && choice == Choice::selected)
            --placed[*target]; // select() counted it
        for (Target step = 0; step < tries; ++step) {
            const Target at = (*target + step) % size;
            if (placed == nullptr && (*core_->loads)[at].try_add(core_->load_max))
                return {.target = at, .claim = detail::BusyAccess::adopt((*core_->loads)[at])};
            if (placed != nullptr && core_->at_barrier[at] + placed[at] < core_->load_max) {
                ++placed[at];
                return {.target = at};
            }
        }
        return {.why = SendResult::full};
    }
    /// With next_round delivery: what the caller has placed since the last barrier, by target.
    std::uint32_t* placed_by(detail::ActorContext& here) {
        if (!core_->world.is_reproducible())
            return nullptr;
        return core_->caller(here).placed.data();
    }

    template <class... Args, class... Given>
    SendResult send_to(detail::ActorContext& here, const Place& place, const Topic<Args...>& topic,
                       Given&&... args) {
        static_assert(std::is_constructible_v<std::tuple<Args...>, Given&&...>,
                      "takt: the arguments do not fit the topic's types");
        if (!place.target)
            return here.refuse(place.why);
        const Target target = *place.target;
        const SendResult sent = detail::send_here<detail::DispatchedMail<Args...>>(
            here, core_->actors[target], topic.name(), topic.hash(), (*core_->loads)[target],
            std::forward<Given>(args)...);
        if (sent == SendResult::dead) [[unlikely]]
            note_dead(here);
        return sent;
    }

    template <class R, class... Args, class... Given>
    Ticket<R> submit_to(detail::ActorContext& here, const Place& place,
                        const Request<R(Args...)>& request, Given&&... args) {
        if (!place.target)
            return detail::TicketAccess::refused<R>(request.name(),
                                                    detail::status_of(here.refuse(place.why)));
        const Target target = *place.target;
        Ticket<R> ticket =
            detail::submit_here(here, core_->actors[target], &(*core_->loads)[target], request,
                                std::forward<Given>(args)...);
        if (ticket.status() == TicketStatus::dead) [[unlikely]]
            note_dead(here);
        return ticket;
    }
    [[gnu::cold]] void note_dead(detail::ActorContext& here) {
        core_->seated[static_cast<std::size_t>(here.worker)].met_dead = true;
        if (here.phase == Phase::serial)
            core_->forget_dead();
    }

    struct Taker {
        std::uint64_t load; // when it was chosen: others change it meanwhile
        Target target;
    };
    // Who takes part in a range, of those that take mail; the least busy first. With next_round nothing
    // may depend on the number of workers: all.
    std::vector<Taker> choose_takers(detail::ActorContext& here) const {
        constexpr Target kNobody = UINT32_MAX;
        const bool all = core_->world.is_reproducible();
        std::vector<Taker> takers(all ? core_->actors.size()
                                      : static_cast<std::size_t>(core_->world.workers()),
                                  Taker{UINT64_MAX, kNobody});
        for (Target target = 0; target < core_->actors.size(); ++target) {
            const ActorRef actor = core_->actors[target];
            const detail::ActorWord word = here.table->cell(actor.slot()).read_word();
            if (word.generation != actor.generation() || !word.takes_mail()) [[unlikely]] {
                core_->seated[static_cast<std::size_t>(here.worker)].met_dead = true;
                continue;
            }
            Taker& taker = takers[all ? target : static_cast<std::size_t>(here.table->owner(word))];
            const std::uint64_t load = all ? 0 : core_->loads->peek(target);
            if (taker.target == kNobody || load < taker.load)
                taker = {load, target};
        }
        std::erase_if(takers, [](const Taker& one) { return one.target == kNobody; });
        std::ranges::sort(takers, {},
                          [](const Taker& one) { return std::pair(one.load, one.target); });
        return takers;
    }
    // Leaves those for whom there is a chunk in `takers`.
    detail::RangeJob::Shape shape_of(std::size_t size, const RangeOptions& options,
                                     std::vector<Taker>& takers) const {
        constexpr std::size_t kClaims = 16;
        const std::size_t grain = options.grain != 0
                                      ? options.grain
                                      : std::max<std::size_t>(1, size / (kClaims * takers.size()));
        const std::size_t chunks = size / grain + (size % grain != 0 ? 1 : 0);
        takers.resize(std::clamp<std::size_t>(chunks, 1, takers.size()));
        return {size, grain, static_cast<std::uint32_t>(takers.size()),
                core_->world.is_reproducible()};
    }
    SendResult send_parts(detail::ActorContext& here, const std::vector<Taker>& takers,
                          const std::shared_ptr<detail::RangeJob>& job) {
        SendResult last = SendResult::ok;
        bool has_some = false;
        for (std::uint32_t part = 0; part < takers.size(); ++part) {
            const Target target = takers[part].target;
            const SendResult sent = detail::send_here<detail::DispatchedMail<detail::RangePart>>(
                here, core_->actors[target], detail::kRange.name(), detail::kRange.hash(),
                (*core_->loads)[target], detail::RangePart(job, part));
            if (sent == SendResult::ok)
                has_some = true;
            else
                last = sent;
        }
        return has_some && !core_->world.is_reproducible() ? SendResult::ok : last;
    }

    std::shared_ptr<Core> core_;
};

template <class F>
Dispatcher(World, DispatcherOptions, F) -> Dispatcher<LeastBusy>;

} // namespace takt
