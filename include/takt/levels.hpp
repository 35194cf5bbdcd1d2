// SPDX-License-Identifier: MIT
#pragma once
// Layer 8, levels: how state may be shared between actors, from the serial phase alone (Unsafe) to
// every thread (Safe); the same for functions. All members by level: docs/levels.md. Front header.

#include "takt/levels/local_safe.hpp"
#include "takt/levels/read_parallel.hpp"
#include "takt/levels/require_owner.hpp"
#include "takt/levels/safe.hpp"
#include "takt/levels/unsafe.hpp"
