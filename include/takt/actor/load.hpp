// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. The atomic task counters: what a target was given and has not completed, one
// counter per target on a board. Below: base (policy, checks, Error). Above: the selectors.

#include "takt/base.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace takt {

/// The load of one target, in tasks (and what weight users add): +1 when something is dispatched to
/// it, -1 when that is handled, each by any thread. It is the `Tasks` attribute of VMsDispatcher,
/// written where the library knows, at the dispatch, and not by the handler when it is too late.
///
/// | operation          | who      | progress                                                    |
/// |--------------------|----------|-------------------------------------------------------------|
/// | add, try_add       | anyone   | wait-free: one fetch_add, or two steps                      |
/// | remove, try_remove | anyone   | wait-free: one fetch_sub; lock-free once J1 is broken       |
/// | value, peek        | anyone   | wait-free                                                   |
///
/// 63 bits: more than a program can have in flight.
///
/// J1  Whatever is added is removed once. A removal of more than there is stops a checked build;
///     otherwise it takes the counter to 0, not below, and is counted in underflows(). (Others that
///     meet it half-way may be counted as well, since each found less than it took.)
/// J2  Nobody reads less than 0. Once all that was added has been removed, everybody reads 0.
/// J3  Who reads 0 by value() sees all that was done before the removals that led to it.
template <class P>
class Load {
  public:
    Load() = default;
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    /// Adds `weight` tasks.
    void add(std::uint32_t weight = 1) noexcept {
        count_.fetch_add(weight, std::memory_order_relaxed); // relaxed: it hands nothing over
    }
    /// Adds one task, unless there are `max` already. Of two who come for the last place both may be
    /// told that there is none.
    [[nodiscard]] bool try_add(std::uint64_t max) noexcept {
        // relaxed: it hands nothing over
        if (clamp(count_.fetch_add(1, std::memory_order_relaxed)) < max)
            return true;
        remove();
        return false;
    }
    /// Removes what was added (J1).
    void remove(std::uint32_t weight = 1) noexcept {
        [[maybe_unused]] const bool held = try_remove(weight);
        TAKT_CHECK(held, "J1", "Remove from a load only what was added to it, and only once");
    }
    /// As remove(), but in every build a removal of more than there is returns false.
    [[nodiscard]] bool try_remove(std::uint32_t weight = 1) noexcept;

    /// The load; 0 means what J3 says.
    std::uint64_t value() const noexcept {
        return clamp(count_.load(std::memory_order_acquire)); // edge load, acquire side
    }
    /// The load as a hint, for selectors.
    std::uint64_t peek() const noexcept {
        return clamp(count_.load(std::memory_order_relaxed)); // relaxed: a hint, J3 is not promised
    }
    /// Removals that found less than they took (J1).
    std::uint64_t underflows() const noexcept {
        return underflows_.load(std::memory_order_relaxed); // relaxed: a statistic
    }
    /// One task, which is still counted, will not be handled. Wait-free.
    void note_dropped() noexcept {
        dropped_.fetch_add(1, std::memory_order_relaxed); // relaxed: its removal hands it over
    }
    /// The tasks that were noted so; whoever reads 0 by value() sees all of them (J3).
    std::uint64_t dropped() const noexcept {
        return dropped_.load(std::memory_order_relaxed); // relaxed: as above
    }

  private:
    void lift_to_zero() noexcept;
    static std::uint64_t clamp(std::int64_t count) noexcept {
        return count > 0 ? static_cast<std::uint64_t>(count) : 0; // J2
    }

    // count_: tasks in flight; below 0 only between the two steps of an underflow.
    //   writes: who dispatches, who handles   reads: selectors, who waits for an idle target
    //   edge load: try_remove releases -> value acquires; additions carry the chain on (they are
    //   read-modify-writes), so that 0 hands over what all removals before it did.
    typename P::template Atomic<std::int64_t> count_{0};
    typename P::template Atomic<std::uint64_t> underflows_{0};
    typename P::template Atomic<std::uint64_t> dropped_{0};
};

