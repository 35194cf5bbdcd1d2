// SPDX-License-Identifier: MIT
#include "takt/runtime.hpp"

#include "frame/engine.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace takt {

namespace {

detail::EngineOptions options_from(const EffectiveConfig& config, Plan plan) {
    detail::EngineOptions options;
    options.plan = std::move(plan);
    options.workers = config.workers_config();
    options.next_round = config.frame.delivery.value == Delivery::next_round;
    options.max_rounds = config.frame.max_rounds.value;
    options.phase_messages = config.frame.phase_messages.value;
    options.phase_time_ns = config.frame.phase_time_ns.value;
    options.balance.claims = config.frame.balance.value != Balancing::off;
    options.balance.moves = config.frame.balance.value == Balancing::moves;
    options.kept_max = config.mail.kept_max.value;
    options.checks = config.checks.level.value == CheckLevel::always ||
                     (config.checks.level.value == CheckLevel::debug && TAKT_CHECKED);
    options.on_violation = config.checks.on_violation.value;
    options.failure_policy = config.failure.policy.value;
    options.virtual_clock = config.clock.kind.value == ClockKind::virtual_time;
    options.rate_hz = config.frame.rate_hz.value;
    options.offload_threads = config.offload.threads.value;
    if (config.mail.worker_bytes.value != kUnlimited) // a lane's part
        options.lane.unread_bytes_max =
            config.mail.worker_bytes.value / options.plan.workers.size();
    options.gate.bounds.share_bytes = config.mail.outside_bytes.value;
    options.gate.bounds.overflow = config.mail.outside_overflow.value;
    options.gate.bounds.is_control = [](std::uint64_t, const RecordType& type) {
        return static_cast<const detail::MailType&>(type).control != nullptr;
    };
    return options;
}

} // namespace

Runtime::Runtime(const Config& config) : Runtime(config, discover_machine()) {}

Runtime::Runtime(const Config& config, const Machine& machine)
    : Runtime(config, machine, std::nullopt) {}

Runtime::Runtime(const Config& config, const Machine& machine, std::optional<std::uint64_t> seed)
    : config_(resolve(config)) {
    // Of another machine no CPU is booked.
    Plan plan =
        make_plan(machine, config_.plan_config(), machine.bindable ? Booking::current() : CpuSet());
    config_ = resolve(config, plan);
    detail::EngineOptions options = options_from(config_, std::move(plan));
    options.seed = seed;
    if (seed)
        options.offload_threads = 0;
    engine_ = std::make_unique<detail::Engine>(std::move(options));
    tree_ = std::make_unique<detail::InstanceTree>(engine_->table().runtime(), World(*engine_));
    if (!seed)
        recorded_ = detail::record_as_environment_says(*this);
}

Runtime::~Runtime() {
    recorded_.reset(); // it looks at what is left
}

// --- frames ---

FrameReport Runtime::step() {
    engine_->require_no_frame("takt::Runtime::step");
    if (engine_->shut_down())
        throw Error("runtime", "shut down", "it has no frames any more", "Make a new one");
    engine_->take_over_thread();
    last_frame_ = engine_->step();
    for (AfterFrame& one : after_frame_)
        one.hook(last_frame_);
    return last_frame_;
}

void Runtime::run() {
    run_while("takt::Runtime::run", [] { return true; });
}

void Runtime::run_for(std::chrono::nanoseconds duration) {
    engine_->require_no_frame("takt::Runtime::run_for");
    const std::int64_t end_ns = later(engine_->present_ns(), duration.count());
    run_while(
        "takt::Runtime::run_for", [this, end_ns] { return engine_->time().time_ns < end_ns; },
        end_ns);
}

// `end_ns`: frame time at which it ends, too.
void Runtime::run_while(const char* member, UniqueFunction<bool()> go_on, std::int64_t end_ns) {
    engine_->require_no_frame(member);
    std::optional<ScopedPin> pin;
    if (config_.workers.pin.value && !config_.workers.pin_caller.value)
        pin.emplace(plan().workers.front().cpu);
    std::int64_t due_ns = now_ns();
    do {
        step();
        if (engine_->stop_requested() || !go_on())
            break;
        if (config_.frame.pacing.value == Pacing::fixed)
            pace_fixed(due_ns);
        else if (config_.frame.pacing.value == Pacing::on_demand)
            pace_on_demand(end_ns);
    } while (!engine_->stop_requested());
    engine_->clear_stop();
}

