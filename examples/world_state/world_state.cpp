// SPDX-License-Identifier: MIT
#include "world_state/world_state.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

namespace example {
namespace {

using takt::Key;
using takt::SharedTable;

/// The elements of the world's table. Their keys are hashed once.
struct Keys {
    explicit Keys(std::uint32_t count) {
        for (std::uint32_t zone = 0; zone < count; ++zone)
            zones.emplace_back("zone/" + std::to_string(zone));
    }

    std::vector<Key> zones; // std::int64_t: who lives there
    Key born{"born"};       // std::int64_t, since the world began
    Key died{"died"};
    Key frame{"frame"};
    Key weather{"weather"}; // std::string
};

SharedTable make_world(const Keys& keys) {
    SharedTable world;
    for (const Key& zone : keys.zones)
        world.set(zone, kAtFirst);
    for (const Key* count : {&keys.born, &keys.died, &keys.frame})
        world.set(*count, 0);
    world.set(keys.weather, "sun");
    return world;
}

/// One frame of a zone. In parallel with all others, which send their travellers here meanwhile: who
/// leaves and who dies is no more than were seen here, and nobody else takes any away.
void live(SharedTable& world, const Keys& keys, std::uint32_t zone, std::mt19937_64& random) {
    const std::int64_t here = *world.get<std::int64_t>(keys.zones[zone]);
    const auto some = [&](std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>(0, most)(random);
    };
    const std::int64_t born = some(here / 40 + 1);
    const std::int64_t died = some(here / 40);
    const std::int64_t leave = some((here - died) / 10);
    const std::size_t to = random() % keys.zones.size();
    world.increment(keys.zones[zone], born - died - leave);
    world.increment(keys.zones[to], leave);
    world.increment(keys.born, born);
    world.increment(keys.died, died);
}

/// What the status thread finds out of the views that it is handed.
class Status {
  public:
    Status(const Keys& keys, const WorldOptions& options,
           const std::function<void(const std::string&)>& show)
        : keys_(keys), options_(options), show_(show) {}

    void read(SharedTable view) {
        const Seen seen = look(view);
        ++views_;
        wrong_ += !seen.adds_up;
        if (seen.frame % static_cast<std::int64_t>(options_.frames_a_line) == 0)
            show_(line(view, seen));
        if (views_ % 50 == 1) // to be looked at again, when the world has long gone on
            kept_.emplace_back(std::move(view), seen.alive);
        last_ = seen;
    }
    void end(WorldRun& run) const {
        run.views = views_;
        run.wrong = wrong_;
        run.missed = options_.frames - views_;
        run.born = last_.born;
        run.died = last_.died;
        run.alive = last_.alive;
        for (const auto& [view, alive] : kept_)
            run.old_views += look(view).alive != alive;
    }

  private:
    struct Seen {
        std::int64_t frame = 0, alive = 0, most = 0, born = 0, died = 0;
        std::size_t fullest = 0;
        bool adds_up = true;
    };

    Seen look(const SharedTable& view) const {
        Seen seen;
        for (std::size_t zone = 0; zone < keys_.zones.size(); ++zone) {
            const std::int64_t here = *view.get<std::int64_t>(keys_.zones[zone]);
            seen.alive += here;
            seen.adds_up &= here >= 0;
            if (here > seen.most) {
                seen.most = here;
                seen.fullest = zone;
            }
        }
        seen.frame = *view.get<std::int64_t>(keys_.frame);
        seen.born = *view.get<std::int64_t>(keys_.born);
        seen.died = *view.get<std::int64_t>(keys_.died);
        const auto first = static_cast<std::int64_t>(keys_.zones.size()) * kAtFirst;
        seen.adds_up &= seen.alive == first + seen.born - seen.died;
        return seen;
    }
    std::string line(const SharedTable& view, const Seen& seen) const {
        return "frame " + std::to_string(seen.frame) + ": " + std::to_string(seen.alive) +
               " alive, " + std::to_string(seen.born) + " born, " + std::to_string(seen.died) +
               " died; most in zone " + std::to_string(seen.fullest) + " (" +
               std::to_string(seen.most) + "); " + *view.get<std::string>(keys_.weather);
    }

    const Keys& keys_;
    const WorldOptions& options_;
    const std::function<void(const std::string&)>& show_;
    std::uint64_t views_ = 0;
    std::uint64_t wrong_ = 0;
    Seen last_;
    std::vector<std::pair<SharedTable, std::int64_t>> kept_;
};

/// The actors, and the view at the end of each frame.
void populate(takt::Runtime& runtime, SharedTable world, const Keys& keys,
              const WorldOptions& options, takt::OutletSender<SharedTable> views) {
    for (std::uint32_t zone = 0; zone < keys.zones.size(); ++zone)
        runtime.spawn_actor({.name = "zone " + std::to_string(zone)}, [&](takt::Actor&) {
            runtime.pre_simulation().connect_parallel(
                [world, &keys, zone, random = std::mt19937_64(options.seed + zone)](
                    takt::FrameTime) mutable { live(world, keys, zone, random); });
        });
    runtime.heartbeat().connect([world, &keys, views](takt::FrameTime now) mutable {
        world.set(keys.frame, static_cast<std::int64_t>(now.frame));
        if (now.frame % 100 == 50)
            world.set(keys.weather, now.frame % 200 == 50 ? "rain" : "sun");
        views.push(world.clone_and_freeze()); // one compare-and-swap, whatever the world's size
        views.flush();
    });
}

} // namespace

WorldRun run_world(const WorldOptions& options,
                   const std::function<void(const std::string&)>& show) {
    using namespace std::chrono_literals;
    WorldRun run;
    const Keys keys(options.zones);
    takt::Runtime runtime({.workers = {.count = options.workers, .pin_caller = true}});
    run.workers = workers_text(runtime);
    SharedTable world = make_world(keys);
    runtime.shared_tables().set("world", world); // for all who know the name
    takt::Outlet<SharedTable> outlet = runtime.outlet<SharedTable>();
    populate(runtime, world, keys, options, outlet.sender(0));

    takt::Safe<bool> ended{false};
    Status status(keys, options, show);
    std::thread thread([&] {
        for (bool last = false; !last;) {
            last = ended.load();
            outlet.drain([&](SharedTable&& view) { status.read(std::move(view)); });
            outlet.wait(takt::later(takt::now_ns(), std::chrono::nanoseconds(10ms).count()));
        }
    });
    {
        Progress progress("world_state: frames", options.frames);
        for (std::uint64_t frame = 1; frame <= options.frames; ++frame) {
            run.log.add(runtime.step());
            progress.at(frame);
        }
    }
    ended.store(true);
    thread.join();
    status.end(run);
    return run;
}

} // namespace example
