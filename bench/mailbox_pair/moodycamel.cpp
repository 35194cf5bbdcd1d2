// SPDX-License-Identifier: MIT
#include "mailbox_pair/config.hpp"

#include <concurrentqueue.h>

namespace takt::bench::pair {
namespace {

// With an explicit token, one at a time; the reader knows its producer.
template <std::size_t Bytes>
class Token {
  public:
    void push(const Message<Bytes>& message) { queue_.enqueue(token_, message); }
    void publish() {}
    void end_round() {}
    void meet() {}
    template <class Visit>
    void drain(Visit&& visit) {
        Message<Bytes> message;
        while (queue_.try_dequeue_from_producer(token_, message))
            visit(message);
    }

  private:
    moodycamel::ConcurrentQueue<Message<Bytes>> queue_;
    moodycamel::ProducerToken token_{queue_};
};

// The same, 64 at a time on both sides, whatever the row's batch.
template <std::size_t Bytes>
class Bulk64 {
  public:
    void push(const Message<Bytes>& message) {
        out_[held_back_++] = message;
        if (held_back_ == out_.size())
            flush();
    }
    void publish() {}
    void end_round() { flush(); }
    void meet() {}
    template <class Visit>
    void drain(Visit&& visit) {
        while (const std::size_t count =
                   queue_.try_dequeue_bulk_from_producer(token_, in_.data(), in_.size()))
            for (std::size_t at = 0; at < count; ++at)
                visit(in_[at]);
    }

  private:
    void flush() {
        queue_.enqueue_bulk(token_, out_.data(), held_back_);
        held_back_ = 0;
    }
    moodycamel::ConcurrentQueue<Message<Bytes>> queue_;
    moodycamel::ProducerToken token_{queue_};
    alignas(kInterference) std::array<Message<Bytes>, 64> out_;
    std::size_t held_back_ = 0;
    alignas(kInterference) std::array<Message<Bytes>, 64> in_;
};

} // namespace

void add_moodycamel() {
    add<Token>("moodycamel_token");
    add<Bulk64>("moodycamel_bulk64");
}

} // namespace takt::bench::pair
