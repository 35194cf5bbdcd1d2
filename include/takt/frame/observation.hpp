// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. What others see of a frame while it runs: a worker's mark of what it is running, for
// who watches from another thread, and hooks for somebody else's profiler. Below: actor. Above: the
// engine, which writes them; the profiler's watchdog, which reads them.

#include "takt/actor.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace takt {

/// Called by the threads of a runtime as they run, with `user`; null: not. Each must be quick, and must not
/// throw. For a profiler that a server has already: forward them to it.
struct ProfilerHooks {
    void* user = nullptr;
    /// The thread is about to run its first phase with these hooks; it has run its last one.
    void (*thread_start)(void* user, int worker) = nullptr;
    void (*thread_stop)(void* user, int worker) = nullptr;
    /// Phase::parallel on each worker, as often as it wakes and rests in one; Phase::serial on worker 0,
    /// which is the frame thread.
    void (*phase_begin)(void* user, int worker, Phase phase) = nullptr;
    void (*phase_end)(void* user, int worker, Phase phase) = nullptr;
    /// A message in the parallel phase, a commit in the serial one. `topic` lasts as long as the
    /// program; of a commit it is empty. Not nested.
    void (*scope_begin)(void* user, int worker, const char* topic, ActorRef actor) = nullptr;
    void (*scope_end)(void* user, int worker) = nullptr;
    /// The thread sleeps in the kernel.
    void (*park_begin)(void* user, int worker) = nullptr;
    void (*park_end)(void* user, int worker) = nullptr;
};

/// What a worker was seen to run.
struct RunningScope {
    std::uint64_t number = 0; ///< of this worker; a later one has a higher one
    std::uint64_t actor = 0;  ///< address, 0: nobody's
    const char* topic = nullptr;
    std::string name = {}; ///< the actor's, its first 31 bytes
};

namespace detail {

/// What its worker is running. Written by the worker, read by anyone: a sequence lock, whose number is
/// odd while something runs.
///
/// | operation  | progress                                                 |
/// |------------|----------------------------------------------------------|
/// | begin, end | wait-free                                                |
/// | look       | wait-free; sees nothing where the worker goes on meanwhile |
template <class P>
class RunningMark {
  public:
    void begin(std::uint64_t actor, const char* topic, std::string_view name) noexcept {
        std::array<char, kNameBytes> bytes{};
        std::memcpy(bytes.data(), name.data(), std::min(name.size(), kNameBytes - 1));
        for (std::size_t at = 0; at < name_.size(); ++at) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes.data() + at * sizeof word, sizeof word);
            name_[at].store(word, std::memory_order_release); // edge running, release side
        }
        actor_.store(actor, std::memory_order_release); // edge running, release side
        topic_.store(topic, std::memory_order_release); // edge running, release side
        own_number_ = (own_number_ + 1) | 1;
        number_.store(own_number_, std::memory_order_release); // edge running, release side
    }
    /// Of what runs: it is known by now.
    void set_topic(const char* topic) noexcept {
        topic_.store(topic, std::memory_order_release); // edge running, release side
    }
    void end() noexcept {
        own_number_ += own_number_ & 1;
        number_.store(own_number_, std::memory_order_release); // edge running, release side
    }
    /// False: nothing runs, or the worker has gone on since.
    bool look(RunningScope& to) const {
        const std::uint64_t number =
            number_.load(std::memory_order_acquire); // edge running, acquire side
        if (number % 2 == 0)
            return false;
        std::array<char, kNameBytes> bytes{};
        for (std::size_t at = 0; at < name_.size(); ++at) {
            const std::uint64_t word =
                name_[at].load(std::memory_order_acquire); // edge running, acquire side
            std::memcpy(bytes.data() + at * sizeof word, &word, sizeof word);
        }
        to.actor = actor_.load(std::memory_order_acquire); // edge running, acquire side
        to.topic = topic_.load(std::memory_order_acquire); // edge running, acquire side
        to.number = number;
        to.name = bytes.data();
        // relaxed: who has read something newer has acquired the end that came before it
        return number_.load(std::memory_order_relaxed) == number;
    }

  private:
    static constexpr std::size_t kNameBytes = 32;

    // number_, name_, actor_, topic_:   writes: the worker   reads: who watches
    //   edge running: who reads something of a later scope sees that the one before has ended.
    typename P::template Atomic<std::uint64_t> number_{0};
    std::array<typename P::template Atomic<std::uint64_t>, kNameBytes / 8> name_{};
    typename P::template Atomic<std::uint64_t> actor_{0};
    typename P::template Atomic<const char*> topic_{nullptr};
    std::uint64_t own_number_ = 0;
};

} // namespace detail
} // namespace takt
