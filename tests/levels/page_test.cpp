// SPDX-License-Identifier: MIT
// docs/levels.md: each member is used in each place, and does what the page says; and the page has
// every member that the headers have.
#include "levels/levels_support.hpp"
#include "levels/public_members.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using takt::Task;
using takt::testing_support::checked;

constexpr takt::Topic<int> kGo{"Go"};
constexpr takt::Topic<int> kOther{"Other"};
constexpr takt::Topic<int> kThird{"Third"};
constexpr takt::Request<int(int)> kAsk{"Ask"};
constexpr takt::Request<int(int)> kNever{"Never"};
constexpr takt::Attribute<double> kHealth{"Health"};

const takt::Machine& machine() {
    static const takt::Machine found = takt::discover_machine();
    return found;
}

/// What the members are members of. The code that uses them is none of these actors'.
struct Scene {
    explicit Scene(int workers)
        : runtime(
              [&] {
                  takt::Config config = checked(workers);
                  config.clock = {.kind = takt::ClockKind::virtual_time};
                  return config;
              }(),
              machine()) {
        other = runtime.spawn_actor({.name = "other"}, [&](takt::Actor& actor) {
            inside = &actor;
            actor.emplace_state<int>(3);
            connection = actor.bind(kOther, [](int) {});
        });
        local.emplace(other, 1);
        dispatcher.emplace(runtime, takt::DispatcherOptions{}, [](takt::Actor& actor) {
            actor.bind(kOther, [](int) {});
            actor.bind(kAsk, [](int number) { return number; });
        });
        answered = dispatcher->submit(kAsk, 1);
        runtime.step();
        pending = dispatcher->submit(kNever, 1);
        behaviour.bind(kOther, [](int&, int) {});
        door = runtime.root().add_child(serial, "Door", other);
        door.set_attribute(serial, kHealth, 95);
    }

    /// Outside one that does not have to be waited for: the frame does not go on meanwhile.
    takt::Ticket<int>& ticket_to_wait_for() {
        return takt::current_phase() == takt::Phase::outside ? answered : pending;
    }

    takt::Runtime runtime;
    takt::ActorRef other;
    takt::Actor* inside = nullptr; // of `other`
    takt::Connection connection;   // of `other`
    std::optional<takt::LocalSafe<int>> local;
    std::optional<takt::Dispatcher<>> dispatcher;
    takt::Ticket<int> answered;
    takt::Ticket<int> pending; // for ever
    takt::Behaviour<int> behaviour;
    takt::Behaviour<int> unused;
    takt::MailProducer producer = runtime.producer();
    takt::FrameSignal heartbeat = runtime.heartbeat();
    std::optional<takt::Signal<int>> signal{std::in_place, runtime, "signal"};
    const takt::SignalRef<int> signal_ref = signal->ref();
    takt::Outlet<int> outlet{1};
    takt::OutletSender<int> sender = outlet.sender(0);
    takt::ReadParallel<int> read_parallel{1};
    takt::Unsafe<int> unsafe{1};
    takt::Safe<int> safe{1};
    takt::SharedTable table{{"gold", 1}};
    takt::PerWorker<int> per_worker{runtime};
    const takt::Serial serial = runtime.serial(); // kept, as nobody should
    takt::Instance door;                          // stands for `other`
};

using Use = std::function<std::string(Scene&)>;
using Await = std::function<Task<>(Scene&)>;

/// A use; its outcome is "yes", or how it was refused.
template <class F>
Use use(F function) {
    return [function](Scene& scene) -> std::string {
        using Result = std::invoke_result_t<F, Scene&>;
        if constexpr (std::is_same_v<Result, takt::SendResult>) {
            const takt::SendResult result = function(scene);
            return result == takt::SendResult::ok ? "yes" : std::string(takt::name_of(result));
        } else {
            static_cast<void>(function(scene));
            return "yes";
        }
    };
}