// Absolute deadlines, so that nothing drifts. Late frames follow each other at once; what cannot be
// made up for is left out.
void Runtime::pace_fixed(std::int64_t& due_ns) {
    const auto period_ns = static_cast<std::int64_t>(1e9 / config_.frame.rate_hz.value);
    due_ns += period_ns;
    const std::int64_t now = now_ns();
    const std::int64_t late = std::max<std::int64_t>(0, (now - due_ns) / period_ns);
    if (late > config_.frame.catch_up_max.value) {
        const std::int64_t skipped = late - config_.frame.catch_up_max.value;
        skipped_frames_ += static_cast<std::uint64_t>(skipped);
        due_ns += skipped * period_ns;
    }
    engine_->expect_phase(due_ns);
    const Waiting& waiting = engine_->crew().waiting();
    if (now < due_ns - waiting.prewake_ns)
        engine_->sleep_until(due_ns - waiting.prewake_ns);
    while (now_ns() < due_ns && !engine_->stop_requested())
        StdPolicy::pause();
}

// `end_ns`: frame time of one more frame, whether or not something is to be done.
void Runtime::pace_on_demand(std::int64_t end_ns) {
    if (!engine_->idle())
        return;
    end_ns = std::min(end_ns, engine_->next_due_ns());
    if (config_.clock.kind.value == ClockKind::virtual_time && end_ns != kNever)
        return; // its time does not pass while one sleeps
    // Spin first, as workers do: who waits for an answer asks again soon.
    const std::int64_t due_ns = engine_->real_time_of(end_ns);
    const std::int64_t spin_until_ns =
        std::min(due_ns, later(now_ns(), engine_->crew().waiting().spin_ns));
    do {
        for (int polls = 0; polls < 32; ++polls) {
            if (!engine_->idle() || engine_->stop_requested())
                return;
            StdPolicy::pause();
        }
    } while (now_ns() < spin_until_ns);
    engine_->sleep(due_ns);
}

// When something is due that a thread may wait for; a virtual clock stands while one sleeps.
std::int64_t Runtime::due_in_real_time_ns() const noexcept {
    const std::int64_t due_ns = engine_->next_due_ns();
    const bool stands = config_.clock.kind.value == ClockKind::virtual_time || due_ns == kNever;
    return stands ? kNever : engine_->real_time_of(due_ns);
}

std::uint64_t Runtime::run_until_idle() {
    engine_->require_no_frame("takt::Runtime::run_until_idle");
    std::uint64_t frames = 0;
    do {
        step();
        ++frames;
        if (engine_->idle() && engine_->offloaded() != 0)
            engine_->sleep(due_in_real_time_ns());
    } while ((!engine_->idle() || engine_->offloaded() != 0) && !engine_->stop_requested());
    engine_->clear_stop();
    return frames;
}

void Runtime::stop() noexcept {
    engine_->request_stop();
}

ShutdownReport Runtime::shutdown(std::chrono::nanoseconds patience) {
    if (engine_->in_frame())
        detail::violated("takt::Runtime::shutdown",
                         "A frame is running; call stop() there, and shutdown() "
                         "after run() has returned",
                         Level::between_frames);
    engine_->require_no_frame("takt::Runtime::shutdown");
    return engine_->shutdown(later(now_ns(), patience.count()));
}

Serial Runtime::serial() {
    const detail::ActorContext* const here = detail::context_in(engine_->table().runtime());
    if (engine_->in_frame() && (here == nullptr || here->phase != Phase::serial))
        detail::violated("takt::Runtime::serial",
                         "A frame is running; use commit() or synchronize()");
    if (!engine_->in_frame())
        engine_->take_over_thread();
    return detail::TokenMint::serial();
}

Runtime::operator World() noexcept {
    return World(*engine_);
}

void Runtime::enter(const char* member) {
    engine_->enter(member, Level::in_frame);
}

void Runtime::start(Task<> task) {
    engine_->enter("takt::Runtime::start", Level::unsafe);
    engine_->start(std::move(task));
}

