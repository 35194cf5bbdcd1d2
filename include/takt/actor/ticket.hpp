// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. What a request is answered through: co_await it, wait for it, hear of it, cancel it.
// Below: ticket_state (how it ends, once), task (awaits, timers). Beside: request (the other end).

#include "takt/actor/ticket_state.hpp"
#include "takt/task.hpp"

#include <array>
#include <chrono>
#include <concepts>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace takt {

/// A request that was not answered. What its handler threw is thrown as it was.
class TicketError : public Error {
  public:
    TicketError(const char* request, TicketStatus why);
    /// Why: not `pending`, `answered` or `threw`.
    TicketStatus status() const noexcept { return status_; }

  private:
    TicketStatus status_;
};

template <class R = void>
class Ticket;

namespace detail {

/// What both ends of a request share: one allocation, which goes with the last of them.
class TicketCore : public Timer {
  public:
    /// `submitter`, `sequence`: the place of the request in commit order.
    TicketCore(const char* name, unsigned number, std::uint64_t by, std::uint64_t at) noexcept
        : request(name), runtime(number), submitter(by), sequence(at) {}
    virtual ~TicketCore() = default;
    TicketCore(const TicketCore&) = delete;
    TicketCore& operator=(const TicketCore&) = delete;

    void release() noexcept {
        if (state.release())
            delete this;
    }
    bool is_over() const noexcept { return state.status() != TicketStatus::pending; }
    /// Says who is to be told, before state.await(). False: it has ended, and nothing was written: who
    /// has ended it may be reading whom he was to tell before.
    bool begin_wait(unsigned in_runtime, std::uint64_t runtime_id, std::uint64_t by_actor,
                    std::uint64_t by_actor_id, Phase in_phase) noexcept {
        if (waiter_id != 0)
            state.forget(); // a run_until()
        if (is_over())
            return false;
        waiter = in_runtime;
        waiter_id = runtime_id;
        actor = by_actor;
        actor_id = by_actor_id;
        phase = in_phase;
        return true;
    }

    TicketState<StdPolicy> state{1};
    const char* const request; // its name
    const unsigned runtime;    // its number
    const std::uint64_t submitter;
    const std::uint64_t sequence;
    std::exception_ptr failure; // who answers writes it (U2)

    // Who is to be told; written before state.await(), then read by who ends the ticket.
    unsigned waiter = 0;         // the number of his runtime
    std::uint64_t waiter_id = 0; // that runtime's; 0: nobody has ever waited
    std::uint64_t actor = 0;     // its address; 0: nobody's
    std::uint64_t actor_id = 0;
    Phase phase = Phase::serial;
    // One of these two; the task is read, and taken, where it goes on.
    RootTask* waiting = nullptr;
    UniqueFunction<void(TicketCore&)> on_ready;

