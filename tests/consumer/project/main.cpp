// SPDX-License-Identifier: MIT
// Uses takt as someone who knows its public headers only.
#include "takt/base.hpp"

#include <cstdio>

#if defined(HWLOC_H)
#error "hwloc.h came in through a public header"
#endif

int main() {
    const std::int64_t before = takt::now_ns();
    const takt::Error error("frame.hz", "-1", "is negative", "Use 60");
    if (error.key() != "frame.hz" || takt::now_ns() < before)
        return 1;
    std::puts("a stranger uses takt");
    return 0;
}