template <class P>
bool Load<P>::try_remove(std::uint32_t weight) noexcept {
    const auto taken = static_cast<std::int64_t>(weight);
    // edge load, release side
    const std::int64_t before = count_.fetch_sub(taken, std::memory_order_release);
    if (before >= taken) [[likely]]
        return true;
    lift_to_zero();
    return false;
}

template <class P>
void Load<P>::lift_to_zero() noexcept {
    underflows_.fetch_add(1, std::memory_order_relaxed); // relaxed: a statistic
    // Never adding back what was taken too much: whoever came between has seen it as taken.
    std::int64_t count = count_.load(std::memory_order_relaxed); // relaxed: the exchange checks it
    while (count < 0 && !count_.compare_exchange_weak( // relaxed: keeps the chain of edge load
                            count, 0, std::memory_order_relaxed, std::memory_order_relaxed)) {
    }
}

namespace detail {
/// That of the actor whose code runs; PhaseError where there is none.
Load<StdPolicy>& load_of_this_actor();
struct BusyAccess;
} // namespace detail

/// Weight on a load for as long as this object lives: `takt::Busy busy;` in an actor's code counts
/// on that actor. Move-only; may end on another thread than it began on. The load must outlive it
/// (J4).
template <class P>
class [[nodiscard]] BasicBusy {
  public:
    /// One task for the calling actor. Wait-free, but for memory at the actor's first.
    BasicBusy() requires std::same_as<P, StdPolicy> : BasicBusy(detail::load_of_this_actor()) {}
    /// Adds `weight` tasks. Wait-free.
    explicit BasicBusy(Load<P>& load, std::uint32_t weight = 1) noexcept
        : load_(&load), weight_(weight) {
        load.add(weight);
    }
    BasicBusy(BasicBusy&& other) noexcept
        : load_(std::exchange(other.load_, nullptr)), weight_(other.weight_) {}
    BasicBusy& operator=(BasicBusy&& other) noexcept {
        if (this != &other) {
            release();
            load_ = std::exchange(other.load_, nullptr);
            weight_ = other.weight_;
        }
        return *this;
    }
    ~BasicBusy() { release(); }

    /// Removes the weight now. Does nothing when it is gone already. Wait-free.
    void release() noexcept {
        if (Load<P>* const load = std::exchange(load_, nullptr))
            load->remove(weight_);
    }
    /// As release(), of a task that was not handled. Wait-free.
    void drop() noexcept {
        if (load_ != nullptr)
            load_->note_dropped();
        release();
    }
    /// The tasks that this object stands for: 0 once moved from or released.
    std::uint32_t weight() const noexcept { return load_ == nullptr ? 0 : weight_; }

  private:
    friend struct detail::BusyAccess;

    Load<P>* load_;
    std::uint32_t weight_;
};

namespace detail {
/// For dispatchers.
struct BusyAccess {
    /// Of one task that was added already.
    template <class P>
    static BasicBusy<P> adopt(Load<P>& load) noexcept {
        BasicBusy<P> busy(load, 0);
        busy.weight_ = 1;
        return busy;
    }
};
} // namespace detail

using Busy = BasicBusy<StdPolicy>;

/// A place on a LoadBoard, 0 .. size() - 1.
using Target = std::uint32_t;

/// As many targets as 16 bits can tell apart (the snapshot packs them).
inline constexpr std::uint32_t kTargetsMax = 65'536;

/// The loads of all targets of one dispatcher, each on a cache line of its own: dispatchers and
/// workers write different targets at the same time. (Packed counters, eight to a line, are read
/// 1.2 to 1.8 times as fast when another core wrote them, but only selectors gain from that,
/// rarely, and each completion would pay: so padded counters, and a packed private copy in
/// LoadSnapshot.)
///
/// | operation    | who                             | progress                           |
/// |--------------|---------------------------------|------------------------------------|
/// | [], peek     | anyone in a phase               | wait-free                          |
/// | total        | anyone in a phase               | wait-free, n loads; not one instant|
/// | resize       | one thread, between the phases  | may allocate                       |
/// | take_out,    | the same                        | wait-free, but for memory          |
/// | put_back     |                                 |                                    |
///
/// J4  Counters neither move nor go before their board: a Busy may outlive its target's place. A
///     target that comes back starts with what is still on it; one that is new starts with nothing,
///     or with what was left on who was put back.
template <class P>
class LoadBoard {
  public:
    /// Throws as resize() does.
    explicit LoadBoard(std::uint32_t targets = 0) { resize(targets); }
    LoadBoard(const LoadBoard&) = delete;
    LoadBoard& operator=(const LoadBoard&) = delete;

