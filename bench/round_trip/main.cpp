// SPDX-License-Identifier: MIT
#include "round_trip/config.hpp"

namespace takt::bench::round_trip {

void add_raw();
void add_mailboxes();
void add_futex();

} // namespace takt::bench::round_trip

int main(int argc, char** argv) {
    using namespace takt::bench::round_trip;
    add_raw();
    add_mailboxes();
    add_futex();
    return takt::bench::run(argc, argv);
}
