// SPDX-License-Identifier: MIT
#pragma once
// Layer 8, levels. A small value that every thread reads and writes. Below: nothing but the standard
// library.

#include <atomic>
#include <bit>
#include <concepts>
#include <type_traits>

namespace takt {

namespace detail {

/// True for what a Safe can hold. Says why not where it is false.
template <class T>
constexpr bool check_safe() {
    static_assert(std::is_trivially_copyable_v<T>,
                  "takt: the type of a Safe is not trivially copyable; use ReadParallel or "
                  "LocalSafe, or send it");
    if constexpr (std::is_trivially_copyable_v<T>)
        static_assert(std::atomic<T>::is_always_lock_free,
                      "takt: the type of a Safe is too large, or of a size, that this machine "
                      "cannot write without a lock; use ReadParallel or LocalSafe, or send it");
    return true;
}

/// A value whose alignment is its size. Without it clang calls libatomic for a struct of two ints.
template <class T>
struct alignas(std::bit_ceil(sizeof(T))) Whole {
    Whole() = default;
    explicit Whole(T from) noexcept : value(from) {}
    operator T() const noexcept { return value; }

    T value;
};

} // namespace detail

/// Read and written from every thread, also outside the frame, in any phase: a trivially copyable
/// value of at most 8 bytes, on machines of today. Lock-free; wait-free where the machine has the
/// operation as one instruction.
///
///     takt::Safe<int> players{0};
///     players.fetch_add(1);
///
/// Who loads a value sees all that its writer did before. Between two Safe values no order is
/// promised. What several threads write in the parallel phase depends on timing.
template <class T>
class Safe {
  public:
    static_assert(detail::check_safe<T>());

    Safe() noexcept(std::is_nothrow_default_constructible_v<T>) : value_(Held(T())) {}
    explicit Safe(T value) noexcept : value_(Held(value)) {}
    Safe(const Safe&) = delete;
    Safe& operator=(const Safe&) = delete;

    T load() const noexcept {
        return value_.load(std::memory_order_acquire); // edge safe, acquire side
    }
    void store(T value) noexcept {
        value_.store(Held(value), std::memory_order_release); // edge safe, release side
    }
    /// Stores `value`, and returns what was there.
    T exchange(T value) noexcept {
        return value_.exchange(Held(value), std::memory_order_acq_rel); // edge safe, both sides
    }
    /// Stores `desired` where `expected` is; else `expected` becomes what is there. Compares bits:
    /// -0.0 is not 0.0.
    bool compare_exchange(T& expected, T desired) noexcept {
        static_assert(std::has_unique_object_representations_v<T> || std::is_floating_point_v<T>,
                      "takt: compare_exchange compares bits, and this type has some that do not "
                      "count; give it members without gaps");
        Held there(expected);
        // edge safe, both sides
        const bool stored = value_.compare_exchange_strong(
            there, Held(desired), std::memory_order_acq_rel, std::memory_order_acquire);
        expected = there;
        return stored;
    }
    /// Adds `by`, and returns what was there. Wraps around.
    T fetch_add(T by) noexcept requires std::integral<T> &&(!std::same_as<T, bool>) {
        return value_.fetch_add(by, std::memory_order_acq_rel); // edge safe, both sides
    }

  private:
    using Held = std::conditional_t<std::alignment_of_v<T> == sizeof(T), T, detail::Whole<T>>;

    // value_:   writes: anyone   reads: anyone
    //   edge safe: hands over what the writer did before.
    std::atomic<Held> value_;
};

} // namespace takt
