// SPDX-License-Identifier: MIT
#pragma once
// Test support, explorer. The variables that structures under test are made of: the model's
// std::atomic and takt::Plain. Neighbours: explorer_memory.hpp below (the memory model),
// explorer.hpp above (what tests include).

#include "explorer_memory.hpp"

#include <deque>

namespace explorer {

/// Locations are used again, so that a run allocates nothing for them.
class LocationPool {
  public:
    Location* take() {
        if (free_.empty()) {
            all_.emplace_back();
            return &all_.back();
        }
        Location* const location = free_.back();
        free_.pop_back();
        return location;
    }
    void give_back(Location* location) { free_.push_back(location); }

  private:
    std::deque<Location> all_;
    std::vector<Location*> free_;
};
inline LocationPool& location_pool = *new LocationPool;

/// std::atomic under the model, without default orders. Outside a run it is a plain value.
template <class T>
class Atomic {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(Word),
                  "the model keeps values of up to 64 bits");
    using Order = std::memory_order;
    using Operand = std::conditional_t<std::is_pointer_v<T>, std::ptrdiff_t, T>;

  public:
    using value_type = T;
    static constexpr bool is_always_lock_free = true;

    Atomic() noexcept : Atomic(T{}) {}
    Atomic(T value) noexcept : location_(location_pool.take()) { // implicit, as std::atomic's
        location_->create(word(value), {this, std::is_pointer_v<T>, std::is_signed_v<T>});
    }
    ~Atomic() {
        location_->destroy();
        location_pool.give_back(location_);
        const_cast<Location* volatile&>(location_) =
            nullptr; // found by `at()` if the memory is intact
    }
    Atomic(const Atomic&) = delete;
    Atomic& operator=(const Atomic&) = delete;

    bool is_lock_free() const noexcept { return true; }
    T load(Order order) const noexcept { return value(at().load(order)); }
    void store(T desired, Order order) noexcept { at().store(word(desired), order); }
    T exchange(T desired, Order order) noexcept {
        return change("exchange", order, [=](T) { return desired; });
    }
    T fetch_add(Operand by, Order order) noexcept {
        return change("fetch_add", order, [=](T old) { return static_cast<T>(old + by); });
    }
    T fetch_sub(Operand by, Order order) noexcept {
        return change("fetch_sub", order, [=](T old) { return static_cast<T>(old - by); });
    }
    T fetch_or(T bits, Order order) noexcept {
        return change("fetch_or", order, [=](T old) { return static_cast<T>(old | bits); });
    }
    T fetch_and(T bits, Order order) noexcept {
        return change("fetch_and", order, [=](T old) { return static_cast<T>(old & bits); });
    }
    T fetch_xor(T bits, Order order) noexcept {
        return change("fetch_xor", order, [=](T old) { return static_cast<T>(old ^ bits); });
    }
    bool compare_exchange_strong(T& expected, T desired, Order success, Order failure) noexcept {
        return compare_exchange(expected, desired, false, success, failure);
    }
    bool compare_exchange_strong(T& expected, T desired, Order order) noexcept {
        return compare_exchange(expected, desired, false, order, failure_order(order));
    }
    bool compare_exchange_weak(T& expected, T desired, Order success, Order failure) noexcept {
        return compare_exchange(expected, desired, true, success, failure);
    }
    bool compare_exchange_weak(T& expected, T desired, Order order) noexcept {
        return compare_exchange(expected, desired, true, order, failure_order(order));
    }

    /// What the kernel sees of it, and what the trace calls it.
    T look() const noexcept { return value(at().look()); }
    std::string label() const { return at().label(); }

  private:
    // Narrow signed values are kept widened, so that the trace shows -1 as -1.
    static Word word(T value) {
        if constexpr (std::is_integral_v<T>)
            return static_cast<Word>(value);
        Word word = 0;
        std::memcpy(&word, &value, sizeof(value));
        return word;
    }
    static T value(Word word) {
        if constexpr (std::is_integral_v<T>)
            return static_cast<T>(word);
        T value;
        std::memcpy(static_cast<void*>(&value), &word, sizeof(value));
        return value;
    }
    Location& at() const {
        if (*const_cast<Location* const volatile*>(&location_) == nullptr)
            engine.fail("use of an atomic that has been destroyed");
        return *location_;
    }
    template <class Change>
    T change(const char* what, Order order, Change change) {
        return value(at().modify(what, order, [&](Word old) { return word(change(value(old))); }));
    }
    bool compare_exchange(T& expected, T desired, bool weak, Order success, Order failure) {
        Word found = word(expected);
        const bool done = at().compare_exchange(found, word(desired), weak, success, failure);
        if (!done)
            expected = value(found);
        return done;
    }

    Location* location_;
};

/// takt::Plain under the model: not a scheduling point, but every access is checked for a race.
template <class T>
class Plain {
  public:
    Plain() noexcept : Plain(T{}) {}
    explicit Plain(T value) noexcept : value_(std::move(value)) { written("construction"); }
    Plain(const Plain& other) noexcept : Plain(other.get()) {}
    Plain& operator=(const Plain& other) noexcept {
        set(other.get());
        return *this;
    }
    ~Plain() { written("destruction"); }

    const T& get() const noexcept {
        if (engine.live())
            current().read(this);
        return value_;
    }
    void set(T value) noexcept {
        written("write");
        value_ = std::move(value);
    }

  private:
    void written(const char* what) {
        if (engine.live())
            current().write(this, what);
    }
    RaceCheck& current() const {
        if (epoch_ != engine.epoch())
            check_.reset();
        epoch_ = engine.epoch();
        return check_;
    }
    T value_;
    mutable RaceCheck check_;
    mutable std::uint64_t epoch_ = 0;
};

} // namespace explorer
