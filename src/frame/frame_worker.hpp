// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. A worker in a parallel phase: it drains its mailbox, hands each message to its
// actor, and notes what is to be done in the serial phase. Below: actor, quiescence. Above: engine.

#include "frame/seeded_merge.hpp"
#include "frame/sharing.hpp"
#include "frame/task_table.hpp"
#include "frame/topic_counts.hpp"
#include "takt/frame.hpp"
#include "takt/worker.hpp"

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace takt::detail {

class Engine;
class FrameWorker;

/// R2: by actor, then by its own sequence.
inline bool in_commit_order(const Commit& one, const Commit& other) noexcept {
    return one.actor != other.actor ? one.actor < other.actor : one.sequence < other.sequence;
}

/// How a message ended.
enum class MailEnd : std::uint8_t { handled, failed, expired };

/// What an actor has for one topic; null: nothing. Valid until a handler is called.
struct Bound {
    Bound(const ActorCell& cell, std::uint64_t topic) noexcept
        : shared(cell.shared == nullptr ? nullptr : cell.shared->handlers.find(topic)),
          own(cell.more == nullptr ? nullptr : cell.more->own.find(topic)) {}

    bool in(Phase phase) const noexcept {
        return (shared != nullptr && shared->first_of(phase) != nullptr) ||
               (own != nullptr && own->first_of(phase) != nullptr);
    }

    const TopicHandlers* shared;
    const TopicHandlers* own;
};

/// A message that was not handled at once: tasks that its handlers began have not ended.
struct Delivery {
    std::uint32_t open = 1; // those tasks, and 1 while handlers are, or will be, called
    MailEnd end = MailEnd::handled;
    std::uint64_t topic;
    const char* topic_name;
    std::optional<Busy> busy;       // what was dispatched counts until the last task has ended
    Expiry why = Expiry::destroyed; // where it has expired

    static void* operator new(std::size_t bytes) { return FramePool::allocate(bytes); }
    static void operator delete(void* at) noexcept { FramePool::release(at); }
};

/// Where a task is, and so who has a pointer to it.
enum class Whereabouts : std::uint8_t {
    running,    // its worker's stack
    on_its_way, // a commit or a ResumeMail
    next_frame, // the list of those who wait for it
    timers,     // the wheel
    away,       // a background thread
    group,      // the group that it awaits
    signal,     // the listener through which it awaits a signal
    ticket,     // the ticket that it awaits
};

/// A task that an actor, or nobody, owns.
struct ActorTask : RootTask, Timer {
    ActorRef actor;
    std::uint64_t actor_id = 0;
    Handler* handler = nullptr;   // whose closure it uses
    Delivery* delivery = nullptr; // null: it is no message's
    Whereabouts where = Whereabouts::running;
    std::uint64_t due_frame = 0; // of who waits for a frame
    std::uint32_t slot = 0;      // of its TaskRef; 0: it has none
    bool is_setup = false;
    bool cancelled = false;
    bool orphan = false;    // its actor went while it was on a background thread
    bool ended = false;     // there
    TicketHold errand_hold; // of a member of a group, which may outlive who answers

    static void* operator new(std::size_t bytes) { return FramePool::allocate(bytes); }
    static void operator delete(void* at) noexcept { FramePool::release(at); }
};

/// A task that goes on in the parallel phase, on its way to its worker.
struct ResumeMail : MailHead {
    explicit ResumeMail(ActorTask& waiting)
        : MailHead{"", 0, waiting.actor_id}, task(&waiting), actor(waiting.actor) {}

    ActorTask* task; // valid while its actor lives
    ActorRef actor;
};

/// The control of ResumeMail.
void resume_from_mail(ActorContext& here, std::uint64_t address, ResumeMail& mail);

/// Tells who waits for a ticket that it has ended: through a lane the worker of a task that goes on in
/// the parallel phase, through the gate the frame thread.
struct WakeMail : MailHead {
    explicit WakeMail(TicketCore& ended) : MailHead{"", 0, ended.actor_id}, ticket(ended) {}

    TicketHold ticket;
};

/// Tells the worker of a listener that one more call of it is pending.
struct ListenerMail : MailHead {
    explicit ListenerMail(std::shared_ptr<Listener> whom)
        : MailHead{"", 0, 0}, listener(std::move(whom)) {}

    std::shared_ptr<Listener> listener;
};

class FrameWorker final : public ActorContext {
  public:
    FrameWorker(Engine& engine, int index);

    using Phases = Quiescence<StdPolicy>;

    /// The life of workers 1 .. n-1: one phase after the other.
    void serve() noexcept;
    /// The worker's part of a parallel phase. Returns when that is over; worker 0 finds that out, the
    /// others when the next one has begun.
    void run_phase(Phases::Number number) noexcept;
    /// In the serial phase: something that the worker could not finish for lack of memory.
    std::exception_ptr take_failure() noexcept { return std::exchange(failure_, nullptr); }

    /// Hands mail to its actor. In the parallel phase.
    void open(std::uint64_t address, const MailType& type, MailHead& mail) {
        if (is_observed_) [[unlikely]]
            open_observed(address, type, mail);
        else if (!open_simple(address, type, mail)) [[unlikely]]
            open_any(address, type, mail);
    }
    /// The same, once: destroys the mail, whatever its handlers threw.
    void open_gathered(std::uint64_t address, const MailType& type, MailHead& mail) noexcept;
    /// Where mail is not for the next round: the others see what was sent.
    void publish() noexcept;
    /// Keeps mail for which the actor has no handler, or expires it.
    void keep(ActorCell& cell, MailHead& mail, const MailType& type);
    /// Handles what was kept for the actor, as far as it is bound by now.
    void open_kept(ActorCell& cell);
    /// Calls the actor's handlers of that topic and the running phase. Returns the delivery, if there
    /// is one by now.
    Delivery* call_handlers(ActorCell& cell, const Bound& bound, MailHead& mail,
                            const MailType& type, Delivery* delivery, MailEnd& end);
    /// All its handlers have been called, or never will be. `cell`: null when it is gone.
    /// `why`: where it has expired.
    void finish_message(ActorCell* cell, const MailHead& mail, Delivery* delivery, MailEnd end,
                        Expiry why = Expiry::destroyed);
    void expire(ActorCell* cell, std::uint64_t address, MailHead& mail, const MailType& type,
                DeadLetter::Reason reason);

    /// Expires a message that a limit keeps out: it was sent here, or is in the gate. In the latter case
    /// `mail` has more than a head.
    void drop(ActorRef to, const MailHead& mail);
    /// Of mail for the actor, if it is there and limited; else null.
    MailRoom<StdPolicy>* room_of(std::uint64_t address) const noexcept;
    /// A message of the actor has its turn in the serial phase: is it dropped?
    bool is_excess_in_serial(ActorCell& cell);
    /// Messages of the limited actor with tasks that have not ended, but for `others`.
    static std::uint64_t begun_of(const ActorCell& cell, std::uint64_t others) noexcept;

    /// For the hook: the message has expired.
    void note_dead_letter(std::uint64_t address, const MailHead& mail, DeadLetter::Reason reason);

    /// Runs a task for the first time. `cell`: null for one of nobody.
    void start_task(ActorCell* cell, Task<> task, Handler* handler, Delivery* delivery,
                    bool is_setup);
    /// Makes a task of what was begun by `frame`, which the task owns.
    ActorTask& adopt(ActorCell* cell, std::coroutine_handle<> frame, PromiseBase& promise);
    /// Runs it, or what goes on because it ends. It may be gone then.
    void run_task(ActorTask& task);
    /// A task that is no message's and no setup, and has not been cancelled.
    CancelResult cancel_task(ActorTask& task) noexcept;
    /// Sends a task that goes on in the parallel phase to its worker; through the outbox of the
    /// actor's worker.
    void send_resume(ActorTask& task);
    /// Destroys what is left of cancelled tasks. In the serial phase.
    void reap() noexcept;
    /// Calls the listener, or lets its task go on. In the phase of either, or in the serial phase.
    void call_listener(Listener& to, const std::shared_ptr<SignalEvent>& heard);
    /// In the parallel phase: the oldest call of it that is pending.
    void call_pending(Listener& to);
    /// Destroys a task that waits, with its actor or with the runtime.
    void drop_task(ActorTask& task) noexcept;
    /// The same for one on a background thread: it is destroyed when it comes home.
    void orphan(ActorTask& task) noexcept;
    /// Expires all mail in the mailbox.
    void discard_mail();
    /// Expires mail that came through the gate, and does not come into a lane. In the serial phase.
    void lose(std::uint64_t address, MailHead& mail, const MailType& type, Expiry why);
    /// Expires mail for which there is no memory on its way to who runs its receiver, which may be
    /// another worker: so the receiver does not count it. In the parallel phase.
    void lose_on_the_way(std::uint64_t address, MailHead& mail, const MailType& type);
    /// Where the next actor is to live, one worker after the other.
    int next_home(int workers) noexcept {
        return static_cast<int>(homes_++ % static_cast<unsigned>(workers));
    }
    /// In the parallel phase: the ticket, which somebody of this runtime waits for, has ended.
    void wake(TicketCore& ticket) noexcept;
    /// In either phase: the task that waits for the ticket, if it still does, goes on now. In the
    /// serial phase its deadline is forgotten.
    void go_on(TicketCore& ticket);
    /// In the parallel phase: the ticket has ended, and the serial phase has to know.
    void list_ended(TicketCore& ticket) noexcept;
    /// The first that was listed, which then is not any more; empty: none.
    TicketHold pop_ended() noexcept;
    /// Something in the name of the actor threw.
    void report(ActorCell* cell, const char* topic, std::exception_ptr exception);

    /// In either phase: for who watches, and for hooks, what runs. They do not nest.
    class Noted {
      public:
        Noted(FrameWorker& worker, const char* topic, std::uint64_t address) noexcept
            : worker_(worker) {
            worker.note_begin(topic, address);
        }
        ~Noted() { worker_.note_end(); }
        Noted(const Noted&) = delete;
        Noted& operator=(const Noted&) = delete;

      private:
        FrameWorker& worker_;
    };
    /// Of what was noted: it is known by now.
    void note_topic(const char* topic) noexcept { running_.set_topic(topic); }
    void note_phase_begin(Phase which) noexcept;
    void note_phase_end(Phase which) noexcept;
    /// By its own thread: it has those that the engine has now, and no others.
    void take_hooks() noexcept;
    void leave_hooks() noexcept;
    const RunningMark<StdPolicy>& running() const noexcept { return running_; }
    /// Times that it has gone to sleep.
    std::uint64_t parks() const noexcept {
        return parks_.load(std::memory_order_relaxed); // relaxed: a count
    }
    Engine& engine() noexcept { return engine_; }
    Sharing& sharing() noexcept { return sharing_; }
    const Sharing& sharing() const noexcept { return sharing_; }
    std::uint64_t taken() const noexcept { return taken_; }
    TopicTable& topics() noexcept { return topics_; }
    FramePool& frames() noexcept { return frames_; }
    TaskTable::FreeList& free_task_slots() noexcept { return free_task_slots_; }
    /// Of tasks that ended here and had theirs from another worker's list.
    TaskTable::FreeList& foreign_task_slots() noexcept { return foreign_task_slots_; }
    std::vector<std::uint32_t>& spare_slots() noexcept { return spare_slots_; }
    std::vector<ActorRef>& kept_due() noexcept { return kept_due_; }
    Mailbox<StdPolicy>& mailbox() noexcept { return mailbox_; }
    std::vector<ActorCell*>& to_sweep() noexcept { return to_sweep_; }
    /// A task runs here, up to where it next waits.
    bool runs_task() const noexcept { return running_tasks_ != 0; }
    /// That have ended.
    EndedListeners& ended_listeners() noexcept { return ended_listeners_; }
    std::vector<DeadLetter>& dead_letters() noexcept { return dead_letters_; }

  private:
    void note_begin(const char* topic, std::uint64_t address) noexcept;
    void note_end() noexcept;
    struct HeldMail {
        std::uint64_t sender;
        std::size_t number; // in the order of their coming
        std::uint64_t address;
        const MailType* type;
        MailHead* mail; // null: opened
    };

    [[gnu::noinline]] void open_observed(std::uint64_t address, const MailType& type,
                                         MailHead& mail);
    bool open_simple(std::uint64_t address, const MailType& type, MailHead& mail);
    void open_any(std::uint64_t address, const MailType& type, MailHead& mail);
    [[gnu::cold]] void begin_task(ActorCell& cell, Handler& handler, TaskHandle handle,
                                  MailHead& mail, const MailType& type);
    [[gnu::cold]] void fail_message(ActorCell& cell, const MailHead& mail);
    void take_in_flight(ActorCell& cell, const MailHead& mail);
    enum class Seen : std::uint8_t { nothing, mail, over };

    void begin_phase();
    void begin_observation() noexcept;
    void record_rest(std::uint64_t end_tick) noexcept;
    bool work(bool used_up);
    bool poll_for_answers();
    Seen rest_until_mail(Phases::Number number, bool& used_up) noexcept;
    void rest(Phases::Number number, bool used_up) noexcept;
    Seen look(Phases::Number number, bool& used_up, bool exact) noexcept;
    Seen look_at_phase(Phases::Number number, bool& used_up) noexcept;
    Seen sleep(Phases::Number number, bool& used_up, std::int64_t& spin_until_ns) noexcept;
    bool has_more() const noexcept;
    void sort_commits() noexcept;
    bool drain_some();
    bool share_some();
    bool help();
    void run_claimed();
    void gather(std::uint64_t address, const MailType& type, MailHead& mail) noexcept;
    void run_admitted();
    void run_drawn();
    void hold(std::uint64_t address, const RecordType& record, void* payload);
    void share_held();
    void open_held(HeldMail& held);
    void destroy_held() noexcept;
    bool open_due();
    void deliver(ActorCell& cell, MailHead& mail, const MailType& type);
    void call_all(ActorCell& cell, Handler* first, std::uint64_t bound_later, bool is_own,
                  MailHead& mail, const MailType& type, Delivery*& delivery, MailEnd& end);
    void to_serial_phase(ActorCell& cell, MailHead& mail, const MailType& type, Delivery* delivery,
                         MailEnd end, bool has_begun);
    void expire_unwanted(ActorCell& cell);
    ActorTask* end_task(ActorTask& task);
    ActorTask* end_member(ActorTask& task);
    void leave(ActorTask& task) noexcept;
    void forget_reference(ActorTask& task) noexcept;
    void release_handler(ActorTask& task) noexcept;
    void close(ActorCell* cell, Delivery* delivery);
    bool resume(ActorTask& task) noexcept;
    void unlink(ActorTask& task) noexcept;
    void count(ActorCell* cell, std::uint64_t topic, const char* name, MailEnd end, Expiry why);
    void make_place(ActorCell& cell);
    MailHead* move_to_memory(MailHead& mail, const MailType& type);

    Engine& engine_;
    const int index_;
    Mailbox<StdPolicy>& mailbox_;
    const bool orders_mail_; // it opens mail in another order than that of its coming
    FramePool frames_;
    std::uint64_t taken_ = 0;      // messages out of the mailbox
    bool has_written_ = false;     // to another worker, since it last polled for an answer
    std::uint64_t budget_ = 0;     // messages of this phase
    std::int64_t end_ns_ = kNever; // of this phase's budget
    std::int64_t due_ns_ = kNever; // when the next phase is expected
    std::size_t sorted_ = 0;       // commits that are in order
    std::exception_ptr failure_;
    // Of who observes:
    bool is_observed_ = false;             // in this phase, in one of these ways
    WorkerTimes* times_ = nullptr;         // null: it is not recorded
    const ProfilerHooks* hooks_ = nullptr; // null: there are none
    // parks_:   writes: the worker   reads: the frame thread
    std::atomic<std::uint64_t> parks_{0};
    RunningMark<StdPolicy> running_;
    Probe* probe_ = nullptr;           // of this phase; null: it is not recorded
    std::uint64_t last_tick_ = 0;      // when the last handler ended
    bool is_last_tick_new_ = false;    // nothing but taking the next message has come after it
    bool has_called_ = false;          // handlers
    std::uint64_t park_tick_ = 0;      // when it first slept in that rest; 0: not
    std::uint64_t park_end_tick_ = 0;  // when it last awoke
    std::uint64_t tasks_recorded_ = 0; // numbers them
    unsigned homes_;
    TopicTable topics_;
    std::vector<std::uint32_t> spare_slots_;
    TaskTable::FreeList free_task_slots_;
    TaskTable::FreeList foreign_task_slots_;
    RootTask* to_reap_ = nullptr;    // cancelled tasks in lists of the frame thread
    std::vector<ActorRef> kept_due_; // actors with kept mail to open
    std::vector<ActorCell*> to_sweep_;
    EndedListeners ended_listeners_;
    TicketCore* ended_tickets_ = nullptr; // the oldest first, one reference of each
    TicketCore* last_ended_ = nullptr;
    int running_tasks_ = 0;                // one in the other
    std::vector<DeadLetter> dead_letters_; // for the hook
    std::vector<HeldMail> held_;           // of a round, in next_round or with a drawn order
    std::unique_ptr<SeededMerge> order_;   // null: nothing is drawn
    Sharing sharing_{*this};
};

// The way of most mail, in one piece: to a live actor with a single handler for it. False: nothing
// was done.
inline bool FrameWorker::open_simple(std::uint64_t address, const MailType& type, MailHead& mail) {
    const ActorRef to = ActorRef::from_address(address);
    ActorCell& cell = table->cell(to.slot());
    const ActorWord word = cell.read_word();
    if (word.generation != to.generation() || word.life != Life::live)
        return false;
    if (cell.simple == nullptr)
        return false;
    const TopicHandlers* const entry = cell.simple->find(mail.topic);
    if (entry == nullptr || entry->signature != type.signature || entry->only == nullptr)
        return false; // or control mail, which has no signature
    Handler& handler = *entry->only;
    actor = &ActorAccess::actor(cell);
    try {
        if (const TaskHandle handle = handler.call(cell.state, mail)) {
            begin_task(cell, handler, handle, mail, type);
        } else {
            ++topics_.of(mail.topic, mail.topic_name).handled;
            ++cell.handled;
        }
    } catch (...) {
        fail_message(cell, mail);
    }
    actor = nullptr;
    return true;
}

} // namespace takt::detail

namespace takt {

template <>
inline constexpr detail::MailType
    record_type_of<detail::ResumeMail> = detail::mail_type<detail::ResumeMail>(
        nullptr, nullptr,
        [](detail::ActorContext& here, std::uint64_t address, detail::MailHead& mail) {
            detail::resume_from_mail(here, address, static_cast<detail::ResumeMail&>(mail));
        });

template <>
inline constexpr detail::MailType
    record_type_of<detail::WakeMail> = detail::mail_type<detail::WakeMail>(
        nullptr, nullptr, [](detail::ActorContext& here, std::uint64_t, detail::MailHead& mail) {
            static_cast<detail::FrameWorker&>(here).go_on(
                *static_cast<detail::WakeMail&>(mail).ticket);
        });

template <>
inline constexpr detail::MailType
    record_type_of<detail::ListenerMail> = detail::mail_type<detail::ListenerMail>(
        nullptr, nullptr, [](detail::ActorContext& here, std::uint64_t, detail::MailHead& mail) {
            static_cast<detail::FrameWorker&>(here).call_pending(
                *static_cast<detail::ListenerMail&>(mail).listener);
        });

} // namespace takt
