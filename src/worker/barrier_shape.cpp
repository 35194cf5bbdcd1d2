// SPDX-License-Identifier: MIT
#include "takt/worker/barrier_shape.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace takt {
namespace {

using Domain = std::array<int, 3>; // package, NUMA node, cache group; -1 where a level is merged

Domain domain_of(const PlannedWorker& worker, std::size_t level) {
    switch (level) {
    case 0:
        return {worker.package, worker.numa, worker.llc};
    case 1:
        return {worker.package, worker.numa, -1};
    case 2:
        return {worker.package, -1, -1};
    default:
        return {-1, -1, -1};
    }
}

constexpr std::size_t kLevels = 4;

using Team = std::vector<int>; // ascending; the first one leads

// The members of each domain, in chunks of at most `size`, in the order of their leaders.
std::vector<Team> gather_teams(std::span<const PlannedWorker> workers, const Team& members,
                               std::size_t level, std::size_t size) {
    std::map<Domain, Team> domains;
    for (const int member : members)
        domains[domain_of(workers[static_cast<std::size_t>(member)], level)].push_back(member);
    std::vector<Team> teams;
    for (const auto& [domain, team] : domains)
        for (std::size_t begin = 0; begin < team.size(); begin += size) {
            const std::size_t end = std::min(team.size(), begin + size);
            teams.emplace_back(team.begin() + static_cast<std::ptrdiff_t>(begin),
                               team.begin() + static_cast<std::ptrdiff_t>(end));
        }
    std::sort(teams.begin(), teams.end());
    return teams;
}

// Everyone but the leader reports to the leader. Returns the leaders.
Team follow_leaders(BarrierShape& shape, const std::vector<Team>& teams) {
    Team leaders;
    for (const Team& team : teams) {
        leaders.push_back(team.front());
        auto& children = shape.children[static_cast<std::size_t>(team.front())];
        children.insert(children.end(), team.begin() + 1, team.end());
    }
    return leaders;
}

int depth_below(const BarrierShape& shape, int worker) {
    int deepest = 0;
    for (const int child : shape.children[static_cast<std::size_t>(worker)])
        deepest = std::max(deepest, 1 + depth_below(shape, child));
    return deepest;
}

} // namespace

int BarrierShape::depth() const {
    return depth_below(*this, 0);
}

BarrierShape make_barrier_shape(std::span<const PlannedWorker> workers, std::size_t fan_in) {
    BarrierShape shape;
    shape.children.resize(workers.size());
    shape.group.resize(workers.size());

    Team members(workers.size());
    for (std::size_t worker = 0; worker < workers.size(); ++worker)
        members[worker] = static_cast<int>(worker);

    for (std::size_t level = 0; level < kLevels; ++level) {
        for (bool first_pass = level == 0;; first_pass = false) {
            const std::vector<Team> teams = gather_teams(workers, members, level, fan_in);
            if (first_pass)
                for (const Team& team : teams) {
                    for (const int worker : team)
                        shape.group[static_cast<std::size_t>(worker)] = shape.groups();
                    shape.first.push_back(team.front());
                }
            const Team leaders = follow_leaders(shape, teams);
            if (leaders.size() == members.size())
                break; // one leader per domain: the next level joins domains
            members = leaders;
        }
    }
    for (auto& children : shape.children)
        std::sort(children.begin(), children.end());
    return shape;
}

} // namespace takt