void Runtime::advance(std::chrono::nanoseconds by) {
    if (config_.clock.kind.value != ClockKind::virtual_time)
        throw Error("clock.kind", "real", "the real clock cannot be advanced",
                    "Configure .clock = {.kind = takt::ClockKind::virtual_time}");
    if (by.count() < 0)
        throw Error("by", std::to_string(by.count()) + " ns", "time does not go back",
                    "Give the time by which the next frame is later");
    engine_->require_standstill("takt::Runtime::advance");
    engine_->advance_clock(by.count());
}

// --- for tests ---

FrameReport Runtime::step_no_later(std::int64_t time_ns) {
    engine_->require_no_frame("takt::testing::TestRuntime::advance");
    engine_->advance_clock(std::min<std::int64_t>(0, time_ns - engine_->next_frame_ns()));
    return step();
}

bool Runtime::is_idle() noexcept {
    return engine_->idle();
}

std::uint64_t Runtime::mail_under_way() {
    return engine_->mail_left() + engine_->gate().counts().inside();
}

void Runtime::run_as(ActorRef actor, UniqueFunction<void()> function) {
    constexpr const char* kMember = "takt::testing::TestRuntime::run_as";
    engine_->require_no_frame(kMember);
    engine_->enter(kMember, Level::between_frames);
    const bool is_ours = actor && actor.runtime() == engine_->table().runtime();
    detail::ActorCell* const cell = is_ours ? engine_->table().find(actor) : nullptr;
    if (cell == nullptr || cell->read_word().life == detail::Life::dying)
        throw Error("actor", std::to_string(actor.address()), "it is no actor of this runtime",
                    "Give one that has been made by it and not been destroyed");
    detail::AsActor const as(*engine_, &detail::ActorAccess::actor(*cell));
    function();
}

Stats Runtime::stats() const {
    engine_->require_standstill("takt::Runtime::stats");
    Stats stats;
    stats.frames = engine_->time().frame;
    stats.rounds = engine_->rounds();
    stats.messages = engine_->messages();
    stats.commits = engine_->commits();
    stats.failures = engine_->failures();
    stats.mail = engine_->mail_counts();
    stats.expired = engine_->expiry_counts();
    for (const SendResult why : {SendResult::dead, SendResult::full, SendResult::no_memory})
        stats.refused += engine_->refused(why);
    stats.load = stats.mail.in_flight + engine_->mail_left();
    for (int worker = 0; worker < engine_->workers(); ++worker) {
        stats.parks += engine_->worker(worker).parks();
        stats.wakes += engine_->mailboxes().mailbox(worker).bell().rings();
    }
    stats.balance = engine_->balance().counts();
    stats.actors = engine_->actors();
    stats.memory_bytes = memory_bytes();
    return stats;
}

std::vector<ActorState> Runtime::actor_states() const {
    engine_->require_standstill("takt::Runtime::actor_states");
    return engine_->actor_states();
}

void Runtime::set_profiler(const ProfilerHooks* hooks) {
    engine_->require_no_frame("takt::Runtime::set_profiler");
    engine_->take_over_thread();
    engine_->set_hooks(hooks);
}

// --- the recorder ---

void Runtime::watch(bool is_on) {
    engine_->require_no_frame("takt::Watchdog");
    engine_->watch(is_on);
}

const detail::RunningMark<StdPolicy>& Runtime::running(int worker) const noexcept {
    return engine_->worker(worker).running();
}

void Runtime::start_recording(std::size_t records) {
    engine_->require_no_frame("takt::Recorder::start");
    engine_->start_recording(records);
}

void Runtime::stop_recording() noexcept {
    engine_->stop_recording();
}

detail::RecordingView Runtime::recording() const {
    engine_->require_standstill("takt::Recorder::capture");
    return {&engine_->recording(), &plan(), &engine_->table()};
}

std::string detail::RecordingView::name_of_actor(std::uint64_t address) const {
    const ActorRef ref = ActorRef::from_address(address);
    if (const ActorCell* const cell = table->find(ref))
        return cell->more == nullptr || cell->more->name.empty() ? "#" + std::to_string(cell->id)
                                                                 : cell->more->name;
    const std::string& gone = recording->name_of_gone(address);
    return gone.empty() ? "an actor that is gone" : gone;
}

void Runtime::add_after_frame(const void* key, UniqueFunction<void(const FrameReport&)> hook) {
    engine_->require_no_frame("takt::Recorder::Recorder");
    after_frame_.push_back({key, std::move(hook)});
}

void Runtime::remove_after_frame(const void* key) noexcept {
    std::erase_if(after_frame_, [key](const AfterFrame& one) { return one.key == key; });
}

