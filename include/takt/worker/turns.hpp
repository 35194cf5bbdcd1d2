// SPDX-License-Identifier: MIT
#pragma once
// Layer 2, worker. What the threads of a crew do between their start and their end: they take the
// turns that worker 0 hands out. No thread is created here, so the explorer can run it whole.
// Below: barrier. Above: workers, which adds the threads.

#include "takt/worker/barrier.hpp"

#include <exception>
#include <memory>
#include <vector>

namespace takt {

/// Something that every worker that takes part runs once; not owning.
struct Turn {
    void (*call)(void* context, int worker) = nullptr;
    void* context = nullptr;

    /// The turn that calls `function(worker)`; `function` must outlive it.
    template <class F>
    static Turn of(F& function) noexcept {
        void* const context = const_cast<void*>(static_cast<const void*>(std::addressof(function)));
        return {[](void* self, int worker) { (*static_cast<F*>(self))(worker); }, context};
    }
};

/// The protocol of a crew: hand out a turn, take part in it, meet again, stop.
///
/// | operation  | who                     | progress                                   |
/// |------------|-------------------------|--------------------------------------------|
/// | run        | worker 0                | blocks until the turn is over everywhere   |
/// | begin      | worker 0, between turns | wait-free: the others take a turn          |
/// | end        | worker 0, after begin   | blocks until the others are done with it   |
/// | set_active | worker 0, between turns | wait-free                                  |
/// | stop       | worker 0, between turns | wait-free; every serve() then returns      |
/// | serve      | workers 1 .. n - 1      | runs turns until stop()                    |
///
/// W1  A turn is over on every worker when run() returns; what any of them wrote is then visible.
/// W2  An exception that leaves a turn ends that turn of that worker alone. run() throws the one of
///     the worker with the smallest index, after all are done.
/// W3  stop() reaches workers that do not take part, too.
template <class P>
class Turns {
  public:
    explicit Turns(const BarrierShape& shape, const Waiting& waiting)
        : barrier_(shape, waiting), failures_(static_cast<std::size_t>(shape.workers())) {}

    BarrierMember<P> member(int worker) noexcept { return barrier_.member(worker); }
    /// The life of worker `worker` >= 1 on its own thread.
    void serve(int worker, BarrierMember<P> member) noexcept;

    /// `due_ns`: when the next run is expected, see FrameBarrier::release.
    void run(Turn turn, std::int64_t due_ns = kNever);
    void begin(Turn turn) noexcept;
    void end();
    void set_active(int active) noexcept { barrier_.set_active(active); }
    int active() const noexcept { return barrier_.active(); }
    int workers() const noexcept { return barrier_.workers(); }
    void stop() noexcept;

  private:
    bool take(Turn turn, int worker) noexcept;
    void rethrow_first();

    FrameBarrier<P> barrier_;
    // turn_: handed over by edge event of the release lines; a turn without a call means: stop.
    typename P::template Plain<Turn> turn_;
    // failures_[w]: written by worker w in its turn, read by worker 0 after it (edge event).
    std::vector<typename P::template Plain<std::exception_ptr>> failures_;
};

template <class P>
void Turns<P>::serve(int worker, BarrierMember<P> member) noexcept {
    for (;;) {
        member.await_release();
        const Turn turn = turn_.get();
        if (turn.call == nullptr)
            return;
        member.arrive(take(turn, worker));
    }
}

template <class P>
void Turns<P>::run(Turn turn, std::int64_t due_ns) {
    turn_.set(turn);
    barrier_.release(due_ns);
    const bool failed_here = take(turn, 0);
    if (barrier_.gather() || failed_here) [[unlikely]]
        rethrow_first();
}

template <class P>
void Turns<P>::begin(Turn turn) noexcept {
    turn_.set(turn);
    barrier_.release();
}

template <class P>
void Turns<P>::end() {
    if (barrier_.gather()) [[unlikely]]
        rethrow_first();
}

template <class P>
void Turns<P>::stop() noexcept {
    barrier_.set_active(barrier_.workers()); // W3
    turn_.set(Turn{});
    barrier_.release();
}

template <class P>
bool Turns<P>::take(Turn turn, int worker) noexcept {
    try {
        turn.call(turn.context, worker);
        return false;
    } catch (...) {
        failures_[static_cast<std::size_t>(worker)].set(std::current_exception()); // W2
        return true;
    }
}

template <class P>
void Turns<P>::rethrow_first() {
    std::exception_ptr first;
    for (auto& failure : failures_) {
        if (!first)
            first = failure.get();
        failure.set(nullptr);
    }
    std::rethrow_exception(first);
}

} // namespace takt
