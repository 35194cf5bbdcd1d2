// SPDX-License-Identifier: MIT
#include "takt/takt.hpp"
#include "dispatch_range/config.hpp"

namespace takt::bench::dispatch_range {
namespace {

// From the serial phase between frames, to a dispatcher with an actor on each worker.
class Takt {
  public:
    Takt(int workers, Job& job)
        : job_(job), runtime_({.workers = {.count = workers, .pin_caller = true}}, machine()),
          actors_(runtime_, {.actors = static_cast<std::uint32_t>(workers)}, [](Actor&) {}) {}
    void range() {
        actors_.dispatch_range(job_.items(), [job = &job_](std::size_t index) { job->run(index); });
        runtime_.step();
    }

  private:
    Job& job_;
    Runtime runtime_;
    Dispatcher<> actors_;
};

} // namespace

void add_takt(Field& field, const Size& size, const std::shared_ptr<Job>& job) {
    add<Takt>(field, "takt", size, job);
}

} // namespace takt::bench::dispatch_range
