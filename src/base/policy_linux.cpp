// SPDX-License-Identifier: MIT
// Linux: futex, membarrier and sched_yield behind StdPolicy.
#include "takt/base/policy.hpp"

#include <bit>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace takt {
namespace {

static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
              sizeof(std::atomic<std::uint64_t>) == 8);

bool register_membarrier() noexcept {
    const long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    return commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 &&
           syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

// The kernel compares 32 bits; this is where the low half of the word lies.
const std::uint32_t* low_half(const std::atomic<std::uint64_t>& word) noexcept {
    const auto* halves = reinterpret_cast<const std::uint32_t*>(&word);
    return std::endian::native == std::endian::little ? halves : halves + 1;
}

} // namespace

#if defined(__x86_64__)

namespace {

constexpr unsigned kWaitpkgBit = 1u << 5; // CPUID leaf 7, ECX: umonitor, umwait, tpause
constexpr unsigned kStateC01 = 1;         // the lighter of the two states: wakes fastest
// Short: a spinner reads the clock once in 32 polls, so that this adds 5 us to its budget.
constexpr std::uint64_t kUmwaitCycles = 500;

bool detect_umwait() noexcept {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ecx & kWaitpkgBit) != 0;
}

} // namespace

__attribute__((target("waitpkg"))) void StdPolicy::umwait(const std::atomic<std::uint64_t>& word,
                                                          std::uint64_t seen) noexcept {
    _umonitor(const_cast<std::atomic<std::uint64_t>*>(&word));
    // relaxed: a hint; the caller loads the word again under its own edge.
    if (word.load(std::memory_order_relaxed) == seen)
        _umwait(kStateC01, __rdtsc() + kUmwaitCycles);
}

#else

namespace {

bool detect_umwait() noexcept {
    return false;
}

} // namespace

void StdPolicy::umwait(const std::atomic<std::uint64_t>&, std::uint64_t) noexcept {
    pause();
}

#endif

bool StdPolicy::membarrier_works_ = false;
bool StdPolicy::umwait_works_ = false;

void StdPolicy::detect() noexcept {
    membarrier_works_ = register_membarrier();
    umwait_works_ = detect_umwait();
}

namespace {

// Before every static initialiser of ordinary priority: a crew may be started by one of them.
__attribute__((constructor(101))) void detect_early() noexcept {
    StdPolicy::detect();
}

} // namespace

void StdPolicy::yield() noexcept {
    sched_yield();
}

void StdPolicy::park(const std::atomic<std::uint64_t>& word, std::uint32_t seen,
                     std::int64_t deadline_ns) noexcept {
    timespec until{};
    const timespec* timeout = nullptr;
    if (deadline_ns != kNever) {
        until.tv_sec = deadline_ns / 1'000'000'000;
        until.tv_nsec = deadline_ns % 1'000'000'000;
        timeout = &until;
    }
    // WAIT_BITSET takes an absolute CLOCK_MONOTONIC time, so a signal that interrupts the sleep
    // never lengthens it.
    syscall(SYS_futex, low_half(word), FUTEX_WAIT_BITSET_PRIVATE, seen, timeout, nullptr,
            FUTEX_BITSET_MATCH_ANY);
}

void StdPolicy::unpark_all(const std::atomic<std::uint64_t>& word) noexcept {
    syscall(SYS_futex, low_half(word), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

void StdPolicy::sleeper_barrier() noexcept {
    if (!membarrier_works_ || syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0)
        return;
    std::fputs("takt: membarrier(2) worked at start-up and fails now. Allow it in the sandbox's "
               "system call filter, or install the filter before the program starts.\n",
               stderr);
    std::abort();
}

} // namespace takt
