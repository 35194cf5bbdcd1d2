// SPDX-License-Identifier: MIT
#include "topology/cgroup.hpp"

#include "topology/file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

// The way to the quota: /proc/self/cgroup says in which group of which hierarchy the process is,
// /proc/self/mountinfo says where that hierarchy is mounted and which part of it is visible there,
// and each directory from the group up to the mount point may hold a quota.

namespace takt::detail {
namespace {

constexpr std::size_t kProcBytesMax = 1024 * 1024;
constexpr std::size_t kValueBytesMax = 4096;
constexpr std::size_t kPathBytesMax = 4096;
constexpr std::int64_t kDefaultPeriod = 100'000;

enum class Version { v1, v2 };

struct Group {
    Version version;
    std::string path; // inside its hierarchy
};

struct Mount {
    Version version;
    std::string root;  // the part of the hierarchy that is visible
    std::string point; // where it is visible
};

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos)
            return parts;
        text.remove_prefix(at + 1);
    }
}

bool lists(std::string_view text, std::string_view word) {
    const auto words = split(text, ',');
    return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_octal(char c) {
    return c >= '0' && c <= '7';
}

/// The kernel writes blanks, tabs, newlines and backslashes in paths as \ooo.
std::string decode(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) &&
            is_octal(text[i + 2]) && is_octal(text[i + 3])) {
            const int code =
                (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
            plain.push_back(static_cast<char>(code));
            i += 3;
        } else {
            plain.push_back(text[i]);
        }
    }
    return plain;
}

// "4:cpu,cpuacct:/web" or "0::/web"; the path may contain colons.
std::optional<Group> parse_group(std::string_view line) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == line.npos ? first : line.find(':', first + 1);
    if (second == line.npos)
        return std::nullopt;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    std::string path(line.substr(second + 1));
    if (controllers.empty())
        return Group{Version::v2, std::move(path)};
    if (lists(controllers, "cpu"))
        return Group{Version::v1, std::move(path)};
    return std::nullopt;
}

// "31 23 0:28 ROOT POINT rw,relatime [optional fields] - TYPE SOURCE SUPER_OPTIONS"
std::optional<Mount> parse_mount(std::string_view line) {
    const auto fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (dash - fields.begin() < 6 || fields.end() - dash < 4)
        return std::nullopt;
    std::string root = decode(fields[3]);
    std::string point = decode(fields[4]);
    if (dash[1] == "cgroup2")
        return Mount{Version::v2, std::move(root), std::move(point)};
    if (dash[1] == "cgroup" && lists(dash[3], "cpu"))
        return Mount{Version::v1, std::move(root), std::move(point)};
    return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
    std::int64_t number = 0;
    const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || stop != text.data() + text.size())
        return std::nullopt;
    return number;
}

bool climbs(std::string_view path) {
    const auto parts = split(path, '/');
    return std::find(parts.begin(), parts.end(), "..") != parts.end();
}

bool only_climbs(std::string_view path) {
    const auto parts = split(path, '/');
    return climbs(path) && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
               return part.empty() || part == "..";
           });
}

/// The group's path below the mount point, or nothing when the mount does not show the group.
std::optional<std::string> below_mount(const Group& group, const Mount& mount) {
    if (climbs(group.path))
        return std::nullopt; // the process was moved out of its cgroup namespace
    if (mount.root == "/")
        return group.path == "/" ? "" : group.path;
    if (only_climbs(mount.root))
        return ""; // mounted outside our cgroup namespace: the mount point is an ancestor of ours
    if (group.path == mount.root)
        return "";
    if (group.path.starts_with(mount.root + "/"))
        return group.path.substr(mount.root.size());
    return std::nullopt;
}

class QuotaReader {
  public:
    QuotaReader(const std::string& filesystem_root, Limits& limits)
        : root_(filesystem_root), limits_(limits) {}

    void read() {
        const std::vector<Group> groups = read_lines<Group>("/proc/self/cgroup", parse_group);
        if (groups.empty())
            return;
        const std::vector<Mount> mounts = read_lines<Mount>("/proc/self/mountinfo", parse_mount);
        for (const Group& group : groups)
            read_group(group, mounts);
    }

