// SPDX-License-Identifier: MIT
#pragma once
// Test support, explorer. The engine: runs the fibers of one execution on one OS thread, and
// decides at each visible operation who goes on. Neighbours: explorer_choices.hpp (chance),
// explorer_context.hpp (stacks) and explorer_trace.hpp below, explorer_memory.hpp above (what the
// fibers do to memory).

#include "explorer_choices.hpp"
#include "explorer_context.hpp"
#include "explorer_trace.hpp"
#include "takt/base/clock.hpp"

#include <array>
#include <functional>
#include <utility>

namespace explorer {

inline constexpr int kMaxThreads = 7;

/// Vector time: one lane a thread, and one that counts seq_cst operations (explorer_memory.hpp).
using Time = std::int32_t;
using Clock = std::array<Time, kMaxThreads + 1>;
inline constexpr std::size_t kScLane = kMaxThreads;

inline void join(Clock& into, const Clock& other) {
    for (std::size_t i = 0; i < into.size(); ++i)
        into[i] = into[i] < other[i] ? other[i] : into[i];
}

/// What has reached a thread. `hb` is the standard's happens-before and decides races; `view` also
/// holds what seq_cst fences and membarrier bring, and decides how old a value a load may return.
struct Knowledge {
    Clock hb{};
    Clock view{};
    void join(const Knowledge& other) {
        explorer::join(hb, other.hb);
        explorer::join(view, other.view);
    }
};

struct Fiber {
    enum class State { kRunnable, kYielded, kParked, kJoining, kDone };

    void tick() { known.view[lane] = ++known.hb[lane]; }
    Time now() const { return known.hb[lane]; }

    Context context;
    std::function<void()> body;
    std::string name;
    std::size_t lane = 0;
    State state = State::kRunnable;
    bool fresh = true; // has done nothing visible since it was chosen to run
    std::int64_t priority = 0;
    std::uint64_t yielded_at = 0; // progress then
    const void* parked_on = nullptr;
    std::int64_t deadline_ns = takt::kNever;
    const Fiber* joins = nullptr;
    Knowledge known;
    Knowledge acquired; // by relaxed loads, for a later acquire fence
    Knowledge released; // by the last release fence, for later relaxed stores
};

/// Runs one execution at a time. Single OS thread; there is one, `engine`.
///
/// A failing run is left where it stands: its fibers are neither resumed nor unwound (noexcept code
/// could not be), and their stacks and bodies are kept for ever. Failing runs are few.
class Engine {
  public:
    // One run, in this order: begin, the scenario adds threads and finally, run, end.
    void begin(const Scope& scope, Mode mode, std::uint64_t seed, std::uint64_t pct_length,
               bool tracing);
    std::size_t add_thread(std::string_view name, std::function<void()> body);
    void finally(std::function<void()> invariant) { invariant_ = std::move(invariant); }
    void run();
    void end();
    const std::string& error() const { return error_; }
    std::uint64_t steps() const { return now_.steps; }

    /// True for a thread of the model. False in setup, in the final invariant and between runs:
    /// memory is plain then.
    bool live() const { return current_ != nullptr && current_->lane < kMaxThreads; }
    Fiber& current() { return *current_; }
    const std::string& name_of(std::size_t lane) const { return fibers_[lane]->name; }
    template <class Visit>
    void for_each_thread(Visit visit) {
        for (std::size_t i = 0; i < now_.threads; ++i)
            visit(*fibers_[i]);
    }

    // What the running thread does.
    void point(); // comes before each visible operation
    void yield();
    void park(const void* word, std::int64_t deadline_ns);
    void unpark_all(const void* word);
    void join_thread(std::size_t thread);
    std::int64_t now_ns() { return advance_clock(now_.clock_ns + scope_.tick_ns); }
    void fail(std::string what); // returns only where no fiber runs
    void note(std::string_view what) {
        if (trace.on() && current_ != nullptr)
            trace.line(now_.steps, current_->name, what);
    }

    // For the memory model.
    std::uint64_t epoch() const { return epoch_; } // which run this is
    int next_location() { return ++now_.locations; }
    Clock& sc_view() { return now_.sc_view; }
    Time& sc_time() { return now_.sc_time; }

