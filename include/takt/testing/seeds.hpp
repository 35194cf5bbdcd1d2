// SPDX-License-Identifier: MIT
#pragma once
// Layer 11, testing. One test with many seeds. Below: test_runtime.

#include "takt/testing/test_failure.hpp"
#include "takt/testing/test_runtime.hpp"

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace takt::testing {

namespace detail {

void run_seeds(std::uint64_t count, const Config& config, UniqueFunction<bool(TestRuntime&)> body);

} // namespace detail

/// Runs `body(TestRuntime&)` with the seeds 1 to `count`, each in a runtime of its own; with the
/// environment's TAKT_SEED, only with that. A body fails when it throws, when it returns false (for
/// frameworks that do not throw: `return !HasFailure();`), or when there are failures that it has not
/// seen. Throws TestFailure, which names the seed, for the first that fails; what the body threw is
/// nested in it. Throws Error when `count` is 0, or TAKT_SEED is no number.
template <class F>
requires std::invocable<F&, TestRuntime&>
void for_each_seed(std::uint64_t count, F body, const Config& config = {}) {
    detail::run_seeds(count, config, [&body](TestRuntime& test) {
        if constexpr (std::is_same_v<std::invoke_result_t<F&, TestRuntime&>, bool>) {
            return body(test);
        } else {
            body(test);
            return true;
        }
    });
}

} // namespace takt::testing
