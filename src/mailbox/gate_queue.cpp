// SPDX-License-Identifier: MIT
#include "takt/mailbox/gate_queue.hpp"

#include <concurrentqueue.h>

#include <new>

#if TAKT_TELL_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

namespace takt {
namespace {

// ThreadSanitizer does not watch this file (see CMakeLists.txt); it is told what the queue promises:
// what came before a push is visible after the pop.
#if TAKT_TELL_THREAD_SANITIZER
void hand_over(void* item) noexcept {
    __tsan_release(item);
}
void take_over(void* item) noexcept {
    __tsan_acquire(item);
}
#else
void hand_over(void*) noexcept {}
void take_over(void*) noexcept {}
#endif

struct Traits : moodycamel::ConcurrentQueueDefaultTraits {
    static const std::size_t BLOCK_SIZE = 64;
    // No producers without a token: their hash table spins while it grows.
    static const std::size_t INITIAL_IMPLICIT_PRODUCER_HASH_SIZE = 0;

    // The program's operator new, so that its owner sees these allocations, too.
    static void* malloc(std::size_t bytes) noexcept { return ::operator new(bytes, std::nothrow); }
    static void free(void* memory) noexcept { ::operator delete(memory); }
};

using Queue = moodycamel::ConcurrentQueue<void*, Traits>;

} // namespace

struct GateQueue::Moodycamel {
    Queue queue{0}; // 0: no blocks before the first push
    moodycamel::ConsumerToken reader{queue};
};

class GateQueue::Token {
  public:
    explicit Token(Queue& queue) : token(queue) {}
    moodycamel::ProducerToken token;
};

GateQueue::GateQueue() : queue_(std::make_unique<Moodycamel>()) {}
GateQueue::~GateQueue() = default;

GateQueue::Token* GateQueue::make_token() noexcept {
    auto* const token = new (std::nothrow) Token(queue_->queue);
    if (token != nullptr && !token->token.valid()) {
        delete token;
        return nullptr;
    }
    return token;
}

void GateQueue::drop_token(Token* token) noexcept {
    delete token;
}

bool GateQueue::push(Token& token, void* item) noexcept {
    hand_over(item);
    return queue_->queue.enqueue(token.token, item);
}

std::size_t GateQueue::pop(void** items, std::size_t room) noexcept {
    const std::size_t count = queue_->queue.try_dequeue_bulk(queue_->reader, items, room);
    for (std::size_t at = 0; at < count; ++at)
        take_over(items[at]);
    return count;
}

std::size_t GateQueue::size() const noexcept {
    return queue_->queue.size_approx();
}

} // namespace takt
