// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. Bounds: how much unread mail one sender may have at one reader, and what
// happens beyond. A reader's budget is split into fixed shares, one for each sender, so that there
// is no shared counter. Below: record, wakeup. Above: gate, outlet.

#include "takt/mailbox/record.hpp"
#include "takt/mailbox/wakeup.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace takt {

/// What happens to mail beyond a limit.
enum class Overflow : std::uint8_t {
    reject,      ///< the push answers `full`
    drop_newest, ///< the push answers `ok`, and the message is dropped and counted
    drop_oldest, ///< the reader drops a sender's oldest mail, and counts it
    keep_latest, ///< the reader drops all of a sender's mail but the newest, and counts it
};

inline constexpr std::uint64_t kUnboundedBytes = UINT64_MAX;

/// The limits of one sender at one reader. Bytes count records with their headers (16 bytes), in
/// steps of 16.
struct Bounds {
    /// reject, drop_newest: what may be unread; one message that is larger never fits.
    /// drop_oldest: what the reader keeps of the mail that it finds.
    std::uint64_t share_bytes = std::uint64_t{1} << 20;
    Overflow overflow = Overflow::reject;
    /// drop_oldest, keep_latest: what may wait for the reader; a push beyond it answers `full`.
    std::uint64_t backlog_bytes = std::uint64_t{4} << 20;
    /// Mail that the reader never drops. Null: there is none. Senders push it as control mail,
    /// which no limit refuses.
    bool (*is_control)(std::uint64_t address, const RecordType& type) = nullptr;
};

/// One of `senders` equal shares of a reader's budget.
constexpr std::uint64_t share_of(std::uint64_t budget_bytes, std::size_t senders) noexcept {
    return senders == 0 ? budget_bytes : budget_bytes / senders;
}

namespace detail {

constexpr std::uint64_t units_of_bytes(std::uint64_t bytes) noexcept {
    return bytes / kRecordUnit;
}

/// What a sender is held to when it pushes, in units.
constexpr std::uint64_t push_limit(const Bounds& bounds) noexcept {
    const bool by_reader =
        bounds.overflow == Overflow::drop_oldest || bounds.overflow == Overflow::keep_latest;
    return units_of_bytes(by_reader ? bounds.backlog_bytes : bounds.share_bytes);
}

/// What the reader does when it comes to a record of `units`, with `behind` units of the same
/// sender's mail after it: drop it?
inline bool drops(const Bounds& bounds, std::uint64_t behind, std::uint64_t units,
                  std::uint64_t address, const RecordType& type) noexcept {
    if (behind == 0 || bounds.overflow == Overflow::reject ||
        bounds.overflow == Overflow::drop_newest)
        return false;
    if (bounds.overflow == Overflow::drop_oldest &&
        behind + units <= units_of_bytes(bounds.share_bytes))
        return false;
    return bounds.is_control == nullptr || !bounds.is_control(address, type);
}

} // namespace detail

/// The credit of one sender at one reader. Both count units of 16 bytes in 32 bits that wrap: the
/// sender what it has spent (LaneWriter::tail), the reader what it has dealt with
/// (LaneReader::head).
///
/// | operation | who    | progress  |
/// |-----------|--------|-----------|
/// | covers    | sender | wait-free |
/// | give_back | reader | wait-free |
///
/// C1  Spent and not given back is never more than the limit; control mail, which does not ask, may
///     go beyond.
/// C2  The sender reads the reader's word only when what it knows of it does not cover a push.
/// C3  Who gets credit back sees all that the reader did with that mail.
template <class P>
class Credit {
  public:
    /// `limit` and `start` in units: what may be unread, and where both counts begin.
    explicit Credit(std::uint64_t limit, std::uint32_t start = 0) noexcept
        : limit_(limit), known_(start), returned_(start) {}
    Credit(const Credit&) = delete;
    Credit& operator=(const Credit&) = delete;

    /// True when `units` more may be spent after `spent`.
    bool covers(std::uint32_t spent, std::uint64_t units) noexcept {
        if (fits(spent, units)) [[likely]]
            return true;
        known_ = returned_.load(std::memory_order_seq_cst); // cross wakeup, side B
        return fits(spent, units);
    }

    /// All up to `returned` is dealt with. A Wakeup::look() may follow.
    void give_back(std::uint32_t returned) noexcept {
        detail::publish_before_look<P, std::uint32_t>(returned_, returned);
    }

  private:
    bool fits(std::uint32_t spent, std::uint64_t units) const noexcept {
        return std::uint64_t{spent - known_} + units <= limit_;
    }

    const std::uint64_t limit_;
    std::uint32_t known_; // the sender's: what it last read
    // returned_:   writes: the reader   reads: the sender (C2)
    alignas(kCacheLine) typename P::template Atomic<std::uint32_t> returned_;
};

} // namespace takt