const std::map<std::string, Use>& uses() {
    static const std::map<std::string, Use> all{
        // Runtime
        {"Runtime::step", use([](Scene& s) { s.runtime.step(); })},
        {"Runtime::run", use([](Scene& s) { s.runtime.run(); })},
        {"Runtime::run_until", use([](Scene& s) { s.runtime.run_until([] { return true; }); })},
        {"Runtime::run_for", use([](Scene& s) { s.runtime.run_for(1ns); })},
        {"Runtime::run_until_idle", use([](Scene& s) { s.runtime.run_until_idle(); })},
        {"Runtime::stop", use([](Scene& s) { s.runtime.stop(); })},
        {"Runtime::shutdown", use([](Scene& s) { return s.runtime.shutdown(0ns); })},
        {"Runtime::serial", use([](Scene& s) { return s.runtime.serial(); })},
        {"Runtime::post", use([](Scene& s) { return s.runtime.post([] {}); })},
        {"Runtime::start", use([](Scene& s) { s.runtime.start([]() -> Task<> { co_return; }()); })},
        {"Runtime::heartbeat", use([](Scene& s) { return s.runtime.heartbeat(); })},
        {"Runtime::pre_simulation", use([](Scene& s) { return s.runtime.pre_simulation(); })},
        {"Runtime::post_simulation", use([](Scene& s) { return s.runtime.post_simulation(); })},
        {"Runtime::bind_to_simulation",
         use([](Scene& s) { s.runtime.bind_to_simulation(60, 0, [](takt::SimulationStep) {}); })},
        {"Runtime::skipped_steps", use([](Scene& s) { return s.runtime.skipped_steps(); })},
        {"Runtime::advance", use([](Scene& s) { s.runtime.advance(1ns); })},
        {"Runtime::spawn_actor",
         use([](Scene& s) { return s.runtime.spawn_actor({}, [](takt::Actor&) {}); })},
        {"Runtime::producer", use([](Scene& s) { return s.runtime.producer(); })},
        {"Runtime::outlet", use([](Scene& s) { s.runtime.outlet<int>(); })},
        {"Runtime::move", use([](Scene& s) { s.runtime.move(s.other, 0); })},
        {"Runtime::root", use([](Scene& s) { return s.runtime.root(); })},
        {"Runtime::workers", use([](Scene& s) { return s.runtime.workers(); })},
        {"Runtime::plan", use([](Scene& s) { return &s.runtime.plan(); })},
        {"Runtime::worker_status", use([](Scene& s) { return &s.runtime.worker_status(); })},
        {"Runtime::config", use([](Scene& s) { return &s.runtime.config(); })},
        {"Runtime::actors", use([](Scene& s) { return s.runtime.actors(); })},
        {"Runtime::mail", use([](Scene& s) { return s.runtime.mail(); })},
        {"Runtime::balance", use([](Scene& s) { return s.runtime.balance(); })},
        {"Runtime::stats", use([](Scene& s) { return s.runtime.stats(); })},
        {"Runtime::actor_states", use([](Scene& s) { return s.runtime.actor_states(); })},
        {"Runtime::set_profiler", use([](Scene& s) { s.runtime.set_profiler(nullptr); })},
        {"Runtime::refused",
         use([](Scene& s) { return s.runtime.refused(takt::SendResult::full); })},
        {"Runtime::expired",
         use([](Scene& s) { return s.runtime.expired(takt::Expiry::overflow); })},
        {"Runtime::topics", use([](Scene& s) { return s.runtime.topics(); })},
        {"Runtime::outside_mail", use([](Scene& s) { return s.runtime.outside_mail(); })},
        {"Runtime::memory_bytes", use([](Scene& s) { return s.runtime.memory_bytes(); })},
        {"Runtime::last_frame", use([](Scene& s) { return &s.runtime.last_frame(); })},
        {"Runtime::skipped_frames", use([](Scene& s) { return s.runtime.skipped_frames(); })},
        {"Runtime::on_failure",
         use([](Scene& s) { s.runtime.on_failure([](const takt::Failure&) {}); })},
        {"Runtime::on_dead_letter",
         use([](Scene& s) { s.runtime.on_dead_letter([](const takt::DeadLetter&) {}); })},
        {"Runtime::operator World",
         use([](Scene& s) { return static_cast<takt::World>(s.runtime).workers(); })},
        // signals
        {"FrameSignal::now", use([](Scene& s) { return s.heartbeat.now(); })},
        {"Signal::Signal", use([](Scene& s) { const takt::Signal<int> made(s.runtime, "made"); })},
        {"Signal::~Signal", use([](Scene& s) { s.signal.reset(); })},
        {"Signal::fire", use([](Scene& s) { return s.signal->fire(1); })},
        {"Signal::ref", use([](Scene& s) { return s.signal->ref(); })},
        {"SignalRef::fire", use([](Scene& s) { return s.signal_ref.fire(1); })},
        {"SignalSource::connect", use([](Scene& s) { s.signal->connect([](int) {}); })},
        {"SignalSource::connect_parallel",
         use([](Scene& s) { s.signal->connect_parallel([](int) {}); })},
        {"SignalSource::name", use([](Scene& s) { return s.signal->name(); })},
        {"SignalSource::once", use([](Scene& s) { s.signal->once([](int) {}); })},
        {"SignalSource::once_parallel", use([](Scene& s) { s.signal->once_parallel([](int) {}); })},
        {"this_connection", use([](Scene&) { return takt::this_connection(); })},
        // an actor, by code that is not its own
        {"Actor::ref", use([](Scene& s) { return s.inside->ref(); })},
        {"Actor::id", use([](Scene& s) { return s.inside->id(); })},
        {"Actor::name", use([](Scene& s) { return s.inside->name(); })},
        {"Actor::parent", use([](Scene& s) { return s.inside->parent(); })},
        {"Actor::bind", use([](Scene& s) { s.inside->bind(kThird, [](int) {}); })},
        {"Actor::bind_parallel",
         use([](Scene& s) { s.inside->bind_parallel(kThird, [](int) {}); })},
        {"Actor::emplace_state", use([](Scene& s) {
             try {
                 s.inside->emplace_state<int>(4);
             } catch (const takt::Error&) { // it has one
             }
         })},
        {"Actor::state", use([](Scene& s) { return &s.inside->state<int>(); })},
        {"Actor::destroy", use([](Scene& s) { s.inside->destroy(); })},
        {"Actor::load", use([](Scene& s) { return s.inside->load(); })},
        {"Actor::counts", use([](Scene& s) { return s.inside->counts(); })},
        {"Actor::expired", use([](Scene& s) { return s.inside->expired(takt::Expiry::overflow); })},
        {"ActorRef::send", use([](Scene& s) { return s.other.send(kOther, 1); })},
        {"ActorRef::try_send", use([](Scene& s) { return s.other.try_send(kOther, 1); })},
        {"ActorRef::send_within",
         use([](Scene& s) { return s.other.send_within(0ns, kOther, 1); })},
        {"ActorRef::destroy", use([](Scene& s) { s.other.destroy(); })},
        {"ActorRef::load", use([](Scene& s) { return s.other.load(); })},
        {"ActorRef::alive", use([](Scene& s) { return s.other.alive(); })},
        {"ActorRef::operator bool", use([](Scene& s) { return static_cast<bool>(s.other); })},
        {"ActorRef::from_address",
         use([](Scene& s) { return takt::ActorRef::from_address(s.other.address()); })},
        {"ActorRef::address", use([](Scene& s) { return s.other.address(); })},
        {"ActorRef::generation", use([](Scene& s) { return s.other.generation(); })},
        {"ActorRef::slot", use([](Scene& s) { return s.other.slot(); })},
        {"ActorRef::runtime", use([](Scene& s) { return s.other.runtime(); })},
        {"Connection::disconnect", use([](Scene& s) { s.connection.disconnect(); })},
        {"Connection::connected", use([](Scene& s) { return s.connection.connected(); })},
        {"Connection::operator bool",
         use([](Scene& s) { return static_cast<bool>(s.connection); })},
        {"ScopedConnection::~ScopedConnection",
         use([](Scene& s) { const takt::ScopedConnection ends(s.connection); })},
        {"Topic::name", use([](Scene&) { return kGo.name(); })},
        {"Topic::hash", use([](Scene&) { return kGo.hash(); })},
        {"Behaviour::bind", use([](Scene& s) { s.unused.bind(kOther, [](int&, int) {}); })},
        {"Behaviour::bind_parallel",
         use([](Scene& s) { s.unused.bind_parallel(kOther, [](int&, int) {}); })},
        {"Behaviour::spawn", use([](Scene& s) { return s.behaviour.spawn({}, 1); })},
        {"Busy::Busy", use([](Scene&) { const takt::Busy busy; })},
        {"Busy::drop", use([](Scene&) {
             takt::Load<takt::StdPolicy> load;
             takt::BasicBusy<takt::StdPolicy>(load).drop();
         })},
        {"Busy::release", use([](Scene&) {
             takt::Load<takt::StdPolicy> load;
             takt::BasicBusy<takt::StdPolicy>(load).release();
         })},
        {"Busy::weight", use([](Scene&) {
             takt::Load<takt::StdPolicy> load;
             return takt::BasicBusy<takt::StdPolicy>(load).weight();
         })},
        // an instance
        {"Instance::alive", use([](Scene& s) { return s.door.alive(); })},
        {"Instance::operator bool", use([](Scene& s) { return static_cast<bool>(s.door); })},
        {"Instance::name", use([](Scene& s) { return s.door.name(); })},
        {"Instance::full_name", use([](Scene& s) { return s.door.full_name(); })},
        {"Instance::parent", use([](Scene& s) { return s.door.parent(); })},
        {"Instance::children", use([](Scene& s) { return s.door.children().empty(); })},
        {"Instance::find_first_child", use([](Scene& s) { return s.door.find_first_child("a"); })},
        {"Instance::is_descendant_of",
         use([](Scene& s) { return s.door.is_descendant_of(s.runtime.root()); })},
        {"Instance::actor", use([](Scene& s) { return s.door.actor(); })},
        {"Instance::attribute", use([](Scene& s) { return s.door.attribute(kHealth); })},
        {"Instance::attribute_names",
         use([](Scene& s) { return s.door.attribute_names().empty(); })},
        {"Instance::add_child", use([](Scene& s) { return s.door.add_child(s.serial, "Lock"); })},
        {"Instance::set_name", use([](Scene& s) { s.door.set_name(s.serial, "Gate"); })},
        {"Instance::set_parent",
         use([](Scene& s) { s.door.set_parent(s.serial, s.runtime.root()); })},
        {"Instance::destroy", use([](Scene& s) { s.door.destroy(s.serial); })},
        {"Instance::set_attribute",
         use([](Scene& s) { s.door.set_attribute(s.serial, kHealth, 1); })},
        {"Instance::erase_attribute",
         use([](Scene& s) { return s.door.erase_attribute(s.serial, kHealth); })},
        {"Instance::bind", use([](Scene& s) { s.door.bind(s.serial, kThird, [](int) {}); })},
        {"Instance::bind_parallel",
         use([](Scene& s) { s.door.bind_parallel(s.serial, kThird, [](int) {}); })},
        {"Instance::attribute_changed",
         use([](Scene& s) { return s.door.attribute_changed(s.serial, kHealth); })},
        {"Instance::connect",
         use([](Scene& s) { s.door.connect(s.serial, s.heartbeat, [](takt::FrameTime) {}); })},
        {"Instance::connect_parallel", use([](Scene& s) {
             s.door.connect_parallel(s.serial, s.heartbeat, [](takt::FrameTime) {});
         })},
        // free functions
        {"this_actor", use([](Scene&) { return &takt::this_actor(); })},
        {"spawn_actor", use([](Scene&) { return takt::spawn_actor({}, [](takt::Actor&) {}); })},
        {"commit", use([](Scene&) { takt::commit([] {}); })},
        {"spawn", use([](Scene&) { return takt::spawn([] {}); })},
        {"defer", use([](Scene&) { return takt::defer([] {}); })},
        {"delay", use([](Scene&) { return takt::delay(1ns, [] {}); })},
        {"cancel", use([](Scene&) { return takt::cancel({}); })},
        {"frame_memory", use([](Scene&) { return &takt::frame_memory(); })},
        {"current_phase", use([](Scene&) { return takt::current_phase(); })},
        {"name_of", use([](Scene&) { return takt::name_of(takt::Phase::serial); })},
        {"require_serial", use([](Scene&) { takt::require_serial("f"); })},
        {"require_owner", use([](Scene& s) { takt::require_owner(s.other, "f"); })},
        // Ticket
        {"Ticket::status", use([](Scene& s) { return s.pending.status(); })},
        {"Ticket::ready", use([](Scene& s) { return s.pending.ready(); })},
        {"Ticket::wait", use([](Scene& s) { s.ticket_to_wait_for().wait(); })},
        {"Ticket::wait_for", use([](Scene& s) { return s.pending.wait_for(1ns); })},
        {"Ticket::get", use([](Scene& s) { return s.ticket_to_wait_for().get(); })},
        {"Ticket::cancel", use([](Scene& s) { s.pending.cancel(); })},
        {"Ticket::on_ready", use([](Scene& s) { s.pending.on_ready([](takt::Ticket<int>) {}); })},
        {"Ticket::with_deadline", use([](Scene& s) { s.pending.with_deadline(1h); })},
        {"cancelled", use([](Scene&) { return takt::cancelled(); })},
        {"ActorRef::submit", use([](Scene& s) { s.other.submit(kAsk, 1); })},
        {"Dispatcher::submit", use([](Scene& s) { s.dispatcher->submit(kAsk, 1); })},
        {"Dispatcher::submit_by",
         use([](Scene& s) { s.dispatcher->submit_by(takt::RoundRobin(), kAsk, 1); })},
        {"Dispatcher::submit_range", use([](Scene& s) {
             s.dispatcher->submit_range(3, [](std::size_t index) { return index; });
         })},
        // Dispatcher
        {"Dispatcher::Dispatcher",
         use([](Scene& s) { const takt::Dispatcher made(s.runtime, {}, [](takt::Actor&) {}); })},
        {"Dispatcher::~Dispatcher", use([](Scene& s) { s.dispatcher.reset(); })},
        {"Dispatcher::allocate",
         use([](Scene& s) { s.dispatcher->allocate(1, [](takt::Actor&) {}); })},
        {"Dispatcher::close", use([](Scene& s) { s.dispatcher->close(); })},
        {"Dispatcher::shrink", use([](Scene& s) { s.dispatcher->shrink(1); })},
        {"Dispatcher::dispatch", use([](Scene& s) { return s.dispatcher->dispatch(kOther, 1); })},
        {"Dispatcher::dispatch_by",
         use([](Scene& s) { return s.dispatcher->dispatch_by(takt::RoundRobin(), kOther, 1); })},
        {"Dispatcher::dispatch_all",
         use([](Scene& s) { return s.dispatcher->dispatch_all(kOther, 1); })},
        {"Dispatcher::dispatch_range",
         use([](Scene& s) { return s.dispatcher->dispatch_range(3, [](std::size_t) {}); })},
        {"Dispatcher::size", use([](Scene& s) { return s.dispatcher->size(); })},
        {"Dispatcher::actor", use([](Scene& s) { return s.dispatcher->actor(0); })},
        {"Dispatcher::load", use([](Scene& s) { return s.dispatcher->load(0); })},
        {"Dispatcher::total_load", use([](Scene& s) { return s.dispatcher->total_load(); })},
        // shared tables
        {"Runtime::shared_tables", use([](Scene& s) { return &s.runtime.shared_tables(); })},
        {"SharedTable::get", use([](Scene& s) { return s.table.get("gold"); })},
        {"SharedTable::contains", use([](Scene& s) { return s.table.contains("gold"); })},
        {"SharedTable::set", use([](Scene& s) { s.table.set("gold", 2); })},
        {"SharedTable::erase", use([](Scene& s) { return s.table.erase("gold"); })},
        {"SharedTable::increment", use([](Scene& s) { return s.table.increment("gold", 1); })},
        {"SharedTable::update",
         use([](Scene& s) { s.table.update("gold", [](const auto&) { return 3; }); })},
        {"SharedTable::size", use([](Scene& s) { return s.table.size(); })},
        {"SharedTable::clear", use([](Scene& s) { s.table.clear(); })},
        {"SharedTable::for_each",
         use([](Scene& s) { s.table.for_each([](const auto&, const auto&) {}); })},
        {"SharedTable::clone", use([](Scene& s) { return s.table.clone(); })},
        {"SharedTable::clone_and_freeze",
         use([](Scene& s) { return s.table.clone_and_freeze(true); })},
        {"SharedTable::is_frozen", use([](Scene& s) { return s.table.is_frozen(); })},
        {"SharedTableRegistry::get_or_create",
         use([](Scene& s) { return s.runtime.shared_tables().get_or_create("a"); })},
        {"SharedTableRegistry::find",
         use([](Scene& s) { return s.runtime.shared_tables().find("a"); })},
        {"SharedTableRegistry::set",
         use([](Scene& s) { s.runtime.shared_tables().set("a", s.table); })},
        {"SharedTableRegistry::erase",
         use([](Scene& s) { return s.runtime.shared_tables().erase("a"); })},
        {"SharedTableRegistry::names",
         use([](Scene& s) { return s.runtime.shared_tables().names(); })},
        {"reclaim_shared_tables", use([](Scene&) { takt::reclaim_shared_tables(); })},
        {"shared_table_garbage_bytes",
         use([](Scene&) { return takt::shared_table_garbage_bytes(); })},
        // ways in and out
        {"MailProducer::send", use([](Scene& s) { return s.producer.send(s.other, kOther, 1); })},
        {"MailProducer::send_within",
         use([](Scene& s) { return s.producer.send_within(0ns, s.other, kOther, 1); })},
        {"MailProducer::flush", use([](Scene& s) { s.producer.flush(); })},
        {"MailProducer::registered", use([](Scene& s) { return s.producer.registered(); })},
        {"OutletSender::push", use([](Scene& s) { return s.sender.push(1); })},
        {"OutletSender::flush", use([](Scene& s) { s.sender.flush(); })},
        {"Outlet::sender", use([](Scene& s) { return s.outlet.sender(0); })},
        {"Outlet::try_receive", use([](Scene& s) { return s.outlet.try_receive(); })},
        {"Outlet::drain", use([](Scene& s) { return s.outlet.drain([](int) {}); })},
        {"Outlet::wait", use([](Scene& s) { return s.outlet.wait(0); })},
        {"Outlet::event_fd", use([](Scene& s) { return s.outlet.event_fd(); })},
        {"Outlet::arm", use([](Scene& s) {
             s.outlet.event_fd();
             return s.outlet.arm();
         })},
        {"Outlet::close", use([](Scene& s) { s.outlet.close(); })},
        {"Outlet::counts", use([](Scene& s) { return s.outlet.counts(); })},
        {"Outlet::signal", use([](Scene& s) { return &s.outlet.signal(); })},
        // state
        {"ReadParallel::read", use([](Scene& s) { return s.read_parallel.read(); })},
        {"ReadParallel::operator*", use([](Scene& s) { return *s.read_parallel; })},
        {"ReadParallel::operator->", use([](Scene& s) { return s.read_parallel.operator->(); })},
        {"ReadParallel::write", use([](Scene& s) { s.read_parallel.write(s.serial) = 2; })},
        {"Unsafe::read", use([](Scene& s) { return s.unsafe.read(); })},
        {"Unsafe::operator*", use([](Scene& s) { return *s.unsafe; })},
        {"Unsafe::operator->", use([](Scene& s) { return s.unsafe.operator->(); })},
        {"Unsafe::write", use([](Scene& s) { s.unsafe.write(s.serial) = 2; })},
        {"LocalSafe::owner", use([](Scene& s) { return s.local->owner(); })},
        {"LocalSafe::read", use([](Scene& s) { return s.local->read(); })},
        {"LocalSafe::operator*", use([](Scene& s) { return **s.local; })},
        {"LocalSafe::operator->", use([](Scene& s) { return s.local->operator->(); })},
        {"LocalSafe::write", use([](Scene& s) { s.local->write() = 2; })},
        {"LocalSafe::set", use([](Scene& s) { s.local->set(2); })},
        {"Safe::load", use([](Scene& s) { return s.safe.load(); })},
        {"Safe::store", use([](Scene& s) { s.safe.store(2); })},
        {"Safe::exchange", use([](Scene& s) { return s.safe.exchange(2); })},
        {"Safe::compare_exchange", use([](Scene& s) {
             int expected = 1;
             return s.safe.compare_exchange(expected, 2);
         })},
        {"Safe::fetch_add", use([](Scene& s) { return s.safe.fetch_add(2); })},
        {"PerWorker::local", use([](Scene& s) { return s.per_worker.local(); })},
        {"PerWorker::begin", use([](Scene& s) { return *s.per_worker.begin(); })},
        {"PerWorker::end", use([](Scene& s) { s.per_worker.end(); })},
    };
    return all;
}

