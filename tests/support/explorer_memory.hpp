// SPDX-License-Identifier: MIT
#pragma once
// Test support, explorer. Memory as the C++20 standard allows it to behave: atomics that keep their
// past values, fences, and plain variables that notice a race. Neighbours: explorer_engine.hpp
// below (who runs), explorer.hpp above (what tests include).
//
// Each location holds its stores in modification order. A load may return any of them from a floor
// on: the newest store that the thread's view includes, or that somebody in its view has read. A
// store may land behind newer ones, down to the same floor, but never between a read-modify-write
// and the store it read. That is coherence; everything weaker than the newest value is a choice of
// the engine.
//
// seq_cst. The total order S is the order of execution. Lane kScLane of a view counts seq_cst
// operations, and the stores that such an operation touched carry its number:
//   a seq_cst operation does not go behind what an earlier seq_cst operation touched there, nor
//     behind what had reached an earlier seq_cst fence;
//   a seq_cst fence takes in all that had reached earlier fences, and the numbers so far.
// The thread's happens-before clock gains nothing from either.

#include "explorer_engine.hpp"

#include <atomic>
#include <limits>
#include <type_traits>

namespace explorer {

using Word = std::uint64_t;

constexpr bool acquires(std::memory_order order) {
    return order == std::memory_order_acquire || order == std::memory_order_acq_rel ||
           order == std::memory_order_seq_cst || order == std::memory_order_consume;
}
constexpr bool releases(std::memory_order order) {
    return order == std::memory_order_release || order == std::memory_order_acq_rel ||
           order == std::memory_order_seq_cst;
}
constexpr const char* name_of(std::memory_order order) {
    constexpr std::array names{"relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst"};
    return names[static_cast<std::size_t>(order)];
}
constexpr std::memory_order failure_order(std::memory_order success) {
    if (success == std::memory_order_acq_rel)
        return std::memory_order_acquire;
    return success == std::memory_order_release ? std::memory_order_relaxed : success;
}

/// What the trace shows of a variable.
struct Identity {
    const void* address = nullptr;
    bool pointer = false;
    bool is_signed = false;
};

/// Checks that accesses of a plain object are ordered by happens-before (vector clocks).
class RaceCheck {
  public:
    void read(const void* object) {
        Fiber& me = step(object, "read");
        read_[me.lane] = me.now();
    }
    void write(const void* object, const char* what = "write") {
        Fiber& me = step(object, what);
        for (std::size_t lane = 0; lane < read_.size(); ++lane)
            if (read_[lane] > me.known.hb[lane])
                report(object, what, "an unordered read", lane);
        writer_ = me.lane;
        written_ = me.now();
    }
    void reset() { *this = RaceCheck{}; }

  private:
    Fiber& step(const void* object, const char* what) {
        Fiber& me = engine.current();
        me.tick();
        if (written_ > me.known.hb[writer_])
            report(object, what, "an unordered write", writer_);
        return me;
    }
    static void report(const void* object, const char* what, const char* other, std::size_t lane) {
        const std::string name = engine.trace.name_of(object);
        engine.fail("data race" + (name.empty() ? "" : " on " + name) + ": " + what + " by " +
                    engine.current().name + " and " + other + " by " + engine.name_of(lane));
    }
    Clock read_{};
    std::size_t writer_ = 0;
    Time written_ = 0;
};

// What a seq_cst fence adds to an acquire and a release fence, and all that a system call brings:
// it takes in what had reached earlier barriers, and the numbers so far.
inline void full_barrier(Fiber& fiber) {
    fiber.known.view[kScLane] = engine.sc_time();
    join(fiber.known.view, engine.sc_view());
    engine.sc_view() = fiber.known.view;
}

/// One atomic variable, whatever its type: values are words.
class Location {
  public:
    void create(Word value, Identity identity) {
        identity_ = identity;
        epoch_ = engine.epoch();
        number_ = engine.next_location();
        order_.clear();
        order_.push_back(Store{value});
        touched_ = {};
        born_by_ = 0;
        born_ = 0;
        if (!engine.live())
            return;
        Fiber& me = engine.current();
        me.tick();
        born_by_ = me.lane;
        born_ = order_[0].touched[me.lane] = me.now();
    }

    /// The last moment of the variable: nobody may still be at it.
    void destroy() {
        if (!engine.live() || epoch_ != engine.epoch())
            return;
        for (std::size_t lane = 0; lane < touched_.size(); ++lane)
            if (touched_[lane] > engine.current().known.hb[lane])
                engine.fail(label() + " is destroyed while " + engine.name_of(lane) +
                            " may still use it");
    }

