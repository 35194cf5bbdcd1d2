// SPDX-License-Identifier: MIT
#pragma once
// Layer 0, base: what every layer may use. Front header.

#include "takt/base/arena.hpp"
#include "takt/base/cache_line.hpp"
#include "takt/base/check.hpp"
#include "takt/base/clock.hpp"
#include "takt/base/error.hpp"
#include "takt/base/histogram.hpp"
#include "takt/base/policy.hpp"
#include "takt/base/probe.hpp"
#include "takt/base/tick.hpp"
#include "takt/base/unique_function.hpp"
#include "takt/base/vector3.hpp"
