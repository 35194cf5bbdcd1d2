// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, shared table: tables that all threads change at once, and their snapshots. Front header.

#include "takt/shared_table/cell.hpp"
#include "takt/shared_table/key.hpp"
#include "takt/shared_table/reclaim.hpp"
#include "takt/shared_table/trie.hpp"

#include "takt/shared_table/registry.hpp"
#include "takt/shared_table/shared_table.hpp"
