// SPDX-License-Identifier: MIT
#include "takt/runtime/config.hpp"

#include "runtime/config_fields.hpp"
#include "runtime/config_layers.hpp"

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <string_view>

namespace takt {
namespace detail {
namespace {

using Source = Origin::Source;

// Who asked for named CPUs wants pins, whatever the preset says: an unpinned worker goes anywhere.
Config latency_fields(const Config& asked) {
    const bool pins = asked.workers.pin.value_or(true);
    return {.workers = {.pin_caller = pins,    // worker 0 is on the frame's path like the others
                        .require_pins = pins}, // a worker that wanders spoils the tail, unseen
            .wait = {.spin_ns = 1'000'000,     // outlasts most serial phases: no wake in a frame
                     .prewake_ns = 200'000}};  // outlasts the exit from a deep idle state
}

Config throughput_fields() {
    return {.workers = {.placement = Placement::one_per_pu}, // siblings fill each other's stalls
            .frame = {.phase_messages = 1'048'576},          // fewer barriers for the same work
            .mail = {.worker_bytes = 256 * kMiB,             // bursts wait instead of being refused
                     .outside_bytes = 4 * kMiB}};
}

Config shared_fields(const Config& asked) {
    Config fields{.wait = {.spin_ns = 0, .yields = 0, .prewake_ns = 0}}; // slack is for the others
    if (!names_cpus(asked.workers))
        fields.workers.pin = false; // a pinned worker waits while others are on its CPU
    return fields;
}

Config deterministic_fields() {
    return {.frame = {.delivery = Delivery::next_round}, // (sender, sequence) orders, not time
            .clock = {.kind = ClockKind::virtual_time}}; // timers fire by frames
}

// --- what lies on the defaults -------------------------------------------------------------------

Layer by_preset(const Config& config) {
    const Preset preset = config.preset.value_or(Preset::balanced);
    return {{Source::preset, name_of(preset)}, preset_fields(preset, config)};
}

Layer by_delivery(const Layer& preset, const Config& config) {
    const auto delivery = config.frame.delivery ? config.frame.delivery //
                                                : preset.fields.frame.delivery;
    Layer layer{{Source::rule, "frame.delivery"}, {}};
    if (delivery == Delivery::next_round) // a budget would make rounds depend on timing
        layer.fields = {.frame = {.phase_messages = kUnlimited, .phase_time_ns = kNever},
                        .mail = {.worker_bytes = kUnlimited}};
    return layer;
}

Layer by_planned_count(const Config& config, const Plan& plan) {
    const int count = static_cast<int>(plan.workers.size());
    if (lists_cpus(config.workers))
        return {{Source::rule, "workers.cpus"}, {.workers = {.count = count}}};
    return {{Source::machine, "allowed CPUs and their quota"}, {.workers = {.count = count}}};
}

Layer by_waiting(const Plan& plan) {
    const Waiting waiting = waiting_for(plan);
    return {{Source::machine,
             plan.oversubscribed ? "more workers than CPUs to run them" : "a CPU for each worker"},
            {.wait = {.spin_ns = waiting.spin_ns,
                      .yields = waiting.yields,
                      .prewake_ns = waiting.prewake_ns}}};
}

Layer by_refused_pins() {
    return {{Source::machine, "its CPUs are not this computer's"},
            {.workers = {.pin = false, .pin_caller = false, .require_pins = false}}};
}

[[noreturn]] void refuse_required_pins() {
    throw Error("workers.require_pins", "true",
                "the plan is of another machine, so none of its workers can be pinned",
                "Plan for the machine that the program runs on, or leave require_pins out");
}

} // namespace

bool lists_cpus(const WorkerOptions& workers) {
    return workers.cpus && !workers.cpus->empty();
}

bool names_cpus(const WorkerOptions& workers) {
    return lists_cpus(workers) || (workers.exclude && !workers.exclude->empty());
}

Config preset_fields(Preset preset, const Config& asked) {
    switch (preset) {
    case Preset::latency:
        return latency_fields(asked);
    case Preset::throughput:
        return throughput_fields();
    case Preset::shared:
        return shared_fields(asked);
    case Preset::deterministic:
        return deterministic_fields();
    case Preset::balanced:
        break;
    }
    return {};
}

EffectiveConfig stack(const std::vector<Layer>& layers) {
    EffectiveConfig effective;
    for_each_field([&](const auto& row, auto at) {
        at(effective).value = row.fallback;
        for (const Layer& layer : layers)
            if (const auto& said = at(layer.fields)) {
                at(effective) = {*said, layer.origin};
                return;
            }
    });
    return effective;
}

EffectiveConfig resolve_unchecked(const Config& config) {
    const Layer preset = by_preset(config);
    return stack({{{Source::you, ""}, config}, by_delivery(preset, config), preset});
}

} // namespace detail

EffectiveConfig resolve(const Config& config) {
    require_valid(config);
    return detail::resolve_unchecked(config);
}

EffectiveConfig resolve(const Config& config, const Plan& plan) {
    using namespace detail;
    const bool refused = resolve(config).workers.pin.value && !plan.pin;
    if (refused && config.workers.require_pins == true)
        refuse_required_pins();

    const Layer preset = by_preset(config);
    std::vector<Layer> layers;
    if (refused)
        layers.push_back(by_refused_pins());
    layers.push_back({{Source::you, ""}, config});
    layers.push_back(by_delivery(preset, config));
    layers.push_back(by_planned_count(config, plan));
    if (plan.oversubscribed) // a preset's spinning would hold up who is awaited
        layers.push_back(by_waiting(plan));
    layers.push_back(preset);
    layers.push_back(by_waiting(plan));
    return stack(layers);
}

PlanConfig EffectiveConfig::plan_config() const {
    return {.workers = workers.count.value,
            .placement = workers.placement.value,
            .cpus = workers.cpus.value,
            .exclude = workers.exclude.value,
            .pin = workers.pin.value};
}

WorkersConfig EffectiveConfig::workers_config() const {
    return {.waiting = waiting(),
            .pin_caller = workers.pin_caller.value,
            .require_pins = workers.require_pins.value};
}

Waiting EffectiveConfig::waiting() const {
    return {.spin_ns = wait.spin_ns.value,
            .yields = wait.yields.value,
            .prewake_ns = wait.prewake_ns.value};
}

std::string to_string(const Origin& origin) {
    switch (origin.source) {
    case Origin::Source::preset:
        return "preset " + origin.why;
    case Origin::Source::you:
        return "you";
    case Origin::Source::rule:
        return "follows from " + origin.why;
    case Origin::Source::machine:
        return "machine: " + origin.why;
    case Origin::Source::standard:
        break;
    }
    return "default";
}

void EffectiveConfig::print(std::ostream& out) const {
    struct Line {
        std::string path, value, origin;
    };
    std::vector<Line> lines;
    std::size_t path_width = 0, value_width = 0;
    detail::for_each_field([&](const auto& row, auto at) {
        const auto& field = at(*this);
        const bool unset = field.origin.source == Origin::Source::standard;
        lines.push_back({row.path, unset ? row.default_text() : row.text(field.value),
                         to_string(field.origin)});
        path_width = std::max(path_width, lines.back().path.size());
        value_width = std::max(value_width, lines.back().value.size());
    });
    const auto padded = [](std::string text, std::size_t width) {
        text.resize(std::max(text.size(), width), ' ');
        return text;
    };
    for (const Line& line : lines)
        out << padded(line.path, path_width) << "  " << padded(line.value, value_width) << "  "
            << line.origin << "\n";
}

std::ostream& operator<<(std::ostream& out, const EffectiveConfig& config) {
    config.print(out);
    return out;
}

} // namespace takt
