// SPDX-License-Identifier: MIT
#include "frame_empty/config.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

namespace takt::bench::frame_empty {

void add_takt(Field& field, int workers);
void add_std_barrier(Field& field, int workers);
#if TAKT_HAVE_OPENMP
void add_openmp(Field& field, int workers);
#endif
#if TAKT_HAVE_TBB
void add_tbb(Field& field, int workers);
#endif

bool is_wrong(const Seats& seats, int frames, bool own_worker) {
    std::set<const char*> threads;
    for (const Seat& seat : seats) {
        threads.insert(seat.ran_on());
        if (seat.count() != static_cast<std::uint64_t>(frames) || (own_worker && seat.moved()))
            return true;
    }
    return own_worker && threads.size() != seats.size();
}

void rest(int ms) {
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

} // namespace takt::bench::frame_empty

int main(int argc, char** argv) {
    using namespace takt::bench::frame_empty;
    takt::bench::Field of_two(kWindows);
    takt::bench::Field of_four(kWindows);
    for (const int workers : {2, 4}) {
        takt::bench::Field& field = workers == 2 ? of_two : of_four;
        add_takt(field, workers);
        add_std_barrier(field, workers);
#if TAKT_HAVE_OPENMP
        add_openmp(field, workers);
#endif
#if TAKT_HAVE_TBB
        add_tbb(field, workers);
#endif
    }
    return takt::bench::run(argc, argv);
}