Task<> nothing() {
    co_return;
}

const std::map<std::string, Await>& awaits() {
    static const std::map<std::string, Await> all{
        {"synchronize", [](Scene&) -> Task<> { co_await takt::synchronize(); }},
        {"desynchronize", [](Scene&) -> Task<> { co_await takt::desynchronize(); }},
        {"next_frame", [](Scene&) -> Task<> { co_await takt::next_frame(); }},
        {"wait", [](Scene&) -> Task<> { co_await takt::wait(0ns); }},
        {"offload", [](Scene&) -> Task<> { co_await takt::offload(); }},
        {"when_all", [](Scene&) -> Task<> { co_await takt::when_all(nothing(), nothing()); }},
        {"SignalSource::wait",
         [](Scene& s) -> Task<> {
             // the signal is fired by who gets to it; or by nobody, where waiting is refused
             s.runtime.post([&s] { s.runtime.post([&s] { s.signal->fire(1); }); });
             co_await s.signal->wait();
         }},
        {"Ticket::operator co_await",
         [](Scene& s) -> Task<> {
             if (takt::current_phase() != takt::Phase::outside) // where it is refused
                 s.runtime.post([&s] { s.pending.cancel(); });
             try {
                 (void)co_await s.pending;
             } catch (const takt::TicketError&) {
             }
         }},
        {"when_any", [](Scene&) -> Task<> { co_await takt::when_any(nothing(), nothing()); }},
    };
    return all;
}

