// SPDX-License-Identifier: MIT
#include "mailbox_pair/config.hpp"

namespace takt::bench::pair {
namespace {

// D. Vyukov's non-intrusive MPSC queue: a node for each message, made by the sender and freed by
// the receiver.
template <std::size_t Bytes>
class Linked {
  public:
    Linked() = default;
    Linked(const Linked&) = delete;
    Linked& operator=(const Linked&) = delete;
    ~Linked() {
        drain([](const Message<Bytes>&) {});
        delete tail_;
    }
    void push(const Message<Bytes>& message) {
        Node* const node = new Node{message};
        Node* const before = head_.exchange(node, std::memory_order_acq_rel);
        before->next.store(node, std::memory_order_release);
    }
    void publish() {}
    void end_round() {}
    void meet() {}
    template <class Visit>
    void drain(Visit&& visit) {
        while (Node* const next = tail_->next.load(std::memory_order_acquire)) {
            visit(next->message);
            delete std::exchange(tail_, next);
        }
    }

  private:
    struct Node {
        Message<Bytes> message;
        std::atomic<Node*> next{nullptr};
    };
    alignas(kInterference) Node* tail_ = new Node{};
    alignas(kInterference) std::atomic<Node*> head_{tail_};
};

} // namespace

void add_linked() {
    add<Linked>("linked");
}

} // namespace takt::bench::pair
