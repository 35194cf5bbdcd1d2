// SPDX-License-Identifier: MIT
#include "takt/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace takt::detail {

void check_failed(const char* condition, const char* rule, const char* cure, const char* file,
                  int line) noexcept {
    std::fprintf(stderr, "takt: rule %s is broken at %s:%d (%s). %s.\n", rule, file, line,
                 condition, cure);
    std::abort();
}

} // namespace takt::detail
