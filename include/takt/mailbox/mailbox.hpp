// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. Mail between the workers of a runtime: for each an outbox, which it writes, and
// a mailbox, which it reads, and a lane for each pair that has used one. Below: lane, board,
// doorbell.

#include "takt/mailbox/board.hpp"
#include "takt/mailbox/doorbell.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

namespace takt {

template <class P>
class Mailbox;
template <class P>
class Mailboxes;

namespace detail {

/// A lane and the lists of the outbox that writes it.
template <class P>
struct OutboxLane {
    OutboxLane(Tail<P>& tail, Doorbell<P>& reader_bell, const LaneConfig& config)
        : lane(tail, config), bell(reader_bell) {}

    Lane<P> lane;
    Doorbell<P>& bell;
    OutboxLane* next_made = nullptr;
    OutboxLane* next_held_back = nullptr;
};

/// The lanes from one writer, by reader; null where there is none yet.
///   writes: the writer, before it publishes the lane for the first time   reads: the writer, and
///   each reader after it has seen that lane move (edge tail)
template <class P>
using LaneRow = std::vector<typename P::template Plain<OutboxLane<P>*>>;

} // namespace detail

/// A worker's end towards all workers, itself included.
///
/// | operation | progress                                                                      |
/// |-----------|-------------------------------------------------------------------------------|
/// | push      | LaneWriter::push; the first one to a reader makes the lane                    |
/// | publish   | one store, and one look for a sleeper, for each reader that has unpublished mail |
/// | recycle   | LaneWriter::recycle for each lane                                             |
template <class P>
class alignas(kInterference) Outbox {
  public:
    ~Outbox();
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    /// As LaneWriter::push. Nothing is seen before publish().
    template <class T, class... Args>
    [[nodiscard]] bool push(int to, std::uint64_t address, Args&&... args);
    /// The same to the writer itself, where that takes a few instructions: behind a branch on `to`,
    /// which has been looked up. The core predicts it and goes ahead to read the mail.
    template <class T>
    bool has_room_for_own(int to) const noexcept {
        return to == worker_ && own_ != nullptr && own_->lane.writer().template has_room_for<T>();
    }
    template <class T, class... Args>
    [[gnu::always_inline]] void push_own(std::uint64_t address, Args&&... args) {
        own_->lane.writer().template push_here<T>(address, std::forward<Args>(args)...);
    }

    /// As LaneWriter's: room for a payload, and its commit.
    void* reserve(int to, std::size_t bytes, std::size_t align) noexcept;
    void* reserve_exempt(int to, std::size_t bytes, std::size_t align) noexcept;
    /// The last push() or reserve() to that reader was refused for LaneConfig::unread_bytes_max.
    bool refused_as_full(int to) const noexcept {
        return lane_to(to) != nullptr && lane_to(to)->lane.writer().refused_as_full();
    }
    void commit(int to, const RecordType& type, std::uint64_t address) noexcept;

    /// Publishes all that was pushed, and wakes readers that sleep.
    void publish() noexcept;
    /// The same, but for mail to the writer itself while there is no other: Mailbox::drain_own()
    /// sees that anyway. True: there was some.
    bool publish_to_others() noexcept {
        if (held_back_ == nullptr)
            return false;
        publish();
        return true;
    }

    /// Takes back the segments that readers have left, see LaneWriter::recycle.
    void recycle() noexcept;
    /// The same for lanes that have come a segment further since the last time.
    void recycle_now_and_then() noexcept;

    /// Units committed for that reader so far, from LaneConfig::start on; wraps.
    std::uint32_t tail(int to) const noexcept;
    /// Bytes of all lanes of this outbox with their segments.
    std::size_t memory_bytes() const noexcept;

  private:
    friend class Mailbox<P>;
    friend class Mailboxes<P>;
    using OutboxLane = detail::OutboxLane<P>;

    Outbox(Mailboxes<P>& all, int worker, std::size_t readers)
        : all_(all), worker_(worker), row_(readers) {}

    OutboxLane* lane_to(int to) const noexcept { return row_[static_cast<std::size_t>(to)].get(); }
    OutboxLane* make_lane(int to) noexcept;
    OutboxLane* lane_for(int to) noexcept {
        OutboxLane* const lane = lane_to(to);
        return lane != nullptr ? lane : make_lane(to);
    }
    // publish() will have to look at this lane; at the writer's own it looks anyway.
    void hold_back(OutboxLane& lane) noexcept {
        if (&lane == own_)
            return;
        lane.next_held_back = held_back_;
        held_back_ = &lane;
    }

