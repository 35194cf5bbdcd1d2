// SPDX-License-Identifier: MIT
#include "frame/balance.hpp"

#include "frame/engine.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace takt::detail {

namespace {

// Phases that are shared after the last sign that it is needed.
constexpr std::uint32_t kSharedPhases = 64;
// Phases without sharing after it was not worth it.
constexpr std::uint32_t kPause = 1024;
// Shared phases between two looks at what they cost.
constexpr std::uint32_t kPhasesPerLook = 16;
// Nanoseconds of a message, from which on sharing pays.
constexpr double kWorthNs = 400;
// Looks in a row that find the workers' own actors so uneven before any moves, and how uneven.
constexpr std::uint32_t kUnevenLooks = 3;
constexpr double kUneven = 1.1;
// Shards that move in one round.
constexpr int kMovesMax = 32;
// Workers beyond which a shard more for each, for those that are pinned, is not there.
constexpr std::size_t kWorkersMax = ActorTable::kShards / 4;

std::vector<std::vector<int>> neighbours_of(const std::vector<int>& groups) {
    std::vector<std::vector<int>> all;
    for (std::size_t self = 0; self < groups.size(); ++self) {
        std::vector<int> others;
        for (std::size_t step = 1; step < groups.size(); ++step) // each begins with another one
            others.push_back(static_cast<int>((self + step) % groups.size()));
        std::stable_partition(others.begin(), others.end(), [&](int other) {
            return groups[static_cast<std::size_t>(other)] == groups[self];
        });
        all.push_back(std::move(others));
    }
    return all;
}

std::vector<int> groups_of(const Engine& engine) {
    std::vector<int> groups;
    for (const PlannedWorker& worker : engine.options().plan.workers)
        groups.push_back(worker.llc);
    return groups;
}

} // namespace

Balance::Balance(Engine& engine, const BalanceOptions& options)
    : engine_(engine), options_(options), cache_groups_(groups_of(engine)),
      is_reproducible_(engine.options().next_round),
      can_share_(options.claims && cache_groups_.size() > 1 &&
                 cache_groups_.size() <= kWorkersMax && engine.options().phase_time_ns == kNever) {
    if (can_share_)
        neighbours_ = neighbours_of(cache_groups_);
}

// N8: what was sent before a shard had a runner must have been taken. In next_round all mail of a phase
// is taken before the next one runs anything.
void Balance::before_phase() noexcept {
    if (!can_share_)
        return;
    if (is_needed_.load(std::memory_order_relaxed)) {       // relaxed: a hint
        is_needed_.store(false, std::memory_order_relaxed); // relaxed: a hint
        shared_left_ = paused_left_ == 0 ? kSharedPhases : 0;
    }
    if (paused_left_ > 0)
        --paused_left_;
    if (has_left_ && !is_reproducible_)
        return;
    ++epoch_;
    const bool did_share = shares_;
    shares_ = will_share_ && shared_left_ > 0; // what was sent since the last phase has been noted
    will_share_ = shared_left_ > 0 && (has_shards_ || make_shards());
    if (shares_)
        --shared_left_;
    if (shares_ && !did_share)
        until_look_ = kPhasesPerLook;
}

