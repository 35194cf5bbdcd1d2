// SPDX-License-Identifier: MIT
#pragma once
// What the contenders have in common: keys, the loops over them, and what must come out.

#include "shared_table/config.hpp"

#include "takt/base.hpp"

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

namespace takt::bench::shared_table {

/// What an element of a takt table may be, but for actors and tables.
using MapValue = std::variant<bool, double, std::int64_t, std::string, Vector3>;

/// Map has get(key), increment(key), update(key), set(key, value), clone(), freeze(), and
/// Frozen what freeze() gives, with a static get(frozen, key).
template <class Map, class Keys>
class MapContender : public Contender {
  public:
    explicit MapContender(std::uint32_t keys) : keys_(keys) {}

    void fill() override {
        reset();
        frozen_ = map_.freeze();
        // What a first look, and the first writes after a clone, cost once, is no matter of a row.
        for (std::uint32_t at = 0; at < keys_.size(); ++at)
            static_cast<void>(Map::get(frozen_, keys_[at]));
        reset();
    }
    std::uint64_t get(const Order& order, std::size_t operations) override {
        return sum(operations, [&](std::size_t at) { return map_.get(key(order, at)); });
    }
    std::uint64_t get_frozen(const Order& order, std::size_t operations) override {
        return sum(operations, [&](std::size_t at) { return Map::get(frozen_, key(order, at)); });
    }
    std::uint64_t increment(const Order& order, std::size_t operations) override {
        return sum(operations, [&](std::size_t at) { return map_.increment(key(order, at)); });
    }
    std::uint64_t update(const Order& order, std::size_t operations) override {
        return sum(operations, [&](std::size_t at) { return map_.update(key(order, at)); });
    }
    std::uint64_t mixed(const Order& order, std::size_t operations, unsigned gets) override {
        return sum(operations, [&](std::size_t at) -> std::int64_t {
            if (is_get(at, gets))
                return map_.get(key(order, at));
            map_.set(key(order, at), 1);
            return 0;
        });
    }
    std::uint64_t clone(std::size_t operations) override {
        return sum(operations, [&](std::size_t) { return map_.clone(); });
    }
    std::uint64_t sum_of_all() override {
        return sum(keys_.size(),
                   [&](std::size_t at) { return map_.get(keys_[static_cast<std::uint32_t>(at)]); });
    }
    std::uint64_t sum_of_a_clone() override {
        const typename Map::Frozen clone = map_.freeze();
        return sum(keys_.size(), [&](std::size_t at) {
            return Map::get(clone, keys_[static_cast<std::uint32_t>(at)]);
        });
    }
    void reset() override {
        for (std::uint32_t at = 0; at < keys_.size(); ++at)
            map_.set(keys_[at], 1);
    }

  private:
    template <class One>
    static std::uint64_t sum(std::size_t operations, One one) {
        std::uint64_t sum = 0;
        for (std::size_t at = 0; at < operations; ++at)
            sum += static_cast<std::uint64_t>(one(at));
        return sum;
    }
    decltype(auto) key(const Order& order, std::size_t at) const {
        return keys_[order[at & (order.size() - 1)]];
    }

    const Keys keys_;
    Map map_;
    typename Map::Frozen frozen_;
};

/// A std::unordered_map that does not change: what the contenders that have no clone copy into.
template <class Key>
struct FrozenMap {
    using Frozen = std::unordered_map<Key, MapValue>;

    static std::int64_t get(const Frozen& frozen, const Key& key) {
        return std::get<std::int64_t>(frozen.find(key)->second);
    }
};

/// The contender whose Map<K> has keys of type K; Text is what a text is kept as.
template <template <class> class Map, class Text = std::string>
std::unique_ptr<Contender> make_map(KeyKind kind, std::uint32_t keys) {
    if (kind == KeyKind::index)
        return std::make_unique<MapContender<Map<std::uint32_t>, Indices>>(keys);
    return std::make_unique<MapContender<Map<Text>, Texts<Text>>>(keys);
}

} // namespace takt::bench::shared_table