    // --- read by the readers, too: so that they wait for no line that changes with each push ------
    Mailboxes<P>& all_;
    const int worker_;
    detail::LaneRow<P> row_;

    // --- the writer's own -----------------------------------------------------------------------
    alignas(kInterference) OutboxLane* made_ = nullptr;
    OutboxLane* own_ = nullptr;       // to the writer itself
    OutboxLane* held_back_ = nullptr; // lanes to others with unpublished mail
};

/// A worker's end from all workers.
///
/// | operation | progress                                                            |
/// |-----------|---------------------------------------------------------------------|
/// | drain     | never waits: one step for each line of the board and for each record |
/// | sleep     | blocks                                                              |
///
/// Records of one writer come in its order (M4). A writer that stops anywhere in a push holds up
/// nobody's mail but its own unpublished.
template <class P>
class alignas(kInterference) Mailbox {
  public:
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    /// As LaneReader::drain, over all lanes that moved. What the limit leaves comes first next
    /// time.
    template <class Visit>
    std::size_t drain(Visit&& visit, std::size_t limit = SIZE_MAX);

    /// The same for the mail of one writer.
    template <class Visit>
    std::size_t drain_from(int from, Visit&& visit, std::size_t limit = SIZE_MAX);

    /// The same for the mail of the worker to itself: also what is not published, and what the
    /// visits add; what is left of it is published. For the thread that also has the outbox.
    template <class Visit>
    std::size_t drain_own(Visit&& visit, std::size_t limit = SIZE_MAX);

    /// Sleeps until there is mail, somebody rings the bell, or `deadline_ns`. True: there is mail.
    bool sleep(std::int64_t deadline_ns = kNever) noexcept {
        return bell_.sleep([this] { return board_.moved(); }, deadline_ns);
    }
    Doorbell<P>& bell() noexcept { return bell_; }
    /// True when there is mail; for who sleeps on the bell and looks at other things, too.
    bool moved() const noexcept { return board_.moved(); }

    /// A hint of the same, for who spins: may miss what was just published. Fetches what is likely to
    /// come next.
    bool peek() const noexcept {
        if (!board_.has_one_line())
            return board_.moved();
        if (board_.moved_in(0) != 0)
            return true;
        if (short_mail_ != nullptr)
            short_mail_->prefetch_next();
        return false;
    }

    /// Units published for this reader and unread; a moment ago.
    std::uint64_t unread_units() const noexcept { return board_.unread_units(); }
    /// Units of that writer's mail visited so far; wraps. Outbox::tail minus this: unread.
    std::uint32_t head(int from) const noexcept;
    /// Bytes of the board; lanes are counted by their outboxes.
    std::size_t memory_bytes() const noexcept { return sizeof(*this) + board_.memory_bytes(); }

  private:
    friend class Mailboxes<P>;
    friend class Outbox<P>;

    Mailbox(Mailboxes<P>& all, int worker, std::size_t lines, std::uint32_t start)
        : all_(all), worker_(worker), board_(lines, start) {}

    template <class Visit>
    std::size_t drain_slot(std::size_t slot, std::uint32_t tail, Visit& visit, std::size_t limit);
    template <class Visit>
    std::size_t drain_lane(LaneReader<P>& reader, std::size_t slot, std::uint32_t tail,
                           Visit& visit, std::size_t limit);

    Mailboxes<P>& all_;
    const int worker_;
    Board<P> board_;
    // The lane that was drained last, when it held so few records that its writer waits for answers
    // rather than streams. Its next record is fetched while the reader polls, and when it alone
    // moved, nothing that is read on the way to the record depends on the tail: so the core goes
    // ahead before the tail's line has come. A round trip then takes two line transfers instead of
    // four, less what overlaps.
    static constexpr std::size_t kShortMail = 2;
    LaneReader<P>* short_mail_ = nullptr;
    std::size_t short_mail_slot_ = 0;
    Doorbell<P> bell_;
};

/// The outboxes and mailboxes of `cache_groups.size()` workers. Memory: 16 bytes for each pair of
/// workers (a board slot, its head, a pointer), and a lane for each pair that has used one.
/// Destroyed by one thread, alone (M1); unread payloads are destroyed with it (M4).
template <class P>
class Mailboxes {
  public:
    /// `cache_groups`: for each worker a number; equal numbers share a last-level cache.
    explicit Mailboxes(std::span<const int> cache_groups, const LaneConfig& config = {});
    Mailboxes(const Mailboxes&) = delete;
    Mailboxes& operator=(const Mailboxes&) = delete;

