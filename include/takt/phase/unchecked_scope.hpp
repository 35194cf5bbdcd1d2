// SPDX-License-Identifier: MIT
#pragma once
// Layer 4, phase. Code that is not checked. Below: context. Above: phase_error, which asks; task,
// which suspends such scopes with the coroutine that they are in.

#include "takt/phase/context.hpp"

namespace takt {

/// While it lives, the run-time checks of the calling thread let pass what is used in the wrong
/// phase: for code that knows better. What the check would have prevented is then the caller's
/// affair, data races included. Nests; ends with its block, also by return or exception.
///
/// It covers no await: once its coroutine has been suspended, checks are on again, there and on the
/// thread that it left. What cannot go on without a frame, such as commit(), raises all the same.
/// Two thread-local writes; a check that passes costs the same with and without it.
class [[nodiscard]] UncheckedScope {
  public:
    UncheckedScope() noexcept;
    ~UncheckedScope();
    UncheckedScope(const UncheckedScope&) = delete;
    UncheckedScope& operator=(const UncheckedScope&) = delete;

  private:
    const UncheckedScope* const before_;
};

namespace detail {

inline constinit thread_local const UncheckedScope* t_unchecked = nullptr;

/// The innermost of the calling thread; null: its accesses are checked.
TAKT_THREAD_LOCAL_ACCESS const UncheckedScope* unchecked_scope() noexcept {
    return t_unchecked;
}
TAKT_THREAD_LOCAL_ACCESS void set_unchecked_scope(const UncheckedScope* scope) noexcept {
    t_unchecked = scope;
}

} // namespace detail

inline UncheckedScope::UncheckedScope() noexcept : before_(detail::unchecked_scope()) {
    detail::set_unchecked_scope(this);
}

inline UncheckedScope::~UncheckedScope() {
    if (detail::unchecked_scope() == this) // else an await has ended it
        detail::set_unchecked_scope(before_);
}

} // namespace takt