    Choices choices;
    Trace trace;

  private:
    struct Now { // all that a run begins with anew
        std::uint64_t steps = 0;
        std::uint64_t progress = 0; // steps that were no yield
        std::size_t threads = 0;
        int preemptions = 0;
        int early_returns = 0;
        int idle_rounds = 0;
        int locations = 0;
        std::int64_t lowest_priority = 0;
        std::int64_t clock_ns = 1'000'000'000;
        Clock sc_view{};  // what had reached the seq_cst fences so far
        Time sc_time = 0; // how many seq_cst operations there were
    };
    static constexpr int kEarlyReturns = 2; // a yielding thread comes back before all had a turn
    static constexpr int kIdleRounds = 4;   // all that can run only yield: a deadline passes

    Fiber& add_fiber(std::size_t lane, std::string_view name, std::function<void()> body);
    static void entry();
    void finish(Fiber& me);
    void leave_for_ever();
    void count_step();
    void hand_over(Fiber* staying);
    Fiber* next_thread(Fiber* staying);
    void collect(Fiber::State state, Fiber* first);
    Fiber* pick(Fiber* staying, std::size_t free);
    Fiber* pick_bounded(Fiber* staying, std::size_t free);
    void release_yielding();
    bool wake_by_clock();
    std::int64_t advance_clock(std::int64_t to);
    std::string who_waits() const;

