// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, model. What instances say of themselves: named values, typed at compile time. Below: actor
// (HashedName). Above: instance_tree, which keeps them.

#include "takt/actor.hpp"

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace takt {

namespace detail {

/// True for what may be an attribute's value. Says why not where it is false.
template <class T>
constexpr bool check_attribute() {
    static_assert(!std::is_reference_v<T>, "takt: an attribute's value is a reference; attributes "
                                           "outlive variables: keep the value");
    static_assert(!std::is_pointer_v<T>,
                  "takt: an attribute's value is a pointer, and nothing says "
                  "how long it is valid: keep a value, std::shared_ptr, "
                  "ActorRef or Instance");
    static_assert(!is_view<T>, "takt: an attribute's value is a view of memory that the attribute "
                               "may outlive: keep std::string or std::vector");
    static_assert(std::is_same_v<T, std::remove_cv_t<T>>, "takt: an attribute's value is const or "
                                                          "volatile: leave that away");
    static_assert(std::is_copy_constructible_v<T> && std::is_copy_assignable_v<T>,
                  "takt: an attribute's value cannot be copied: keep a std::shared_ptr of it");
    static_assert(std::is_nothrow_destructible_v<T>, "takt: an attribute's value has a destructor "
                                                     "that may throw");
    return true;
}

/// Values of T can be told apart. Containers say so without asking what they contain.
template <class T>
inline constexpr bool is_comparable = std::equality_comparable<T>;
template <class T>
requires requires {
    typename T::value_type;
} &&(!std::same_as<typename T::value_type, T>)inline constexpr bool is_comparable<T> =
    std::equality_comparable<T> && is_comparable<typename T::value_type>;

/// The type of an attribute: one object for each. Its address is compared where the attribute is
/// used.
struct AttributeType {
    const char* name; // for people
};

template <class T>
inline constexpr AttributeType attribute_type{type_name<T>()};

/// One attribute of one instance; on the heap, since its type is its user's.
struct AttributeValue {
    AttributeValue(const HashedName& key, const AttributeType& kind) noexcept
        : name(key), type(kind) {}
    virtual ~AttributeValue() = default;
    AttributeValue(const AttributeValue&) = delete;
    AttributeValue& operator=(const AttributeValue&) = delete;

    const HashedName name;
    const AttributeType& type;
    std::unique_ptr<AttributeValue> next; // of its instance, in the order of their coming
};

template <class T>
struct AttributeValueOf final : AttributeValue {
    AttributeValueOf(const HashedName& key, T&& given)
        : AttributeValue(key, attribute_type<T>), value(std::move(given)) {}

    T value;
};

} // namespace detail

/// The name of an attribute, and the type of its values: bool, a number, std::string, Vector3, or any
/// type that can be copied. The name is the identity: two attributes of one name and different types
/// are refused on the instance where the second meets the first, by name.
///
///     inline constexpr takt::Attribute<double> health{"Health"};
template <class T>
class Attribute : public detail::HashedName {
  public:
    static_assert(detail::check_attribute<T>());

    consteval explicit Attribute(const char* name) noexcept : HashedName(name) {}
};

} // namespace takt
