// SPDX-License-Identifier: MIT
#pragma once
// All front headers, in the order in which data flows. The map: include/takt/README.md.

#include "takt/base.hpp"

#include "takt/topology.hpp"

#include "takt/worker.hpp"

#include "takt/mailbox.hpp"

#include "takt/phase.hpp"

#include "takt/task.hpp"

#include "takt/actor.hpp"

#include "takt/frame.hpp"

#include "takt/signal.hpp"

#include "takt/levels.hpp"

#include "takt/model.hpp"

#include "takt/shared_table.hpp"

#include "takt/dispatcher.hpp"

#include "takt/runtime.hpp"
