// SPDX-License-Identifier: MIT
#pragma once
// Layer 4: the phases of a frame, the tokens that prove them, and what happens to who is wrong.

#include "takt/phase/context.hpp"
#include "takt/phase/level.hpp"
#include "takt/phase/phase_error.hpp"
#include "takt/phase/tokens.hpp"
#include "takt/phase/unchecked_scope.hpp"
