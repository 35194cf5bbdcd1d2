// SPDX-License-Identifier: MIT
#include "request/config.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace takt::bench::request {
namespace {

// A pool of one thread, with a deque, a mutex and a condition variable in each direction. The one
// that spins looks at the number of requests before it takes the mutex.
class ThreadPool final : public Server {
  public:
    explicit ThreadPool(Waits waits) : waits_(waits), thread_([this] { serve(); }) {}
    ~ThreadPool() override {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
            arrived_.fetch_add(1);
        }
        work_.notify_one();
        thread_.join();
    }
    void ask(std::uint64_t number) override {
        {
            const std::lock_guard lock(mutex_);
            requests_.push_back(number);
            arrived_.fetch_add(1);
        }
        if (waits_ == Waits::parked)
            work_.notify_one();
    }
    bool receive(Answer& answer) override {
        if (answered_.load() == received_)
            return false;
        const std::lock_guard lock(answers_mutex_);
        answer = answers_.front();
        answers_.pop_front();
        ++received_;
        return true;
    }

  private:
    void serve() {
        const Plan plan = plan_for(1);
        const ScopedPin pin(plan.workers[0].cpu);
        std::uint64_t seen = 0;
        for (;;) {
            if (waits_ == Waits::spinning)
                while (arrived_.load() == seen)
                    StdPolicy::pause();
            std::unique_lock lock(mutex_);
            if (waits_ == Waits::parked)
                work_.wait(lock, [this] { return ending_ || !requests_.empty(); });
            seen = arrived_.load();
            while (!requests_.empty()) {
                const std::uint64_t number = requests_.front();
                requests_.pop_front();
                lock.unlock();
                answer(number);
                lock.lock();
            }
            if (ending_)
                return;
        }
    }
    void answer(std::uint64_t number) {
        const std::lock_guard lock(answers_mutex_);
        answers_.push_back({number, number * number});
        answered_.fetch_add(1);
    }

    const Waits waits_;
    std::mutex mutex_;
    std::condition_variable work_;
    std::deque<std::uint64_t> requests_;
    bool ending_ = false;
    alignas(kInterference) std::atomic<std::uint64_t> arrived_{0};
    alignas(kInterference) std::atomic<std::uint64_t> answered_{0};
    std::mutex answers_mutex_;
    std::deque<Answer> answers_;
    std::uint64_t received_ = 0; // the client's
    std::thread thread_;
};

} // namespace

std::unique_ptr<Server> make_thread_pool(Waits waits) {
    return std::make_unique<ThreadPool>(waits);
}

} // namespace takt::bench::request
