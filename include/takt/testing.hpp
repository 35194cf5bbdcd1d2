// SPDX-License-Identifier: MIT
#pragma once
// Layer 11, testing: a user's actors on one thread, with a seed, a virtual clock and probes; for any
// test framework, or none. Front header, and not part of takt/takt.hpp: servers do not need it. The
// page about it: docs/testing.md.

#include "takt/testing/test_failure.hpp"

#include "takt/testing/test_runtime.hpp"

#include "takt/testing/probe.hpp"

#include "takt/testing/seeds.hpp"
