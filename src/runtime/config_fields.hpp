// SPDX-License-Identifier: MIT
#pragma once
// Private to layer 10, runtime. The table of all settings: path, default, unit, limits and advice of
// each, in one place. Presets, origins, limits and the print all walk it; tests/runtime holds
// docs/config.md against it.

#include "takt/runtime/config.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace takt::detail {

// A value for people: "50 us", "64 MiB", "1 round"; exact, so scaled only where that divides it.
std::string show(std::int64_t value, const char* unit);
std::string show(std::uint64_t value, const char* unit);
std::string show(double value, const char* unit);
/// True of units of which there are several sizes.
bool is_scaled(std::string_view unit);
std::string show(bool value);
std::string show(const std::string& text);

/// What is wrong with this list of CPUs; nothing for a good one, or an empty one.
std::optional<std::string> cpu_list_problem(const char* path, const std::string& list);

template <class E>
bool is_known(E value) {
    return std::string("unknown") != name_of(value);
}

/// "manual, fixed, on_demand"
template <class E>
std::string names_of_all() {
    std::string names;
    for (int number = 0; is_known(static_cast<E>(number)); ++number)
        names += (number == 0 ? "" : ", ") + std::string(name_of(static_cast<E>(number)));
    return names;
}

/// What lies above the largest number that is allowed.
enum class Top {
    most,      ///< nothing
    unlimited, ///< the largest number of the type, which stands for "no limit"
};

/// One row of the table.
template <class T>
struct FieldRow {
    const char* path;
    T fallback;       ///< the default
    const char* hint; ///< for who set it to something that is not allowed
    const char* unit; ///< "ns", "bytes", "Hz", or what is counted, in the plural
    T least = {};     ///< numbers only, and both included
    T most = {};      //
    Top top = Top::most;
    const char* fallback_text = nullptr; ///< where the default is no value

    bool is_unlimited(const T& value) const {
        return top == Top::unlimited && value == std::numeric_limits<T>::max();
    }

    std::string text(const T& value) const {
        if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string>)
            return show(value);
        else if constexpr (std::is_enum_v<T>)
            return name_of(value);
        else if constexpr (std::is_floating_point_v<T>)
            return show(value, unit);
        else if constexpr (std::is_signed_v<T>)
            return is_unlimited(value) ? "unlimited" : show(std::int64_t{value}, unit);
        else
            return is_unlimited(value) ? "unlimited" : show(std::uint64_t{value}, unit);
    }
    std::string default_text() const {
        return fallback_text != nullptr ? fallback_text : text(fallback);
    }

    std::string allowed() const {
        if constexpr (std::is_same_v<T, bool>)
            return "true, false";
        else if constexpr (std::is_same_v<T, std::string>)
            return "CPU numbers and ranges, each CPU once, like 2-7,10";
        else if constexpr (std::is_enum_v<T>)
            return names_of_all<T>();
        else
            return without_noun(text(least)) + " to " + text(most) +
                   (top == Top::unlimited ? ", or unlimited" : "");
    }

    /// The advice for who set this value; nothing where it is allowed.
    std::optional<std::string> refuse(const T& value) const {
        if constexpr (std::is_same_v<T, std::string>)
            return cpu_list_problem(path, value);
        else if (allows(value))
            return std::nullopt;
        else
            return hint;
    }

  private:
    // "1 to 4096 workers", but "0 ns to 60 s".
    std::string without_noun(const std::string& amount) const {
        return is_scaled(unit) ? amount : amount.substr(0, amount.find(' '));
    }
    bool allows(const T& value) const {
        if constexpr (std::is_same_v<T, bool>)
            return true;
        else if constexpr (std::is_enum_v<T>)
            return is_known(value);
        else
            return (value >= least && value <= most) || is_unlimited(value); // so NaN is refused
    }
};

inline FieldRow<bool> yes_no(const char* path, bool fallback) {
    return {.path = path, .fallback = fallback, .hint = "", .unit = ""};
}

template <class E>
FieldRow<E> choice(const char* path, E fallback) {
    return {.path = path, .fallback = fallback, .hint = "Take one of these names", .unit = ""};
}

inline FieldRow<std::string> cpu_list(const char* path, const char* fallback_text) {
    return {.path = path, .fallback = {}, .hint = "", .unit = "", .fallback_text = fallback_text};
}

