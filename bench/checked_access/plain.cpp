// SPDX-License-Identifier: MIT
#include "checked_access/config.hpp"

namespace takt::bench::checked_access {
namespace {

// A variable, and nobody who looks at who uses it.
class Plain {
  public:
    Window reads() {
        *values_ = initial_values();
        return time_reads(*values_, [this]() -> const Values& { return *values_; });
    }
    Window writes() {
        return time_writes([this]() -> Values& { return *values_; },
                           [this]() -> const Values& { return *values_; });
    }

  private:
    std::unique_ptr<Values> values_ = std::make_unique<Values>();
};

} // namespace

void add_plain(Field& field) {
    add<Plain>(field, "plain");
}

} // namespace takt::bench::checked_access
