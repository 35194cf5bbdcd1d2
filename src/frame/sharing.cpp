// SPDX-License-Identifier: MIT
#include "frame/sharing.hpp"

#include "frame/engine.hpp"
#include "frame/frame_worker.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace takt::detail {

namespace {

// Shards that cost more than this part of all that a worker gathered run first, the dearest before all.
constexpr float kDearPart = 1.0F / 16;
// How much the last phase counts for what a shard costs.
constexpr float kNewest = 0.25F;
// Pauses until a claimer has named itself, before the CPU is left to it.
constexpr int kPausesForName = 100;

} // namespace

Sharing::Shard& Sharing::shard(std::uint16_t number) noexcept {
    Shard& found = shards_[number];
    if (found.epoch != epoch_) {
        found.epoch = epoch_;
        found.runner = std::exchange(found.has_sent, false)
                           ? static_cast<std::int16_t>(owner_.worker)
                           : kNotRun;
    }
    return found;
}

void Sharing::make_shards() {
    fresh_.reserve(ActorTable::kShards);
    shards_.resize(ActorTable::kShards);
}

void Sharing::begin(bool is_on, std::uint32_t epoch) noexcept {
    is_on_ = is_on;
    epoch_ = epoch;
    has_run_ = false;
}

void Sharing::keep(std::uint16_t number) noexcept {
    if (is_on_ && owner_.table->owner(number) == owner_.worker)
        shard(number).runner = static_cast<std::int16_t>(owner_.worker);
}

// --- what came ---

// Once the shards are settled what comes stays in the lanes until it is run, as it does elsewhere: the
// senders' bounds go by that.
bool Sharing::gather(std::uint64_t address, const MailType& type, MailHead& mail) {
    const ActorTable& table = *owner_.table;
    const ActorRef to = ActorRef::from_address(address);
    const std::uint16_t number = table.cell(to.slot()).read_word().shard;
    const bool is_mine = address != 0 && table.owner(number) == owner_.worker;
    Shard* const found = is_mine && !table.is_pinned(number) ? &shard(number) : nullptr;
    if (found != nullptr && found->runner != kNotRun && found->runner != owner_.worker) {
        pass_on(found->runner, address, type, mail);
        return true;
    }
    const bool is_own = found == nullptr || found->runner == owner_.worker;
    if (is_own && has_run_)
        return false;
    GatheredMail* gathered = nullptr;
    try {
        void* const node = owner_.memory.take(sizeof(GatheredMail), alignof(GatheredMail));
        void* const at = owner_.memory.take(type.payload_bytes, type.align);
        type.move_to(at, &mail);
        gathered = ::new (node) GatheredMail{nullptr, address, &type, static_cast<MailHead*>(at)};
    } catch (const std::bad_alloc&) {
        owner_.lose_on_the_way(address, mail, type);
        return true;
    }
    if (is_own) {
        own_.add(gathered);
        return true;
    }
    if (found->gathered.count == 0)
        fresh_.push_back(number);
    found->gathered.add(gathered);
    return true;
}

void Sharing::pass_on(int worker, std::uint64_t address, const MailType& type, MailHead& mail) {
    void* const room = owner_.outbox->reserve_exempt(worker, type.payload_bytes, type.align);
    if (room == nullptr) {
        owner_.lose_on_the_way(address, mail, type);
        return;
    }
    type.move_to(room, &mail);
    owner_.outbox->commit(worker, type, address);
    ++owner_.sent;
    ++passed_on_;
}

// --- what becomes of it ---

void Sharing::run() {
    const Offered offered = offer();
    has_run_ = true;
    owner_.publish(); // what was passed on
    run_own();
    while (ShardMail* const work = claims_.claim()) {
        work->set_claimer(owner_.worker);
        run(*work);
    }
    settle(offered);
}

Sharing::Offered Sharing::offer() {
    const auto count = static_cast<std::uint32_t>(fresh_.size());
    if (count == 0)
        return {nullptr, 0};
    put_dear_ones_first();
    ShardMail* first = nullptr;
    try {
        offered_.reserve(offered_.size() + 1);
        first = static_cast<ShardMail*>(
            owner_.memory.take(count * sizeof(ShardMail), alignof(ShardMail)));
    } catch (const std::bad_alloc&) {
        keep_all();
        return {nullptr, 0};
    }
    for (std::uint32_t at = 0; at < count; ++at) {
        Shard& found = shards_[fresh_[at]];
        ::new (first + at) ShardMail(fresh_[at], found.gathered);
        found.gathered = {};
    }
    fresh_.clear();
    offered_.push_back({first, count});
    claims_.offer(first, count);
    owner_.engine().balance().wake_for_claims(owner_.worker, count);
    return offered_.back();
}

// Without memory for an offer.
void Sharing::keep_all() noexcept {
    for (const std::uint16_t number : fresh_) {
        own_.add_all(std::exchange(shards_[number].gathered, {}));
        keep(number);
    }
    fresh_.clear();
}

// A dear one that begins last holds up the phase. Cheap ones stay as they came: sorting all would cost
// more than it gains. (R. L. Graham, "Bounds on multiprocessing timing anomalies", 1969.)
void Sharing::put_dear_ones_first() noexcept {
    float sum = 0;
    for (const std::uint16_t number : fresh_)
        sum += shards_[number].last_cost;
    const float dear = sum * kDearPart;
    const auto is_dear = [&](std::uint16_t number) { return shards_[number].last_cost > dear; };
    const auto end = std::partition(fresh_.begin(), fresh_.end(), is_dear);
    std::sort(fresh_.begin(), end, [this](std::uint16_t one, std::uint16_t other) {
        return shards_[one].last_cost > shards_[other].last_cost;
    });
}