    // The deadline. Written in the serial phase.
    bool has_deadline = false;
    bool is_watched = false; // in the wheel of its runtime, which holds a reference
    // Of who has ended it, until the serial phase:
    TicketCore* next_ended = nullptr;
    bool is_listed = false; // as ended, with a reference
    bool tells = false;     // who waits is to be told
};

/// A reference of it, or none.
class TicketHold {
  public:
    TicketHold() = default;
    explicit TicketHold(TicketCore& core) noexcept : core_(&core) { core.state.acquire(); }
    TicketHold(TicketHold&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
    TicketHold& operator=(TicketHold&& other) noexcept {
        TicketHold before(std::move(*this)); // goes at once, not with `other`
        core_ = std::exchange(other.core_, nullptr);
        return *this;
    }
    ~TicketHold() {
        if (core_ != nullptr)
            core_->release();
    }
    /// Takes a reference that the caller has.
    static TicketHold adopt(TicketCore& core) noexcept {
        TicketHold hold;
        hold.core_ = &core;
        return hold;
    }
    TicketCore* get() const noexcept { return core_; }
    TicketCore& operator*() const noexcept { return *core_; }
    TicketCore* operator->() const noexcept { return core_; }
    explicit operator bool() const noexcept { return core_ != nullptr; }

  private:
    TicketCore* core_ = nullptr;
};

/// Ends the ticket, unless it has ended, and sees to it that who waits is told. Any thread. In a
/// parallel phase where nothing may depend on timing it ends in the serial phase, at its place in
/// commit order.
void end_ticket(TicketCore& core, TicketStatus status) noexcept;
/// The same at once. True: it was the caller who ended it.
bool end_ticket_now(TicketCore& core, TicketStatus status) noexcept;

CancelResult cancel_ticket(TicketCore& core) noexcept;
/// PhaseError in a phase while it is pending. False: `timeout_ns` has passed.
bool wait_for_ticket(TicketCore& core, const char* member, std::int64_t timeout_ns);
void set_deadline(TicketCore& core, std::int64_t ns);
void call_when_ready(TicketCore& core, UniqueFunction<void(TicketCore&)> function);
/// The task waits for the ticket, or ends. False: the ticket has ended.
bool await_ticket(RootTask& root, TicketCore& core);
/// The caller's runtime, which runs no frame, is rung when the ticket ends, unless somebody in it waits
/// already. False: it has ended. `core`: null: it was refused.
bool ring_when_over(TicketCore* core);

template <class R>
struct TicketCoreOf final : TicketCore {
    using TicketCore::TicketCore;
    std::optional<ResultOf<R>> value; // who answers writes it (U2)
    bool is_taken = false;
};

/// Goes on when the ticket has ended.
class TicketAwait {
  public:
    explicit TicketAwait(TicketHold core) noexcept : core_(std::move(core)) {}
    TicketAwait(const TicketAwait&) = delete;
    TicketAwait& operator=(const TicketAwait&) = delete;
    ~TicketAwait() {
        if (root_ != nullptr && core_->waiting == root_) {
            core_->state.forget();
            core_->waiting = nullptr;
        }
    }

    bool await_ready() const noexcept { return !core_ || core_->is_over(); }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> self) {
        static_assert(std::is_base_of_v<PromiseBase, Promise>,
                      "takt: only a takt::Task may await this");
        root_ = self.promise().root;
        root_->leaf = self;
        return await_ticket(*root_, *core_);
    }
    void await_resume() const noexcept {}

  protected:
    TicketCore* core() const noexcept { return core_.get(); }

  private:
    TicketHold core_;
    RootTask* root_ = nullptr;
};

/// For the runtime.
struct TicketAccess {
    template <class R>
    static Ticket<R> make(TicketHold core) noexcept {
        return Ticket<R>(std::move(core));
    }
    /// Of a request that was not sent.
    template <class R>
    static Ticket<R> refused(const char* request, TicketStatus why) noexcept {
        return Ticket<R>(request, why);
    }
    template <class R>
    static TicketHold hold(const Ticket<R>& ticket) noexcept {
        return ticket.core_ ? TicketHold(*ticket.core_) : TicketHold();
    }
    /// Of a ticket that was sent.
    template <class R>
    static TicketCoreOf<R>& core(const Ticket<R>& ticket) noexcept {
        return static_cast<TicketCoreOf<R>&>(*ticket.core_);
    }
    /// The answer of a ticket that is not pending.
    template <class R>
    static R take(Ticket<R>& ticket) {
        return ticket.take();
    }
    template <class R>
    static const char* request(const Ticket<R>& ticket) noexcept {
        return ticket.request_;
    }
    template <class R>
    static TicketStatus refusal(const Ticket<R>& ticket) noexcept {
        return ticket.refused_;
    }
};

/// The answer of a request that has ended.
template <class R>
R take_answer_of(TicketCore& ended) {
    auto& core = static_cast<TicketCoreOf<R>&>(ended);
    const TicketStatus status = core.state.status();
    if (status == TicketStatus::threw)
        std::rethrow_exception(core.failure);
    if (status != TicketStatus::answered)
        throw TicketError(core.request, status);
    if constexpr (!std::is_void_v<R>) {
        if (std::exchange(core.is_taken, true))
            throw TicketError(core.request, TicketStatus::taken);
        return std::move(*core.value);
    }
}

/// Of what was asked when it began: the ticket may be another request's by the end, or gone.
template <class R>
class TicketAwaitAnswer : public TicketAwait {
  public:
    explicit TicketAwaitAnswer(const Ticket<R>& of) noexcept
        : TicketAwait(TicketAccess::hold(of)), request_(TicketAccess::request(of)),
          refused_(TicketAccess::refusal(of)) {}
    R await_resume() const {
        if (core() == nullptr)
            throw TicketError(request_, refused_);
        return take_answer_of<R>(*core());
    }

