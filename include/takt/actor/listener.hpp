// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. One connection to a signal, and one fire of it, as actors and the frame know them.
// Below: handler, actor_ref. Above: the frame, which calls listeners; signal, which makes both.

#include "takt/actor/actor_ref.hpp"
#include "takt/actor/handler.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace takt::detail {

class SignalCore;

/// Signals that may fire each other, or themselves, in a row.
inline constexpr std::uint32_t kChainMax = 10;

/// One fire, with its arguments; shared by all who are still to hear it.
struct SignalEvent {
    SignalEvent(MailHead& args, const char* signal, const SignalEvent* cause);

    MailHead& mail;           // a TopicMail of the arguments
    std::uint64_t number = 0; // its place among fires and connections; given in the serial phase
    std::uint32_t depth;      // of `chain`, itself included
    std::array<const char*, kChainMax> chain{}; // names of the signals that led to it
    const char* name() const noexcept { return chain[depth - 1]; }
};

/// Throws Error where `signal` would be one too many after `cause`.
void check_chain(const char* signal, const SignalEvent* cause);

/// Comes from the pool of who fires, so that firing in every frame allocates nothing.
template <class T>
struct PoolAllocator {
    using value_type = T;
    PoolAllocator() = default;
    template <class Other>
    PoolAllocator(const PoolAllocator<Other>&) noexcept {}
    T* allocate(std::size_t count) {
        return static_cast<T*>(FramePool::allocate(count * sizeof(T)));
    }
    void deallocate(T* at, std::size_t) noexcept { FramePool::release(at); }
    bool operator==(const PoolAllocator&) const = default;
};

template <class... Args>
struct SignalEventOf : private TopicMail<Args...>, SignalEvent {
    template <class... Given>
    SignalEventOf(const char* signal, const SignalEvent* cause, Given&&... given)
        : TopicMail<Args...>(MailHead{signal, 0, 0}, std::forward<Given>(given)...),
          SignalEvent(static_cast<TopicMail<Args...>&>(*this), signal, cause) {}
};

template <class... Args, class... Given>
std::shared_ptr<SignalEvent> make_event(const char* signal, const SignalEvent* cause,
                                        Given&&... given) {
    check_chain(signal, cause);
    using Event = SignalEventOf<Args...>;
    return std::allocate_shared<Event>(PoolAllocator<Event>(), signal, cause,
                                       std::forward<Given>(given)...);
}

/// A task that awaits a signal: part of its coroutine's frame.
struct SignalWait {
    SignalWait() = default;
    ~SignalWait();
    SignalWait(const SignalWait&) = delete;
    SignalWait& operator=(const SignalWait&) = delete;

    RootTask* task = nullptr;
    std::shared_ptr<struct Listener> listener; // while it waits
    std::shared_ptr<SignalEvent> event;        // what it got; null: the signal is gone
};

/// Belongs to an actor, whose worker has it in the parallel phase, or to nobody; all else of it
/// belongs to the frame thread in the serial phase.
struct Listener : std::enable_shared_from_this<Listener> {
    static constexpr std::uint64_t kOpen = UINT64_MAX;

    bool hears(const SignalEvent& event) const noexcept {
        return is_connected() && since < event.number && event.number < until;
    }
    bool is_connected() const noexcept {
        return connected.load(std::memory_order_relaxed); // relaxed: the phases order it
    }
    bool has_pending() const noexcept { return next_pending < pending.size(); }
    std::shared_ptr<SignalEvent> take_pending() noexcept {
        std::shared_ptr<SignalEvent> first = std::move(pending[next_pending++]);
        if (!has_pending()) {
            drop_pending();
        } else if (next_pending >= 64 && 2 * next_pending >= pending.size()) {
            pending.erase(pending.begin(),
                          pending.begin() + static_cast<std::ptrdiff_t>(next_pending));
            next_pending = 0;
        }
        return first;
    }
    void drop_pending() noexcept {
        pending.clear(); // keeps its memory
        next_pending = 0;
    }

    // connected:   writes: as above   reads: anyone, as a hint
    std::atomic<bool> connected{true};
    Phase phase = Phase::serial;
    bool once = false;
    unsigned runtime = 0;
    ActorRef actor;               // empty: nobody's
    SignalCore* signal = nullptr; // null: it is not there yet, or is gone
    const char* name = "";        // of the signal
    std::unique_ptr<Handler> handler;
    SignalWait* wait = nullptr; // instead of a handler: a task that goes on
    std::uint64_t since =
        kOpen; // it hears fires after this (open: its actor's setup comes first), and
    std::uint64_t until = kOpen; // before this: then its actor, or the signal, went
    /// Fires that its worker has mail for, oldest first.
    std::vector<std::shared_ptr<SignalEvent>, PoolAllocator<std::shared_ptr<SignalEvent>>> pending;
    std::size_t next_pending = 0;
    bool is_in_sweep = false;             // in an EndedListeners, with
    std::shared_ptr<Listener> next_ended; // who comes after it there
};

/// Listeners that the serial phase is to let go, the last one first. Adding never fails.
class EndedListeners {
  public:
    EndedListeners() = default;
    EndedListeners(const EndedListeners&) = delete;
    EndedListeners& operator=(const EndedListeners&) = delete;
    ~EndedListeners() {
        while (!empty())
            pop();
    }

    bool empty() const noexcept { return first_ == nullptr; }
    std::size_t size() const noexcept { return size_; }
    void add(Listener& listener) noexcept {
        if (std::exchange(listener.is_in_sweep, true))
            return;
        listener.next_ended = std::move(first_);
        first_ = listener.shared_from_this();
        ++size_;
    }
    /// There is one.
    std::shared_ptr<Listener> pop() noexcept {
        std::shared_ptr<Listener> one = std::move(first_);
        first_ = std::move(one->next_ended);
        one->is_in_sweep = false;
        --size_;
        return one;
    }

  private:
    std::shared_ptr<Listener> first_;
    std::size_t size_ = 0;
};

/// From outside: as Connection::disconnect().
void disconnect_from_outside(std::shared_ptr<Listener> listener) noexcept;

} // namespace takt::detail