void Sharing::run_own() {
    if (own_.count == 0)
        return;
    const std::int64_t begin_ns = now_ns();
    const GatheredList list = std::exchange(own_, {});
    run(list);
    own_ns_ += now_ns() - begin_ns;
    own_messages_ += list.count;
}

void Sharing::run(ShardMail& work) {
    const std::int64_t begin_ns = now_ns();
    run(work.mail);
    work.took_ns = now_ns() - begin_ns;
}

void Sharing::run(const GatheredList& list) {
    for (GatheredMail* mail = list.first; mail != nullptr; mail = mail->next)
        owner_.open_gathered(mail->address, *mail->type, *mail->mail);
}

// N6, N8. A claimer names itself a few instructions after it has claimed.
void Sharing::settle(const Offered& offered) noexcept {
    for (std::uint32_t at = 0; at < offered.count; ++at) {
        const ShardMail& work = offered.first[at];
        std::int32_t claimer = work.claimer();
        for (int pauses = 0; claimer == ShardMail::kNobody; claimer = work.claimer())
            ++pauses < kPausesForName ? StdPolicy::pause() : StdPolicy::yield();
        shard(work.shard).runner = static_cast<std::int16_t>(claimer);
    }
}

// --- others' work ---

bool Sharing::claim(bool all) noexcept {
    if (!is_on_)
        return false;
    const std::vector<int>& neighbours = owner_.engine().balance().neighbours(owner_.worker);
    for (std::size_t tried = 0; tried < (all ? neighbours.size() : 1); ++tried) {
        if (next_victim_ >= neighbours.size())
            next_victim_ = 0;
        Claims<StdPolicy, ShardMail>& theirs =
            owner_.engine().worker(neighbours[next_victim_]).sharing().claims();
        if (theirs.has_some() && (claimed_work_ = theirs.claim()) != nullptr)
            return true;
        ++next_victim_;
    }
    return false;
}

std::size_t Sharing::run_claimed() {
    ShardMail* const work = std::exchange(claimed_work_, nullptr);
    if (work == nullptr)
        return 0;
    work->set_claimer(owner_.worker); // N7
    ++claimed_;
    owner_.engine().balance().note_need();
    run(*work);
    return work->mail.count;
}

// --- what it cost ---

void Sharing::learn(std::uint32_t window) noexcept {
    if (offered_.empty() && own_messages_ == 0)
        return;
    if (window_ != window)
        effort_ = {};
    window_ = window;
    for (const Offered& offered : offered_)
        for (std::uint32_t at = 0; at < offered.count; ++at)
            learn(offered.first[at]);
    offered_.clear();
    const auto own_ns = static_cast<double>(std::exchange(own_ns_, 0));
    const auto own_messages = static_cast<double>(std::exchange(own_messages_, 0));
    effort_.cost += owner_.is_reproducible ? own_messages : own_ns;
    effort_.busy_ns += own_ns;
    effort_.messages += own_messages;
}

void Sharing::learn(const ShardMail& work) noexcept {
    const auto took_ns = static_cast<float>(work.took_ns);
    const auto messages = static_cast<float>(work.mail.count);
    const float cost = owner_.is_reproducible ? messages : took_ns;
    Shard& found = shards_[work.shard];
    if (found.window != window_)
        found.window_cost = 0;
    found.window = window_;
    found.window_cost += cost;
    found.last_cost += kNewest * (cost - found.last_cost);
    effort_.cost += cost;
    effort_.busy_ns += took_ns;
    effort_.messages += messages;
}

int Sharing::runner(std::uint16_t number, std::uint32_t epoch) const noexcept {
    const Shard& found = shards_[number];
    return found.epoch == epoch && found.runner != kNotRun ? found.runner : owner_.worker;
}

// Where the last phase has left mail its runners stay: this one is the owner by now.
void Sharing::note_sent(std::uint16_t number) noexcept {
    Shard& found = shards_[number];
    if (found.epoch == epoch_ && found.runner == kNotRun)
        found.runner = static_cast<std::int16_t>(owner_.worker);
    found.has_sent = true;
}

void Sharing::list_movable(std::vector<std::uint16_t>& to) const {
    to.clear();
    const ActorTable& table = *owner_.table;
    for (std::size_t at = 0; at < shards_.size(); ++at) {
        const auto number = static_cast<std::uint16_t>(at);
        if (shards_[at].window == window_ && shards_[at].window_cost > 0 &&
            table.owner(number) == owner_.worker && !table.is_pinned(number))
            to.push_back(number);
    }
    std::sort(to.begin(), to.end(), [this](std::uint16_t one, std::uint16_t other) {
        return cost_of(one) > cost_of(other);
    });
}

void Sharing::hand_over(std::uint16_t number, Sharing& to) noexcept {
    Shard& from = shards_[number];
    Shard& there = to.shards_[number];
    there.window = window_;
    there.window_cost = std::exchange(from.window_cost, 0.0F);
    there.last_cost = std::exchange(from.last_cost, 0.0F);
    if (to.window_ != window_)
        to.effort_ = {};
    to.window_ = window_;
    effort_.cost -= there.window_cost;
    to.effort_.cost += there.window_cost;
}

} // namespace takt::detail
