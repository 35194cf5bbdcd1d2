// SPDX-License-Identifier: MIT
#pragma once
// Layer 8, signal. Signals with types: connecting, waiting, firing. Below: frame (SignalCore). Above:
// runtime, which has one for each stage of a frame.

#include "takt/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace takt {

/// What firing in the serial phase does. In the parallel phase it is always a commit. Either way
/// parallel listeners are called in the next parallel phase.
enum class Firing : std::uint8_t {
    immediate, ///< serial listeners are called at once, also within a listener
    deferred,  ///< all calls go through the next round
};

/// A signal's name: a literal, which lives as long as the program.
struct SignalName {
    template <std::size_t N>
    constexpr SignalName(const char (&given)[N]) noexcept : text(given) {}
    const char* text;
};

namespace detail {

template <Phase kPhase, class F, class... Args>
constexpr bool check_listener() {
    constexpr bool wants_token = std::is_invocable_v<F&, Parallel, const Args&...>;
    static_assert(
        kPhase == Phase::serial || !wants_token,
        "takt: a parallel listener gets no takt::Parallel: what is pending when its actor "
        "goes is called in the serial phase; a coroutine can co_await desynchronize()");
    static_assert(std::is_invocable_v<F&, const Args&...> || wants_token ||
                      (kPhase == Phase::serial && std::is_invocable_v<F&, Serial, const Args&...>),
                  "takt: the listener's parameters do not fit the signal's arguments (one of the "
                  "serial phase may take takt::Serial first)");
    return true;
}

/// Suspends a task until the next fire.
template <class... Args>
class SignalAwait : public HostAwaiter<SignalAwait<Args...>>, SignalWait {
  public:
    explicit SignalAwait(std::shared_ptr<SignalCore> core) noexcept
        : core_(std::move(core)), name_(core_->name()) {}
    bool await_ready() const noexcept { return false; }
    void hand_over(RootTask& root) {
        const auto core = std::exchange(core_, nullptr); // who waits does not keep the signal
        core->wait(*this, root);
    }
    auto await_resume() {
        listener = nullptr;
        if (event == nullptr)
            throw Error("signal", name_, "it was destroyed while a task waited for it",
                        "Let it live longer than the task, or catch this");
        auto& args = static_cast<TopicMail<Args...>&>(event->mail).args;
        if constexpr (sizeof...(Args) == 1)
            return std::tuple_element_t<0, std::tuple<Args...>>(std::get<0>(args));
        else if constexpr (sizeof...(Args) > 1)
            return std::tuple<Args...>(args);
    }

  private:
    std::shared_ptr<SignalCore> core_;
    const char* name_;
};

} // namespace detail

/// The listening end of a signal. Listeners belong to the actor whose code connects them: they run in
/// its name, in the parallel phase on its worker, and go with it. One that throws fails its actor as a
/// handler does (where the policy is stop, the actor's connections end), and stops nobody else's.
///
/// connect() and its siblings: in a phase only, else PhaseError. A connection hears what is fired after
/// it was made: in a setup after that has finished, in the parallel phase after its place in commit
/// order. Wait-free there, but for memory; Error when the runtime has ended, std::bad_alloc.
template <class... Args>
class SignalSource {
    static_assert((detail::check_travels<Args>() && ...));
    static_assert(
        (std::is_copy_constructible_v<Args> && ...),
        "takt: a signal's arguments are seen by all its listeners: they must be copyable");

  public:
    explicit SignalSource(std::shared_ptr<detail::SignalCore> core) noexcept
        : core_(std::move(core)) {}

    /// `listener([Serial], args...)` in the serial phase: a function or a coroutine, as a handler.
    /// Outside actors it belongs to nobody.
    template <class F>
    Connection connect(F&& listener) {
        return add<Phase::serial>(false, std::forward<F>(listener));
    }
    /// `listener(args...)` in the parallel phase; from an actor's code only. Calls that are pending
    /// when its actor goes run in the serial phase: so it gets no takt::Parallel.
    template <class F>
    Connection connect_parallel(F&& listener) {
        return add<Phase::parallel>(false, std::forward<F>(listener));
    }
    /// Disconnected before its one call.
    template <class F>
    Connection once(F&& listener) {
        return add<Phase::serial>(true, std::forward<F>(listener));
    }
    template <class F>
    Connection once_parallel(F&& listener) {
        return add<Phase::parallel>(true, std::forward<F>(listener));
    }
    /// Goes on with the next fire, in the caller's phase, and gives its arguments: nothing, the one,
    /// or a tuple. Throws Error when the signal is destroyed, or another runtime's. As all that an
    /// actor's tasks wait for, it ends with the actor, also where a fire is pending.
    [[nodiscard]] auto wait() { return detail::SignalAwait<Args...>(core_); }

    const char* name() const noexcept { return core_->name(); }

  protected:
    template <Phase kPhase, class F>
    Connection add(bool once, F&& listener) {
        static_assert(detail::check_listener<kPhase, std::decay_t<F>, Args...>());
        using Made = detail::HandlerOf<kPhase, void, std::decay_t<F>, Args...>;
        return core_->connect(kPhase, once, std::make_unique<Made>(std::forward<F>(listener)));
    }

    std::shared_ptr<detail::SignalCore> core_;
};

/// Fires a signal, from any thread. May be copied, sent and kept: once the signal is gone, fires are
/// answered `dead`, or find nobody.
template <class... Args>
class SignalRef {
  public:
    SignalRef(unsigned runtime, std::uint64_t id, const char* name) noexcept
        : id_(id), name_(name), runtime_(runtime) {}

    /// In the serial phase as the signal's Firing says; in the parallel phase in this round's serial
    /// phase, in commit order, unless the actor that fires has gone by then; from outside in the next
    /// round, as if deferred. A signal that listeners fire, within ten of which each led to the next,
    /// throws Error, which names them. In the parallel phase wait-free, from outside lock-free, but for
    /// memory.
    template <class... Given>
    SendResult fire(Given&&... args) const {
        static_assert(std::is_constructible_v<std::tuple<Args...>, Given&&...>,
                      "takt: the arguments do not fit the signal's types");
        detail::ActorContext* const here = detail::context_in(runtime_);
        auto event = detail::make_event<Args...>(name_, here == nullptr ? nullptr : here->event,
                                                 std::forward<Given>(args)...);
        return here != nullptr ? here->host->fire(id_, std::move(event))
                               : detail::fire_from_outside(runtime_, id_, std::move(event));
    }

  private:
    std::uint64_t id_;
    const char* name_;
    unsigned runtime_;
};

/// An event that any number of listeners hear, in connect order.
///
///     takt::Signal<int> hit{runtime, "hit"};
///     hit.connect([](int damage) { ... });
///     hit.fire(3);
///
/// Made in the serial phase, else PhaseError. When it is destroyed, by any thread, also while it fires,
/// its listeners go after the calls that are pending; then tasks that wait for it get their Error.
template <class... Args>
class Signal : public SignalSource<Args...> {
  public:
    Signal(World world, SignalName name, Firing firing = Firing::immediate)
        : SignalSource<Args...>(world.make_signal(name.text, firing == Firing::deferred)) {}
    ~Signal() { this->core_->close(); }
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;

    /// As SignalRef::fire.
    template <class... Given>
    SendResult fire(Given&&... args) const {
        return ref().fire(std::forward<Given>(args)...);
    }
    SignalRef<Args...> ref() const noexcept {
        return {this->core_->runtime(), this->core_->id(), this->core_->name()};
    }
};

} // namespace takt
