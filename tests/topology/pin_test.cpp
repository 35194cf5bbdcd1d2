// SPDX-License-Identifier: MIT
#include "takt/topology.hpp"

#include "topology/child.hpp"

#include <cerrno>
#include <fstream>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

namespace takt {
namespace {

std::string masked() {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    ::sched_getaffinity(0, sizeof mask, &mask);
    CpuSet set;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(static_cast<std::size_t>(cpu), &mask))
            set.insert(cpu);
    return set.to_string();
}

TEST(Pin, is_read_back_from_the_kernel) {
    const int cpu = *read_limits().affinity.begin();
    EXPECT_EQ(test::in_child([&]() -> std::string {
                  const PinResult result = pin_this_thread(cpu);
                  return (result.pinned ? "pinned " : "not pinned ") + result.why +
                         result.granted.to_string() + " " + masked();
              }),
              "pinned " + std::to_string(cpu) + " " + std::to_string(cpu));
}

TEST(Pin, that_the_kernel_refuses_is_an_answer_and_changes_nothing) {
    const std::string before = masked();
    EXPECT_EQ(test::in_child([&]() -> std::string {
                  const PinResult result = pin_this_thread(65535);
                  return (result.pinned ? "pinned " : "") + result.why + " " + masked() + " " +
                         result.granted.to_string();
              }),
              "EINVAL: CPU 65535 is outside this process's cpuset, offline or missing " + before +
                  " " + before);
}

TEST(Pin, to_a_number_that_is_no_cpu_is_refused) {
    for (const int cpu : {-1, kCpuLimit, INT32_MIN, INT32_MAX})
        EXPECT_EQ(test::in_child([&]() -> std::string {
                      const PinResult result = pin_this_thread(cpu);
                      return result.pinned || result.why.empty() ? "not refused" : "";
                  }),
                  "")
            << cpu;
}

TEST(Pin, of_a_scope_gives_the_old_mask_back) {
    const std::string before = masked();
    const int cpu = *read_limits().affinity.begin();
    EXPECT_EQ(test::in_child([&]() -> std::string {
                  std::string inside;
                  {
                      const ScopedPin pin(cpu);
                      inside = masked();
                  }
                  return inside + " " + masked();
              }),
              std::to_string(cpu) + " " + before);
}

TEST(Pin, to_a_cpu_outside_a_living_cpuset_is_refused_and_the_machine_shrinks_to_it) {
    const std::string group = "/sys/fs/cgroup/cpuset/takt_test";
    const CpuSet before = read_limits().affinity;
    if (before.count() < 2)
        GTEST_SKIP() << "needs two CPUs, one of them to forbid";
    if (::access("/sys/fs/cgroup/cpuset/cpuset.cpus", W_OK) != 0)
        GTEST_SKIP() << "needs root and a cgroup v1 cpuset controller to make a real cpuset";
    if (::mkdir(group.c_str(), 0755) != 0 && errno != EEXIST)
        GTEST_SKIP() << "the cgroup v1 cpuset controller is mounted, and refuses new groups";
    const int allowed = *before.begin();
    const int forbidden = *++before.begin();
    const std::string result = test::in_child([&]() -> std::string {
        std::ofstream(group + "/cpuset.mems") << 0;
        std::ofstream(group + "/cpuset.cpus") << allowed;
        std::ofstream(group + "/cgroup.procs") << ::getpid();
        const Machine machine = discover_machine();
        const std::string planned = make_plan(machine).cpus().to_string();
        return machine.allowed.to_string() + " " + planned + " " + pin_this_thread(forbidden).why;
    });
    ::rmdir(group.c_str());
    EXPECT_EQ(result, std::to_string(allowed) + " " + std::to_string(allowed) + " EINVAL: CPU " +
                          std::to_string(forbidden) +
                          " is outside this process's cpuset, offline or missing");
}

} // namespace
} // namespace takt
