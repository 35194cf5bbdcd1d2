// SPDX-License-Identifier: MIT
// How a battle ends, and the battle in a loop: what the one with actors is compared with.
#include "projectiles/projectiles.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <utility>

namespace example {
namespace {

constexpr int kColumns = 76;
constexpr int kRows = 18;
constexpr float kPictureMetres = 60; // that its rows are high

std::vector<std::string>
draw_from_the_south(const std::vector<std::vector<Projectile>>& in_flight) {
    std::map<std::pair<int, int>, std::array<int, kCasters.size()>> counts;
    for (std::size_t caster = 0; caster < in_flight.size(); ++caster)
        for (const Projectile& one : in_flight[caster])
            ++counts[{kRows - 1 - static_cast<int>(one.place.y / kPictureMetres * kRows),
                      static_cast<int>(one.place.x / kFieldMetres * kColumns)}][caster];
    std::vector<std::string> picture(kRows, std::string(kColumns, ' '));
    for (const auto& [cell, by_caster] : counts) {
        const auto [row, column] = cell;
        const auto most = std::ranges::max_element(by_caster) - by_caster.begin();
        if (row >= 0 && column >= 0 && column < kColumns)
            picture[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)] =
                kCasters[static_cast<std::size_t>(most)].name.front();
    }
    return picture;
}

} // namespace

Battle end_of_battle(const std::vector<Caster>& casters, const Field& field, Checksum sum,
                     const std::vector<std::vector<Projectile>>& in_flight) {
    Battle battle;
    field.add_to(sum);
    for (const std::vector<Projectile>& projectiles : in_flight) {
        battle.in_flight.push_back(projectiles.size());
        for (const Projectile& one : projectiles) {
            sum.add(one.shot);
            sum.add(one.place);
        }
    }
    for (const Caster& caster : casters)
        battle.tallies.push_back(caster.tally());
    battle.checksum = sum.value();
    battle.picture = draw_from_the_south(in_flight);
    return battle;
}

Battle fight_in_a_loop(const ProjectilesOptions& options) {
    Field field(options.targets, options.seed);
    std::vector<Caster> casters = make_casters(options.seed);
    std::vector<std::vector<Projectile>> in_flight(casters.size());
    std::vector<std::vector<Hit>> hits(casters.size());
    Checksum sum;
    Progress progress("projectiles: frames of the loop", options.frames);
    for (std::uint64_t frame = 1; frame <= options.frames; ++frame) {
        field.move();
        for (std::size_t at = 0; at < casters.size(); ++at)
            for (std::uint32_t shot = 0; shot < options.shots; ++shot)
                in_flight[at].push_back(casters[at].cast(field));
        for (std::size_t at = 0; at < casters.size(); ++at) {
            hits[at].clear();
            for (Projectile& one : in_flight[at])
                fly(one, casters[at].kind(), field, hits[at]);
            std::erase_if(in_flight[at], [](const Projectile& one) { return one.left_s <= 0; });
        }
        for (std::size_t at = 0; at < casters.size(); ++at)
            for (const Hit& hit : hits[at])
                casters[at].commit(hit, field, sum);
        progress.at(frame);
    }
    return end_of_battle(casters, field, sum, in_flight);
}

} // namespace example
