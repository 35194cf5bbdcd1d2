// SPDX-License-Identifier: MIT
// Shared tables and memory: what is left when an allocation fails, what is given back, and when.
#include "takt/shared_table.hpp"

#include "support/allocations.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {

using takt::KeyView;
using takt::SharedTable;
using takt::Value;

using Content = std::map<std::string, std::string>;

Content content_of(const SharedTable& table) {
    Content content;
    table.for_each([&](const KeyView& key, const Value& value) {
        const auto* const number = std::get_if<std::int64_t>(&value);
        const auto* const text = std::get_if<std::string>(&value);
        content[key.shown()] = number != nullptr ? std::to_string(*number)
                               : text != nullptr ? *text
                                                 : "a table";
    });
    return content;
}

/// Garbage that waits for nobody is given back.
void settle() {
    for (int times = 0; times < 3; ++times)
        takt::reclaim_shared_tables();
}

SharedTable filled(int elements) {
    SharedTable table;
    for (int at = 0; at < elements; ++at) {
        table.set(at, at);
        table.set("key " + std::to_string(at), "text " + std::to_string(at));
    }
    return table;
}

// --- without memory ------------------------------------------------------------------------------

using Operation = std::function<void(SharedTable&)>;

/// Of one run on a table, the allocation after `allowed` ones failing: whether one was refused.
bool run_short_of_memory(const Operation& operation, bool cloned, std::uint64_t allowed) {
    SharedTable table = filled(20);
    const SharedTable held = cloned ? table.clone() : SharedTable();
    const Content before = content_of(table);
    const Content before_held = content_of(held);
    const std::uint64_t made = allocations::count();
    bool failed = false;
    allocations::fail_after(allowed);
    try {
        operation(table);
    } catch (const std::bad_alloc&) {
        failed = true;
    }
    allocations::fail_no_more();
    const bool refused = allocations::count() - made > allowed;
    if (failed) {
        EXPECT_EQ(content_of(table), before) << "half done, with " << allowed << " allocations";
    }
    EXPECT_EQ(content_of(held), before_held) << "a clone changed";
    EXPECT_EQ(table.size(), content_of(table).size());
    return refused;
}

/// All that it does is done, or nothing; and nothing is kept.
void expect_whole_or_nothing(const Operation& operation) {
    for (const bool cloned : {false, true}) {
        bool refused = true;
        for (std::uint64_t allowed = 0; refused; ++allowed) {
            constexpr int kTimes = 10;
            std::int64_t live[kTimes];
            for (std::int64_t& after : live) {
                refused = run_short_of_memory(operation, cloned, allowed);
                settle();
                after = allocations::live();
            }
            // The first times pools and lists grow.
            EXPECT_LT(live[kTimes - 1] - live[2], 4) << "kept, with " << allowed << " allocations";
            ASSERT_LT(allowed, 500u) << "it never gets through";
        }
    }
}

TEST(SharedTableWithoutMemory, an_element_changes_or_it_does_not) {
    expect_whole_or_nothing([](SharedTable& table) { table.set("new", std::string(100, 'x')); });
    expect_whole_or_nothing([](SharedTable& table) { table.set(16 * 16 * 5 + 3, 1); });
    expect_whole_or_nothing([](SharedTable& table) { table.set("key 3", "another"); });
    expect_whole_or_nothing([](SharedTable& table) { table.set(3, "no number any more"); });
    expect_whole_or_nothing([](SharedTable& table) { table.increment(3, 1); });
    expect_whole_or_nothing([](SharedTable& table) { table.erase("key 3"); });
    expect_whole_or_nothing([](SharedTable& table) {
        table.update("key 3", [](const auto& now) { return std::get<std::string>(*now) + "!"; });
    });
    expect_whole_or_nothing([](SharedTable& table) { table.clear(); });
}

TEST(SharedTableWithoutMemory, a_table_is_made_or_it_is_not) {
    expect_whole_or_nothing([](SharedTable& table) { table.clone(); });
    expect_whole_or_nothing([](SharedTable& table) { table.clone_and_freeze(); });
    expect_whole_or_nothing([](SharedTable& table) { EXPECT_EQ(table.clone().size(), 40u); });
    expect_whole_or_nothing([](SharedTable& table) {
        int elements = 0;
        table.for_each([&](const auto&, const auto&) { ++elements; });
        EXPECT_EQ(elements, 40);
    });
    expect_whole_or_nothing([](SharedTable& table) {
        table.set("table", SharedTable{{"a", 1}, {"b", {{"c", "text"}, {3, 4}}}});
    });
}

TEST(SharedTableWithoutMemory, a_deep_clone_of_tables_that_contain_each_other_leaves_nothing) {
    expect_whole_or_nothing([](SharedTable&) {
        struct Ring {
            SharedTable one{{"number", 1}};
            SharedTable other{{"one", one}};
            Ring() { one.set("other", other); }
            ~Ring() { open(one); }
            static void open(SharedTable& table) {
                allocations::fail_no_more(); // whatever becomes of the test
                table.clear();
            }
        } ring;
        SharedTable deep = ring.one.clone(true);
        Ring::open(deep);
    });
}

