// SPDX-License-Identifier: MIT
#include "herd/herd.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <utility>

namespace example {
namespace {

using takt::FrameTime;
using takt::Instance;
using takt::Vector3;

constexpr float kMeadow = 100; // metres along an edge
constexpr float kSight = 12;
constexpr float kElbow = 1.5; // sheep that are nearer push each other away
constexpr float kReach = 1;   // of a wolf
constexpr float kSheepSpeed = 4;
constexpr float kScaredSpeed = 5;
constexpr float kWolfSpeed = 8;
constexpr std::int64_t kRestNs = 250'000'000;     // of a wolf after a bite
constexpr std::int64_t kScaredNs = 2'000'000'000; // of a sheep after one

float length2(Vector3 it) {
    return it.x * it.x + it.y * it.y + it.z * it.z;
}

Vector3 at_most(Vector3 speed, float limit) {
    const float length = std::sqrt(length2(speed));
    return length <= limit ? speed : speed * (limit / length);
}

void turn_at_fence(float& place, float& speed) {
    if (place < 0 || place > kMeadow)
        speed = -speed;
    place = std::clamp(place, 0.0F, kMeadow);
}

void move(Body& body, Vector3 push, float limit, float seconds) {
    body.speed = at_most(body.speed + push * seconds, limit);
    body.place = body.place + body.speed * seconds;
    turn_at_fence(body.place.x, body.speed.x);
    turn_at_fence(body.place.z, body.speed.z);
}

float seconds_of(FrameTime now) {
    return static_cast<float>(now.step_ns) / 1e9F;
}

/// The numbers of a run. Serial, but for `scares`, which sheep count in parallel.
struct Tally {
    std::uint64_t bites = 0;
    std::uint64_t missed = 0;
    std::uint64_t killed = 0;
    takt::Safe<std::uint64_t> scares{0};
};

/// What an animal's actor knows beyond what it publishes.
struct Animal {
    Instance self;
    Instance meadow;
    std::shared_ptr<takt::LocalSafe<Body>> body;
    Tally& tally;
    std::int64_t until_ns = 0; // of a wolf's rest, of a sheep's fright

    /// Calls `see(other, its body, the way to it, its square)` for all others.
    template <class See>
    void look_round(Vector3 from, See see) const {
        for (const Instance other : meadow.children())
            if (other != self) {
                const Body& theirs = (*other.attribute(kBody))->read();
                const Vector3 way = theirs.place - from;
                see(other, theirs, way, length2(way));
            }
    }
};

/// C. W. Reynolds' three rules (Flocks, Herds, and Schools, 1987), and away from wolves.
void live_as_sheep(Animal& sheep, FrameTime now) {
    Body next = sheep.body->read();
    Vector3 push;
    Vector3 speeds;
    Vector3 places;
    float seen = 0;
    sheep.look_round(next.place, [&](Instance other, const Body& body, Vector3 way, float square) {
        if (square > kSight * kSight)
            return;
        if (*other.attribute(kTeam) == Team::wolf) {
            push = push - way * (40 / (square + 1));
            return;
        }
        if (square < kElbow * kElbow)
            push = push - way * (2 / (square + 0.1F));
        speeds = speeds + body.speed;
        places = places + way;
        ++seen;
    });
    if (seen > 0)
        push = push + (speeds * (1 / seen) - next.speed) * 0.5F + places * (0.3F / seen);
    move(next, push, now.time_ns < sheep.until_ns ? kScaredSpeed : kSheepSpeed, seconds_of(now));
    sheep.body->set(next);
}

/// In the serial phase, where the sheep may be another wolf's already.
void bite(takt::Serial serial, Instance sheep, Tally& tally) {
    const double* const health = sheep.attribute(kHealth);
    if (health == nullptr) {
        ++tally.missed;
        return;
    }
    ++tally.bites;
    if (*health > kBite) {
        sheep.set_attribute(serial, kHealth, *health - kBite);
        return;
    }
    ++tally.killed;
    sheep.destroy(serial); // its actor, and what it published, too
}

/// After the sheep that is nearest, or weak.
void live_as_wolf(Animal& wolf, FrameTime now) {
    Body next = wolf.body->read();
    Instance prey;
    Vector3 way_to_prey;
    float best = std::numeric_limits<float>::max();
    wolf.look_round(next.place, [&](Instance other, const Body&, Vector3 way, float square) {
        if (*other.attribute(kTeam) == Team::wolf)
            return;
        const float effort = std::sqrt(square) + static_cast<float>(*other.attribute(kHealth)) / 3;
        if (effort < best) {
            best = effort;
            prey = other;
            way_to_prey = way;
        }
    });
    const bool rests = now.time_ns < wolf.until_ns;
    if (prey && !rests && length2(way_to_prey) < kReach * kReach) {
        wolf.until_ns = now.time_ns + kRestNs;
        takt::commit(
            [prey, &tally = wolf.tally](takt::Serial serial) { bite(serial, prey, tally); });
    }
    const float limit = rests ? 1 : kWolfSpeed;
    const Vector3 wanted = at_most(way_to_prey * 100, limit);
    move(next, (wanted - next.speed) * 4, limit, seconds_of(now));
    wolf.body->set(next);
}

class Meadow {
  public:
    Meadow(takt::Runtime& runtime, const HerdOptions& options)
        : runtime_(runtime), serial_(runtime.serial()),
          meadow_(runtime.root().add_child(serial_, "Meadow")), random_(options.seed) {
        for (std::uint32_t number = 0; number < options.sheep; ++number)
            add("Sheep " + std::to_string(number), Team::sheep);
        for (std::uint32_t number = 0; number < options.wolves; ++number)
            add("Wolf " + std::to_string(number), Team::wolf);
    }