enum class Place { serial, parallel, outside };
constexpr Place kPlaces[] = {Place::serial, Place::parallel, Place::outside};

/// "yes", "PhaseError", or how it was refused.
struct Outcome {
    std::string text = "it never ran";
    std::string level;  // of a PhaseError
    std::string member; // of a PhaseError
};

// Of the exception that is being handled.
Outcome refusal() {
    try {
        throw;
    } catch (const takt::PhaseError& error) {
        return {"PhaseError", takt::name_of(error.level()), error.member()};
    } catch (const takt::Error&) {
        return {"Error", {}, {}};
    }
}

Outcome outcome_of(const Use& use, Scene& scene) {
    try {
        return {use(scene), {}, {}};
    } catch (...) {
        return refusal();
    }
}

Outcome outcome_in(Place place, const Use& use, int workers) {
    Scene scene(workers);
    Outcome outcome;
    const takt::ActorRef user = scene.runtime.spawn_actor({.name = "user"}, [&](takt::Actor& self) {
        const auto here = [&](int) { outcome = outcome_of(use, scene); };
        if (place == Place::serial)
            self.bind(kGo, here);
        else if (place == Place::parallel)
            self.bind_parallel(kGo, here);
        else // while a frame runs
            self.bind_parallel(
                kGo, [&](int) { std::thread([&] { outcome = outcome_of(use, scene); }).join(); });
    });
    user.send(kGo, 1);
    scene.runtime.step();
    return outcome;
}

