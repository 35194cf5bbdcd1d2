// SPDX-License-Identifier: MIT
#include "dispatch_range/config.hpp"

#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace takt::bench::dispatch_range {

void add_takt(Field& field, const Size& size, const std::shared_ptr<Job>& job);
#if TAKT_HAVE_OPENMP
void add_openmp(Field& field, const Size& size, const std::shared_ptr<Job>& job);
#endif
#if TAKT_HAVE_TBB
void add_tbb(Field& field, const Size& size, const std::shared_ptr<Job>& job);
#endif

bool Job::is_wrong() const {
    std::array<std::uint64_t, kSeeds> expected;
    for (std::size_t seed = 0; seed < kSeeds; ++seed)
        expected[seed] = work(seed + 1, shape_.rounds);
    for (std::size_t index = 0; index < results_.size(); ++index)
        if (results_[index] >> 1 != (expected[index % kSeeds] + salt(index)) << 1 >> 1)
            return true;
    return false;
}

double Job::off_caller() const {
    const auto count =
        std::ranges::count_if(results_, [](std::uint64_t result) { return (result & 1) != 0; });
    return static_cast<double>(count) / static_cast<double>(results_.size());
}

// Of the longest, a window of one operation takes a second.
int windows_of(const Size& size) noexcept {
    const double all_ns = static_cast<double>(size.items) * size.body_ns;
    return all_ns > 1e9 ? 1 : all_ns > 1e8 ? 3 : 7;
}

void rest() {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

} // namespace takt::bench::dispatch_range

int main(int argc, char** argv) {
    using namespace takt::bench;
    using namespace takt::bench::dispatch_range;
    std::vector<std::unique_ptr<Field>> fields;
    for (const auto& [body_ns, body] : {std::pair(0.0, "0"), {100.0, "100ns"}, {2'000.0, "2us"}})
        for (const std::size_t items : {100u, 1'000u, 10'000u, 100'000u, 1'000'000u}) {
            const Size size{items, body_ns, body};
            const auto job = std::make_shared<Job>(Job::Shape{items, rounds_of(body_ns)});
            Field& field = *fields.emplace_back(std::make_unique<Field>(windows_of(size)));
            add_takt(field, size, job);
#if TAKT_HAVE_OPENMP
            add_openmp(field, size, job);
#endif
#if TAKT_HAVE_TBB
            add_tbb(field, size, job);
#endif
        }
    return takt::bench::run(argc, argv);
}
