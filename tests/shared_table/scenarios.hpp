// SPDX-License-Identifier: MIT
#pragma once
// The trie of a shared table as small scenarios, written once: model_test.cpp runs them under the
// explorer, stress_test.cpp on real threads. P is Model or Threads.

#include "takt/shared_table/cell.hpp"
#include "takt/shared_table/key.hpp"
#include "takt/shared_table/trie.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace shared_table {

using takt::KeyView;
using takt::table::Decision;
using takt::table::Item;
using takt::table::Type;

constexpr Item number(std::uint64_t value) {
    return {Type::integer, value, {}};
}
inline Item text(std::string_view value) {
    return {Type::string, 0, value};
}

/// A trie and the readers of its threads, made before they start.
template <class P>
struct Table {
    using Trie = takt::table::Trie<P>;
    using Reader = takt::table::Reader<P>;

    explicit Table(std::size_t threads) {
        for (std::size_t thread = 0; thread < threads; ++thread)
            readers.push_back(&reclaimer.join());
    }

    takt::table::Reclaimer<P> reclaimer{takt::table::drop<P>};
    std::vector<Reader*> readers;
    Trie trie;
};

/// One thread's view of a trie.
template <class P>
class User {
  public:
    using Trie = takt::table::Trie<P>;
    using Reader = takt::table::Reader<P>;

    User(Trie& trie, Reader& me) : trie_(trie), me_(me) {}
    User(Table<P>& table, std::size_t thread) : User(table.trie, *table.readers[thread]) {}

    std::optional<std::uint64_t> get(KeyView key) const {
        const takt::table::Pin<P> pin(me_);
        const auto found = trie_.find(key);
        return found ? std::optional(found.item().word) : std::nullopt;
    }
    std::optional<std::string> get_text(KeyView key) const {
        const takt::table::Pin<P> pin(me_);
        const auto found = trie_.find(key);
        return found ? std::optional(std::string(found.item().bytes)) : std::nullopt;
    }
    void put(KeyView key, const Item& item) {
        trie_.change(me_, key, [&](const Item*) { return Decision::put(item); });
    }
    void set(KeyView key, std::uint64_t value) { put(key, number(value)); }
    bool erase(KeyView key) {
        bool was = false;
        trie_.change(me_, key, [&](const Item* now) {
            was = now != nullptr;
            return Decision::erase();
        });
        return was;
    }
    /// The old value; nothing where there is none.
    std::optional<std::uint64_t> increment(KeyView key) {
        return increment_as(key, [](Type now) { return now; });
    }
    /// Another type: a new leaf.
    std::optional<std::uint64_t> increment_and_retype(KeyView key) {
        return increment_as(
            key, [](Type now) { return now == Type::integer ? Type::number : Type::integer; });
    }
    takt::table::Snapshot<P> snapshot() const { return trie_.snapshot(me_); }
    void clear() { trie_.clear(me_); }
    std::size_t size() const { return trie_.size(me_); }
    void reclaim() { me_.reclaim(); }

  private:
    template <class TypeOf>
    std::optional<std::uint64_t> increment_as(KeyView key, TypeOf type_of) {
        std::optional<std::uint64_t> old;
        trie_.change(me_, key, [&](const Item* now) {
            old.reset();
            if (now == nullptr)
                return Decision();
            old = now->word;
            return Decision::put({type_of(now->type), now->word + 1, {}});
        });
        return old;
    }

    Trie& trie_;
    Reader& me_;
};

/// What a snapshot holds of some indices, 0 where there is nothing.
template <class P>
std::vector<std::uint64_t> values_of(const takt::table::Snapshot<P>& snapshot, std::uint32_t keys) {
    std::vector<std::uint64_t> values(keys, 0);
    snapshot.for_each(
        [&](const KeyView& key, const Item& item) { values[key.index()] = item.word; });
    return values;
}

} // namespace shared_table
