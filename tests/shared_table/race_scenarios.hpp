// SPDX-License-Identifier: MIT
#pragma once
// Races on one trie, each with what must hold. model_test.cpp runs them under the explorer,
// stress_test.cpp on real threads. P is a Model or Threads.

#include "shared_table/scenarios.hpp"

#include <array>

namespace shared_table {

/// What the threads of a scenario share.
template <class P>
struct Race : Table<P> {
    explicit Race(std::size_t threads) : Table<P>(threads) { P::name(this->trie, "trie"); }
    User<P> user(std::size_t thread) { return {*this, thread}; }

    std::array<std::uint64_t, 4> results{}; // one a thread, for finally
};

// Everything that is in `keys` from the beginning is 1.
template <class P>
std::shared_ptr<Race<P>> race(std::size_t threads, std::initializer_list<std::uint32_t> keys) {
    auto race = std::make_shared<Race<P>>(threads + 1);
    for (const std::uint32_t key : keys)
        race->user(threads).set(key, 1);
    return race;
}

// The one who is later wins, and reads himself.
template <class P>
auto set_against_set(bool there_already) {
    return [=](auto& x) {
        auto state = there_already ? race<P>(2, {0}) : race<P>(2, {});
        for (std::size_t thread = 0; thread < 2; ++thread)
            x.thread("setter " + std::to_string(thread), [=] {
                auto user = state->user(thread);
                user.set(0, 10 + thread);
                const auto seen = user.get(0);
                P::check(seen == 10u || seen == 11u, "what was set is not there");
            });
        x.finally([=] {
            const auto last = state->user(2).get(0);
            P::check(last == 10u || last == 11u, "neither value is there");
            P::check(state->user(2).size() == 1, "one element");
        });
    };
}

// Keys 0 and 2 agree in the first digit: both threads make the node in between.
template <class P>
auto insert_against_insert() {
    return [=](auto& x) {
        auto state = race<P>(2, {4});
        for (std::size_t thread = 0; thread < 2; ++thread)
            x.thread("inserter " + std::to_string(thread), [=] {
                auto user = state->user(thread);
                const auto key = static_cast<std::uint32_t>(2 * thread);
                user.set(key, 10 + thread);
                P::check(user.get(key) == 10 + thread, "what was inserted is not there");
            });
        x.finally([=] {
            auto user = state->user(2);
            P::check(user.get(0) == 10u && user.get(2) == 11u && user.get(4) == 1u,
                     "an insert is lost");
            P::check(user.size() == 3, "three elements");
        });
    };
}

// The writer changes one element after the other. No snapshot has the later change without the
// earlier one, and none changes.
template <class P>
auto set_against_clone(bool retype, int cloners) {
    return [=](auto& x) {
        auto state = race<P>(3, {0, 1});
        x.thread("writer", [=] {
            auto user = state->user(0);
            const Item two = retype ? Item{Type::number, 2, {}} : number(2);
            user.put(0, two);
            user.put(1, two);
            P::check(user.get(0) == 2u && user.get(1) == 2u, "a write is lost");
        });
        for (int cloner = 0; cloner < cloners; ++cloner)
            x.thread("cloner " + std::to_string(cloner), [=] {
                auto user = state->user(static_cast<std::size_t>(1 + cloner));
                const auto snapshot = user.snapshot();
                const auto first = values_of(snapshot, 2);
                P::check(first[1] == 1 || first[0] == 2, "a snapshot has the later change only");
                P::check(user.get(0) >= first[0], "the table is older than its snapshot");
                P::check(values_of(snapshot, 2) == first, "a snapshot changed");
            });
        x.finally([=] {
            P::check(values_of(state->user(3).snapshot(), 2) == std::vector<std::uint64_t>{2, 2},
                     "a write is lost in the end");
        });
    };
}

// Nothing is lost, nothing counted twice, and the snapshot stands still. `through_clone`: the
// cloner makes a table of it and increments there too.
template <class P>
auto increment_against_clone(int incrementers, bool through_clone) {
    return [=](auto& x) {
        auto state = race<P>(3, {0, 1});
        for (int thread = 0; thread < incrementers; ++thread)
            x.thread("incrementer " + std::to_string(thread), [=] {
                auto user = state->user(static_cast<std::size_t>(thread));
                const auto first = user.increment(0);
                const auto second = user.increment(0);
                P::check(first && second && *first < *second, "increments go backwards");
                state->results[static_cast<std::size_t>(thread)] = *first;
            });
        x.thread("cloner", [=] {
            auto user = state->user(2);
            const auto before = user.get(0);
            takt::table::Trie<P> clone(user.snapshot(), !through_clone);
            User<P> other(clone, *state->readers[2]);
            const auto cloned = other.get(0);
            P::check(cloned >= before, "the clone is older than what was read before it");
            if (through_clone)
                P::check(other.increment(0) == cloned, "somebody else writes to the clone");
            P::check(other.get(0) == *cloned + (through_clone ? 1 : 0), "the clone changed");
            P::check(user.get(0) >= cloned, "the table is older than its clone");
            P::check(other.size() == 2, "the clone has two elements");
        });
        x.finally([=] {
            P::check(state->user(3).get(0) == 1 + 2 * static_cast<std::uint64_t>(incrementers),
                     "an increment is lost");
            P::check(incrementers < 2 || state->results[0] != state->results[1],
                     "two increments began with the same");
        });
    };
}

// An update that replaces the leaf, and one that changes it in place: both count.
template <class P>
auto update_against_increment() {
    return [=](auto& x) {
        auto state = race<P>(2, {0});
        x.thread("updater",
                 [=] { P::check(state->user(0).increment_and_retype(0).has_value(), "gone"); });
        x.thread("incrementer", [=] {
            // A number of either type is incremented as it is.
            auto& me = *state->readers[1];
            state->trie.change(me, 0, [](const Item* now) {
                return Decision::put({now->type, now->word + 1, {}});
            });
        });
        x.finally([=] { P::check(state->user(2).get(0) == 3u, "an update is lost"); });
    };
}

// Whoever is first: the element is gone in the end, and what an update saw was there.
template <class P>
auto update_against_erase(bool retype) {
    return [=](auto& x) {
        auto state = race<P>(2, {0, 2});
        x.thread("updater", [=] {
            auto user = state->user(0);
            const auto old = retype ? user.increment_and_retype(0) : user.increment(0);
            P::check(!old || *old == 1, "an update of what was never there");
        });
        x.thread("eraser", [=] {
            auto user = state->user(1);
            P::check(user.erase(0), "the element was there");
            P::check(!user.get(0), "it is erased");
        });
        x.finally([=] {
            auto user = state->user(2);
            P::check(!user.get(0) && user.get(2) == 1u, "the wrong one is gone");
            P::check(user.size() == 1, "one element is left");
        });
    };
}

// Of two who take an element out, one has it: its value is nobody else's.
template <class P>
auto take_against_increment() {
    return [=](auto& x) {
        auto state = race<P>(2, {0});
        x.thread("taker", [=] {
            std::uint64_t taken = 0;
            state->trie.change(*state->readers[0], 0, [&](const Item* now) {
                taken = now->word;
                return Decision::erase();
            });
            state->results[0] = taken;
        });
        x.thread("incrementer",
                 [=] { state->results[1] = state->user(1).increment(0).has_value() ? 1 : 0; });
        x.finally([=] {
            P::check(state->results[0] == 1 + state->results[1],
                     "an increment landed on what was taken before");
        });
    };
}

// clear() against inserts: the size is what is there.
template <class P>
auto clear_against_insert(bool cloned) {
    return [=](auto& x) {
        auto state = race<P>(2, {0, 2});
        const auto before =
            cloned ? std::make_shared<takt::table::Snapshot<P>>(state->user(2).snapshot())
                   : nullptr;
        x.thread("inserter", [=] {
            auto user = state->user(0);
            user.set(4, 1);
            user.erase(2);
        });
        x.thread("clearer", [=] {
            auto user = state->user(1);
            user.clear();
            P::check(!user.get(0), "the table was cleared");
        });
        x.finally([=] {
            auto user = state->user(2);
            P::check(user.size() == static_cast<std::size_t>(user.snapshot().size()),
                     "the size is not the number of elements");
            P::check(before == nullptr || before->size() == 2, "a clear reached a snapshot");
        });
    };
}

// Two keys: what one wrote before he looked, the other finds, or he is found (cross table).
template <class P>
auto write_and_look(bool insert) {
    return [=](auto& x) {
        auto state = insert ? race<P>(2, {4, 5}) : race<P>(2, {0, 1});
        for (std::size_t thread = 0; thread < 2; ++thread)
            x.thread("thread " + std::to_string(thread), [=] {
                auto user = state->user(thread);
                user.set(static_cast<std::uint32_t>(thread), 2);
                state->results[thread] = user.get(static_cast<std::uint32_t>(1 - thread)) == 2u;
            });
        x.finally([=] {
            P::check(state->results[0] + state->results[1] >= 1, "neither saw the other's write");
        });
    };
}

// One replaces and reclaims, the other reads, and ends: nobody reads what is gone.
template <class P>
auto read_against_reclaim(bool joins, bool cloned) {
    return [=](auto& x) {
        auto state = race<P>(2, {});
        state->user(2).put(0, text("old"));
        state->user(2).put(2, text("other"));
        x.thread("replacer", [=] {
            auto user = state->user(0);
            if (cloned) {
                const auto snapshot = user.snapshot();
                user.put(0, text("new"));
            } else {
                user.put(0, text("new"));
            }
            user.reclaim();
            user.put(0, text("newer"));
            user.reclaim();
        });
        x.thread("reader", [=] {
            auto& me = joins ? state->reclaimer.join() : *state->readers[1];
            User<P> user(state->trie, me);
            const auto first = user.get_text(0), second = user.get_text(0);
            P::check(first == "old" || first == "new" || first == "newer", "read what is gone");
            P::check(second == first || second == "newer" || first == "old", "time goes back");
            if (joins)
                state->reclaimer.leave(me);
        });
        x.finally([=] {
            state->user(0).reclaim();
            state->user(0).reclaim();
            P::check(state->reclaimer.limbo_bytes() == 0, "garbage is kept");
        });
    };
}

// A thread ends with garbage that a reader may still look at; another thread takes it over.
template <class P>
auto leave_against_reclaim() {
    return [=](auto& x) {
        auto state = race<P>(3, {});
        state->user(3).put(0, text("old"));
        x.thread("leaver", [=] {
            state->user(0).put(0, text("new"));
            state->reclaimer.leave(*state->readers[0]);
        });
        x.thread("reclaimer", [=] {
            state->user(1).reclaim();
            state->user(1).put(0, text("newer"));
            state->user(1).reclaim();
        });
        x.thread("reader", [=] {
            const auto seen = state->user(2).get_text(0);
            P::check(seen == "old" || seen == "new" || seen == "newer", "read what is gone");
        });
    };
}

// Two who look at one snapshot, without pins: the last one takes it along.
template <class P>
auto drop_against_drop() {
    return [=](auto& x) {
        auto state = race<P>(2, {0, 2});
        auto snapshots = std::make_shared<std::vector<takt::table::Snapshot<P>>>();
        snapshots->push_back(state->user(2).snapshot());
        snapshots->push_back(snapshots->front().copy());
        state->user(2).clear();
        state->user(2).reclaim();
        for (std::size_t thread = 0; thread < 2; ++thread)
            x.thread("looker " + std::to_string(thread), [=] {
                const auto mine = std::move((*snapshots)[thread]);
                P::check(values_of(mine, 3) == std::vector<std::uint64_t>{1, 0, 1}, "it changed");
            });
    };
}

// Two count a clone that a third table shares; one number comes out.
template <class P>
auto count_against_count() {
    return [=](auto& x) {
        auto state = race<P>(2, {0, 2});
        auto clone = std::make_shared<takt::table::Trie<P>>(state->user(2).snapshot(), false);
        for (std::size_t thread = 0; thread < 2; ++thread)
            x.thread("counter " + std::to_string(thread), [=] {
                User<P> user(*clone, *state->readers[thread]);
                if (thread == 0)
                    user.set(1, 1);
                const std::size_t size = user.size();
                P::check(size == 3 || (thread == 1 && size == 2), "a size of no moment");
                user.reclaim();
            });
        x.finally([=] { P::check(User<P>(*clone, *state->readers[2]).size() == 3, "three"); });
    };
}

} // namespace shared_table
