// SPDX-License-Identifier: MIT
#include "profiler/json_text.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>

namespace takt::detail {
namespace {

constexpr std::uint64_t kExactMax = std::uint64_t{1} << 53;

struct Form {
    std::size_t bytes;
    unsigned lead_mask; ///< bits of the first byte that belong to the character
    unsigned least;     ///< smaller ones have a shorter form
};

Form form_of(unsigned lead) {
    if (lead < 0x80)
        return {1, 0x7f, 0};
    if (lead >= 0xc2 && lead < 0xe0)
        return {2, 0x1f, 0x80};
    if (lead >= 0xe0 && lead < 0xf0)
        return {3, 0x0f, 0x800};
    if (lead >= 0xf0 && lead < 0xf5)
        return {4, 0x07, 0x10000};
    return {0, 0, 0};
}

unsigned byte_at(std::string_view text, std::size_t at) {
    return static_cast<unsigned char>(text[at]);
}

/// Bytes of the character that `text` begins with, which it puts into `character`; 0 when it is none.
std::size_t read_utf8(std::string_view text, unsigned& character) {
    const Form form = form_of(byte_at(text, 0));
    if (form.bytes == 0 || form.bytes > text.size())
        return 0;
    character = byte_at(text, 0) & form.lead_mask;
    for (std::size_t i = 1; i < form.bytes; ++i) {
        if ((byte_at(text, i) & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (byte_at(text, i) & 0x3f);
    }
    const bool surrogate = character >= 0xd800 && character < 0xe000;
    return character < form.least || surrogate || character > 0x10ffff ? 0 : form.bytes;
}

void append_escape(std::string& out, unsigned character) {
    static constexpr char kDigits[] = "0123456789abcdef";
    out += "\\u";
    for (unsigned shift = 16; shift > 0; shift -= 4)
        out += kDigits[character >> (shift - 4) & 0xf];
}

bool needs_escape(unsigned character) {
    return character < 0x20 || character == 0x7f || character == '"' || character == '\\' ||
           character == '<' || character == '>' || character == '&' || character == 0x2028 ||
           character == 0x2029;
}

template <class Value>
void append_shortest(std::string& out, Value value) {
    char digits[32];
    const auto done = std::to_chars(digits, digits + sizeof digits, value);
    out.append(digits, done.ptr);
}

} // namespace

void append_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        unsigned character = 0;
        const std::size_t bytes = read_utf8(text, character);
        if (bytes == 0)
            append_escape(out, 0xfffd);
        else if (needs_escape(character))
            append_escape(out, character);
        else
            out += text.substr(0, bytes);
        text.remove_prefix(bytes == 0 ? 1 : bytes);
    }
    out += '"';
}

void append_number(std::string& out, std::uint64_t value) {
    const char* quote = value > kExactMax ? "\"" : "";
    out += quote;
    append_shortest(out, value);
    out += quote;
}

void append_number(std::string& out, std::int64_t value) {
    if (value < 0)
        append_shortest(out, value);
    else
        append_number(out, static_cast<std::uint64_t>(value));
}

void append_number(std::string& out, double value) {
    if (std::isfinite(value))
        append_shortest(out, value);
    else
        out += "null";
}

} // namespace takt::detail
