// SPDX-License-Identifier: MIT
#include "hit_validation/game.hpp"

#include "hit_validation/client.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

namespace example {
namespace {

using namespace std::chrono_literals;

constexpr float kEyeHeight = 41;
constexpr int kBlockPoints = 3;
constexpr auto kRebornAfter = 100ms;
constexpr std::size_t kTracesPerWorker = 1500;

/// What all players share: read in parallel, changed by one at a time.
class World {
  public:
    explicit World(const Stage& stage)
        : scene_(stage.walls, stage.blocks), points_(stage.blocks.size(), kBlockPoints),
          lives_begun_(stage.blocks.size()) {}

    RayHit cast(Vec3 from, Vec3 to) const { return scene_.cast(from, to); }
    const Scene& scene() const noexcept { return scene_; }

    /// The second look: between the ray and now another player may have destroyed the block.
    Verdict damage(std::uint32_t block) {
        if (points_[block] == 0)
            return Verdict::rejected;
        if (--points_[block] != 0)
            return Verdict::damaged;
        ++lives_ended_;
        scene_.show(block, false);
        return Verdict::destroyed;
    }
    void revive(std::uint32_t block) {
        points_[block] = kBlockPoints;
        ++lives_begun_;
        scene_.show(block, true);
    }

    void report_to(GameRun& run) const {
        run.lives_begun = lives_begun_;
        run.lives_ended = lives_ended_;
        run.standing = static_cast<std::uint64_t>(
            std::ranges::count_if(points_, [](int points) { return points > 0; }));
    }

  private:
    Scene scene_;
    std::vector<int> points_; // by block; 0 is destroyed
    std::uint64_t lives_begun_;
    std::uint64_t lives_ended_ = 0;
};

/// What a worker has seen of the shots.
struct Tally {
    std::array<std::uint64_t, kVerdictNames.size()> verdicts{};
    std::vector<std::int64_t> latencies_ns;
    std::vector<Trace> traces;

    void add(const Shot& shot, const Trace& trace) {
        ++verdicts[static_cast<std::size_t>(trace.verdict)];
        latencies_ns.push_back(takt::now_ns() - shot.arrived_ns);
        if (traces.size() < kTracesPerWorker)
            traces.push_back(trace);
    }
    void add_to(GameRun& run) const {
        for (std::size_t verdict = 0; verdict < verdicts.size(); ++verdict)
            run.verdicts[verdict] += verdicts[verdict];
        run.latencies_ns.insert(run.latencies_ns.end(), latencies_ns.begin(), latencies_ns.end());
        run.traces.insert(run.traces.end(), traces.begin(), traces.end());
    }
};

/// A game while it is played.
class Game {
  public:
    Game(const Stage& stage, const GameOptions& options)
        : stage_(stage), options_(options), world_(stage),
          runtime_({.workers = {.count = options.workers},
                    .frame = {.pacing = options.pacing, .rate_hz = 60.0}}),
          tallies_(runtime_) {
        run_.workers = workers_text(runtime_);
        run_.by_player.resize(stage.players.size());
    }

    GameRun play();

  private:
    takt::ActorRef spawn_player(std::size_t player);
    takt::Task<> validate(std::size_t player, Shot shot);
    takt::Task<> revive_later(std::uint32_t block);
    std::vector<Played> spawn_players();
    void run_frames();
    void collect();