    Scope scope_;
    Now now_;
    std::uint64_t epoch_ = 0;
    bool failed_ = false;
    std::string error_;
    Context main_;
    Fiber* current_ = nullptr;
    std::array<std::unique_ptr<Fiber>, kMaxThreads + 1> fibers_; // the last one: the invariant
    std::function<void()> invariant_;
    std::vector<Fiber*> candidates_;
    std::vector<std::unique_ptr<Fiber>> abandoned_;
    std::vector<std::function<void()>> abandoned_invariants_;
};

// Never destroyed: what failing runs left behind stays reachable until the process ends.
inline Engine& engine = *new Engine;

// ---- one run

inline void Engine::begin(const Scope& scope, Mode mode, std::uint64_t seed,
                          std::uint64_t pct_length, bool tracing) {
    scope_ = scope;
    now_ = {};
    now_.preemptions = scope.preemptions;
    now_.early_returns = kEarlyReturns;
    ++epoch_;
    failed_ = false;
    error_.clear();
    choices.begin(scope, mode, seed, pct_length);
    trace.begin(tracing);
}

inline Fiber& Engine::add_fiber(std::size_t lane, std::string_view name,
                                std::function<void()> body) {
    auto& fiber = fibers_[lane];
    if (!fiber)
        fiber = std::make_unique<Fiber>();
    fiber->body = std::move(body);
    fiber->name = name;
    fiber->lane = lane;
    fiber->state = Fiber::State::kRunnable;
    fiber->fresh = true;
    fiber->priority = choices.priority();
    fiber->known = fiber->acquired = fiber->released = {};
    fiber->context.start(&Engine::entry);
    return *fiber;
}

inline std::size_t Engine::add_thread(std::string_view name, std::function<void()> body) {
    if (now_.threads == kMaxThreads) {
        fail("a scenario has " + std::to_string(kMaxThreads) + " threads at most");
        return kMaxThreads;
    }
    Fiber& fiber = add_fiber(now_.threads, name, std::move(body));
    if (live()) // what the parent did so far happens before all that the child does
        fiber.known = current_->known;
    if (trace.on())
        note("starts " + fiber.name);
    return now_.threads++;
}

inline void Engine::run() {
    if (now_.threads > 0 && !failed_) {
        current_ = next_thread(nullptr);
        Context::swap(main_, current_->context);
    }
    if (invariant_ && !failed_) {
        current_ = &add_fiber(kMaxThreads, "finally", std::move(invariant_));
        Context::swap(main_, current_->context);
    }
    current_ = nullptr;
    for (const auto& fiber : fibers_)
        if (fiber && !fiber->context.intact())
            fail("thread " + fiber->name + " has overrun its stack");
}

inline void Engine::end() {
    for (auto& fiber : fibers_) {
        if (fiber && failed_)
            abandoned_.push_back(std::move(fiber));
        else if (fiber)
            fiber->body = nullptr;
    }
    if (failed_)
        abandoned_invariants_.push_back(std::move(invariant_));
    invariant_ = nullptr;
}

inline void Engine::entry() {
    Context::landed();
    Fiber& me = *engine.current_;
    try {
        me.body();
    } catch (...) {
        engine.fail("an exception left thread " + me.name);
    }
    engine.finish(me);
}

inline void Engine::finish(Fiber& me) {
    me.state = Fiber::State::kDone;
    if (!live())
        leave_for_ever();
    note("ends");
    for_each_thread([&](Fiber& other) {
        if (other.state == Fiber::State::kJoining && other.joins == &me)
            other.state = Fiber::State::kRunnable;
    });
    hand_over(nullptr);
}

inline void Engine::fail(std::string what) {
    if (!failed_)
        error_ = std::move(what);
    failed_ = true;
    note("FAILS: " + error_);
    if (current_ != nullptr)
        leave_for_ever();
}

// ---- scheduling

inline void Engine::count_step() {
    if (++now_.steps > scope_.max_steps)
        fail("livelock: no end after " + std::to_string(scope_.max_steps) + " steps");
    if (choices.demotes_at(now_.steps))
        current_->priority = --now_.lowest_priority;
}

// A thread that was only just chosen goes on: it has done nothing that others could see, so asking
// again would only repeat runs.
inline void Engine::point() {
    count_step();
    if (!current_->fresh)
        hand_over(current_);
    current_->fresh = false;
    ++now_.progress;
}

inline void Engine::yield() {
    current_->state = Fiber::State::kYielded;
    current_->yielded_at = now_.progress;
    current_->priority = --now_.lowest_priority;
    count_step();
    hand_over(nullptr);
}

// `staying` is the running thread if it could go on.
inline void Engine::hand_over(Fiber* staying) {
    Fiber* const me = current_;
    me->fresh = staying == nullptr;
    Fiber* const next = next_thread(staying);
    if (next == nullptr)
        leave_for_ever(); // all have ended
    next->state = Fiber::State::kRunnable;
    if (next == me)
        return;
    current_ = next;
    Context::swap(me->context, next->context, me->state == Fiber::State::kDone);
}

inline void Engine::leave_for_ever() {
    Context::swap(current_->context, main_, current_->state == Fiber::State::kDone);
}

// Threads that yielded wait until all others have ended, block or have yielded too: a spinning
// thread cannot starve the one that it waits for. A few times in a run one of them returns earlier,
// once somebody has done a step.
inline Fiber* Engine::next_thread(Fiber* staying) {
    candidates_.clear();
    collect(Fiber::State::kRunnable, staying);
    if (candidates_.empty()) {
        release_yielding();
        collect(Fiber::State::kRunnable, nullptr);
    }
    const std::size_t free = candidates_.size();
    if (free > 0)
        return pick(staying, free);
    if (wake_by_clock())
        return next_thread(nullptr);
    for (std::size_t i = 0; i < now_.threads; ++i)
        if (fibers_[i]->state != Fiber::State::kDone)
            fail("deadlock: every live thread waits (a lost wake-up?): " + who_waits());
    return nullptr;
}

// Appends the threads in `state` to the candidates, `first` before the others; of those that
// yielded only the ones since whose yield somebody has done a step.
inline void Engine::collect(Fiber::State state, Fiber* first) {
    if (first != nullptr)
        candidates_.push_back(first);
    for_each_thread([&](Fiber& fiber) {
        const bool ripe = state != Fiber::State::kYielded || fiber.yielded_at < now_.progress;
        if (fiber.state == state && &fiber != first && ripe)
            candidates_.push_back(&fiber);
    });
}

inline Fiber* Engine::pick(Fiber* staying, std::size_t free) {
    if (choices.mode() == Mode::kDfs)
        return pick_bounded(staying, free);
    collect(Fiber::State::kYielded, nullptr);
    if (choices.mode() == Mode::kRandom)
        return candidates_[choices.among(static_cast<std::uint32_t>(candidates_.size()))];
    return *std::max_element(candidates_.begin(), candidates_.end(),
                             [](Fiber* a, Fiber* b) { return a->priority < b->priority; });
}

inline Fiber* Engine::pick_bounded(Fiber* staying, std::size_t free) {
    if (now_.preemptions == 0 && staying != nullptr)
        return staying;
    if (now_.preemptions > 0 && now_.early_returns > 0)
        collect(Fiber::State::kYielded, nullptr);
    const std::size_t chosen = choices.among(static_cast<std::uint32_t>(candidates_.size()));
    const bool early = chosen >= free;
    now_.early_returns -= early;
    now_.preemptions -= early || (staying != nullptr && chosen > 0);
    return candidates_[chosen];
}

// All that could run have yielded: they go round again, the last one behind the others.
inline void Engine::release_yielding() {
    int yielding = 0;
    for_each_thread([&](Fiber& fiber) { yielding += fiber.state == Fiber::State::kYielded; });
    for_each_thread([&](Fiber& fiber) {
        if (fiber.state == Fiber::State::kYielded && (yielding == 1 || &fiber != current_))
            fiber.state = Fiber::State::kRunnable;
    });
    if (yielding > 0 && ++now_.idle_rounds % kIdleRounds == 0)
        wake_by_clock();
}

// ---- waiting

inline void Engine::park(const void* word, std::int64_t deadline_ns) {
    if (deadline_ns <= now_.clock_ns || choices.spurious())
        return note("returns from park at once");
    if (deadline_ns != takt::kNever && choices.early_timeout()) {
        advance_clock(deadline_ns);
        return note("returns from park: the deadline passes");
    }
    current_->state = Fiber::State::kParked;
    current_->parked_on = word;
    current_->deadline_ns = deadline_ns;
    hand_over(nullptr);
    note("returns from park");
}

inline void Engine::unpark_all(const void* word) {
    for_each_thread([&](Fiber& fiber) {
        if (fiber.state == Fiber::State::kParked && fiber.parked_on == word)
            fiber.state = Fiber::State::kRunnable;
    });
}

// Time passes until the first deadline.
inline bool Engine::wake_by_clock() {
    std::int64_t first = takt::kNever;
    for_each_thread([&](Fiber& fiber) {
        if (fiber.state == Fiber::State::kParked)
            first = std::min(first, fiber.deadline_ns);
    });
    if (first != takt::kNever)
        advance_clock(std::max(now_.clock_ns, first));
    return first != takt::kNever;
}

inline std::int64_t Engine::advance_clock(std::int64_t to) {
    for_each_thread([&](Fiber& fiber) {
        if (fiber.state == Fiber::State::kParked && fiber.deadline_ns <= to)
            fiber.state = Fiber::State::kRunnable;
    });
    return now_.clock_ns = to;
}

inline void Engine::join_thread(std::size_t thread) {
    point();
    if (thread >= now_.threads)
        fail("join of a thread that was never started");
    Fiber& target = *fibers_[thread];
    if (target.state != Fiber::State::kDone) {
        current_->state = Fiber::State::kJoining;
        current_->joins = &target;
        hand_over(nullptr);
    }
    current_->known.join(target.known);
    if (trace.on())
        note("has joined " + target.name);
}

inline std::string Engine::who_waits() const {
    std::string text;
    for (std::size_t i = 0; i < now_.threads; ++i) {
        const Fiber& fiber = *fibers_[i];
        if (fiber.state == Fiber::State::kDone)
            continue;
        const bool joins = fiber.state == Fiber::State::kJoining;
        const std::string what = joins ? fiber.joins->name : trace.name_of(fiber.parked_on);
        text += (text.empty() ? "" : ", ") + fiber.name + (joins ? " joins " : " is parked on ") +
                (what.empty() ? "a word" : what);
    }
    return text;
}

} // namespace explorer
