// SPDX-License-Identifier: MIT
// The trie of a shared table, one thread at a time.
#include "shared_table/scenarios.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <stdexcept>

namespace {

using namespace shared_table;

// 2^digits slots a node; tables in it are numbers, and how often they are held is counted.
template <unsigned Digits>
struct Policy : takt::table::TablePolicy {
    static constexpr unsigned kDigitBits = Digits;
    static void hold_table(std::uint64_t word) noexcept { ++held[word]; }
    static void drop_table(std::uint64_t word) noexcept { --held[word]; }
    static inline std::map<std::uint64_t, int> held;
};
using TablePolicy = Policy<4>;

template <class P>
class TrieOf : public ::testing::Test {
  protected:
    Table<P> table_{1};
    User<P> user_{table_, 0};
};
using NodeSizes = ::testing::Types<Policy<1>, Policy<2>, Policy<4>>;
TYPED_TEST_SUITE(TrieOf, NodeSizes);

TYPED_TEST(TrieOf, what_is_set_is_found_and_nothing_else) {
    EXPECT_FALSE(this->user_.get(1));
    this->user_.set(1, 10);
    EXPECT_EQ(this->user_.get(1), 10u);
    EXPECT_FALSE(this->user_.get(2));
    EXPECT_FALSE(this->user_.get("1")) << "a string is no index";
    this->user_.set(1, 11);
    EXPECT_EQ(this->user_.get(1), 11u);
    EXPECT_EQ(this->user_.size(), 1u);
}

TYPED_TEST(TrieOf, what_is_erased_is_gone) {
    this->user_.set("a", 1);
    this->user_.set("b", 2);
    EXPECT_TRUE(this->user_.erase("a"));
    EXPECT_FALSE(this->user_.erase("a"));
    EXPECT_FALSE(this->user_.get("a"));
    EXPECT_EQ(this->user_.get("b"), 2u);
    EXPECT_EQ(this->user_.size(), 1u);
}

TYPED_TEST(TrieOf, a_value_changes_its_type) {
    this->user_.set("k", 1);
    this->user_.put("k", text("some text that is longer than others"));
    EXPECT_EQ(this->user_.get_text("k"), "some text that is longer than others");
    this->user_.put("k", text(""));
    EXPECT_EQ(this->user_.get_text("k"), "");
    this->user_.set("k", 2);
    EXPECT_EQ(this->user_.get("k"), 2u);
    EXPECT_EQ(this->user_.size(), 1u);
}

TYPED_TEST(TrieOf, a_decision_that_throws_changes_nothing) {
    this->user_.set("k", 1);
    const auto throwing = [](const Item*) -> Decision { throw std::runtime_error("no"); };
    EXPECT_THROW(this->table_.trie.change(*this->table_.readers[0], "k", throwing),
                 std::runtime_error);
    EXPECT_THROW(this->table_.trie.change(*this->table_.readers[0], "new", throwing),
                 std::runtime_error);
    EXPECT_EQ(this->user_.get("k"), 1u);
    EXPECT_EQ(this->user_.size(), 1u);
}

TYPED_TEST(TrieOf, keys_with_one_hash_are_told_apart) {
    constexpr std::uint64_t kHash = 0x1234'5678'9abc'def0;
    constexpr std::uint32_t kKeys = 300;
    std::vector<std::string> texts;
    for (std::uint32_t at = 0; at < kKeys; ++at)
        texts.push_back(std::string(at % 7, 'x') + std::to_string(at));
    const auto index = [&](std::uint32_t at) { return KeyView(at).rehashed(kHash); };
    const auto name = [&](std::uint32_t at) { return KeyView(texts[at]).rehashed(kHash); };
    for (std::uint32_t at = 0; at < kKeys; ++at) {
        this->user_.set(index(at), at);
        this->user_.set(name(at), 1000 + at);
    }
    EXPECT_EQ(this->user_.size(), 2 * kKeys);
    const auto snapshot = this->user_.snapshot();
    for (std::uint32_t at = 0; at < kKeys; at += 2) {
        EXPECT_TRUE(this->user_.erase(index(at)));
        EXPECT_EQ(this->user_.increment(name(at)), 1000 + at);
    }
    for (std::uint32_t at = 0; at < kKeys; ++at) {
        EXPECT_EQ(this->user_.get(index(at)),
                  at % 2 == 0 ? std::nullopt : std::optional<std::uint64_t>(at));
        EXPECT_EQ(this->user_.get(name(at)), 1000 + at + (at % 2 == 0 ? 1 : 0));
    }
    EXPECT_EQ(snapshot.size(), 2 * kKeys);
    EXPECT_EQ(this->user_.size(), kKeys + kKeys / 2);
}

TYPED_TEST(TrieOf, a_text_and_a_longer_one_that_begins_alike_are_told_apart_by_one_hash) {
    const std::string zeros(3, '\0');
    for (std::size_t length = 0; length <= zeros.size(); ++length)
        this->user_.set(KeyView(std::string_view(zeros).substr(0, length)).rehashed(0), length);
    for (std::size_t length = 0; length <= zeros.size(); ++length)
        EXPECT_EQ(this->user_.get(KeyView(std::string_view(zeros).substr(0, length)).rehashed(0)),
                  length);
}

TYPED_TEST(TrieOf, a_text_that_differs_in_one_byte_is_another_key_whatever_its_length) {
    for (std::size_t length = 1; length <= 27; ++length) {
        std::string given(length, 'k');
        const auto key = [&] { return KeyView(given).rehashed(length); };
        this->user_.set(key(), length);
        for (char& byte : given) {
            byte = 'l';
            EXPECT_FALSE(this->user_.get(key())) << given;
            byte = 'k';
        }
        EXPECT_EQ(this->user_.get(key()), length);
    }
}

TYPED_TEST(TrieOf, a_snapshot_stays_as_it_was) {
    for (std::uint32_t key = 0; key < 100; ++key)
        this->user_.set(key, key + 1);
    const auto before = this->user_.snapshot();
    const auto again = before.copy();
    for (std::uint32_t key = 0; key < 100; key += 3)
        this->user_.increment(key);
    for (std::uint32_t key = 1; key < 100; key += 3)
        this->user_.erase(key);
    for (std::uint32_t key = 2; key < 100; key += 3)
        this->user_.put(key, text("x"));
    const std::vector<std::uint64_t> values = values_of(before, 100);
    for (std::uint32_t key = 0; key < 100; ++key)
        EXPECT_EQ(values[key], key + 1);
    EXPECT_EQ(values, values_of(again, 100));
}

TYPED_TEST(TrieOf, a_clone_goes_its_own_way) {
    for (std::uint32_t key = 0; key < 50; ++key)
        this->user_.set(key, 1);
    takt::table::Trie<TypeParam> clone(this->user_.snapshot(), false);
    User<TypeParam> other(clone, *this->table_.readers[0]);
    for (std::uint32_t key = 0; key < 50; ++key) {
        this->user_.increment(key);
        if (key % 2 == 0)
            other.erase(key);
        else
            other.set(key, 5);
    }
    other.set(100, 6);
    EXPECT_EQ(other.size(), 26u);
    EXPECT_EQ(other.size(), 26u) << "the second time it was counted already";
    for (std::uint32_t key = 0; key < 50; ++key) {
        EXPECT_EQ(this->user_.get(key), 2u);
        EXPECT_EQ(other.get(key).value_or(0), key % 2 == 0 ? 0u : 5u);
    }
    EXPECT_EQ(this->user_.size(), 50u);
}

TYPED_TEST(TrieOf, a_table_in_it_is_held_as_long_as_a_leaf_is) {
    const Item table{Type::table, 77, {}};
    this->user_.put(1, table);
    this->user_.put("a", table);
    EXPECT_EQ(TypeParam::held[77], 2);
    {
        const auto snapshot = this->user_.snapshot();
        this->user_.put(1, table);
        this->user_.erase("a");
        this->user_.reclaim();
        EXPECT_EQ(TypeParam::held[77], 3) << "two in the snapshot, one in the table";
    }
    EXPECT_EQ(TypeParam::held[77], 1);
    this->user_.clear();
    this->user_.reclaim();
    EXPECT_EQ(TypeParam::held[77], 0);
}

TYPED_TEST(TrieOf, clear_takes_all_and_leaves_clones_alone) {
    for (std::uint32_t key = 0; key < 50; ++key)
        this->user_.set(key, 1);
    const auto before = this->user_.snapshot();
    this->user_.clear();
    EXPECT_EQ(this->user_.size(), 0u);
    EXPECT_FALSE(this->user_.get(7));
    this->user_.clear();
    this->user_.set(7, 2);
    EXPECT_EQ(this->user_.size(), 1u);
    EXPECT_EQ(before.size(), 50);
}

TYPED_TEST(TrieOf, an_empty_trie_is_cloned) {
    takt::table::Trie<TypeParam> clone(this->user_.snapshot(), false);
    User<TypeParam> other(clone, *this->table_.readers[0]);
    EXPECT_EQ(other.size(), 0u);
    other.set(1, 1);
    EXPECT_EQ(other.size(), 1u);
    EXPECT_EQ(this->user_.size(), 0u);
}

// Against std::map, with clones of clones that live for a while.
TYPED_TEST(TrieOf, random_operations_agree_with_a_map) {
    using OneTrie = takt::table::Trie<TypeParam>;
    using Content = std::map<std::uint32_t, std::uint64_t>;
    struct Pair {
        std::unique_ptr<OneTrie> trie = std::make_unique<OneTrie>();
        Content content;
    };
    std::mt19937_64 random(4711);
    std::vector<Pair> pairs(1);
    const auto content_of = [](const auto& snapshot) {
        Content content;
        snapshot.for_each([&](const KeyView& key, const Item& item) {
            content[key.index()] = item.type == Type::string ? item.bytes.size() : item.word;
        });
        return content;
    };
    for (int step = 0; step < 60'000; ++step) {
        Pair& pair = pairs[random() % pairs.size()];
        User<TypeParam> user(*pair.trie, *this->table_.readers[0]);
        const auto key = static_cast<std::uint32_t>(random() % 200);
        const std::uint64_t value = random() % 100;
        const auto what = random() % 1000;
        if (what < 400) {
            user.set(key, value);
            pair.content[key] = value;
        } else if (what < 500) {
            user.put(key, text(std::string(value, 'x')));
            pair.content[key] = value;
        } else if (what < 700) {
            EXPECT_EQ(user.erase(key), pair.content.erase(key) == 1);
        } else if (what < 980) {
            const auto found = user.get(key);
            EXPECT_EQ(found.has_value(), pair.content.contains(key));
        } else if (what < 985) {
            EXPECT_EQ(user.size(), pair.content.size());
        } else if (what < 987) {
            user.clear();
            pair.content.clear();
        } else if (what < 995 && pairs.size() < 8) {
            Content copy = pair.content;
            pairs.push_back({std::make_unique<OneTrie>(user.snapshot(), false), std::move(copy)});
        } else if (pairs.size() > 1) {
            ASSERT_EQ(content_of(pairs.back().trie->snapshot(*this->table_.readers[0])),
                      pairs.back().content);
            pairs.pop_back();
        }
    }
    for (Pair& pair : pairs)
        EXPECT_EQ(content_of(pair.trie->snapshot(*this->table_.readers[0])), pair.content);
}

TEST(Trie, holds_a_million_elements) {
    constexpr std::uint32_t kKeys = 1'000'000;
    Table<TablePolicy> table(1);
    User<TablePolicy> user(table, 0);
    for (std::uint32_t key = 0; key < kKeys; ++key)
        user.set(key * 2'654'435'761u, key);
    EXPECT_EQ(user.size(), kKeys);
    const auto before = user.snapshot();
    std::uint64_t wrong = 0;
    for (std::uint32_t key = 0; key < kKeys; ++key)
        wrong += user.get(key * 2'654'435'761u) != key;
    for (std::uint32_t key = 0; key < kKeys; key += 2)
        wrong += !user.erase(key * 2'654'435'761u);
    EXPECT_EQ(wrong, 0u);
    EXPECT_EQ(user.size(), kKeys / 2);
    EXPECT_EQ(before.size(), kKeys);
}

// An increment of what is at home makes no garbage; memory of what was replaced comes back.
TEST(Trie, keeps_no_garbage_for_ever) {
    using Reader = takt::table::Reader<TablePolicy>;
    Table<TablePolicy> table(1);
    User<TablePolicy> user(table, 0);
    user.set(1, 0);
    for (int step = 0; step < 10'000; ++step)
        user.increment(1);
    EXPECT_EQ(table.reclaimer.limbo_bytes(), 0u);
    std::size_t most = 0;
    for (int step = 0; step < 10'000; ++step) {
        user.put(1, text("replaced"));
        most = std::max(most, table.reclaimer.limbo_bytes());
    }
    EXPECT_GT(most, 0u);
    EXPECT_LE(most, Reader::kBatch * 64);
    user.reclaim();
    EXPECT_EQ(table.reclaimer.limbo_bytes(), 0u);
}

TEST(Trie, garbage_waits_for_who_is_pinned_and_is_counted) {
    Table<TablePolicy> table(2);
    User<TablePolicy> user(table, 0);
    user.put(1, text("first"));
    table.readers[1]->pin();
    const std::string_view seen = table.trie.find(1).item().bytes;
    for (int step = 0; step < 2'000; ++step)
        user.put(1, text("another"));
    user.reclaim();
    EXPECT_GT(table.reclaimer.limbo_bytes(), 2'000 * sizeof("another"));
    EXPECT_EQ(seen, "first");
    table.readers[1]->unpin();
    user.reclaim();
    user.reclaim();
    EXPECT_EQ(table.reclaimer.limbo_bytes(), 0u);
}

TEST(Trie, what_an_ended_thread_left_behind_is_dropped_by_others) {
    Table<TablePolicy> table(3);
    User<TablePolicy> user(table, 0);
    user.put(1, text("first"));
    table.readers[1]->pin(); // keeps leave() from dropping all itself
    user.put(1, text("second"));
    table.reclaimer.leave(*table.readers[0]);
    EXPECT_GT(table.reclaimer.limbo_bytes(), 0u);
    table.readers[1]->unpin();
    table.readers[2]->reclaim();
    EXPECT_EQ(table.reclaimer.limbo_bytes(), 0u);
    EXPECT_EQ(&table.reclaimer.join(), table.readers[0]) << "a reader is used again";
}

} // namespace