Outcome outcome_in(Place place, const Await& await, int workers) {
    Scene scene(workers);
    Outcome outcome;
    const auto run = [&](int) -> Task<> {
        if (place == Place::outside)
            co_await takt::offload();
        try {
            co_await await(scene);
            outcome = {"yes", {}, {}};
        } catch (...) {
            outcome = refusal();
        }
        co_await takt::synchronize();
    };
    const takt::ActorRef user = scene.runtime.spawn_actor({.name = "user"}, [&](takt::Actor& self) {
        if (place == Place::serial)
            self.bind(kGo, run);
        else
            self.bind_parallel(kGo, run);
    });
    user.send(kGo, 1);
    scene.runtime.run_until_idle();
    scene.runtime.step(); // tasks that wait for a frame go on
    scene.runtime.run_until_idle();
    return outcome;
}

Outcome outcome_in(Place place, const std::string& member, int workers) {
    const auto found = uses().find(member);
    return found != uses().end() ? outcome_in(place, found->second, workers)
                                 : outcome_in(place, awaits().at(member), workers);
}

std::set<std::string> members_used() {
    std::set<std::string> names;
    for (const auto& [name, function] : uses())
        names.insert(name);
    for (const auto& [name, function] : awaits())
        names.insert(name);
    return names;
}

