// SPDX-License-Identifier: MIT
// Gate, outlet and credit under the explorer. The standard scope at the smallest size, PCT and
// random schedules at the larger ones, where DFS would not end. moodycamel's queue is not under the
// model: a stand-in has its place, and the real one is under stress_test.cpp.
#include "gate/scenarios.hpp"
#include "protocol/model.hpp"

#include <gtest/gtest.h>

namespace {

using namespace gate_test;
using explorer::explore_all;
using protocol::expect_no_schedule_breaks;
using protocol::Model;
using protocol::Policies;
using protocol::PolicyNames;

template <class P>
class Gate : public ::testing::Test {};

TYPED_TEST_SUITE(Gate, Policies, PolicyNames);

template <class P>
using Queue = StandInQueue<P>;

void expect_all_schedules_hold(const explorer::Scenario& scenario) {
    const explorer::Report report = explore_all(scenario);
    EXPECT_TRUE(report.ok) << report;
}

TYPED_TEST(Gate, a_producer_comes_sends_and_leaves_against_rounds) {
    expect_all_schedules_hold(come_send_and_leave<TypeParam, Queue<TypeParam>>({}));
}

TYPED_TEST(Gate, a_thread_of_the_queue_comes_sends_and_leaves_against_rounds) {
    expect_all_schedules_hold(
        come_send_and_leave<TypeParam, Queue<TypeParam>>({.senders = {Way::queue}}));
}

TYPED_TEST(Gate, several_senders_come_send_and_leave_against_rounds) {
    expect_no_schedule_breaks(come_send_and_leave<TypeParam, Queue<TypeParam>>(
        {.senders = {Way::lane, Way::lane_in_batch, Way::queue, Way::queue}, .letters = 2}));
}

TYPED_TEST(Gate, segments_and_the_tail_wrap_while_rounds_run) {
    expect_no_schedule_breaks(come_send_and_leave<TypeParam, Queue<TypeParam>>(
        {.senders = {Way::lane, Way::lane_in_batch},
         .letters = 6,
         .config = {.lane = {.segment_units = 8, .start = 0xffff'fff9}}}));
}

TYPED_TEST(Gate, a_payload_that_cannot_be_made_leaves_nothing_behind) {
    expect_all_schedules_hold(throw_against_rounds<TypeParam, Queue<TypeParam>>(Way::lane));
    expect_all_schedules_hold(throw_against_rounds<TypeParam, Queue<TypeParam>>(Way::queue));
}

TYPED_TEST(Gate, a_sleeping_owner_is_rung_by_a_producer) {
    expect_all_schedules_hold(
        come_send_and_leave<TypeParam, Queue<TypeParam>>({.letters = 2, .sleep = true}));
}

TYPED_TEST(Gate, a_sleeping_owner_is_rung_by_a_thread_of_the_queue) {
    expect_all_schedules_hold(come_send_and_leave<TypeParam, Queue<TypeParam>>(
        {.senders = {Way::queue}, .letters = 2, .sleep = true}));
}

TYPED_TEST(Gate, a_sleeping_owner_is_rung_by_several) {
    expect_no_schedule_breaks(come_send_and_leave<TypeParam, Queue<TypeParam>>(
        {.senders = {Way::lane, Way::queue, Way::lane_in_batch}, .letters = 2, .sleep = true}));
}

TYPED_TEST(Gate, closing_misses_no_letter_of_a_producer) {
    expect_all_schedules_hold(
        close_against_senders<TypeParam, Queue<TypeParam>>({}, Closer::owner));
}

TYPED_TEST(Gate, closing_misses_no_letter_of_a_thread_of_the_queue) {
    expect_all_schedules_hold(close_against_senders<TypeParam, Queue<TypeParam>>(
        {.senders = {Way::queue}}, Closer::owner));
}

// close() ends with a system call, a barrier: only an owner that finds the gate quiet before that
// rests on the orders of G1 alone. And a batch may come out late: then the check is a weaker one.
TYPED_TEST(Gate, closing_by_another_thread_misses_no_letter_of_a_producer) {
    expect_all_schedules_hold(
        close_against_senders<TypeParam, Queue<TypeParam>>({}, Closer::another));
}

TYPED_TEST(Gate, closing_by_another_thread_misses_no_letter_of_a_thread_of_the_queue) {
    expect_all_schedules_hold(close_against_senders<TypeParam, Queue<TypeParam>>(
        {.senders = {Way::queue}}, Closer::another));
}

TYPED_TEST(Gate, closing_by_another_thread_misses_no_letter_of_several_senders) {
    expect_no_schedule_breaks(close_against_senders<TypeParam, Queue<TypeParam>>(
        {.senders = {Way::lane, Way::queue}, .letters = 2}, Closer::another));
    expect_no_schedule_breaks(close_against_senders<TypeParam, Queue<TypeParam>>(
        {.senders = {Way::lane, Way::queue, Way::lane_in_batch}, .letters = 2}, Closer::another));
}

TYPED_TEST(Gate, closing_misses_no_letter_of_several_senders) {
    expect_no_schedule_breaks(close_against_senders<TypeParam, Queue<TypeParam>>(
        {.senders = {Way::lane, Way::lane, Way::queue, Way::queue}, .letters = 2}, Closer::owner));
}

TYPED_TEST(Gate, credit_against_rounds_for_a_producer) {
    expect_all_schedules_hold(
        credit_against_route<TypeParam, Queue<TypeParam>>(Way::lane, 2, false));
}

TYPED_TEST(Gate, credit_against_rounds_for_a_thread_of_the_queue) {
    expect_all_schedules_hold(
        credit_against_route<TypeParam, Queue<TypeParam>>(Way::queue, 2, false));
}

TYPED_TEST(Gate, credit_against_a_sleeping_owner) {
    expect_no_schedule_breaks(
        credit_against_route<TypeParam, Queue<TypeParam>>(Way::queue, 3, true));
    expect_no_schedule_breaks(credit_against_route<TypeParam, Queue<TypeParam>>(
        Way::lane_in_batch, 3, true, 0xffff'fffd));
}

TYPED_TEST(Gate, closing_ends_the_wait_for_room) {
    expect_all_schedules_hold(close_against_waiting_sender<TypeParam, Queue<TypeParam>>(Way::lane));
    expect_all_schedules_hold(
        close_against_waiting_sender<TypeParam, Queue<TypeParam>>(Way::queue));
}

TYPED_TEST(Gate, a_deadline_passes_while_the_gate_is_full) {
    for (const Way way : {Way::lane, Way::lane_in_batch, Way::queue})
        expect_all_schedules_hold(
            deadline_against_route<TypeParam, Queue<TypeParam>>({.way = way, .routes = false}));
}

TYPED_TEST(Gate, room_comes_about_when_the_deadline_does) {
    for (const Way way : {Way::lane, Way::lane_in_batch, Way::queue})
        expect_all_schedules_hold(
            deadline_against_route<TypeParam, Queue<TypeParam>>({.way = way}));
}

TYPED_TEST(Gate, a_sender_stopped_in_mid_send_holds_up_its_own_mail_only) {
    expect_no_schedule_breaks(
        stuck_in_mid_send<TypeParam, Queue<TypeParam>>(Way::queue, Way::queue));
    expect_no_schedule_breaks(
        stuck_in_mid_send<TypeParam, Queue<TypeParam>>(Way::lane, Way::queue));
}

template <class P>
class Outlet : public ::testing::Test {};
TYPED_TEST_SUITE(Outlet, Policies, PolicyNames);

TYPED_TEST(Outlet, push_against_wait_of_one_result) {
    expect_all_schedules_hold(push_against_wait<TypeParam>({}));
}

TYPED_TEST(Outlet, push_against_wait_of_several_workers) {
    expect_no_schedule_breaks(push_against_wait<TypeParam>({.workers = 2, .results = 3}));
}

TYPED_TEST(Outlet, push_against_an_armed_descriptor) {
    expect_all_schedules_hold(push_against_wait<TypeParam>({.results = 2, .epoll = true}));
}

TYPED_TEST(Outlet, push_against_an_armed_descriptor_of_several_workers) {
    expect_no_schedule_breaks(
        push_against_wait<TypeParam>({.workers = 3, .results = 2, .epoll = true}));
}

TYPED_TEST(Outlet, push_against_the_death_of_the_receiver) {
    expect_all_schedules_hold(push_against_death<TypeParam>(1, 0));
    expect_all_schedules_hold(push_against_death<TypeParam>(1, 1));
    expect_no_schedule_breaks(push_against_death<TypeParam>(3, 2));
}

} // namespace
