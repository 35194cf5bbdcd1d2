// SPDX-License-Identifier: MIT
#include "actor_ping_pong/config.hpp"

namespace takt::bench::actor_ping_pong {

void add_takt(Field& same_worker, Field& across);
void add_raw(Field& across);
#if TAKT_HAVE_CAF
void add_caf(Field& same_worker, Field& across);
#endif

} // namespace takt::bench::actor_ping_pong

int main(int argc, char** argv) {
    using namespace takt::bench::actor_ping_pong;
    takt::bench::Field same_worker(kWindows);
    takt::bench::Field across(kWindows);
    add_takt(same_worker, across);
    add_raw(across);
#if TAKT_HAVE_CAF
    add_caf(same_worker, across);
#endif
    return takt::bench::run(argc, argv);
}
