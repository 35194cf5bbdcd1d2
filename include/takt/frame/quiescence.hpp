// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. Phases of workers that stay at hand: how one begins, and when it is over: all
// workers rest, and all mail that was sent has been taken. Below: mailbox (wakeup: how a store comes
// before a look). Above: the frame's workers.

#include "takt/mailbox.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace takt {

/// Phases without a counter that all write, and without a barrier of their own. Worker 0 begins a
/// phase by one store. Each worker has a word that says whether it rests, in which phase, and how
/// much it had sent and taken when it began to; worker 0 looks at all of them twice. (After F. Mattern,
/// "Algorithms for distributed termination detection", 1987: the second look replaces his second
/// wave, since here the words can be re-read.) A phase that is over needs no announcement: who rests
/// does nothing until there is mail for the next phase, or that begins. So a phase in which each
/// worker has a message takes a line there and a line back.
///
/// | operation | who                      | progress                             |
/// |-----------|--------------------------|--------------------------------------|
/// | begin     | worker 0, between phases | wait-free, two stores                |
/// | wake      | a worker                 | wait-free, one store                 |
/// | rest      | a worker                 | wait-free, three stores              |
/// | try_end   | worker 0                 | wait-free, 2 n loads                 |
/// | phase     | anyone                   | wait-free                            |
///
/// N1  A worker wakes before it takes mail, and what it has sent is published, and counted, before
///     it rests.
/// N2  A phase is over when two looks find every worker resting in it, unchanged between them, and
///     the first adds up to as much taken as sent. Nobody rests with mail under way then: whoever had
///     taken a message that a resting worker had not counted would have woken after the look that
///     missed it, and before the one that followed.
/// N3  A worker that has used up its budget rests for good. As soon as one has, and all rest, worker
///     0 closes the phase: then all rest for good, and it is over when they do. What is left opens
///     the next round.
/// N4  After rest() a worker looks whether worker 0 sleeps, and after begin() and try_end() worker 0
///     looks who else does. Sleepers look here once more after they have said so.
/// N5  Between phases nobody publishes mail for a worker that does not rest for good: what the serial
///     phase sends is published after the next begin(), by the worker whose outbox it is in. So who
///     finds mail finds the phase that it is for.
template <class P>
class Quiescence {
  public:
    explicit Quiescence(int workers) : words_(static_cast<std::size_t>(workers)) {}
    Quiescence(const Quiescence&) = delete;
    Quiescence& operator=(const Quiescence&) = delete;

    /// What phase() gives. bit 0: it is closed (N3), bits 1-31: its number; wraps
    using Number = std::uint32_t;
    static constexpr bool is_closed(Number phase) noexcept { return (phase & 1) != 0; }
    static constexpr Number opened(Number phase) noexcept { return phase & ~Number{1}; }
    /// Stands for: there are no more phases.
    static constexpr Number kLeave = 0;

    /// The next phase. `due_ns`: when the one after it is expected.
    void begin(std::int64_t due_ns) noexcept {
        due_ns_.set(due_ns);
        number_ += 2;
        if (number_ == kLeave)
            number_ += 2;
        closed_ = false;
        detail::publish_before_look<P, std::uint64_t>(phase_,
                                                      number_); // edge phase, release side (N4)
    }
    /// No more phases, for all that rest.
    void leave() noexcept {
        detail::publish_before_look<P, std::uint64_t>(phase_, kLeave); // edge phase, release side
    }
    Number phase() const noexcept {
        // cross wakeup, side B (and edge phase, acquire side)
        return static_cast<Number>(phase_.load(std::memory_order_seq_cst));
    }
    std::int64_t due_ns() const noexcept { return due_ns_.get(); }

    void wake(int worker) noexcept;
    /// `sent`, `taken`: messages since the runtime began; wrap. `has_more`: worker 0 should have a
    /// look at what the worker leaves to the serial phase.
    void rest(int worker, Number phase, std::uint64_t sent, std::uint64_t taken, bool used_up,
              bool has_more) noexcept;
    /// What try_end() found. closing: others that sleep are to be woken (N4).
    enum class End : std::uint8_t { not_yet, closing, over };
    End try_end() noexcept;

    /// Some worker has not come to rest in that phase; a moment ago. Wait-free, n loads.
    bool someone_works(Number phase) const noexcept {
        for (const Word& word : words_) {
            const std::uint64_t state =
                word.state.load(std::memory_order_relaxed); // relaxed: a hint
            if (state >> 32 != opened(phase) || (state & kStateMask) == kAwake)
                return true;
        }
        return false;
    }

