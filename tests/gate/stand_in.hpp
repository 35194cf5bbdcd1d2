// SPDX-License-Identifier: MIT
#pragma once
// Test support: what stands for moodycamel's queue and for an eventfd under the explorer.

#include "takt/mailbox.hpp"

#include <deque>

namespace gate_test {

/// A queue with the face of takt::GateQueue: a stack that is taken whole and turned around.
template <class P>
class StandInQueue {
  public:
    struct Token {};

    ~StandInQueue() {
        take_all();
        while (!taken_.empty())
            pop_one();
    }
    Token* make_token() noexcept { return new Token; }
    void drop_token(Token* token) noexcept { delete token; }
    bool push(Token&, void* item) noexcept {
        Node* const node =
            new Node{typename P::template Plain<void*>(item), top_.load(std::memory_order_relaxed)};
        while (!top_.compare_exchange_weak(node->next, node, std::memory_order_release,
                                           std::memory_order_relaxed)) {
        }
        return true;
    }
    std::size_t pop(void** items, std::size_t room) noexcept {
        take_all();
        std::size_t count = 0;
        for (; count < room && !taken_.empty(); ++count)
            items[count] = pop_one();
        return count;
    }
    std::size_t size() noexcept {
        take_all();
        return taken_.size();
    }

  private:
    struct Node {
        typename P::template Plain<void*> item;
        Node* next;
    };
    void take_all() noexcept {
        std::deque<Node*> newest_last;
        for (Node* node = top_.exchange(nullptr, std::memory_order_acquire); node != nullptr;
             node = node->next)
            newest_last.push_front(node);
        taken_.insert(taken_.end(), newest_last.begin(), newest_last.end());
    }
    void* pop_one() {
        Node* const node = taken_.front();
        taken_.pop_front();
        void* const item = node->item.get();
        delete node;
        return item;
    }

    typename P::template Atomic<Node*> top_{nullptr};
    std::deque<Node*> taken_;
};

/// A descriptor with the face of takt::EventFd, and the epoll that waits for it.
template <class P>
class StandInSignal {
  public:
    int open() noexcept { return 0; }
    void raise() noexcept {
        raised_.fetch_add(1, std::memory_order_release);
        P::unpark_all(raised_);
    }
    void clear() noexcept { cleared_ = raised_.load(std::memory_order_acquire); }
    /// Sleeps until it is readable.
    void epoll() noexcept {
        while (raised_.load(std::memory_order_acquire) == cleared_)
            P::park(raised_, static_cast<std::uint32_t>(cleared_), takt::kNever);
    }
    std::uint64_t raised() const noexcept { return raised_.load(std::memory_order_relaxed); }

  private:
    typename P::template Atomic<std::uint64_t> raised_{0};
    std::uint64_t cleared_ = 0; // the receiver's
};

} // namespace gate_test
