// SPDX-License-Identifier: MIT
#include "shared_table/map.hpp"

#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace takt::bench::shared_table {
namespace {

template <class Key>
class SharedMutexMap : public FrozenMap<Key> {
  public:
    using typename FrozenMap<Key>::Frozen;
    using FrozenMap<Key>::get;

    std::int64_t get(const Key& key) const {
        const std::shared_lock lock(mutex_);
        return std::get<std::int64_t>(map_.find(key)->second);
    }
    std::int64_t increment(const Key& key) {
        const std::unique_lock lock(mutex_);
        return std::get<std::int64_t>(map_.find(key)->second)++;
    }
    std::int64_t update(const Key& key) { return increment(key); }
    void set(const Key& key, std::int64_t value) {
        const std::unique_lock lock(mutex_);
        map_[key] = value;
    }
    std::int64_t clone() const { return freeze().empty() ? 0 : 1; }
    Frozen freeze() const {
        const std::shared_lock lock(mutex_);
        return map_;
    }

  private:
    mutable std::shared_mutex mutex_;
    Frozen map_;
};

} // namespace

std::unique_ptr<Contender> make_shared_mutex_map(KeyKind kind, std::uint32_t keys) {
    return make_map<SharedMutexMap>(kind, keys);
}

} // namespace takt::bench::shared_table
