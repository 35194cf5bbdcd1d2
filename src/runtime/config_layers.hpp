// SPDX-License-Identifier: MIT
#pragma once
// Private to layer 10, runtime. How a value is found: several Configs lie on each other, and the
// first one that speaks of a field decides.

#include "takt/runtime/config.hpp"

#include <optional>
#include <string>
#include <vector>

namespace takt::detail {

/// Fields that are set for one reason.
struct Layer {
    Origin origin;
    Config fields;
};

/// Every field from the first layer that speaks of it, or its default.
EffectiveConfig stack(const std::vector<Layer>& layers);

/// The fields that `preset` fills where `asked` leaves them automatic. It yields to what the user
/// said where the two would contradict each other.
Config preset_fields(Preset preset, const Config& asked);

/// What is in force before the machine is looked at, also of a config that is not valid.
EffectiveConfig resolve_unchecked(const Config& config);

/// True when workers.cpus says where each worker goes.
bool lists_cpus(const WorkerOptions& workers);

/// True when CPUs are named, to use or to leave alone.
bool names_cpus(const WorkerOptions& workers);

} // namespace takt::detail
