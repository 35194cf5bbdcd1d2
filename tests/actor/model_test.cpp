// SPDX-License-Identifier: MIT
// The load counters under the explorer. Nothing here sleeps, so one policy is enough.
#include "actor/scenarios.hpp"
#include "protocol/model.hpp"

#include <gtest/gtest.h>

namespace {

using Model = protocol::Model<true>;
using explorer::explore_all;

void expect_no_schedule_breaks(const explorer::Scenario& scenario) {
    const explorer::Report report = explore_all(scenario);
    EXPECT_TRUE(report.ok) << report;
}

TEST(Load, select_against_completion_in_the_exact_form) {
    expect_no_schedule_breaks(
        actor::select_against_completion<Model>([] { return takt::LeastBusy(); }, 2));
}

TEST(Load, select_against_completion_in_the_snapshot_form) {
    expect_no_schedule_breaks(actor::select_against_completion<Model>(
        [] { return takt::LeastBusy({.exact_up_to = 0, .picks_per_refresh = 1}); }, 2));
}

TEST(Load, select_against_completion_of_two_choices) {
    expect_no_schedule_breaks(
        actor::select_against_completion<Model>([] { return takt::TwoChoices(); }, 2));
}

TEST(Load, who_reads_0_sees_what_was_done_J3) {
    expect_no_schedule_breaks(actor::idle_means_done<Model>(1));
}

TEST(Load, who_reads_0_sees_what_everybody_did_J3) {
    expect_no_schedule_breaks(actor::idle_means_done<Model>(2));
}

TEST(Load, an_underflow_against_one_user_J1) {
    expect_no_schedule_breaks(actor::underflow_against_use<Model>(1));
}

TEST(Load, an_underflow_against_two_users_J1) {
    expect_no_schedule_breaks(actor::underflow_against_use<Model>(2));
}

TEST(MailRoom, the_last_place_has_one_message_L1) {
    expect_no_schedule_breaks(actor::the_last_place<Model>(false));
}

TEST(MailRoom, the_last_place_that_becomes_free_has_one_message_L1) {
    expect_no_schedule_breaks(actor::the_last_place<Model>(true));
}

TEST(Busy, moves_across_threads) {
    expect_no_schedule_breaks(actor::busy_moves_across_threads<Model>());
}

} // namespace
