// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor: how busy each target is, and who gets the next task. Front header.

#include "takt/actor/load.hpp"

#include "takt/actor/selector.hpp"

#include "takt/actor/snapshot.hpp"

#include "takt/actor/least_busy.hpp"
