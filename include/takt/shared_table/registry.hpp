// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, shared table. Tables by name, for those who have no other way to get at one. Below:
// shared_table. Above: runtime, which has one.

#include "takt/shared_table/shared_table.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace takt {

/// The shared tables of a runtime, by name. Any thread, at any time; lock-free, but for memory. Who
/// has a table keeps it, whatever becomes of its name. With next_round delivery names are written in
/// the serial phase only, as tables are.
class SharedTableRegistry {
  public:
    SharedTableRegistry() = default;
    SharedTableRegistry(const SharedTableRegistry&) = delete;
    SharedTableRegistry& operator=(const SharedTableRegistry&) = delete;

    /// The table of this name; an empty one, from now on, where there is none. All who ask at once get
    /// the same one.
    SharedTable get_or_create(std::string_view name);
    std::optional<SharedTable> find(std::string_view name) const;
    /// From now on this table has the name.
    void set(std::string_view name, const SharedTable& table);
    /// True when there was one.
    bool erase(std::string_view name);
    /// Of one moment, sorted.
    std::vector<std::string> names() const;

  private:
    SharedTable tables_;
};

} // namespace takt
