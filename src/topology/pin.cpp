// SPDX-License-Identifier: MIT
#include "takt/topology/pin.hpp"

#include "takt/topology/limits.hpp"
#include "topology/affinity.hpp"
#include "topology/file.hpp"

#include <cerrno>
#include <new>

namespace takt {
namespace {

std::string refusal(int cpu, int error) {
    const std::string name = "CPU " + std::to_string(cpu);
    if (error == EINVAL)
        return "EINVAL: " + name + " is outside this process's cpuset, offline or missing";
    return detail::error_text(error) + ", when pinning to " + name;
}

std::string mismatch(const PinResult& result, int error) {
    if (error != 0)
        return "the mask cannot be read back (" + detail::error_text(error) + ")";
    return "the kernel granted CPUs " + result.granted.to_string() + " instead of CPU " +
           std::to_string(result.requested);
}

} // namespace

PinResult pin_this_thread(int cpu) {
    PinResult result{.requested = cpu};
    const bool is_cpu_number = cpu >= 0 && cpu < kCpuLimit;
    detail::note_first_pin();
    const int refused = is_cpu_number ? detail::write_affinity({cpu}) : EINVAL;
    detail::Affinity after = detail::read_affinity();
    result.granted = std::move(after.cpus);
    result.pinned = refused == 0 && result.granted == CpuSet{cpu};
    if (refused != 0)
        result.why = refusal(cpu, refused);
    else if (!result.pinned)
        result.why = mismatch(result, after.error);
    return result;
}

void unpin_this_thread() noexcept {
    try {
        const CpuSet before = detail::unpinned_affinity().cpus;
        if (!before.empty())
            detail::write_affinity(before);
    } catch (const std::bad_alloc&) { // it stays where it is
    }
}

ScopedPin::ScopedPin(int cpu)
    : thread_id_(detail::this_thread_id()), before_(detail::read_affinity().cpus),
      result_(pin_this_thread(cpu)) {}

ScopedPin::~ScopedPin() {
    if (!before_.empty())
        detail::write_affinity(before_, thread_id_);
}

} // namespace takt