  private:
    const char* const request_;
    const TicketStatus refused_;
};

} // namespace detail

/// The answer to a request, an R, as who asked has it. Move-only. When it goes before the answer has
/// come, the request goes on, and nobody gets its answer. Used by one thread at a time.
///
///     takt::Ticket<int> words = counters.submit(count_words, text);
///     const int count = co_await words;                                // in an actor
///
/// A request ends once: with the answer, with what its handler threw (which counts as its actor's
/// failure too), or with a reason, which is thrown as TicketError; TicketStatus has them all. It ends
/// in every case, at the latest with its runtime.
template <class R>
class Ticket {
  public:
    /// Of no request: `taken`.
    Ticket() = default;
    Ticket(Ticket&&) noexcept = default;
    Ticket& operator=(Ticket&&) noexcept = default;

    /// In the parallel phase with next_round delivery: as of this phase's begin. Wait-free.
    TicketStatus status() const noexcept { return core_ ? core_->state.status() : refused_; }
    bool ready() const noexcept { return status() != TicketStatus::pending; }

    /// Gives the answer, in the caller's phase, on its actor's worker: where the parallel phase waits,
    /// in this one with immediate delivery, else in the next round. Throws as get(). One task at a
    /// time; the others get takt::Error. While it waits, this ticket may be moved, reassigned or go.
    auto operator co_await() & noexcept { return detail::TicketAwaitAnswer<R>(*this); }
    auto operator co_await() && = delete; // of a variable: it may be asked for more than once

    /// Blocks. In a phase, and on the frame thread, PhaseError while it is pending: co_await it there,
    /// or run frames, Runtime::run_until(ticket). The frame thread also runs what is offloaded, where
    /// offload.threads is 0.
    void wait() const { wait_in("takt::Ticket::wait", kNever); }
    /// The same up to `timeout` of real time. False: it is pending.
    template <class Rep, class Period>
    [[nodiscard]] bool wait_for(std::chrono::duration<Rep, Period> timeout) const {
        return wait_in("takt::Ticket::wait_for", detail::nanoseconds_of(timeout));
    }
    /// Waits, and gives the answer, once. Throws what the handler threw, or TicketError; PhaseError as
    /// wait().
    R get() {
        wait_in("takt::Ticket::get", kNever);
        return take();
    }

    /// `function(Ticket<R>)` is called with the answer in the serial phase of the round that has it, or of
    /// the next one, in the name of the actor whose code says this, unless that is gone. This ticket
    /// keeps status(), ready(), wait() and cancel(). In nobody's name it is called in every case: when
    /// the runtime ends, or after that at once. In a phase of its runtime; takt::Error when it is
    /// awaited, or another one's.
    template <std::invocable<Ticket> F>
    void on_ready(F function) {
        if (!core_)
            core_ = over(request_, refused_);
        detail::call_when_ready(*core_,
                                [function = std::move(function)](detail::TicketCore& core) mutable {
                                    std::invoke(function, Ticket(detail::TicketHold(core)));
                                });
    }

    /// The request is not wanted any more: it ends as `cancelled`. Its handler does not begin, and the
    /// mail expires; if it has begun, takt::cancelled() tells it, and nobody gets what it answers. Any
    /// thread, also while others use the ticket. `pending`: with next_round delivery from the parallel
    /// phase, in this round's serial phase; `nothing`: it had ended. Lock-free, but for memory.
    CancelResult cancel() const noexcept {
        return core_ ? detail::cancel_ticket(*core_) : CancelResult::nothing;
    }