/// One of the page's: member, level, and what happens in each place.
struct Row {
    std::string member;
    std::string level;
    std::vector<std::string> outcomes;
};

std::vector<Row> rows_of_page() {
    std::ifstream page(TAKT_DOCS "/levels.md");
    EXPECT_TRUE(page) << TAKT_DOCS "/levels.md";
    std::vector<Row> rows;
    for (std::string line; std::getline(page, line);) {
        if (line.rfind("| `", 0) != 0)
            continue;
        std::vector<std::string> cells;
        std::istringstream text(line.substr(2));
        for (std::string cell; std::getline(text, cell, '|');) {
            const std::size_t first = cell.find_first_not_of(" `");
            const std::size_t last = cell.find_last_not_of(" `");
            cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
        }
        EXPECT_GE(cells.size(), 5u) << line;
        if (cells.size() >= 5)
            rows.push_back({cells[0], cells[1], {cells[2], cells[3], cells[4]}});
    }
    return rows;
}

class LevelsPage : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Workers, LevelsPage, ::testing::Values(1, 2, 4));

TEST_P(LevelsPage, says_what_happens_in_each_place) {
    const std::vector<Row> rows = rows_of_page();
    EXPECT_FALSE(rows.empty());
    for (const Row& row : rows) {
        if (members_used().count(row.member) == 0)
            continue; // the next test says so
        for (const Place place : kPlaces) {
            const Outcome outcome = outcome_in(place, row.member, GetParam());
            const std::string where =
                row.member + ", place " + std::to_string(static_cast<int>(place));
            EXPECT_EQ(outcome.text, row.outcomes[static_cast<std::size_t>(place)]) << where;
            if (outcome.text == "PhaseError") {
                EXPECT_EQ(outcome.level, row.level) << where << ": " << outcome.member;
            } else if (std::count(row.outcomes.begin(), row.outcomes.end(), "PhaseError") == 0) {
                EXPECT_EQ(row.level, takt::name_of(takt::Level::safe)) << where;
            }
        }
    }
}

