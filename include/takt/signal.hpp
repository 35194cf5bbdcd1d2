// SPDX-License-Identifier: MIT
#pragma once
// Layer 8, signal: events that any number of listeners hear, in connect order. Front header.

#include "takt/signal/signal.hpp"
