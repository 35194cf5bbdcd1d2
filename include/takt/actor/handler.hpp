// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. What an actor does with a message: its handlers, by topic. Below: mail, task.
// Above: actor (which has a table of them), behaviour (which shares one).

#include "takt/actor/mail.hpp"
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
    /// The parallel handler where it is the only handler, and connected; else null.
    Handler* only = nullptr;
};

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

/// A callable as the handler of a topic with these Args. State: void, or what the callable takes as
/// its first argument.
template <Phase kPhase, class State, class F, class... Args>
class HandlerOf final : public Handler {
    static constexpr bool kMoves = !(std::is_copy_constructible_v<Args> && ...);
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
    explicit HandlerOf(F function) : function_(std::move(function)) {}

    TaskHandle call(void* state, MailHead& mail) override {
        return open(state, static_cast<TopicMail<Args...>&>(mail).args);
    }

  private:
    TaskHandle open(void* state, std::tuple<Args...>& args) {
        return std::apply(
            [&](Args&... each) -> TaskHandle {
                using Result = decltype(run(state, static_cast<Passed<Args>>(each)...));
                if constexpr (is_task<Result>) {
                    static_assert(std::is_same_v<Result, Task<>>,
                                  "takt: a handler returns void or takt::Task<>");
                    static_assert(check_coroutine_parameters<F>());
                    return run(state, static_cast<Passed<Args>>(each)...).release();
                } else {
                    static_assert(std::is_void_v<Result>,
                                  "takt: a handler returns void or takt::Task<>");
                    run(state, static_cast<Passed<Args>>(each)...);
                    return nullptr;
                }
            },
            args);
    }
    template <class... All>
    decltype(auto) run([[maybe_unused]] void* state, All&&... all) {
        if constexpr (std::is_void_v<State>)
            return call_with_token(function_, token_of<kPhase>(), std::forward<All>(all)...);
        else
            return call_with_state(function_, token_of<kPhase>(), *static_cast<State*>(state),
                                   std::forward<All>(all)...);
    }

    F function_;
};

} // namespace takt::detail
