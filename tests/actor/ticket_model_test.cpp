// SPDX-License-Identifier: MIT
// The ends of a ticket under the explorer, with membarrier and without: nothing here may depend on it.
#include "actor/ticket_scenarios.hpp"
#include "protocol/model.hpp"

#include <gtest/gtest.h>

namespace {

using protocol::expect_no_schedule_breaks;
using protocol::Policies;
using protocol::PolicyNames;

template <class P>
class TicketProtocol : public ::testing::Test {};
TYPED_TEST_SUITE(TicketProtocol, Policies, PolicyNames);

void expect_all(const explorer::Scenario& scenario) {
    const explorer::Report report = explorer::explore_all(scenario);
    EXPECT_TRUE(report.ok) << report;
}

TYPED_TEST(TicketProtocol, cancel_against_completion_U1_U2_U3) {
    expect_all(ticket::cancel_against_completion<TypeParam>(false));
}

TYPED_TEST(TicketProtocol, cancel_against_deadline_against_completion_U1) {
    expect_no_schedule_breaks(ticket::cancel_against_completion<TypeParam>(true));
}

TYPED_TEST(TicketProtocol, a_wait_with_a_deadline_against_completion_U3) {
    expect_all(ticket::wait_against_completion<TypeParam>());
}

TYPED_TEST(TicketProtocol, a_task_that_suspends_against_completion_U3) {
    expect_all(ticket::await_against_completion<TypeParam>(1));
}

TYPED_TEST(TicketProtocol, a_task_that_suspends_against_completion_and_cancel_U1_U3) {
    expect_all(ticket::await_against_completion<TypeParam>(2));
}

TYPED_TEST(TicketProtocol, a_task_that_goes_away_against_completion_U3) {
    expect_all(ticket::forget_against_completion<TypeParam>());
}

TYPED_TEST(TicketProtocol,
           a_function_that_comes_after_a_task_that_went_away_against_completion_U3) {
    expect_all(ticket::call_after_forget_against_completion<TypeParam>());
}

} // namespace