TEST(LevelsPageTest, has_a_row_for_every_member_that_is_used_here_and_no_other) {
    std::set<std::string> on_page;
    for (const Row& row : rows_of_page())
        EXPECT_TRUE(on_page.insert(row.member).second) << row.member << " stands there twice";
    EXPECT_EQ(on_page, members_used());
}

TEST(LevelsPageTest, has_a_row_for_every_public_member_of_the_headers) {
    std::set<std::string> on_page;
    for (const Row& row : rows_of_page())
        on_page.insert(row.member);
    std::set<std::string> in_headers;
    for (const char* const header : {"actor/actor.hpp",
                                     "actor/actor_ref.hpp",
                                     "actor/behaviour.hpp",
                                     "actor/load.hpp",
                                     "actor/send.hpp",
                                     "actor/ticket.hpp",
                                     "actor/ticket_state.hpp",
                                     "actor/topic.hpp",
                                     "dispatcher/departure.hpp",
                                     "dispatcher/dispatcher.hpp",
                                     "levels/local_safe.hpp",
                                     "levels/read_parallel.hpp",
                                     "levels/require_owner.hpp",
                                     "levels/safe.hpp",
                                     "levels/unsafe.hpp",
                                     "mailbox/outlet.hpp",
                                     "model/attribute.hpp",
                                     "model/instance.hpp",
                                     "phase/context.hpp",
                                     "phase/level.hpp",
                                     "phase/phase_error.hpp",
                                     "phase/tokens.hpp",
                                     "phase/unchecked_scope.hpp",
                                     "runtime/per_worker.hpp",
                                     "runtime/runtime.hpp",
                                     "shared_table/registry.hpp",
                                     "shared_table/shared_table.hpp",
                                     "signal/signal.hpp",
                                     "task/awaits.hpp",
                                     "task/group.hpp",
                                     "task/library.hpp",
                                     "task/task_ref.hpp"})
        for (const std::string& member :
             takt::testing_support::public_members_of(std::string(TAKT_INCLUDE "/takt/") + header))
            in_headers.insert(member);
    // Values, exceptions and loads, whose members are as safe as an int's; and what users do not call.
    const auto is_left_out = [](const std::string& member) {
        for (const char* const type : {"PhaseError::", "Load::", "LoadBoard::", "OutletCounts::",
                                       "TaskRef::", "TicketError::", "make_selector"})
            if (member.rfind(type, 0) == 0)
                return true;
        return false;
    };
    for (const std::string& member : in_headers)
        if (!is_left_out(member)) {
            EXPECT_EQ(on_page.count(member), 1u) << member << " has no row in docs/levels.md";
        }
    for (const char* const known :
         {"Runtime::step", "Actor::bind", "ActorRef::send", "Topic::name", "Dispatcher::dispatch",
          "LocalSafe::write", "Safe::fetch_add", "Runtime::post", "commit", "synchronize",
          "Outlet::drain", "Instance::set_attribute", "SharedTable::increment"})
        EXPECT_EQ(in_headers.count(known), 1u) << known << " is not found in the headers";
}

