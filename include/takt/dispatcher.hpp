// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, dispatcher: work for the least busy of many equal actors. Front header.

#include "takt/dispatcher/dispatcher.hpp"
