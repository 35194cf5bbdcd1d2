// SPDX-License-Identifier: MIT
#include "takt/actor.hpp"

#include <array>
#include <atomic>
#include <utility>

namespace takt {

namespace detail {

namespace {

// gates:   writes: a runtime at its begin and its end   reads: who sends from outside
//   edge gate: hands over the gate.
std::array<std::atomic<Gate<StdPolicy>*>, ActorRef::kRuntimesMax> gates{};
// gate_users: how many GateUse there are.   writes: those   reads: a runtime at its end
//   edge gate_users: of who uses the gate and who takes it away the later one sees what the other did.
std::array<std::atomic<std::uint32_t>, ActorRef::kRuntimesMax> gate_users{};

// tables: the same.   edge gate: hands over the table.
std::array<std::atomic<const ActorTable*>, ActorRef::kRuntimesMax> tables{};

std::string current_actor_name() {
    const ActorContext* const here = actor_context();
    if (here == nullptr || here->actor == nullptr)
        return {};
    if (!here->actor->name().empty())
        return std::string(here->actor->name());
    return "#" + std::to_string(here->actor->id());
}

// Null when it is gone.
ActorCell* find_from_phase(ActorRef actor, const char* member) {
    if (!actor)
        return nullptr;
    const ActorContext* const here = context_in(actor.runtime());
    if (here == nullptr)
        violated(member, "Ask in a frame of its runtime; other threads send it a message",
                 Level::in_frame);
    return here->table->find(actor);
}

} // namespace

Gate<StdPolicy>* gate_of(unsigned runtime) noexcept {
    return gates[runtime].load(std::memory_order_acquire); // edge gate, acquire side
}

const ActorTable* table_of(unsigned runtime) noexcept {
    return tables[runtime].load(std::memory_order_acquire); // edge gate, acquire side
}

void set_gate(unsigned runtime, Gate<StdPolicy>* gate, const ActorTable* table) noexcept {
    name_of_current_actor = &current_actor_name;
    tables[runtime].store(table, std::memory_order_release); // edge gate, release side
    gates[runtime].store(gate, std::memory_order_release);   // edge gate, release side
    // edge gate_users, both sides
    while (gate == nullptr && gate_users[runtime].fetch_add(0, std::memory_order_acq_rel) != 0)
        StdPolicy::yield();
}

GateUse::GateUse(unsigned runtime) noexcept : runtime_(runtime) {
    gate_users[runtime].fetch_add(1, std::memory_order_acq_rel); // edge gate_users, both sides
    gate_ = gate_of(runtime);
}

GateUse::~GateUse() {
    gate_users[runtime_].fetch_sub(1, std::memory_order_release); // edge gate_users, release side
}

void own_check_failed(const char* member) {
    if (actor_context() == nullptr)
        need_actor_context(member, Level::local_safe);
    check_failed(member, Level::local_safe,
                 "In the parallel phase an actor is used by its own code only; others have its "
                 "ActorRef");
}

ActorContext& need_actor_context(const char* member, Level level) {
    ActorContext* const here = actor_context();
    if (here == nullptr)
        violated(member,
                 "Call it on the frame thread between frames, or from code that a frame runs; "
                 "from other threads use Runtime::post()",
                 level);
    return *here;
}

void ActorContext::commit(void (*finish)(ActorContext&, void*, bool), void* data) {
    if (actor == nullptr) { // the payload of a message goes, which may hold a signal
        commits.push_back({0, nobodys_sequence++, 0, finish, data});
        return;
    }
    Actor& who = *actor;
    ActorCell& cell = ActorAccess::cell(who);
    commits.push_back({cell.id, cell.sequence++, who.ref().address(), finish, data});
}

Load<StdPolicy>& load_of_this_actor() {
    ActorCell& cell = ActorAccess::cell(this_actor());
    Load<StdPolicy>* load = cell.load.load(std::memory_order_relaxed); // relaxed: its own
    if (load == nullptr) {
        ActorMore& more = cell.need_more();
        more.own_load = std::make_unique<Load<StdPolicy>>();
        load = more.own_load.get();
        cell.load.store(load, std::memory_order_release); // edge actor_load, release side
    }
    return *load;
}

} // namespace detail

Actor& this_actor() {
    detail::ActorContext& here = detail::need_actor_context("takt::this_actor");
    if (here.actor == nullptr)
        detail::violated("takt::this_actor", "Call it from an actor's setup, handlers and tasks",
                         Level::in_frame);
    return *here.actor;
}

void ActorRef::destroy() const {
    if (detail::ActorContext* const here = detail::context_in(runtime()))
        here->host->destroy(*this);
    else if (detail::gate_of(runtime()) != nullptr)
        detail::destroy_from_outside(*this);
}

std::uint64_t ActorRef::load() const {
    const detail::ActorCell* const cell = detail::find_from_phase(*this, "takt::ActorRef::load");
    if (cell == nullptr)
        return 0;
    // edge actor_load, acquire side
    const Load<StdPolicy>* const load = cell->load.load(std::memory_order_acquire);
    return load == nullptr ? 0 : load->value();
}

bool ActorRef::alive() const {
    const detail::ActorCell* const cell = detail::find_from_phase(*this, "takt::ActorRef::alive");
    return cell != nullptr && cell->read_word().life != detail::Life::dying;
}

ActorRef Actor::ref() const {
    // An actor's code knows its runtime by its context.
    return detail::need_actor_context("takt::Actor::ref").table->ref_of(*this, slot_);
}

MailCounts Actor::counts() const {
    require_own("takt::Actor::counts");
    if (more == nullptr)
        return {handled, 0, 0, in_flight};
    const std::uint64_t by_senders = more->room == nullptr ? 0 : more->room->dropped_by_senders();
    return {handled, more->failed, more->expired.sum() + by_senders, in_flight};
}

std::uint64_t Actor::expired(Expiry reason) const {
    require_own("takt::Actor::expired");
    if (more == nullptr)
        return 0;
    const bool has_more = reason == Expiry::overflow && more->room != nullptr;
    return more->expired[reason] + (has_more ? more->room->dropped_by_senders() : 0);
}

Connection Actor::add_handler(Phase phase, std::uint64_t topic, const char* name,
                              const detail::Signature& signature,
                              std::unique_ptr<detail::Handler> handler) {
    detail::ActorContext& here = detail::need_actor_context("takt::Actor::bind", Level::local_safe);
    require_own("takt::Actor::bind");
    if (shared != nullptr) {
        const detail::TopicHandlers* const entry = shared->handlers.find(topic);
        if (entry != nullptr && entry->signature != &signature)
            throw Error("topic", name,
                        std::string("the actor's behaviour binds it with ") +
                            entry->signature->name + ", now with " + signature.name,
                        "Use one name for one list of types");
        if (entry != nullptr && !signature.copyable && entry->has_any())
            detail::refuse_second_handler(*entry);
    }
    const std::uint64_t id = need_more().own.add(phase, topic, name, signature, std::move(handler));
    here.host->handlers_changed(*this);
    return {ref(), id};
}

void Actor::own_state(void* made, void (*destroy_made)(void*) noexcept) {
    require_own("takt::Actor::emplace_state");
    if (ActorCell::state != nullptr)
        throw Error("state", std::string(name()), "the actor has a state already",
                    "Call emplace_state() once");
    need_more().destroy_state = destroy_made;
    ActorCell::state = made;
}

Connection this_connection() {
    detail::ActorContext& here = detail::need_actor_context("takt::this_connection");
    if (here.listener == nullptr)
        detail::violated("takt::this_connection", "Call it from a listener of a signal",
                         Level::in_frame);
    return Connection(here.listener->shared_from_this());
}

bool Connection::connected() const noexcept {
    if (listener_ != nullptr)
        return listener_->is_connected();
    if (handler_ == 0)
        return false;
    const detail::ActorContext* const here = detail::context_in(actor_.runtime());
    if (here == nullptr || (here->phase == Phase::parallel && !detail::runs_as(*here, actor_)))
        return true; // as far as one can know: its actor may be changing that
    const detail::ActorCell* const cell = here->table->find(actor_);
    return cell != nullptr && cell->more != nullptr && cell->more->own.has(handler_);
}

void Connection::disconnect() {
    if (const auto listener = std::exchange(listener_, nullptr)) {
        if (detail::ActorContext* const here = detail::context_in(listener->runtime))
            here->host->disconnect(*listener);
        else
            detail::disconnect_from_outside(listener);
        return;
    }
    const std::uint64_t handler = std::exchange(handler_, 0);
    if (handler == 0)
        return;
    if (detail::ActorContext* const here = detail::context_in(actor_.runtime()))
        here->host->disconnect(actor_, handler);
    else
        detail::disconnect_from_outside(actor_, handler);
}

} // namespace takt
