// SPDX-License-Identifier: MIT
#include "takt/shared_table/registry.hpp"

#include <algorithm>
#include <utility>

namespace takt {

SharedTable SharedTableRegistry::get_or_create(std::string_view name) {
    if (std::optional<SharedTable> there = find(name))
        return *std::move(there);
    detail::require_table_write("takt::SharedTableRegistry::get_or_create");
    SharedTable table;
    tables_.update(name, [&](const std::optional<Value>& now) {
        table = now ? std::get<SharedTable>(*now) : SharedTable();
        return table;
    });
    return table;
}

std::optional<SharedTable> SharedTableRegistry::find(std::string_view name) const {
    return tables_.get<SharedTable>(name);
}

void SharedTableRegistry::set(std::string_view name, const SharedTable& table) {
    detail::require_table_write("takt::SharedTableRegistry::set");
    tables_.set(name, table);
}

bool SharedTableRegistry::erase(std::string_view name) {
    detail::require_table_write("takt::SharedTableRegistry::erase");
    return tables_.erase(name);
}

std::vector<std::string> SharedTableRegistry::names() const {
    std::vector<std::string> names;
    tables_.for_each([&](const KeyView& name, const Value&) { names.emplace_back(name.text()); });
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace takt
