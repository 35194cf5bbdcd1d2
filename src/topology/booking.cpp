// SPDX-License-Identifier: MIT
#include "takt/topology/booking.hpp"

#include "takt/base.hpp"

#include <mutex>
#include <utility>

namespace takt {
namespace {

struct Registry {
    std::mutex mutex;
    CpuSet booked;
};

// Never destroyed: a runtime in a static object may release its CPUs after main.
Registry& registry() {
    static Registry& instance = *new Registry;
    return instance;
}

} // namespace

Booking::Booking(Booking&& other) noexcept : cpus_(std::exchange(other.cpus_, {})) {}

Booking& Booking::operator=(Booking&& other) noexcept {
    Booking old(std::move(*this));
    cpus_ = std::exchange(other.cpus_, {});
    return *this;
}

Booking::~Booking() {
    if (cpus_.empty())
        return;
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    for (const int cpu : cpus_)
        all.booked.erase(cpu); // unlike a set difference, this cannot run out of memory
}

Booking Booking::take(const CpuSet& cpus) {
    Booking booking(cpus);
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    if (const CpuSet taken = all.booked & cpus; !taken.empty()) {
        booking.cpus_ = {}; // none of them is ours to release
        throw Error("workers.cpus", cpus.to_string(),
                    "another runtime of this process has booked " + taken.to_string(),
                    "Give each runtime its CPUs with workers.cpus, or end the other one first");
    }
    all.booked = all.booked | cpus;
    return booking;
}

CpuSet Booking::current() {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    return all.booked;
}

} // namespace takt