    const Stage& stage_;
    const GameOptions& options_;
    takt::ReadParallel<World> world_;
    takt::Runtime runtime_;
    takt::PerWorker<Tally> tallies_;
    GameRun run_;
};

/// One player's claim. The order of phases is the whole point.
takt::Task<> Game::validate(std::size_t player, Shot shot) {
    ++run_.by_player[player]; // nobody else's
    Trace trace;
    trace.from = stage_.players[player];
    const RayHit hit = world_->cast(trace.from, shot.at); // in parallel with all other players
    trace.to = hit.at;
    if (hit.what != RayHit::What::block) {
        trace.verdict = hit.what == RayHit::What::wall ? Verdict::wall : Verdict::nothing;
        tallies_.local().add(shot, trace);
        co_return;
    }
    takt::Serial serial = co_await takt::synchronize(); // what follows changes what others read
    trace.verdict = world_.write(serial).damage(hit.block);
    tallies_.local().add(shot, trace);
    if (trace.verdict == Verdict::destroyed)
        runtime_.start(revive_later(hit.block));
}

takt::Task<> Game::revive_later(std::uint32_t block) {
    co_await takt::wait(kRebornAfter);
    world_.write(co_await takt::synchronize()).revive(block);
}

takt::ActorRef Game::spawn_player(std::size_t player) {
    return runtime_.spawn_actor(
        {.name = "player-" + std::to_string(player)}, [this, player](takt::Actor& actor) {
            actor.bind_parallel(kFire, [this, player](Shot shot) -> takt::Task<> {
                return validate(player, shot);
            });
        });
}

std::vector<Played> Game::spawn_players() {
    std::vector<Played> players;
    for (std::size_t player = 0; player < stage_.players.size(); ++player)
        players.push_back(
            {spawn_player(player), Aim(stage_, world_->scene(), player, options_.seed)});
    return players;
}

void Game::run_frames() {
    Progress progress("hit_validation: frames", options_.frames);
    const std::int64_t begin_ns = takt::now_ns();
    runtime_.run_until([&] {
        run_.log.add(runtime_.last_frame());
        progress.at(run_.log.frames());
        return run_.log.frames() >= options_.frames;
    });
    run_.seconds = static_cast<double>(takt::now_ns() - begin_ns) / 1e9;
}

void Game::collect() {
    for (const Tally& tally : tallies_)
        tally.add_to(run_);
    std::ranges::sort(run_.latencies_ns);
    world_->report_to(run_);
}

GameRun Game::play() {
    std::vector<Played> players = spawn_players();
    const auto clients = static_cast<std::size_t>(options_.clients);
    const auto period_ns = static_cast<std::int64_t>(1e9 / options_.shots_each_second);
    std::vector<ClientCounts> counts(clients);
    {
        std::vector<std::jthread> threads;
        for (std::size_t client = 0; client < clients; ++client) {
            const std::size_t first = players.size() * client / clients;
            const std::size_t end = players.size() * (client + 1) / clients;
            threads.emplace_back(
                [&, client, first, end, producer = runtime_.producer(takt::Publishing::in_batch)](
                    const std::stop_token& stop) mutable {
                    counts[client] = run_client(
                        producer, std::span(players).subspan(first, end - first), period_ns, stop);
                });
        }
        run_frames();
    } // the clients stop, and their threads end
    runtime_.run_until_idle();
    for (const ClientCounts& one : counts) {
        run_.sent += one.sent;
        run_.refused += one.refused;
    }
    collect();
    return std::move(run_);
}

} // namespace

Stage make_stage(Map map, std::size_t players) {
    Stage stage;
    stage.map = std::move(map);
    stage.walls = walls_of(stage.map);
    std::vector<MapThing> things = stage.map.things;
    std::ranges::stable_partition(things, &MapThing::is_monster);
    for (const MapThing& thing : things) {
        const int sector = stage.map.sector_at(thing.x, thing.y);
        if (sector < 0)
            continue;
        const float floor = stage.map.sectors[static_cast<std::size_t>(sector)].floor;
        if (stage.players.size() < players)
            stage.players.push_back({thing.x, thing.y, floor + kEyeHeight});
        else
            stage.blocks.push_back({thing.x, thing.y, floor});
    }
    if (stage.blocks.empty())
        throw std::runtime_error("the map has too few places for " + std::to_string(players) +
                                 " players and a block. Name another with --map, or fewer with "
                                 "--players.");
    return stage;
}

GameRun play(const Stage& stage, const GameOptions& options) {
    return Game(stage, options).play();
}

} // namespace example
