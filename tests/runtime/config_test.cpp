// SPDX-License-Identifier: MIT
#include "takt/runtime.hpp"

#include "runtime/config_fields.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <tuple>

namespace takt {
namespace {

using detail::for_each_field;
using Source = Origin::Source;

constexpr Preset kPresets[] = {Preset::latency, Preset::balanced, Preset::throughput,
                               Preset::shared, Preset::deterministic};

// The form that users write compiles without a warning about the fields that it leaves out.
const Config kByName{.preset = Preset::latency,
                     .workers = {.count = 4},
                     .frame = {.delivery = Delivery::next_round}};

/// A described machine of so many cores that counts as the one the test runs on.
Machine machine_of(int cores) {
    Machine machine = discover_machine({.synthetic = "core:" + std::to_string(cores) + " pu:1"});
    machine.limits = {};
    machine.bindable = true;
    return machine;
}

EffectiveConfig resolve_on(const Config& config, const Machine& machine) {
    return resolve(config, make_plan(machine, resolve(config).plan_config()));
}

std::vector<std::string> paths() {
    std::vector<std::string> found;
    for_each_field([&](const auto& row, auto) { found.emplace_back(row.path); });
    return found;
}

struct Shown {
    std::string value, origin;
    friend bool operator==(const Shown&, const Shown&) = default;
};

std::map<std::string, Shown> shown(const EffectiveConfig& config) {
    std::map<std::string, Shown> fields;
    for_each_field([&](const auto& row, auto at) {
        fields[row.path] = {row.text(at(config).value), to_string(at(config).origin)};
    });
    return fields;
}

std::string printed(const EffectiveConfig& config) {
    std::ostringstream text;
    text << config;
    return text.str();
}

std::string line_of(const std::string& text, const std::string& path) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (line.rfind(path + " ", 0) == 0)
            return line;
    return "";
}

bool accepts(const Config& config) {
    return config.validate().empty();
}

std::vector<std::string> issue_paths(const Config& config) {
    std::vector<std::string> found;
    for (const ConfigIssue& issue : config.validate())
        found.push_back(issue.path);
    return found;
}

using Paths = std::vector<std::string>;

/// An allowed value that is not the default.
template <class T>
T another(const detail::FieldRow<T>& row) {
    if constexpr (std::is_same_v<T, bool>)
        return !row.fallback;
    else if constexpr (std::is_same_v<T, std::string>)
        return "1";
    else if constexpr (std::is_enum_v<T>)
        return row.fallback == T{} ? static_cast<T>(1) : T{};
    else
        return row.least != row.fallback ? row.least : row.most;
}

// --- every field ---------------------------------------------------------------------------------

std::size_t counted_fields = 0;

/// A field that counts itself.
template <class T>
struct Counted {
    Counted() { ++counted_fields; }
};

template <template <template <class> class> class... Sections>
std::size_t fields_of() {
    counted_fields = 0;
    (static_cast<void>(Sections<Counted>{}), ...);
    return counted_fields;
}

TEST(ConfigFields, are_all_in_the_table) {
    const std::size_t in_sections =
        fields_of<WorkerFields, WaitFields, FrameFields, MailFields, CheckFields, FailureFields,
                  ClockFields, OffloadFields>();
    EXPECT_EQ(paths().size(), 1 + in_sections) << "the preset, and the fields of each section";
}

TEST(ConfigFields, lie_in_the_order_of_the_table_and_leave_no_room_for_a_section_between) {
    // Laid out one after the other they fill a Config: what is left between two is padding.
    const Config config;
    const char* const begin = reinterpret_cast<const char*>(&config);
    const char* end = begin;
    for_each_field([&](const auto& row, auto at) {
        const char* const field = reinterpret_cast<const char*>(&at(config));
        ASSERT_GE(field, end) << row.path << " is out of order";
        EXPECT_LT(field - end, std::ptrdiff_t{sizeof(std::uint64_t)}) << "before " << row.path;
        end = field + sizeof(at(config));
    });
    EXPECT_LT(begin + sizeof(Config) - end, std::ptrdiff_t{sizeof(std::uint64_t)})
        << "after the last field";
}

/// Of all fields `path` alone was set by the user, and has the value with this text.
void expect_only(const Config& config, const std::string& path, const std::string& value) {
    EXPECT_TRUE(accepts(config)) << path;
    for (const EffectiveConfig& effective : {resolve(config), resolve_on(config, machine_of(8))}) {
        for (const auto& [other, field] : shown(effective))
            EXPECT_EQ(field.origin == "you", other == path)
                << other << ", and " << path << " is set";
        EXPECT_EQ(shown(effective)[path].value, value) << path;
        const std::string line = line_of(printed(effective), path);
        EXPECT_NE(line.find(value), std::string::npos) << line;
        EXPECT_EQ(line.substr(line.size() - 5), "  you") << line;
    }
}

// No loop over the fields in one over the fields: the compiler would spell out each pair.
TEST(ConfigFields, each_changes_what_is_in_force_and_says_that_it_was_you) {
    for_each_field([](const auto& row, auto at) {
        Config config;
        at(config) = another(row);
        expect_only(config, row.path, row.text(another(row)));
    });
}

TEST(ConfigFields, each_has_a_default_that_is_allowed) {
    for_each_field([](const auto& row, auto) {
        if (row.fallback_text == nullptr) {
            EXPECT_FALSE(row.refuse(row.fallback)) << row.path;
        }
        EXPECT_FALSE(row.default_text().empty()) << row.path;
        EXPECT_FALSE(row.refuse(another(row))) << row.path;
    });
}

TEST(ConfigFields, outside_of_its_limits_each_number_and_name_is_refused) {
    for_each_field([](const auto& row, auto at) {
        using T = decltype(row.fallback);
        Config config;
        const auto refuses = [&](T value) {
            at(config) = value;
            const std::vector<ConfigIssue> issues = config.validate();
            ASSERT_FALSE(issues.empty()) << row.path << " = " << row.text(value);
            EXPECT_EQ(issues[0].path, row.path);
            EXPECT_EQ(issues[0].got, row.text(value));
            EXPECT_EQ(issues[0].allowed, row.allowed());
        };
        if constexpr (std::is_same_v<T, std::string>) {
            refuses("3-1");
        } else if constexpr (std::is_enum_v<T>) {
            refuses(static_cast<T>(99));
        } else if constexpr (!std::is_same_v<T, bool>) {
            refuses(row.most + 1);
            if (row.least > std::numeric_limits<T>::lowest())
                refuses(row.least - T{1});
        }
    });
}

TEST(ConfigFields, refuse_a_rate_that_is_no_number) {
    for (const double rate : {0.0, -60.0, std::nan(""), -std::nan(""), HUGE_VAL})
        EXPECT_EQ(issue_paths({.frame = {.pacing = Pacing::fixed, .rate_hz = rate}}),
                  Paths{"frame.rate_hz"})
            << rate;
}

TEST(ConfigFields, take_a_negative_count_that_became_a_huge_one_for_what_it_is) {
    EXPECT_EQ(issue_paths({.wait = {.yields = static_cast<std::uint32_t>(-2)},
                           .mail = {.kept_max = static_cast<std::uint32_t>(-1)}}),
              (Paths{"wait.yields", "mail.kept_max"}));
}

// --- presets -------------------------------------------------------------------------------------

TEST(Preset, fills_what_is_automatic_and_says_so) {
    const EffectiveConfig config = resolve({.preset = Preset::latency});
    EXPECT_EQ(config.wait.spin_ns.value, 1'000'000);
    EXPECT_EQ(to_string(config.wait.spin_ns.origin), "preset latency");
    EXPECT_TRUE(config.workers.require_pins.value);
    EXPECT_TRUE(config.workers.pin_caller.value);
    EXPECT_EQ(to_string(config.frame.max_rounds.origin), "default");
}

TEST(Preset, leaves_alone_what_you_said) {
    const EffectiveConfig config =
        resolve({.preset = Preset::throughput, .mail = {.worker_bytes = 128 * 1024}});
    EXPECT_EQ(config.mail.worker_bytes.value, 128U * 1024U);
    EXPECT_EQ(to_string(config.mail.worker_bytes.origin), "you");
    EXPECT_EQ(config.workers.placement.value, Placement::one_per_pu);
}

TEST(Preset, balanced_is_the_default_and_the_defaults) {
    auto named = shown(resolve({.preset = Preset::balanced}));
    const auto unnamed = shown(resolve({}));
    EXPECT_EQ(unnamed.at("preset"), (Shown{"balanced", "default"}));
    for (const auto& [path, field] : unnamed)
        EXPECT_EQ(field.origin, "default") << path;
    named["preset"].origin = "default";
    EXPECT_EQ(named, unnamed);
}

TEST(Preset, each_is_valid_and_good_on_any_machine) {
    for (const Preset preset : kPresets)
        for (const int cores : {1, 2, 64}) {
            const EffectiveConfig config = resolve_on({.preset = preset}, machine_of(cores));
            EXPECT_EQ(config.workers.count.value, cores) << name_of(preset);
            EXPECT_EQ(config.preset.value, preset);
        }
}

TEST(Preset, shared_neither_spins_nor_pins) {
    const EffectiveConfig config = resolve_on({.preset = Preset::shared}, machine_of(4));
    EXPECT_EQ(config.waiting().spin_ns, 0);
    EXPECT_EQ(config.waiting().yields, 0U);
    EXPECT_EQ(config.waiting().prewake_ns, 0);
    EXPECT_FALSE(config.plan_config().pin);
}

TEST(Preset, shared_pins_where_you_name_cpus) {
    EXPECT_TRUE(resolve({.preset = Preset::shared, .workers = {.cpus = "2-3"}}).workers.pin.value);
    EXPECT_TRUE(resolve({.preset = Preset::shared, .workers = {.exclude = "0"}}).workers.pin.value);
    EXPECT_FALSE(resolve({.preset = Preset::shared, .workers = {.exclude = ""}}).workers.pin.value);
}

TEST(Preset, latency_requires_no_pins_where_you_switched_them_off) {
    const EffectiveConfig config = resolve({.preset = Preset::latency, .workers = {.pin = false}});
    EXPECT_FALSE(config.workers.require_pins.value);
    EXPECT_FALSE(config.workers.pin_caller.value);
}

TEST(Preset, deterministic_leaves_the_workers_to_the_machine_and_nothing_to_time) {
    const EffectiveConfig config = resolve_on({.preset = Preset::deterministic}, machine_of(6));
    EXPECT_EQ(config.workers.count.value, 6);
    EXPECT_EQ(config.frame.delivery.value, Delivery::next_round);
    EXPECT_EQ(config.clock.kind.value, ClockKind::virtual_time);
    EXPECT_EQ(config.frame.phase_messages.value, kUnlimited);
    EXPECT_EQ(config.frame.phase_time_ns.value, kNever);
    EXPECT_EQ(to_string(config.frame.phase_messages.origin), "follows from frame.delivery");
}

// --- the machine ---------------------------------------------------------------------------------

TEST(EffectiveConfig, takes_the_number_of_workers_from_the_plan) {
    const EffectiveConfig config = resolve_on({}, machine_of(3));
    EXPECT_EQ(config.workers.count.value, 3);
    EXPECT_EQ(to_string(config.workers.count.origin), "machine: allowed CPUs and their quota");

    const EffectiveConfig listed = resolve_on({.workers = {.cpus = "2,0"}}, machine_of(3));
    EXPECT_EQ(listed.workers.count.value, 2);
    EXPECT_EQ(to_string(listed.workers.count.origin), "follows from workers.cpus");
}

TEST(EffectiveConfig, does_not_spin_where_workers_share_cpus_whatever_the_preset) {
    for (const Preset preset : kPresets) {
        const EffectiveConfig config =
            resolve_on({.preset = preset, .workers = {.count = 5}}, machine_of(2));
        EXPECT_EQ(config.waiting().spin_ns, 0) << name_of(preset);
        EXPECT_EQ(to_string(config.wait.spin_ns.origin),
                  "machine: more workers than CPUs to run them");
    }
}

TEST(EffectiveConfig, spins_where_workers_share_cpus_if_you_say_so) {
    const EffectiveConfig config =
        resolve_on({.workers = {.count = 5}, .wait = {.spin_ns = 700}}, machine_of(2));
    EXPECT_EQ(config.waiting().spin_ns, 700);
    EXPECT_EQ(to_string(config.wait.spin_ns.origin), "you");
    EXPECT_EQ(config.waiting().yields, 64U);
}

TEST(EffectiveConfig, waits_as_the_plan_allows_where_nobody_says_how) {
    const Plan plan = make_plan(machine_of(2));
    const EffectiveConfig config = resolve({}, plan);
    EXPECT_EQ(config.waiting().spin_ns, waiting_for(plan).spin_ns);
    EXPECT_EQ(config.waiting().prewake_ns, waiting_for(plan).prewake_ns);
    EXPECT_EQ(to_string(config.wait.spin_ns.origin), "machine: a CPU for each worker");
}

TEST(EffectiveConfig, pins_nothing_to_another_machine_and_says_so) {
    Machine elsewhere = machine_of(2);
    elsewhere.bindable = false;
    for (const Config& config :
         {Config{}, Config{.preset = Preset::latency}, Config{.workers = {.pin = true}}}) {
        const EffectiveConfig effective = resolve_on(config, elsewhere);
        EXPECT_FALSE(effective.workers.pin.value);
        EXPECT_FALSE(effective.workers_config().require_pins);
        EXPECT_EQ(to_string(effective.workers.pin.origin),
                  "machine: its CPUs are not this computer's");
    }
    EXPECT_THROW(resolve_on({.workers = {.require_pins = true}}, elsewhere), Error);
}

TEST(EffectiveConfig, makes_the_same_plan_again) {
    const Machine machine = machine_of(4);
    for (const Config& config :
         {Config{}, Config{.workers = {.count = 3, .exclude = "1"}},
          Config{.workers = {.cpus = "3,1"}}, Config{.preset = Preset::shared}}) {
        const Plan plan = make_plan(machine, resolve(config).plan_config());
        const Plan again = make_plan(machine, resolve(config, plan).plan_config());
        EXPECT_EQ(again.workers.size(), plan.workers.size());
        EXPECT_EQ(again.cpus(), plan.cpus());
        EXPECT_EQ(again.pin, plan.pin);
    }
}

TEST(EffectiveConfig, hands_every_setting_of_the_workers_on) {
    const EffectiveConfig config = resolve({.workers = {.count = 3,
                                                        .placement = Placement::spread,
                                                        .exclude = "7",
                                                        .pin_caller = true,
                                                        .require_pins = true},
                                            .wait = {.spin_ns = 1, .yields = 2, .prewake_ns = 3}});
    const PlanConfig plan = config.plan_config();
    EXPECT_EQ(std::tie(plan.workers, plan.placement, plan.cpus, plan.exclude, plan.pin),
              std::tuple(3, Placement::spread, "", "7", true));
    const WorkersConfig workers = config.workers_config();
    ASSERT_TRUE(workers.waiting);
    EXPECT_EQ(std::tie(workers.waiting->spin_ns, workers.waiting->yields,
                       workers.waiting->prewake_ns, workers.pin_caller, workers.require_pins),
              std::tuple(1, 2U, 3, true, true));
    EXPECT_EQ(resolve({.workers = {.cpus = "2-3"}}).plan_config().cpus, "2-3");
}

TEST(EffectiveConfig, starts_workers_on_this_machine) {
    const Config config{.preset = Preset::shared, .workers = {.count = 2}};
    const Plan plan = make_plan(discover_machine(), resolve(config).plan_config());
    Workers workers(plan, resolve(config, plan).workers_config());
    EXPECT_EQ(workers.count(), 2);
    EXPECT_EQ(workers.waiting().spin_ns, 0);
}

// --- the print -----------------------------------------------------------------------------------

TEST(Print, has_a_line_for_each_field_in_order_and_aligned) {
    const std::string text = printed(resolve_on(kByName, machine_of(4)));
    std::istringstream lines(text);
    std::set<std::size_t> origin_columns;
    for (const std::string& path : paths()) {
        std::string line;
        ASSERT_TRUE(std::getline(lines, line)) << path;
        EXPECT_EQ(line.substr(0, path.size() + 1), path + " ");
        origin_columns.insert(line.rfind("  ") + 2);
        EXPECT_NE(line.back(), ' ');
    }
    EXPECT_EQ(origin_columns.size(), 1U) << text;
    EXPECT_TRUE(lines.peek() == EOF);
}

TEST(Print, gives_values_with_their_units_and_origins) {
    const std::string text =
        printed(resolve_on({.preset = Preset::throughput,
                            .workers = {.count = 1},
                            .wait = {.spin_ns = kNever, .prewake_ns = 1'500},
                            .frame = {.rate_hz = 59.94},
                            .mail = {.worker_bytes = 65'537, .outside_bytes = kUnlimited}},
                           machine_of(4)));
    const std::string lines[] = {
        "preset                 throughput         you",
        "workers.count          1 worker           you",
        "workers.cpus           by placement       default",
        "wait.spin_ns           unlimited          you",
        "wait.prewake_ns        1500 ns            you",
        "wait.yields            0 yields           machine: a CPU for each worker",
        "frame.rate_hz          59.94 Hz           you",
        "frame.phase_messages   1048576 messages   preset throughput",
        "frame.phase_time_ns    unlimited          default",
        "mail.worker_bytes      65537 bytes        you",
        "mail.outside_bytes     unlimited          you",
    };
    const auto words = [](const std::string& line) {
        std::istringstream stream(line);
        std::string all;
        for (std::string word; stream >> word;)
            all += word + " ";
        return all;
    };
    for (const std::string& line : lines)
        EXPECT_EQ(words(line_of(text, line.substr(0, line.find(' ')))), words(line));
}

TEST(Names, of_values_that_are_none_are_unknown) {
    EXPECT_STREQ(name_of(Preset::deterministic), "deterministic");
    EXPECT_STREQ(name_of(static_cast<Preset>(5)), "unknown");
    EXPECT_STREQ(name_of(static_cast<Pacing>(-1)), "unknown");
    EXPECT_EQ(detail::names_of_all<Delivery>(), "immediate, next_round");
    EXPECT_EQ(detail::names_of_all<FailurePolicy>(), "stop, resume, abort");
    for (const Placement placement : {Placement::one_per_core, Placement::spread})
        EXPECT_STREQ(name_of(placement), to_string(placement));
}

// --- what is refused -----------------------------------------------------------------------------

TEST(Validation, accepts_nothing_at_all_and_the_form_that_users_write) {
    EXPECT_TRUE(accepts({}));
    EXPECT_TRUE(accepts(kByName));
    EXPECT_NO_THROW(require_valid(kByName));
}

TEST(Validation, finds_all_issues_at_once) {
    const Config config{.workers = {.count = -3, .cpus = "3-1", .pin = false, .require_pins = true},
                        .frame = {.rate_hz = 0,
                                  .delivery = Delivery::next_round,
                                  .max_rounds = 0,
                                  .phase_messages = 10},
                        .offload = {.threads = 0}};
    EXPECT_EQ(issue_paths(config), (Paths{"workers.count", "workers.cpus", "frame.rate_hz",
                                          "frame.max_rounds", "offload.threads", "workers.pin",
                                          "workers.require_pins", "frame.phase_messages"}));
}

TEST(Validation, finds_settings_that_contradict_each_other) {
    const Delivery next_round = Delivery::next_round;
    const std::pair<Config, Paths> cases[] = {
        {{.workers = {.count = 3, .cpus = "0-3"}}, {"workers.cpus"}},
        {{.workers = {.placement = Placement::spread, .cpus = "0-3"}}, {"workers.placement"}},
        {{.workers = {.cpus = "0-3", .exclude = "3-4"}}, {"workers.exclude"}},
        {{.workers = {.cpus = "0-3", .pin = false}}, {"workers.pin"}},
        {{.workers = {.exclude = "0", .pin = false}}, {"workers.pin"}},
        {{.workers = {.pin = false, .require_pins = true}}, {"workers.require_pins"}},
        {{.workers = {.pin = false, .pin_caller = true}}, {"workers.pin_caller"}},
        {{.preset = Preset::shared, .workers = {.require_pins = true}}, {"workers.require_pins"}},
        {{.frame = {.delivery = next_round, .phase_messages = 9}}, {"frame.phase_messages"}},
        {{.frame = {.delivery = next_round, .phase_time_ns = 9'000}}, {"frame.phase_time_ns"}},
        {{.frame = {.delivery = next_round}, .mail = {.worker_bytes = 1'000'000}},
         {"mail.worker_bytes"}},
        {{.preset = Preset::deterministic, .frame = {.phase_messages = 9}},
         {"frame.phase_messages"}},
        {{.preset = Preset::deterministic, .frame = {.delivery = Delivery::immediate}},
         {"frame.delivery"}},
        {{.preset = Preset::deterministic, .clock = {.kind = ClockKind::real}}, {"clock.kind"}},
    };
    for (const auto& [config, expected] : cases)
        EXPECT_EQ(issue_paths(config), expected);
}

TEST(Validation, accepts_what_only_looks_like_a_contradiction) {
    EXPECT_TRUE(accepts({.workers = {.count = 4, .cpus = "0-3", .exclude = "4"}}));
    EXPECT_TRUE(accepts({.workers = {.count = 2, .cpus = "", .exclude = "", .pin = false}}));
    EXPECT_TRUE(accepts({.workers = {.pin = false, .pin_caller = false, .require_pins = false}}));
    EXPECT_TRUE(accepts({.frame = {.delivery = Delivery::next_round,
                                   .phase_messages = kUnlimited,
                                   .phase_time_ns = kNever}}));
    EXPECT_TRUE(accepts({.preset = Preset::deterministic,
                         .frame = {.delivery = Delivery::next_round},
                         .clock = {.kind = ClockKind::virtual_time}}));
}

TEST(Validation, resolves_nothing_that_is_not_valid) {
    const Config config{.frame = {.max_rounds = 0}};
    EXPECT_THROW(resolve(config), Error);
    EXPECT_THROW(resolve(config, make_plan(machine_of(2))), Error);
}

TEST(Issues, are_sentences_that_say_what_to_do) {
    const auto said = [](const Config& config) {
        std::string all;
        for (const ConfigIssue& issue : config.validate())
            all += to_string(issue) + "\n";
        return all;
    };
    EXPECT_EQ(said({.workers = {.count = -3}}),
              "workers.count = \"-3 workers\": allowed is 1 to 4096 workers. "
              "Leave it out for one worker per allowed core.\n");
    EXPECT_EQ(said({.workers = {.cpus = "3-1"}}),
              "workers.cpus = \"3-1\": allowed is CPU numbers and ranges, each CPU once, "
              "like 2-7,10. The range 3-1 is reversed.\n");
    EXPECT_EQ(said({.workers = {.count = 1, .cpus = "0-3"}}),
              "workers.cpus = \"0-3\": allowed is one CPU for each worker, and workers.count is 1. "
              "It lists 4 CPUs; leave workers.count out, or list as many.\n");
    EXPECT_EQ(said({.workers = {.cpus = "0-3", .exclude = "2-3"}}),
              "workers.exclude = \"2-3\": allowed is CPUs that workers.cpus does not list. "
              "Take 2-3 out of one of the two.\n");
    EXPECT_EQ(said({.wait = {.prewake_ns = -5}}), "wait.prewake_ns = \"-5 ns\": allowed is "
                                                  "0 ns to 1 s. Take 0 to rise when the frame is "
                                                  "due.\n");
    EXPECT_EQ(said({.frame = {.delivery = static_cast<Delivery>(7)}}),
              "frame.delivery = \"unknown\": allowed is immediate, next_round. "
              "Take one of these names.\n");
}

TEST(Issues, have_a_beginning_and_an_end_like_an_errors) {
    for_each_field([](const auto& row, auto) {
        const std::string hint = row.hint;
        EXPECT_TRUE(hint.empty() || std::isupper(static_cast<unsigned char>(hint[0]))) << row.path;
        EXPECT_TRUE(hint.empty() || hint.back() != '.') << row.path;
    });
}

std::string refusal(const Config& config) {
    try {
        require_valid(config);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST(Issues, reach_the_caller_in_one_error) {
    EXPECT_EQ(refusal({.frame = {.catch_up_max = -1}}),
              "takt: frame.catch_up_max = \"-1 frames\": allowed is 0 to 1000000 frames. "
              "Take 0 to skip every frame that is missed.");
    EXPECT_EQ(refusal({.workers = {.count = 0}, .frame = {.catch_up_max = -1}}),
              "takt: config = \"2 settings\": they cannot be used. "
              "Mend each of them (docs/config.md has all limits):\n"
              "  workers.count = \"0 workers\": allowed is 1 to 4096 workers. "
              "Leave it out for one worker per allowed core.\n"
              "  frame.catch_up_max = \"-1 frames\": allowed is 0 to 1000000 frames. "
              "Take 0 to skip every frame that is missed.");
}

TEST(Issues, shorten_an_enormous_list) {
    const std::string text = refusal(
        {.workers = {.cpus = std::string(90'000, 'x'), .exclude = std::string(9'000, 'x')}});
    EXPECT_NE(text.find("(90000 bytes)"), std::string::npos) << text;
    EXPECT_LT(text.size(), 600U);
}

// --- the page ------------------------------------------------------------------------------------

/// The cells of the page's table rows that begin with a word in code style.
std::vector<std::vector<std::string>> rows_of_page() {
    std::ifstream page(TAKT_DOCS "/config.md");
    EXPECT_TRUE(page) << TAKT_DOCS "/config.md";
    std::vector<std::vector<std::string>> rows;
    for (std::string line; std::getline(page, line);) {
        if (line.rfind("| `", 0) != 0)
            continue;
        std::istringstream cells(line.substr(2));
        rows.emplace_back();
        for (std::string cell; std::getline(cells, cell, '|');) {
            const std::size_t first = cell.find_first_not_of(" `");
            rows.back().push_back(
                first == std::string::npos
                    ? ""
                    : cell.substr(first, cell.find_last_not_of(" `") - first + 1));
        }
    }
    return rows;
}

TEST(Page, has_every_field_with_its_default_and_limits_and_no_other) {
    std::vector<std::vector<std::string>> expected;
    for_each_field([&](const auto& row, auto) {
        expected.push_back({row.path, row.default_text(), row.allowed()});
    });
    std::vector<std::vector<std::string>> found;
    for (std::vector<std::string> row : rows_of_page())
        if (row.size() == 5) { // field, default, allowed, too small, too large
            row.resize(3);
            found.push_back(row);
        }
    EXPECT_EQ(found, expected);
}

TEST(Page, has_what_each_preset_fills) {
    std::vector<std::vector<std::string>> expected;
    for (const Preset preset : kPresets) {
        const EffectiveConfig config = resolve({.preset = preset});
        for_each_field([&](const auto& row, auto at) {
            if (at(config).origin.source == Source::preset)
                expected.push_back({name_of(preset), row.path, row.text(at(config).value)});
        });
    }
    std::vector<std::vector<std::string>> found;
    for (std::vector<std::string> row : rows_of_page())
        if (row.size() == 4) { // preset, field, value, why
            row.resize(3);
            found.push_back(row);
        }
    EXPECT_EQ(found, expected);
}

} // namespace
} // namespace takt
