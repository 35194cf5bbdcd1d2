// SPDX-License-Identifier: MIT
#include "select/config.hpp"

namespace takt::bench::select {
namespace {

// The plain way: reads all counters, each on a line of its own, and keeps the least.
Target scan(const Board& board) {
    Target best = 0;
    std::uint64_t least = UINT64_MAX;
    for (Target target = 0; target < board.size(); ++target) {
        const std::uint64_t load = board.peek(target);
        best = load < least ? target : best;
        least = load < least ? load : least;
    }
    return best;
}

void prove_scan(Board& board) {
    std::vector<std::uint64_t> loads;
    for (Target target = 0; target < board.size(); ++target)
        loads.push_back(board.peek(target));
    for (int count = 0; count < kProofSelections; ++count) {
        const Target target = scan(board);
        prove_least(loads, target);
        board[target].add();
    }
}

class PaddedScan {
  public:
    explicit PaddedScan(std::uint32_t targets)
        : crew_(plan_for(1), {.pin_caller = true}), board_(targets) {
        load(board_);
    }
    void prove() { prove_scan(board_); }
    Window window() {
        return time({.operations = 256}, [&] { keep(scan(board_)); });
    }

  private:
    Workers crew_;
    Board board_;
};

class PaddedScanDirty {
  public:
    explicit PaddedScanDirty(std::uint32_t targets) : board_(targets), dirt_(board_) {
        load(board_);
    }
    void prove() { prove_scan(board_); }
    Window window() {
        return time({.operations = 1, .prepare = [&] { dirt_.spread(); }},
                    [&] { keep(scan(board_)); });
    }

  private:
    Board board_;
    Dirt dirt_;
};

} // namespace

void add_padded_scan() {
    add<PaddedScan>("padded_scan");
    add<PaddedScanDirty>("padded_scan_dirty");
}

} // namespace takt::bench::select
