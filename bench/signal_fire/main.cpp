// SPDX-License-Identifier: MIT
#include "signal_fire/config.hpp"

namespace takt::bench::signal_fire {

void add_takt(Field& serial, Field& parallel, std::size_t listeners);
void add_vector_function(Field& serial, std::size_t listeners);
#if TAKT_HAVE_TBB
void add_tbb_parallel_for(Field& parallel, std::size_t listeners);
#endif

} // namespace takt::bench::signal_fire

int main(int argc, char** argv) {
    using namespace takt::bench;
    std::vector<std::unique_ptr<Field>> fields;
    const auto next_field = [&]() -> Field& {
        return *fields.emplace_back(std::make_unique<Field>(signal_fire::kWindows));
    };
    for (const std::size_t listeners : {1u, 64u, 4096u}) {
        Field& serial = next_field();
        Field& parallel = next_field();
        signal_fire::add_takt(serial, parallel, listeners);
        signal_fire::add_vector_function(serial, listeners);
#if TAKT_HAVE_TBB
        signal_fire::add_tbb_parallel_for(parallel, listeners);
#endif
    }
    return run(argc, argv);
}
