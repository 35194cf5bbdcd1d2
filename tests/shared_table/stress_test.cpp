// SPDX-License-Identifier: MIT
// The races of race_scenarios.hpp on real threads; random histories that must be linearizable;
// clones under write against a sequential model.
#include "shared_table/linearizable.hpp"
#include "shared_table/race_scenarios.hpp"

#include "protocol/threads.hpp"

#include "takt/shared_table.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>

namespace {

using namespace shared_table;
using takt::SharedTable;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr unsigned kScale = 1;
#else
constexpr unsigned kScale = 5;
#endif

// --- the scenarios -------------------------------------------------------------------------------

template <bool SleeperPays, unsigned DigitBits>
struct Real : protocol::ThreadsWith<SleeperPays> {
    using Cell = takt::table::WideCell;
    static constexpr unsigned kDigitBits = DigitBits;
    static void hold_table(std::uint64_t) noexcept {}
    static void drop_table(std::uint64_t) noexcept {}
};

template <class P>
class TrieRaces : public ::testing::Test {
  protected:
    template <class Scenario>
    void stress(const Scenario& scenario) {
        protocol::stress(scenario, 100 * static_cast<int>(kScale));
    }
};
using Policies = ::testing::Types<Real<true, 1>, Real<true, 4>, Real<false, 1>>;
TYPED_TEST_SUITE(TrieRaces, Policies);

TYPED_TEST(TrieRaces, changes_against_changes) {
    this->stress(set_against_set<TypeParam>(true));
    this->stress(insert_against_insert<TypeParam>());
    this->stress(update_against_increment<TypeParam>());
    this->stress(update_against_erase<TypeParam>(true));
    this->stress(take_against_increment<TypeParam>());
    this->stress(write_and_look<TypeParam>(true));
}

TYPED_TEST(TrieRaces, changes_against_clones) {
    this->stress(set_against_clone<TypeParam>(false, 2));
    this->stress(set_against_clone<TypeParam>(true, 2));
    this->stress(increment_against_clone<TypeParam>(2, true));
    this->stress(clear_against_insert<TypeParam>(true));
    this->stress(count_against_count<TypeParam>());
}

TYPED_TEST(TrieRaces, looks_against_reclamation) {
    this->stress(read_against_reclaim<TypeParam>(false, true));
    this->stress(read_against_reclaim<TypeParam>(true, false));
    this->stress(leave_against_reclaim<TypeParam>());
}

// --- linearizability -----------------------------------------------------------------------------

constexpr std::uint32_t kKeys = 3;
using Content = std::map<std::uint32_t, std::int64_t>;

enum class What { get, set, erase, increment, update, clear, clone };
constexpr int kWhats = 7;

struct Call {
    What what = What::get;
    std::uint32_t key = 0;
    std::int64_t value = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    Content result; // of one element, or of a clone
};

/// What a table without threads answers.
struct Sequential {
    Content content;