TEST(SharedTableWithoutMemory, tables_that_could_not_be_made_take_no_place) {
    std::vector<SharedTable> all(64); // the next one wants more places
    for (int times = 0; times < 10'000; ++times) {
        allocations::fail_after(0);
        try {
            const SharedTable refused;
        } catch (const std::bad_alloc&) {
        }
        allocations::fail_no_more();
    }
    const std::uint64_t before = allocations::count();
    const SharedTable one;
    EXPECT_LE(allocations::count() - before, 1u);
}

// --- what is kept --------------------------------------------------------------------------------

TEST(SharedTableMemory, a_deep_clone_lets_go_of_the_tables_that_it_was_made_of) {
    SharedTable deep;
    std::int64_t before = 0;
    {
        SharedTable inner = filled(200);
        SharedTable outer{{"inner", inner}};
        deep = outer.clone(true);
        deep.get<SharedTable>("inner")->set("key 1", "another");
        inner.clear();
        for (int at = 0; at < 200; ++at)
            inner.set(at + 1000, "of the original alone");
        settle();
        before = allocations::live();
    }
    settle();
    EXPECT_LE(allocations::live(), before - 200);
    EXPECT_EQ(deep.get<SharedTable>("inner")->size(), 400u);
}

TEST(SharedTableMemory, a_cleared_clone_lets_go_of_what_it_began_with) {
    SharedTable clone;
    std::int64_t before = 0;
    {
        const SharedTable table = filled(200);
        clone = table.clone();
        before = allocations::live();
    }
    clone.clear();
    settle();
    EXPECT_LE(allocations::live(), before - 400);
    EXPECT_EQ(clone.size(), 0u);
}

TEST(SharedTableMemory, a_ring_that_is_opened_goes) {
    const auto ring = [] {
        SharedTable table = filled(50);
        table.set("self", table);
        SharedTable clone = table.clone();
        table.set("clone", clone);
        clone.clear();
        table.erase("self");
    };
    ring();
    settle();
    const std::int64_t before = allocations::live();
    for (int times = 0; times < 10; ++times)
        ring();
    settle();
    EXPECT_LE(allocations::live(), before + 20);
}

// --- when garbage goes ---------------------------------------------------------------------------

/// A thread that is in the middle of an operation.
class Pinned {
  public:
    Pinned() : thread_([this] { run(); }) {
        while (step_.load() != 1)
            std::this_thread::yield();
    }
    ~Pinned() {
        unpin();
        thread_.join();
    }
    void unpin() { step_.store(2); }

  private:
    void run() {
        SharedTable table{{1, 1}};
        table.update(1, [&](const auto&) {
            step_.store(1);
            while (step_.load() != 2)
                std::this_thread::yield();
            return 2;
        });
    }

    std::atomic<int> step_{0};
    std::thread thread_;
};

TEST(SharedTableGarbage, that_had_to_wait_for_a_reader_goes_soon_after_him) {
    SharedTable table = filled(20'000);
    settle();
    const std::size_t before = takt::shared_table_garbage_bytes();
    {
        Pinned pinned;
        table.clear();
        settle();
        EXPECT_GT(takt::shared_table_garbage_bytes(), before + 20'000 * 64);
    }
    for (int times = 0; times < 600; ++times) // a few reads later
        EXPECT_FALSE(table.contains(times));
    EXPECT_LT(takt::shared_table_garbage_bytes(), before + 1'000);
    // And a batch is what it was before.
    for (int times = 0; times < 50; ++times) {
        table.set("text", std::string(100'000, 'x'));
        EXPECT_LT(takt::shared_table_garbage_bytes(), before + 500'000) << times;
    }
}

TEST(SharedTableGarbage, of_a_thread_that_ended_meanwhile_goes_too) {
    SharedTable clone;
    std::int64_t before = 0;
    {
        SharedTable table = filled(500);
        clone = table.clone();
        table.clear();
        for (int at = 0; at < 500; ++at) {
            clone.erase(at);
            clone.erase("key " + std::to_string(at));
        }
    }
    settle();
    {
        Pinned pinned;
        // It counts the clone, lets go of its first content, and ends.
        std::thread([&] { EXPECT_EQ(clone.size(), 0u); }).join();
        before = allocations::live();
    }
    settle();
    EXPECT_LE(allocations::live(), before - 1'000);
}

/// Uses tables when its thread is about to end.
struct LastWords {
    explicit LastWords(SharedTable& table) : totals(table) {}
    ~LastWords() {
        totals.set("text", std::string(1'000, 'x'));
        totals.set("text", "short");
    }
    SharedTable& totals;
};

TEST(SharedTableGarbage, of_destructors_of_thread_locals_goes_with_their_threads) {
    SharedTable totals;
    const auto threads = [&] {
        for (int thread = 0; thread < 100; ++thread)
            std::thread([&] {
                thread_local const LastWords last_words(totals); // made before the first operation
                totals.update("threads", [](const auto& now) {
                    return now ? std::get<std::int64_t>(*now) + 1 : 1;
                });
            }).join();
        settle();
    };
    threads();
    const std::int64_t before = allocations::live();
    threads();
    EXPECT_LE(allocations::live(), before + 10);
    EXPECT_LT(takt::shared_table_garbage_bytes(), 20'000u);
    EXPECT_EQ(totals.get<std::int64_t>("threads"), 200);
}

} // namespace
