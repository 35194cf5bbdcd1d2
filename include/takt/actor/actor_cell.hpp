// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. What the runtime keeps of an actor. Below: handler, actor_ref. Above: actor (the
// same, for its owner), actor_table.

#include "takt/actor/actor_ref.hpp"
#include "takt/actor/handler.hpp"
#include "takt/actor/listener.hpp"
#include "takt/actor/mail_limit.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace takt {

class Actor;

/// What a handler that throws does to its actor, beyond failing that message.
enum class FailurePolicy : std::uint8_t {
    stop,   ///< no further handler of it starts; its mail expires
    resume, ///< nothing
    abort,  ///< the program ends
};

/// What became of messages that were taken out of a lane. Exact whenever no phase runs:
///     accepted() = handled + failed + expired + in_flight
struct MailCounts {
    std::uint64_t handled = 0;
    std::uint64_t failed = 0;  ///< a handler threw
    std::uint64_t expired = 0; ///< not handled, for one of the reasons of Expiry
    /// Kept until its topic is bound, waiting for the serial phase, or with a task that has not
    /// ended.
    std::uint64_t in_flight = 0;

    std::uint64_t accepted() const noexcept { return handled + failed + expired + in_flight; }
    MailCounts& operator+=(const MailCounts& other) noexcept {
        handled += other.handled;
        failed += other.failed;
        expired += other.expired;
        in_flight += other.in_flight; // of one worker it may be below 0, where another ends mail
        return *this;
    }
};

/// Why mail expires.
enum class Expiry : std::uint8_t {
    gone,      ///< the actor was destroyed before
    destroyed, ///< it was destroyed with this mail unhandled
    stopped,   ///< it was stopped by a failure
    kept_full, ///< no handler was bound, and there was no room to keep it
    no_memory, ///< there was no memory to pass it on, or to keep it
    cancelled, ///< a request that nobody waited for any more: cancelled, or too late
    overflow,  ///< beyond a limit: the actor's (MailLimit), or that of a sender outside
};

const char* name_of(Expiry reason) noexcept;

/// What has expired, by reason.
class ExpiryCounts {
  public:
    static constexpr std::size_t kReasons = 7;

    std::uint64_t operator[](Expiry reason) const noexcept {
        return counts_[static_cast<std::size_t>(reason)];
    }
    std::uint64_t& operator[](Expiry reason) noexcept {
        return counts_[static_cast<std::size_t>(reason)];
    }
    /// Of all reasons: MailCounts::expired.
    std::uint64_t sum() const noexcept;
    ExpiryCounts& operator+=(const ExpiryCounts& other) noexcept;

  private:
    std::array<std::uint64_t, kReasons> counts_{};
};

namespace detail {

enum class Life : std::uint8_t {
    none,   // the slot is free
    unborn, // setup has not finished: mail is kept
    live,
    stopped, // failed under FailurePolicy::stop: mail expires
    dying,   // destroyed, and still there until the end of the serial phase
};

/// The word that senders read of an actor.
/// bits 0-31 generation, bits 32-47 shard, bits 48-55 Life, bit 56 is_limited
struct ActorWord {
    std::uint32_t generation = 0;
    std::uint16_t shard = 0;
    Life life = Life::none;
    bool is_limited = false; // it has a MailRoom

    constexpr std::uint64_t pack() const noexcept {
        return generation | (std::uint64_t{shard} << 32) |
               (static_cast<std::uint64_t>(life) << 48) | (std::uint64_t{is_limited} << 56);
    }
    static constexpr ActorWord unpack(std::uint64_t word) noexcept {
        return {static_cast<std::uint32_t>(word), static_cast<std::uint16_t>(word >> 32),
                static_cast<Life>(word >> 48), (word >> 56) != 0};
    }
    constexpr bool takes_mail() const noexcept {
        return life == Life::live || life == Life::unborn;
    }
    /// Of a packed word, for senders: it takes mail, and has no limit. One compare.
    static constexpr bool takes_any_mail(std::uint64_t word) noexcept {
        static_assert(static_cast<int>(Life::live) == static_cast<int>(Life::unborn) + 1);
        return static_cast<std::uint16_t>((word >> 48) -
                                          static_cast<std::uint64_t>(Life::unborn)) <= 1;
    }
};

/// Mail that waits for its topic to be bound, or for setup to finish; on the heap.
struct KeptMail {
    KeptMail(MailHead& from, const MailType& what);
    ~KeptMail();
    KeptMail(const KeptMail&) = delete;
    KeptMail& operator=(const KeptMail&) = delete;

