// SPDX-License-Identifier: MIT
#pragma once
// All front headers, in the order in which data flows. The map: include/takt/README.md.

#include "takt/base.hpp"

#include "takt/topology.hpp"

#include "takt/worker.hpp"

#include "takt/mailbox.hpp"

#include "takt/actor.hpp"
