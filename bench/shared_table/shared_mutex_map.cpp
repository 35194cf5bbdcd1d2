// SPDX-License-Identifier: MIT
#include "shared_table/map.hpp"

#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace takt::bench::shared_table {
namespace {

template <class Key>
class SharedMutexMap {
  public:
    using Frozen = std::unordered_map<Key, MapValue>;

    std::int64_t get(const Key& key) const {
        const std::shared_lock lock(mutex_);
        return std::get<std::int64_t>(map_.find(key)->second);
    }
    std::int64_t add(const Key& key, std::int64_t by) {
        const std::unique_lock lock(mutex_);
        std::int64_t& value = std::get<std::int64_t>(map_.find(key)->second);
        return std::exchange(value, value + by);
    }
    void set(const Key& key, std::int64_t value) {
        const std::unique_lock lock(mutex_);
        map_[key] = value;
    }
    Frozen copy() const {
        const std::shared_lock lock(mutex_);
        return map_;
    }
    std::uint64_t sum() const {
        std::uint64_t sum = 0;
        for (const auto& [key, value] : map_)
            sum += static_cast<std::uint64_t>(std::get<std::int64_t>(value));
        return sum;
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