    MailHead& head() const noexcept { return *static_cast<MailHead*>(memory); }

    const MailType& type;
    void* memory;
};

/// What few actors need.
struct ActorMore {
    HandlerTable own;
    std::vector<std::unique_ptr<KeptMail>> kept; // in the order of their coming
    std::string name;
    ActorRef parent;
    std::vector<ActorRef> children;
    std::uint32_t instance = 0; // its slot in the tree of instances; 0: none stands for it
    std::uint64_t failed = 0;
    ExpiryCounts expired;
    MailRoom<StdPolicy>* room = nullptr; // the table's; null: its mail has no limit
    std::optional<FailurePolicy> policy; // empty: the runtime's
    bool kept_is_due = false;            // something that was kept may be handled now
    bool stopping = false; // it failed in this phase, and is stopped in the serial phase
    bool to_sweep = false;
    void (*destroy_state)(void*) noexcept = nullptr; // of a state that is not a behaviour's
    std::unique_ptr<Load<StdPolicy>> own_load;
    UniqueFunction<TaskHandle(Actor&)> setup;         // while a task of it has not ended
    std::vector<std::shared_ptr<Listener>> listeners; // its connections to signals
    /// Of listeners, once it is gone, for tasks on background threads.
    std::vector<std::unique_ptr<Handler>> closures;
};

/// What all actors of a behaviour share. Lives as long as the last of them.
struct BehaviourTable {
    void release() noexcept {
        // edge behaviour, both sides: who is last sees what the others did
        if (references.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }

    // references:   writes: who makes, copies or drops a Behaviour, and the frame thread
    std::atomic<std::uint32_t> references{1};
    HandlerTable handlers;
    void (*destroy_state)(void*) noexcept = nullptr;
};

/// The actors' own part of the table: what an idle one costs.
struct ActorCell {
    // word: writes: the frame thread in the serial phase, or who takes a free slot   reads: senders
    //   edge birth: a word with a new generation releases -> senders from other workers acquire it
    //   by the edge of the mail that brought them the reference.
    std::atomic<std::uint64_t> word{0};
    // The rest: its worker in the parallel phase, the frame thread in the serial phase.
    std::uint64_t id = 0;             // its place in commit order
    std::uint64_t sequence = 0;       // of its next commit
    BehaviourTable* shared = nullptr; // one reference of it is held
    void* state = nullptr;
    RootTask* tasks = nullptr; // that have not ended
    std::uint64_t handled = 0;
    std::unique_ptr<ActorMore> more;
    // All its handlers, where mail simply goes to one of them; null: it has to be looked at how.
    const HandlerTable* simple = nullptr;
    // load: null until somebody counts on it.   writes: its worker, or the frame thread
    //   reads: anyone in a phase   edge load of an actor: as birth
    std::atomic<Load<StdPolicy>*> load{nullptr};
    std::uint32_t in_flight = 0;

    ActorMore& need_more() {
        if (more == nullptr)
            more = std::make_unique<ActorMore>();
        return *more;
    }
    /// Finds `simple`, after each change of what it depends on.
    void settle() noexcept {
        const HandlerTable* const of_behaviour = shared == nullptr ? nullptr : &shared->handlers;
        if (more == nullptr)
            simple = of_behaviour;
        else if (more->kept_is_due || more->stopping || more->room != nullptr)
            simple = nullptr;
        else if (of_behaviour == nullptr)
            simple = &more->own;
        else
            simple = more->own.empty() ? of_behaviour : nullptr;
    }
    std::uint64_t read_packed_word() const noexcept {
        // relaxed: a reference is handed over by an edge; life and shard change in the serial phase
        return word.load(std::memory_order_relaxed);
    }
    ActorWord read_word() const noexcept { return ActorWord::unpack(read_packed_word()); }
    void write_word(ActorWord value) noexcept {
        word.store(value.pack(), std::memory_order_relaxed); // relaxed: see read_word
    }
};

static_assert(sizeof(ActorCell) <= 88);

} // namespace detail
} // namespace takt
