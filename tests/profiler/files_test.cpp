// SPDX-License-Identifier: MIT
#include "takt/profiler/files.hpp"

#include "sample_capture.hpp"

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>

namespace takt {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

Capture hostile() {
    return sample::make({.frames = 3, .hostile = true});
}

/// The events of a trace with this phase, "X" or "M".
std::vector<json> events(const json& trace, const std::string& phase) {
    std::vector<json> found;
    for (const json& event : trace.at("traceEvents"))
        if (event.at("ph") == phase)
            found.push_back(event);
    return found;
}

/// Nanoseconds of a number of microseconds with three digits.
std::int64_t ns(const json& microseconds) {
    return std::llround(microseconds.get<double>() * 1000);
}

/// The JSON in the page, as a browser finds it: up to the first "</script".
json data_of(const std::string& page) {
    const std::string open = "<script type=\"application/json\" id=\"capture\">";
    const std::size_t from = page.find(open) + open.size();
    return json::parse(page.substr(from, page.find("</script", from) - from));
}

std::int64_t sum_of(const json& numbers) {
    std::int64_t sum = 0;
    for (const json& number : numbers)
        sum += number.get<std::int64_t>();
    return sum;
}

TEST(ChromeTrace, holds_every_scope_with_its_exact_time) {
    const Capture capture = sample::make({.frames = 5});
    const json trace = json::parse(chrome_trace_json(capture));
    const std::vector<json> found = events(trace, "X");
    ASSERT_EQ(found.size(), sample::scopes_of(capture));
    std::size_t next = 0;
    for (std::size_t lane = 0; lane < capture.lanes.size(); ++lane)
        for (const CapturedScope& scope : capture.lanes[lane].scopes) {
            const json& event = found[next++];
            EXPECT_EQ(event.at("tid"), lane + 1);
            EXPECT_EQ(ns(event.at("ts")), scope.begin_ns);
            EXPECT_EQ(ns(event.at("dur")), scope.end_ns - scope.begin_ns);
            EXPECT_EQ(event.at("cat"), name_of(scope.kind));
        }
}

TEST(ChromeTrace, nests_the_scopes_of_a_thread_strictly) {
    const json trace = json::parse(chrome_trace_json(sample::make({.frames = 5})));
    std::map<int, std::vector<std::int64_t>> open; // ends, by thread
    for (const json& event : events(trace, "X")) {
        auto& ends = open[event.at("tid").get<int>()];
        const std::int64_t begin = ns(event.at("ts")), end = begin + ns(event.at("dur"));
        while (!ends.empty() && ends.back() <= begin)
            ends.pop_back();
        EXPECT_TRUE(ends.empty() || end <= ends.back()) << event;
        ends.push_back(end);
    }
}

TEST(ChromeTrace, pairs_the_ends_of_flows) {
    const Capture capture = sample::make({.frames = 5});
    const json trace = json::parse(chrome_trace_json(capture));
    std::map<std::string, json> starts;
    for (const json& start : events(trace, "s"))
        EXPECT_TRUE(starts.emplace(start.at("id").get<std::string>(), start).second);
    ASSERT_EQ(starts.size(), capture.flows.size());
    ASSERT_FALSE(starts.empty());
    for (const json& end : events(trace, "f")) {
        const auto start = starts.extract(end.at("id").get<std::string>());
        ASSERT_FALSE(start.empty());
        EXPECT_EQ(start.mapped().at("name"), end.at("name"));
        EXPECT_LE(ns(start.mapped().at("ts")), ns(end.at("ts")));
        EXPECT_EQ(end.at("bp"), "e");
    }
    EXPECT_TRUE(starts.empty());
}

TEST(ChromeTrace, leaves_out_flows_from_no_lane) {
    Capture capture = sample::make({.frames = 1});
    capture.flows = {{.from_lane = kNoIndex, .to_lane = 1}};
    EXPECT_TRUE(events(json::parse(chrome_trace_json(capture)), "s").empty());
    EXPECT_TRUE(events(json::parse(chrome_trace_json(capture)), "f").empty());
}

TEST(ChromeTrace, spans_a_task_from_its_first_begin_to_its_last_end) {
    const Capture capture = sample::make({.frames = 5});
    std::map<std::uint64_t, std::pair<std::int64_t, std::int64_t>> spans;
    for (const CapturedLane& lane : capture.lanes)
        for (const CapturedScope& scope : lane.scopes)
            if (scope.task != 0) {
                auto& [begin, end] =
                    spans.try_emplace(scope.task, scope.begin_ns, scope.end_ns).first->second;
                begin = std::min(begin, scope.begin_ns);
                end = std::max(end, scope.end_ns);
            }
    const json trace = json::parse(chrome_trace_json(capture));
    const std::vector<json> begins = events(trace, "b"), ends = events(trace, "e");
    ASSERT_EQ(begins.size(), spans.size());
    ASSERT_EQ(ends.size(), spans.size());
    for (std::size_t i = 0; i < begins.size(); ++i) {
        EXPECT_EQ(begins[i].at("id"), ends[i].at("id"));
        const auto& [begin, end] =
            spans.at(std::stoull(begins[i].at("id").get<std::string>(), nullptr, 16));
        EXPECT_EQ(ns(begins[i].at("ts")), begin);
        EXPECT_EQ(ns(ends[i].at("ts")), end);
    }
}

TEST(ChromeTrace, names_its_threads_and_counts_its_values) {
    Capture capture = sample::make({.frames = 5});
    capture.values.push_back({.value = std::numeric_limits<double>::infinity()});
    const json trace = json::parse(chrome_trace_json(capture));
    EXPECT_EQ(events(trace, "C").size(), capture.values.size() - 1);
    std::set<std::string> threads;
    for (const json& event : events(trace, "M"))
        if (event.at("name") == "thread_name")
            threads.insert(event.at("args").at("name").get<std::string>());
    EXPECT_EQ(threads, (std::set<std::string>{"serial", "worker 0 (CPU 0)", "worker 1 (CPU 2)",
                                              "worker 2 (CPU 4)", "worker 3 (CPU 6)"}));
}

TEST(ChromeTrace, of_hostile_names_and_of_nothing_is_valid_json) {
    EXPECT_TRUE(json::accept(chrome_trace_json(hostile())));
    EXPECT_TRUE(json::accept(chrome_trace_json(Capture{})));
}

TEST(FrameView, holds_every_scope) {
    const Capture capture = sample::make({.frames = 7});
    const json data = data_of(frame_view_html(capture));
    ASSERT_EQ(data.at("lanes").size(), capture.lanes.size());
    for (std::size_t number = 0; number < capture.lanes.size(); ++number) {
        const json& lane = data.at("lanes")[number];
        const std::vector<CapturedScope>& scopes = capture.lanes[number].scopes;
        ASSERT_EQ(lane.at("shape").size(), scopes.size());
        std::int64_t begin = 0;
        for (std::size_t i = 0; i < scopes.size(); ++i) {
            begin += lane.at("begin")[i].get<std::int64_t>();
            const json& shape = data.at("shapes")[lane.at("shape")[i].get<std::size_t>()];
            EXPECT_EQ(begin, scopes[i].begin_ns);
            EXPECT_EQ(lane.at("length")[i], scopes[i].end_ns - scopes[i].begin_ns);
            EXPECT_EQ(data.at("kinds")[shape[0].get<std::size_t>()], name_of(scopes[i].kind));
            EXPECT_EQ(shape[1], scopes[i].depth);
            EXPECT_EQ(shape[2], scopes[i].name == kNoIndex ? -1 : std::int64_t{scopes[i].name});
            EXPECT_EQ(shape[3], scopes[i].actor == kNoIndex ? -1 : std::int64_t{scopes[i].actor});
        }
    }
}

TEST(FrameView, holds_frames_flows_values_and_rows) {
    const Capture capture = sample::make({.frames = 7});
    const json data = data_of(frame_view_html(capture));
    ASSERT_EQ(data.at("frames").size(), 7u);
    std::int64_t waited = 0, in_page = 0;
    for (std::size_t i = 0; i < 7; ++i) {
        waited += capture.frames[i].wait_ns;
        in_page += data.at("frames")[i].at("wait").get<std::int64_t>();
        EXPECT_EQ(data.at("frames")[i].at("phases").size(), capture.frames[i].phases.size());
    }
    EXPECT_EQ(in_page, waited);
    std::int64_t queued = 0;
    for (const CapturedFlow& flow : capture.flows)
        queued += flow.handled_ns - flow.sent_ns;
    EXPECT_EQ(data.at("flows").at("sent").size(), capture.flows.size());
    EXPECT_EQ(sum_of(data.at("flows").at("wait")), queued);
    EXPECT_EQ(data.at("plots").size(), 2u);
    EXPECT_EQ(data.at("plots")[0].at("value").size() + data.at("plots")[1].at("value").size(),
              capture.values.size());
    ASSERT_EQ(data.at("rows").size(), capture.rows.size());
    EXPECT_EQ(data.at("rows")[0].at("total"), capture.rows[0].total_ns);
}

TEST(FrameView, says_numbers_that_a_browser_would_round_as_text) {
    Capture capture;
    capture.dropped = 18'446'744'073'709'551'615u;
    capture.values = {{.value = std::numeric_limits<double>::quiet_NaN()}};
    const json data = data_of(frame_view_html(capture));
    EXPECT_EQ(data.at("dropped"), "18446744073709551615");
    EXPECT_TRUE(data.at("plots")[0].at("value")[0].is_null());
}

TEST(FrameView, holds_hostile_names_as_data) {
    const Capture capture = hostile();
    const std::string page = frame_view_html(capture);
    const json data = data_of(page);
    const std::vector<std::string> names = sample::hostile_names();
    for (std::size_t i = 0; i < names.size(); ++i)
        if (i != 5) {
            EXPECT_EQ(data.at("names")[i], names[i]);
        }
    EXPECT_EQ(data.at("names")[5],
              "no UTF-8: \ufffd\ufffd \ufffd \ufffd(\ufffd \ufffd\ufffd\ufffd end");
    EXPECT_EQ(page.find("window.broken = true</script>"), page.npos);
    EXPECT_EQ(page.find("\xe2\x80\xa8"), page.npos);
}

TEST(FrameView, loads_nothing_and_has_two_scripts) {
    const std::string page = frame_view_html(hostile());
    EXPECT_EQ(page.find("http:"), page.npos);
    EXPECT_EQ(page.find("https:"), page.npos);
    EXPECT_NE(page.find("default-src 'none'"), page.npos);
    std::size_t scripts = 0;
    for (std::size_t at = 0; (at = page.find("</script", at)) != page.npos; ++at)
        ++scripts;
    EXPECT_EQ(scripts, 2u);
}

class WriteCapture : public testing::Test {
  protected:
    WriteCapture() {
        std::string made = (fs::temp_directory_path() / "takt-files-XXXXXX").string();
        folder_ = ::mkdtemp(made.data());
    }
    ~WriteCapture() override { fs::remove_all(folder_); }

