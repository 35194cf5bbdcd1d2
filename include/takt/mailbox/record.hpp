// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. What lies in a lane: a header of 16 bytes and the payload right behind it.
// Below: base (policy). Above: lane, which places records.

#include "takt/base.hpp"

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace takt {

/// Records begin at multiples of this many bytes and are as long; tails count in it.
inline constexpr std::size_t kRecordUnit = 16;

/// What a reader has to know of a payload's type. One static object for each type: its address is
/// the type's identity.
struct RecordType {
    void (*destroy)(void* payload) noexcept; ///< null where the destructor is trivial
    std::uint32_t units;                     ///< header and payload, in kRecordUnit
    std::uint32_t payload_bytes;
    const char* name; ///< for people; the form is not a format
};

/// What precedes each payload.
template <class P>
struct alignas(kRecordUnit) RecordHeader {
    RecordHeader(const RecordType* what, std::uint64_t where) : type(what), address(where) {}

    // Both: written once by the lane's writer, before the tail that covers the record (edge tail).
    typename P::template Plain<const RecordType*> type;
    typename P::template Plain<std::uint64_t> address; ///< opaque here: the layer above fills it
};

/// Bytes of a unit: kRecordUnit in the product; larger where the policy's variables are larger.
template <class P>
inline constexpr std::size_t kUnitBytes = sizeof(RecordHeader<P>);

/// Units that a payload of `bytes` takes with its header.
template <class P>
constexpr std::size_t units_for(std::size_t bytes) noexcept {
    return 1 + (bytes + kUnitBytes<P> - 1) / kUnitBytes<P>;
}

/// The same for a known type.
template <class P>
constexpr std::uint32_t units_of(const RecordType& type) noexcept {
    if constexpr (kUnitBytes<P> == kRecordUnit)
        return type.units;
    else
        return static_cast<std::uint32_t>(units_for<P>(type.payload_bytes));
}

namespace detail {

template <class T>
void destroy_payload(void* payload) noexcept {
    static_cast<T*>(payload)->~T();
}

template <class T>
constexpr const char* type_name() noexcept {
    return static_cast<const char*>(__PRETTY_FUNCTION__);
}

// What a lane writes for its own reader has no units, which tells it from payloads.
/// Fills the gap before a payload with a large alignment; its address says how many units.
inline constexpr RecordType kPadRecord{nullptr, 0, 0, "pad"};
/// The lane goes on in the next segment.
inline constexpr RecordType kJumpRecord{nullptr, 0, 0, "jump"};

} // namespace detail

/// The RecordType of T.
template <class T>
inline constexpr RecordType record_type_of{
    std::is_trivially_destructible_v<T> ? nullptr : &detail::destroy_payload<T>,
    static_cast<std::uint32_t>(units_for<StdPolicy>(sizeof(T))),
    static_cast<std::uint32_t>(sizeof(T)), detail::type_name<T>()};

static_assert(sizeof(RecordHeader<StdPolicy>) == kRecordUnit);
static_assert(std::is_trivially_destructible_v<RecordHeader<StdPolicy>>);

} // namespace takt
