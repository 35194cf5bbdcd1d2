// SPDX-License-Identifier: MIT
#pragma once
// Layer 2, worker: pinned threads that take turns, how they wait and how they meet. Front header.

#include "takt/worker/event_count.hpp"

#include "takt/worker/barrier_shape.hpp"

#include "takt/worker/barrier.hpp"

#include "takt/worker/turns.hpp"

#include "takt/worker/workers.hpp"
