// SPDX-License-Identifier: MIT
#pragma once
// What the tests of the levels share.
#include "takt/takt.hpp"

#include <functional>
#include <string>

namespace takt::testing_support {

inline Config checked(int workers, CheckLevel level = CheckLevel::always,
                      OnViolation reaction = OnViolation::raise) {
    return {.workers = {.count = workers, .pin = false},
            .checks = {.level = level, .on_violation = reaction},
            .failure = {.policy = FailurePolicy::resume}};
}

/// The text of the PhaseError that `use` raises; "nothing" when it raises none.
inline std::string text_of(const std::function<void()>& use) {
    try {
        use();
    } catch (const PhaseError& error) {
        return error.what();
    }
    return "nothing";
}

} // namespace takt::testing_support
