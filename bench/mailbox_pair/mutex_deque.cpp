// SPDX-License-Identifier: MIT
#include "mailbox_pair/config.hpp"

#include <deque>
#include <mutex>

namespace takt::bench::pair {
namespace {

// The sender adds a batch under the lock, the receiver takes all there is.
template <std::size_t Bytes>
class MutexDeque {
  public:
    void push(const Message<Bytes>& message) { batch_.push_back(message); }
    void publish() {
        const std::lock_guard guard(mutex_);
        mail_.insert(mail_.end(), batch_.begin(), batch_.end());
        batch_.clear();
    }
    void end_round() {}
    void meet() {}
    template <class Visit>
    void drain(Visit&& visit) {
        {
            const std::lock_guard guard(mutex_);
            mail_.swap(taken_);
        }
        for (const Message<Bytes>& message : taken_)
            visit(message);
        taken_.clear();
    }

  private:
    alignas(kInterference) std::mutex mutex_;
    std::deque<Message<Bytes>> mail_;
    alignas(kInterference) std::vector<Message<Bytes>> batch_;
    alignas(kInterference) std::deque<Message<Bytes>> taken_;
};

} // namespace

void add_mutex_deque() {
    add<MutexDeque>("mutex_deque");
}

} // namespace takt::bench::pair
