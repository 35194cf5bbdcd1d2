// SPDX-License-Identifier: MIT
// The trie of a shared table under the explorer, with membarrier and without.
#include "shared_table/model.hpp"
#include "shared_table/race_scenarios.hpp"

#include <gtest/gtest.h>

namespace {

using namespace shared_table;

template <class P>
class TrieModel : public ::testing::Test {};
using Policies = ::testing::Types<Model<true>, Model<false>>;
TYPED_TEST_SUITE(TrieModel, Policies, protocol::PolicyNames);

void no_schedule_breaks(const explorer::Scenario& scenario) {
    explorer::Scope scope;
    scope.pct_runs = 20'000;
    const explorer::Report report = explorer::explore_all(scenario, scope);
    EXPECT_TRUE(report.ok) << report;
}

// Four threads and their snapshots: DFS takes half a minute.
void no_random_schedule_breaks(const explorer::Scenario& scenario) {
    for (const explorer::Mode mode : {explorer::Mode::kPct, explorer::Mode::kRandom}) {
        const explorer::Report report = explorer::explore(scenario, mode);
        std::cout << report.summary << "\n";
        EXPECT_TRUE(report.ok) << report;
    }
}

TYPED_TEST(TrieModel, set_against_set) {
    no_schedule_breaks(set_against_set<TypeParam>(false));
    no_schedule_breaks(set_against_set<TypeParam>(true));
}

TYPED_TEST(TrieModel, insert_against_insert) {
    no_schedule_breaks(insert_against_insert<TypeParam>());
}

TYPED_TEST(TrieModel, set_against_clone_X1) {
    no_schedule_breaks(set_against_clone<TypeParam>(false, 1));
    no_schedule_breaks(set_against_clone<TypeParam>(true, 1));
}

TYPED_TEST(TrieModel, set_against_two_clones_X1) {
    no_random_schedule_breaks(set_against_clone<TypeParam>(false, 2));
    no_random_schedule_breaks(set_against_clone<TypeParam>(true, 2));
}

TYPED_TEST(TrieModel, increment_against_clone_X1) {
    no_schedule_breaks(increment_against_clone<TypeParam>(1, false));
    no_schedule_breaks(increment_against_clone<TypeParam>(2, false));
}

TYPED_TEST(TrieModel, increment_of_a_table_and_of_its_clone_X2) {
    no_schedule_breaks(increment_against_clone<TypeParam>(2, true));
}

TYPED_TEST(TrieModel, update_against_increment_X4) {
    no_schedule_breaks(update_against_increment<TypeParam>());
}

TYPED_TEST(TrieModel, update_against_erase_X4) {
    no_schedule_breaks(update_against_erase<TypeParam>(false));
    no_schedule_breaks(update_against_erase<TypeParam>(true));
}

TYPED_TEST(TrieModel, take_against_increment_X4) {
    no_schedule_breaks(take_against_increment<TypeParam>());
}

TYPED_TEST(TrieModel, clear_against_insert) {
    no_schedule_breaks(clear_against_insert<TypeParam>(false));
    no_schedule_breaks(clear_against_insert<TypeParam>(true));
}

TYPED_TEST(TrieModel, all_keys_have_one_order) {
    no_schedule_breaks(write_and_look<TypeParam>(false));
    no_schedule_breaks(write_and_look<TypeParam>(true));
}

TYPED_TEST(TrieModel, read_against_reclaim_Z1) {
    no_schedule_breaks(read_against_reclaim<TypeParam>(false, false));
    no_schedule_breaks(read_against_reclaim<TypeParam>(false, true));
}

TYPED_TEST(TrieModel, join_read_and_leave_against_reclaim_Z1) {
    no_schedule_breaks(read_against_reclaim<TypeParam>(true, false));
}

TYPED_TEST(TrieModel, leave_against_reclaim_Z1) {
    no_schedule_breaks(leave_against_reclaim<TypeParam>());
}

TYPED_TEST(TrieModel, drop_against_drop) {
    no_schedule_breaks(drop_against_drop<TypeParam>());
}

TYPED_TEST(TrieModel, count_against_count) {
    no_schedule_breaks(count_against_count<TypeParam>());
}

} // namespace
