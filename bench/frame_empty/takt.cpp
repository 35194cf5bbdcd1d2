// SPDX-License-Identifier: MIT
#include "takt/takt.hpp"
#include "frame_empty/config.hpp"

namespace takt::bench::frame_empty {
namespace {

constexpr Topic<> kRun{"Run"};

// One actor per worker, one message for each, sent in the serial phase between frames.
class Takt {
  public:
    static constexpr bool kOwnWorker = true;

    explicit Takt(Seats& seats)
        : runtime_({.workers = {.count = static_cast<int>(seats.size()), .pin_caller = true}},
                   machine()) {
        for (Seat& seat : seats)
            actors_.push_back(runtime_.spawn_actor(
                {.worker = static_cast<int>(actors_.size())},
                [&](Actor& actor) { actor.bind_parallel(kRun, [&seat] { seat.run(); }); }));
    }
    void frame() {
        for (const ActorRef actor : actors_)
            actor.send(kRun);
        runtime_.step();
    }

  private:
    Runtime runtime_;
    std::vector<ActorRef> actors_;
};

} // namespace

void add_takt(Field& field, int workers) {
    add<Takt>(field, "takt", workers);
}

} // namespace takt::bench::frame_empty
