// SPDX-License-Identifier: MIT
#include "shared_table/map.hpp"

#include "takt/shared_table.hpp"

namespace takt::bench::shared_table {
namespace {

template <class Key>
class Takt {
  public:
    using Frozen = SharedTable;

    static std::int64_t get(const SharedTable& table, const Key& key) {
        return *table.get<std::int64_t>(key);
    }
    std::int64_t get(const Key& key) const { return get(table_, key); }
    std::int64_t increment(const Key& key) { return table_.increment(key, 1); }
    std::int64_t update(const Key& key) {
        std::int64_t old = 0;
        table_.update(key, [&](const std::optional<Value>& now) {
            old = std::get<std::int64_t>(*now);
            return old + 1;
        });
        return old;
    }
    void set(const Key& key, std::int64_t value) { table_.set(key, value); }
    std::int64_t clone() const { return table_.clone().is_frozen() ? 0 : 1; }
    SharedTable freeze() const { return table_.clone_and_freeze(); }

  private:
    SharedTable table_;
};

} // namespace

std::unique_ptr<Contender> make_takt(KeyKind kind, std::uint32_t keys) {
    return make_map<Takt, Key>(kind, keys);
}

} // namespace takt::bench::shared_table
