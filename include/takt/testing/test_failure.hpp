// SPDX-License-Identifier: MIT
#pragma once
// Layer 11, testing. What a failed test throws. Below: nothing but the standard library.

#include <cstdint>
#include <stdexcept>
#include <string>

namespace takt::testing {

/// Something is not as the test expects. `what()` is: `takt: seed 17: <problem>. TAKT_SEED=17 repeats
/// it.`
class TestFailure : public std::runtime_error {
  public:
    /// `problem`: a sentence without its final stop.
    TestFailure(std::uint64_t seed, const std::string& problem);

    /// The seed of the test that failed.
    std::uint64_t seed() const noexcept { return seed_; }

  private:
    std::uint64_t seed_;
};

} // namespace takt::testing
