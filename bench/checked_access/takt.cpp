// SPDX-License-Identifier: MIT
#include "checked_access/config.hpp"

namespace takt::bench::checked_access {
namespace {

// ReadParallel, between frames: the serial phase, in which it is read and written.
class Takt {
  public:
    Window reads() {
        shared_.write(runtime().serial()) = initial_values();
        return time_reads(initial_values(), [this]() -> const Values& { return shared_.read(); });
    }
    Window writes() {
        const Serial serial = runtime().serial();
        return time_writes([&]() -> Values& { return shared_.write(serial); },
                           [this]() -> const Values& { return shared_.read(); });
    }

  private:
    // One for all contenders: their windows take turns on one CPU.
    static Runtime& runtime() {
        static Runtime runtime(config());
        return runtime;
    }

    ReadParallel<Values> shared_{Values{}};
};

} // namespace

void add_takt(Field& field) {
    add<Takt>(field, "takt");
}

} // namespace takt::bench::checked_access
