// SPDX-License-Identifier: MIT
#include "round_trip/config.hpp"

#include <array>
#include <atomic>

namespace takt::bench::round_trip {
namespace {

class Raw {
  public:
    void send(int, int to, std::uint64_t number) {
        // edge line, release side
        lines_[static_cast<std::size_t>(to)].word.store(number, std::memory_order_release);
    }
    std::uint64_t receive(int at) {
        Line& line = lines_[static_cast<std::size_t>(at)];
        std::uint64_t number = line.seen;
        for (;;) {
            number = line.word.load(std::memory_order_acquire); // edge line, acquire side
            if (number != line.seen)
                break;
            spin_step();
        }
        line.seen = number;
        return number;
    }

  private:
    struct alignas(kInterference) Line {
        std::atomic<std::uint64_t> word{0};
        alignas(kInterference) std::uint64_t seen = 0; // the reader's
    };
    std::array<Line, 2> lines_;
};

} // namespace

void add_raw() {
    add<Raw>("raw");
}

} // namespace takt::bench::round_trip
