// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. The selector that dispatchers use unless told otherwise: the target with the
// least load. Below: load, snapshot.

#include "takt/actor/snapshot.hpp"

#include <algorithm>
#include <cstdint>

namespace takt {

/// How LeastBusy looks at the loads.
struct LeastBusyConfig {
    /// Up to so many targets every selection reads all counters, above it reads a private snapshot.
    /// 0: always the snapshot, as runs that must repeat bit by bit want it.
    std::uint32_t exact_up_to = 64;
    /// Selections from one snapshot; then it is taken anew. 0: as many as there are targets, so
    /// that a selection costs one counter read on average. kOnRequest: only by refresh().
    std::uint32_t picks_per_refresh = 0;
    /// Which of how many threads that dispatch to these targets this selector works for. If fewer
    /// are active than said, loads even out more slowly, not wrongly; if more, they herd.
    Seat seat = {};

    static constexpr std::uint32_t kOnRequest = UINT32_MAX;
};

/// The least loaded target; equal ones take turns. Replaces what VMsDispatcher did (sort all
/// targets by `Tasks`, take the first) without its herd.
///
/// - Exact (few targets): what this thread added is in the counters it reads, so while it is the
///   only one that dispatches, targets that are equal get equal shares, to one task.
/// - Snapshot (many targets): the same with the loads of the last refresh plus the own selections
///   since; see LoadSnapshot for several dispatchers.
///
/// Wait-free: n counter reads in the exact form, else two entries, and n reads at a refresh.
///
/// V4  Without room for a snapshot, since fit() was not called, every selection is exact.
/// V5  Seats are numbered from 0 and each dispatching thread has its own; two on one seat herd.
class LeastBusy {
  public:
    explicit LeastBusy(LeastBusyConfig config = {}) noexcept
        : config_(config), next_(config.seat.index) {
        TAKT_CHECK(config.seat.index < config.seat.of, "V5", "Number the seats from 0");
    }

    /// Makes room for the snapshot of so many targets. Throws std::bad_alloc; all is as before
    /// then.
    void fit(std::uint32_t targets) {
        if (targets > config_.exact_up_to)
            snapshot_.reserve(targets);
        picks_left_ = 0;
    }
    /// Looks at the loads anew; the next selection knows them.
    template <LoadView L>
    void refresh(const L& loads) noexcept;
    /// From the next refresh on.
    void sit(Seat seat) noexcept { config_.seat = seat; }

    template <LoadView L>
    Selection select(const L& loads) noexcept;

  private:
    bool is_exact(std::uint32_t targets) const noexcept {
        return targets <= config_.exact_up_to || targets > snapshot_.capacity(); // V4
    }
    template <LoadView L>
    Target scan(const L& loads, std::uint32_t targets) noexcept;

    LeastBusyConfig config_;
    Target next_; // where the next scan begins, so that equal loads take turns
    std::uint64_t picks_left_ = 0;
    LoadSnapshot snapshot_;
};

template <LoadView L>
Selection LeastBusy::select(const L& loads) noexcept {
    const std::uint32_t targets = loads.size();
    if (targets == 0)
        return std::nullopt;
    if (is_exact(targets))
        return scan(loads, targets);
    if (picks_left_ == 0 || targets != snapshot_.size()) [[unlikely]] // V1
        refresh(loads);
    --picks_left_;
    return snapshot_.pick();
}

template <LoadView L>
void LeastBusy::refresh(const L& loads) noexcept {
    if (is_exact(loads.size()))
        return;
    snapshot_.refresh(loads, config_.seat);
    picks_left_ = config_.picks_per_refresh == LeastBusyConfig::kOnRequest ? UINT64_MAX
                  : config_.picks_per_refresh == 0                         ? snapshot_.size()
                                                   : config_.picks_per_refresh;
}

template <LoadView L>
Target LeastBusy::scan(const L& loads, std::uint32_t targets) noexcept {
    Target best = next_ < targets ? next_ : 0;
    std::uint64_t least = loads.peek(best);
    Target target = best;
    // Nothing is better than an idle target, and the first one from next_ on has waited longest.
    for (std::uint32_t others = targets - 1; others > 0 && least > 0; --others) {
        target = target + 1 < targets ? target + 1 : 0;
        const std::uint64_t load = loads.peek(target);
        best = load < least ? target : best;
        least = std::min(least, load);
    }
    next_ = best + 1;
    return best;
}

} // namespace takt
