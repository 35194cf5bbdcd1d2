// SPDX-License-Identifier: MIT
// The frame's loop: rounds, their two phases, and what happens at the barrier.
#include "frame/engine.hpp"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace takt::detail {

namespace {

// Slots that a worker may take in a parallel phase without a new one for each.
constexpr std::size_t kSpareSlots = 64;

// Which numbers of runtimes are in use.
std::mutex numbers_mutex;
std::uint64_t numbers_in_use = 0;

std::vector<int> cache_groups_of(const Plan& plan) {
    std::vector<int> groups;
    for (const PlannedWorker& worker : plan.workers)
        groups.push_back(worker.llc);
    return groups;
}

/// From outside, to nobody: to be run in the serial phase.
struct PostedClosure : MailHead {
    explicit PostedClosure(UniqueFunction<void()> given)
        : MailHead{"", 0, 0}, closure(std::move(given)) {}

    UniqueFunction<void()> closure;
};

/// From outside: the receiver is to be destroyed.
struct DestroyMail : MailHead {
    DestroyMail() : MailHead{"", 0, 0} {}
};

/// From outside: a handler of the receiver is to be disconnected.
struct DisconnectMail : MailHead {
    explicit DisconnectMail(std::uint64_t number) : MailHead{"", 0, 0}, handler(number) {}

    std::uint64_t handler;
};

void finish_posted(ActorContext&, void* data, bool run) {
    const std::unique_ptr<UniqueFunction<void()>> closure(
        static_cast<UniqueFunction<void()>*>(data));
    if (run)
        (*closure)();
}

} // namespace
} // namespace takt::detail

