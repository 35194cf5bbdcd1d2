// SPDX-License-Identifier: MIT
// What all selectors promise, and the three that keep no snapshot.
#include "takt/actor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace {

using takt::LeastBusy;
using takt::RoundRobin;
using takt::Sticky;
using takt::Target;
using takt::TwoChoices;
using LoadBoard = takt::LoadBoard<takt::StdPolicy>;

// A user's selector: the first target whose load is below a limit, and a refusal when all are busy.
class FirstBelow {
  public:
    explicit FirstBelow(std::uint64_t limit) : limit_(limit) {}

    takt::Selection select(const takt::LoadView auto& loads) noexcept {
        for (Target target = 0; target < loads.size(); ++target)
            if (loads.peek(target) < limit_)
                return target;
        return std::nullopt;
    }

  private:
    std::uint64_t limit_;
};

struct NotASelector {
    int select(const LoadBoard&) noexcept { return 0; }
};
struct MayThrow {
    takt::Selection select(const LoadBoard&) { return 0; }
};

static_assert(takt::Selector<LeastBusy> && takt::Selector<RoundRobin> &&
              takt::Selector<TwoChoices> && takt::Selector<Sticky> && takt::Selector<FirstBelow>);
static_assert(!takt::Selector<NotASelector> && !takt::Selector<MayThrow> && !takt::Selector<int>);

// What a dispatcher does with any selector.
template <takt::Selector S>
takt::Selection dispatch(S& selector, LoadBoard& board) {
    const takt::Selection target = selector.select(board);
    if (target)
        board[*target].add();
    return target;
}

TEST(Selector, one_written_by_a_user_takes_part_like_any_other) {
    LoadBoard board(3);
    FirstBelow selector(2);
    takt::fit_selector(selector, board.size()); // it wants to know neither
    takt::refresh_selector(selector, board);
    std::vector<Target> given;
    while (const auto target = dispatch(selector, board))
        given.push_back(*target);
    EXPECT_EQ(given, (std::vector<Target>{0, 0, 1, 1, 2, 2}));
    EXPECT_EQ(board.total(), 6u);
}

template <class S>
S make() {
    if constexpr (std::is_same_v<S, Sticky>)
        return Sticky(12);
    else
        return S();
}

template <class S>
class EverySelector : public ::testing::Test {};
using Selectors = ::testing::Types<LeastBusy, RoundRobin, TwoChoices, Sticky>;
TYPED_TEST_SUITE(EverySelector, Selectors);

TYPED_TEST(EverySelector, refuses_an_empty_set) {
    const LoadBoard board(0);
    auto selector = make<TypeParam>();
    takt::fit_selector(selector, 0);
    EXPECT_EQ(selector.select(board), std::nullopt);
}

TYPED_TEST(EverySelector, takes_the_only_target) {
    LoadBoard board(1);
    auto selector = make<TypeParam>();
    for (int times = 0; times < 5; ++times)
        EXPECT_EQ(dispatch(selector, board), 0u);
}

TYPED_TEST(EverySelector, stays_within_the_set_while_it_grows_and_shrinks_V1) {
    LoadBoard board;
    auto selector = make<TypeParam>();
    std::uint32_t random = 1;
    for (int change = 0; change < 200; ++change) {
        random = random * 1664525 + 1013904223;
        const std::uint32_t targets = (random >> 16) % 300;
        board.resize(targets);
        if (change % 2 == 0) // also when it was not told
            takt::fit_selector(selector, targets);
        for (int times = 0; times < 20; ++times) {
            const auto target = dispatch(selector, board);
            ASSERT_EQ(target.has_value(), targets > 0);
            if (target) {
                ASSERT_LT(*target, targets);
            }
        }
    }
}

TEST(RoundRobin, gives_each_target_its_turn) {
    LoadBoard board(3);
    board[1].add(100);
    RoundRobin selector(1);
    std::vector<Target> given;
    for (int times = 0; times < 7; ++times)
        given.push_back(*selector.select(board));
    EXPECT_EQ(given, (std::vector<Target>{1, 2, 0, 1, 2, 0, 1}));
}

TEST(RoundRobin, goes_on_within_the_set_when_it_has_shrunk_V1) {
    LoadBoard board(10);
    RoundRobin selector(9);
    EXPECT_EQ(selector.select(board), 9u);
    board.resize(4);
    EXPECT_EQ(selector.select(board), 2u); // 10 % 4
    EXPECT_EQ(selector.select(board), 3u);
    EXPECT_EQ(selector.select(board), 0u);
}

TEST(TwoChoices, of_two_targets_takes_the_less_loaded) {
    LoadBoard board(2);
    board[0].add(1);
    TwoChoices selector;
    for (int times = 0; times < 100; ++times)
        EXPECT_EQ(selector.select(board), 1u);
}

TEST(TwoChoices, draws_two_different_targets_and_every_pair) {
    LoadBoard board(3);
    board[2].add(1); // is taken only by who draws it twice
    TwoChoices selector;
    std::set<Target> seen;
    for (int times = 0; times < 1'000; ++times)
        seen.insert(*selector.select(board));
    EXPECT_EQ(seen, (std::set<Target>{0, 1}));
}

TEST(TwoChoices, keeps_the_gap_small_and_repeats_with_its_seed) {
    constexpr int kTasks = 25'600;
    LoadBoard board(256);
    LoadBoard again(256);
    TwoChoices selector(7);
    TwoChoices twin(7);
    std::uint64_t highest = 0;
    for (int task = 0; task < kTasks; ++task)
        ASSERT_EQ(dispatch(selector, board), dispatch(twin, again));
    for (Target target = 0; target < board.size(); ++target)
        highest = std::max(highest, board.peek(target));
    EXPECT_LE(highest, 100u + 5) << "log2 log2 256 + a constant above the mean";
}

TEST(Sticky, the_same_key_goes_to_the_same_target_whatever_the_loads) {
    LoadBoard board(50);
    for (std::uint64_t key = 0; key < 500; ++key) {
        const auto target = Sticky(key).select(board);
        board[*target].add(100);
        EXPECT_EQ(Sticky(key).select(board), target);
    }
}

TEST(Sticky, spreads_keys_of_any_pattern_evenly) {
    LoadBoard board(32);
    for (const std::uint64_t stride : {1ull, 64ull, 4096ull, 1ull << 40}) {
        std::map<Target, int> given;
        for (std::uint64_t key = 0; key < 32'000; ++key)
            ++given[*Sticky(key * stride).select(board)];
        EXPECT_EQ(given.size(), 32u);
        for (const auto& [target, keys] : given)
            EXPECT_NEAR(keys, 1'000, 160) << target << " at stride " << stride; // 5 sigma
    }
}

TEST(Sticky, a_larger_set_moves_its_share_of_keys_and_only_to_the_new_targets) {
    constexpr int kKeys = 10'000;
    LoadBoard few(30);
    LoadBoard more(40);
    int moved = 0;
    for (std::uint64_t key = 0; key < kKeys; ++key) {
        const Target before = *Sticky(key).select(few);
        const Target after = *Sticky(key).select(more);
        if (before != after) {
            ++moved;
            EXPECT_GE(after, 30u);
        }
    }
    EXPECT_NEAR(moved, kKeys / 4, 220); // 10 of 40; 5 sigma
}

} // namespace
