// SPDX-License-Identifier: MIT
#include "takt/testing.hpp"

#include "testing/seed_of_environment.hpp"

#include <charconv>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <system_error>

namespace takt::testing {

std::optional<std::uint64_t> seed_of_environment() {
    const char* const text = std::getenv("TAKT_SEED");
    if (text == nullptr)
        return std::nullopt;
    const std::string_view digits = text;
    std::uint64_t seed = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), seed);
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size())
        throw Error("TAKT_SEED", text, "it is not a number from 0 to 2^64 - 1",
                    "Give the seed that a failed test has named, or unset it");
    return seed;
}

namespace detail {

namespace {

// What the body throws goes on as a TestFailure that names the seed.
void run_seed(std::uint64_t seed, const Config& config, UniqueFunction<bool(TestRuntime&)>& body) {
    try {
        TestRuntime test(config, seed);
        if (!body(test))
            throw TestFailure(seed, "the body returned false");
        test.expect_no_failures();
    } catch (const TestFailure&) {
        throw;
    } catch (const std::exception& error) {
        std::throw_with_nested(TestFailure(seed, std::string("the body threw: ") + error.what()));
    } catch (...) {
        std::throw_with_nested(
            TestFailure(seed, "the body threw something that is no std::exception"));
    }
}

} // namespace

void run_seeds(std::uint64_t count, const Config& config, UniqueFunction<bool(TestRuntime&)> body) {
    if (count == 0)
        throw Error("count", "0", "a test that runs with no seed tests nothing", "Give 1 or more");
    require_valid(config);
    if (const std::optional<std::uint64_t> seed = seed_of_environment()) {
        run_seed(*seed, config, body);
        return;
    }
    for (std::uint64_t seed = 1; seed <= count; ++seed)
        run_seed(seed, config, body);
}

} // namespace detail
} // namespace takt::testing