    static std::string read(const fs::path& path) {
        std::stringstream text;
        text << std::ifstream(path).rdbuf();
        return text.str();
    }

    std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
    }

    /// A sentence that names the path and ends as one.
    void expect_refused(const fs::path& path, const std::string& problem) const {
        const std::size_t before = files();
        const std::optional<std::string> error = write_capture(capture_, path.string());
        ASSERT_TRUE(error);
        EXPECT_NE(error->find('"' + path.string() + '"'), error->npos) << *error;
        EXPECT_NE(error->find(problem), error->npos) << *error;
        EXPECT_TRUE(error->starts_with("takt: ") && error->ends_with(".")) << *error;
        EXPECT_EQ(files(), before);
    }

    const Capture capture_ = sample::make({.frames = 2});
    fs::path folder_;
};

TEST_F(WriteCapture, writes_a_trace_for_json_and_else_a_page) {
    EXPECT_EQ(write_capture(capture_, (folder_ / "a.json").string()), std::nullopt);
    EXPECT_EQ(write_capture(capture_, (folder_ / "a.html").string()), std::nullopt);
    EXPECT_EQ(read(folder_ / "a.json"), chrome_trace_json(capture_));
    EXPECT_EQ(read(folder_ / "a.html"), frame_view_html(capture_));
    EXPECT_EQ(files(), 2u);
}

