// SPDX-License-Identifier: MIT
#include "takt/topology/limits.hpp"

#include "topology/affinity.hpp"
#include "topology/cgroup.hpp"
#include "topology/file.hpp"

#include <algorithm>
#include <climits>

namespace takt {

int Limits::workers_by_quota() const noexcept {
    if (cpus >= static_cast<double>(INT_MAX))
        return INT_MAX;
    return std::max(1, static_cast<int>(cpus)); // the conversion rounds down
}

Limits read_limits(const LimitsConfig& config) {
    Limits limits;
    detail::Affinity affinity = detail::unpinned_affinity();
    if (affinity.error != 0)
        limits.notes.push_back("the affinity mask cannot be read (" +
                               detail::error_text(affinity.error) +
                               "): every CPU of the machine counts as allowed");
    limits.affinity = std::move(affinity.cpus);
    detail::apply_cgroup_quota(config.filesystem_root, limits);
    return limits;
}

} // namespace takt
