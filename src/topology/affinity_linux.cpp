// SPDX-License-Identifier: MIT
#include "topology/affinity.hpp"

#include "takt/topology/limits.hpp"

#include <cerrno>
#include <cstddef>
#include <mutex>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace takt::detail {
namespace {

// As wide as a CpuSet: the kernel refuses a mask shorter than its own, and takes a longer one.
class KernelMask {
  public:
    int read() { return ::sched_getaffinity(0, sizeof parts_, parts_) == 0 ? 0 : errno; }
    int write(int thread_id) const {
        return ::sched_setaffinity(thread_id, sizeof parts_, parts_) == 0 ? 0 : errno;
    }
    void insert(int cpu) { CPU_SET(within(cpu), &parts_[cpu / CPU_SETSIZE]); }
    bool contains(int cpu) const { return CPU_ISSET(within(cpu), &parts_[cpu / CPU_SETSIZE]); }

  private:
    static std::size_t within(int cpu) { return static_cast<std::size_t>(cpu % CPU_SETSIZE); }

    cpu_set_t parts_[kCpuLimit / CPU_SETSIZE] = {};
};

struct Remembered {
    std::mutex mutex;
    bool pinned = false;
    bool read = false;
    Affinity affinity;
};

Remembered& remembered() {
    static Remembered instance;
    return instance;
}

void read_again(Remembered& memory) {
    memory.affinity = read_affinity();
    memory.read = true;
}

} // namespace

Affinity read_affinity() {
    KernelMask mask;
    if (const int error = mask.read(); error != 0)
        return {.error = error};
    Affinity affinity;
    for (int cpu = 0; cpu < kCpuLimit; ++cpu)
        if (mask.contains(cpu))
            affinity.cpus.insert(cpu);
    return affinity;
}

int this_thread_id() noexcept {
    return static_cast<int>(::syscall(SYS_gettid));
}

int write_affinity(const CpuSet& cpus, int thread_id) noexcept {
    KernelMask mask;
    for (const int cpu : cpus)
        mask.insert(cpu);
    return mask.write(thread_id);
}

Affinity unpinned_affinity() {
    Remembered& memory = remembered();
    const std::lock_guard lock(memory.mutex);
    if (!memory.pinned)
        read_again(memory);
    return memory.affinity;
}

void note_first_pin() {
    Remembered& memory = remembered();
    const std::lock_guard lock(memory.mutex);
    if (!memory.pinned && !memory.read)
        read_again(memory);
    memory.pinned = true;
}

} // namespace takt::detail