FrameTime FrameSignal::now() const {
    engine_->require_no_stranger("takt::FrameSignal::now");
    return engine_->time();
}

FrameSignal Runtime::pre_simulation() noexcept {
    return {*engine_, engine_->frame_signal(detail::Engine::kPreSimulation)};
}

FrameSignal Runtime::post_simulation() noexcept {
    return {*engine_, engine_->frame_signal(detail::Engine::kPostSimulation)};
}

FrameSignal Runtime::heartbeat() noexcept {
    return {*engine_, engine_->frame_signal(detail::Engine::kHeartbeat)};
}

Connection Runtime::bind_steps(double rate_hz, int priority,
                               std::unique_ptr<detail::Handler> step) {
    return engine_->bind_to_simulation(rate_hz, priority, std::move(step));
}

std::uint64_t Runtime::skipped_steps() const {
    engine_->require_no_stranger("takt::Runtime::skipped_steps");
    return engine_->skipped_steps();
}

// --- actors ---

MailProducer Runtime::producer(Publishing publishing) {
    return MailProducer(engine_->gate().register_producer(publishing), engine_->table());
}

void Runtime::move(ActorRef actor, int worker) {
    engine_->enter("takt::Runtime::move", Level::unsafe);
    require_serial("takt::Runtime::move");
    if (worker < 0 || worker >= workers())
        throw Error("worker", std::to_string(worker),
                    "there are " + std::to_string(workers()) + " workers, numbered from 0",
                    "Name one of them");
    engine_->move(actor, worker);
}

SendResult Runtime::post_closure(UniqueFunction<void()> closure) {
    return engine_->post(std::move(closure));
}

Instance Runtime::root() const noexcept {
    return {tree_->runtime(), detail::InstanceTree::kRoot, tree_->root_generation()};
}

// --- what one may want to know ---

int Runtime::workers() const noexcept {
    return engine_->workers();
}

const Plan& Runtime::plan() const noexcept {
    return engine_->options().plan;
}

const std::vector<WorkerStatus>& Runtime::worker_status() const noexcept {
    return engine_->crew().status();
}

const EffectiveConfig& Runtime::config() const noexcept {
    return config_;
}

std::uint64_t Runtime::actors() const {
    engine_->require_no_stranger("takt::Runtime::actors");
    return engine_->actors();
}

std::uint64_t Runtime::refused(SendResult why) const {
    engine_->require_standstill("takt::Runtime::refused");
    return engine_->refused(why);
}

std::uint64_t Runtime::expired(Expiry reason) const {
    engine_->require_standstill("takt::Runtime::expired");
    return engine_->expiry_counts()[reason];
}

BalanceCounts Runtime::balance() const {
    engine_->require_standstill("takt::Runtime::balance");
    return engine_->balance().counts();
}

MailCounts Runtime::mail() const {
    engine_->require_standstill("takt::Runtime::mail");
    return engine_->mail_counts();
}

std::vector<TopicReport> Runtime::topics() const {
    engine_->require_standstill("takt::Runtime::topics");
    std::vector<TopicReport> reports;
    for (const detail::TopicCounts& topic : engine_->topic_counts())
        reports.push_back({topic.name, topic.counts, topic.expired});
    return reports;
}

GateCounts Runtime::outside_mail() {
    engine_->require_standstill("takt::Runtime::outside_mail");
    return engine_->gate().counts();
}

std::size_t Runtime::memory_bytes() const {
    engine_->require_standstill("takt::Runtime::memory_bytes");
    return engine_->memory_bytes() + tree_->memory_bytes();
}

const FrameReport& Runtime::last_frame() const {
    engine_->require_no_stranger("takt::Runtime::last_frame");
    return last_frame_;
}

std::uint64_t Runtime::skipped_frames() const {
    engine_->require_no_stranger("takt::Runtime::skipped_frames");
    return skipped_frames_;
}

void Runtime::on_failure(UniqueFunction<void(const Failure&)> hook) {
    engine_->require_standstill("takt::Runtime::on_failure");
    engine_->set_on_failure(std::move(hook));
}

void Runtime::on_dead_letter(UniqueFunction<void(const DeadLetter&)> hook) {
    engine_->require_standstill("takt::Runtime::on_dead_letter");
    engine_->set_on_dead_letter(std::move(hook));
}

} // namespace takt