    Content answer(const Call& call) {
        const auto found = content.find(call.key);
        Content old;
        if (found != content.end())
            old.insert(*found);
        switch (call.what) {
        case What::get:
            return old;
        case What::set:
            content[call.key] = call.value;
            return {};
        case What::erase:
            content.erase(call.key);
            return old.empty() ? Content{}
                               : Content{{call.key, 0}}; // it answers that there was one
        case What::increment:
            if (!old.empty())
                found->second += call.value;
            return old;
        case What::update: // the odd go, all others double, and 1 comes where nothing is
            if (old.empty())
                content[call.key] = 1;
            else if (found->second % 2 != 0)
                content.erase(found);
            else
                found->second *= 2;
            return old;
        case What::clear:
            content.clear();
            return {};
        case What::clone:
            return content;
        }
        return {};
    }
    auto operator<=>(const Sequential&) const = default;
};

Content content_of(const SharedTable& table) {
    Content content;
    table.for_each([&](const KeyView& key, const takt::Value& value) {
        content[key.index()] = std::holds_alternative<std::int64_t>(value)
                                   ? std::get<std::int64_t>(value)
                                   : std::stoll(std::get<std::string>(value));
    });
    return content;
}

// A number, or the text of one: the table changes the types of its elements all the time.
std::optional<std::int64_t> number_in(const std::optional<takt::Value>& value) {
    if (!value)
        return std::nullopt;
    if (const auto* text = std::get_if<std::string>(&*value))
        return std::stoll(*text);
    return std::get<std::int64_t>(*value);
}

Content update(SharedTable& table, const Call& call, bool as_text) {
    std::optional<std::int64_t> old;
    table.update(call.key,
                 [&](const std::optional<takt::Value>& now) -> std::optional<takt::Value> {
                     old = number_in(now);
                     if (old && *old % 2 != 0)
                         return std::nullopt;
                     const std::int64_t next = old ? 2 * *old : 1;
                     return as_text ? takt::Value(std::to_string(next)) : takt::Value(next);
                 });
    return old ? Content{{call.key, *old}} : Content{};
}

Content increment(SharedTable& table, const Call& call) {
    std::optional<std::int64_t> old;
    table.update(call.key,
                 [&](const std::optional<takt::Value>& now) -> std::optional<takt::Value> {
                     old = number_in(now);
                     return old ? std::optional<takt::Value>(*old + call.value) : std::nullopt;
                 });
    return old ? Content{{call.key, *old}} : Content{};
}

Content run(SharedTable& table, const Call& call) {
    switch (call.what) {
    case What::get: {
        const auto value = number_in(table.get(call.key));
        return value ? Content{{call.key, *value}} : Content{};
    }
    case What::set:
        table.set(call.key, call.value);
        return {};
    case What::erase:
        return table.erase(call.key) ? Content{{call.key, 0}} : Content{};
    case What::increment:
        try { // in place where it is a number, which the other way is not
            return {{call.key, table.increment(call.key, call.value)}};
        } catch (const takt::Error&) {
            return increment(table, call);
        }
    case What::update:
        return update(table, call, call.value % 2 == 0);
    case What::clear:
        table.clear();
        return {};
    case What::clone:
        return content_of(call.value % 2 == 0 ? table.clone() : table.clone_and_freeze());
    }
    return {};
}

std::vector<Call> random_calls(std::mt19937_64& random, int calls) {
    std::vector<Call> made(static_cast<std::size_t>(calls));
    for (Call& call : made) {
        call.what = static_cast<What>(random() % kWhats);
        if (call.what == What::clear && random() % 3 != 0)
            call.what = What::clone; // clears leave little to look at
        call.key = static_cast<std::uint32_t>(random() % kKeys);
        call.value = static_cast<std::int64_t>(random() % 8);
    }
    return made;
}

// Threads that begin together; each call between two ticks of one clock.
std::vector<Call> history(SharedTable& table, std::vector<std::vector<Call>> plans) {
    std::atomic<std::size_t> ready{0};
    std::atomic<std::uint64_t> clock{0};
    std::vector<std::thread> threads;
    for (std::vector<Call>& plan : plans)
        threads.emplace_back([&] {
            ready.fetch_add(1);
            while (ready.load() < plans.size())
                std::this_thread::yield();
            for (Call& call : plan) {
                call.begin = clock.fetch_add(1);
                call.result = run(table, call);
                call.end = clock.fetch_add(1);
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    std::vector<Call> calls;
    for (const std::vector<Call>& plan : plans)
        calls.insert(calls.end(), plan.begin(), plan.end());
    return calls;
}

TEST(SharedTable, random_histories_are_linearizable) {
    std::mt19937_64 random(4711);
    for (unsigned round = 0; round < 600 * kScale; ++round) {
        const std::size_t threads = 3 + static_cast<std::size_t>(round % 2);
        std::vector<std::vector<Call>> plans;
        for (std::size_t thread = 0; thread < threads; ++thread)
            plans.push_back(random_calls(random, threads == 3 ? 12 : 8));
        SharedTable table{{0, 2}, {1, 4}};
        std::vector<Call> calls = history(table, plans);
        Call last{What::clone, 0, 0, UINT64_MAX - 1, UINT64_MAX, content_of(table)};
        calls.push_back(last);
        ASSERT_TRUE(
            (LinearizableHistory<Sequential, Call>({{{0, 2}, {1, 4}}}, calls).is_linearizable()))
            << "round " << round;
        ASSERT_EQ(table.size(), content_of(table).size());
    }
}

// The checker notices what is wrong.
TEST(LinearizableHistory, tells_right_from_wrong) {
    const auto ok = [](std::vector<Call> calls) {
        return LinearizableHistory<Sequential, Call>({}, std::move(calls)).is_linearizable();
    };
    const Call set{What::set, 0, 5, 0, 3, {}};
    EXPECT_TRUE(ok({set, {What::get, 0, 0, 1, 2, {}}})) << "at the same time: not yet";
    EXPECT_TRUE(ok({set, {What::get, 0, 0, 1, 2, {{0, 5}}}})) << "at the same time: already";
    EXPECT_FALSE(ok({set, {What::get, 0, 0, 4, 5, {}}})) << "later, and not there";
    EXPECT_FALSE(ok({set, {What::get, 0, 0, 1, 2, {{0, 5}}}, {What::clone, 0, 0, 4, 5, {}}}));
    EXPECT_FALSE(
        ok({set, {What::increment, 0, 1, 4, 6, {{0, 5}}}, {What::increment, 0, 1, 5, 7, {{0, 5}}}}))
        << "two increments of one number";
}

// --- clones under write --------------------------------------------------------------------------

// Each writer counts through his keys in turn, so that a snapshot of one moment has a step in it at
// most: keys before it one ahead of those behind.
TEST(SharedTable, a_clone_under_write_is_a_moment_of_each_writer) {
    constexpr std::uint32_t kEach = 40;
    constexpr std::uint32_t kWriters = 2;
    SharedTable table;
    for (std::uint32_t key = 0; key < kWriters * kEach; ++key)
        table.set(key, 0);
    std::atomic<bool> stop{false};
    std::vector<std::thread> writers;
    for (std::uint32_t writer = 0; writer < kWriters; ++writer)
        writers.emplace_back([&, writer] {
            for (std::int64_t round = 1; !stop.load(); ++round)
                for (std::uint32_t key = 0; key < kEach; ++key) {
                    const std::uint32_t mine = writer * kEach + key;
                    if (round % 3 == 0)
                        table.set(mine, round);
                    else if (round % 3 == 1)
                        EXPECT_EQ(table.increment(mine, 1), round - 1);
                    else
                        table.update(mine, [&](const auto&) { return round; });
                }
        });
    Content before;
    for (unsigned clone = 0; clone < 300 * kScale; ++clone) {
        const SharedTable copy = clone % 2 == 0 ? table.clone() : table.clone_and_freeze();
        const Content content = content_of(copy);
        ASSERT_EQ(content.size(), kWriters * kEach);
        for (std::uint32_t writer = 0; writer < kWriters; ++writer)
            for (std::uint32_t key = writer * kEach; key < (writer + 1) * kEach - 1; ++key) {
                ASSERT_GE(content.at(key), content.at(key + 1))
                    << "a later write without an earlier";
                ASSERT_LE(content.at(key), content.at(writer * kEach + kEach - 1) + 1);
            }
        for (const auto& [key, value] : before)
            ASSERT_GE(content.at(key), value) << "a clone is older than the one before it";
        ASSERT_EQ(content_of(copy), content) << "a clone changed";
        before = content;
    }
    stop.store(true);
    for (std::thread& writer : writers)
        writer.join();
}

void expect_whole(const takt::Value& value) {
    const auto* const inner = std::get_if<SharedTable>(&value);
    EXPECT_TRUE(inner == nullptr || inner->size() == 2u);
    const auto* const text = std::get_if<std::string>(&value);
    EXPECT_TRUE(text == nullptr || text->find_first_not_of('x') == std::string::npos);
}

// Threads that come and go, tables in tables, strings and clones: for the sanitizers.
void storm(SharedTable& table, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    SharedTable held = table.clone();
    for (int step = 0; step < 1'000; ++step) {
        const auto key = static_cast<std::uint32_t>(random() % 64);
        const auto what = random() % 8;
        if (what == 0)
            held = table.clone();
        else if (what == 1)
            table.erase(key);
        else if (what == 2)
            table.set(key, std::string(random() % 40, 'x'));
        else if (what == 3)
            table.set(key, SharedTable{{"inner", 1}, {"deep", {{2, 2}}}}.clone(true));
        else if (what == 4)
            held.set(key, static_cast<int>(table.size()));
        else if (what == 5)
            table.set(key, step);
        else if (const auto found = table.get(key))
            expect_whole(*found);
    }
}

TEST(SharedTable, survives_a_storm) {
    SharedTable table;
    for (unsigned generation = 0; generation < 4 * kScale; ++generation) {
        std::vector<std::thread> threads;
        for (unsigned thread = 0; thread < 4; ++thread)
            threads.emplace_back([&, thread] { storm(table, generation * 4 + thread); });
        for (std::thread& thread : threads)
            thread.join();
        table.clear();
    }
    takt::reclaim_shared_tables();
    takt::reclaim_shared_tables();
    EXPECT_EQ(takt::shared_table_garbage_bytes(), 0u);
}

} // namespace
