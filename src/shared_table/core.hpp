// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, shared table. What the handles of one table share, where these cores come from, and the
// calling thread's part in their reclamation.

#include "takt/shared_table.hpp"

#include <atomic>
#include <cstdint>

namespace takt::detail {

using table::TablePolicy;
using Reader = table::Reader<TablePolicy>;
using Snapshot = table::Snapshot<TablePolicy>;

/// What the handles of one table share.
struct TableCore {
    TableCore(Snapshot content, bool is_frozen) noexcept
        : trie(std::move(content), is_frozen), frozen(is_frozen) {}

    /// A new one, with one handle. Throws std::bad_alloc. Lock-free, but for memory.
    static SharedTable make(Snapshot content, bool is_frozen);
    static TableCore& of(const SharedTable& table) noexcept { return *table.core_; }
    /// Null for a handle that was moved from.
    static TableCore* find(const SharedTable& table) noexcept { return table.core_; }
    /// A handle more: `core` has one that stays meanwhile.
    static SharedTable handle(TableCore* core) noexcept {
        core->hold();
        return SharedTable(core);
    }

    void hold() noexcept {
        handles.fetch_add(1, std::memory_order_relaxed); // relaxed: it hands nothing over
    }
    /// The last one takes the table along, and the tables that only it had, one after the other.
    void drop() noexcept;

    table::Trie<TablePolicy> trie;
    // handles: SharedTables, and leaves of other tables.   edge handles: hands over the table
    std::atomic<std::uint32_t> handles{1};
    bool frozen;                      // written before others know the table
    TableCore* next_to_die = nullptr; // of the thread that takes it along
};

/// While it lives, tables whose last handle the calling thread drops stay: what an operation works on
/// may be among them.
class LateBurial {
  public:
    LateBurial() noexcept;
    ~LateBurial();
    LateBurial(const LateBurial&) = delete;
    LateBurial& operator=(const LateBurial&) = delete;

  private:
    const bool was_late_;
};

extern constinit thread_local Reader* reader_of_thread;
Reader& join_readers();

/// The calling thread's reader; made on its first use. Throws std::bad_alloc.
inline Reader& this_reader() {
    Reader* const reader = reader_of_thread;
    return reader != nullptr ? *reader : join_readers();
}
std::size_t garbage_bytes() noexcept;

} // namespace takt::detail
