// SPDX-License-Identifier: MIT
#include "hit_validation/client.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

namespace example {
namespace {

constexpr float kSight = 1500; // map units
constexpr std::size_t kTargets = 4;

float distance(Vec3 one, Vec3 other) {
    return std::hypot(one.x - other.x, one.y - other.y, one.z - other.z);
}

Vec3 middle_of(Vec3 block) {
    return {block.x, block.y, block.z + kBlockHeight / 2};
}

} // namespace

Aim::Aim(const Stage& stage, const Scene& scene, std::size_t player, std::uint64_t seed)
    : stage_(stage), random_(seed * 1000 + player) {
    const Vec3 eye = stage.players[player];
    for (std::size_t block = 0; block < stage.blocks.size(); ++block) {
        const Vec3 at = middle_of(stage.blocks[block]);
        if (distance(eye, at) < kSight && scene.cast(eye, at).block == block &&
            scene.cast(eye, at).what == RayHit::What::block)
            in_sight_.push_back(block);
    }
    std::ranges::sort(in_sight_, {},
                      [&](std::size_t block) { return distance(eye, stage.blocks[block]); });
    in_sight_.resize(std::min(in_sight_.size(), kTargets));
}

Vec3 Aim::draw() {
    const auto number_below = [this](std::size_t end) {
        return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
    };
    const bool knows = !in_sight_.empty() && number_below(10) != 0;
    const std::size_t block =
        knows ? in_sight_[number_below(in_sight_.size())] : number_below(stage_.blocks.size());
    std::normal_distribution<float> error(0, kBlockHalf / 2);
    const Vec3 at = middle_of(stage_.blocks[block]);
    return {at.x + error(random_), at.y + error(random_), at.z + error(random_)};
}

ClientCounts run_client(takt::MailProducer& producer, std::span<Played> players,
                        std::int64_t period_ns, const std::stop_token& stop) {
    ClientCounts counts;
    auto due = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
        due += std::chrono::nanoseconds(period_ns);
        std::this_thread::sleep_until(due);
        // Sends never wait, so the time of the sends is that of the arrival: nothing is left out.
        const std::int64_t arrived_ns = takt::now_ns();
        for (Played& player : players) {
            const auto result =
                producer.send(player.actor, kFire, Shot{player.aim.draw(), arrived_ns});
            ++(result == takt::SendResult::ok ? counts.sent : counts.refused);
        }
        producer.flush();
    }
    return counts;
}

} // namespace example
