// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. The queue behind a gate for threads that have no lane: moodycamel's
// ConcurrentQueue, which stays out of our headers. Below: nothing. Above: gate, which knows what
// the items are.

#include <cstddef>
#include <memory>

namespace takt {

/// A queue of pointers, first in first out for each token (C. Desrochers, "A Fast General Purpose
/// Lock-Free Queue for C++", 2014).
///
/// | operation  | who                      | progress                                          |
/// |------------|--------------------------|---------------------------------------------------|
/// | make_token | anyone                   | lock-free, but for memory                         |
/// | push       | the token's thread       | lock-free; wait-free but for memory               |
/// | pop        | one thread, the reader   | never waits for a push                            |
class GateQueue {
  public:
    /// A thread's way in. What it has pushed stays in the queue when it is dropped.
    class Token;

    GateQueue();
    ~GateQueue();
    GateQueue(const GateQueue&) = delete;
    GateQueue& operator=(const GateQueue&) = delete;

    /// Null: no memory.
    Token* make_token() noexcept;
    void drop_token(Token* token) noexcept;

    /// False: no memory, and nothing was pushed.
    bool push(Token& token, void* item) noexcept;
    /// Takes up to `room` items and returns how many.
    std::size_t pop(void** items, std::size_t room) noexcept;
    /// Items in the queue; those whose push is visible to the caller count.
    std::size_t size() const noexcept;

  private:
    struct Moodycamel;
    std::unique_ptr<Moodycamel> queue_;
};

} // namespace takt
