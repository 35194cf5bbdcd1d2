// SPDX-License-Identifier: MIT
#pragma once
// Layer 8, levels: how state may be shared between actors. So far: read in parallel, write in the
// serial phase. Front header.

#include "takt/levels/read_parallel.hpp"