    Word load(std::memory_order order) {
        if (!engine.live())
            return order_.back().value;
        Fiber& me = enter(order);
        const std::size_t at = choose(me, order, [](std::size_t) { return true; });
        read(me, at, order);
        if (engine.trace.on())
            trace(me, "load", order, " -> " + text(order_[at].value) + age(at));
        return order_[at].value;
    }

    void store(Word value, std::memory_order order) {
        if (!engine.live())
            return set_directly(value);
        Fiber& me = enter(order);
        const std::size_t behind = choose(me, order, [&](std::size_t i) { return has_gap(i); });
        write(me, behind, value, order, false);
        if (engine.trace.on())
            trace(me, "store", order, " = " + text(value) + age(behind + 1));
    }

    template <class Change>
    Word modify(const char* what, std::memory_order order, Change change) {
        if (!engine.live()) {
            const Word old = order_.back().value;
            set_directly(change(old));
            return old;
        }
        Fiber& me = enter(order);
        const std::size_t at = choose(me, order, [&](std::size_t i) { return has_gap(i); });
        return replace(me, at, change(order_[at].value), what, order);
    }

    /// Puts what it found into `expected` when it fails.
    bool compare_exchange(Word& expected, Word desired, bool weak, std::memory_order success,
                          std::memory_order failure) {
        if (!engine.live()) {
            const Word old = std::exchange(expected, order_.back().value);
            if (old == expected)
                set_directly(desired);
            return old == expected;
        }
        Fiber& me = enter(success);
        const std::size_t at = choose(
            me, success, [&](std::size_t i) { return order_[i].value != expected || has_gap(i); });
        if (order_[at].value == expected && !(weak && engine.choices.spurious())) {
            replace(me, at, desired, "compare_exchange", success);
            return true;
        }
        read(me, at, failure);
        if (engine.trace.on())
            trace(me,
                  order_[at].value == expected ? "spurious compare_exchange"
                                               : "failed compare_exchange",
                  failure, " -> " + text(order_[at].value) + age(at));
        expected = order_[at].value;
        return false;
    }

    /// As futex reads it before a thread sleeps: behind a full barrier of the caller. A store whose
    /// writer has gone through no barrier since may still be on its way. Only coherence remembers
    /// it.
    Word look() {
        Fiber& me = enter(std::memory_order_relaxed);
        full_barrier(me);
        const std::size_t at =
            choose(me, std::memory_order_relaxed, [](std::size_t) { return true; });
        touch(order_[at], me);
        return order_[at].value;
    }

    std::string label() const {
        const std::string name = engine.trace.name_of(identity_.address);
        return name.empty() ? "atomic#" + std::to_string(number_) : name;
    }

  private:
    static constexpr Time kNotYet = std::numeric_limits<Time>::max();

    struct Store {
        Word value;
        // When each thread first read or wrote this store; in kScLane the number of the first
        // seq_cst operation that did.
        Clock touched = all(kNotYet);
        Knowledge released{};  // what an acquire load of it learns
        bool modified = false; // written by a read-modify-write of the store before it
        static constexpr Clock all(Time time) {
            Clock clock{};
            for (Time& lane : clock)
                lane = time;
            return clock;
        }
    };

    void set_directly(Word value) {
        order_.resize(1, Store{value});
        order_[0] = Store{value};
    }

    Fiber& enter(std::memory_order order) {
        engine.point();
        Fiber& me = engine.current();
        if (epoch_ != engine.epoch()) // outlived a run
            create_again();
        if (born_ > me.known.hb[born_by_])
            engine.fail("data race: " + me.name + " uses " + label() + " and its construction by " +
                        engine.name_of(born_by_) + " is not ordered before");
        me.tick();
        touched_[me.lane] = me.now();
        if (order == std::memory_order_seq_cst)
            ++engine.sc_time();
        return me;
    }

    void create_again() {
        const Word value = order_.back().value;
        create(value, identity_);
        order_[0].touched = Store::all(kNotYet);
        born_ = 0;
    }

    // The oldest store that coherence and the view of `me` allow.
    std::size_t floor(const Fiber& me, std::memory_order order) const {
        Clock view = me.known.view;
        if (order == std::memory_order_seq_cst) {
            join(view, engine.sc_view());
            view[kScLane] = engine.sc_time();
        }
        std::size_t i = order_.size() - 1;
        while (i > 0 && !reaches(view, order_[i].touched))
            --i;
        return i;
    }
    static bool reaches(const Clock& view, const Clock& touched) {
        bool any = false;
        for (std::size_t lane = 0; lane < view.size(); ++lane)
            any |= touched[lane] <= view[lane];
        return any;
    }

