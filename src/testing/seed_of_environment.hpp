// SPDX-License-Identifier: MIT
#pragma once
// Private to layer 11, testing. The seed that the environment asks for.

#include <cstdint>
#include <optional>

namespace takt::testing {

/// TAKT_SEED; empty where it is not set. Throws Error when it is no number.
std::optional<std::uint64_t> seed_of_environment();

} // namespace takt::testing
