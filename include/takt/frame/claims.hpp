// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. Work that one worker has gathered and any worker may claim, piece by piece. Below:
// mailbox (wakeup: how a store comes before a look). Above: the frame's workers.

#include "takt/mailbox.hpp"

#include <cstdint>
#include <limits>

namespace takt {

/// A piece of work on offer. Derive from it.
template <class P>
class Claimable {
  public:
    static constexpr std::int32_t kNobody = -1;

    /// Who has claimed it says so, once it is awake (N7). Wait-free.
    void set_claimer(std::int32_t worker) noexcept {
        claimer_.store(worker, std::memory_order_release); // edge claimer, release side
    }
    /// kNobody while it is on offer, and until its claimer has said so. Wait-free.
    std::int32_t claimer() const noexcept {
        return claimer_.load(std::memory_order_acquire); // edge claimer, acquire side
    }

  private:
    // claimer_:   writes: who claimed it   reads: the owner
    //   edge claimer: set_claimer releases -> claimer acquires, so that who sees it sees that the
    //   claimer had woken.
    typename P::template Atomic<std::int32_t> claimer_{kNobody};
};

/// What one worker, the owner, offers: a list of work, from its first piece to its last. One word says
/// which list it is and how far that is claimed.
///
/// | operation | who                     | progress                                                 |
/// |-----------|-------------------------|----------------------------------------------------------|
/// | offer     | the owner               | wait-free                                                |
/// | claim     | any worker in the phase | lock-free: it tries again only when another has claimed  |
/// | has_some  | anyone                  | wait-free                                                |
///
/// N6  The owner offers a list when the one before is claimed to its end. It rests only after each
///     claimer has named itself, so that a phase with work on offer, or just claimed, is not over.
/// N7  Who claims may be at rest, and for good (N3). It wakes (N1) before it names itself: from then on
///     the phase is not over without it. When it claims nothing it has touched nothing but this word,
///     which lives as long as the runtime.
template <class P, class Work>
class alignas(kInterference) Claims {
  public:
    static constexpr std::uint32_t kListMax = std::numeric_limits<std::uint16_t>::max();

    /// `count` pieces from `first` on, at most kListMax; they stay until the phase is over.
    void offer(Work* first, std::uint32_t count) noexcept {
        first_.store(first, std::memory_order_relaxed); // relaxed: edge offer hands it over
        const std::uint64_t list =
            word_.load(std::memory_order_relaxed) >> 32; // relaxed: own store
        detail::publish_before_look<P, std::uint64_t>(
            word_, ((list + 1) << 32) | (std::uint64_t{count} << 16)); // edge offer, release side
    }
    bool has_some() const noexcept {
        // cross wakeup, side B (and edge offer, acquire side)
        return is_open(word_.load(std::memory_order_seq_cst));
    }
    /// The next piece, which is the caller's alone; null: there is none.
    Work* claim() noexcept {
        std::uint64_t seen = word_.load(std::memory_order_acquire); // edge offer, acquire side
        while (is_open(seen)) {
            // relaxed: of this list if the exchange succeeds, since the next one is offered after that
            Work* const first = first_.load(std::memory_order_relaxed);
            // edge offer, both sides: the owner changes `first` after all have read it
            if (word_.compare_exchange_weak(seen, seen + 1, std::memory_order_release,
                                            std::memory_order_acquire))
                return first + (seen & kPlaceMask);
        }
        return nullptr;
    }

  private:
    static constexpr std::uint64_t kPlaceMask = 0xffff;
    static constexpr bool is_open(std::uint64_t word) noexcept {
        return (word & kPlaceMask) < ((word >> 16) & kPlaceMask);
    }

    // word_: bits 0-15 the next piece, bits 16-31 how many there are, bits 32-63 which list; wraps.
    //   writes: the owner, who claims   reads: workers that look for work
    //   edge offer: offer releases -> claim acquires; claims carry the chain on.
    typename P::template Atomic<std::uint64_t> word_{0};
    // first_:   writes: the owner   reads: who claims
    typename P::template Atomic<Work*> first_{nullptr};
};

} // namespace takt
