// SPDX-License-Identifier: MIT
#include "takt/profiler/files.hpp"

#include "profiler/frame_view_page.hpp" // made by cmake/embed.cmake
#include "profiler/json_text.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

namespace takt {
namespace {

using detail::append_number;
using detail::append_string;

constexpr int kLastKind = static_cast<int>(ScopeKind::user);

/// The page's data, as frame_view.js reads it. Times are nanoseconds. Columns rather than objects,
/// and differences rather than times: a capture has hundreds of thousands of scopes.
class PageData {
  public:
    explicit PageData(const Capture& capture) : capture_(capture) {}

    std::string text() {
        // Lanes find the shapes, so the shapes are written after them.
        out_ = "{\"title\":";
        append_string(out_, capture_.title);
        field("end", capture_.end_ns);
        field("budget", capture_.budget_ns);
        field("dropped", capture_.dropped);
        field("droppedFrames", capture_.dropped_frames);
        strings("names", capture_.names);
        kinds();
        list("lanes", capture_.lanes, [this](const CapturedLane& lane) { this->lane(lane); });
        list("shapes", shapes_, [this](const Shape& shape) { numbers(shape); });
        list("frames", capture_.frames, [this](const CapturedFrame& frame) { this->frame(frame); });
        flows();
        plots();
        list("rows", capture_.rows, [this](const CapturedRow& row) { this->row(row); });
        out_ += "}";
        return std::move(out_);
    }

  private:
    /// What many scopes have in common: kind, depth, name, actor.
    using Shape = std::array<std::int64_t, 4>;

    static std::int64_t index(std::uint32_t value) {
        return value == kNoIndex ? -1 : std::int64_t{value};
    }

    void key(const char* name) {
        out_ += out_.back() == '{' ? "\"" : ",\"";
        out_ += name;
        out_ += "\":";
    }

    void field(const char* name, auto value) {
        key(name);
        append_number(out_, value);
    }

    /// [one,two,...]: `write` appends an item.
    void list(const char* name, const auto& items, auto write) {
        key(name);
        out_ += '[';
        const char* comma = "";
        for (const auto& item : items) {
            out_ += comma;
            comma = ",";
            write(item);
        }
        out_ += ']';
    }

    void column(const char* name, const auto& items, auto value_of) {
        list(name, items, [&](const auto& item) { append_number(out_, value_of(item)); });
    }

    /// Each time as what it is later than the one before.
    void times(const char* name, const auto& items, auto time_of) {
        std::int64_t before = 0;
        column(name, items, [&](const auto& item) {
            const std::int64_t step = time_of(item) - before;
            before += step;
            return step;
        });
    }

    void numbers(const auto& values) {
        out_ += '[';
        for (const std::int64_t value : values) {
            append_number(out_, value);
            out_ += ',';
        }
        out_.back() = ']';
    }

    void strings(const char* name, const auto& texts) {
        list(name, texts, [this](const auto& text) { append_string(out_, text); });
    }

    void kinds() {
        std::vector<const char*> names;
        for (int kind = 0; kind <= kLastKind; ++kind)
            names.push_back(name_of(static_cast<ScopeKind>(kind)));
        strings("kinds", names);
    }

    std::int64_t shape_of(const CapturedScope& scope) {
        const Shape shape{static_cast<std::int64_t>(scope.kind), scope.depth, index(scope.name),
                          index(scope.actor)};
        const auto [found, is_new] = shape_numbers_.try_emplace(shape, shapes_.size());
        if (is_new)
            shapes_.push_back(shape);
        return static_cast<std::int64_t>(found->second);
    }

    void lane(const CapturedLane& lane) {
        out_ += '{';
        key("name");
        append_string(out_, lane.name);
        field("worker", std::int64_t{lane.worker});
        field("cpu", std::int64_t{lane.cpu});
        field("group", std::int64_t{lane.cache_group});
        field("dropped", lane.dropped);
        column("shape", lane.scopes, [this](const CapturedScope& s) { return shape_of(s); });
        times("begin", lane.scopes, [](const CapturedScope& s) { return s.begin_ns; });
        column("length", lane.scopes, [](const CapturedScope& s) { return s.end_ns - s.begin_ns; });
        sparse("notes", lane.scopes, [](const CapturedScope& s) { return s.note; });
        sparse("tasks", lane.scopes, [](const CapturedScope& s) { return s.task; });
        out_ += '}';
    }