TEST(LevelsPageTest, a_member_is_found_in_a_header_where_it_is_public) {
    const std::set<std::string> found = takt::testing_support::public_members_in(R"(
        namespace takt {
        namespace detail { void hidden(); struct Hidden { void hidden(); }; }
        /// void comment();
        template <class T> requires std::same_as<T, int> class [[nodiscard]] Some : Base<T> {
            int private_one();
          public:
            explicit Some(int given) : value_{given} { helper(given); }
            Some(const Some&) = delete;
            bool operator==(const Some&) const = default;
            explicit operator bool() const;
            T* operator->() const { return one(); }
            template <class F> requires std::invocable < F & > F two(F f) noexcept(noexcept(f()));
            static_assert(sizeof(T) == 4);
          protected:
            int protected_one();
          private:
            int value_{0};
            int private_two() const { return value_; }
        };
        struct Open { int member = 3; void three(); };
        template <class T> void Some<T>::two() {}
        inline int four(int a = five(1)) { return a; }
        void seven(Options options = {}, int last = [] { return eight(); }());
        Some(int) -> Some<int>;
        inline constexpr int kSix{six()};
        })");
    EXPECT_EQ(found, (std::set<std::string>{"Some::operator bool", "Some::operator->", "Some::two",
                                            "Open::three", "four", "seven"}));
}

} // namespace
