// SPDX-License-Identifier: MIT
#include "probe_overhead/config.hpp"

namespace takt::bench::probe_overhead {

void add_takt(Field& field);
#if TAKT_HAVE_MICROPROFILE
void add_microprofile(Field& field);
#endif
void add_frames(Field& field, int handlers);

} // namespace takt::bench::probe_overhead

int main(int argc, char** argv) {
    using namespace takt::bench::probe_overhead;
    takt::bench::Field scopes(kWindows);
    takt::bench::Field frames_of_one(kWindows);
    takt::bench::Field frames_of_twenty(kWindows);
    add_takt(scopes);
#if TAKT_HAVE_MICROPROFILE
    add_microprofile(scopes);
#endif
    add_frames(frames_of_one, 1);
    add_frames(frames_of_twenty, 20);
    return takt::bench::run(argc, argv);
}
