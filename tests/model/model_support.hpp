// SPDX-License-Identifier: MIT
#pragma once
// What the tests of the model share.
#include "takt/takt.hpp"

#include <functional>
#include <string>
#include <vector>

namespace takt::testing {

inline Config for_model(int workers) {
    return {.workers = {.count = workers, .pin = false},
            .checks = {.level = CheckLevel::always},
            .failure = {.policy = FailurePolicy::resume}};
}

/// The sentence that `use` is refused with; "nothing" when it is not.
inline std::string refusal_of(const std::function<void()>& use) {
    try {
        use();
    } catch (const Error& error) {
        return error.what();
    } catch (const PhaseError& error) {
        return error.what();
    }
    return "nothing";
}

inline std::vector<std::string> names_of(Instance parent) {
    std::vector<std::string> names;
    for (const Instance child : parent.children())
        names.emplace_back(child.name());
    return names;
}

/// Counts those that are there.
struct Alive {
    explicit Alive(int& counter) : count(&counter) { ++*count; }
    Alive(const Alive& other) : count(other.count) { ++*count; }
    Alive& operator=(const Alive&) = default; // of one counter
    ~Alive() { --*count; }

    int* count;
};

} // namespace takt::testing
