// SPDX-License-Identifier: MIT
#pragma once
// Layer 5: coroutines that belong to actors, and what they may wait for.

#include "takt/task/awaits.hpp"
#include "takt/task/frame_pool.hpp"
#include "takt/task/group.hpp"
#include "takt/task/library.hpp"
#include "takt/task/task.hpp"
#include "takt/task/task_ref.hpp"
#include "takt/task/timers.hpp"
