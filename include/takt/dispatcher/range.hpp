// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, dispatcher. Indices that several actors share out among them, and how that ends. Below:
// actor (tickets). Above: dispatcher, which says who takes part.

#include "takt/actor.hpp"

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace takt {

/// How a range of indices is cut.
struct RangeOptions {
    /// Indices that an actor takes at once; 0: so that each that takes part comes for more about 16
    /// times. Fewer balance better, more ask less.
    std::size_t grain = 0;
};

namespace detail {

/// What a range's function gives for one index; void of what is none, which check_range() refuses.
template <class F>
struct RangeResultOf {
    using type = void;
};
template <class F>
requires std::is_invocable_v<const F&, std::size_t>
struct RangeResultOf<F> {
    using type = std::invoke_result_t<const F&, std::size_t>;
};
template <class F>
using RangeResult = typename RangeResultOf<F>::type;
template <class R>
using RangeValue = std::remove_cvref_t<ResultOf<R>>;
template <class R>
using RangeResults = std::conditional_t<std::is_void_v<R>, void, std::vector<RangeValue<R>>>;

/// Of `parts` actors that share out the indices [0, size). Each has its share of the job in a message;
/// the last to let go of it ends the job, whether or not its message was handled.
///
///   chunks | 0 .. grain | .. 2 grain | ...    dynamic: each part has a share of neighbours, and claims
///                                             one after the other; then those of the parts after it
///                                             static:  chunk i is part (i modulo parts)'s
///
/// Who does the last index completes the job, even if parts that came too late are in the mail still.
class RangeJob {
  public:
    struct Shape {
        std::size_t size;
        std::size_t grain;
        std::uint32_t parts;
        bool is_static; // where nothing may depend on timing
    };

    explicit RangeJob(const Shape& shape);
    virtual ~RangeJob() = default;
    RangeJob(const RangeJob&) = delete;
    RangeJob& operator=(const RangeJob&) = delete;

    /// On the actor's worker; once for each part. Throws what the function throws.
    void run(std::uint32_t part);

  protected:
    /// Calls the function for these indices. Throws: no more of this range is wanted.
    /// `first`: what a call has thrown, where the others go on.
    virtual void run_chunk(std::size_t begin, std::size_t end, std::exception_ptr& first) = 0;
    virtual bool is_given_up() const noexcept { return false; }
    /// All indices have been done, and there was one: once, of who did the last.
    virtual void complete() noexcept = 0;

    /// All indices have been done.
    bool is_complete() const noexcept;
    /// Of the last owner: that of the lowest chunk; null: none.
    std::exception_ptr failure() const noexcept;

  private:
    /// A part's share, in a line of its own by its size: aligned memory takes malloc longer than a small
    /// range does. Each claims in its own until that is done.
    struct Share {
        // next: the next chunk. writes: who takes part   reads: the same
        std::atomic<std::size_t> next{0};
        std::size_t end = 0;
        std::byte apart[kInterference - 2 * sizeof(std::size_t)];
    };
    static_assert(std::is_trivially_destructible_v<Share>,
                  "who ends the job need not fetch the lines");
    struct Failure {
        std::size_t index = SIZE_MAX; // the first of the chunk
        std::exception_ptr exception = {};
    };
    // No chunk's number. So far from a counter's end that nobody gets there by counting.
    static constexpr std::size_t kNoMore = SIZE_MAX / 2 + 1;

    struct Chunks {
        std::size_t first = 0;
        std::size_t end = 0;
    };
    /// `done_shares`: how many shares, from its own on, have nothing for this part any more. Empty: none.
    Chunks claim(std::uint32_t part, std::uint32_t& done_shares) noexcept;
    void end_claims() noexcept;
    bool is_ended(std::uint32_t part) const noexcept;
    std::size_t run_one(std::uint32_t part, std::size_t chunk, std::exception_ptr& failure);

    // What a part that comes too late wants to know stands together.
    const Shape shape_;
    const std::size_t chunks_;
    // done_: indices. writes: who takes part, once   reads: the same, and the last owner
    //   edge range_done: who has done some releases their results -> who completes the job acquires.
    std::atomic<std::size_t> done_{0};
    std::vector<Share> shares_;     // by part
    std::vector<Failure> failures_; // by part, which alone writes it
};

/// An actor's part in a job: lets go of the job as it is destroyed.
class RangePart {
  public:
    RangePart(std::shared_ptr<RangeJob> job, std::uint32_t part) noexcept
        : job_(std::move(job)), part_(part) {}
    RangePart(RangePart&&) noexcept = default;
    RangePart& operator=(RangePart&&) = delete;
    ~RangePart() = default;

    /// Once.
    void run() {
        const std::shared_ptr<RangeJob> job = std::move(job_); // so that the job ends here
        job->run(part_);
    }

  private:
    std::shared_ptr<RangeJob> job_;
    std::uint32_t part_;
};
inline constexpr Topic<RangePart> kRange{"takt::range"};

/// Nobody waits for it.
template <class F>
class DetachedRange final : public RangeJob {
  public:
    DetachedRange(const Shape& shape, F function)
        : RangeJob(shape), function_(std::move(function)) {}

  private:
    // As with so many messages: what one call throws is no matter of the others.
    void run_chunk(std::size_t begin, std::size_t end, std::exception_ptr& first) override {
        for (std::size_t index = begin; index < end; ++index) // goes on after the one that threw
            try {
                for (; index < end; ++index)
                    std::as_const(function_)(index);
            } catch (...) {
                if (first == nullptr)
                    first = std::current_exception();
            }
    }
    void complete() noexcept override {}

    F function_;
};

/// A ticket has the results.
template <class F>
class AnsweredRange final : public RangeJob {
    using R = RangeResult<F>;
    using Results = RangeResults<R>;

  public:
    AnsweredRange(const Shape& shape, F function, Answer<Results>&& answer)
        : RangeJob(shape), function_(std::move(function)), answer_(std::move(answer)) {
        if constexpr (!std::is_void_v<R>) {
            if (shape.size > results_.max_size())
                throw std::bad_alloc();
            results_.resize(shape.size);
        }
    }
    ~AnsweredRange() override {
        if (answer_.owed() == nullptr)
            return;
        if (const std::exception_ptr failed = failure()) {
            answer_.fail(failed);
        } else if (is_complete()) { // of no indices
            complete();
        } else { // those that took part were not there to the end
            const TicketStatus lost = lost_answer_status();
            end_ticket(answer_.core(),
                       lost == TicketStatus::no_memory ? TicketStatus::actor_gone : lost);
        }
    }
    /// Why it was not sent, to all that should have had a part.
    void refuse(TicketStatus why) noexcept { end_ticket_now(answer_.core(), why); }

  private:
    void run_chunk(std::size_t begin, std::size_t end, std::exception_ptr&) override {
        const ErrandScope scope(answer_.core());
        for (std::size_t index = begin; index < end; ++index) {
            if constexpr (std::is_void_v<R>)
                std::as_const(function_)(index);
            else
                results_[index] = std::as_const(function_)(index);
        }
    }
    bool is_given_up() const noexcept override { return answer_.core().is_over(); }
    void complete() noexcept override {
        if constexpr (!std::is_void_v<R>)
            answer_.core().value.emplace(std::move(results_));
        answer_.give();
    }

    F function_;
    std::conditional_t<std::is_void_v<R>, std::monostate, std::vector<RangeValue<R>>> results_;
    Answer<Results> answer_;
};

/// Says why not where F is no function of a range.
template <class F>
constexpr bool check_range() {
    static_assert(
        std::is_invocable_v<const F&, std::size_t>,
        "takt: a range's function is called as f(std::size_t) by several workers at once: "
        "it takes an index, and is const (a lambda without mutable)");
    static_assert(
        !is_task<RangeResult<F>>,
        "takt: a range's function does not suspend: return the value, or submit() a request "
        "for each index");
    return true;
}
template <class R>
constexpr bool check_range_result() {
    static_assert(!std::is_reference_v<R>, "takt: a range's function returns a value");
    static_assert(
        !std::is_same_v<RangeValue<R>, bool>,
        "takt: results lie side by side and are written by several workers, which the bits "
        "of a std::vector<bool> cannot be: return char");
    static_assert(std::is_default_constructible_v<RangeValue<R>> &&
                      std::is_move_assignable_v<RangeValue<R>>,
                  "takt: a result of a range has a default constructor, and is assigned to");
    return true;
}

} // namespace detail
} // namespace takt
