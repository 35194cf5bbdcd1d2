// SPDX-License-Identifier: MIT
#include "takt/takt.hpp"
#include "request/config.hpp"

#include <atomic>
#include <optional>
#include <thread>

namespace takt::bench::request {
namespace {

constexpr Topic<std::uint64_t> kAsk{"Ask"};

// A runtime with one worker, paced by its mail; the answers leave through an outlet.
class Takt final : public Server {
  public:
    explicit Takt(Waits waits) : thread_([this, waits] { serve(waits); }) {
        while (!ready_.load(std::memory_order_acquire)) // edge ready, acquire side
            std::this_thread::yield();
    }
    ~Takt() override {
        runtime_->stop();
        thread_.join();
    }
    void ask(std::uint64_t number) override { producer_.send(actor_, kAsk, number); }
    bool receive(Answer& answer) override {
        const std::optional<Answer> one = outlet_->try_receive();
        if (one)
            answer = *one;
        return one.has_value();
    }

  private:
    void serve(Waits waits) {
        const std::int64_t spin_ns = waits == Waits::spinning ? kNever : 0;
        Runtime runtime({.workers = {.count = 1},
                         .wait = {.spin_ns = spin_ns},
                         .frame = {.pacing = Pacing::on_demand}},
                        machine());
        outlet_ = std::make_unique<Outlet<Answer>>(runtime.workers());
        actor_ = runtime.spawn_actor({}, [&](Actor& self) {
            self.bind_parallel(kAsk, [sender = outlet_->sender(0)](std::uint64_t number) mutable {
                sender.push(Answer{number, number * number});
                sender.flush();
            });
        });
        producer_ = runtime.producer();
        runtime_ = &runtime;
        ready_.store(true, std::memory_order_release); // edge ready, release side
        runtime.run();
    }

    std::unique_ptr<Outlet<Answer>> outlet_;
    ActorRef actor_;
    MailProducer producer_;
    Runtime* runtime_ = nullptr;
    std::atomic<bool> ready_{false};
    std::thread thread_;
};

} // namespace

std::unique_ptr<Server> make_takt(Waits waits) {
    return std::make_unique<Takt>(waits);
}

} // namespace takt::bench::request
