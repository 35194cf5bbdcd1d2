// SPDX-License-Identifier: MIT
#include "projectiles/projectiles.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <utility>

namespace example {
namespace {

constexpr takt::Topic<Projectile> kCast{"Cast"};

/// What an actor of a pool has.
struct Flight {
    struct Flying {
        Projectile projectile;
        takt::Busy busy; // the actor's load is how many it holds
    };

    explicit Flight(takt::ActorRef owner) : hits(owner) {}

    void take(const Projectile& projectile) { flying.push_back({projectile, takt::Busy()}); }
    void fly(const CasterTemplate& kind, const Field& field) {
        std::vector<Hit>& noted = hits.write();
        noted.clear();
        for (std::size_t at = 0; at < flying.size();) {
            example::fly(flying[at].projectile, kind, field, noted);
            if (flying[at].projectile.left_s > 0) {
                ++at;
                continue;
            }
            flying[at] = std::move(flying.back()); // they need no order, their shots have one
            flying.pop_back();
        }
    }

    std::vector<Flying> flying;             // its own
    takt::LocalSafe<std::vector<Hit>> hits; // of this frame; its caster reads them
};

/// A caster and its pool. Stays where it is: its actors know it.
class Pool {
  public:
    Pool(takt::Runtime& runtime, std::uint32_t actors, Caster& caster,
         const takt::ReadParallel<Field>& field)
        : caster_(caster),
          actors_(runtime, {.actors = actors, .name = std::string(caster.kind().name)},
                  [this, &field, heartbeat = runtime.heartbeat()](takt::Actor& actor) {
                      set_up(actor, field, heartbeat);
                  }) {}

    void cast(const Field& field, std::uint32_t shots) {
        for (std::uint32_t shot = 0; shot < shots; ++shot)
            actors_.dispatch(kCast, caster_.cast(field));
    }
    /// takt::commit() would order the hits by (actor, sequence), but which actor has which projectile
    /// is the dispatcher's affair. So they are sorted by shot; of one projectile they are in order.
    void commit_hits(Field& field, Checksum& sum) {
        std::vector<Hit> hits;
        for (const Flight* const flight : flights_)
            hits.insert(hits.end(), flight->hits->begin(), flight->hits->end());
        std::ranges::stable_sort(hits, {}, &Hit::shot);
        for (const Hit& hit : hits)
            caster_.commit(hit, field, sum);
    }

    std::vector<Projectile> in_flight() const {
        std::vector<Projectile> all;
        for (const Flight* const flight : flights_)
            for (const Flight::Flying& one : flight->flying)
                all.push_back(one.projectile);
        std::ranges::sort(all, {}, &Projectile::shot);
        return all;
    }
    std::vector<std::uint64_t> loads() const {
        std::vector<std::uint64_t> loads;
        for (takt::Target target = 0; target < actors_.size(); ++target)
            loads.push_back(actors_.load(target));
        return loads;
    }

  private:
    /// The template of its actors.
    void set_up(takt::Actor& actor, const takt::ReadParallel<Field>& field,
                takt::FrameSignal heartbeat) {
        auto& flight = actor.emplace_state<Flight>(actor.ref());
        actor.bind_parallel(kCast, [&flight](const Projectile& it) { flight.take(it); });
        heartbeat.connect_parallel([&flight, &field, &kind = caster_.kind()](takt::FrameTime) {
            flight.fly(kind, *field);
        });
        flights_.push_back(&flight);
    }

    Caster& caster_;
    std::vector<Flight*> flights_; // the actors own them
    takt::Dispatcher<> actors_;
};

} // namespace

ProjectilesRun run_projectiles(const ProjectilesOptions& options) {
    ProjectilesRun run;
    // step() leaves its caller where it is, which may be on another worker's CPU; so it is pinned.
    takt::Runtime runtime({.workers = {.count = options.workers, .pin_caller = true}});
    run.workers = workers_text(runtime);
    takt::ReadParallel<Field> field(options.targets, options.seed);
    std::vector<Caster> casters = make_casters(options.seed);
    std::deque<Pool> pools;
    for (Caster& caster : casters)
        pools.emplace_back(runtime, options.actors, caster, field);
    Checksum sum;

    runtime.pre_simulation().connect([&](takt::Serial serial, takt::FrameTime) {
        field.write(serial).move();
        for (Pool& pool : pools)
            pool.cast(*field, options.shots);
    });
    // After the barrier, so after the actors' parallel listeners.
    runtime.heartbeat().connect([&](takt::Serial serial, takt::FrameTime) {
        for (Pool& pool : pools)
            pool.commit_hits(field.write(serial), sum);
    });
    {
        Progress progress("projectiles: frames", options.frames);
        for (std::uint64_t frame = 1; frame <= options.frames; ++frame) {
            run.log.add(runtime.step());
            progress.at(frame);
        }
    }
    std::vector<std::vector<Projectile>> in_flight;
    for (const Pool& pool : pools) {
        in_flight.push_back(pool.in_flight());
        run.loads.push_back(pool.loads());
    }
    run.battle = end_of_battle(casters, *field, sum, in_flight);
    return run;
}

} // namespace example
