// SPDX-License-Identifier: MIT
#include "takt/shared_table/key.hpp"

#include <functional>

namespace takt {
namespace detail {

void refuse_index(const std::string& index) {
    throw Error("shared_table key", index, "an index is from 0 to 4294967295",
                "use a string for other keys");
}

void refuse_text(std::size_t bytes) {
    throw Error("shared_table key", std::to_string(bytes) + " bytes",
                "a string as key has at most " + std::to_string(kKeyBytesMax) + " bytes",
                "use a shorter one");
}

std::uint64_t hash_text(std::string_view text) noexcept {
    return std::hash<std::string_view>()(text);
}

} // namespace detail

std::string KeyView::shown() const {
    return is_index() ? std::to_string(index()) : '"' + std::string(text()) + '"';
}

} // namespace takt