template <class T>
FieldRow<T> number(const char* path, T fallback, const char* hint, const char* unit, T least,
                   T most, Top top = Top::most, const char* fallback_text = nullptr) {
    return {.path = path,
            .fallback = fallback,
            .hint = hint,
            .unit = unit,
            .least = least,
            .most = most,
            .top = top,
            .fallback_text = fallback_text};
}

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;
// Half of what a Credit can tell apart: 32 bits of 16 bytes.
inline constexpr std::uint64_t kMailBytesMax = 32 * kGiB;
// Counts end here rather than at their type's end, so that a negative number that became a huge one
// is refused.
inline constexpr int kCountMax = 1'000'000;
inline constexpr std::int64_t kSecond = 1'000'000'000;

/// Calls visit(row, at) for every field, in the order of Config; at(config) is the field of a Config
/// or EffectiveConfig.
template <class Visit>
void for_each_field(Visit visit) {
// The path of a field is its name in the code: one word for both.
#define TAKT_FIELD(member, make, ...)                                                              \
    visit(                                                                                         \
        make(#member, __VA_ARGS__), [](auto& config) -> auto& { return config.member; })

    TAKT_FIELD(preset, choice, Preset::balanced);

    TAKT_FIELD(workers.count, number<int>, 0, "Leave it out for one worker per allowed core",
               "workers", 1, kWorkersMax, Top::most, "one per allowed core");
    TAKT_FIELD(workers.placement, choice, Placement::one_per_core);
    TAKT_FIELD(workers.cpus, cpu_list, "by placement");
    TAKT_FIELD(workers.exclude, cpu_list, "none");
    TAKT_FIELD(workers.pin, yes_no, true);
    TAKT_FIELD(workers.pin_caller, yes_no, false);
    TAKT_FIELD(workers.require_pins, yes_no, false);

    TAKT_FIELD(wait.spin_ns, number<std::int64_t>, Waiting{}.spin_ns,
               "Take 0 to sleep at once, or kNever to spin for ever", "ns", 0, 60 * kSecond,
               Top::unlimited);
    TAKT_FIELD(wait.yields, number<std::uint32_t>, Waiting{}.yields,
               "Take 0 to sleep right after spinning", "yields", 0U, std::uint32_t{kCountMax});
    TAKT_FIELD(wait.prewake_ns, number<std::int64_t>, Waiting{}.prewake_ns,
               "Take 0 to rise when the frame is due", "ns", 0, kSecond);

    TAKT_FIELD(frame.pacing, choice, Pacing::manual);
    TAKT_FIELD(frame.rate_hz, number<double>, 60.0,
               "State frames a second, and choose Pacing::manual to call step() yourself", "Hz",
               0.001, 1e6);
    TAKT_FIELD(frame.delivery, choice, Delivery::immediate);
    TAKT_FIELD(frame.max_rounds, number<int>, 10,
               "Take 1 to leave all that a round sends to the next stage", "rounds", 1, kCountMax);
    TAKT_FIELD(frame.phase_messages, number<std::uint64_t>, 65'536U,
               "Take kUnlimited to end phases at quiescence only", "messages", 1U, 1'000'000'000,
               Top::unlimited);
    TAKT_FIELD(frame.phase_time_ns, number<std::int64_t>, kNever,
               "Leave it out to limit phases by messages only", "ns", 1'000, 3600 * kSecond,
               Top::unlimited);
    TAKT_FIELD(frame.balance, choice, Balancing::moves);
    TAKT_FIELD(frame.catch_up_max, number<int>, 4, "Take 0 to skip every frame that is missed",
               "frames", 0, kCountMax);

    TAKT_FIELD(mail.worker_bytes, number<std::uint64_t>, 64 * kMiB,
               "Leave room for the largest message, or take kUnlimited", "bytes", 64 * kKiB,
               kMailBytesMax, Top::unlimited);
    TAKT_FIELD(mail.outside_bytes, number<std::uint64_t>, kMiB,
               "Leave room for the largest message, or take kUnlimited", "bytes", 4 * kKiB,
               kMailBytesMax, Top::unlimited);
    TAKT_FIELD(mail.outside_overflow, choice, Overflow::reject);
    TAKT_FIELD(mail.kept_max, number<std::uint32_t>, 1024U,
               "Take 0 to drop mail for topics that are not bound", "messages", 0U,
               std::uint32_t{kCountMax});

    TAKT_FIELD(checks.level, choice, CheckLevel::debug);
    TAKT_FIELD(checks.on_violation, choice, OnViolation::raise);
    TAKT_FIELD(failure.policy, choice, FailurePolicy::stop);
    TAKT_FIELD(clock.kind, choice, ClockKind::real);
    TAKT_FIELD(offload.threads, number<int>, 2, "Take 1 for a single background thread", "threads",
               1, 1024);
#undef TAKT_FIELD
}

} // namespace takt::detail
