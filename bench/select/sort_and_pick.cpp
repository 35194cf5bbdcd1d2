// SPDX-License-Identifier: MIT
#include "select/config.hpp"

#include <algorithm>

namespace takt::bench::select {
namespace {

// VMsDispatcher's Dispatch: copies the list of threads, sorts it by the attribute `Tasks`, which
// each comparison reads twice, and takes the first.
class SortAndPick {
  public:
    explicit SortAndPick(std::uint32_t targets)
        : crew_(plan_for(1), {.pin_caller = true}), board_(targets) {
        load(board_);
        for (Target target = 0; target < targets; ++target)
            threads_.push_back(target);
    }
    void prove() {
        std::vector<std::uint64_t> loads;
        for (Target target = 0; target < board_.size(); ++target)
            loads.push_back(board_.peek(target));
        for (int count = 0; count < 200; ++count) {
            const Target target = select();
            prove_least(loads, target);
            board_[target].add();
        }
    }
    Window window() {
        return time({.operations = 8}, [&] { keep(select()); });
    }

  private:
    Target select() const {
        std::vector<Target> sorted = threads_;
        std::sort(sorted.begin(), sorted.end(),
                  [&](Target a, Target b) { return board_.peek(a) < board_.peek(b); });
        return sorted.front();
    }

    Workers crew_;
    Board board_;
    std::vector<Target> threads_;
};

} // namespace

void add_sort_and_pick() {
    add<SortAndPick>("sort_and_pick");
}

} // namespace takt::bench::select
