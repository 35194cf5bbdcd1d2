// SPDX-License-Identifier: MIT
// sample_page <folder>: writes the pages that page_test.py opens, and prints a line for each:
// <name> <frames> <scopes> <workers>. Without a folder it only runs some frames, for environment_test.py.
#include "takt/profiler.hpp"

#include "sample_capture.hpp"

#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

bool write(const std::string& folder, const std::string& name, const takt::Capture& capture) {
    const auto error = takt::write_capture(capture, folder + "/" + name + ".html");
    if (error)
        std::cerr << *error << '\n';
    std::cout << name << ' ' << capture.frames.size() << ' ' << takt::sample::scopes_of(capture)
              << ' ' << capture.lanes.size() - 1 << '\n';
    return !error;
}

/// Frames of four workers whose handlers overlap.
class Live {
  public:
    Live() : runtime_({.workers = {.count = 4}, .clock = {}}) {
        for (int worker = 0; worker < 4; ++worker)
            actors_.push_back(runtime_.spawn_actor(
                {.name = "VM-" + std::to_string(worker), .worker = worker}, [](takt::Actor& self) {
                    self.bind_parallel(kTask, [](int us) {
                        const takt::Scope scope{"sleep"};
                        std::this_thread::sleep_for(std::chrono::microseconds(us));
                    });
                }));
    }
    void run(int frames) {
        for (int frame = 0; frame < frames; ++frame) {
            for (const takt::ActorRef& actor : actors_)
                actor.send(kTask, 300);
            runtime_.step();
        }
    }
    takt::Runtime& runtime() { return runtime_; }

  private:
    static constexpr takt::Topic<int> kTask{"Task"};
    takt::Runtime runtime_;
    std::vector<takt::ActorRef> actors_;
};

takt::Capture live() {
    Live live;
    const takt::Recorder recorder(live.runtime());
    live.run(30);
    return recorder.capture();
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 1) {
        Live().run(30);
        return 0;
    }
    if (argc != 2) {
        std::cerr << "usage: sample_page [<folder>]\n";
        return 2;
    }
    using takt::sample::make;
    takt::Capture large = make({.title = "large", .frames = 600, .workers = 16, .handlers = 6});
    large.dropped = 1204;
    large.dropped_frames = 3;
    const bool written = write(argv[1], "normal", make({.title = "Island, 4 workers"})) &&
                         write(argv[1], "hostile", make({.frames = 12, .hostile = true})) &&
                         write(argv[1], "large", large) && write(argv[1], "live", live()) &&
                         write(argv[1], "empty", make({.frames = 0}));
    return written ? 0 : 1;
}
