// SPDX-License-Identifier: MIT
#include "takt/topology.hpp"

#include "topology/child.hpp"
#include "topology/expect_error.hpp"
#include "topology/tree.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sched.h>
#include <sstream>

namespace takt {
namespace {

using test::expect_error;
using test::in_child;
using test::Tree;

const std::string kFixtures = TAKT_TOPOLOGY_FIXTURES;

Machine synthetic(const std::string& description) {
    return discover_machine({.synthetic = description});
}

Machine from_xml(const std::string& path) {
    return discover_machine({.xml_path = path});
}

std::string read_text(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

std::string summary(const Machine& machine) {
    std::ostringstream text;
    text << to_string(machine.source) << (machine.degraded ? " degraded" : "")
         << (machine.bindable ? " bindable" : "") << " " << machine.cores << " cores "
         << machine.llcs << " llcs " << machine.numas << " numas " << machine.packages
         << " packages, " << machine.cpus.size() << " CPUs, allowed " << machine.allowed.count();
    return text.str();
}

bool mentions(const std::vector<std::string>& notes, const std::string& words) {
    return std::any_of(notes.begin(), notes.end(), [&](const std::string& note) {
        return note.find(words) != std::string::npos;
    });
}

TEST(Machine, described_synthetically_has_exactly_what_was_described) {
    EXPECT_EQ(summary(synthetic("package:2 numa:4 l3:4 core:8 pu:1")),
              "synthetic 256 cores 32 llcs 8 numas 2 packages, 256 CPUs, allowed 256");
    EXPECT_EQ(summary(synthetic("package:2 numa:1 l3:2 core:4 pu:2")),
              "synthetic 16 cores 4 llcs 2 numas 2 packages, 32 CPUs, allowed 32");
    EXPECT_EQ(summary(synthetic("package:1 core:1 pu:1")),
              "synthetic 1 cores 1 llcs 1 numas 1 packages, 1 CPUs, allowed 1");
    EXPECT_EQ(summary(synthetic("package:1 l3:1 core:2 pu:8")),
              "synthetic 2 cores 1 llcs 1 numas 1 packages, 16 CPUs, allowed 16");
}

TEST(Machine, lists_siblings_next_to_each_other_with_their_ranks) {
    const Machine machine = synthetic("package:2 l3:1 core:2 pu:2");
    std::string seen;
    for (const Cpu& cpu : machine.cpus)
        seen += std::to_string(cpu.core) + "." + std::to_string(cpu.smt_rank) + "/" +
                std::to_string(cpu.llc) + "/" + std::to_string(cpu.package) + " ";
    EXPECT_EQ(seen, "0.0/0/0 0.1/0/0 1.0/0/0 1.1/0/0 2.0/1/1 2.1/1/1 3.0/1/1 3.1/1/1 ");
}

TEST(Machine, with_interleaved_cpu_numbers_keeps_the_numbers_of_the_system) {
    const Machine machine = synthetic("package:2 core:2 pu:1(indexes=0,2,1,3)");
    std::vector<int> numbers;
    for (const Cpu& cpu : machine.cpus)
        numbers.push_back(cpu.os_index);
    EXPECT_EQ(numbers, (std::vector{0, 2, 1, 3}));
}

TEST(Machine, that_hides_its_caches_shares_one_per_node_or_package) {
    EXPECT_EQ(synthetic("package:2 core:2 pu:1").llcs, 1) << "one node covers both packages";
    EXPECT_EQ(synthetic("package:2 numa:1 core:2 pu:1").llcs, 2);
    EXPECT_EQ(synthetic("package:1 l2:4 core:1 pu:2").llcs, 4);
    EXPECT_EQ(synthetic("package:1 numa:1 l1d:4 core:1 pu:1").llcs, 1) << "no core shares its L1";
}

TEST(Machine, T2_that_is_another_one_is_never_bindable_and_ignores_mask_and_quota) {
    EXPECT_EQ(in_child([]() -> std::string {
                  cpu_set_t one;
                  CPU_ZERO(&one);
                  CPU_SET(static_cast<std::size_t>(*read_limits().affinity.begin()), &one);
                  ::sched_setaffinity(0, sizeof one, &one);
                  ::setenv("HWLOC_THISSYSTEM", "1", 1);
                  return summary(synthetic("core:4 pu:1")) + " " +
                         summary(from_xml(kFixtures + "/two_packages.xml"));
              }),
              "synthetic 4 cores 1 llcs 1 numas 1 packages, 4 CPUs, allowed 4 "
              "xml 8 cores 4 llcs 2 numas 2 packages, 16 CPUs, allowed 16");
}

TEST(Machine, that_is_another_one_takes_the_quota_of_the_files_that_come_with_it) {
    Tree tree;
    tree.file("/proc/self/cgroup", "0::/\n");
    tree.file("/proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 none rw\n");
    tree.file("/cg/cpu.max", "350000 100000\n");
    const Machine machine =
        discover_machine({.synthetic = "core:8 pu:1", .limits = {.filesystem_root = tree.root()}});
    EXPECT_EQ(machine.limits.cpus, 3.5);
    EXPECT_TRUE(mentions(machine.notes, "CPU quota of 3.5 CPUs, set by " + tree.root()));
}

TEST(Machine, with_two_kinds_of_cores_ranks_the_faster_kind_higher) {
    const Machine machine = from_xml(kFixtures + "/hybrid.xml");
    std::vector<int> kinds;
    for (const Cpu& cpu : machine.cpus)
        kinds.push_back(cpu.efficiency);
    EXPECT_EQ(kinds, (std::vector{0, 0, 0, 0, 1, 1}));
}

TEST(Machine, prints_itself_on_one_screen) {
    std::ostringstream out;
    synthetic("package:2 l3:1 core:2 pu:2").print(out);
    EXPECT_NE(out.str().find("CPUs 8, cores 4, last-level caches 2"), std::string::npos);
    EXPECT_NE(out.str().find("cache 1: CPUs 4+5 6+7"), std::string::npos) << out.str();
    EXPECT_NE(out.str().find("cannot be pinned to"), std::string::npos);
}

TEST(Machine, described_badly_is_refused_with_its_description) {
    for (const char* bad : {"core", "pu:0", "core:-1 pu:2", "garbage:2", "%n", "package:2 (", "\n"})
        expect_error([bad] { synthetic(bad); }, "topology.synthetic", bad, "Write levels");
}

TEST(Machine, described_without_cores_is_refused) {
    expect_error([] { synthetic("pu:2"); }, "topology.synthetic", "pu:2", "no cores");
}

TEST(Machine, described_enormously_is_refused_before_it_is_built) {
    const auto start = std::chrono::steady_clock::now();
    for (const char* huge : {"core:1000000 pu:1", "package:4294967296 core:4294967296 pu:2",
                             "core:99999999999999999999 pu:1", "package:128 core:128 pu:2"})
        expect_error([huge] { synthetic(huge); }, "topology.synthetic", huge,
                     "more than 8192 CPUs");
    EXPECT_THROW(synthetic("core:2 pu:2" + std::string(5000, ' ')), Error);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(Machine, cannot_be_described_twice) {
    const TopologyConfig both{.synthetic = "core:2 pu:1", .xml_path = "machine.xml"};
    expect_error([&] { discover_machine(both); }, "topology.synthetic", "core:2 pu:1",
                 "topology.xml_path is set too");
}

TEST(MachineXml, that_cannot_be_used_is_refused_with_its_path) {
    Tree tree;
    const std::string good = read_text(kFixtures + "/two_packages.xml");
    const auto refused = [](const std::string& path, const std::string& said) {
        expect_error([&] { from_xml(path); }, "topology.xml_path", path, said);
    };
    refused(tree.root() + "/missing", "ENOENT");
    refused(tree.root(), "EINVAL");
    refused("/dev/zero", "EINVAL");
    refused(tree.file("/empty", ""), "empty");
    refused(tree.file("/text", "this is no XML"), "lstopo");
    refused(tree.file("/half", good.substr(0, good.size() / 2)), "lstopo");
    refused(tree.file("/root_only", "<?xml version=\"1.0\"?>\n<topology version=\"2.0\"/>"),
            "lstopo");
    refused(tree.file("/huge", good + std::string(1 << 20, ' ')), "larger than 1048576 bytes");
    refused(tree.file("/entities", replaced(good, "<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">",
                                            "<!DOCTYPE t [<!ENTITY a \"aaaa\">]>")),
            "contains <!ENTITY");
    for (const char* broken :
         {",x0000f000", "0x0000f000,", "0xf...f", "", "0x", "0x123456789", "f000"})
        refused(tree.file("/set", replaced(good, "cpuset=\"0x0000f000\"",
                                           "cpuset=\"" + std::string(broken) + "\"")),
                "incomplete object");
    refused(tree.file("/kind", replaced(read_text(kFixtures + "/hybrid.xml"),
                                        "<cpukind cpuset=\"0x0000000f\"", "<cpukind cpuset=\",\"")),
            "broken set");
    refused(tree.file("/number", replaced(good, "type=\"PU\" os_index=\"0\"",
                                          "type=\"PU\" os_index=\"4294967294\"")),
            "CPU");
    refused(tree.file("/twice",
                      replaced(good, "type=\"PU\" os_index=\"0\"", "type=\"PU\" os_index=\"1\"")),
            "CPU 1 appears twice");
}

TEST(MachineXml, with_broken_bytes_is_refused_or_valid_and_never_more) {
    Tree tree;
    const std::string good = read_text(kFixtures + "/hybrid.xml");
    int refused = 0;
    for (std::size_t i = 0; i < 100; ++i) {
        std::string bad = good;
        bad[(i * 7919) % bad.size()] = static_cast<char>('!' + static_cast<char>(i % 90));
        const std::string path = tree.file("/bad.xml", bad);
        const std::string outcome = in_child([&]() -> std::string { // hwloc complains to stderr
            if (!std::freopen("/dev/null", "w", stderr))
                return "no /dev/null";
            try {
                const Machine machine = from_xml(path);
                return machine.cores > 0 && !machine.allowed.empty() ? "valid" : "invalid";
            } catch (const Error&) {
                return "refused";
            }
        });
        refused += outcome == "refused" ? 1 : 0;
        EXPECT_TRUE(outcome == "valid" || outcome == "refused") << outcome << " at step " << i;
    }
    EXPECT_GT(refused, 10);
}

TEST(MachineHere, is_native_and_allows_what_the_kernel_allows) {
    const Machine machine = discover_machine();
    EXPECT_EQ(machine.source, MachineSource::native);
    EXPECT_TRUE(machine.bindable);
    EXPECT_FALSE(machine.degraded);
    EXPECT_EQ(machine.allowed, machine.limits.affinity & machine.all_cpus());
    EXPECT_GT(machine.cores, 0);
}

TEST(MachineHere, T1_restricted_by_taskset_allows_only_the_mask) {
    const Machine whole = discover_machine();
    if (whole.allowed.count() < 2)
        GTEST_SKIP() << "needs two CPUs, one of them to leave out";
    const int kept = *++whole.allowed.begin();
    EXPECT_EQ(in_child([&]() -> std::string {
                  cpu_set_t mask;
                  CPU_ZERO(&mask);
                  CPU_SET(static_cast<std::size_t>(kept), &mask);
                  ::sched_setaffinity(0, sizeof mask, &mask);
                  const Machine machine = discover_machine();
                  const bool noted =
                      mentions(machine.notes, "outside this process's affinity mask");
                  return machine.allowed.to_string() + (noted ? " noted " : " silent ") +
                         make_plan(machine).cpus().to_string();
              }),
              std::to_string(kept) + " noted " + std::to_string(kept));
}

TEST(MachineHere, stays_the_same_after_takt_has_pinned_the_caller) {
    const std::string before = discover_machine().allowed.to_string();
    EXPECT_EQ(in_child([]() -> std::string {
                  const ScopedPin pin(*read_limits().affinity.begin());
                  return pin.result().why + discover_machine().allowed.to_string();
              }),
              before);
}

TEST(MachineHere, is_discovered_without_moving_the_caller) {
    const std::string before = read_limits().affinity.to_string();
    discover_machine();
    EXPECT_EQ(read_limits().affinity.to_string(), before);
}

// hwloc's environment variables: what each of them does to a load, see hwloc_reader.cpp.
struct Lie {
    const char* name;
    const char* value;
    bool claims_this_system; // HWLOC_THISSYSTEM=1 beside it
};

void PrintTo(const Lie& lie, std::ostream* out) {
    *out << lie.name << "=" << lie.value << (lie.claims_this_system ? " HWLOC_THISSYSTEM=1" : "");
}

class LyingEnvironment : public testing::TestWithParam<Lie> {
  protected:
    static std::string value() { return replace_fixtures(GetParam().value); }
    static void lie() {
        ::setenv(GetParam().name, value().c_str(), 1);
        if (GetParam().claims_this_system)
            ::setenv("HWLOC_THISSYSTEM", "1", 1);
    }

  private:
    static std::string replace_fixtures(const std::string& text) {
        return text.front() == '@' ? kFixtures + text.substr(1) : text;
    }
};

TEST_P(LyingEnvironment, is_refused_by_name) {
    EXPECT_EQ(in_child([]() -> std::string {
                  lie();
                  try {
                      return summary(discover_machine());
                  } catch (const Error& error) {
                      return error.key() + "=" + error.value() + " " + error.remedy().substr(0, 8);
                  }
              }),
              std::string(GetParam().name) + "=" + value() + " Unset it");
}

TEST_P(LyingEnvironment, gives_the_flat_machine_where_that_is_wanted) {
    const std::string count = std::to_string(read_limits().affinity.count());
    EXPECT_EQ(in_child([]() -> std::string {
                  lie();
                  const Machine machine = discover_machine({.on_failure = OnFailure::flat});
                  const bool blamed = mentions(machine.notes, GetParam().name);
                  return summary(machine) + (blamed ? ", blamed" : ", silent");
              }),
              "flat degraded bindable " + count + " cores 1 llcs 1 numas 1 packages, " + count +
                  " CPUs, allowed " + count + ", blamed");
}

INSTANTIATE_TEST_SUITE_P(hwloc, LyingEnvironment,
                         testing::Values(Lie{"HWLOC_SYNTHETIC", "core:64 pu:1", false},
                                         Lie{"HWLOC_SYNTHETIC", "core:64 pu:1", true},
                                         Lie{"HWLOC_XMLFILE", "@/two_packages.xml", false},
                                         Lie{"HWLOC_XMLFILE", "@/two_packages.xml", true},
                                         Lie{"HWLOC_XMLFILE", "/missing.xml", false},
                                         Lie{"HWLOC_FSROOT", "/missing", false},
                                         Lie{"HWLOC_CPUID_PATH", "/missing", false},
                                         Lie{"HWLOC_THISSYSTEM", "0", false},
                                         Lie{"HWLOC_COMPONENTS", "stop", false},
                                         Lie{"HWLOC_COMPONENTS", "no_os,stop", false}));

TEST(Environment, does_not_replace_a_machine_that_was_described) {
    EXPECT_EQ(in_child([]() -> std::string {
                  ::setenv("HWLOC_SYNTHETIC", "core:64 pu:1", 1);
                  ::setenv("HWLOC_XMLFILE", (kFixtures + "/hybrid.xml").c_str(), 1);
                  return summary(synthetic("core:4 pu:1"));
              }),
              "synthetic 4 cores 1 llcs 1 numas 1 packages, 4 CPUs, allowed 4");
}

TEST(Environment, that_claims_the_truth_is_accepted) {
    EXPECT_EQ(in_child([]() -> std::string {
                  ::setenv("HWLOC_THISSYSTEM", "1", 1);
                  ::setenv("HWLOC_XMLFILE", "", 1);
                  return to_string(discover_machine().source);
              }),
              "native");
}

TEST(FlatMachine, replaces_a_bad_description_only_where_that_is_wanted) {
    for (const TopologyConfig& bad :
         {TopologyConfig{.synthetic = "garbage"}, TopologyConfig{.xml_path = "/missing.xml"}}) {
        EXPECT_THROW(discover_machine(bad), Error);
        TopologyConfig lenient = bad;
        lenient.on_failure = OnFailure::flat;
        const Machine machine = discover_machine(lenient);
        EXPECT_EQ(machine.source, MachineSource::flat);
        EXPECT_TRUE(machine.degraded);
        EXPECT_EQ(machine.allowed, machine.limits.affinity);
        EXPECT_TRUE(mentions(machine.notes, "flat topology"));
    }
}

TEST(FlatMachine, can_be_planned_and_pinned) {
    EXPECT_EQ(in_child([]() -> std::string {
                  ::setenv("HWLOC_COMPONENTS", "stop", 1);
                  const Machine machine = discover_machine({.on_failure = OnFailure::flat});
                  const Plan plan = make_plan(machine);
                  return (plan.pin ? "" : "not to be pinned ") +
                         pin_this_thread(plan.workers.at(0).cpu).why;
              }),
              "");
}

} // namespace
} // namespace takt
