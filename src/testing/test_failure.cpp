// SPDX-License-Identifier: MIT
#include "takt/testing.hpp"

namespace takt::testing {

TestFailure::TestFailure(std::uint64_t seed, const std::string& problem)
    : std::runtime_error("takt: seed " + std::to_string(seed) + ": " + problem +
                         ". TAKT_SEED=" + std::to_string(seed) + " repeats it."),
      seed_(seed) {}

} // namespace takt::testing
