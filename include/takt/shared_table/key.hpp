// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, shared table. Keys: a string or an index, its hash, and its digits, which say where in
// the trie it lies. Above: trie.

#include "takt/base.hpp"

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace takt {

class Key;

namespace detail {

/// Throws takt::Error: an index is 0 to 2^32 - 1.
[[noreturn]] void refuse_index(const std::string& index);
/// Throws takt::Error: a text has at most kKeyBytesMax bytes.
[[noreturn]] void refuse_text(std::size_t bytes);
std::uint64_t hash_text(std::string_view text) noexcept;

template <class T>
concept IndexLike = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;
template <class T>
concept TextLike = std::convertible_to<const T&, std::string_view>;

} // namespace detail

/// Of a text as key: two that collide need a node for every 4 bits of what they have in common, and
/// a level of recursion.
inline constexpr std::size_t kKeyBytesMax = 1024;

/// Names an element of a SharedTable in a call: made from a string, an index or a Key, and valid as
/// long as what it was made from. The string "1" and the index 1 are different keys. Throws
/// takt::Error for an index below 0 or above 2^32 - 1, and for a string of more than kKeyBytesMax.
class KeyView {
  public:
    template <class T>
    requires(!std::same_as<T, Key>)
        KeyView(const T& key) { // implicit: table.get("gold"), table.get(7)
        if constexpr (detail::IndexLike<T>) {
            if (!std::in_range<std::uint32_t>(key)) [[unlikely]]
                detail::refuse_index(std::to_string(key));
            number_ = static_cast<std::uint32_t>(key);
            // Neighbouring indices share nodes: as dense as an array, where the indices are.
            hash_ = number_;
        } else {
            static_assert(
                detail::TextLike<T>,
                "takt: a key of a SharedTable is a string or an index from 0 to 2^32 - 1");
            text_ = key;
            if (text_.size() > kKeyBytesMax) [[unlikely]]
                detail::refuse_text(text_.size());
            number_ = static_cast<std::uint32_t>(text_.size());
            is_text_ = true;
            hash_ = detail::hash_text(text_);
        }
    }

    bool is_index() const noexcept { return !is_text_; }
    /// 0 for a text.
    std::uint32_t index() const noexcept { return is_text_ ? 0 : number_; }
    /// Empty for an index.
    std::string_view text() const noexcept { return text_; }
    std::uint64_t hash() const noexcept { return hash_; }
    /// As an error shows it: a text in quotes, an index as it is.
    std::string shown() const;

    bool operator==(const KeyView& other) const noexcept {
        return hash_ == other.hash_ && is_text_ == other.is_text_ && number_ == other.number_ &&
               text_ == other.text_;
    }

    // --- for the trie ---
    KeyView(std::uint64_t hash, bool is_text, std::uint32_t number, std::string_view text) noexcept
        : text_(text), hash_(hash), number_(number), is_text_(is_text) {}
    /// The index, or the length of the text.
    std::uint32_t number() const noexcept { return number_; }
    /// The same key as if it had this hash: tests let keys collide.
    KeyView rehashed(std::uint64_t hash) const noexcept { return {hash, is_text_, number_, text_}; }
    /// The same key, its text kept elsewhere.
    KeyView with_text(std::string_view text) const noexcept {
        return {hash_, is_text_, number_, text};
    }
    /// Bits [at, at + bits) of the key; `bits` divides 8. First come the hash's, then those of the
    /// key itself, so that two keys differ in some digit even where their hashes do not.
    unsigned digit(unsigned at, unsigned bits) const noexcept {
        const unsigned mask = (1u << bits) - 1;
        if (at < 64) [[likely]]
            return static_cast<unsigned>(hash_ >> at) & mask;
        return own_byte((at - 64) / 8) >> (at % 8) & mask;
    }

  private:
    // Its kind, its number, its text; 0 beyond the end, which no longer matters: texts of
    // different lengths differ before.
    unsigned own_byte(std::size_t at) const noexcept {
        if (at == 0)
            return is_text_ ? 1 : 0;
        if (at <= sizeof(number_))
            return number_ >> (8 * (at - 1)) & 0xff;
        at -= 1 + sizeof(number_);
        return at < text_.size() ? static_cast<unsigned char>(text_[at]) : 0;
    }

    std::string_view text_;
    std::uint64_t hash_ = 0;
    std::uint32_t number_ = 0;
    bool is_text_ = false;
};

/// A key resolved once, for hot paths: keeps its text and its hash. Where a KeyView is asked for it
/// hands over its own, valid as long as the Key is neither assigned to nor destroyed.
class Key {
  public:
    template <class T>
    requires(!std::same_as<T, Key>) explicit Key(const T& key) : Key(KeyView(key)) {}
    explicit Key(const KeyView& key) : text_(key.text()), view_(key.with_text(text_)) {}
    // Moves copy: one that was moved from would name another element.
    Key(const Key& other) : Key(other.view_) {}
    Key& operator=(const Key& other) {
        text_ = other.text_; // of its own, too
        view_ = other.view_.with_text(text_);
        return *this;
    }

    operator const KeyView&() const noexcept { return view_; } // implicit, as from a string

  private:
    std::string text_;
    KeyView view_; // of text_
};

} // namespace takt
