// SPDX-License-Identifier: MIT
#pragma once
// Protocol tests under the explorer: the policy, checks and threads that scenarios.hpp asks for.

#include "support/explorer.hpp"

#include <functional>
#include <string_view>

namespace protocol {

/// SleeperPays: with membarrier, or with the seq_cst fallback.
template <bool SleeperPays>
struct Model : explorer::BasicModelPolicy<SleeperPays> {
    using Thread = explorer::ThreadId;

    static void check(bool holds, const char* what) { explorer::check(holds, what); }
    static Thread spawn(std::string_view name, std::function<void()> body) {
        return explorer::spawn(name, std::move(body));
    }
    static void join(Thread& thread) { explorer::join(thread); }
    template <class T>
    static void name(const T& object, const char* label, int index = -1) {
        explorer::name(object, label, index);
    }
};

} // namespace protocol