// Here, so that nothing that comes later can fail for lack of memory.
bool Balance::make_shards() noexcept {
    try {
        movable_.reserve(ActorTable::kShards);
        for (int worker = 0; worker < engine_.workers(); ++worker)
            engine_.worker(worker).sharing().make_shards();
        return has_shards_ = true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

void Balance::after_round(bool is_quiet) {
    if (!shares_)
        return;
    engine_.worker(0).sharing().learn(window_); // its memory goes with the round
    passed_on_ = counts().passed_on;
    if (until_look_ > 0)
        --until_look_;
    if (until_look_ != 0)
        return;
    if (!is_worth_it()) {
        shared_left_ = 0;
        paused_left_ = kPause;
    } else if (!is_quiet) {
        return; // until it is
    } else if (options_.moves) {
        move_shards();
    }
    until_look_ = kPhasesPerLook;
    ++window_;
}

int Balance::runner(std::uint16_t shard) const noexcept {
    const int owner = engine_.table().owner(shard);
    return follows_shards_ ? engine_.worker(owner).sharing().runner(shard, epoch_) : owner;
}

// With next_round a claim ends with its phase; else it goes on where the phase has left mail.
int Balance::opener(std::uint16_t shard) const noexcept {
    return is_reproducible_ ? engine_.table().owner(shard) : runner(shard);
}

void Balance::note_sent(std::uint16_t shard) noexcept {
    if (will_share_ && !is_reproducible_)
        engine_.worker(engine_.table().owner(shard)).sharing().note_sent(shard);
}

void Balance::wake_for_claims(int owner, std::uint32_t pieces) noexcept {
    if (pieces < 2)
        return;
    for (int worker = 0; worker < engine_.workers(); ++worker)
        if (worker != owner)
            engine_.mailboxes().mailbox(worker).bell().look();
}

// --- between rounds ---

double Balance::cost(int worker) const noexcept {
    return engine_.worker(worker).sharing().effort(window_).cost;
}

bool Balance::is_worth_it() const noexcept {
    double busy_ns = 0;
    double messages = 0;
    for (int worker = 0; worker < engine_.workers(); ++worker) {
        const Sharing::Effort effort = engine_.worker(worker).sharing().effort(window_);
        busy_ns += effort.busy_ns;
        messages += effort.messages;
    }
    return busy_ns >= kWorthNs * messages;
}

// From the worker whose actors cost most, once they have cost too much for several looks: work that
// is uneven in another way in each frame is claimed, and moving would only chase it.
void Balance::move_shards() {
    double sum = 0;
    double most = -1;
    int dearest = 0;
    for (int worker = 0; worker < engine_.workers(); ++worker) {
        sum += cost(worker);
        if (cost(worker) > most) {
            most = cost(worker);
            dearest = worker;
        }
    }
    const double average = sum / engine_.workers();
    uneven_looks_ = most > kUneven * average ? uneven_looks_ + 1 : 0;
    if (uneven_looks_ < kUnevenLooks)
        return;
    uneven_looks_ = 0;
    move_from(dearest, receiver_for(dearest, average), average);
}

// The one with the least to do of those that share a cache, if it has less than its part; else of all.
int Balance::receiver_for(int from, double average) const noexcept {
    int nearest = -1;
    int least = -1;
    for (const int worker : neighbours_[static_cast<std::size_t>(from)]) {
        if (least < 0 || cost(worker) < cost(least))
            least = worker;
        const bool is_near = cache_groups_[static_cast<std::size_t>(worker)] ==
                             cache_groups_[static_cast<std::size_t>(from)];
        if (is_near && (nearest < 0 || cost(worker) < cost(nearest)))
            nearest = worker;
    }
    return nearest >= 0 && cost(nearest) * kUneven < average ? nearest : least;
}

// The dearest first, of those that fit into what the one has too much and the other too little.
void Balance::move_from(int from, int to, double average) {
    Sharing& giver = engine_.worker(from).sharing();
    Sharing& taker = engine_.worker(to).sharing();
    giver.list_movable(movable_);
    int moved = 0;
    for (const std::uint16_t shard : movable_) {
        const double room = std::min(cost(from) - average, average - cost(to));
        if (moved == kMovesMax || room <= 0)
            break;
        if (giver.cost_of(shard) > room)
            continue;
        engine_.table().move_shard(shard, to);
        giver.hand_over(shard, taker);
        ++moved;
    }
    moves_ += static_cast<std::uint64_t>(moved);
}

BalanceCounts Balance::counts() const noexcept {
    BalanceCounts counts;
    counts.moves = moves_;
    for (int worker = 0; worker < engine_.workers(); ++worker) {
        counts.claims += engine_.worker(worker).sharing().claimed();
        counts.passed_on += engine_.worker(worker).sharing().passed_on();
    }
    return counts;
}

} // namespace takt::detail
