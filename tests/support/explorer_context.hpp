// SPDX-License-Identifier: MIT
#pragma once
// Test support, explorer. A fiber's stack and the switch between two of them. Neighbour above:
// explorer_engine.hpp, which decides who runs.
//
// x86-64 has its own switch of a dozen instructions: swapcontext makes a system call each time, and
// a run is little else but switches. Other CPUs use ucontext. AddressSanitizer is told of each
// switch, so that it knows which stack is in use.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <cxxabi.h>
#include <memory>

#if defined(__SANITIZE_THREAD__)
#define TAKT_EXPLORER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TAKT_EXPLORER_TSAN 1
#endif
#endif
#ifdef TAKT_EXPLORER_TSAN
#error                                                                                             \
    "The explorer runs on one OS thread: ThreadSanitizer has nothing to find. Leave model tests out."
#endif
#if defined(__SANITIZE_ADDRESS__)
#define TAKT_EXPLORER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TAKT_EXPLORER_ASAN 1
#endif
#endif
#ifdef TAKT_EXPLORER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifndef __x86_64__
#define TAKT_EXPLORER_UCONTEXT 1
#endif
#ifdef TAKT_EXPLORER_UCONTEXT
#include <ucontext.h>
#endif

namespace explorer {

#ifndef TAKT_EXPLORER_UCONTEXT
/// Pushes the callee-saved registers, stores the stack pointer in *save, continues at `resume`.
__attribute__((naked, noinline)) inline void switch_stack(void** /*save: rdi*/,
                                                          void* /*resume: rsi*/) {
    asm("pushq %rbp\n\t"
        "pushq %rbx\n\t"
        "pushq %r12\n\t"
        "pushq %r13\n\t"
        "pushq %r14\n\t"
        "pushq %r15\n\t"
        "movq %rsp, (%rdi)\n\t"
        "movq %rsi, %rsp\n\t"
        "popq %r15\n\t"
        "popq %r14\n\t"
        "popq %r13\n\t"
        "popq %r12\n\t"
        "popq %rbx\n\t"
        "popq %rbp\n\t"
        "ret");
}
#endif

/// One stack with the point at which it stopped. A Context that was never started stands for the
/// thread's own stack.
class Context {
  public:
    /// The next switch to this context calls `entry` on a fresh stack; `entry` never returns.
    void start(void (*entry)()) {
        if (!stack_)
            stack_.reset(new std::byte[kStackBytes]);
#ifdef TAKT_EXPLORER_ASAN
        __asan_unpoison_memory_region(stack_.get(), kStackBytes); // frames left for ever last time
        bottom_ = stack_.get();
        size_ = kStackBytes;
#endif
        std::memcpy(stack_.get(), &kCanary, sizeof(kCanary));
        std::memset(exceptions_.data(), 0, exceptions_.size());
        prepare(entry);
    }

    /// False when the stack was too small and its last word is gone.
    bool intact() const {
        return !stack_ || std::memcmp(stack_.get(), &kCanary, 8) == 0;
    }

    /// Leaves `from` and continues `to`; returns when something switches back to `from`, which
    /// nothing does if `from` has `ended`.
    static void swap(Context& from, Context& to, [[maybe_unused]] bool ended = false) {
        void* const exceptions = abi::__cxa_get_globals(); // a fiber may stop inside a catch block
        std::memcpy(from.exceptions_.data(), exceptions, kExceptionBytes);
        std::memcpy(exceptions, to.exceptions_.data(), kExceptionBytes);
        left_ = &from;
#ifdef TAKT_EXPLORER_ASAN
        __sanitizer_start_switch_fiber(ended ? nullptr : &from.fake_stack_, to.bottom_, to.size_);
#endif
#ifndef TAKT_EXPLORER_UCONTEXT
        switch_stack(&from.top_, to.top_);
#else
        swapcontext(&from.machine_, &to.machine_);
#endif
        landed(from.fake_stack_);
    }

    /// The first call on a fresh stack.
    static void landed([[maybe_unused]] void* fake_stack = nullptr) {
#ifdef TAKT_EXPLORER_ASAN
        __sanitizer_finish_switch_fiber(fake_stack, &left_->bottom_, &left_->size_);
#endif
    }

  private:
#ifdef TAKT_EXPLORER_ASAN
    static constexpr std::size_t kStackBytes = 512 * 1024;
#else
    static constexpr std::size_t kStackBytes = 128 * 1024;
#endif
    static constexpr std::uint64_t kCanary = 0x7461'6b74'7374'6163;
    // __cxa_eh_globals of the Itanium C++ ABI: the caught exceptions, a count of those in flight.
    static constexpr std::size_t kExceptionBytes = 2 * sizeof(void*);

#ifndef TAKT_EXPLORER_UCONTEXT
    void prepare(void (*entry)()) {
        auto top =
            reinterpret_cast<std::uintptr_t>(stack_.get() + kStackBytes) & ~std::uintptr_t{15};
        auto* const words = reinterpret_cast<std::uintptr_t*>(top) - 8;
        std::memset(words, 0, 8 * sizeof(*words));
        words[6] =
            reinterpret_cast<std::uintptr_t>(entry); // six registers, then where to return to
        top_ = words;
    }
    void* top_ = nullptr;
#else
    void prepare(void (*entry)()) {
        getcontext(&machine_);
        machine_.uc_stack.ss_sp = stack_.get();
        machine_.uc_stack.ss_size = kStackBytes;
        machine_.uc_link = nullptr;
        makecontext(&machine_, entry, 0);
    }
    ucontext_t machine_{};
#endif

    inline static Context* left_ = nullptr;

    std::unique_ptr<std::byte[]> stack_;
    std::array<std::byte, kExceptionBytes> exceptions_{};
    void* fake_stack_ = nullptr;
    const void* bottom_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace explorer
