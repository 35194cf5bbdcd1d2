// SPDX-License-Identifier: MIT
#include "runtime/config_fields.hpp"
#include "runtime/config_layers.hpp"

#include <utility>

namespace takt {
namespace {

/// Looks for settings that contradict each other. What the user said is at fault; what a preset
/// fills may be what it contradicts.
class Contradictions {
  public:
    Contradictions(const Config& config, std::vector<ConfigIssue>& issues)
        : config_(config), workers_(config.workers), in_force_(detail::resolve_unchecked(config)),
          issues_(issues) {}

    void find() {
        find_in_list();
        find_in_pins();
        find_in_delivery();
        find_in_preset();
    }

  private:
    void find_in_list() {
        if (!detail::lists_cpus(workers_))
            return;
        if (workers_.placement)
            add("workers.placement", name_of(*workers_.placement),
                "nothing, because workers.cpus says where each worker goes",
                "Leave one of the two out");
        if (detail::cpu_list_problem("workers.cpus", *workers_.cpus))
            return; // an issue already
        const CpuSet listed = CpuSet::parse("workers.cpus", *workers_.cpus);
        if (workers_.count && *workers_.count != listed.count())
            add("workers.cpus", detail::show(*workers_.cpus),
                "one CPU for each worker, and workers.count is " + std::to_string(*workers_.count),
                "It lists " + detail::show(std::int64_t{listed.count()}, "CPUs") +
                    "; leave workers.count out, or list as many");
        find_excluded(listed);
    }

    void find_excluded(const CpuSet& listed) {
        if (!workers_.exclude || detail::cpu_list_problem("workers.exclude", *workers_.exclude))
            return;
        const CpuSet both = listed & CpuSet::parse("workers.exclude", *workers_.exclude);
        if (!both.empty())
            add("workers.exclude", detail::show(*workers_.exclude),
                "CPUs that workers.cpus does not list",
                "Take " + both.to_string() + " out of one of the two");
    }

    void find_in_pins() {
        if (in_force_.workers.pin.value)
            return;
        if (workers_.pin && detail::names_cpus(workers_))
            add("workers.pin", "false", "true with workers.cpus or workers.exclude",
                "A worker that is not pinned runs on any CPU; leave the lists out, or pin");
        if (workers_.require_pins == true)
            add("workers.require_pins", "true", "false with workers.pin = false",
                "Set workers.pin to true, or leave require_pins out");
        if (workers_.pin_caller == true)
            add("workers.pin_caller", "true", "false with workers.pin = false",
                "Set workers.pin to true, or leave pin_caller out");
    }

    // A budget that ends a phase would let timing, or the number of workers, decide on the rounds.
    void find_in_delivery() {
        if (in_force_.frame.delivery.value != Delivery::next_round)
            return;
        if (config_.frame.phase_messages.value_or(kUnlimited) != kUnlimited)
            add("frame.phase_messages", detail::show(*config_.frame.phase_messages, "messages"),
                "unlimited with frame.delivery = next_round",
                "Leave it out: a round ends with its mail, the same on any number of workers");
        if (config_.frame.phase_time_ns.value_or(kNever) != kNever)
            add("frame.phase_time_ns", detail::show(*config_.frame.phase_time_ns, "ns"),
                "unlimited with frame.delivery = next_round",
                "Leave it out: a round that ends by the clock is not the same twice");
        if (config_.mail.worker_bytes.value_or(kUnlimited) != kUnlimited)
            add("mail.worker_bytes", detail::show(*config_.mail.worker_bytes, "bytes"),
                "unlimited with frame.delivery = next_round",
                "Leave it out: what is refused would depend on the number of workers");
    }

    void find_in_preset() {
        if (config_.preset != Preset::deterministic)
            return;
        if (config_.frame.delivery == Delivery::immediate)
            add("frame.delivery", "immediate", "next_round with preset deterministic",
                "Leave it out, or choose another preset: immediate delivery depends on timing");
        if (config_.clock.kind == ClockKind::real)
            add("clock.kind", "real", "virtual_time with preset deterministic",
                "Leave it out; for the order alone set frame.delivery to next_round instead of "
                "the preset");
    }

    void add(std::string path, std::string got, std::string allowed, std::string hint) {
        issues_.push_back({std::move(path), std::move(got), std::move(allowed), std::move(hint)});
    }

    const Config& config_;
    const WorkerOptions& workers_;
    const EffectiveConfig in_force_;
    std::vector<ConfigIssue>& issues_;
};

std::string problem_of(const ConfigIssue& issue) {
    return "allowed is " + issue.allowed;
}

} // namespace

std::string to_string(const ConfigIssue& issue) {
    return issue.path + " = \"" + issue.got + "\": " + problem_of(issue) + ". " + issue.hint + ".";
}

std::vector<ConfigIssue> Config::validate() const {
    std::vector<ConfigIssue> issues;
    detail::for_each_field([&](const auto& row, auto at) {
        const auto& said = at(*this);
        if (!said)
            return;
        if (const auto hint = row.refuse(*said))
            issues.push_back({row.path, row.text(*said), row.allowed(), *hint});
    });
    Contradictions(*this, issues).find();
    return issues;
}

void require_valid(const Config& config) {
    const std::vector<ConfigIssue> issues = config.validate();
    if (issues.empty())
        return;
    if (issues.size() == 1)
        throw Error(issues[0].path, issues[0].got, problem_of(issues[0]), issues[0].hint);
    std::string list;
    for (const ConfigIssue& issue : issues)
        list += "\n  " + to_string(issue);
    list.pop_back(); // Error adds the final stop
    throw Error("config", std::to_string(issues.size()) + " settings", "they cannot be used",
                "Mend each of them (docs/config.md has all limits):" + list);
}

} // namespace takt
