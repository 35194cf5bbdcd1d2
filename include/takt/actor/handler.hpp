// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. What an actor does with a message: its handlers, by topic. Below: mail, task.
// Above: actor (which has a table of them), behaviour (which shares one).

#include "takt/actor/mail.hpp"
#include "takt/actor/request.hpp"
#include "takt/task.hpp"

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace takt::detail {

struct Listener;

using TaskHandle = std::coroutine_handle<TaskPromise<void>>;

/// One binding.
class Handler {
  public:
    virtual ~Handler() = default;
    /// Handles the mail, or begins to: the task that was returned has not run yet. Null: done.
    /// `state`: the actor's.
    virtual TaskHandle call(void* state, MailHead& mail) = 0;

    std::unique_ptr<Handler> next; // of the same topic and phase, in bind order
    std::uint64_t id = 0;          // in its table
    std::uint32_t tasks = 0;       // that it began and that have not ended: they use its closure
    bool connected = true;
    Listener* listener = nullptr; // whose it is; null: it is a binding
};

/// The handlers of one topic.
struct TopicHandlers {
    /// Of those that are connected.
    Handler* first_of(Phase phase) const noexcept {
        Handler* first = phase == Phase::parallel ? parallel.get() : serial.get();
        while (first != nullptr && !first->connected)
            [[unlikely]] first = first->next.get();
        return first;
    }
    bool has_any() const noexcept {
        return first_of(Phase::parallel) != nullptr || first_of(Phase::serial) != nullptr;
    }
    std::unique_ptr<Handler>& list(Phase phase) noexcept {
        return phase == Phase::parallel ? parallel : serial;
    }

    std::uint64_t topic;
    const char* name;
    const Signature* signature;
    std::unique_ptr<Handler> parallel;
    std::unique_ptr<Handler> serial;
    /// The parallel handler of a topic where it is the only handler, and connected; else null.
    Handler* only = nullptr;
};

/// Throws takt::Error: the topic, or request, takes one handler, and has one.
[[noreturn]] void refuse_second_handler(const TopicHandlers& entry);

/// All handlers of an actor, or of all actors of a behaviour.
class HandlerTable {
  public:
    /// Adds at the end of its list and returns its id. Throws takt::Error when the name is known
    /// with other types, or when mail that can only be moved would have two handlers.
    std::uint64_t add(Phase phase, std::uint64_t topic, const char* name,
                      const Signature& signature, std::unique_ptr<Handler> handler);
    /// Null: nobody handles it. Valid until the next add().
    const TopicHandlers* find(std::uint64_t topic) const noexcept {
        for (const TopicHandlers& entry : topics_)
            if (entry.topic == topic)
                return &entry;
        return nullptr;
    }
    /// From now on it is not called.
    void disconnect(std::uint64_t id) noexcept;
    /// It is connected.
    bool has(std::uint64_t id) const noexcept;
    /// Destroys handlers that are not connected and have no task.
    void sweep() noexcept;
    bool empty() const noexcept { return topics_.empty(); }
    /// Handlers that are added from now on have this id or a larger one.
    std::uint64_t next_id() const noexcept { return next_id_; }

  private:
    static void settle(TopicHandlers& entry) noexcept;
    template <class Each>
    void for_each_list(Each each) noexcept {
        for (TopicHandlers& entry : topics_) {
            each(entry.parallel);
            each(entry.serial);
        }
    }

    std::vector<TopicHandlers> topics_; // few: searched from the front
    std::uint64_t next_id_ = 1;
};

// --- from a callable to a Handler ---

template <class... Params>
struct ParameterList {
    static constexpr bool all_values = (!std::is_reference_v<Params> && ...);
};
struct UnknownParameters {};

/// The parameters of a callable that has exactly one call operator.
template <class F>
struct ParametersOf {
    using type = UnknownParameters;
};
template <class R, class... Params>
struct ParametersOf<R (*)(Params...)> {
    using type = ParameterList<Params...>;
};
template <class R, class C, class... Params>
struct ParametersOf<R (C::*)(Params...)> {
    using type = ParameterList<Params...>;
};
template <class R, class C, class... Params>
struct ParametersOf<R (C::*)(Params...) const> {
    using type = ParameterList<Params...>;
};
template <class R, class C, class... Params>
struct ParametersOf<R (C::*)(Params...) noexcept> {
    using type = ParameterList<Params...>;
};
template <class R, class C, class... Params>
struct ParametersOf<R (C::*)(Params...) const noexcept> {
    using type = ParameterList<Params...>;
};
template <class F>
requires requires {
    &F::operator();
}
struct ParametersOf<F> : ParametersOf<decltype(&F::operator())> {};

template <class F>
constexpr bool check_coroutine_parameters() {
    using Parameters = typename ParametersOf<F>::type;
    constexpr bool known = !std::is_same_v<Parameters, UnknownParameters>;
    static_assert(known, "takt: a handler that is a coroutine must not be generic (auto "
                         "parameters): its parameters must be seen to be values");
    if constexpr (known)
        static_assert(Parameters::all_values,
                      "takt: a handler that is a coroutine has a reference parameter; it would "
                      "dangle after the first co_await: take it by value");
    return true;
}

/// Calls `function(before..., [token], args...)`, with the token where the callable wants it.
template <class Token, class F, class... All>
decltype(auto) call_with_token(F& function, Token token, All&&... all) {
    if constexpr (std::is_invocable_v<F&, Token, All&&...>)
        return std::invoke(function, token, std::forward<All>(all)...);
    else
        return std::invoke(function, std::forward<All>(all)...);
}
template <class Token, class State, class F, class... All>
decltype(auto) call_with_state(F& function, Token token, State& state, All&&... all) {
    if constexpr (std::is_invocable_v<F&, State&, Token, All&&...>)
        return std::invoke(function, state, token, std::forward<All>(all)...);
    else
        return std::invoke(function, state, std::forward<All>(all)...);
}

template <Phase kPhase>
auto token_of() noexcept {
    if constexpr (kPhase == Phase::parallel)
        return TokenMint::parallel();
    else
        return TokenMint::serial();
}

/// A callable that is called with these Args. State: void, or what the callable takes as its first
/// argument.
template <Phase kPhase, bool kMoves, class State, class F, class... Args>
class HandlerCall : public Handler {
    template <class T>
    using Passed = std::conditional_t<kMoves, T&&, const T&>;
    using Token = decltype(token_of<kPhase>());

    static constexpr bool fits() {
        if constexpr (std::is_void_v<State>)
            return std::is_invocable_v<F&, Passed<Args>...> ||
                   std::is_invocable_v<F&, Token, Passed<Args>...>;
        else
            return std::is_invocable_v<F&, State&, Passed<Args>...> ||
                   std::is_invocable_v<F&, State&, Token, Passed<Args>...>;
    }
    static_assert(fits(),
                  "takt: the handler's parameters do not fit the topic's arguments (a handler "
                  "of the serial phase may take takt::Serial first, one of the parallel phase "
                  "takt::Parallel)");

  public:
    explicit HandlerCall(F function) : function_(std::move(function)) {}

  protected:
    decltype(auto) run(void* state, std::tuple<Args...>& args) {
        return std::apply(
            [&](Args&... each) -> decltype(auto) {
                return run_with(state, static_cast<Passed<Args>>(each)...);
            },
            args);
    }

  private:
    template <class... All>
    decltype(auto) run_with([[maybe_unused]] void* state, All&&... all) {
        if constexpr (std::is_void_v<State>)
            return call_with_token(function_, token_of<kPhase>(), std::forward<All>(all)...);
        else
            return call_with_state(function_, token_of<kPhase>(), *static_cast<State*>(state),
                                   std::forward<All>(all)...);
    }

    F function_;
};

template <class... Args>
inline constexpr bool travels_by_move = !(std::is_copy_constructible_v<Args> && ...);

/// A callable as the handler of a topic with these Args.
template <Phase kPhase, class State, class F, class... Args>
class HandlerOf final : public HandlerCall<kPhase, travels_by_move<Args...>, State, F, Args...> {
  public:
    using HandlerCall<kPhase, travels_by_move<Args...>, State, F, Args...>::HandlerCall;

    TaskHandle call(void* state, MailHead& mail) override {
        std::tuple<Args...>& args = static_cast<TopicMail<Args...>&>(mail).args;
        using Result = decltype(this->run(state, args));
        if constexpr (is_task<Result>) {
            static_assert(std::is_same_v<Result, Task<>>,
                          "takt: a handler returns void or takt::Task<>");
            static_assert(check_coroutine_parameters<F>());
            return this->run(state, args).release();
        } else {
            static_assert(std::is_void_v<Result>, "takt: a handler returns void or takt::Task<>");
            this->run(state, args);
            return nullptr;
        }
    }
};

/// A callable as the handler of a request. It gets the arguments moved: there is no other one.
template <Phase kPhase, class State, class F, class R, class... Args>
class RequestHandlerOf final : public HandlerCall<kPhase, true, State, F, Args...> {
  public:
    using HandlerCall<kPhase, true, State, F, Args...>::HandlerCall;

    TaskHandle call(void* state, MailHead& mail) override {
        auto& request = static_cast<RequestMail<R, Args...>&>(mail);
        using Result = decltype(this->run(state, request.args));
        const ErrandScope scope(request.answer.core());
        try {
            if constexpr (is_task<Result>) {
                static_assert(std::is_same_v<Result, Task<R>>,
                              "takt: a request's handler returns its R or takt::Task<R>");
                static_assert(check_coroutine_parameters<F>());
                Task<R> task = this->run(state, request.args);
                const LosingAnswers scope_of_loss(TicketStatus::no_memory); // if there is none
                return answer_by<R>(std::move(request.answer), std::move(task)).release();
            } else if constexpr (std::is_void_v<R>) {
                static_assert(std::is_void_v<Result>,
                              "takt: a request's handler returns its R or takt::Task<R>");
                this->run(state, request.args);
            } else {
                static_assert(std::is_convertible_v<Result, R>,
                              "takt: a request's handler returns its R or takt::Task<R>");
                request.answer.core().value.emplace(this->run(state, request.args));
            }
        } catch (...) {
            request.answer.fail(std::current_exception());
            throw;
        }
        request.answer.give();
        return nullptr;
    }
};

} // namespace takt::detail