    /// Into `run`, what the animals did and what is left of them.
    void report(HerdRun& run) const {
        run.bites = tally_.bites;
        run.missed = tally_.missed;
        run.killed = tally_.killed;
        run.scares = tally_.scares.load();
        run.picture.assign(20, std::string(60, '.'));
        run.hash = 0xcbf2'9ce4'8422'2325;
        for (const Instance animal : meadow_.children())
            add_to(run, animal);
    }

  private:
    void add(const std::string& name, Team team) {
        const takt::ActorRef actor = runtime_.spawn_actor({.name = name}, [](takt::Actor&) {});
        const Instance self = meadow_.add_child(serial_, name, actor);
        const auto body = std::make_shared<takt::LocalSafe<Body>>(actor, Body{anywhere(), {}});
        self.set_attribute(serial_, kTeam, team);
        self.set_attribute(serial_, kHealth, kFullHealth);
        self.set_attribute(serial_, kBody, body);
        const auto animal = std::make_shared<Animal>(Animal{self, meadow_, body, tally_});
        self.connect_parallel(serial_, runtime_.heartbeat(), [animal, team](FrameTime now) {
            (team == Team::wolf ? live_as_wolf : live_as_sheep)(*animal, now);
        });
        if (team == Team::sheep)
            self.connect_parallel(serial_, self.attribute_changed(serial_, kHealth),
                                  [animal, heartbeat = runtime_.heartbeat()] {
                                      animal->until_ns = heartbeat.now().time_ns + kScaredNs;
                                      animal->tally.scares.fetch_add(1);
                                  });
    }
    Vector3 anywhere() {
        std::uniform_real_distribution<float> metres(0, kMeadow);
        const float x = metres(random_);
        return {x, 0, metres(random_)};
    }

    static void add_to(HerdRun& run, Instance animal) {
        const Vector3 place = (*animal.attribute(kBody))->read().place;
        const double health = *animal.attribute(kHealth);
        for (const std::uint64_t word : {std::uint64_t{std::bit_cast<std::uint32_t>(place.x)},
                                         std::uint64_t{std::bit_cast<std::uint32_t>(place.z)},
                                         std::bit_cast<std::uint64_t>(health)})
            run.hash = (run.hash ^ word) * 0x0000'0100'0000'01b3;
        const auto cell = [](float metres, std::size_t cells) {
            const auto at = static_cast<std::size_t>(metres / kMeadow * static_cast<float>(cells));
            return std::min(at, cells - 1);
        };
        char& letter = run.picture[cell(place.z, run.picture.size())]
                                  [cell(place.x, run.picture.front().size())];
        if (*animal.attribute(kTeam) == Team::wolf) {
            letter = 'W';
            return;
        }
        letter = letter == '.' ? 's' : 'S';
        ++run.sheep_left;
        run.damage += kFullHealth - health;
    }

    takt::Runtime& runtime_;
    const takt::Serial serial_; // of between frames: a meadow is made in one go
    const Instance meadow_;
    std::mt19937_64 random_;
    Tally tally_;
};

} // namespace

HerdRun run_herd(const HerdOptions& options) {
    HerdRun run;
    // The virtual clock: how long a step is does not depend on the machine.
    takt::Runtime runtime({.workers = {.count = options.workers, .pin_caller = true},
                           .clock = {.kind = takt::ClockKind::virtual_time}});
    run.workers = workers_text(runtime);
    const Meadow meadow(runtime, options);
    Progress progress("herd: frames", options.frames);
    for (std::uint64_t frame = 1; frame <= options.frames; ++frame) {
        run.log.add(runtime.step());
        progress.at(frame);
    }
    meadow.report(run);
    return run;
}

} // namespace example