    // --- worker 0, after a phase ---
    /// Mail that was sent and not taken.
    std::uint64_t left() const noexcept { return left_; }
    /// Mail that was taken, since the runtime began.
    std::uint64_t taken() const noexcept { return taken_; }
    bool has_more(int worker) const noexcept {
        return (words_[static_cast<std::size_t>(worker)].seen & kHasMore) != 0;
    }

  private:
    // bits 0-1 State, bit 2 has_more, bits 3-31 how often it has changed, bits 32-63 the phase
    enum State : std::uint64_t { kAwake, kResting, kUsedUp };
    static constexpr std::uint64_t kStateMask = 3;
    static constexpr std::uint64_t kHasMore = 4;
    static constexpr std::uint64_t kChange = 8;

    struct alignas(kInterference) Word {
        // All three:   writes: the worker   reads: worker 0
        //   edge rest: state, sent and taken release -> try_end acquires. Who sees a sent or a taken
        //   of some rest also sees that the worker had woken for it.
        typename P::template Atomic<std::uint64_t> state{0};
        typename P::template Atomic<std::uint64_t> sent{0};
        typename P::template Atomic<std::uint64_t> taken{0};
        // The worker's:
        std::uint32_t changes = 0;
        // Worker 0's:
        alignas(kInterference) std::uint64_t seen = 0;
    };
    static constexpr std::uint64_t pack(Number phase, std::uint32_t changes,
                                        std::uint64_t low) noexcept {
        return (std::uint64_t{phase} << 32) | ((changes * kChange) & 0xffff'ffff) | low;
    }

    std::vector<Word> words_;
    // Worker 0's:
    Number number_ = kLeave;
    bool closed_ = false;
    std::uint64_t left_ = 0;
    std::uint64_t taken_ = 0;
    // phase_:   writes: worker 0   reads: workers that rest
    //   edge phase: begin releases -> phase acquires; hands over the world as the serial phase left it.
    alignas(kInterference) typename P::template Atomic<std::uint64_t> phase_{kLeave};
    // due_ns_: handed over by edge phase; read before the worker rests in that phase.
    typename P::template Plain<std::int64_t> due_ns_{kNever};
};

template <class P>
void Quiescence<P>::wake(int worker) noexcept {
    Word& word = words_[static_cast<std::size_t>(worker)];
    // edge rest, release side
    word.state.store(pack(0, ++word.changes, kAwake), std::memory_order_release);
}

template <class P>
void Quiescence<P>::rest(int worker, Number phase, std::uint64_t sent, std::uint64_t taken,
                         bool used_up, bool has_more) noexcept {
    Word& word = words_[static_cast<std::size_t>(worker)];
    word.sent.store(sent, std::memory_order_release);   // edge rest, release side
    word.taken.store(taken, std::memory_order_release); // edge rest, release side
    // edge rest, release side (N4)
    detail::publish_before_look<P, std::uint64_t>(
        word.state, pack(opened(phase), ++word.changes,
                         (used_up ? kUsedUp : kResting) | (has_more ? kHasMore : 0)));
}

template <class P>
typename Quiescence<P>::End Quiescence<P>::try_end() noexcept {
    std::uint64_t sent = 0;
    std::uint64_t taken = 0;
    bool any_used_up = false;
    bool all_used_up = true;
    for (Word& word : words_) {
        // cross wakeup, side B (and edge rest, acquire side)
        word.seen = word.state.load(std::memory_order_seq_cst);
        if (word.seen >> 32 != number_ || (word.seen & kStateMask) == kAwake)
            return End::not_yet;
        const bool used_up = (word.seen & kStateMask) == kUsedUp;
        any_used_up |= used_up;
        all_used_up &= used_up;
        sent += word.sent.load(std::memory_order_acquire);   // edge rest, acquire side
        taken += word.taken.load(std::memory_order_acquire); // edge rest, acquire side
    }
    if ((closed_ || sent != taken) && !all_used_up) { // N3
        if (closed_ || !any_used_up)
            return End::not_yet;
        closed_ = true;
        detail::publish_before_look<P, std::uint64_t>(phase_,
                                                      number_ | 1); // edge phase, release side
        return End::closing;
    }
    for (Word& word : words_)
        if (word.state.load(std::memory_order_acquire) != word.seen) // edge rest, acquire side
            return End::not_yet;
    left_ = sent - taken;
    taken_ = taken;
    return End::over;
}

} // namespace takt