  private:
    template <class Line>
    std::vector<Line> read_lines(const char* name, std::optional<Line> (*parse)(std::string_view)) {
        const FileText file = read_file(root_ + name, kProcBytesMax);
        if (file.error != 0)
            note(root_ + name + " cannot be read (" + error_text(file.error) +
                 "): no CPU quota was looked for");
        std::vector<Line> found;
        for (const std::string_view line : split(file.text, '\n'))
            if (auto parsed = parse(line))
                found.push_back(*std::move(parsed));
        return found;
    }

    void read_group(const Group& group, const std::vector<Mount>& mounts) {
        bool mounted = false;
        bool visible = false;
        for (const Mount& mount : mounts) {
            if (mount.version != group.version)
                continue;
            mounted = true;
            if (const auto below = below_mount(group, mount)) {
                visible = true;
                walk_up(group.version, mount.point, *below);
            }
        }
        if (mounted && !visible)
            note("cgroup " + group.path + " is not visible at any mount: its CPU quota is unknown");
    }

    void walk_up(Version version, const std::string& point, std::string below) {
        if (point.size() + below.size() > kPathBytesMax)
            return note("a cgroup path of " + std::to_string(below.size()) + " bytes was ignored");
        note_if_missing(point + below);
        for (;;) {
            read_directory(version, root_ + point + below);
            if (below.empty())
                return;
            below.resize(below.rfind('/'));
        }
    }

    void note_if_missing(const std::string& directory) {
        std::error_code failure;
        if (!std::filesystem::is_directory(root_ + directory, failure))
            note("the cgroup directory " + root_ + directory +
                 " cannot be seen: only the quotas above it were read");
    }

    void read_directory(Version version, const std::string& directory) {
        if (version == Version::v2)
            read_v2(directory + "/cpu.max");
        else
            read_v1(directory + "/cpu.cfs_quota_us", directory + "/cpu.cfs_period_us");
    }

    void read_v2(const std::string& path) {
        const std::optional<std::string> text = read_value(path);
        if (!text)
            return;
        const auto words = split(*text, ' ');
        const auto period = words.size() > 1 ? parse_integer(words[1]) : kDefaultPeriod;
        if (words.size() > 2)
            return note_garbage(path, *text);
        if (words[0] != "max")
            lower(path, *text, parse_integer(words[0]), period);
    }

    void read_v1(const std::string& quota_path, const std::string& period_path) {
        const std::optional<std::string> quota = read_value(quota_path);
        if (!quota || *quota == "-1")
            return;
        const std::optional<std::string> period = read_value(period_path);
        if (!period)
            return note(quota_path + " was ignored: there is no readable period beside it");
        lower(quota_path, *quota + "/" + *period, parse_integer(*quota), parse_integer(*period));
    }

    // A group without a quota file is normal: the controller is off there, or it is the root.
    std::optional<std::string> read_value(const std::string& path) {
        FileText file = read_file(path, kValueBytesMax);
        if (file.error == ENOENT || file.error == ENOTDIR)
            return std::nullopt;
        if (file.error != 0) {
            note(path + " cannot be read (" + error_text(file.error) + ") and was ignored");
            return std::nullopt;
        }
        while (!file.text.empty() && (file.text.back() == '\n' || file.text.back() == ' '))
            file.text.pop_back();
        return std::move(file.text);
    }

    void lower(const std::string& path, const std::string& text, std::optional<std::int64_t> quota,
               std::optional<std::int64_t> period) {
        if (!quota || !period || *quota <= 0 || *period <= 0)
            return note_garbage(path, text);
        const double cpus = static_cast<double>(*quota) / static_cast<double>(*period);
        if (cpus >= limits_.cpus)
            return;
        limits_.cpus = cpus;
        limits_.source = path;
    }

    void note_garbage(const std::string& path, const std::string& text) {
        note(path + " holds \"" + printable(text) + "\", which is no quota, and was ignored");
    }

    void note(std::string text) { limits_.notes.push_back(std::move(text)); }

    const std::string& root_;
    Limits& limits_;
};

} // namespace

void apply_cgroup_quota(const std::string& filesystem_root, Limits& limits) {
    QuotaReader(filesystem_root, limits).read();
}

} // namespace takt::detail
