// SPDX-License-Identifier: MIT
#include "shared_table/config.hpp"

#include "takt/shared_table.hpp"

namespace takt::bench::shared_table {
namespace {

template <class Keys>
class Takt : public Contender {
  public:
    explicit Takt(std::uint32_t keys) : keys_(keys) {}

    void fill() override {
        for (std::uint32_t at = 0; at < keys_.size(); ++at)
            table_.set(keys_[at], 1);
        frozen_ = table_.clone_and_freeze();
        std::uint64_t all = 0; // seals what is frozen, once
        frozen_.for_each([&](const KeyView&, const Value&) { ++all; });
        for (std::uint32_t at = 0; at < keys_.size(); ++at) // takes all nodes home again
            table_.set(keys_[at], 1);
    }

    std::uint64_t get(const Order& order, std::size_t operations) override {
        return get_from(table_, order, operations);
    }
    std::uint64_t get_frozen(const Order& order, std::size_t operations) override {
        return get_from(frozen_, order, operations);
    }
    std::uint64_t increment(const Order& order, std::size_t operations) override {
        std::uint64_t sum = 0;
        for (std::size_t at = 0; at < operations; ++at)
            sum += static_cast<std::uint64_t>(table_.increment(key(order, at), 1));
        return sum;
    }
    std::uint64_t update(const Order& order, std::size_t operations) override {
        for (std::size_t at = 0; at < operations; ++at)
            table_.update(key(order, at), [](const std::optional<Value>& now) {
                return std::get<std::int64_t>(*now) + 1;
            });
        return operations;
    }
    std::uint64_t mixed(const Order& order, std::size_t operations, unsigned gets) override {
        std::uint64_t sum = 0;
        for (std::size_t at = 0; at < operations; ++at) {
            if (is_get(at, gets))
                sum += static_cast<std::uint64_t>(*table_.get<std::int64_t>(key(order, at)));
            else
                table_.set(key(order, at), static_cast<std::int64_t>(at));
        }
        return sum;
    }
    std::uint64_t clone(std::size_t operations) override {
        std::uint64_t frozen = 0;
        for (std::size_t at = 0; at < operations; ++at)
            frozen += table_.clone().is_frozen();
        return frozen;
    }
    std::uint64_t sum() override {
        std::uint64_t sum = 0;
        table_.for_each([&](const KeyView&, const Value& value) {
            sum += static_cast<std::uint64_t>(std::get<std::int64_t>(value));
        });
        for (std::uint32_t at = 0; at < keys_.size(); ++at) // home again
            table_.increment(keys_[at], 0);
        return sum;
    }

  private:
    decltype(auto) key(const Order& order, std::size_t at) const {
        return keys_[order[at & (order.size() - 1)]];
    }
    std::uint64_t get_from(const SharedTable& table, const Order& order, std::size_t operations) {
        std::uint64_t sum = 0;
        for (std::size_t at = 0; at < operations; ++at)
            sum += static_cast<std::uint64_t>(*table.get<std::int64_t>(key(order, at)));
        return sum;
    }

    const Keys keys_;
    SharedTable table_;
    SharedTable frozen_;
};

} // namespace

std::unique_ptr<Contender> make_takt(KeyKind kind, std::uint32_t keys) {
    if (kind == KeyKind::index)
        return std::make_unique<Takt<Indices>>(keys);
    return std::make_unique<Takt<Texts<Key>>>(keys);
}

} // namespace takt::bench::shared_table
