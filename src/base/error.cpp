// SPDX-License-Identifier: MIT
#include "takt/base/error.hpp"

#include <cctype>
#include <utility>

namespace takt {
namespace {

constexpr std::size_t kShownBytes = 120;

std::string shorten(std::string value) {
    if (value.size() <= kShownBytes)
        return value;
    const std::size_t total = value.size();
    value.resize(kShownBytes);
    return value + "... (" + std::to_string(total) + " bytes)";
}

std::string sentence(const std::string& key, const std::string& value, const std::string& problem,
                     std::string remedy) {
    if (!remedy.empty())
        remedy[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(remedy[0])));
    return "takt: " + key + " = \"" + value + "\": " + problem + ". " + remedy + ".";
}

} // namespace

Error::Error(std::string key, std::string value, std::string problem, std::string remedy)
    : std::runtime_error(sentence(key, shorten(value), problem, remedy)), key_(std::move(key)),
      value_(shorten(std::move(value))), problem_(std::move(problem)), remedy_(std::move(remedy)) {}

} // namespace takt
