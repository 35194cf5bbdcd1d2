// SPDX-License-Identifier: MIT
#pragma once
// Layer 4, phase. The tokens: proof, by type, of the phase that a piece of code runs in. Below:
// context.

#include <type_traits>

namespace takt {

namespace detail {
struct TokenMint;
}

/// Proof of the serial phase. Whatever changes shared state asks for one. Only the runtime makes
/// them: handlers may take one as their first parameter, and co_await synchronize() returns one.
/// Keeping it across an await is caught at run time, where it is used.
class Serial {
    Serial() = default;
    friend struct detail::TokenMint;
};

/// Proof of the parallel phase.
class Parallel {
    Parallel() = default;
    friend struct detail::TokenMint;
};

namespace detail {

/// Makes tokens; for the runtime alone.
struct TokenMint {
    static Serial serial() noexcept { return {}; }
    static Parallel parallel() noexcept { return {}; }
};

/// Arguments of a write that begin with something else than the token of the serial phase.
template <class... Given>
inline constexpr bool lacks_serial = true;
template <class... Rest>
inline constexpr bool lacks_serial<Serial, Rest...> = false;

/// The body of a write without that token: it does not compile, and says what is missing.
template <class Nothing>
constexpr void token_is_missing() noexcept {
    static_assert(!std::is_void_v<Nothing>,
                  "takt: a write wants the token of the serial phase: take a takt::Serial as the "
                  "handler's first parameter, or co_await takt::synchronize()");
}

} // namespace detail
} // namespace takt
