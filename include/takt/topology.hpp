// SPDX-License-Identifier: MIT
#pragma once
// Layer 1, topology: what the machine has, what this process may use of it, and which worker goes
// where. Front header.

#include "takt/base.hpp"

#include "takt/topology/booking.hpp"
#include "takt/topology/cpu_set.hpp"
#include "takt/topology/limits.hpp"
#include "takt/topology/machine.hpp"
#include "takt/topology/pin.hpp"
#include "takt/topology/plan.hpp"
