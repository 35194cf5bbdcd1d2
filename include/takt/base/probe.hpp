// SPDX-License-Identifier: MIT
#pragma once
// Layer 0, base. The write side of the recorder: what a thread does, as records in a ring of its own.
// Anyone may mark a scope; who reads the rings is at the top (profiler). Below: tick.

#include "takt/base/tick.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace takt {

/// A name that lasts as long as the program. From a literal it costs nothing; one that is made at run
/// time is kept in a table: make it once, not for each scope.
class Label {
  public:
    consteval Label(const char* literal) noexcept : name_(literal) {} // NOLINT: "ai" is a label
    /// Finds or makes it, under a lock. Throws std::bad_alloc.
    static Label of(std::string_view name);
    const char* name() const noexcept { return name_; }

  private:
    struct Kept {
        const char* name;
    };
    explicit Label(Kept kept) noexcept : name_(kept.name) {}

    const char* name_;
};

namespace detail {

enum class ProbeKind : std::uint8_t {
    // scopes
    frame,
    stage,
    round,
    parallel,
    serial,
    handler,
    commit,
    task,
    claim,
    rest, // of a worker that is out of work: up to the end of the phase and on to the next one
    park,
    user,
    // others
    plot, // `subject` is a double
    // About the record before.
    sent,   // its message: `begin` is when, `aux` by which worker
    number, // `subject`: of a frame or task, or how many messages
};

/// 32 bytes.
struct ProbeRecord {
    std::uint64_t begin;      // a tick
    std::uint64_t kind : 8;   // ProbeKind
    std::uint64_t aux : 12;   // what the kind says
    std::uint64_t ticks : 44; // how long; what is longer than 2^44 is that
    const char* name;         // lasts as long as the program; may be null
    std::uint64_t subject;    // an actor's address, where nothing else is said
};
static_assert(sizeof(ProbeRecord) == 32);

/// The last records of one thread. Its reader looks at it while the writer stands still.
class ProbeRing {
  public:
    /// `records` is rounded up to a power of two. Throws std::bad_alloc.
    explicit ProbeRing(std::size_t records)
        : mask_(std::bit_ceil(records) - 1), records_(new ProbeRecord[mask_ + 1]) {}

    /// Wait-free; overwrites the oldest.
    void write(const ProbeRecord& record) noexcept { records_[written_++ & mask_] = record; }
    std::uint64_t written() const noexcept { return written_; }
    std::uint64_t dropped() const noexcept {
        return written_ > mask_ + 1 ? written_ - (mask_ + 1) : 0;
    }
    /// `number`: from dropped() up to written().
    const ProbeRecord& record(std::uint64_t number) const noexcept {
        return records_[number & mask_];
    }
    std::size_t bytes() const noexcept { return (mask_ + 1) * sizeof(ProbeRecord); }

  private:
    const std::uint64_t mask_;
    std::uint64_t written_ = 0;
    const std::unique_ptr<ProbeRecord[]> records_;
};

class ScopeMark;

/// What a thread writes to while it is recorded.
class Probe {
  public:
    explicit Probe(std::size_t records) : ring_(records) {}

    void write(ProbeKind kind, std::uint64_t begin, std::uint64_t end, const char* name,
               std::uint64_t subject, unsigned aux = 0) noexcept {
        constexpr std::uint64_t kTicksMax = (std::uint64_t{1} << 44) - 1;
        const std::uint64_t ticks = end > begin ? end - begin : 0; // a counter may go backwards
        ring_.write({begin, static_cast<std::uint8_t>(kind), aux & 0xfffU,
                     (ticks < kTicksMax ? ticks : kTicksMax) & kTicksMax, name, subject});
    }
    ProbeRing& ring() noexcept { return ring_; }
    const ProbeRing& ring() const noexcept { return ring_; }

    /// The innermost scope that is open.
    ScopeMark* open = nullptr;
    /// When its worker came to rest, up to the record of that; 0: it has not, or that is not known.
    std::uint64_t rest_tick = 0;

  private:
    ProbeRing ring_;
};

// t_probe:   writes, reads: its thread
inline constinit thread_local Probe* t_probe = nullptr;

// As TAKT_THREAD_LOCAL_ACCESS: clang before 16 may keep its address across a suspension.
#if defined(__clang__) && __clang_major__ < 16
[[gnu::noinline]]
#endif
inline Probe*
current_probe() noexcept {
    return t_probe;
}

/// The part of a Scope that knows its probe. Those of one coroutine hang together while it is
/// suspended: they close, and open again where it goes on.
class ScopeMark {
  public:
    ScopeMark(const char* name, Probe* probe) noexcept : name_(name), probe_(probe) {
        if (probe != nullptr) {
            below_ = probe->open;
            probe->open = this;
            begin_ = tick();
        }
    }
    ~ScopeMark() {
        if (probe_ != nullptr) {
            probe_->write(ProbeKind::user, begin_, tick(), name_, 0);
            probe_->open = below_;
        }
    }
    ScopeMark(const ScopeMark&) = delete;
    ScopeMark& operator=(const ScopeMark&) = delete;

    /// Closes what was opened since `below` was the innermost one. Returns the innermost of those.
    static ScopeMark* suspend(Probe& probe, ScopeMark* below) noexcept;
    /// Opens them again, on this thread's probe; null: it is not recorded, and they stay closed for good.
    static void resume(Probe* probe, ScopeMark* innermost) noexcept;

  private:
    const char* const name_;
    Probe* probe_; // null: closed
    ScopeMark* below_ = nullptr;
    std::uint64_t begin_ = 0;
};

} // namespace detail

/// Marks what the caller does from here to the end of the block, in the frame view and in traces. On the
/// threads of a runtime that is recorded (takt::Recorder); elsewhere, and while nothing is recorded, it
/// costs one thread-local read. A local variable: scopes end in the reverse order of their beginning. In a
/// task it closes where that waits, and opens again where it goes on; not after offload().
class [[nodiscard]] Scope {
  public:
    explicit Scope(Label label) noexcept : mark_(label.name(), detail::current_probe()) {}

  private:
    detail::ScopeMark mark_;
};

/// Adds a point to the line of that name. Where Scope would record; wait-free.
inline void plot(Label label, double value) noexcept {
    if (detail::Probe* const probe = detail::current_probe())
        probe->write(detail::ProbeKind::plot, tick(), 0, label.name(),
                     std::bit_cast<std::uint64_t>(value));
}

} // namespace takt
