// SPDX-License-Identifier: MIT
#include "timers/config.hpp"

#include <map>
#include <memory>

namespace takt::bench::timers {

void add_takt(Field& field, std::uint32_t pending);
void add_priority_queue(Field& field, std::uint32_t pending);

namespace {

class Multimap {
  public:
    explicit Multimap(std::uint32_t pending) : places_(pending) {}

    void add(std::uint32_t timer, std::int64_t due_ns) {
        places_[timer] = map_.emplace(due_ns, timer);
    }
    void remove(std::uint32_t timer) { map_.erase(places_[timer]); }
    std::uint32_t take() {
        const std::uint32_t earliest = map_.begin()->second;
        taken_ns_ = map_.begin()->first;
        map_.erase(map_.begin());
        return earliest;
    }
    std::int64_t due_ns(std::uint32_t) const { return taken_ns_; }

  private:
    std::multimap<std::int64_t, std::uint32_t> map_;
    std::vector<std::multimap<std::int64_t, std::uint32_t>::iterator> places_;
    std::int64_t taken_ns_ = 0;
};

} // namespace

std::uint64_t right_sum(std::uint32_t pending, int operations) {
    Script<Multimap> script(pending);
    for (int count = 0; count < operations; ++count)
        script.operate();
    return script.sum();
}

} // namespace takt::bench::timers

int main(int argc, char** argv) {
    using namespace takt::bench;
    std::vector<std::unique_ptr<Field>> fields;
    for (const std::uint32_t pending : {1'000u, 10'000u, 100'000u, 1'000'000u}) {
        Field& field = *fields.emplace_back(std::make_unique<Field>(timers::kWindows));
        timers::add_takt(field, pending);
        timers::add_priority_queue(field, pending);
    }
    return run(argc, argv);
}
