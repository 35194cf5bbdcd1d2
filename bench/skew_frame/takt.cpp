// SPDX-License-Identifier: MIT
#include "takt/takt.hpp"
#include "skew_frame/config.hpp"

namespace takt::bench::skew_frame {
namespace {

constexpr Topic<> kRun{"Run"};

struct Player {
    std::size_t actor;
};

class Takt final : public Contender {
  public:
    Takt(Cast& cast, int workers)
        : runtime_({.workers = {.count = workers, .pin_caller = true}}, machine()) {
        players_.bind_parallel(kRun, [&cast](Player& self) { cast.run(self.actor); });
        runtime_.serial();
        for (std::size_t actor = 0; actor < kActors; ++actor)
            actors_.push_back(runtime_.spawn_actor(players_, {}, Player{actor}));
    }
    void prepare() override {
        for (const ActorRef actor : actors_)
            actor.send(kRun);
    }
    void frame() override { runtime_.step(); }
    std::map<std::string, double> counters() const override {
        const BalanceCounts counts = runtime_.balance();
        return {{"claims", static_cast<double>(counts.claims)},
                {"moves", static_cast<double>(counts.moves)}};
    }

  private:
    Runtime runtime_;
    Behaviour<Player> players_;
    std::vector<ActorRef> actors_;
};

} // namespace

std::unique_ptr<Contender> make_takt(Cast& cast, int workers) {
    return std::make_unique<Takt>(cast, workers);
}

} // namespace takt::bench::skew_frame
