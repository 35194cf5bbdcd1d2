// SPDX-License-Identifier: MIT
#include "takt/topology.hpp"

#include "topology/child.hpp"
#include "topology/tree.hpp"

#include <climits>
#include <cmath>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace takt {
namespace {

using test::Tree;

constexpr const char* kMountV2 =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* kMountV1 =
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n";

Limits limits_of(const Tree& tree) {
    return read_limits({.filesystem_root = tree.root()});
}

std::string all_notes(const Limits& limits) {
    std::string all;
    for (const std::string& note : limits.notes)
        all += note + "\n";
    return all;
}

/// A process in /web/server of a v2 hierarchy.
Tree& with_v2(Tree& tree) {
    tree.file("/proc/self/cgroup", "0::/web/server\n");
    tree.file("/proc/self/mountinfo", kMountV2);
    tree.directory("/sys/fs/cgroup/web/server");
    return tree;
}

/// A process in /web/server of the v1 cpu hierarchy.
Tree& with_v1(Tree& tree) {
    tree.file("/proc/self/cgroup", "5:cpuset:/elsewhere\n4:cpu,cpuacct:/web/server\n0::/\n");
    tree.file("/proc/self/mountinfo", kMountV1);
    tree.directory("/sys/fs/cgroup/cpu,cpuacct/web/server");
    return tree;
}

void v1_quota(const Tree& tree, const std::string& group, const std::string& quota,
              const std::string& period) {
    tree.file("/sys/fs/cgroup/cpu,cpuacct" + group + "/cpu.cfs_quota_us", quota + "\n");
    tree.file("/sys/fs/cgroup/cpu,cpuacct" + group + "/cpu.cfs_period_us", period + "\n");
}

TEST(Limits, allow_a_worker_at_least_and_round_down) {
    EXPECT_EQ(Limits{.cpus = 0.5}.workers_by_quota(), 1);
    EXPECT_EQ(Limits{.cpus = 1.99}.workers_by_quota(), 1);
    EXPECT_EQ(Limits{.cpus = 2.5}.workers_by_quota(), 2);
    EXPECT_EQ(Limits{}.workers_by_quota(), INT_MAX);
    EXPECT_EQ(Limits{.cpus = 9e13}.workers_by_quota(), INT_MAX);
}

struct Value {
    const char* text;
    double cpus; // INFINITY: no limit
    bool noted;
};

void PrintTo(const Value& value, std::ostream* out) {
    *out << '"' << value.text << '"';
}

class QuotaV2 : public testing::TestWithParam<Value> {};

TEST_P(QuotaV2, is_read_or_ignored_and_noted) {
    Tree tree;
    const std::string file =
        with_v2(tree).file("/sys/fs/cgroup/web/server/cpu.max", GetParam().text);
    const Limits limits = limits_of(tree);
    EXPECT_EQ(limits.cpus, GetParam().cpus);
    EXPECT_EQ(limits.source, std::isinf(GetParam().cpus) ? "" : file);
    EXPECT_EQ(limits.notes.size(), GetParam().noted ? 1U : 0U) << all_notes(limits);
    if (GetParam().noted) {
        EXPECT_NE(all_notes(limits).find(file), std::string::npos) << all_notes(limits);
    }
}

INSTANTIATE_TEST_SUITE_P(
    values, QuotaV2,
    testing::Values(Value{"max 100000\n", INFINITY, false}, Value{"max\n", INFINITY, false},
                    Value{"50000 100000\n", 0.5, false}, Value{"250000 100000\n", 2.5, false},
                    Value{"150000\n", 1.5, false}, Value{"garbage\n", INFINITY, true},
                    Value{"", INFINITY, true}, Value{"\n", INFINITY, true},
                    Value{"0 100000\n", INFINITY, true}, Value{"-1 100000\n", INFINITY, true},
                    Value{"50000 0\n", INFINITY, true}, Value{"50000 -5\n", INFINITY, true},
                    Value{"50000 100000 7\n", INFINITY, true},
                    Value{"9223372036854775808 100000\n", INFINITY, true},
                    Value{"1e5 100000\n", INFINITY, true}, Value{"nan nan\n", INFINITY, true}));

class QuotaV1 : public testing::TestWithParam<std::pair<Value, const char*>> {};

TEST_P(QuotaV1, is_read_or_ignored_and_noted) {
    const auto [quota, period] = GetParam();
    Tree tree;
    v1_quota(with_v1(tree), "/web/server", quota.text, period);
    const Limits limits = limits_of(tree);
    EXPECT_EQ(limits.cpus, quota.cpus);
    EXPECT_EQ(limits.notes.size(), quota.noted ? 1U : 0U) << all_notes(limits);
}

INSTANTIATE_TEST_SUITE_P(
    values, QuotaV1,
    testing::Values(std::pair(Value{"-1", INFINITY, false}, "100000"),
                    std::pair(Value{"50000", 0.5, false}, "100000"),
                    std::pair(Value{"250000", 2.5, false}, "100000"),
                    std::pair(Value{"50000", INFINITY, true}, "0"),
                    std::pair(Value{"50000", INFINITY, true}, "garbage"),
                    std::pair(Value{"garbage", INFINITY, true}, "100000"),
                    std::pair(Value{"9223372036854775808", INFINITY, true}, "100000"),
                    std::pair(Value{"9223372036854775807", 9223372036854775807.0, false}, "1")));

TEST(Quota, Q2_of_a_parent_counts_when_it_is_tighter) {
    Tree tree;
    with_v2(tree).file("/sys/fs/cgroup/web/server/cpu.max", "400000 100000\n");
    const std::string parent = tree.file("/sys/fs/cgroup/web/cpu.max", "150000 100000\n");
    const Limits limits = limits_of(tree);
    EXPECT_EQ(limits.cpus, 1.5);
    EXPECT_EQ(limits.source, parent);
}

TEST(Quota, Q2_of_the_group_itself_counts_when_it_is_tighter) {
    Tree tree;
    v1_quota(with_v1(tree), "", "800000", "100000");
    v1_quota(tree, "/web", "400000", "100000");
    v1_quota(tree, "/web/server", "20000", "10000");
    EXPECT_EQ(limits_of(tree).cpus, 2.0);
}

TEST(Quota, Q2_the_tighter_of_v1_and_v2_counts_on_a_hybrid_machine) {
    Tree tree;
    tree.file("/proc/self/cgroup", "4:cpu,cpuacct:/a\n0::/b\n");
    tree.file("/proc/self/mountinfo",
              std::string(kMountV1) +
                  "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    v1_quota(tree, "/a", "300000", "100000");
    tree.file("/sys/fs/cgroup/unified/b/cpu.max", "200000 100000\n");
    EXPECT_EQ(limits_of(tree).cpus, 2.0);
    v1_quota(tree, "/a", "100000", "100000");
    EXPECT_EQ(limits_of(tree).cpus, 1.0);
}

TEST(Quota, of_a_container_is_found_at_the_mount_point) {
    Tree tree;
    tree.file("/proc/self/cgroup", "4:cpu,cpuacct:/docker/abc/inner\n");
    tree.file("/proc/self/mountinfo", "32 31 0:29 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw - "
                                      "cgroup cgroup rw,cpu,cpuacct\n");
    v1_quota(tree, "", "100000", "50000");
    tree.directory("/sys/fs/cgroup/cpu,cpuacct/inner");
    const Limits limits = limits_of(tree);
    EXPECT_EQ(limits.cpus, 2.0);
    EXPECT_TRUE(limits.notes.empty()) << all_notes(limits);
}

TEST(Quota, of_a_mount_made_outside_the_cgroup_namespace_is_that_of_an_ancestor) {
    Tree tree;
    tree.file("/proc/self/cgroup", "0::/\n");
    tree.file("/proc/self/mountinfo", "30 23 0:26 /../.. /sys/fs/cgroup rw - cgroup2 none rw\n");
    tree.file("/sys/fs/cgroup/cpu.max", "300000 100000\n");
    EXPECT_EQ(limits_of(tree).cpus, 3.0);
}

TEST(Quota, of_a_group_that_no_mount_shows_is_noted_and_not_guessed) {
    for (const char* group : {"0::/../../outside\n", "0::/other\n", "0::/docker/abcd\n"}) {
        Tree tree;
        tree.file("/proc/self/cgroup", group);
        tree.file("/proc/self/mountinfo",
                  "30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 none rw\n");
        tree.file("/sys/fs/cgroup/cpu.max", "100000 100000\n");
        const Limits limits = limits_of(tree);
        EXPECT_TRUE(std::isinf(limits.cpus)) << group;
        EXPECT_NE(all_notes(limits).find("not visible at any mount"), std::string::npos) << group;
    }
}

TEST(Quota, is_found_where_the_mount_point_has_escaped_characters) {
    Tree tree;
    tree.file("/proc/self/cgroup", "0::/a b\n");
    tree.file("/proc/self/mountinfo",
              "30 23 0:26 / /my\\040c\\134groups rw master:1 propagate_from:2 - cgroup2 none rw\n");
    tree.file("/my c\\groups/a b/cpu.max", "100000 100000\n");
    EXPECT_EQ(limits_of(tree).cpus, 1.0);
}

TEST(Quota, is_found_where_the_group_has_colons) {
    Tree tree;
    tree.file("/proc/self/cgroup", "0::/user:1000:x\n");
    tree.file("/proc/self/mountinfo", kMountV2);
    tree.file("/sys/fs/cgroup/user:1000:x/cpu.max", "100000 100000\n");
    EXPECT_EQ(limits_of(tree).cpus, 1.0);
}

TEST(Quota, that_is_missing_is_no_quota_and_needs_no_note) {
    Tree tree;
    const Limits limits = limits_of(with_v2(tree));
    EXPECT_TRUE(std::isinf(limits.cpus));
    EXPECT_TRUE(limits.notes.empty()) << all_notes(limits);
}

TEST(Quota, Q3_whose_period_is_missing_is_noted) {
    Tree tree;
    with_v1(tree).file("/sys/fs/cgroup/cpu,cpuacct/web/server/cpu.cfs_quota_us", "50000\n");
    const Limits limits = limits_of(tree);
    EXPECT_TRUE(std::isinf(limits.cpus));
    EXPECT_NE(all_notes(limits).find("no readable period"), std::string::npos);
}

TEST(Quota, Q3_of_a_directory_that_cannot_be_seen_is_noted_and_its_ancestors_count) {
    Tree tree;
    tree.file("/proc/self/cgroup", "0::/web/gone\n");
    tree.file("/proc/self/mountinfo", kMountV2);
    tree.file("/sys/fs/cgroup/web/cpu.max", "200000 100000\n");
    const Limits limits = limits_of(tree);
    EXPECT_EQ(limits.cpus, 2.0);
    EXPECT_NE(all_notes(limits).find("cannot be seen"), std::string::npos);
}

TEST(Quota, Q3_that_may_not_be_read_is_noted) {
    Tree tree;
    with_v2(tree);
    const std::string file = tree.file("/sys/fs/cgroup/web/server/cpu.max", "100000 100000\n");
    ASSERT_EQ(::chmod(file.c_str(), 0), 0);
    ASSERT_EQ(::chmod(tree.root().c_str(), 0755), 0);
    const std::string notes = test::in_child([&]() -> std::string {
        if (::geteuid() == 0 && ::setuid(65534) != 0) // root may read everything
            return "cannot give up root";
        const Limits limits = limits_of(tree);
        return all_notes(limits) + (std::isinf(limits.cpus) ? "" : "a quota was read");
    });
    EXPECT_EQ(notes, file + " cannot be read (EACCES: Permission denied) and was ignored\n");
}

TEST(Quota, Q3_in_a_file_that_is_a_pipe_or_enormous_is_noted_and_never_blocks) {
    Tree tree;
    with_v2(tree);
    ASSERT_EQ(::mkfifo((tree.root() + "/sys/fs/cgroup/web/server/cpu.max").c_str(), 0600), 0);
    tree.file("/sys/fs/cgroup/web/cpu.max", std::string(1 << 20, '1'));
    const Limits limits = limits_of(tree);
    EXPECT_TRUE(std::isinf(limits.cpus));
    EXPECT_EQ(limits.notes.size(), 2U) << all_notes(limits);
}

TEST(Quota, Q3_is_not_looked_for_where_proc_is_missing_or_nonsense) {
    Tree empty;
    EXPECT_NE(all_notes(limits_of(empty)).find("no CPU quota was looked for"), std::string::npos);
    Tree nonsense;
    nonsense.file("/proc/self/cgroup", std::string("::::\n\0\xff\n0:\n0::/x\n", 16));
    nonsense.file("/proc/self/mountinfo", "- - - -\n\n1 2 3 4 5 6 - cgroup2\n\\ \\0 \\04 \\040\n");
    EXPECT_TRUE(std::isinf(limits_of(nonsense).cpus));
}

TEST(Quota, Q3_notes_show_no_control_characters_of_a_file) {
    Tree tree;
    with_v2(tree).file("/sys/fs/cgroup/web/server/cpu.max", "\x1b[31m\x07 evil");
    EXPECT_EQ(all_notes(limits_of(tree)).find('\x1b'), std::string::npos);
}

TEST(Quota, of_a_living_v1_group_is_read) {
    constexpr const char* kParent = "/sys/fs/cgroup/cpu/takt_test_parent";
    const std::string group = std::string(kParent) + "/child";
    if (::access("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", W_OK) != 0)
        GTEST_SKIP() << "needs root and a cgroup v1 cpu controller to make a real quota";
    ::mkdir(kParent, 0755);
    if (::mkdir(group.c_str(), 0755) != 0 && errno != EEXIST)
        GTEST_SKIP() << "the cgroup v1 cpu controller is mounted, and refuses new groups";
    const std::string result = test::in_child([&]() -> std::string {
        std::ofstream(std::string(kParent) + "/cpu.cfs_quota_us") << 150000;
        std::ofstream(group + "/cgroup.procs") << ::getpid();
        const Limits limits = read_limits();
        return std::to_string(limits.cpus) + " " + limits.source;
    });
    ::rmdir(group.c_str());
    ::rmdir(kParent);
    EXPECT_EQ(result, "1.500000 " + std::string(kParent) + "/cpu.cfs_quota_us");
}

TEST(Affinity, Q1_is_read_afresh_until_takt_pins_and_remembered_from_then_on) {
    const CpuSet before = read_limits().affinity;
    if (before.count() < 2)
        GTEST_SKIP() << "needs two CPUs to tell one mask from another";
    const int first = *before.begin();
    EXPECT_EQ(test::in_child([&]() -> std::string {
                  const std::string fresh = read_limits().affinity.to_string();
                  const ScopedPin pin(first);
                  return fresh + " " + read_limits().affinity.to_string() + " " +
                         pin.result().granted.to_string();
              }),
              before.to_string() + " " + before.to_string() + " " + std::to_string(first));
}

TEST(Affinity, Q1_that_nobody_read_before_the_first_pin_is_the_one_of_the_pinning_thread) {
    const CpuSet before = read_limits().affinity;
    EXPECT_EQ(test::in_child([&] {
                  (void)pin_this_thread(*before.begin());
                  return read_limits().affinity.to_string();
              }),
              before.to_string());
}

} // namespace
} // namespace takt