    /// Ends it as `deadline`, as cancel() does, unless it has ended by the first heartbeat at or after
    /// `duration` from this frame's time. In a phase of its runtime; once, else takt::Error.
    template <class Rep, class Period>
    Ticket& with_deadline(std::chrono::duration<Rep, Period> duration) & {
        if (core_)
            detail::set_deadline(*core_, detail::nanoseconds_of(duration));
        return *this;
    }
    template <class Rep, class Period>
    Ticket&& with_deadline(std::chrono::duration<Rep, Period> duration) && {
        return std::move(with_deadline(duration));
    }

  private:
    friend struct detail::TicketAccess;

    explicit Ticket(detail::TicketHold core) noexcept : core_(std::move(core)) {}
    Ticket(const char* request, TicketStatus refused) noexcept
        : request_(request), refused_(refused) {}

    R take() {
        if (!core_)
            throw TicketError(request_, refused_);
        return detail::take_answer_of<R>(*core_);
    }
    static detail::TicketHold over(const char* request, TicketStatus status) {
        auto* const core = new detail::TicketCoreOf<R>(request, 0, 0, 0);
        core->state.end(status);
        return detail::TicketHold::adopt(*core);
    }
    bool wait_in(const char* member, std::int64_t timeout_ns) const {
        return !core_ || detail::wait_for_ticket(*core_, member, timeout_ns);
    }

    detail::TicketHold core_;
    const char* request_ = "";
    TicketStatus refused_ = TicketStatus::taken; // where there is no core
};

/// The code that runs answers a request that nobody waits for any more: it was cancelled, or its
/// deadline has passed. Also in what a request's handler awaits, and after co_await offload(); not in
/// tasks that it spawns. Any thread; wait-free. With next_round delivery it changes between the phases.
bool cancelled() noexcept;

namespace detail {

template <class R>
ResultOf<R> take_answer(Ticket<R>& ticket) {
    if constexpr (std::is_void_v<R>) {
        TicketAccess::take(ticket);
        return {};
    } else {
        return TicketAccess::take(ticket);
    }
}

} // namespace detail

/// Goes on when all requests have ended, with a std::tuple of their answers (std::monostate for void;
/// nothing at all where all are void). Where some failed, throws what the first of them, in the order
/// of the arguments, would throw, after the others have ended too. The tickets must outlive it.
template <class... Rs>
requires(sizeof...(Rs) > 0 &&
         !(std::is_void_v<Rs> &&
           ...)) Task<std::tuple<detail::ResultOf<Rs>...>> when_all(Ticket<Rs>&... tickets) {
    std::array<detail::TicketHold, sizeof...(Rs)> all{detail::TicketAccess::hold(tickets)...};
    for (detail::TicketHold& one : all)
        co_await detail::TicketAwait(std::move(one));
    co_return std::tuple<detail::ResultOf<Rs>...>{detail::take_answer(tickets)...};
}
template <class... Rs>
requires(sizeof...(Rs) > 0 && (std::is_void_v<Rs> && ...)) Task<> when_all(Ticket<Rs>&... tickets) {
    std::array<detail::TicketHold, sizeof...(Rs)> all{detail::TicketAccess::hold(tickets)...};
    for (detail::TicketHold& one : all)
        co_await detail::TicketAwait(std::move(one));
    (detail::TicketAccess::take(tickets), ...);
}
/// The same for any number of requests of one type: gives a std::vector of the answers, in their
/// order; of void, nothing. Of no requests: at once.
template <class R>
Task<std::conditional_t<std::is_void_v<R>, void, std::vector<detail::ResultOf<R>>>>
when_all(std::vector<Ticket<R>>& tickets) {
    for (Ticket<R>& one : tickets)
        co_await detail::TicketAwait(detail::TicketAccess::hold(one));
    if constexpr (std::is_void_v<R>) {
        for (Ticket<R>& one : tickets)
            detail::TicketAccess::take(one);
    } else {
        std::vector<R> answers;
        answers.reserve(tickets.size());
        for (Ticket<R>& one : tickets)
            answers.push_back(detail::TicketAccess::take(one));
        co_return answers;
    }
}

} // namespace takt
