// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, model: the tree of instances, and their attributes. Front header.

#include "takt/model/attribute.hpp"

#include "takt/model/instance_tree.hpp"

#include "takt/model/instance.hpp"
