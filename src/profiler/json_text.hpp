// SPDX-License-Identifier: MIT
#pragma once
// Layer 11, profiler, private. Pieces of JSON, appended to a text.

#include <cstdint>
#include <string>
#include <string_view>

namespace takt::detail {

/// A JSON string that may stand in a <script> element: no '<', '>', '&' and no line separators. What
/// is no UTF-8 becomes U+FFFD, byte by byte.
void append_string(std::string& out, std::string_view text);

/// A JSON number; a string of digits beyond 2^53, where readers would round it.
void append_number(std::string& out, std::uint64_t value);
void append_number(std::string& out, std::int64_t value);

/// A JSON number, or null: JSON has no infinity.
void append_number(std::string& out, double value);

} // namespace takt::detail
