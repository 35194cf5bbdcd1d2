// SPDX-License-Identifier: MIT
#pragma once
// What the tests of signals share.
#include "runtime/expect_law.hpp"
#include "takt/takt.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <ostream>
#include <string>
#include <vector>

namespace takt::testing_support {

/// A runtime to test signals in.
struct Setting {
    int workers;
    Preset preset;
};

inline std::ostream& operator<<(std::ostream& out, const Setting& setting) {
    return out << setting.workers << " workers, "
               << (setting.preset == Preset::deterministic ? "deterministic" : "balanced");
}

inline const auto kSettings =
    ::testing::Values(Setting{1, Preset::deterministic}, Setting{2, Preset::deterministic},
                      Setting{4, Preset::deterministic}, Setting{2, Preset::balanced});

/// A runtime whose failures are noted, not printed.
class SignalTest : public ::testing::TestWithParam<Setting> {
  protected:
    SignalTest() {
        runtime.on_failure([this](const Failure& failure) { failures.push_back(failure.text()); });
    }

    static constexpr Topic<> kGo{"Go"};

    std::vector<std::string> failures;
    Runtime runtime{{.preset = GetParam().preset,
                     .workers = {.count = GetParam().workers},
                     .failure = {.policy = FailurePolicy::resume}}};
};

/// Counts how many of it there are, on all threads.
class Counted {
  public:
    explicit Counted(int given = 0) noexcept : value(given) { change(1); }
    Counted(const Counted& other) noexcept : value(other.value) { change(1); }
    Counted(Counted&& other) noexcept : value(other.value) { change(1); }
    Counted& operator=(const Counted&) = default;
    ~Counted() { change(-1); }
    static int alive() noexcept {
        return alive_.load(std::memory_order_relaxed); // relaxed: the test joins first
    }

    int value;

  private:
    static void change(int by) noexcept {
        alive_.fetch_add(by, std::memory_order_relaxed); // relaxed: a count
    }
    static inline std::atomic<int> alive_{0};
};

} // namespace takt::testing_support
