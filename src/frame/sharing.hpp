// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. A worker's mail by shards, so that others can take whole shards of it. Below:
// claims. Above: frame_worker.

#include "takt/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace takt::detail {

class FrameWorker;

/// A message out of a lane, in its worker's memory until the phase is over.
struct GatheredMail {
    GatheredMail* next;
    std::uint64_t address;
    const MailType* type;
    MailHead* mail;
};

struct GatheredList {
    GatheredMail* first = nullptr;
    GatheredMail* last = nullptr;
    std::uint32_t count = 0;

    void add(GatheredMail* mail) noexcept {
        (last == nullptr ? first : last->next) = mail;
        last = mail;
        ++count;
    }
    void add_all(const GatheredList& list) noexcept {
        if (list.count == 0)
            return;
        (last == nullptr ? first : last->next) = list.first;
        last = list.last;
        count += list.count;
    }
};

/// What was gathered for one shard.
struct ShardMail : Claimable<StdPolicy> {
    ShardMail(std::uint16_t number, const GatheredList& list) noexcept
        : shard(number), mail(list) {}

    const std::uint16_t shard;
    GatheredList mail;
    std::int64_t took_ns = 0; // written by who claimed it; read after the phase
};

/// Of one worker, while phases are uneven. What it finds in its lanes it gathers by shards, offers
/// those that nobody has run in this phase, and claims from the front like everybody else. (After the
/// shared task list of OpenMP's dynamic schedule, with shards for iterations.)
///
/// N8  A shard runs on one worker from the first of it that is run to the end of a phase that leaves
///     no mail: on its owner, or on who claimed it, to whom the owner passes on what comes later. And
///     on its owner where it has sent mail in the serial phase before. So what an actor sends leaves
///     through one lane, in order, and what it is sent arrives through one.
/// N9  Actors that asked for a worker live in shards of their own, which are never offered.
class Sharing {
  public:
    explicit Sharing(FrameWorker& owner) noexcept : owner_(owner) {}
    Sharing(const Sharing&) = delete;
    Sharing& operator=(const Sharing&) = delete;

    // --- the owner, in the parallel phase ---
    /// A phase begins. `epoch`: the same as in the last one, if that has left mail (N8).
    void begin(bool is_on, std::uint32_t epoch) noexcept;
    bool is_on() const noexcept { return is_on_; }
    /// Takes a message that came out of a lane; `mail` is moved from. False: the owner is to run it at
    /// once, nothing was done.
    bool gather(std::uint64_t address, const MailType& type, MailHead& mail);
    /// Runs all that was gathered and that nobody else claims.
    void run();
    /// The worker runs the shard in this phase.
    void keep(std::uint16_t shard) noexcept;

    // --- the owner, awake or at rest ---
    /// Claims from another worker. True: run_claimed() is to follow once it is awake. `all`: every
    /// worker is looked at, not only the next one.
    bool claim(bool all) noexcept;
    /// Runs what claim() has found, if anything, and tells its owner before that who has it (N7).
    /// Returns the number of messages.
    std::size_t run_claimed();

    // --- anyone who looks for work ---
    Claims<StdPolicy, ShardMail>& claims() noexcept { return claims_; }

    // --- the frame thread, or the owner between its phases ---
    /// Takes in what the shards of the last phase have cost, before their memory goes.
    void learn(std::uint32_t window) noexcept;

    // --- the frame thread in the serial phase ---
    /// Who runs the shard, in a phase that left mail.
    int runner(std::uint16_t shard, std::uint32_t epoch) const noexcept;
    /// An actor of the shard has sent mail in this serial phase, through the owner's outbox: its runner
    /// is the owner in the next phase.
    void note_sent(std::uint16_t shard) noexcept;
    /// Before it may be on. Throws std::bad_alloc.
    void make_shards();
    /// What a worker's own actors did, wherever they ran, in the phases of one window.
    struct Effort {
        double cost = 0; // nanoseconds, or messages where nothing may depend on the clock
        double busy_ns = 0;
        double messages = 0;
    };
    Effort effort(std::uint32_t window) const noexcept {
        return window == window_ ? effort_ : Effort{};
    }
    /// Those of the worker's shards that may move, the dearest first.
    void list_movable(std::vector<std::uint16_t>& to) const;
    /// What the shard cost in the window.
    double cost_of(std::uint16_t shard) const noexcept { return shards_[shard].window_cost; }
    /// What is known of the shard goes to the other worker.
    void hand_over(std::uint16_t shard, Sharing& to) noexcept;
    /// Shards that it has claimed from others, and messages that it has passed on to who claimed its
    /// own, since the runtime began.
    std::uint64_t claimed() const noexcept { return claimed_; }
    std::uint64_t passed_on() const noexcept { return passed_on_; }

  private:
    struct Shard {
        std::uint32_t epoch = 0; // in which `runner` counts
        std::int16_t runner = kNotRun;
        bool has_sent = false; // in the serial phase before
        GatheredList gathered;
        float last_cost = 0; // in the phases in which it ran, the last ones most
        float window_cost = 0;
        std::uint32_t window = 0; // which window_cost is of
    };
    struct Offered {
        ShardMail* first;
        std::uint32_t count;
    };
    static constexpr std::int16_t kNotRun = -1;

    Shard& shard(std::uint16_t number) noexcept;
    void pass_on(int worker, std::uint64_t address, const MailType& type, MailHead& mail);
    Offered offer();
    void keep_all() noexcept;
    void put_dear_ones_first() noexcept;
    void run_own();
    void run(ShardMail& work);
    void run(const GatheredList& list);
    void settle(const Offered& offered) noexcept;
    void learn(const ShardMail& work) noexcept;

    FrameWorker& owner_;
    bool is_on_ = false;
    bool has_run_ = false; // something in this phase
    std::uint32_t epoch_ = 1;
    std::vector<Shard> shards_; // empty until the first phase that is shared
    GatheredList own_;          // only the owner may run it
    std::vector<std::uint16_t> fresh_;
    std::vector<Offered> offered_; // in this phase
    ShardMail* claimed_work_ = nullptr;
    std::size_t next_victim_ = 0;
    std::uint32_t window_ = 0;
    Effort effort_;           // in that window
    std::int64_t own_ns_ = 0; // of this phase
    std::uint64_t own_messages_ = 0;
    std::uint64_t claimed_ = 0;
    std::uint64_t passed_on_ = 0;

    Claims<StdPolicy, ShardMail> claims_;
};

} // namespace takt::detail
