// SPDX-License-Identifier: MIT
#pragma once
// How a request ends, as small scenarios, written once: ticket_model_test.cpp runs them under the
// explorer, stress_test.cpp on real threads. P is protocol::Model or protocol::Threads.

#include "takt/actor.hpp"

#include <memory>
#include <string>
#include <utility>

namespace ticket {

using takt::TicketStatus;

/// A ticket as TicketCore has it, with what the explorer is to watch.
template <class P>
struct State {
    explicit State(std::uint32_t references) : ticket(references) { P::name(ticket, "ticket"); }

    // As TicketCore::release(): the last one destroys the answer.
    void release() {
        if (ticket.release()) {
            destroyed.set(destroyed.get() + 1);
            answer.set(0);
            told_whom.set(0);
        }
    }
    void answer_with(int value) {
        answer.set(value);
        if (end(TicketStatus::answered))
            winners.fetch_add(1, std::memory_order_relaxed);
    }
    void end_as(TicketStatus status) {
        if (end(status))
            winners.fetch_add(1, std::memory_order_relaxed);
    }
    bool end(TicketStatus status) {
        const auto end = ticket.end(status);
        if (end.is_awaited) {
            P::check(end.by_caller, "somebody else told who waits");
            P::check(told_whom.get() == 7, "who is to be told is not known");
            told.fetch_add(1, std::memory_order_release); // as mail, or a barrier, does
        }
        return end.by_caller;
    }
    void check_answer(TicketStatus status) {
        P::check(status != TicketStatus::pending, "it has ended and is pending");
        if (status == TicketStatus::answered)
            P::check(answer.get() == 42, "the answer is not visible to who has the ticket (U2)");
    }
    void check_end(std::uint64_t ended_by_one_of) {
        P::check(winners.load(std::memory_order_relaxed) == ended_by_one_of,
                 "a ticket ended twice, or never (U1)");
        P::check(destroyed.get() == 1, "what it holds was not destroyed once");
    }

    takt::detail::TicketState<P> ticket;
    typename P::template Plain<int> answer{0};
    typename P::template Plain<int> told_whom{0};
    typename P::template Plain<int> destroyed{0};
    typename P::template Atomic<std::uint64_t> winners{0};
    typename P::template Atomic<std::uint64_t> told{0};
};

// A worker answers, the ticket is cancelled and its deadline passes, a thread outside sleeps until one
// of them comes (U1 to U3).
template <class P>
auto cancel_against_completion(bool with_deadline) {
    return [=](auto& x) {
        auto state = std::make_shared<State<P>>(with_deadline ? 4 : 3);
        x.thread("worker", [=] {
            state->answer_with(42);
            state->release();
        });
        x.thread("canceller", [=] {
            state->end_as(TicketStatus::cancelled);
            state->release();
        });
        if (with_deadline)
            x.thread("frame thread", [=] {
                state->end_as(TicketStatus::deadline);
                state->release();
            });
        x.thread("waiter", [=] {
            state->check_answer(state->ticket.wait(takt::kNever));
            state->check_answer(state->ticket.status());
            state->release();
        });
        x.finally([=] { state->check_end(1); });
    };
}

// A thread outside waits for a while, then for ever, and somebody polls.
template <class P>
auto wait_against_completion() {
    return [=](auto& x) {
        auto state = std::make_shared<State<P>>(3);
        x.thread("worker", [=] {
            state->answer_with(42);
            state->release();
        });
        x.thread("waiter", [=] {
            const TicketStatus early = state->ticket.wait(P::now_ns() + 1'000);
            if (early != TicketStatus::pending)
                state->check_answer(early);
            state->check_answer(state->ticket.wait(takt::kNever));
            state->release();
        });
        x.thread("poller", [=] {
            while (state->ticket.status() == TicketStatus::pending)
                P::yield();
            state->check_answer(state->ticket.status());
            state->release();
        });
        x.finally([=] { state->check_end(1); });
    };
}

// A task suspends while the ticket ends: it is told, or it goes on by itself, never both.
template <class P>
auto await_against_completion(int enders) {
    return [=](auto& x) {
        auto state = std::make_shared<State<P>>(static_cast<std::uint32_t>(enders) + 1);
        x.thread("worker", [=] {
            state->answer_with(42);
            state->release();
        });
        if (enders == 2)
            x.thread("canceller", [=] {
                state->end_as(TicketStatus::cancelled);
                state->release();
            });
        x.thread("task", [=] {
            state->told_whom.set(7);
            if (state->ticket.await()) {
                while (state->told.load(std::memory_order_acquire) == 0)
                    P::yield();
                P::check(state->told.load(std::memory_order_relaxed) == 1, "it was told twice");
            }
            state->check_answer(state->ticket.status());
            P::check(state->told.load(std::memory_order_relaxed) <= 1, "it was told twice");
            state->release();
        });
        x.finally([=] { state->check_end(1); });
    };
}

// A task that waits is destroyed, and another one waits in its place.
template <class P>
auto forget_against_completion() {
    return [=](auto& x) {
        auto state = std::make_shared<State<P>>(2);
        x.thread("worker", [=] {
            state->answer_with(42);
            state->release();
        });
        x.thread("tasks", [=] {
            state->told_whom.set(7);
            if (state->ticket.await())
                state->ticket.forget();
            // Where it has ended nobody writes who is to be told: that may be being read.
            if (state->ticket.status() == TicketStatus::pending) {
                state->told_whom.set(7);
                if (state->ticket.await())
                    while (state->told.load(std::memory_order_acquire) == 0)
                        P::yield();
            }
            state->check_answer(state->ticket.status());
            state->release();
        });
        x.finally([=] { state->check_end(1); });
    };
}

// A task that waits is destroyed, and a function comes in its place: who was to be told may still be
// read then, and it is called once all the same.
template <class P>
auto call_after_forget_against_completion() {
    return [=](auto& x) {
        auto state = std::make_shared<State<P>>(2);
        x.thread("worker", [=] {
            state->answer_with(42);
            state->release();
        });
        x.thread("asker", [=] {
            int calls = 0;
            bool is_kept = false;
            state->told_whom.set(7);
            if (state->ticket.await())
                state->ticket.forget();
            if (state->ticket.status() == TicketStatus::pending) {
                state->told_whom.set(7);
                is_kept = state->ticket.await();
            }
            if (is_kept)
                while (state->told.load(std::memory_order_acquire) == 0)
                    P::yield();
            else
                ++calls; // by a commit of its own, which holds it; nothing of the ticket is written
            while (state->ticket.status() == TicketStatus::pending)
                P::yield();
            if (state->told.load(std::memory_order_acquire) != 0)
                calls += std::exchange(is_kept, false); // else of the wait that was given up
            P::check(calls == 1, "it was called twice, or not at all");
            state->check_answer(state->ticket.status());
            state->release();
        });
        x.finally([=] { state->check_end(1); });
    };
}

} // namespace ticket
