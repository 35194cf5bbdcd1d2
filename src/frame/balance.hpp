// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. When workers share their mail in a phase, and which shards move between rounds.
// Below: sharing. Above: engine.

#include "takt/frame.hpp"

#include <atomic>
#include <cstdint>
#include <vector>

namespace takt::detail {

class Engine;

struct BalanceOptions {
    bool claims = true;
    bool moves = true;
};

/// Sharing costs about a hundred nanoseconds a message, so it is on only while it is needed: after a worker
/// has been idle for long in a phase in which another one worked, and as long as shards are claimed;
/// and not where messages are so short that fetching their actors costs more than they do.
class Balance {
  public:
    Balance(Engine& engine, const BalanceOptions& options);
    Balance(const Balance&) = delete;
    Balance& operator=(const Balance&) = delete;

    // --- the frame thread ---
    /// A parallel phase is about to begin.
    void before_phase() noexcept;
    /// It is over. `left`: mail was left in it, in lanes or kept by workers that ran actors of others.
    void after_phase(bool left) noexcept {
        has_left_ = left;
        follows_shards_ = shares_ && (left || is_reproducible_);
    }
    /// At the end of a serial phase; `is_quiet`: no mail is under way, so that shards may move (A2).
    void after_round(bool is_quiet);
    /// Whose outbox what an actor of that shard sends in the serial phase belongs in (N8).
    int runner(std::uint16_t shard) const noexcept;
    /// An actor of that shard has sent mail in this serial phase (N8).
    void note_sent(std::uint16_t shard) noexcept;
    /// Who opens what was kept for its actors when the next phase begins.
    int opener(std::uint16_t shard) const noexcept;
    BalanceCounts counts() const noexcept;
    /// Messages that went through two lanes.
    std::uint64_t passed_on() const noexcept { return passed_on_; }

    // --- workers, in the phase ---
    bool shares() const noexcept { return shares_; }
    std::uint32_t epoch() const noexcept { return epoch_; }
    /// Costs are added up from one look at them to the next.
    std::uint32_t window() const noexcept { return window_; }
    /// The other workers, those of the same cache first.
    const std::vector<int>& neighbours(int worker) const noexcept {
        return neighbours_[static_cast<std::size_t>(worker)];
    }
    /// Somebody has nothing to do while others have, or has taken work from them. Wait-free.
    void note_need() noexcept {
        if (!is_needed_.load(std::memory_order_relaxed))       // relaxed: a hint
            is_needed_.store(true, std::memory_order_relaxed); // relaxed: a hint
    }
    /// So many pieces of work are on offer: workers that sleep have a look.
    void wake_for_claims(int owner, std::uint32_t pieces) noexcept;

  private:
    bool make_shards() noexcept;
    bool is_worth_it() const noexcept;
    double cost(int worker) const noexcept;
    void move_shards();
    int receiver_for(int from, double average) const noexcept;
    void move_from(int from, int to, double average);

    Engine& engine_;
    const BalanceOptions options_;
    const std::vector<int> cache_groups_;
    const bool is_reproducible_;
    const bool can_share_;
    std::vector<std::vector<int>> neighbours_;
    bool has_shards_ = false;
    bool shares_ = false;
    bool has_left_ = false;
    bool will_share_ = false;     // in the next phase that follows one which leaves no mail
    bool follows_shards_ = false; // what the serial phase sends goes through the runners' outboxes
    std::uint32_t epoch_ = 1;
    std::uint32_t window_ = 1;
    std::uint32_t shared_left_ = 0; // phases until sharing ends
    std::uint32_t paused_left_ = 0; // phases in which it does not begin
    std::uint32_t until_look_ = 0;  // shared phases
    std::uint32_t uneven_looks_ = 0;
    std::uint64_t moves_ = 0;
    std::uint64_t passed_on_ = 0;
    std::vector<std::uint16_t> movable_;
    // is_needed_:   writes: workers, the frame thread   reads: the same
    alignas(kInterference) std::atomic<bool> is_needed_{false};
};

} // namespace takt::detail
