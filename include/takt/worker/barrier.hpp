// SPDX-License-Identifier: MIT
#pragma once
// Layer 2, worker. The frame barrier: worker 0 releases the others, all meet again. Below: event
// count (every wait is one of its waits), barrier shape (the tree). Above: turns.

#include "takt/worker/barrier_shape.hpp"
#include "takt/worker/event_count.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace takt {

/// A gather/scatter barrier along a BarrierShape. One thread is the root (worker 0, the frame
/// thread), every other holds its BarrierMember.
///
/// | operation                 | who     | progress                                        |
/// |---------------------------|---------|-------------------------------------------------|
/// | release                   | root    | wait-free: one store per cache group            |
/// | gather                    | root    | blocks until all members that take part arrived |
/// | set_active                | root    | wait-free; between gather and release           |
/// | BarrierMember::await_release | member | blocks until released                        |
/// | BarrierMember::arrive     | member  | blocks for its own children, then wait-free     |
///
/// All that the root did before release() is visible to the members after await_release(); all that
/// the members did before arrive() is visible to the root after gather().
///
/// B1  Members 1 .. active - 1 take part in a generation; `active` travels with the release, so
///     root and members never disagree about who is missing.
/// B2  The root releases generation g + 1 only after everyone that took part in g has arrived, so
///     nobody who takes part can miss a generation or see the next one too early.
/// B3  Who does not take part touches no arrival and costs a frame nothing: it sleeps on the roster
///     or, while nobody of its group takes part, on the group's line, which is not advanced then.
template <class P>
class FrameBarrier;

/// The end of the barrier that belongs to one worker other than worker 0. Only its thread uses it.
template <class P>
class BarrierMember {
  public:
    /// Waits until the root releases a generation in which this member takes part.
    void await_release() noexcept;
    /// Waits for this member's children, then arrives. `flag` reaches gather() as part of its or.
    void arrive(bool flag = false) noexcept;

  private:
    friend class FrameBarrier<P>;
    BarrierMember(FrameBarrier<P>& barrier, int index) noexcept
        : barrier_(&barrier), index_(index), seen_(barrier.generation_) {}

    FrameBarrier<P>* barrier_;
    int index_;
    Event seen_;                   // the last release that this member saw
    std::int64_t due_ns_ = kNever; // when the next one is expected
};

template <class P>
class FrameBarrier {
  public:
    /// `start` is the generation before the first one; all workers of the shape take part at first.
    explicit FrameBarrier(const BarrierShape& shape, const Waiting& waiting,
                          std::uint64_t start = 0);
    FrameBarrier(const FrameBarrier&) = delete;
    FrameBarrier& operator=(const FrameBarrier&) = delete;

    /// The end for worker `index` >= 1. To be taken before the first release.
    BarrierMember<P> member(int index) noexcept { return BarrierMember<P>(*this, index); }

    /// Lets the members go. `due_ns`: when the release after this one is expected (kNever:
    /// unknown); sleeping members rise shortly before it.
    void release(std::int64_t due_ns = kNever) noexcept;
    /// Waits until every member that takes part has arrived. True if one of them raised its flag.
    bool gather() noexcept;

    /// From the next release on workers 0 .. active - 1 take part; 1 <= active <= workers().
    void set_active(int active) noexcept;
    int active() const noexcept { return active_; }
    int workers() const noexcept { return shape_.workers(); }

  private:
    friend class BarrierMember<P>;

    bool collect(int parent, Event release) noexcept;

    // --- read by all, written by nobody after the start ------------------------------------------
    const BarrierShape shape_;
    const Waiting waiting_;
    // releases_[g]: the last release, written by the root for the members of group g; payload:
    // active. arrivals_[w]: written by member w, read by its parent; payload: the flag.
    std::vector<std::unique_ptr<EventCount<P>>> releases_;
    std::vector<std::unique_ptr<EventCount<P>>> arrivals_;

    // --- written by the root ---------------------------------------------------------------------
    alignas(kInterference) Event generation_; // the last release; members get it through their line
    std::uint64_t changes_ = 0;               // of `active`
    int active_;
    // due_ns_: handed to members by edge event of the release lines; copied before they arrive.
    typename P::template Plain<std::int64_t> due_ns_{kNever};
    // roster_: for members that do not take part. payload: active.
    EventCount<P> roster_;
};

template <class P>
FrameBarrier<P>::FrameBarrier(const BarrierShape& shape, const Waiting& waiting,
                              std::uint64_t start)
    : shape_(shape), waiting_(waiting), generation_{start, 0}, active_(shape.workers()) {
    for (int group = 0; group < shape_.groups(); ++group)
        releases_.push_back(std::make_unique<EventCount<P>>(generation_));
    for (int worker = 0; worker < shape_.workers(); ++worker)
        arrivals_.push_back(std::make_unique<EventCount<P>>(generation_));
}

template <class P>
void FrameBarrier<P>::release(std::int64_t due_ns) noexcept {
    generation_ = {generation_.sequence + 1, static_cast<std::uint16_t>(active_)};
    due_ns_.set(due_ns);
    for (std::size_t group = 0; group < releases_.size(); ++group)
        if (shape_.first[group] < active_) // B3
            releases_[group]->advance(generation_);
}

template <class P>
bool FrameBarrier<P>::gather() noexcept {
    return collect(0, generation_);
}

template <class P>
bool FrameBarrier<P>::collect(int parent, Event release) noexcept {
    const auto arrived = [&](Event event) { return event.sequence == release.sequence; };
    bool flagged = false;
    for (const int child : shape_.children[std::size_t(parent)]) {
        // B1. Children ascend, so nobody after this one takes part either.
        if (child >= release.payload)
            break;
        flagged |= arrivals_[std::size_t(child)]->await(arrived, waiting_).payload != 0;
    }
    return flagged;
}

template <class P>
void FrameBarrier<P>::set_active(int active) noexcept {
    TAKT_CHECK(active >= 1 && active <= workers(), "B1",
               "Pass a count between 1 and the number of workers");
    active_ = active;
    roster_.advance({++changes_, static_cast<std::uint16_t>(active)});
}

template <class P>
void BarrierMember<P>::await_release() noexcept {
    FrameBarrier<P>& barrier = *barrier_;
    const int group = barrier.shape_.group[std::size_t(index_)];
    const auto released = [&](Event event) { return event.sequence != seen_.sequence; };
    const auto listed = [&](Event event) { return index_ < event.payload; };
    for (;;) {
        seen_ = barrier.releases_[std::size_t(group)]->await(released, barrier.waiting_, due_ns_);
        if (listed(seen_))
            break;
        // B3. The roster was advanced before the release that left this member out.
        barrier.roster_.await(listed, Waiting{.spin_ns = 0});
        due_ns_ = kNever;
    }
    due_ns_ = barrier.due_ns_.get(); // B2: the root writes it again only after this member arrived
}

template <class P>
void BarrierMember<P>::arrive(bool flag) noexcept {
    flag |= barrier_->collect(index_, seen_);
    barrier_->arrivals_[std::size_t(index_)]->advance({seen_.sequence, flag});
}

} // namespace takt
