// SPDX-License-Identifier: MIT
#include "select/config.hpp"

#include <algorithm>

namespace takt::bench::select {

void add_takt();
void add_sort_and_pick();
void add_padded_scan();

void load(Board& board) {
    std::uint64_t random = 42;
    for (Target target = 0; target < board.size(); ++target) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        board[target].add(static_cast<std::uint32_t>(random >> 61));
    }
}

void prove_least(std::vector<std::uint64_t>& loads, Target target) {
    if (loads.at(target) != *std::min_element(loads.begin(), loads.end()))
        throw std::logic_error("a selected target is not the least loaded one");
    ++loads[target];
}

Dirt::Dirt(Board& board) : board_(&board), crew_(plan_for(2), {.pin_caller = true}) {}

void Dirt::spread() {
    crew_.run([&](int worker) {
        for (Target target = 0; worker == 1 && target < board_->size(); ++target) {
            (*board_)[target].add();
            (*board_)[target].remove();
        }
    });
}

} // namespace takt::bench::select

int main(int argc, char** argv) {
    using namespace takt::bench::select;
    add_takt();
    add_sort_and_pick();
    add_padded_scan();
    return takt::bench::run(argc, argv);
}