    /// Index and value of those that are not 0.
    void sparse(const char* name, const std::vector<CapturedScope>& scopes, auto value_of) {
        std::vector<std::uint64_t> pairs;
        for (std::size_t i = 0; i < scopes.size(); ++i)
            if (value_of(scopes[i]) != 0)
                pairs.insert(pairs.end(), {i, value_of(scopes[i])});
        column(name, pairs, [](std::uint64_t value) { return value; });
    }

    void frame(const CapturedFrame& frame) {
        out_ += '{';
        field("number", frame.number);
        field("begin", frame.begin_ns);
        field("length", frame.end_ns - frame.begin_ns);
        field("parallel", frame.parallel_ns);
        field("serial", frame.serial_ns);
        field("wait", frame.wait_ns);
        list("phases", frame.phases, [this](const CapturedPhase& phase) {
            numbers(std::array{phase.begin_ns, phase.end_ns - phase.begin_ns,
                               index(phase.last_lane), index(phase.last_name),
                               index(phase.last_actor)});
        });
        out_ += '}';
    }

    void flows() {
        const auto& flows = capture_.flows;
        key("flows");
        out_ += '{';
        column("from", flows, [](const CapturedFlow& f) { return index(f.from_lane); });
        column("to", flows, [](const CapturedFlow& f) { return index(f.to_lane); });
        times("sent", flows, [](const CapturedFlow& f) { return f.sent_ns; });
        column("wait", flows, [](const CapturedFlow& f) { return f.handled_ns - f.sent_ns; });
        column("name", flows, [](const CapturedFlow& f) { return index(f.name); });
        column("actor", flows, [](const CapturedFlow& f) { return index(f.actor); });
        out_ += '}';
    }

    /// One for each name: what an actor plots goes on when it moves to another worker.
    void plots() {
        std::map<std::uint32_t, std::vector<CapturedValue>> by_name;
        for (const CapturedValue& value : capture_.values)
            by_name[value.name].push_back(value);
        const auto earlier = [](const CapturedValue& a, const CapturedValue& b) {
            return a.at_ns < b.at_ns;
        };
        list("plots", by_name, [&](auto& named) {
            std::vector<CapturedValue> values = named.second;
            std::stable_sort(values.begin(), values.end(), earlier);
            out_ += '{';
            field("name", index(named.first));
            times("at", values, [](const CapturedValue& v) { return v.at_ns; });
            column("value", values, [](const CapturedValue& v) { return v.value; });
            out_ += '}';
        });
    }

    void row(const CapturedRow& row) {
        out_ += '{';
        field("kind", static_cast<std::int64_t>(row.kind));
        field("name", index(row.name));
        field("actor", index(row.actor));
        field("count", row.count);
        field("total", row.total_ns);
        field("runP50", row.run_p50_ns);
        field("runP99", row.run_p99_ns);
        field("runMax", row.run_max_ns);
        field("waits", row.waits);
        field("waitP50", row.wait_p50_ns);
        field("waitP99", row.wait_p99_ns);
        field("critical", row.critical_ns);
        out_ += '}';
    }

    const Capture& capture_;
    std::string out_ = {};
    std::map<Shape, std::size_t> shape_numbers_ = {};
    std::vector<Shape> shapes_ = {};
};

void append_pieces(std::string& out, const auto& pieces) {
    for (const std::string_view piece : pieces)
        out += piece;
}

} // namespace

std::string frame_view_html(const Capture& capture) {
    std::string html;
    append_pieces(html, detail::kFrameViewHtml);
    std::string page;
    // The page's marks are @like_this@; each is replaced once.
    for (std::size_t from = 0; from < html.size();) {
        const std::size_t mark = std::min(html.find('@', from), html.size());
        page.append(html, from, mark - from);
        const std::size_t close = html.find('@', mark + 1);
        if (close == html.npos)
            break;
        const std::string_view name = std::string_view(html).substr(mark + 1, close - mark - 1);
        if (name == "style")
            append_pieces(page, detail::kFrameViewCss);
        else if (name == "style_hash")
            page += detail::kFrameViewCssSha256;
        else if (name == "script")
            append_pieces(page, detail::kFrameViewJs);
        else if (name == "script_hash")
            page += detail::kFrameViewJsSha256;
        else if (name == "capture")
            page += PageData(capture).text();
        from = close + 1;
    }
    return page;
}

} // namespace takt
