// SPDX-License-Identifier: MIT
// 64 players in a level of Freedoom; says what became of their shots, and draws them from above.
#include "hit_validation/game.hpp"
#include "support/options.hpp"

#include <cstdio>
#include <iostream>
#include <stdexcept>

namespace {

using example::GameRun;
using example::Verdict;

double us(const std::vector<std::int64_t>& latencies, double share) {
    return static_cast<double>(example::percentile(latencies, share)) / 1e3;
}

void print_run(const example::Stage& stage, const GameRun& run) {
    std::uint64_t verdicts = 0;
    for (const std::uint64_t count : run.verdicts)
        verdicts += count;
    std::printf("level: %zu lines, %zu walls, %zu players, %zu blocks\n", stage.map.lines.size(),
                stage.walls.size(), stage.players.size(), stage.blocks.size());
    std::printf("%llu shots in %.2f s (%.0f shots/s), %llu refused by a full mailbox\nverdicts:",
                static_cast<unsigned long long>(verdicts), run.seconds,
                static_cast<double>(verdicts) / run.seconds,
                static_cast<unsigned long long>(run.refused));
    for (std::size_t verdict = 0; verdict < run.verdicts.size(); ++verdict)
        std::printf(" %s %llu", example::kVerdictNames[verdict].data(),
                    static_cast<unsigned long long>(run.verdicts[verdict]));
    std::printf("\nre-checks that rejected a hit, since the block was gone: %llu\n"
                "arrival to verdict: p50 %.0f us, p99 %.0f us, p99.9 %.0f us\n",
                static_cast<unsigned long long>(run.count(Verdict::rejected)),
                us(run.latencies_ns, 0.5), us(run.latencies_ns, 0.99), us(run.latencies_ns, 0.999));
}

/// Each shot has one verdict, and each block died once for each of its lives.
bool adds_up(const example::Stage& stage, const GameRun& run) {
    std::uint64_t verdicts = 0;
    for (const std::uint64_t count : run.verdicts)
        verdicts += count;
    return verdicts == run.sent && run.count(Verdict::destroyed) == run.lives_ended &&
           run.lives_begun - run.lives_ended == run.standing && run.standing <= stage.blocks.size();
}

takt::Pacing pacing_of(const std::string& word) {
    return word == "fixed" ? takt::Pacing::fixed : takt::Pacing::on_demand;
}

int run(int argc, const char* const* argv) {
    example::Common common{.frames = 1000};
    std::string wad = "/usr/share/games/doom/freedoom1.wad";
    std::string map = "E1M2";
    std::string pacing = "on_demand";
    std::string png = "hit_validation.png";
    std::int64_t players = 64;
    std::int64_t clients = 2;
    std::int64_t rate = 100;
    std::int64_t seed = 1;
    example::Options options("hit_validation", "players' shots arrive from outside threads; rays "
                                               "check them in parallel, damage is serial");
    add_common(options, common);
    options.add("wad", wad, {}, "a Doom WAD");
    options.add("map", map, {}, "a map of it");
    options.add("pacing", pacing, {"on_demand", "fixed"},
                "when a frame starts: as shots come, or 60 times a second");
    options.add("players", players, 1, 1024, "actors");
    options.add("clients", clients, 1, 64, "outside threads that shoot for them");
    options.add("rate", rate, 1, 10'000, "shots of each player, a second");
    options.add("seed", seed, 0, INT32_MAX, "seed of the players' aim");
    options.add("png", png, {}, "file for the view from above");
    if (const std::optional<int> status = options.parse(argc, argv))
        return *status;

    const example::Stage stage =
        example::make_stage(example::read_map(wad, map), static_cast<std::size_t>(players));
    const GameRun run = example::play(stage, {.workers = example::worker_count(common.workers),
                                              .frames = static_cast<std::uint64_t>(common.frames),
                                              .clients = static_cast<int>(clients),
                                              .shots_each_second = static_cast<double>(rate),
                                              .pacing = pacing_of(pacing),
                                              .seed = static_cast<std::uint64_t>(seed)});
    print_run(stage, run);
    std::fflush(stdout);
    draw_game(stage, run, png);
    std::cout << "from above: " << png << "\n";
    example::print_table(
        std::cout,
        {"hit_validation " + pacing, run.workers, run.log, example::balance(run.by_player)},
        common.table);
    if (!adds_up(stage, run))
        throw std::runtime_error("the verdicts do not add up. This is a bug; report it.");
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    return example::guarded("hit_validation", [&] { return run(argc, argv); });
}
