// SPDX-License-Identifier: MIT
#include "runtime/config_fields.hpp"

#include <array>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string_view>

namespace takt {
namespace {

template <class E, std::size_t Count>
const char* name_in(const std::array<const char*, Count>& names, E value) noexcept {
    const auto number = static_cast<std::size_t>(value);
    return number < Count ? names[number] : "unknown";
}

} // namespace

const char* name_of(Preset preset) noexcept {
    static constexpr std::array kNames{"latency", "balanced", "throughput", "shared",
                                       "deterministic"};
    return name_in(kNames, preset);
}

const char* name_of(Pacing pacing) noexcept {
    static constexpr std::array kNames{"manual", "fixed", "on_demand"};
    return name_in(kNames, pacing);
}

const char* name_of(Delivery delivery) noexcept {
    static constexpr std::array kNames{"immediate", "next_round"};
    return name_in(kNames, delivery);
}

const char* name_of(Balancing balancing) noexcept {
    static constexpr std::array kNames{"off", "claims", "moves"};
    return name_in(kNames, balancing);
}

const char* name_of(CheckLevel level) noexcept {
    static constexpr std::array kNames{"off", "debug", "always"};
    return name_in(kNames, level);
}

const char* name_of(OnViolation reaction) noexcept {
    static constexpr std::array kNames{"raise", "abort"};
    return name_in(kNames, reaction);
}

const char* name_of(FailurePolicy policy) noexcept {
    static constexpr std::array kNames{"stop", "resume", "abort"};
    return name_in(kNames, policy);
}

const char* name_of(ClockKind kind) noexcept {
    static constexpr std::array kNames{"real", "virtual_time"};
    return name_in(kNames, kind);
}

const char* name_of(Placement placement) noexcept {
    static constexpr std::array kNames{"one_per_core", "one_per_pu", "compact", "spread"};
    return name_in(kNames, placement);
}

const char* name_of(Overflow overflow) noexcept {
    static constexpr std::array kNames{"reject", "drop_newest", "drop_oldest", "keep_latest"};
    return name_in(kNames, overflow);
}

namespace detail {
namespace {

constexpr std::size_t kShownBytes = 60;

struct Scale {
    std::uint64_t size;
    const char* unit;
};

constexpr std::array kDurations{Scale{1'000'000'000, "s"}, Scale{1'000'000, "ms"},
                                Scale{1'000, "us"}, Scale{1, "ns"}};
constexpr std::array kSizes{Scale{kGiB, "GiB"}, Scale{kMiB, "MiB"}, Scale{kKiB, "KiB"},
                            Scale{1, "bytes"}};

// In the largest of the scales that divides it.
std::string scaled(std::uint64_t value, const std::array<Scale, 4>& scales) {
    for (const Scale& scale : scales)
        if (value >= scale.size && value % scale.size == 0)
            return std::to_string(value / scale.size) + " " + scale.unit;
    return "0 " + std::string(scales.back().unit);
}

std::string counted(const std::string& number, std::string_view things) {
    if (number == "1")
        things.remove_suffix(1);
    return number + " " + std::string(things);
}

} // namespace

std::string show(std::uint64_t value, const char* unit) {
    if (std::string_view(unit) == "bytes")
        return scaled(value, kSizes);
    return counted(std::to_string(value), unit);
}

std::string show(std::int64_t value, const char* unit) {
    if (std::string_view(unit) != "ns")
        return counted(std::to_string(value), unit);
    return value < 0 ? std::to_string(value) + " ns"
                     : scaled(static_cast<std::uint64_t>(value), kDurations);
}

std::string show(double value, const char* unit) {
    if (std::isnan(value)) // it may have a sign
        return std::string("nan ") + unit;
    char number[32];
    std::snprintf(number, sizeof number, "%.10g", value);
    return std::string(number) + " " + unit;
}

bool is_scaled(std::string_view unit) {
    return unit == "ns" || unit == "bytes";
}

std::string show(bool value) {
    return value ? "true" : "false";
}

std::string show(const std::string& text) {
    if (text.size() <= kShownBytes)
        return text;
    return text.substr(0, kShownBytes) + "... (" + std::to_string(text.size()) + " bytes)";
}

std::optional<std::string> cpu_list_problem(const char* path, const std::string& list) {
    try {
        CpuSet::parse(path, list);
        return std::nullopt;
    } catch (const Error& error) {
        std::string problem = error.problem();
        problem[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(problem[0])));
        return problem;
    }
}

} // namespace detail
} // namespace takt
