// SPDX-License-Identifier: MIT
#pragma once
// Layer 1, topology. The CPUs that this process's runtimes have taken, so that two of them never
// pin to the same one. Taken at start and given back at the end; never on the hot path.

#include "takt/topology/cpu_set.hpp"

namespace takt {

/// CPUs taken for as long as the object lives. Movable; any thread may take and release.
/// K1  No CPU is in two bookings at once.
class [[nodiscard]] Booking {
  public:
    /// Books nothing.
    Booking() = default;
    Booking(Booking&& other) noexcept;
    Booking& operator=(Booking&& other) noexcept;
    Booking(const Booking&) = delete;
    Booking& operator=(const Booking&) = delete;
    ~Booking();

    /// Books all of `cpus`, or throws Error with the CPUs that are taken and books none.
    static Booking take(const CpuSet& cpus);

    /// Everything booked in this process at this moment; already old when you read it.
    static CpuSet current();

    const CpuSet& cpus() const noexcept { return cpus_; }

  private:
    explicit Booking(const CpuSet& cpus) : cpus_(cpus) {}

    CpuSet cpus_;
};

} // namespace takt
