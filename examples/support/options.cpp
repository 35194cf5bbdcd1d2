// SPDX-License-Identifier: MIT
#include "support/options.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <iostream>
#include <utility>

namespace example {
namespace {

std::optional<std::int64_t> number_in(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : between) + word;
    return text;
}

} // namespace

Options::Options(std::string program, std::string purpose)
    : program_(std::move(program)), purpose_(std::move(purpose)) {}

void Options::add(std::string name, std::int64_t& value, std::int64_t least, std::int64_t most,
                  std::string help) {
    const std::string allowed =
        "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    options_.push_back({std::move(name), std::move(help), std::to_string(value),
                        [&value, least, most, allowed](std::string_view text) {
                            const std::optional<std::int64_t> number = number_in(text);
                            if (!number || *number < least || *number > most)
                                return std::optional(allowed);
                            value = *number;
                            return std::optional<std::string>();
                        }});
}

void Options::add(std::string name, std::string& value, std::vector<std::string> allowed,
                  std::string help) {
    if (!allowed.empty())
        help += " [" + joined(allowed, "|") + "]";
    options_.push_back({std::move(name), std::move(help), value,
                        [&value, allowed = std::move(allowed)](std::string_view text) {
                            if (!allowed.empty() &&
                                std::ranges::find(allowed, text) == allowed.end())
                                return std::optional("one of " + joined(allowed, ", "));
                            value = text;
                            return std::optional<std::string>();
                        }});
}

std::optional<std::string> Options::take(std::string_view name,
                                         std::optional<std::string_view> value) const {
    const auto option =
        std::ranges::find_if(options_, [&](const Option& one) { return name == "--" + one.name; });
    if (option == options_.end())
        return "there is no option \"" + std::string(name) + "\"";
    if (!value)
        return std::string(name) + " wants a value";
    if (const std::optional<std::string> allowed = option->take(*value))
        return std::string(name) + " = \"" + std::string(*value) + "\" is not " + *allowed;
    return std::nullopt;
}

std::optional<int> Options::parse(int argc, const char* const* argv) const {
    for (int at = 1; at < argc; at += 2) {
        const std::string_view name = argv[at];
        if (name == "--help" || name == "-h") {
            print_help();
            return 0;
        }
        const auto value =
            at + 1 < argc ? std::optional<std::string_view>(argv[at + 1]) : std::nullopt;
        if (const std::optional<std::string> problem = take(name, value)) {
            std::cerr << program_ << ": " << *problem << ". See " << program_ << " --help.\n";
            return 2;
        }
    }
    return std::nullopt;
}

void Options::print_help() const {
    std::cout << program_ << ": " << purpose_ << "\n\n";
    for (const Option& option : options_) {
        std::printf("  --%-12s %s", option.name.c_str(), option.help.c_str());
        if (!option.shown_default.empty())
            std::printf(" (%s)", option.shown_default.c_str());
        std::printf("\n");
    }
}

void add_common(Options& options, Common& common) {
    options.add("workers", common.workers, 0, 4096, "workers, 0 for one per allowed core");
    options.add("frames", common.frames, 1, 1'000'000'000, "frames to run");
    options.add("table", common.table, {}, "file to add this run's row of the table to");
}

int guarded(std::string_view name, const std::function<int()>& program) {
    try {
        return program();
    } catch (const std::exception& problem) {
        std::cerr << name << ": " << problem.what() << "\n";
        return 1;
    }
}

std::optional<int> worker_count(std::int64_t workers) {
    return workers == 0 ? std::nullopt : std::optional(static_cast<int>(workers));
}

} // namespace example
