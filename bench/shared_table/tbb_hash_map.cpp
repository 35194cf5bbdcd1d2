// SPDX-License-Identifier: MIT
#include "shared_table/map.hpp"

#if TAKT_BENCH_TBB

#include <tbb/concurrent_hash_map.h>

#include <unordered_map>

namespace takt::bench::shared_table {
namespace {

template <class Key>
class TbbHashMap {
    using Map = tbb::concurrent_hash_map<Key, MapValue>;

  public:
    using Frozen = std::unordered_map<Key, MapValue>;

    std::int64_t get(const Key& key) const {
        typename Map::const_accessor found;
        map_.find(found, key);
        return std::get<std::int64_t>(found->second);
    }
    std::int64_t add(const Key& key, std::int64_t by) {
        typename Map::accessor found;
        map_.find(found, key);
        std::int64_t& value = std::get<std::int64_t>(found->second);
        return std::exchange(value, value + by);
    }
    void set(const Key& key, std::int64_t value) {
        typename Map::accessor found;
        map_.insert(found, key);
        found->second = value;
    }
    // Not a moment: it has no such thing. Only where nobody writes.
    Frozen copy() const { return {map_.begin(), map_.end()}; }
    std::uint64_t sum() const {
        std::uint64_t sum = 0;
        for (const auto& [key, value] : map_)
            sum += static_cast<std::uint64_t>(std::get<std::int64_t>(value));
        return sum;
    }

  private:
    Map map_;
};

} // namespace

std::unique_ptr<Contender> make_tbb_hash_map(KeyKind kind, std::uint32_t keys) {
    return make_map<TbbHashMap>(kind, keys);
}

} // namespace takt::bench::shared_table

#else

namespace takt::bench::shared_table {

std::unique_ptr<Contender> make_tbb_hash_map(KeyKind, std::uint32_t) {
    return nullptr;
}

} // namespace takt::bench::shared_table

#endif