    // One of the stores from the floor on that fit; by default the newest, which always does.
    template <class Fits>
    std::size_t choose(const Fiber& me, std::memory_order order, Fits fits) const {
        const std::size_t newest = order_.size() - 1;
        if (newest == 0 || !engine.choices.weak_effects_left())
            return newest;
        std::array<std::size_t, 16> fit{};
        std::uint32_t count = 0;
        const std::size_t oldest = floor(me, order);
        for (std::size_t i = order_.size(); i-- > oldest && count < fit.size();)
            if (fits(i))
                fit[count++] = i;
        return fit[engine.choices.weak_effect(count)];
    }

    // A new store can come right behind store i.
    bool has_gap(std::size_t i) const { return i + 1 == order_.size() || !order_[i + 1].modified; }

    static void touch(Store& store, const Fiber& me) {
        store.touched[me.lane] = std::min(store.touched[me.lane], me.now());
    }
    static void touch(Store& store, const Fiber& me, std::memory_order order) {
        touch(store, me);
        if (order == std::memory_order_seq_cst)
            store.touched[kScLane] = std::min(store.touched[kScLane], engine.sc_time());
    }

    void read(Fiber& me, std::size_t at, std::memory_order order) {
        touch(order_[at], me, order);
        (acquires(order) ? me.known : me.acquired).join(order_[at].released);
    }

    void write(Fiber& me, std::size_t behind, Word value, std::memory_order order, bool modified) {
        Store store{value};
        touch(store, me, order);
        store.released = releases(order) ? me.known : me.released;
        store.modified = modified;
        if (modified) // goes on the release sequence that it read from
            store.released.join(order_[behind].released);
        order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(behind) + 1, store);
    }

    Word replace(Fiber& me, std::size_t at, Word value, const char* what, std::memory_order order) {
        const Word old = order_[at].value;
        read(me, at, order);
        write(me, at, value, order, true);
        if (engine.trace.on())
            trace(me, what, order, " " + text(old) + " => " + text(value) + age(at + 1));
        return old;
    }

    void trace(const Fiber&, const char* what, std::memory_order order,
               const std::string& rest) const {
        engine.note(label() + "." + what + "(" + explorer::name_of(order) + ")" + rest);
    }
    std::string age(std::size_t at) const {
        const std::size_t newer = order_.size() - 1 - at;
        return newer == 0 ? "" : "   [behind " + std::to_string(newer) + " newer]";
    }
    std::string text(Word value) const;

    std::vector<Store> order_; // modification order
    Clock touched_{};          // the last access of each thread
    std::size_t born_by_ = 0;
    Time born_ = 0;
    std::uint64_t epoch_ = 0;
    int number_ = 0;
    Identity identity_;
};

inline std::string Location::text(Word value) const {
    if (!identity_.pointer)
        return identity_.is_signed ? std::to_string(static_cast<std::int64_t>(value))
                                   : std::to_string(value);
    return engine.trace.pointer(reinterpret_cast<const void*>(static_cast<std::uintptr_t>(value)));
}

// The C++20 fence, for one fiber at this instant.
inline void fence_at(Fiber& fiber, std::memory_order order) {
    fiber.tick();
    if (acquires(order))
        fiber.known.join(fiber.acquired);
    if (order == std::memory_order_seq_cst)
        full_barrier(fiber);
    if (releases(order))
        fiber.released = fiber.known;
}

inline void fence(std::memory_order order) noexcept {
    if (!engine.live())
        return;
    engine.point();
    fence_at(engine.current(), order);
    if (engine.trace.on())
        engine.note(std::string("fence(") + name_of(order) + ")");
}

/// membarrier(2): a seq_cst fence of the caller, and one on every other thread at the same instant.
/// The others gain no happens-before: the kernel orders memory, but says nothing to their compiler.
inline void fence_everywhere() noexcept {
    if (!engine.live())
        return;
    engine.point();
    for (int round = 0; round < 2; ++round) // first give, then take
        engine.for_each_thread([](Fiber& fiber) {
            const Knowledge before = fiber.known, released = fiber.released;
            fence_at(fiber, std::memory_order_seq_cst);
            if (&fiber == &engine.current())
                return;
            fiber.known.hb = before.hb;
            fiber.released.hb = released.hb;
        });
    engine.note("fence on every thread");
}

} // namespace explorer