    /// From now on there are `targets` targets: grows or shrinks at the end. Whoever reads the
    /// board or selects from it must be ordered after this, as the frame barrier does. Throws
    /// takt::Error above kTargetsMax, std::bad_alloc; nothing has changed then.
    void resize(std::uint32_t targets);
    /// This target is none any more, and those behind it move up. What is on its counter stays there.
    /// Ordered as resize().
    Load<P>& take_out(Target target);
    /// A counter that was taken out may be a target's again. Ordered as resize().
    void put_back(Load<P>& load) { spare_.push_back(&load); }
    std::uint32_t size() const noexcept { return size_.get(); }

    Load<P>& operator[](Target target) noexcept { return *loads_[target]; }
    const Load<P>& operator[](Target target) const noexcept { return *loads_[target]; }
    /// The load of one target as a hint.
    std::uint64_t peek(Target target) const noexcept { return loads_[target]->peek(); }

    /// The sum of value() over all targets. Exact whenever nothing is added or removed meanwhile.
    std::uint64_t total() const noexcept;
    /// The sum of underflows() over all targets.
    std::uint64_t underflows() const noexcept;

  private:
    struct alignas(kCacheLine) Line {
        Load<P> load;
    };
    static constexpr std::size_t kLinesPerChunk = 64; // 4 KiB
    struct Chunk {
        Line lines[kLinesPerChunk];
    };
    Load<P>& next_load() noexcept;

    // All are written by who resizes alone, and read by everybody.
    std::vector<std::unique_ptr<Chunk>> chunks_;
    std::size_t used_ = 0;        // lines that were a target's once
    std::vector<Load<P>*> loads_; // by target
    std::vector<Load<P>*> spare_; // the next one last
    typename P::template Plain<std::uint32_t> size_{0};
};

template <class P>
Load<P>& LoadBoard<P>::next_load() noexcept {
    if (!spare_.empty()) {
        Load<P>& load = *spare_.back();
        spare_.pop_back();
        return load;
    }
    const std::size_t line = used_++;
    return chunks_[line / kLinesPerChunk]->lines[line % kLinesPerChunk].load;
}

template <class P>
void LoadBoard<P>::resize(std::uint32_t targets) {
    if (targets > kTargetsMax)
        throw Error("targets", std::to_string(targets), "a board has 65,536 targets at most",
                    "Use several boards, or fewer targets");
    // All that can fail comes first.
    const std::size_t before = loads_.size();
    if (targets < before)
        spare_.reserve(spare_.size() + before - targets);
    if (targets > loads_.capacity())
        loads_.reserve(std::max<std::size_t>(targets, 2 * before));
    while (chunks_.size() * kLinesPerChunk + spare_.size() + before < used_ + targets)
        chunks_.push_back(std::make_unique<Chunk>());
    for (; loads_.size() > targets; loads_.pop_back())
        spare_.push_back(loads_.back());
    while (loads_.size() < targets)
        loads_.push_back(&next_load());
    size_.set(targets);
}

template <class P>
Load<P>& LoadBoard<P>::take_out(Target target) {
    Load<P>& load = *loads_[target];
    loads_.erase(loads_.begin() + static_cast<std::ptrdiff_t>(target));
    size_.set(size_.get() - 1);
    return load;
}

template <class P>
std::uint64_t LoadBoard<P>::total() const noexcept {
    std::uint64_t sum = 0;
    for (Target target = 0; target < size(); ++target)
        sum += (*this)[target].value();
    return sum;
}

template <class P>
std::uint64_t LoadBoard<P>::underflows() const noexcept {
    std::uint64_t sum = 0;
    for (Target target = 0; target < size(); ++target)
        sum += (*this)[target].underflows();
    return sum;
}

} // namespace takt
