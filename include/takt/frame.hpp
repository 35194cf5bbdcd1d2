// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame: the parallel phase and its end, the serial phase and its order. Front header.

#include "takt/frame/claims.hpp"
#include "takt/frame/observation.hpp"
#include "takt/frame/quiescence.hpp"
#include "takt/frame/recording.hpp"
#include "takt/frame/report.hpp"
#include "takt/frame/signal_core.hpp"
#include "takt/frame/world.hpp"
