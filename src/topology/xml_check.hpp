// SPDX-License-Identifier: MIT
#pragma once
// Layer 1, topology, private. What an exported topology must look like before hwloc may read it.

#include <string>
#include <string_view>

namespace takt::detail {

/// hwloc 2.9 dereferences null for an object without all of its CPU and node sets, so one wrong
/// byte in a file ends the process. This reads the object tags, strictly, as `lstopo --of xml`
/// writes them, and returns what is wrong with them; empty when they are complete. The rest of the
/// file is left to hwloc.
std::string find_xml_fault(std::string_view xml);

} // namespace takt::detail
