// SPDX-License-Identifier: MIT
#pragma once
// Layer 10, runtime: configuration, and the one object that owns the rest. Front header.

#include "takt/runtime/config.hpp"

#include "takt/runtime/runtime.hpp"

#include "takt/runtime/per_worker.hpp"