namespace takt {

template <>
inline constexpr detail::MailType
    record_type_of<detail::PostedClosure> = detail::mail_type<detail::PostedClosure>(
        nullptr, nullptr, [](detail::ActorContext& here, std::uint64_t, detail::MailHead& mail) {
            static_cast<detail::FrameWorker&>(here).engine().run_next(
                std::move(static_cast<detail::PostedClosure&>(mail).closure));
        });

template <>
inline constexpr detail::MailType
    record_type_of<detail::DestroyMail> = detail::mail_type<detail::DestroyMail>(
        nullptr, nullptr, [](detail::ActorContext& here, std::uint64_t address, detail::MailHead&) {
            here.host->destroy(ActorRef::from_address(address));
        });

template <>
inline constexpr detail::MailType
    record_type_of<detail::DisconnectMail> = detail::mail_type<detail::DisconnectMail>(
        nullptr, nullptr,
        [](detail::ActorContext& here, std::uint64_t address, detail::MailHead& mail) {
            here.host->disconnect(ActorRef::from_address(address),
                                  static_cast<detail::DisconnectMail&>(mail).handler);
        });

namespace detail {

RuntimeNumber::RuntimeNumber() {
    const std::lock_guard lock(numbers_mutex);
    number_ = static_cast<unsigned>(std::countr_one(numbers_in_use));
    if (number_ >= ActorRef::kRuntimesMax)
        throw Error("runtimes", std::to_string(number_), "a process has 64 at most",
                    "Destroy some, or put more into one");
    numbers_in_use |= std::uint64_t{1} << number_;
}

RuntimeNumber::~RuntimeNumber() {
    const std::lock_guard lock(numbers_mutex);
    numbers_in_use &= ~(std::uint64_t{1} << number_);
}

AsActor::AsActor(Engine& engine, Actor* actor) noexcept
    : engine_(engine), here_(engine.frame_thread()), actor_before_(here_.actor),
      outbox_before_(here_.outbox), sent_before_(here_.sent) {
    here_.actor = actor;
    if (actor != nullptr)
        shard_ = ActorAccess::cell(*actor).read_word().shard;
    here_.outbox = &engine.mailboxes_.outbox(shard_ ? engine.runner(*shard_) : 0);
}

AsActor::~AsActor() {
    if (shard_ && here_.sent != sent_before_)
        engine_.balance().note_sent(*shard_);
    here_.actor = actor_before_;
    here_.outbox = outbox_before_;
}

Engine::Engine(EngineOptions options)
    : options_(std::move(options)), workers_(options_.plan, options_.workers),
      table_(number_, workers_.count()), mailboxes_(cache_groups_of(options_.plan), options_.lane),
      quiescence_(workers_.count()), gate_(mailboxes_.mailbox(0).bell(), options_.gate),
      offload_(options_.offload_threads, options_.seed, [this] { ring(); }),
      balance_(*this, options_.balance), observation_(workers_.count()), began_ns_(now_ns()) {
    for (int worker = 0; worker < workers_.count(); ++worker)
        frame_workers_.push_back(std::make_unique<FrameWorker>(*this, worker));
    sources_.reserve(frame_workers_.size() + 1);
    frame_signals_ = {make_signal("pre_simulation", true), make_signal("post_simulation", true),
                      make_signal("heartbeat", true)};
    set_gate(number_, &gate_, &table_);
    take_over_thread();
}

Engine::~Engine() {
    if (!shut_down_)
        shutdown(now_ns());
    offload_.join();
    come_home();
    for (const std::unique_ptr<FrameWorker>& worker : frame_workers_)
        Publication::publish_all(worker->publications);
    set_gate(number_, nullptr);
    while (!gate_.quiet()) // G7: who is in mid-send rings our bell
        StdPolicy::yield();
}

void Engine::take_over_thread() noexcept {
    frame_thread_seat_.take(frame_thread(), frame_thread().frames());
}

void Engine::enter(const char* member, Level level) {
    if (context_in(number_) != nullptr)
        return;
    auto* const other = static_cast<FrameWorker*>(actor_context());
    if (other != nullptr && other->engine().runs_code())
        violated(member,
                 "It is another runtime's than the code that calls it: post() to that runtime",
                 level);
    if (in_frame() || !frame_thread_seat_.is_here())
        violated(member, "Call it on the frame thread; other threads send, post() and stop()",
                 level);
    take_over_thread();
}

void Engine::forget_barrier_hook(std::uint64_t number) noexcept {
    const ActorContext* const here = context_in(number_);
    const bool has_the_world = here != nullptr ? here->phase == Phase::serial
                                               : !in_frame() && frame_thread_seat_.is_here();
    if (has_the_world) {
        std::erase_if(barrier_hooks_, [&](const BarrierHook& one) { return one.number == number; });
        return;
    }
    try {
        post([this, number] { forget_barrier_hook(number); });
    } catch (const std::bad_alloc&) { // it stays: hooks know whether what they serve is there
    }
}

void Engine::require_no_frame(const char* member) const {
    if (in_frame())
        violated(member, "A frame is running; call it between frames", Level::between_frames);
    if (context_in(number_) != nullptr && runs_code())
        violated(member, "A setup, a task or a listener is running; call it after its end",
                 Level::between_frames);
}

bool Engine::runs_code() const noexcept {
    const FrameWorker& here = *frame_workers_.front();
    return in_frame() || here.actor != nullptr || here.event != nullptr || here.runs_task();
}

void Engine::require_standstill(const char* member) const {
    const ActorContext* const here = context_in(number_);
    if (in_frame() && (here == nullptr || here->phase != Phase::serial))
        check_failed(member, Level::unsafe,
                     "A frame is running; call it from its serial phase or between frames");
}

void Engine::require_no_stranger(const char* member) const {
    if (in_frame() && context_in(number_) == nullptr)
        check_failed(member, Level::read_parallel,
                     "A frame is running; call it from what the frame runs, or between frames");
}

// --- the frame ---

namespace {

/// The calling thread is recorded there, or not, while this lives.
class UseProbe {
  public:
    explicit UseProbe(Probe* probe) noexcept : before_(std::exchange(t_probe, probe)) {}
    ~UseProbe() { t_probe = before_; }
    UseProbe(const UseProbe&) = delete;
    UseProbe& operator=(const UseProbe&) = delete;

