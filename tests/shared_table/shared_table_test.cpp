// SPDX-License-Identifier: MIT
// SharedTable as its users see it, one thread at a time.
#include "takt/shared_table.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <thread>
#include <utility>

namespace {

using takt::ActorRef;
using takt::Error;
using takt::Key;
using takt::KeyView;
using takt::SharedTable;
using takt::Value;
using takt::Vector3;

// Runs f, which must throw an Error; answers what it says.
template <class F>
std::string error_of(F&& f) {
    try {
        f();
    } catch (const Error& error) {
        return error.what();
    }
    ADD_FAILURE() << "no error";
    return {};
}

TEST(SharedTable, keeps_a_value_of_each_type) {
    SharedTable table, inner;
    const ActorRef actor(3, 17, 5);
    table.set("bool", true);
    table.set("double", 0.5);
    table.set("float", 0.25f);
    table.set("int", -7);
    table.set("unsigned", 7u);
    table.set("text", "abc");
    table.set("string", std::string(1000, 'x'));
    table.set("vector", Vector3{1, 2, 3});
    table.set("actor", actor);
    table.set("table", inner);
    EXPECT_EQ(table.get<bool>("bool"), true);
    EXPECT_EQ(table.get<double>("double"), 0.5);
    EXPECT_EQ(table.get<double>("float"), 0.25);
    EXPECT_EQ(table.get<std::int64_t>("int"), -7);
    EXPECT_EQ(table.get<std::int64_t>("unsigned"), 7);
    EXPECT_EQ(table.get<std::string>("text"), "abc");
    EXPECT_EQ(table.get<std::string>("string"), std::string(1000, 'x'));
    EXPECT_EQ(table.get<Vector3>("vector"), (Vector3{1, 2, 3}));
    EXPECT_EQ(table.get<ActorRef>("actor"), actor);
    EXPECT_EQ(table.get<SharedTable>("table"), inner);
    EXPECT_EQ(table.size(), 10u);
    EXPECT_EQ(table.get("bool"), Value(true));
    EXPECT_EQ(table.get("int"), Value(std::int64_t{-7}));
    EXPECT_EQ(table.get("table"), Value(inner));
    EXPECT_EQ(table.get("vector"), Value(Vector3{1, 2, 3}));
    EXPECT_EQ(table.get("actor"), Value(actor));
    EXPECT_EQ(table.get("text"), Value("abc"));
    EXPECT_EQ(table.get("double"), Value(0.5));
    EXPECT_EQ(table.get("nothing"), std::nullopt);
    for (const Value& value : {Value(true), Value(1.5), Value("v"), Value(Vector3{3, 2, 1}),
                               Value(actor), Value(inner), Value(std::int64_t{9})}) {
        table.set("any", value);
        EXPECT_EQ(table.get("any"), value);
    }
}

TEST(SharedTable, keeps_numbers_to_the_bit) {
    SharedTable table;
    for (const std::int64_t value : {std::numeric_limits<std::int64_t>::min(),
                                     std::numeric_limits<std::int64_t>::max(), std::int64_t{-1}}) {
        table.set(1, value);
        EXPECT_EQ(table.get<std::int64_t>(1), value);
    }
    table.set(1, -0.0);
    EXPECT_TRUE(std::signbit(*table.get<double>(1)));
    table.set(1, std::numeric_limits<double>::quiet_NaN());
    EXPECT_TRUE(std::isnan(*table.get<double>(1)));
}

TEST(SharedTable, keys_are_strings_and_indices) {
    SharedTable table;
    table.set(0, "zero");
    table.set(4'294'967'295u, "last");
    table.set("0", "text");
    table.set("", "empty");
    table.set(std::string("k\0x", 3), "with a zero");
    table.set(std::string_view("k"), "k");
    EXPECT_EQ(table.get<std::string>(0), "zero");
    EXPECT_EQ(table.get<std::string>(4'294'967'295u), "last");
    EXPECT_EQ(table.get<std::string>("0"), "text");
    EXPECT_EQ(table.get<std::string>(""), "empty");
    EXPECT_EQ(table.get<std::string>(std::string("k\0x", 3)), "with a zero");
    EXPECT_EQ(table.get<std::string>("k"), "k");
    EXPECT_EQ(table.size(), 6u);
    EXPECT_NE(error_of([&] { table.set(-1, 1); }).find("-1"), std::string::npos);
    EXPECT_NE(error_of([&] { (void)table.get(4'294'967'296); }).find("4294967296"),
              std::string::npos);
    EXPECT_EQ(table.size(), 6u);
}

TEST(SharedTable, a_key_is_resolved_once) {
    SharedTable table;
    Key gold("gold");
    const Key copy = gold;
    gold = Key(std::string("silver of a length that is not short"));
    table.set(copy, 5);
    table.set(gold, 6);
    EXPECT_EQ(table.increment(copy, 1), 5);
    EXPECT_EQ(table.get<std::int64_t>("gold"), 6);
    EXPECT_EQ(table.get<std::int64_t>("silver of a length that is not short"), 6);
    table.set(Key(7), 1);
    EXPECT_TRUE(table.contains(7));
}

TEST(SharedTable, a_key_keeps_its_own_text_wherever_it_is_copied_and_assigned) {
    std::vector<Key> keys;
    for (const char* text : {"gold", "silver of a length that is not short", ""})
        keys.emplace_back(std::string(text)); // they move
    keys[2] = keys[1];
    const Key& same = keys[1];
    keys[1] = same;
    std::swap(keys[0], keys[1]);
    keys.emplace_back(7);
    keys.erase(keys.begin());
    const KeyView& view = keys[0];
    EXPECT_EQ(view, KeyView("gold"));
    EXPECT_EQ(static_cast<const KeyView&>(keys[1]),
              KeyView("silver of a length that is not short"));
    EXPECT_EQ(static_cast<const KeyView&>(keys[2]), KeyView(7));
}

TEST(SharedTable, get_of_another_type_names_key_and_types) {
    SharedTable table{{"gold", 120}, {7, "x"}};
    const std::string text = error_of([&] { (void)table.get<double>("gold"); });
    for (const char* part : {"gold", "120", "std::int64_t", "get<double>"})
        EXPECT_NE(text.find(part), std::string::npos) << text;
    EXPECT_NE(error_of([&] { (void)table.get<bool>(7); }).find("shared_table[7]"),
              std::string::npos);
    EXPECT_EQ(table.get<double>("silver"), std::nullopt);
}

TEST(SharedTable, increment_answers_what_was) {
    SharedTable table{{"i", 5}, {"d", 0.5}};
    EXPECT_EQ(table.increment("i", 3), 5);
    EXPECT_EQ(table.increment("i", -10), 8);
    EXPECT_EQ(table.get<std::int64_t>("i"), -2);
    EXPECT_EQ(table.increment("d", 0.25), 0.5);
    EXPECT_EQ(table.get<double>("d"), 0.75);
    table.set("i", std::numeric_limits<std::int64_t>::max());
    (void)table.increment("i", 1);
    EXPECT_EQ(table.get<std::int64_t>("i"), std::numeric_limits<std::int64_t>::min());
}

TEST(SharedTable, increment_of_what_is_no_such_number_names_key_and_type) {
    SharedTable table{{"s", "five"}, {"i", 5}, {"b", true}};
    EXPECT_NE(error_of([&] { (void)table.increment("none", 1); }).find("\"none\""),
              std::string::npos);
    const std::string text = error_of([&] { (void)table.increment("s", 1); });
    for (const char* part : {"\"s\"", "five", "std::string", "std::int64_t"})
        EXPECT_NE(text.find(part), std::string::npos) << text;
    EXPECT_NE(error_of([&] { (void)table.increment("i", 0.5); }).find("double"), std::string::npos);
    (void)error_of([&] { (void)table.increment("b", 1); });
    EXPECT_EQ(table.size(), 3u) << "nothing was made";
    EXPECT_EQ(table.get<std::int64_t>("i"), 5);
}

TEST(SharedTable, update_replaces_inserts_and_erases) {
    SharedTable table{{"hp", 10}};
    table.update("hp", [](std::optional<Value> now) { return std::get<std::int64_t>(*now) * 2; });
    EXPECT_EQ(table.get<std::int64_t>("hp"), 20);
    table.update("hp", [](const std::optional<Value>& now) {
        return std::to_string(std::get<std::int64_t>(now.value()));
    });
    EXPECT_EQ(table.get<std::string>("hp"), "20");
    table.update("new", [](const std::optional<Value>& now) -> std::optional<Value> {
        EXPECT_FALSE(now);
        return 1.5;
    });
    EXPECT_EQ(table.get<double>("new"), 1.5);
    table.update("hp", [](const std::optional<Value>&) { return std::nullopt; });
    EXPECT_FALSE(table.contains("hp"));
    table.update("none", [](const std::optional<Value>&) { return std::optional<int>(); });
    EXPECT_EQ(table.size(), 1u);
    const auto throwing = [](const std::optional<Value>& now) -> std::optional<Value> {
        if (now)
            throw std::runtime_error("no");
        return 2.5;
    };
    EXPECT_THROW(table.update("new", throwing), std::runtime_error);
    EXPECT_EQ(table.get<double>("new"), 1.5);
}

TEST(SharedTable, update_may_use_the_table) {
    SharedTable table{{"a", 1}, {"b", 2}};
    table.update("a", [&](const std::optional<Value>&) {
        table.erase("b");
        table.set("c", "made inside");
        return table.get("c");
    });
    EXPECT_EQ(table.get<std::string>("a"), "made inside");
    EXPECT_FALSE(table.contains("b"));
}

// What f does to look at the table seals the element that is to change.
TEST(SharedTable, update_may_look_at_its_own_element_in_a_clone) {
    SharedTable table;
    for (int key = 0; key < 20; ++key)
        table.set(key, key);
    for (const char* const key : {"sum", "of all", "in it"}) {
        int calls = 0;
        table.update(key, [&](const auto&) { // inserts
            ++calls;
            std::int64_t sum = 0;
            table.for_each([&](const auto&, const Value& value) {
                if (const auto* number = std::get_if<std::int64_t>(&value))
                    sum += *number;
            });
            return sum;
        });
        EXPECT_LE(calls, 2);
    }
    int calls = 0;
    table.update("sum", [&](const auto& now) { // replaces
        ++calls;
        EXPECT_EQ(table.clone(true).get("sum"), now);
        EXPECT_EQ(table.clone_and_freeze().get("sum"), now);
        return std::get<std::int64_t>(*now) + 1;
    });
    table.update("of all", [&](const auto& now) -> std::optional<Value> { // erases
        EXPECT_EQ(table.clone().get("of all"), now);
        return std::nullopt;
    });
    EXPECT_LE(calls, 2);
    EXPECT_EQ(table.get<std::int64_t>("sum"), 191);
    EXPECT_EQ(table.size(), 22u);
}

TEST(SharedTable, update_may_drop_the_last_handle) {
    SharedTable table{{1, "text"}, {2, {{"inner", "text"}}}};
    int calls = 0;
    table.update(1, [&](const auto&) {
        ++calls;
        table = SharedTable();
        return "another text";
    });
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(table.size(), 0u);
}

std::int64_t next(const std::optional<Value>& now) {
    return now ? std::get<std::int64_t>(*now) + 1 : 1;
}
int g_seen = 0;
void see(const KeyView&, const Value&) {
    ++g_seen;
}

TEST(SharedTable, takes_functions_by_name) {
    SharedTable table;
    table.update("n", next);
    table.update("n", &next);
    EXPECT_EQ(table.get<std::int64_t>("n"), 2);
    table.for_each(see);
    EXPECT_EQ(g_seen, 1);
}

TEST(SharedTable, a_key_that_was_moved_from_is_still_a_key) {
    Key key("gold");
    const Key moved = std::move(key);
    SharedTable table;
    table.set(moved, 1);
    EXPECT_EQ(table.get<std::int64_t>(key), 1); // NOLINT: that is the question
    EXPECT_EQ(table.get<std::int64_t>("gold"), 1);
}

TEST(SharedTable, long_keys_are_refused_and_those_that_are_not_may_collide) {
    SharedTable table;
    const std::string longest(takt::kKeyBytesMax, 'k');
    const std::string other = longest.substr(1) + "l";
    const auto key_of = [](const std::string& text) { return KeyView(text).rehashed(7); };
    table.set(key_of(longest), 1);
    table.set(key_of(other), 2);
    EXPECT_EQ(table.get<std::int64_t>(key_of(longest)), 1);
    EXPECT_EQ(table.get<std::int64_t>(key_of(other)), 2);
    EXPECT_EQ(table.clone().size(), 2u);
    EXPECT_TRUE(table.erase(key_of(longest)));
    table.clear();
    EXPECT_EQ(
        error_of([&] { table.set(longest + "k", 1); }),
        "takt: shared_table key = \"1025 bytes\": a string as key has at most 1024 bytes. Use a "
        "shorter one.");
}

TEST(SharedTable, what_does_not_fit_is_refused_by_name) {
    SharedTable table;
    // Nobody reads the 4 GiB; there is hardly any memory behind them.
    constexpr std::size_t kBytes = (std::size_t{1} << 32) + 5;
    void* const bytes =
        mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT_NE(bytes, MAP_FAILED);
    EXPECT_NE(error_of([&] {
                  table.set("text", std::string_view(static_cast<const char*>(bytes), kBytes));
              }).find("shared_table[\"text\"] = \"4294967301 bytes\""),
              std::string::npos);
    munmap(bytes, kBytes);
    SharedTable inner;
    const SharedTable kept = std::move(inner);
    EXPECT_NE(error_of([&] { table.set("table", inner); }).find("moved from"), // NOLINT
              std::string::npos);
    EXPECT_NE(error_of([&] { table.update("table", [&](const auto&) { return inner; }); }) // NOLINT
                  .find("moved from"),
              std::string::npos);
    EXPECT_EQ(table.size(), 0u);
}

TEST(SharedTable, erase_and_clear) {
    SharedTable table{{1, 1}, {2, 2}, {3, 3}};
    EXPECT_TRUE(table.erase(1));
    EXPECT_FALSE(table.erase(1));
    EXPECT_EQ(table.size(), 2u);
    table.clear();
    EXPECT_EQ(table.size(), 0u);
    EXPECT_FALSE(table.contains(2));
}

TEST(SharedTable, two_tables_are_never_equal_and_a_copy_is_the_same) {
    SharedTable table{{1, 1}};
    SharedTable same = table, other{{1, 1}};
    EXPECT_EQ(table, same);
    EXPECT_FALSE(table == other);
    same.set(2, 2);
    EXPECT_EQ(table.size(), 2u);
    other = table;
    EXPECT_EQ(table, other);
    const SharedTable moved = std::move(other);
    EXPECT_EQ(table, moved);
}

TEST(SharedTable, a_list_makes_tables_of_what_is_nested) {
    const SharedTable table{
        {"gold", 120}, {"bag", {{"apples", 2}, {"deep", {{1, true}}}}}, {"gold", 121}};
    EXPECT_EQ(table.get<std::int64_t>("gold"), 121);
    const SharedTable bag = table.get<SharedTable>("bag").value();
    EXPECT_EQ(bag.get<std::int64_t>("apples"), 2);
    EXPECT_EQ(bag.get<SharedTable>("deep")->get<bool>(1), true);
    (void)error_of([] { SharedTable{{"fine", 1}, {-5, 2}}; });
}

TEST(SharedTable, a_clone_is_a_table_of_its_own) {
    SharedTable table{{"n", 1}, {"t", {{"m", 1}}}};
    SharedTable clone = table.clone();
    EXPECT_FALSE(clone == table);
    EXPECT_FALSE(clone.is_frozen());
    clone.set("n", 2);
    table.erase("t");
    EXPECT_EQ(table.get<std::int64_t>("n"), 1);
    EXPECT_EQ(clone.get<std::int64_t>("n"), 2);
    EXPECT_EQ(clone.size(), 2u);
    EXPECT_EQ(table.size(), 1u);
}

TEST(SharedTable, a_shallow_clone_shares_the_tables_in_it_and_a_deep_one_does_not) {
    SharedTable table{{"t", {{"m", 1}}}};
    SharedTable inner = *table.get<SharedTable>("t");
    table.set("again", inner);
    const SharedTable shallow = table.clone(), deep = table.clone(true);
    EXPECT_EQ(shallow.get<SharedTable>("t"), inner);
    EXPECT_FALSE(deep.get<SharedTable>("t") == inner);
    EXPECT_EQ(deep.get<SharedTable>("t"), deep.get<SharedTable>("again"))
        << "met twice, cloned once";
    inner.set("m", 2);
    EXPECT_EQ(deep.get<SharedTable>("t")->get<std::int64_t>("m"), 1);
    EXPECT_EQ(shallow.get<SharedTable>("t")->get<std::int64_t>("m"), 2);
}

TEST(SharedTable, a_deep_clone_of_a_circle_is_a_circle) {
    SharedTable table, other;
    table.set("self", table);
    table.set("other", other);
    other.set("back", table);
    const SharedTable clone = table.clone(true);
    EXPECT_FALSE(clone == table);
    EXPECT_EQ(clone.get<SharedTable>("self"), clone);
    EXPECT_EQ(clone.get<SharedTable>("other")->get<SharedTable>("back"), clone);
    const SharedTable frozen = table.clone_and_freeze(true);
    EXPECT_TRUE(frozen.get<SharedTable>("other")->is_frozen());
    EXPECT_EQ(frozen.get<SharedTable>("other")->get<SharedTable>("back"), frozen);
    EXPECT_FALSE(other.is_frozen());
}

TEST(SharedTable, a_frozen_table_refuses_every_write_by_name) {
    SharedTable table{{"n", 1}, {"t", {{"m", 1}}}};
    SharedTable frozen = table.clone_and_freeze();
    EXPECT_TRUE(frozen.is_frozen());
    EXPECT_FALSE(table.is_frozen());
    EXPECT_NE(error_of([&] { frozen.set("n", 2); }).find("frozen"), std::string::npos);
    EXPECT_NE(error_of([&] { frozen.erase("n"); }).find("\"n\""), std::string::npos);
    EXPECT_NE(error_of([&] { (void)frozen.increment("n", 1); }).find("increment"),
              std::string::npos);
    (void)error_of([&] { frozen.update("n", [](auto now) { return now; }); });
    EXPECT_NE(error_of([&] { frozen.clear(); }).find("clear"), std::string::npos);
    table.set("n", 3);
    EXPECT_EQ(frozen.get<std::int64_t>("n"), 1);
    EXPECT_EQ(frozen.size(), 2u);
    frozen.get<SharedTable>("t")->set("m", 2); // shallow: the tables in it are not frozen
    SharedTable thawed = frozen.clone();
    thawed.set("n", 4);
    EXPECT_EQ(frozen.get<std::int64_t>("n"), 1);
    EXPECT_EQ(frozen.clone_and_freeze().get<std::int64_t>("n"), 1);
}

TEST(SharedTable, for_each_sees_one_moment_and_may_change_the_table) {
    SharedTable table;
    for (int key = 0; key < 100; ++key)
        table.set(key, key);
    std::map<std::uint32_t, std::int64_t> seen;
    table.for_each([&](const KeyView& key, const Value& value) {
        seen[key.index()] = std::get<std::int64_t>(value);
        table.clear();
        table.set(1000 + key.index(), 0);
    });
    EXPECT_EQ(seen.size(), 100u);
    EXPECT_EQ(seen[42], 42);
    EXPECT_EQ(table.size(), 1u);
    std::set<std::string> names;
    SharedTable{{"a", 1}, {"b", 2}}.for_each(
        [&](const KeyView& key, const Value&) { names.emplace(key.text()); });
    EXPECT_EQ(names, (std::set<std::string>{"a", "b"}));
}

// A table that only another one holds ends with it, and a chain of them does not recurse.
TEST(SharedTable, a_long_chain_of_tables_ends) {
    SharedTable head;
    for (int link = 0; link < 100'000; ++link) {
        SharedTable next;
        next.set("next", head);
        head = next;
    }
    EXPECT_TRUE(head.contains("next"));
    head = SharedTable();
    EXPECT_EQ(head.size(), 0u);
}

// Nobody can free it; the leak checker must find that all of it hangs on something.
TEST(SharedTable, a_table_in_itself_is_no_leak_at_exit) {
    SharedTable table;
    table.set("self", table);
    table.set("text", std::string(100, 'x'));
    EXPECT_EQ(table.get<SharedTable>("self"), table);
}

TEST(SharedTable, garbage_is_shown_and_reclaimed) {
    SharedTable table;
    table.set(1, "text");
    takt::reclaim_shared_tables();
    for (int step = 0; step < 100; ++step)
        table.set(1, "another");
    EXPECT_GE(takt::shared_table_garbage_bytes(), 100 * sizeof("another"));
    takt::reclaim_shared_tables();
    EXPECT_EQ(takt::shared_table_garbage_bytes(), 0u);
}

TEST(SharedTable, may_be_used_by_a_thread_that_ends) {
    SharedTable table;
    for (int round = 0; round < 20; ++round)
        std::thread([&] { table.set(round, std::string(50, 'x')); }).join();
    EXPECT_EQ(table.size(), 20u);
    takt::reclaim_shared_tables();
    EXPECT_EQ(takt::shared_table_garbage_bytes(), 0u);
}

// Made before main, used after it: when the thread has given back what it had.
struct UsesItAtExit {
    ~UsesItAtExit() { table.set("made", "late"); }
    SharedTable table{{"made", "early"}};
} uses_it_at_exit;

TEST(SharedTable, may_be_used_while_the_program_ends) {
    EXPECT_EQ(uses_it_at_exit.table.get<std::string>("made"), "early");
}

} // namespace
