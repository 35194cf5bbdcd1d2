// SPDX-License-Identifier: MIT
#pragma once
// Layer 10, runtime. What a user may set, what is wrong with it, and what came of it: every value
// with its origin. A table of all settings with defaults and limits: docs/config.md. Below: topology
// (the plan), worker (waiting), mailbox (bounds). Above: the runtime, which is built from it.

#include "takt/actor.hpp"
#include "takt/base.hpp"
#include "takt/mailbox.hpp"
#include "takt/phase.hpp"
#include "takt/topology.hpp"
#include "takt/worker.hpp"

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace takt {

/// No limit, for the fields that count bytes or messages; the same as kUnboundedBytes.
inline constexpr std::uint64_t kUnlimited = kUnboundedBytes;

/// What a preset is for. It fills only what the user left automatic.
enum class Preset {
    latency,       ///< short, even frames; the CPUs are this program's alone
    balanced,      ///< the defaults
    throughput,    ///< much work, frames may be long
    shared,        ///< the CPUs serve others as well: no spinning, no pins
    deterministic, ///< the same run again, bit by bit, on any number of workers
};

/// When a frame starts.
enum class Pacing {
    manual,    ///< when the user calls step()
    fixed,     ///< frame.rate_hz times a second
    on_demand, ///< as soon as there is outside mail or a due timer
};

/// When mail that was sent in a parallel phase to a parallel handler is handled.
enum class Delivery {
    immediate,  ///< in the same phase, as far as its budget goes
    next_round, ///< in the next round, in (sender, sequence) order
};

/// What is done when some workers have less to do than others.
enum class Balancing {
    off,    ///< nothing: actors run where they live
    claims, ///< idle workers run actors of busy ones, until the phase is over
    moves,  ///< and actors move for good, where some workers' cost more in frame after frame
};

/// Which accesses are checked against the phase they are made in.
enum class CheckLevel {
    off,
    debug,  ///< in debug builds
    always, ///< in all builds, at the price of one thread-local compare
};

/// The time that timers and frames go by.
enum class ClockKind {
    real,         ///< now_ns()
    virtual_time, ///< advances by frames, or by a test
};

/// The name as it is written in code; "unknown" for a value that is none of them.
const char* name_of(Preset preset) noexcept;
const char* name_of(Pacing pacing) noexcept;
const char* name_of(Delivery delivery) noexcept;
const char* name_of(Balancing balancing) noexcept;
const char* name_of(CheckLevel level) noexcept;
const char* name_of(OnViolation reaction) noexcept;
const char* name_of(FailurePolicy policy) noexcept;
const char* name_of(ClockKind kind) noexcept;
const char* name_of(Placement placement) noexcept;
const char* name_of(Overflow overflow) noexcept;

// The sections are written once for two readings: with std::optional they are what the user asks
// (empty: automatic), with Resolved what came of it. The default of a field stands in the table of
// src/runtime/config_fields.hpp, which names every field; a field that is not in it has no effect.

template <template <class> class Field>
struct WorkerFields {
    /// Workers, the frame thread included. Default: one per allowed core, within the CPU quota.
    Field<int> count = {};
    Field<Placement> placement = {}; ///< which CPUs they get
    /// "2-7,10": exactly these CPUs, worker by worker; replaces placement.
    Field<std::string> cpus = {};
    Field<std::string> exclude = {}; ///< CPUs to leave alone, in the same form
    Field<bool> pin = {};            ///< false: the scheduler places the workers
    Field<bool> pin_caller = {};     ///< also the frame thread outside of run()
    Field<bool> require_pins = {};   ///< a pin that the system refuses is an error
};

/// How workers await their next phase: they spin, then yield, then sleep.
template <template <class> class Field>
struct WaitFields {
    Field<std::int64_t> spin_ns = {};    ///< nanoseconds, kNever for ever
    Field<std::uint32_t> yields = {};    ///< times to yield the CPU after spinning
    Field<std::int64_t> prewake_ns = {}; ///< nanoseconds to rise before a frame that is expected
};

template <template <class> class Field>
struct FrameFields {
    Field<Pacing> pacing = {};
    Field<double> rate_hz = {}; ///< frames a second with fixed pacing; always the nominal step
    Field<Delivery> delivery = {};
    Field<int> max_rounds = {}; ///< rounds of one stage; the rest opens the next stage
    /// Messages that a worker handles in one parallel phase with immediate delivery.
    Field<std::uint64_t> phase_messages = {};
    /// Nanoseconds of one parallel phase with immediate delivery, kNever without limit.
    Field<std::int64_t> phase_time_ns = {};
    Field<Balancing> balance = {}; ///< without effect where phase_time_ns is limited
    Field<int> catch_up_max =
        {}; ///< late frames made up for with fixed pacing; the rest is skipped
};

template <template <class> class Field>
struct MailFields {
    /// Bytes of unread mail for one worker, in equal parts for the workers that send it; sends beyond
    /// that are refused as full. A sender has 4 KiB at least.
    Field<std::uint64_t> worker_bytes = {};
    Field<std::uint64_t> outside_bytes = {}; ///< bytes of unread mail from one outside sender
    Field<Overflow> outside_overflow = {};   ///< what happens to mail beyond outside_bytes
    Field<std::uint32_t> kept_max = {};      ///< messages kept per actor for topics not bound yet
};

template <template <class> class Field>
struct CheckFields {
    Field<CheckLevel> level = {};
    Field<OnViolation> on_violation = {};
};

template <template <class> class Field>
struct FailureFields {
    Field<FailurePolicy> policy = {}; ///< of actors that state none of their own
};

template <template <class> class Field>
struct ClockFields {
    Field<ClockKind> kind = {};
};

template <template <class> class Field>
struct OffloadFields {
    Field<int> threads = {}; ///< background threads for tasks that leave the frame
};

using WorkerOptions = WorkerFields<std::optional>;
using WaitOptions = WaitFields<std::optional>;
using FrameOptions = FrameFields<std::optional>;
using MailOptions = MailFields<std::optional>;
using CheckOptions = CheckFields<std::optional>;
using FailureOptions = FailureFields<std::optional>;
using ClockOptions = ClockFields<std::optional>;
using OffloadOptions = OffloadFields<std::optional>;

/// One setting that cannot be used.
struct ConfigIssue {
    std::string path = {};    ///< "workers.count"
    std::string got = {};     ///< its value, with its unit
    std::string allowed = {}; ///< what it may be
    std::string hint = {};    ///< what the reader can do, without the final stop
};

/// `workers.count = "-3 workers": allowed is 1 to 4096 workers. Leave it out for ...`
std::string to_string(const ConfigIssue& issue);

/// What a user asks of a runtime. A value, for designated initialisers; what is left out is
/// automatic: it comes from the preset, the machine, or the defaults.
///
///     takt::Config{.preset = takt::Preset::latency, .workers = {.count = 4}}
struct Config {
    std::optional<Preset> preset = {};
    WorkerOptions workers = {};
    WaitOptions wait = {};
    FrameOptions frame = {};
    MailOptions mail = {};
    CheckOptions checks = {};
    FailureOptions failure = {};
    ClockOptions clock = {};
    OffloadOptions offload = {};

    /// All that is wrong with it, whatever the machine: values outside their limits, and settings
    /// that contradict each other. Empty when it can be used. Nothing is clamped.
    std::vector<ConfigIssue> validate() const;
};

/// Throws Error with all issues: of a single one with its path as key, of several with "config".
void require_valid(const Config& config);

/// Where a value comes from.
struct Origin {
    enum class Source {
        standard, ///< the default
        preset,   ///< the preset `why`
        you,      ///< the user's Config
        rule,     ///< what the setting `why` demands
        machine,  ///< what the plan found, in words: `why`
    };
    Source source = Source::standard;
    std::string why = {};

    friend bool operator==(const Origin&, const Origin&) = default;
};

/// "default", "preset latency", "you", "follows from workers.cpus", "machine: ...".
std::string to_string(const Origin& origin);

/// A value that is in force, and its origin.
template <class T>
struct Resolved {
    T value = {};
    Origin origin = {};
};

/// What is in force. Made by resolve(). A value; its sections have the fields of Config's.
struct EffectiveConfig {
    Resolved<Preset> preset = {};
    WorkerFields<Resolved> workers = {};
    WaitFields<Resolved> wait = {};
    FrameFields<Resolved> frame = {};
    MailFields<Resolved> mail = {};
    CheckFields<Resolved> checks = {};
    FailureFields<Resolved> failure = {};
    ClockFields<Resolved> clock = {};
    OffloadFields<Resolved> offload = {};

    /// What the plan is to be made from. The effective config of that plan gives the same workers.
    PlanConfig plan_config() const;
    /// How the threads are to be started.
    WorkersConfig workers_config() const;
    Waiting waiting() const;

    /// One line per field: path, value with unit, origin. The form is not a format.
    void print(std::ostream& out) const;
};

std::ostream& operator<<(std::ostream& out, const EffectiveConfig& config);

/// What is in force before the machine is looked at: `workers.count` is 0 where it is automatic.
/// Good for plan_config(). Throws Error when the config is not valid.
EffectiveConfig resolve(const Config& config);

/// What is in force on the workers of `plan`, which was made from resolve(config).plan_config().
/// The first of these that speaks of a field decides: a plan that cannot pin, the user, a setting
/// that demands it, the number of planned workers and their lack of CPUs, the preset, the CPUs that
/// they have, the default. Throws Error when the config is not valid, or when the user requires
/// pins and the machine of the plan is not the one that this program runs on.
EffectiveConfig resolve(const Config& config, const Plan& plan);

} // namespace takt
