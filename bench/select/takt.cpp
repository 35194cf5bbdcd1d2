// SPDX-License-Identifier: MIT
#include "select/config.hpp"

namespace takt::bench::select {
namespace {

std::vector<std::uint64_t> loads_of(const Board& board) {
    std::vector<std::uint64_t> loads;
    for (Target target = 0; target < board.size(); ++target)
        loads.push_back(board.peek(target));
    return loads;
}

// Dispatches with a selector that has just been refreshed, or reads the counters anyway.
template <class S>
void prove_selector(S& selector, Board& board) {
    std::vector<std::uint64_t> loads = loads_of(board);
    for (int count = 0; count < kProofSelections; ++count) {
        const Target target = *selector.select(board);
        prove_least(loads, target);
        board[target].add();
    }
    for (const Target target : {0u, board.size() - 1}) // what completes is seen at a refresh
        board[target].remove(static_cast<std::uint32_t>(board.peek(target)));
    refresh_selector(selector, board);
    loads = loads_of(board);
    prove_least(loads, *selector.select(board));
}

// The crew pins the caller.
class Pinned {
  public:
    Pinned() : crew_(plan_for(1), {.pin_caller = true}) {}

  private:
    Workers crew_;
};

// From a snapshot that was fresh when the batch began.
class Takt : Pinned {
  public:
    explicit Takt(std::uint32_t targets)
        : board_(targets),
          selector_({.exact_up_to = 0, .picks_per_refresh = LeastBusyConfig::kOnRequest}) {
        load(board_);
        selector_.fit(targets);
        selector_.refresh(board_);
    }
    void prove() { prove_selector(selector_, board_); }
    Window window() {
        return time({.operations = 1'024, .prepare = [&] { selector_.refresh(board_); }},
                    [&] { keep(*selector_.select(board_)); });
    }

  private:
    Board board_;
    LeastBusy selector_;
};

class TaktExact : Pinned {
  public:
    explicit TaktExact(std::uint32_t targets) : board_(targets) { load(board_); }
    void prove() { prove_selector(selector_, board_); }
    Window window() {
        return time({.operations = 1'024}, [&] { keep(*selector_.select(board_)); });
    }

  private:
    Board board_;
    LeastBusy selector_;
};

// The refresh itself, counters in the own cache.
class TaktRefresh : Pinned {
  public:
    explicit TaktRefresh(std::uint32_t targets) : board_(targets) {
        load(board_);
        snapshot_.reserve(targets);
    }
    void prove() {
        snapshot_.refresh(board_);
        std::vector<std::uint64_t> loads = loads_of(board_);
        for (int count = 0; count < kProofSelections; ++count)
            prove_least(loads, snapshot_.pick());
    }
    Window window() {
        return time({.operations = 64}, [&] {
            snapshot_.refresh(board_);
            keep(snapshot_.pick());
        });
    }

  private:
    Board board_;
    LoadSnapshot snapshot_;
};

class TaktRefreshDirty {
  public:
    explicit TaktRefreshDirty(std::uint32_t targets) : board_(targets), dirt_(board_) {
        load(board_);
        snapshot_.reserve(targets);
    }
    void prove() {
        std::vector<std::uint64_t> loads = loads_of(board_);
        dirt_.spread();
        snapshot_.refresh(board_);
        for (int count = 0; count < kProofSelections; ++count)
            prove_least(loads, snapshot_.pick());
    }
    Window window() {
        return time({.operations = 1, .prepare = [&] { dirt_.spread(); }}, [&] {
            snapshot_.refresh(board_);
            keep(snapshot_.pick());
        });
    }

  private:
    Board board_;
    Dirt dirt_;
    LoadSnapshot snapshot_;
};

} // namespace

void add_takt() {
    add<Takt>("takt");
    add<TaktExact>("takt_exact", {4, 16, 64});
    add<TaktRefresh>("takt_refresh");
    add<TaktRefreshDirty>("takt_refresh_dirty");
}

} // namespace takt::bench::select
