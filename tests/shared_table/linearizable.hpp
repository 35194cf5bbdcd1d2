// SPDX-License-Identifier: MIT
#pragma once
// Is there an order of the calls of a history, each within its time, in which a sequential map would
// have given the same answers? The search of Wing and Gong (1993), with the states that led nowhere
// remembered (Lowe 2017). For histories of up to 64 calls.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace shared_table {

/// State: copyable, ordered, and `answer(call)` changes it and answers. Call: `begin`, `end` and
/// `result`, what was answered.
template <class State, class Call>
class LinearizableHistory {
  public:
    LinearizableHistory(State initial, std::vector<Call> calls)
        : initial_(std::move(initial)), calls_(std::move(calls)) {}

    bool is_linearizable() { return search(initial_, 0); }

  private:
    bool search(const State& state, std::uint64_t done) {
        if (done == all())
            return true;
        if (!tried_.insert({done, state}).second)
            return false;
        const auto first_end = end_of_earliest(done);
        for (std::size_t at = 0; at < calls_.size(); ++at) {
            if ((done >> at & 1) != 0 || calls_[at].begin > first_end)
                continue; // done, or it began when another that is not done had ended
            State after = state;
            if (after.answer(calls_[at]) == calls_[at].result &&
                search(after, done | std::uint64_t{1} << at))
                return true;
        }
        return false;
    }
    std::uint64_t all() const {
        return calls_.size() == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << calls_.size()) - 1;
    }
    std::uint64_t end_of_earliest(std::uint64_t done) const {
        std::uint64_t earliest = ~std::uint64_t{0};
        for (std::size_t at = 0; at < calls_.size(); ++at)
            if ((done >> at & 1) == 0)
                earliest = std::min(earliest, calls_[at].end);
        return earliest;
    }

    State initial_;
    std::vector<Call> calls_;
    std::set<std::pair<std::uint64_t, State>> tried_;
};

} // namespace shared_table
