// SPDX-License-Identifier: MIT
#pragma once
// The load counters as small scenarios, written once: model_test.cpp runs them under the explorer,
// stress_test.cpp on real threads. P is protocol::Model or protocol::Threads.

#include "takt/actor.hpp"

#include <memory>
#include <optional>
#include <string>

namespace actor {

using takt::Target;

template <class P>
using Board = takt::LoadBoard<P>;
template <class P>
using Busy = takt::BasicBusy<P>;

// One dispatcher selects and adds, one worker removes what it was given (J2): tasks go through an
// atomic, like mail does.
template <class P, class Make>
auto select_against_completion(Make make_selector, int tasks) {
    return [=](auto& x) {
        using Selector = decltype(make_selector());
        struct State {
            Board<P> board{2};
            typename P::template Atomic<std::uint64_t> mail{0}; // 1 + the target, 0: none
            Selector selector;
        };
        auto state = std::make_shared<State>();
        state->selector = make_selector();
        P::name(state->board[0], "load", 0);
        P::name(state->board[1], "load", 1);
        takt::fit_selector(state->selector, 2);
        x.thread("dispatcher", [=] {
            for (int task = 0; task < tasks; ++task) {
                const takt::Selection target = state->selector.select(state->board);
                P::check(target && *target < 2, "a selected target is not in the set");
                state->board[*target].add();
                state->mail.store(1 + *target, std::memory_order_release);
                while (state->mail.load(std::memory_order_acquire) != 0)
                    P::yield();
            }
        });
        x.thread("worker", [=] {
            for (int task = 0; task < tasks; ++task) {
                std::uint64_t mail = 0;
                while ((mail = state->mail.load(std::memory_order_acquire)) == 0)
                    P::yield();
                state->mail.store(0, std::memory_order_release);
                P::check(state->board[Target(mail - 1)].try_remove(),
                         "what was added is not there");
            }
        });
        x.thread("another dispatcher", [=] {
            Selector own = make_selector();
            takt::fit_selector(own, 2);
            const takt::Selection target = own.select(state->board);
            P::check(target && *target < 2, "a selected target is not in the set");
            const Busy<P> busy(state->board[*target]);
            P::check(state->board[*target].value() >= 1, "the own weight is not counted");
        });
        x.finally([=] {
            P::check(state->board.total() == 0, "all is done and a load is left");
            P::check(state->board.underflows() == 0, "an underflow is made up");
        });
    };
}

// Who reads 0 sees what was done under every weight that is gone (J3).
template <class P>
auto idle_means_done(int workers) {
    return [=](auto& x) {
        struct State {
            takt::Load<P> load;
            typename P::template Plain<int> done[3];
        };
        auto state = std::make_shared<State>();
        P::name(state->load, "load");
        state->load.add(static_cast<std::uint32_t>(workers)); // at dispatch, before they start
        for (int worker = 0; worker < workers; ++worker)
            x.thread("worker " + std::to_string(worker), [=] {
                state->done[worker].set(1);
                state->load.add(); // carries the chain on
                state->load.remove(2);
            });
        x.thread("observer", [=] {
            while (state->load.value() != 0)
                P::yield();
            for (int worker = 0; worker < workers; ++worker)
                P::check(state->done[worker].get() == 1, "idle, and the work is not visible");
        });
    };
}

// A surplus removal meets additions and removals in order: it may make others come out short, but
// nobody reads less than 0 and no debt is left (J1, J2).
template <class P>
auto underflow_against_use(int users) {
    return [=](auto& x) {
        auto load = std::make_shared<takt::Load<P>>();
        P::name(*load, "load");
        for (int user = 0; user < users; ++user)
            x.thread("user " + std::to_string(user), [=] {
                load->add(2);
                P::check(load->value() >= 1, "the surplus took more than itself");
                (void)load->try_remove(2);
            });
        x.thread("surplus", [=] { (void)load->try_remove(1); });
        x.thread("observer", [=] {
            P::check(load->value() <= 2 * static_cast<std::uint64_t>(users) &&
                         load->peek() <= 2 * static_cast<std::uint64_t>(users),
                     "a load is read as less than 0");
        });
        x.finally([=] {
            P::check(load->value() == 0, "a load is left");
            P::check(load->underflows() >= 1, "the surplus removal is not counted");
            P::check(load->underflows() <= static_cast<std::uint64_t>(users) + 1,
                     "more underflows than removals");
            load->add(3);
            P::check(load->value() == 3, "the underflow left a debt");
        });
    };
}

// A weight that begins on one thread and ends on another counts in between, and once.
template <class P>
auto busy_moves_across_threads() {
    return [=](auto& x) {
        struct State {
            takt::Load<P> load;
            std::optional<Busy<P>> parcel;
            typename P::template Atomic<std::uint64_t> sent{0};
        };
        auto state = std::make_shared<State>();
        P::name(state->load, "load");
        x.thread("giver", [=] {
            Busy<P> busy(state->load, 3);
            state->parcel.emplace(std::move(busy));
            state->sent.store(1, std::memory_order_release);
        });
        x.thread("taker", [=] {
            while (state->sent.load(std::memory_order_acquire) == 0)
                P::yield();
            Busy<P> busy = std::move(*state->parcel);
            P::check(busy.weight() == 3, "the weight was lost on the way");
            const std::uint64_t load = state->load.value();
            P::check(load == 3 || load == 4, "the weight does not count, or twice");
        });
        x.thread("another", [=] { const Busy<P> busy(state->load); });
        x.finally([=] {
            state->parcel.reset();
            P::check(state->load.value() == 0, "a weight is left");
            P::check(state->load.underflows() == 0, "a weight was removed twice");
        });
    };
}

// Two workers and a thread outside come for the last place; `with_reader`: it is taken, and becomes free
// meanwhile. One of them has it at a time, and whoever was refused leaves no trace (J5).
template <class P>
auto the_last_place(bool with_reader) {
    return [=](auto& x) {
        struct State {
            takt::detail::MailRoom<P> room{2};
            typename P::template Atomic<int> inside{0};
        };
        auto state = std::make_shared<State>();
        state->room.set({.max = 1});
        const auto count_in = [state] {
            P::check(state->inside.fetch_add(1, std::memory_order_relaxed) == 0,
                     "two are in the last place");
        };
        if (with_reader) {
            P::check(state->room.enter(0), "an empty room refuses");
            count_in();
            x.thread("reader", [=] {
                state->inside.fetch_sub(1, std::memory_order_relaxed);
                state->room.end();
            });
        }
        for (int worker = with_reader ? 1 : 0; worker < 2; ++worker)
            x.thread("worker " + std::to_string(worker), [=] {
                if (state->room.enter(worker))
                    count_in();
            });
        x.thread("outside", [=] {
            if (state->room.enter_from_outside())
                count_in();
        });
        x.finally([=] {
            const bool is_taken = state->inside.load(std::memory_order_relaxed) != 0;
            P::check(state->room.has_room() != is_taken, "a refusal takes the place");
        });
    };
}

} // namespace actor