    int workers() const noexcept { return static_cast<int>(outboxes_.size()); }
    Outbox<P>& outbox(int worker) noexcept { return *outboxes_[static_cast<std::size_t>(worker)]; }
    Mailbox<P>& mailbox(int worker) noexcept {
        return *mailboxes_[static_cast<std::size_t>(worker)];
    }

  private:
    friend class Outbox<P>;
    friend class Mailbox<P>;

    const BoardLayout layout_;
    const LaneConfig config_;
    std::vector<std::unique_ptr<Mailbox<P>>> mailboxes_; // outlive the lanes: they hold the tails
    std::vector<std::unique_ptr<Outbox<P>>> outboxes_;
};

template <class P>
Outbox<P>::~Outbox() {
    while (OutboxLane* const lane = made_) {
        made_ = lane->next_made;
        delete lane;
    }
}

template <class P>
template <class T, class... Args>
bool Outbox<P>::push(int to, std::uint64_t address, Args&&... args) {
    OutboxLane* const lane = lane_for(to);
    if (lane == nullptr) [[unlikely]]
        return false;
    const bool held_back = lane->lane.writer().holds_back();
    if (!held_back)
        lane->lane.writer().prefetch_tail();
    if (!lane->lane.writer().template push<T>(address, std::forward<Args>(args)...)) [[unlikely]]
        return false;
    if (!held_back)
        hold_back(*lane);
    return true;
}

template <class P>
void* Outbox<P>::reserve(int to, std::size_t bytes, std::size_t align) noexcept {
    OutboxLane* const lane = lane_for(to);
    return lane == nullptr ? nullptr : lane->lane.writer().reserve(bytes, align);
}

template <class P>
void* Outbox<P>::reserve_exempt(int to, std::size_t bytes, std::size_t align) noexcept {
    OutboxLane* const lane = lane_for(to);
    return lane == nullptr ? nullptr : lane->lane.writer().reserve_exempt(bytes, align);
}

template <class P>
void Outbox<P>::commit(int to, const RecordType& type, std::uint64_t address) noexcept {
    OutboxLane& lane = *lane_to(to);
    if (!lane.lane.writer().holds_back())
        hold_back(lane);
    lane.lane.writer().commit(type, address);
}

template <class P>
detail::OutboxLane<P>* Outbox<P>::make_lane(int to) noexcept {
    Mailbox<P>& reader = all_.mailbox(to);
    auto* const lane = new (std::nothrow)
        OutboxLane(reader.board_.tail(all_.layout_.slot_of(worker_)), reader.bell_, all_.config_);
    if (lane == nullptr)
        return nullptr;
    lane->next_made = made_;
    made_ = lane;
    row_[static_cast<std::size_t>(to)].set(lane);
    if (to == worker_)
        own_ = lane;
    return lane;
}

template <class P>
void Outbox<P>::publish() noexcept {
    while (OutboxLane* const lane = held_back_) {
        held_back_ = lane->next_held_back;
        lane->bell.publish(lane->lane.writer());
    }
    if (own_ != nullptr && own_->lane.writer().holds_back())
        own_->bell.publish(own_->lane.writer());
}

template <class P>
void Outbox<P>::recycle() noexcept {
    for (OutboxLane* lane = made_; lane != nullptr; lane = lane->next_made)
        lane->lane.writer().recycle();
}

template <class P>
void Outbox<P>::recycle_now_and_then() noexcept {
    for (OutboxLane* lane = made_; lane != nullptr; lane = lane->next_made)
        lane->lane.writer().recycle_now_and_then();
}

template <class P>
std::uint32_t Outbox<P>::tail(int to) const noexcept {
    OutboxLane* const lane = lane_to(to);
    return lane == nullptr ? all_.config_.start : lane->lane.writer().tail();
}

template <class P>
std::size_t Outbox<P>::memory_bytes() const noexcept {
    std::size_t bytes = 0;
    for (OutboxLane* lane = made_; lane != nullptr; lane = lane->next_made)
        bytes += sizeof(*lane) + lane->lane.writer().memory_bytes();
    return bytes;
}

template <class P>
template <class Visit>
std::size_t Mailbox<P>::drain(Visit&& visit, std::size_t limit) {
    if (short_mail_ != nullptr && board_.has_one_line()) {
        const std::size_t slot = short_mail_slot_;
        const std::uint32_t moved = board_.moved_in(0);
        if (moved == std::uint32_t{1} << slot) {
            // edge tail, acquire side
            const std::uint32_t tail = board_.tail(slot).load(std::memory_order_acquire);
            return drain_lane(*short_mail_, slot, tail, visit, limit);
        }
        if (moved == 0) {
            short_mail_->prefetch_next();
            return 0;
        }
    }
    std::size_t count = 0;
    board_.poll([&](std::size_t slot, std::uint32_t tail) {
        count += drain_slot(slot, tail, visit, limit - count);
        return count < limit;
    });
    if (count == 0 && short_mail_ != nullptr)
        short_mail_->prefetch_next();
    return count;
}

template <class P>
template <class Visit>
std::size_t Mailbox<P>::drain_from(int from, Visit&& visit, std::size_t limit) {
    const std::size_t slot = all_.layout_.slot_of(from);
    // edge tail, acquire side
    const std::uint32_t tail = board_.tail(slot).load(std::memory_order_acquire);
    return tail == board_.head(slot) ? 0 : drain_slot(slot, tail, visit, limit);
}

template <class P>
template <class Visit>
std::size_t Mailbox<P>::drain_own(Visit&& visit, std::size_t limit) {
    detail::OutboxLane<P>* const own = all_.outbox(worker_).own_;
    if (own == nullptr)
        return 0;
    LaneReader<P>& reader = own->lane.reader();
    LaneWriter<P>& writer = own->lane.writer();
    if (writer.tail() == reader.head())
        return 0;
    struct Progress { // also when the visitor throws
        ~Progress() {
            writer.publish(); // nobody sleeps: the reader is here
            board.set_head(slot, reader.head());
        }
        Board<P>& board;
        std::size_t slot;
        LaneReader<P>& reader;
        LaneWriter<P>& writer;
    } const progress{board_, all_.layout_.slot_of(worker_), reader, writer};
    const std::size_t count = reader.drain_own(writer, visit, limit);
    writer.recycle_now_and_then(); // both ends are in this core's cache
    return count;
}

template <class P>
template <class Visit>
std::size_t Mailbox<P>::drain_slot(std::size_t slot, std::uint32_t tail, Visit& visit,
                                   std::size_t limit) {
    const Outbox<P>& from = all_.outbox(all_.layout_.writer_at(slot));
    return drain_lane(from.lane_to(worker_)->lane.reader(), slot, tail, visit, limit);
}

template <class P>
template <class Visit>
std::size_t Mailbox<P>::drain_lane(LaneReader<P>& reader, std::size_t slot, std::uint32_t tail,
                                   Visit& visit, std::size_t limit) {
    struct Progress { // also when the visitor throws
        ~Progress() { board.set_head(slot, reader.head()); }
        Board<P>& board;
        std::size_t slot;
        LaneReader<P>& reader;
    } const progress{board_, slot, reader};
    const std::size_t count = reader.drain_to(tail, visit, limit);
    short_mail_ = count <= kShortMail ? &reader : nullptr;
    short_mail_slot_ = slot;
    return count;
}

template <class P>
std::uint32_t Mailbox<P>::head(int from) const noexcept {
    return board_.head(all_.layout_.slot_of(from));
}

template <class P>
Mailboxes<P>::Mailboxes(std::span<const int> cache_groups, const LaneConfig& config)
    : layout_(cache_groups), config_(config) {
    // First: a list that grows might not take what was made for it.
    mailboxes_.reserve(cache_groups.size());
    outboxes_.reserve(cache_groups.size());
    for (std::size_t worker = 0; worker < cache_groups.size(); ++worker) {
        const int number = static_cast<int>(worker);
        mailboxes_.emplace_back(new Mailbox<P>(*this, number, layout_.lines(), config.start));
        outboxes_.emplace_back(new Outbox<P>(*this, number, cache_groups.size()));
    }
}

} // namespace takt
