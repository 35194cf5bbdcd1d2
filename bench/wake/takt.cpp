// SPDX-License-Identifier: MIT
#include "wake/config.hpp"

#include <memory>

namespace takt::bench::wake {
namespace {

class TaktBell final : public Bell {
  public:
    TaktBell(Waiting waiting, bool knows_the_time) : waiting_(waiting), knows_(knows_the_time) {}
    void ring(std::uint64_t number) override { count_.advance({number, 0}); }
    void await(std::uint64_t number, std::int64_t due_ns) override {
        count_.await([number](Event event) { return event.sequence >= number; }, waiting_,
                     knows_ ? due_ns : kNever);
    }

  private:
    EventCount<StdPolicy> count_;
    Waiting waiting_;
    bool knows_;
};

} // namespace

void add_takt() {
    constexpr std::int64_t kAlwaysNs = 3'600'000'000'000;
    const Waiting spinning{.spin_ns = kAlwaysNs};
    const Waiting yielding{.spin_ns = 0, .yields = UINT32_MAX};
    const Waiting parked{.spin_ns = 0};
    const auto bell = [](Waiting waiting, bool knows_the_time) {
        return [=] { return std::make_unique<TaktBell>(waiting, knows_the_time); };
    };
    add("takt/spinning", Rhythm::irregular, bell(spinning, false));
    add("takt/yielding", Rhythm::irregular, bell(yielding, false));
    add("takt/parked", Rhythm::irregular, bell(parked, false));
    add("takt/default", Rhythm::irregular, bell({}, false));
    add("takt/parked_60hz", Rhythm::every_60th, bell(parked, false));
    add("takt/prewoken_60hz", Rhythm::every_60th, bell({}, true));
}

} // namespace takt::bench::wake