  private:
    Probe* const before_;
};

const char* name_of(Engine::Stage stage) noexcept {
    constexpr std::array<const char*, Engine::kStages> kNames{"pre_simulation", "post_simulation",
                                                              "heartbeat"};
    return kNames[stage];
}

} // namespace

void Engine::start_recording(std::size_t records) {
    observation_.recording.start(records, time_.frame + 1);
    frame_thread().stamps_mail = !options_.next_round && !options_.seed;
}

void Engine::stop_recording() noexcept {
    observation_.recording.stop();
    frame_thread().stamps_mail &= observation_.recording.is_on();
}

FrameReport Engine::step() {
    struct InFrame {
        explicit InFrame(std::atomic<bool>& flag) : in_frame(flag) { set(true); }
        ~InFrame() { set(false); }
        void set(bool value) {
            in_frame.store(value, std::memory_order_relaxed); // relaxed: see in_frame()
        }
        std::atomic<bool>& in_frame;
    } const in_frame(in_frame_);
    const std::int64_t begin_ns = now_ns();
    const UseProbe recorded(observation_.recording.serial());
    FrameMarks marks(observation_.recording);
    const std::uint64_t frame_tick = marks.stamp();
    const std::uint64_t failures_before = failures_;
    FrameReport report;
    begin_frame(begin_ns);
    bool is_first = true;
    for (const Stage stage : {kPreSimulation, kPostSimulation, kHeartbeat}) {
        const bool is_empty = !open_stage(stage);
        if (is_empty && (stage != kHeartbeat || !is_first)) // mail goes with the first that is not
            continue;
        const std::uint64_t stage_tick = marks.last();
        run_rounds(report, is_first, marks);
        marks.write(ProbeKind::stage, stage_tick, name_of(stage));
        is_first = false;
    }
    marks.write_frame(frame_tick, time_.frame);
    report.time = time_;
    report.failures = failures_ - failures_before;
    report.left_over = has_work();
    report.duration_ns = now_ns() - begin_ns;
    return report;
}

void Engine::run_rounds(FrameReport& report, bool is_first_stage, FrameMarks& marks) {
    for (int round = 0; round < options_.max_rounds; ++round) {
        const std::uint64_t round_tick = marks.last();
        admit(is_first_stage && round == 0);
        if (!has_work())
            return;
        parallel_phase(marks);
        const std::uint64_t serial_tick = marks.last();
        frame_thread().note_phase_begin(Phase::serial);
        serial_phase(report);
        frame_thread().note_phase_end(Phase::serial);
        marks.stamp();
        marks.write(ProbeKind::serial, serial_tick, nullptr);
        marks.write(ProbeKind::round, round_tick, nullptr);
        ++report.rounds;
    }
}

void Engine::begin_frame(std::int64_t now) {
    const std::int64_t before_ns = time_.time_ns;
    time_.time_ns = options_.virtual_clock ? next_frame_ns() : now - began_ns_;
    ++time_.frame;
    time_.step_ns = time_.time_ns - before_ns;
    sweep_listeners(frame_thread());
}

// What the stage begins with. False: nothing, there is no such stage in this frame.
bool Engine::open_stage(Stage stage) {
    bool has_some = false;
    SignalCore& signal = *frame_signals_[stage];
    if (signal.has_listeners()) {
        fire(signal, make_event<FrameTime>(signal.name(), nullptr, time_), true);
        has_some = true;
    }
    if (stage == kPreSimulation && skip_simulation()) {
        const auto finish = [](ActorContext&, void* engine, bool run) {
            if (run)
                static_cast<Engine*>(engine)->run_simulation();
        };
        commits_.push_back({0, world_sequence_++, 0, finish, this});
        has_some = true;
    }
    if (stage == kHeartbeat)
        has_some |= resume_due();
    return has_some;
}

// Tasks that waited for this frame or until now. False: there are none.
bool Engine::resume_due() {
    const auto of_this_frame = [this]() -> ActorTask* {
        auto* const first = static_cast<ActorTask*>(next_frame_.first());
        return first != nullptr && first->due_frame <= time_.frame ? first : nullptr;
    };
    bool has_some = false;
    while (ActorTask* const task = of_this_frame()) {
        next_frame_.remove(*task);
        make_ready(*task);
        has_some = true;
    }
    while (Timer* const timer = timers_.pop_due(time_.time_ns)) {
        make_ready(static_cast<ActorTask&>(*timer));
        has_some = true;
    }
    while (Timer* const timer = deadlines_.pop_due(time_.time_ns)) {
        const TicketHold ticket = TicketHold::adopt(static_cast<TicketCore&>(*timer));
        ticket->is_watched = false;
        end_ticket_now(*ticket, TicketStatus::deadline);
        has_some = true;
    }
    return has_some;
}

// What came from outside until now.
void Engine::admit(bool is_first) {
    FrameWorker& here = frame_thread();
    come_home();
    if (!is_first && !gate_.moved()) // senders that have left wait for the next frame
        return;
    gate_.admit();
    gate_.route(
        [&](std::uint64_t address, const RecordType& type, void* mail) {
            admit(address, static_cast<const MailType&>(type), *static_cast<MailHead*>(mail));
        },
        [&](std::uint64_t address, const RecordType& type, void* mail) {
            leave_gate(address, *static_cast<MailHead*>(mail));
            here.lose(address, *static_cast<MailHead*>(mail), static_cast<const MailType&>(type),
                      Expiry::overflow);
        },
        SIZE_MAX);
    if (!here.dead_letters().empty()) // there may be no round
        send_dead_letters();
}

// Of mail that is no control mail: what its sender noted in it.
std::uint64_t Engine::leave_gate(std::uint64_t address, MailHead& mail) noexcept {
    const std::uint64_t note = std::exchange(mail.sender, 0);
    if (note == MailHead::kEntered)
        table_.room(ActorRef::from_address(address).slot()).leave_from_outside();
    return note;
}

void Engine::admit(std::uint64_t address, const MailType& type, MailHead& mail) {
    FrameWorker& here = frame_thread();
    if (type.control != nullptr) {
        type.control(here, address, mail);
        return;
    }
    const ActorRef to = ActorRef::from_address(address);
    MailRoom<StdPolicy>* const limit = table_.has_rooms() ? here.room_of(address) : nullptr;
    if (limit != nullptr && mail.sender != MailHead::kExcess)
        limit->enter_anyway(here.worker); // before it leaves the gate: it is never not counted
    if (leave_gate(address, mail) == MailHead::kExcess) {
        here.drop(to, mail);
        return;
    }
    const int worker = table_.owner(table_.cell(to.slot()).read_word());
    // It had a bound of its own, and was answered `ok`.
    void* const room = here.outbox->reserve_exempt(worker, type.payload_bytes, type.align);
    if (room == nullptr) {
        if (limit != nullptr)
            limit->leave(here.worker);
        here.lose(address, mail, type, Expiry::no_memory);
        return;
    }
    type.move_to(room, &mail);
    here.outbox->commit(worker, type, address);
    ++here.sent;
}

void Engine::come_home() {
    offload_.collect(come_home_);
    for (ActorTask* const task : come_home_) {
        if (task->orphan) {
            task->outermost.destroy();
            delete task;
        } else if (task->cancelled) {
            frame_thread().drop_task(*task);
        } else if (task->ended) {
            task->phase = Phase::serial;
            commit_resume(*task);
        } else {
            make_ready(*task);
        }
    }
    come_home_.clear();
    if (!remains_.empty() && offload_.tasks() == 0)
        release_remains();
}

bool Engine::has_mail() const noexcept {
    return mail_left() != 0;
}

bool Engine::has_work() noexcept {
    return !commits_.empty() || kept_due_ || !dying_.empty() || has_unlisted_dying_ || has_mail();
}

void Engine::parallel_phase(FrameMarks& marks) {
    const std::uint64_t begin_tick = marks.stamp();
    Publication::publish_all(frame_thread().publications); // what the serial phase has changed
    frame_thread().outbox = &mailboxes_.outbox(0);
    kept_due_ = false;
    if (options_.next_round) // all of it is there when the phase begins
        publish_all();
    balance_.before_phase();
    quiescence_.begin(std::exchange(phase_due_ns_, kNever));
    if (!std::exchange(crew_serves_, true))
        workers_.begin(serve_);
    mailboxes_.outbox(0).publish(); // N5: the other outboxes are their workers' by now
    wake_sleepers();
    frame_thread().run_phase(Quiescence<StdPolicy>::opened(quiescence_.phase()));
    if (const std::uint64_t end_tick = marks.stamp())
        observation_.recording.phase_end_tick = end_tick;
    marks.write(ProbeKind::parallel, begin_tick, nullptr);
    sent_before_ = frame_thread().sent;
    for_each_left([this](FrameWorker& worker) { // what a budget has left
        kept_due_ |= !worker.kept_due().empty();
    });
    balance_.after_phase(quiescence_.left() != 0 || kept_due_);
}

void Engine::wake_sleepers() noexcept {
    for (int worker = 1; worker < workers(); ++worker)
        mailboxes_.mailbox(worker).bell().look();
}

// Its thread takes them, and gives them back: workers with their next phase, or as they leave.
void Engine::set_hooks(const ProfilerHooks* hooks) noexcept {
    observation_.hooks = hooks;
    dismiss();
    frame_thread().take_hooks();
}

// The workers have no more phases.
void Engine::dismiss() noexcept {
    if (!std::exchange(crew_serves_, false))
        return;
    quiescence_.leave();
    wake_sleepers();
    workers_.end();
}

void Engine::serial_phase(FrameReport& report) {
    ++rounds_;
    for_each_left([this](FrameWorker& worker) {
        Publication::publish_all(worker.publications);
        worker.reap();
        take_ended_tickets(worker);
    });
    for (BarrierHook& one : barrier_hooks_)
        one.hook();
    const std::uint64_t commits = run_commits();
    report.commits += commits;
    commits_run_ += commits;
    tidy_up();
    const std::uint64_t taken = quiescence_.taken() - balance_.passed_on();
    report.messages += taken - taken_before_;
    taken_before_ = taken;
    // Out of memory; the round is brought to its end all the same.
    for_each_left([](FrameWorker& worker) {
        if (const std::exception_ptr failure = worker.take_failure())
            std::rethrow_exception(failure);
    });
}

// R2. Each worker's commits are in order; so the least of their first ones is next.
std::uint64_t Engine::run_commits() {
    std::sort(commits_.begin(), commits_.end(), in_commit_order);
    commits_.swap(running_commits_);
    sources_.clear();
    const auto add = [this](const std::vector<Commit>& commits) {
        if (!commits.empty())
            sources_.push_back({commits.data(), commits.data() + commits.size()});
    };
    add(running_commits_);
    for_each_left([&](FrameWorker& worker) { add(worker.commits); });
    std::uint64_t count = 0;
    for (; !sources_.empty(); ++count) {
        auto first = std::min_element(sources_.begin(), sources_.end(),
                                      [](const CommitSource& one, const CommitSource& other) {
                                          return in_commit_order(*one.next, *other.next);
                                      });
        run(*first->next);
        if (++first->next == first->end)
            sources_.erase(first);
    }
    running_commits_.clear();
    for_each_left([](FrameWorker& worker) { worker.commits.clear(); });
    return count;
}

void Engine::run(const Commit& commit) {
    ActorCell* cell = nullptr;
    bool alive = true;
    if (commit.address != 0) {
        cell = table_.find(ActorRef::from_address(commit.address));
        alive = cell != nullptr && cell->read_word().life != Life::dying;
    }
    Actor* const actor = alive && cell != nullptr ? &ActorAccess::actor(*cell) : nullptr;
    AsActor const as(*this, actor);
    Probe* const probe = observation_.recording.serial();
    const std::uint64_t begin_tick = probe == nullptr ? 0 : tick();
    commit_name_ = nullptr;
    try {
        const FrameWorker::Noted noted(frame_thread(), "", commit.address);
        commit.finish(frame_thread(), commit.data, alive);
    } catch (...) {
        fail(actor, "", std::current_exception());
    }
    if (probe != nullptr)
        probe->write(ProbeKind::commit, begin_tick, tick(), commit_name_, commit.address);
}

// The end of a round: what was for this round only goes, and what waited for a quiet moment comes.
void Engine::tidy_up() {
    make_moves();
    balance_.after_round(!has_mail() && !kept_due_);
    bury_dying();
    send_dead_letters();
    for_each_left([this](FrameWorker& worker) {
        for (ActorCell* const cell : worker.to_sweep())
            if (cell->more != nullptr) {
                cell->more->to_sweep = false;
                cell->more->own.sweep();
            }
        worker.to_sweep().clear();
        sweep_listeners(worker);
        table_.fill_spare(worker.spare_slots(), kSpareSlots);
    });
    sweep_events();
    if (table_.has_rooms())
        gate_.note_room();
    frame_thread().memory.reset(); // the others do so before they use it again
    if (balance_.shares())
        send_home();
}

// What ended on another worker than it began on goes back there, or it would all gather on one.
void Engine::send_home() noexcept {
    for (const std::unique_ptr<FrameWorker>& from : frame_workers_) {
        from->frames().send_home();
        tasks_.send_home(
            from->foreign_task_slots(), [this](std::uint16_t home) -> auto& {
                return worker(home).free_task_slots();
            });
    }
}

void Engine::set_tree(ActorTree& tree) noexcept {
    tree_ = &tree;
    for (const std::unique_ptr<FrameWorker>& worker : frame_workers_)
        worker->tree = &tree;
}

void Engine::keep_loads(std::shared_ptr<LoadBoard<StdPolicy>> loads) {
    std::erase_if(loads_,
                  [](const auto& board) { return board.use_count() == 1 && board->total() == 0; });
    loads_.push_back(std::move(loads));
}

void Engine::publish_all() noexcept {
    for (int worker = 0; worker < workers(); ++worker)
        mailboxes_.outbox(worker).publish();
}

// A2: a shard's old and new worker must not both have mail for it.
void Engine::make_moves() {
    if (moves_.empty() || has_mail() || kept_due_)
        return;
    for (const Move& move : moves_)
        if (const ActorCell* const cell = table_.find(move.actor))
            table_.move_shard(cell->read_word().shard, move.worker);
    moves_.clear();
}

void Engine::send_dead_letters() {
    for_each_left([this](FrameWorker& worker) {
        for (const DeadLetter& letter : worker.dead_letters())
            on_dead_letter_(letter);
        worker.dead_letters().clear();
    });
}

// --- from outside, and the rest of the time ---

SendResult Engine::post(UniqueFunction<void()> closure) {
    return gate_.send_control<PostedClosure>(0, std::move(closure));
}

void Engine::run_next(UniqueFunction<void()> closure) {
    commits_.push_back(
        {0, world_sequence_++, 0, &finish_posted, new UniqueFunction<void()>(std::move(closure))});
}

void destroy_from_outside(ActorRef actor) noexcept {
    if (Gate<StdPolicy>* const gate = gate_of(actor.runtime()))
        static_cast<void>(gate->send_control<DestroyMail>(actor.address()));
}

void disconnect_from_outside(ActorRef actor, std::uint64_t handler) noexcept {
    if (Gate<StdPolicy>* const gate = gate_of(actor.runtime()))
        static_cast<void>(gate->send_control<DisconnectMail>(actor.address(), handler));
}

bool Engine::idle() noexcept {
    return !has_work() && !gate_.moved() && !offload_.anyone_home();
}

void Engine::sleep(std::int64_t deadline_ns) noexcept {
    gate_.sleep([this] { return offload_.anyone_home() || stop_requested(); }, deadline_ns);
}

void Engine::sleep_until(std::int64_t deadline_ns) noexcept {
    mailboxes_.mailbox(0).bell().sleep([this] { return stop_requested(); }, deadline_ns);
}

// Who waits for the next frame gets it at the nominal rate.
std::int64_t Engine::next_due_ns() const noexcept {
    bool wants_frame = !next_frame_.empty();
    for (const std::shared_ptr<SignalCore>& signal : frame_signals_)
        wants_frame |= signal->has_listeners();
    return std::min(
        {timers_.next_due_ns(), deadlines_.next_due_ns(), next_simulation_ns(),
         wants_frame ? later(time_.time_ns, time_of_step(1, options_.rate_hz)) : kNever});
}

void Engine::ring() noexcept {
    mailboxes_.mailbox(0).bell().ring();
}

std::int64_t Engine::real_time_of(std::int64_t frame_time_ns) const noexcept {
    return later(began_ns_, frame_time_ns);
}

std::int64_t Engine::present_ns() const noexcept {
    return options_.virtual_clock ? time_.time_ns : now_ns() - began_ns_;
}

std::uint64_t Engine::refused(SendResult why) const noexcept {
    std::uint64_t sum = 0;
    for (const auto& worker : frame_workers_)
        sum += worker->refused[static_cast<std::size_t>(why)];
    return sum;
}

ExpiryCounts Engine::expiry_counts() const {
    ExpiryCounts sum;
    for (const auto& worker : frame_workers_)
        worker->topics().for_each([&](const TopicCounts& one) { sum += one.expired; });
    return sum;
}

MailCounts Engine::mail_counts() const {
    MailCounts sum;
    for (const auto& worker : frame_workers_)
        sum += worker->topics().sum();
    return sum;
}

std::vector<TopicCounts> Engine::topic_counts() const {
    TopicTable sum;
    for (const auto& worker : frame_workers_)
        worker->topics().for_each([&](const TopicCounts& one) {
            TopicCounts& place = sum.place_of(one.topic, one.name);
            place.counts += one.counts;
            place.expired += one.expired;
        });
    std::vector<TopicCounts> list;
    sum.for_each([&](const TopicCounts& one) { list.push_back(one); });
    std::sort(list.begin(), list.end(), [](const TopicCounts& one, const TopicCounts& other) {
        return std::string_view(one.name) < other.name;
    });
    return list;
}

std::size_t Engine::memory_bytes() {
    std::size_t bytes =
        sizeof(*this) + table_.memory_bytes() + observation_.recording.memory_bytes();
    for (int worker = 0; worker < workers_.count(); ++worker)
        bytes += mailboxes_.outbox(worker).memory_bytes() +
                 mailboxes_.mailbox(worker).memory_bytes() + sizeof(FrameWorker) +
                 this->worker(worker).memory.memory_bytes() +
                 this->worker(worker).frames().free_bytes();
    return bytes;
}

} // namespace detail
} // namespace takt
