// SPDX-License-Identifier: MIT
#include "shared_table/map.hpp"

#if TAKT_BENCH_TBB

#include <tbb/concurrent_hash_map.h>

#include <unordered_map>

namespace takt::bench::shared_table {
namespace {

template <class Key>
class TbbHashMap : public FrozenMap<Key> {
    using Map = tbb::concurrent_hash_map<Key, MapValue>;

  public:
    using typename FrozenMap<Key>::Frozen;
    using FrozenMap<Key>::get;

    std::int64_t get(const Key& key) const {
        typename Map::const_accessor found;
        map_.find(found, key);
        return std::get<std::int64_t>(found->second);
    }
    std::int64_t increment(const Key& key) {
        typename Map::accessor found;
        map_.find(found, key);
        return std::get<std::int64_t>(found->second)++;
    }
    std::int64_t update(const Key& key) { return increment(key); }
    void set(const Key& key, std::int64_t value) {
        typename Map::accessor found;
        map_.insert(found, key);
        found->second = value;
    }
    std::int64_t clone() const { return freeze().empty() ? 0 : 1; }
    // Not a moment: it has no such thing. Only where nobody writes.
    Frozen freeze() const { return {map_.begin(), map_.end()}; }

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
