// SPDX-License-Identifier: MIT
#include "takt/shared_table/cell.hpp"

#include <bit>

namespace takt::table {
namespace {

__extension__ using Wide = unsigned __int128;

} // namespace

// The compiler's old built-in: g++ emits the instruction where std::atomic of 16 bytes calls libatomic,
// which may lock. ThreadSanitizer knows it too.
#if defined(__x86_64__)
__attribute__((target("cx16")))
#endif
bool WideCell::exchange_by_compiler(Both expected, Both desired) noexcept {
    return __sync_bool_compare_and_swap(
        reinterpret_cast<Wide*>(this), std::bit_cast<Wide>(expected), std::bit_cast<Wide>(desired));
}

} // namespace takt::table
