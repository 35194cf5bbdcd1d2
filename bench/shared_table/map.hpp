// SPDX-License-Identifier: MIT
#pragma once
// What the contenders that are maps have in common.

#include "shared_table/config.hpp"

#include "takt/base.hpp"

#include <string>
#include <variant>

namespace takt::bench::shared_table {

/// What an element of a takt table may be, but for actors and tables.
using MapValue = std::variant<bool, double, std::int64_t, std::string, Vector3>;

/// Map has get(key), add(key, by), set(key, value), copy() and sum().
template <class Map, class Keys>
class MapContender : public Contender {
  public:
    explicit MapContender(std::uint32_t keys) : keys_(keys) {}

    void fill() override {
        for (std::uint32_t at = 0; at < keys_.size(); ++at)
            map_.set(keys_[at], 1);
        frozen_ = map_.copy();
    }

    std::uint64_t get(const Order& order, std::size_t operations) override {
        std::uint64_t sum = 0;
        for (std::size_t at = 0; at < operations; ++at)
            sum += static_cast<std::uint64_t>(map_.get(key(order, at)));
        return sum;
    }
    std::uint64_t get_frozen(const Order& order, std::size_t operations) override {
        std::uint64_t sum = 0;
        for (std::size_t at = 0; at < operations; ++at)
            sum += static_cast<std::uint64_t>(
                std::get<std::int64_t>(frozen_.find(key(order, at))->second));
        return sum;
    }
    std::uint64_t increment(const Order& order, std::size_t operations) override {
        std::uint64_t sum = 0;
        for (std::size_t at = 0; at < operations; ++at)
            sum += static_cast<std::uint64_t>(map_.add(key(order, at), 1));
        return sum;
    }
    std::uint64_t update(const Order& order, std::size_t operations) override {
        return increment(order, operations);
    }
    std::uint64_t mixed(const Order& order, std::size_t operations, unsigned gets) override {
        std::uint64_t sum = 0;
        for (std::size_t at = 0; at < operations; ++at) {
            if (is_get(at, gets))
                sum += static_cast<std::uint64_t>(map_.get(key(order, at)));
            else
                map_.set(key(order, at), static_cast<std::int64_t>(at));
        }
        return sum;
    }
    std::uint64_t clone(std::size_t operations) override {
        std::uint64_t elements = 0;
        for (std::size_t at = 0; at < operations; ++at)
            elements += map_.copy().size();
        return elements;
    }
    std::uint64_t sum() override { return map_.sum(); }

  private:
    decltype(auto) key(const Order& order, std::size_t at) const {
        return keys_[order[at & (order.size() - 1)]];
    }

    const Keys keys_;
    Map map_;
    typename Map::Frozen frozen_;
};

/// The contender whose Map<K> has keys of type K.
template <template <class> class Map>
std::unique_ptr<Contender> make_map(KeyKind kind, std::uint32_t keys) {
    if (kind == KeyKind::index)
        return std::make_unique<MapContender<Map<std::uint32_t>, Indices>>(keys);
    return std::make_unique<MapContender<Map<std::string>, Texts<std::string>>>(keys);
}

} // namespace takt::bench::shared_table
