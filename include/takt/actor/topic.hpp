// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. What mail is about: topics and requests, checked at compile time. Below: nothing
// but base. Above: mail, handler, actor_ref.

#include "takt/base.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

namespace takt {

namespace detail {

template <class T>
inline constexpr bool is_view = false;
template <class C, class Traits>
inline constexpr bool is_view<std::basic_string_view<C, Traits>> = true;
template <class T, std::size_t N>
inline constexpr bool is_view<std::span<T, N>> = true;
template <class T>
inline constexpr bool is_view<std::reference_wrapper<T>> = true;

/// FNV-1a of 64 bits (G. Fowler, L. C. Noll, K.-P. Vo). Never 0.
constexpr std::uint64_t hash_name(std::string_view name) noexcept {
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
    for (const char letter : name)
        hash = (hash ^ static_cast<unsigned char>(letter)) * 0x0000'0100'0000'01b3;
    return hash == 0 ? 1 : hash;
}

/// True for what may travel in a message. Says why not where it is false.
template <class T>
constexpr bool check_travels() {
    static_assert(!std::is_reference_v<T>, "takt: a topic's argument is a reference; mail outlives "
                                           "the sender's variables: send the value");
    static_assert(!std::is_pointer_v<T>, "takt: a topic's argument is a pointer, and nothing says "
                                         "how long it is valid: send a value, std::unique_ptr or "
                                         "std::shared_ptr");
    static_assert(!is_view<T>,
                  "takt: a topic's argument is a view of memory that mail may outlive: "
                  "send std::string or std::vector");
    static_assert(std::is_same_v<T, std::remove_cv_t<T>>, "takt: a topic's argument is const or "
                                                          "volatile: leave that away");
    static_assert(std::is_nothrow_move_constructible_v<T>,
                  "takt: a topic's argument has a move constructor that may throw; mail is moved "
                  "where an exception could not be answered: make it noexcept");
    static_assert(std::is_nothrow_destructible_v<T>, "takt: a topic's argument has a destructor "
                                                     "that may throw");
    return true;
}

/// What topics and requests, and in the layers above attributes, are told apart by.
class HashedName {
  public:
    constexpr const char* name() const noexcept { return name_; }
    constexpr std::uint64_t hash() const noexcept { return hash_; }

    friend bool operator==(const HashedName& one, const HashedName& other) noexcept {
        return one.hash_ == other.hash_ &&
               (one.name_ == other.name_ || std::string_view(one.name_) == other.name_);
    }

  protected:
    consteval explicit HashedName(const char* name) noexcept
        : name_(name), hash_(hash_name(name)) {}

  private:
    const char* name_;
    std::uint64_t hash_;
};

} // namespace detail

/// A kind of message: a name, and the types of what travels. Fire and forget; any number of
/// handlers. The name is the identity: two topics of one name and different types are refused where
/// the second meets the first, by name.
///
///     inline constexpr takt::Topic<int, std::string> greet{"Greet"};
template <class... Args>
class Topic : public detail::HashedName {
  public:
    static_assert((detail::check_travels<Args>() && ...));

    consteval explicit Topic(const char* name) noexcept : HashedName(name) {}
};

template <class Signature>
class Request;

/// A topic that answers with an R, and has exactly one handler.
///
///     inline constexpr takt::Request<int(std::string)> count_words{"CountWords"};
template <class R, class... Args>
class Request<R(Args...)> : public detail::HashedName {
  public:
    static_assert((detail::check_travels<Args>() && ...));
    static_assert(std::is_void_v<R> ||
                  detail::check_travels<std::conditional_t<std::is_void_v<R>, int, R>>());

    consteval explicit Request(const char* name) noexcept : HashedName(name) {}
};

} // namespace takt
