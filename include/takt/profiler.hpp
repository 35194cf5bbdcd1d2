// SPDX-License-Identifier: MIT
#pragma once
// Layer 11, profiler: what frames did, seen afterwards. Front header.

#include "takt/profiler/capture.hpp"
#include "takt/profiler/files.hpp"
#include "takt/profiler/recorder.hpp"
#include "takt/profiler/watchdog.hpp"
