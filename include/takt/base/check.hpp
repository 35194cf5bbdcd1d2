// SPDX-License-Identifier: MIT
#pragma once
// Layer 0, base. TAKT_CHECK: a broken contract stops the program, with the rule and the cure, in
// builds configured with -DTAKT_CHECKED=ON. The setting is a public compile definition of
// takt::takt, so library and user never disagree about it.

namespace takt::detail {

/// Prints rule, place and cure to stderr and aborts. Never returns.
[[noreturn]] void check_failed(const char* condition, const char* rule, const char* cure,
                               const char* file, int line) noexcept;

} // namespace takt::detail

#if TAKT_CHECKED
#define TAKT_CHECK(condition, rule, cure)                                                          \
    (static_cast<bool>(condition)                                                                  \
         ? void(0)                                                                                 \
         : ::takt::detail::check_failed(#condition, rule, cure, __FILE__, __LINE__))
#else
#define TAKT_CHECK(condition, rule, cure) void(0)
#endif