TEST_F(WriteCapture, replaces_a_file_that_was_there) {
    std::ofstream(folder_ / "a.html") << "old";
    EXPECT_EQ(write_capture(capture_, (folder_ / "a.html").string()), std::nullopt);
    EXPECT_EQ(read(folder_ / "a.html"), frame_view_html(capture_));
}

TEST_F(WriteCapture, passes_by_what_others_left_beside_it) {
    const std::string path = (folder_ / "a.html").string();
    const std::string taken = path + ".new-" + std::to_string(::getpid()) + "-0";
    fs::create_symlink(folder_ / "elsewhere", taken);
    EXPECT_EQ(write_capture(capture_, path), std::nullopt);
    EXPECT_FALSE(fs::exists(folder_ / "elsewhere"));
    EXPECT_TRUE(fs::is_symlink(taken));
}

TEST_F(WriteCapture, refuses_a_missing_directory) {
    expect_refused(folder_ / "none" / "a.html", "Make its directory first");
}

TEST_F(WriteCapture, refuses_a_directory) {
    expect_refused(folder_, "it is a directory");
}

TEST_F(WriteCapture, refuses_a_symbolic_link_and_leaves_what_it_leads_to) {
    std::ofstream(folder_ / "kept") << "kept";
    fs::create_symlink(folder_ / "kept", folder_ / "link.html");
    expect_refused(folder_ / "link.html", "it is a symbolic link");
    EXPECT_EQ(read(folder_ / "kept"), "kept");
}

TEST_F(WriteCapture, refuses_a_device_and_leaves_it) {
    expect_refused("/dev/full", "it is a device");
    EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(WriteCapture, refuses_a_path_that_may_not_be_written) {
    expect_refused("/proc/takt.html", "was not written"); // not even by root
    if (::geteuid() != 0) {
        fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
        expect_refused(folder_ / "a.html", "Permission denied");
        fs::permissions(folder_, fs::perms::owner_all);
    }
}

TEST_F(WriteCapture, leaves_nothing_when_the_disk_is_full_in_the_middle) {
    std::ofstream(folder_ / "a.html") << "old";
    // A limit on the size of files ends the write half way, as a full disk would.
    rlimit before = {};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{.rlim_cur = 10'000, .rlim_max = before.rlim_max};
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    expect_refused(folder_ / "a.html", "was not written");
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    EXPECT_EQ(read(folder_ / "a.html"), "old");
}

} // namespace
} // namespace takt
