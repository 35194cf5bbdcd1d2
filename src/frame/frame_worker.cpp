// SPDX-License-Identifier: MIT
#include "frame/frame_worker.hpp"

#include "frame/engine.hpp"

#include <algorithm>
#include <utility>

namespace takt::detail {

namespace {

// Messages of each kind, own and others', between two looks at the budget.
constexpr std::size_t kBatch = 64;
// The same where the budget is a time, which is read then.
constexpr std::size_t kTimedBatch = 8;
// Empty polls before a worker that has just written to another one rests: an answer is likely, and
// resting and waking again costs both of them a line.
constexpr int kPollsForAnswer = 64;
// Polls between two reads of the clock, which cost as much as two pauses.
constexpr int kPollsPerClockRead = 32;
// Messages that a worker takes out of its lanes before it runs some, while it gathers them by shards.
constexpr std::uint64_t kGatheredMax = 4096;
// Nanoseconds in which a worker has nothing to do while others have, that are worth a change.
constexpr std::int64_t kLongIdleNs = 10'000;
// Workers for each poll between two looks of worker 0 at all of them.
constexpr int kWorkersPerPoll = 4;

} // namespace

TopicCounts& TopicTable::add(std::uint64_t topic, const char* name) {
    if (2 * ++used_ > places_.size()) {
        std::vector<TopicCounts> before(2 * places_.size());
        before.swap(places_);
        mask_ = places_.size() - 1;
        used_ = 1; // the new one; the others count again
        for (const TopicCounts& place : before)
            if (place.topic != 0)
                place_of(place.topic, place.name) = place;
    }
    for (std::size_t at = topic;; ++at) {
        TopicCounts& place = places_[at & mask_];
        if (place.topic == 0) {
            place = {topic, name, {}, {}};
            return place;
        }
    }
}

FrameWorker::FrameWorker(Engine& engine, int index)
    : engine_(engine), index_(index), mailbox_(engine.mailboxes().mailbox(index)),
      orders_mail_(engine.options().next_round || engine.options().seed),
      frames_(engine.frame_group()), homes_(static_cast<unsigned>(index)) {
    worker = index;
    table = &engine.table();
    runtime = table->runtime();
    runtime_id = engine.frame_group();
    world_sequence = &engine.world_sequence();
    host = &engine;
    task_host = &engine;
    outbox = &engine.mailboxes().outbox(index);
    checks = engine.options().checks;
    on_violation = engine.options().on_violation;
    is_reproducible = engine.options().next_round;
    if (const std::optional<std::uint64_t> seed = engine.options().seed)
        order_ = std::make_unique<SeededMerge>(*seed);
}

void FrameWorker::serve() noexcept {
    set_current_context(this);
    set_current_frame_pool(&frames_);
    phase = Phase::parallel;
    const Phases& phases = engine_.quiescence();
    for (Phases::Number number = phases.phase(); number != Phases::kLeave; number = phases.phase())
        run_phase(Phases::opened(number));
    probe_ = t_probe = nullptr;
    leave_hooks();
}

void FrameWorker::run_phase(Phases::Number number) noexcept {
    phase = Phase::parallel;
    bool used_up = engine_.options().next_round; // what comes is for the next round
    bool is_begun = false;
    do {
        try {
            if (!std::exchange(is_begun, true))
                begin_phase();
            used_up |= !work(used_up);
        } catch (...) {
            failure_ = std::current_exception();
            outbox->publish(); // N1
            used_up = true;
        }
    } while (rest_until_mail(number, used_up) == Seen::mail);
    if (index_ == 0) {
        phase = Phase::serial;
        record_rest(probe_ == nullptr ? 0 : tick()); // the others do so in the next phase
        t_probe = engine_.recording().serial();
    }
}

void FrameWorker::begin_phase() {
    const EngineOptions& options = engine_.options();
    begin_observation();
    outbox = &engine_.mailboxes().outbox(index_);
    outbox->publish(); // N5
    outbox->recycle_now_and_then();
    if (index_ != 0) { // what the serial phase had of it is done
        sharing_.learn(engine_.balance().window());
        memory.reset();
    }
    sorted_ = 0;
    budget_ = options.phase_messages;
    sharing_.begin(engine_.balance().shares(), engine_.balance().epoch());
    run_claimed(); // of this phase, from before it began here
    end_ns_ = options.phase_time_ns == kNever ? kNever : later(now_ns(), options.phase_time_ns);
    due_ns_ = engine_.quiescence().due_ns();
    open_due();
    if (orders_mail_)
        options.next_round ? run_admitted() : run_drawn();
}

void FrameWorker::begin_observation() noexcept {
    if (engine_.hooks() != hooks_)
        take_hooks();
    const Recording& recording = engine_.recording();
    Probe* const probe = recording.of_worker(index_);
    is_observed_ = probe != nullptr || hooks_ != nullptr || engine_.is_watched();
    if (hooks_ != nullptr)
        note_phase_begin(Phase::parallel);
    if (probe == nullptr && probe_ == nullptr)
        return;
    if (probe != probe_) // what it knows is of another recording
        park_tick_ = 0;
    probe_ = t_probe = probe;
    times_ = recording.times_of_worker(index_);
    stamps_mail = probe != nullptr && !orders_mail_;
    record_rest(recording.phase_end_tick);
}

// `end_tick`: when the phase was over in which it rested, 0: it is not.
void FrameWorker::record_rest(std::uint64_t end_tick) noexcept {
    is_last_tick_new_ = false;
    if (probe_ == nullptr || probe_->rest_tick == 0)
        return;
    if (park_tick_ != 0)
        probe_->write(ProbeKind::park, park_tick_, park_end_tick_, nullptr, 0);
    if (end_tick > probe_->rest_tick)
        times_->barrier.record(engine_.recording().ns_of_ticks(end_tick - probe_->rest_tick));
    last_tick_ = tick();
    probe_->write(ProbeKind::rest, probe_->rest_tick, last_tick_, nullptr, 0);
    probe_->rest_tick = park_tick_ = 0;
}

void FrameWorker::open_observed(std::uint64_t address, const MailType& type, MailHead& mail) {
    const std::uint64_t begin = is_last_tick_new_ || probe_ == nullptr ? last_tick_ : tick();
    const std::uint64_t sender = mail.sender; // handlers may take the mail
    const char* const name = mail.topic_name;
    has_called_ = false;
    bool is_simple = false;
    const auto open = [&] {
        is_simple = open_simple(address, type, mail);
        if (!is_simple)
            open_any(address, type, mail);
    };
    if (hooks_ != nullptr || engine_.is_watched()) {
        const Noted noted(*this, name, address);
        open();
    } else {
        open();
    }
    if (probe_ == nullptr)
        return;
    last_tick_ = tick();
    is_last_tick_new_ = true;
    if (!is_simple && !has_called_) // what else there is to see is noted where it is done
        return;
    const Recording& recording = engine_.recording();
    probe_->write(ProbeKind::handler, begin, last_tick_, name, address);
    times_->handler.record(recording.ns_of_ticks(last_tick_ - begin));
    if (stamps_mail && sender != 0) {
        const SendStamp sent_at = SendStamp::unpack(sender, begin);
        probe_->write(ProbeKind::sent, sent_at.tick, 0, nullptr, 0,
                      static_cast<unsigned>(sent_at.worker));
        times_->queue_wait.record(recording.ns_of_ticks(begin - sent_at.tick));
    }
}

void FrameWorker::note_begin(const char* topic, std::uint64_t address) noexcept {
    if (engine_.is_watched()) {
        const ActorCell* const cell = table->find(ActorRef::from_address(address));
        const bool has_name = cell != nullptr && cell->more != nullptr;
        running_.begin(address, topic, has_name ? std::string_view(cell->more->name) : "");
    }
    if (hooks_ != nullptr && hooks_->scope_begin != nullptr)
        hooks_->scope_begin(hooks_->user, index_, topic, ActorRef::from_address(address));
}

void FrameWorker::note_end() noexcept {
    if (engine_.is_watched())
        running_.end();
    if (hooks_ != nullptr && hooks_->scope_end != nullptr)
        hooks_->scope_end(hooks_->user, index_);
}

void FrameWorker::note_phase_begin(Phase which) noexcept {
    if (hooks_ != nullptr && hooks_->phase_begin != nullptr)
        hooks_->phase_begin(hooks_->user, index_, which);
}

void FrameWorker::note_phase_end(Phase which) noexcept {
    if (hooks_ != nullptr && hooks_->phase_end != nullptr)
        hooks_->phase_end(hooks_->user, index_, which);
}

void FrameWorker::take_hooks() noexcept {
    leave_hooks();
    hooks_ = engine_.hooks();
    if (hooks_ != nullptr && hooks_->thread_start != nullptr)
        hooks_->thread_start(hooks_->user, index_);
}

void FrameWorker::leave_hooks() noexcept {
    if (hooks_ != nullptr && hooks_->thread_stop != nullptr)
        hooks_->thread_stop(hooks_->user, index_);
    hooks_ = nullptr;
}

// False: the budget is used up.
bool FrameWorker::work(bool used_up) {
    run_claimed();
    if (used_up) {
        while (help()) {
        }
        return false;
    }
    for (;;) {
        const bool more = sharing_.is_on() ? share_some() : drain_some();
        if (budget_ == 0 || (end_ns_ != kNever && now_ns() >= end_ns_))
            return false;
        if (!more && !open_due() && !help() && !poll_for_answers())
            return true;
    }
}

// As drain_some(), but by shards. True: there was some mail.
bool FrameWorker::share_some() {
    const auto visit = [this](std::uint64_t address, const RecordType& type, void* payload) {
        ++taken_;
        gather(address, static_cast<const MailType&>(type), *static_cast<MailHead*>(payload));
    };
    is_last_tick_new_ = false;
    const std::size_t others = mailbox_.drain(visit, std::min(budget_, kGatheredMax));
    budget_ -= others;
    const std::size_t own = mailbox_.drain_own(visit, std::min(budget_, kGatheredMax));
    budget_ -= own;
    sharing_.run();
    return others + own != 0;
}

// What was gathered before is run, whatever happens to this one for lack of memory.
void FrameWorker::gather(std::uint64_t address, const MailType& type, MailHead& mail) noexcept {
    try {
        if (sharing_.gather(address, type, mail))
            return;
        open(address, type, mail);
    } catch (...) {
        failure_ = std::current_exception();
    }
    publish();
}

// Runs something of another worker's. False: there was nothing.
bool FrameWorker::help() {
    if (budget_ == 0 || !sharing_.claim(true))
        return false;
    run_claimed();
    return true;
}

void FrameWorker::run_claimed() {
    const std::uint64_t begin = probe_ == nullptr ? 0 : tick();
    is_last_tick_new_ = false;
    const std::size_t messages = sharing_.run_claimed();
    budget_ -= std::min<std::uint64_t>(budget_, messages);
    if (probe_ != nullptr && messages != 0) {
        probe_->write(ProbeKind::claim, begin, tick(), nullptr, 0);
        probe_->write(ProbeKind::number, 0, 0, nullptr, messages);
    }
    if (orders_mail_ && sharing_.is_on()) // in the round in which the owner would have done so
        open_due();
}

void FrameWorker::publish() noexcept {
    if (!orders_mail_ && outbox->publish_to_others())
        has_written_ = true;
}

void FrameWorker::open_gathered(std::uint64_t address, const MailType& type,
                                MailHead& mail) noexcept {
    try {
        open(address, type, mail);
    } catch (...) { // out of memory
        failure_ = std::current_exception();
    }
    if (type.destroy != nullptr)
        type.destroy(&mail);
    publish();
}

// At most a batch of the others' mail and one of the worker's own: they take turns. True: there may be
// more. Own mail comes last, since nobody else would find what is left of it.
bool FrameWorker::drain_some() {
    const auto visit = [this](std::uint64_t address, const RecordType& type, void* payload) {
        ++taken_;
        open(address, static_cast<const MailType&>(type), *static_cast<MailHead*>(payload));
        // Nobody waits for what a later handler of this batch does.
        if (outbox->publish_to_others())
            has_written_ = true;
    };
    is_last_tick_new_ = false;
    const std::size_t batch = end_ns_ == kNever ? kBatch : kTimedBatch;
    const std::size_t others = mailbox_.drain(visit, std::min<std::uint64_t>(budget_, batch));
    budget_ -= others;
    const std::size_t own = mailbox_.drain_own(visit, std::min<std::uint64_t>(budget_, batch));
    budget_ -= own;
    if (outbox->publish_to_others()) // N1: what the last payload has sent as it was destroyed
        has_written_ = true;
    return others >= batch || own >= batch;
}

bool FrameWorker::poll_for_answers() {
    if (!std::exchange(has_written_, false))
        return false;
    for (int polls = 0; polls < kPollsForAnswer; ++polls) {
        if (mailbox_.peek())
            return true;
        StdPolicy::pause();
    }
    return false;
}

// N1: everything sent is published.
FrameWorker::Seen FrameWorker::rest_until_mail(Phases::Number number, bool& used_up) noexcept {
    sort_commits();
    if (hooks_ != nullptr)
        note_phase_end(Phase::parallel);
    if (probe_ != nullptr)
        probe_->rest_tick = tick();
    rest(number, used_up);
    const Waiting& waiting = engine_.crew().waiting();
    const int polls_per_look = index_ != 0 ? 1 : 1 + engine_.workers() / kWorkersPerPoll;
    std::int64_t spin_until_ns = 0;
    std::int64_t long_idle_ns = kNever;
    std::uint32_t yields = waiting.yields;
    Seen seen = Seen::nothing;
    for (int polls = 0; seen == Seen::nothing; ++polls) {
        if (polls % polls_per_look == 0)
            seen = look(number, used_up, false);
        if (seen != Seen::nothing)
            break;
        if (polls % kPollsPerClockRead != kPollsPerClockRead - 1 && waiting.spin_ns != 0) {
            StdPolicy::pause();
            continue;
        }
        const std::int64_t now = now_ns();
        if (spin_until_ns == 0) {
            spin_until_ns = later(now, waiting.spin_ns);
            long_idle_ns = later(now, kLongIdleNs);
        } else if (now >= long_idle_ns) {
            long_idle_ns = kNever;
            if (engine_.quiescence().someone_works(number))
                engine_.balance().note_need();
        }
        if (now < spin_until_ns)
            StdPolicy::pause();
        else if (yields > 0 && yields-- > 0)
            StdPolicy::yield();
        else
            seen = sleep(number, used_up, spin_until_ns);
    }
    if (seen == Seen::mail) {
        engine_.quiescence().wake(index_);
        record_rest(0);
        if (hooks_ != nullptr)
            note_phase_begin(Phase::parallel);
    }
    return seen;
}

void FrameWorker::rest(Phases::Number number, bool used_up) noexcept {
    engine_.quiescence().rest(index_, number, sent, taken_, used_up, has_more());
    if (index_ != 0)
        engine_.mailboxes().mailbox(0).bell().look(); // N4
}

// Mail first: who finds it is in the phase that it is for (N5).
FrameWorker::Seen FrameWorker::look(Phases::Number number, bool& used_up, bool exact) noexcept {
    if (budget_ != 0 && sharing_.claim(exact)) // it may be of a phase that has not begun here
        return Phases::opened(engine_.quiescence().phase()) == number ? Seen::mail : Seen::over;
    const bool has_mail = !used_up && (exact || mailbox_.peek()) && mailbox_.moved();
    const Seen seen = look_at_phase(number, used_up);
    return seen == Seen::nothing && has_mail && !used_up ? Seen::mail : seen;
}

FrameWorker::Seen FrameWorker::look_at_phase(Phases::Number number, bool& used_up) noexcept {
    Phases& phases = engine_.quiescence();
    if (index_ == 0) {
        const Phases::End end = phases.try_end();
        if (end == Phases::End::over)
            return Seen::over;
        if (end == Phases::End::closing)
            engine_.wake_sleepers(); // N4
    }
    const Phases::Number now = phases.phase();
    if (Phases::opened(now) != number)
        return Seen::over;
    if (Phases::is_closed(now) && !used_up) { // N3
        used_up = true;
        rest(number, used_up);
        if (index_ == 0) // its own rest may be the last one, and nobody wakes it for that
            return look_at_phase(number, used_up);
    }
    return Seen::nothing;
}

// A little before the next phase, where that is known, it rises to spin.
FrameWorker::Seen FrameWorker::sleep(Phases::Number number, bool& used_up,
                                     std::int64_t& spin_until_ns) noexcept {
    const Waiting& waiting = engine_.crew().waiting();
    const std::int64_t rise_ns = due_ns_ == kNever ? kNever : later(due_ns_, -waiting.prewake_ns);
    const bool knows = index_ != 0 && rise_ns != kNever && now_ns() < rise_ns;
    Seen seen = Seen::nothing;
    if (probe_ != nullptr && park_tick_ == 0)
        park_tick_ = tick();
    if (hooks_ != nullptr && hooks_->park_begin != nullptr)
        hooks_->park_begin(hooks_->user, index_);
    parks_.store(parks() + 1, std::memory_order_relaxed); // relaxed: a count
    mailbox_.bell().sleep([&] { return (seen = look(number, used_up, true)) != Seen::nothing; },
                          knows ? rise_ns : kNever);
    if (hooks_ != nullptr && hooks_->park_end != nullptr)
        hooks_->park_end(hooks_->user, index_);
    if (probe_ != nullptr)
        park_end_tick_ = tick();
    spin_until_ns = knows ? later(due_ns_, waiting.spin_ns) : 0;
    return seen;
}

// What worker 0 has to look at in the serial phase.
bool FrameWorker::has_more() const noexcept {
    return !commits.empty() || publications != nullptr || !kept_due_.empty() ||
           !to_sweep_.empty() || !ended_listeners_.empty() || !dead_letters_.empty() ||
           to_reap_ != nullptr || ended_tickets_ != nullptr || failure_ != nullptr;
}

void FrameWorker::sort_commits() noexcept {
    if (sorted_ == commits.size())
        return;
    const auto known =
        commits.begin() + static_cast<std::ptrdiff_t>(sorted_ == 0 ? 0 : sorted_ - 1);
    if (!std::is_sorted(known, commits.end(), in_commit_order))
        std::sort(commits.begin(), commits.end(), in_commit_order);
    sorted_ = commits.size();
}

// next_round: what was published before the phase, by (sender, sequence). A sender's mail comes
// through one lane, in its order; nobody publishes before the phase is over. A drawn order leaves to
// each receiver this one, and chooses among receivers.
void FrameWorker::run_admitted() {
    held_.clear();
    try {
        mailbox_.drain([this](std::uint64_t address, const RecordType& record, void* payload) {
            hold(address, record, payload);
        });
        // Not stable_sort: it allocates.
        std::sort(held_.begin(), held_.end(), [](const HeldMail& one, const HeldMail& other) {
            return one.sender != other.sender ? one.sender < other.sender
                                              : one.number < other.number;
        });
        if (order_ == nullptr) {
            if (sharing_.is_on())
                share_held();
            else
                for (HeldMail& held : held_)
                    open_held(held);
        } else {
            order_->clear();
            for (std::size_t at = 0; at < held_.size(); ++at)
                order_->add(0, held_[at].address, at);
            while (!order_->empty())
                open_held(held_[order_->take()]);
        }
    } catch (...) { // out of memory
        destroy_held();
        throw;
    }
    open_due();
}

// The one worker of a test: all that there is, and what comes of it. What the budget leaves stays in
// the lane.
void FrameWorker::run_drawn() {
    const auto visit = [this](std::uint64_t address, const RecordType& record, void* payload) {
        hold(address, record, payload);
        order_->add(held_.back().sender, address, held_.size() - 1);
    };
    held_.clear();
    order_->clear();
    try {
        do {
            for (;;) {
                budget_ -= mailbox_.drain_own(visit, budget_);
                if (order_->empty())
                    break;
                open_held(held_[order_->take()]);
            }
        } while (open_due());
    } catch (...) { // out of memory
        destroy_held();
        throw;
    }
}

void FrameWorker::hold(std::uint64_t address, const RecordType& record, void* payload) {
    ++taken_;
    const auto& type = static_cast<const MailType&>(record);
    MailHead& mail = *static_cast<MailHead*>(payload);
    held_.push_back({mail.sender, held_.size(), address, &type, nullptr});
    held_.back().mail = move_to_memory(mail, type);
    if (is_reproducible && table->has_rooms() && type.control == nullptr)
        if (MailRoom<StdPolicy>* const room = room_of(address))
            room->arrive();
}

// By shards, each in this order.
void FrameWorker::share_held() {
    for (HeldMail& held : held_) {
        gather(held.address, *held.type, *held.mail);
        if (held.type->destroy != nullptr)
            held.type->destroy(held.mail);
        held.mail = nullptr;
    }
    sharing_.run();
}

void FrameWorker::open_held(HeldMail& held) {
    open(held.address, *held.type, *held.mail);
    if (held.type->destroy != nullptr)
        held.type->destroy(held.mail);
    held.mail = nullptr;
}

void FrameWorker::destroy_held() noexcept {
    for (const HeldMail& held : held_)
        if (held.mail != nullptr && held.type->destroy != nullptr)
            held.type->destroy(held.mail);
}

// False: there was none.
bool FrameWorker::open_due() {
    if (kept_due_.empty())
        return false;
    for (std::size_t at = 0; at < kept_due_.size(); ++at) // handlers may add to it
        if (ActorCell* const cell = table->find(kept_due_[at])) {
            sharing_.keep(cell->read_word().shard);
            open_kept(*cell);
        }
    kept_due_.clear();
    if (!engine_.options().next_round)
        outbox->publish();
    return true;
}

MailHead* FrameWorker::move_to_memory(MailHead& mail, const MailType& type) {
    void* const at = memory.take(type.payload_bytes, type.align);
    type.move_to(at, &mail);
    return static_cast<MailHead*>(at);
}

} // namespace takt::detail
