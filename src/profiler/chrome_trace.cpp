// SPDX-License-Identifier: MIT
#include "takt/profiler/files.hpp"

#include "profiler/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string_view>

namespace takt {
namespace {

using detail::append_number;
using detail::append_string;

/// Writes one event after the other. A viewer sees one process, with a thread for each lane.
class TraceText {
  public:
    explicit TraceText(const Capture& capture) : capture_(capture) {}

    std::string text() {
        out_ = "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"title\":";
        append_string(out_, capture_.title);
        out_ += ",\"dropped\":\"" + std::to_string(capture_.dropped) + "\",\"dropped_frames\":\"" +
                std::to_string(capture_.dropped_frames) + "\"},\n\"traceEvents\":[";
        names();
        for (std::size_t lane = 0; lane < capture_.lanes.size(); ++lane)
            for (const CapturedScope& scope : capture_.lanes[lane].scopes)
                complete(lane, scope);
        tasks();
        flows();
        counters();
        out_ += "\n]}\n";
        return std::move(out_);
    }

  private:
    /// A task's life: from its first part's begin to its last part's end.
    struct Span {
        std::size_t first_lane, last_lane;
        const CapturedScope* first;
        const CapturedScope* last;
    };

    void begin(char phase, std::size_t lane) {
        out_ += first_ ? "\n{\"ph\":\"" : ",\n{\"ph\":\"";
        first_ = false;
        out_ += phase;
        out_ += "\",\"pid\":1,\"tid\":";
        append_number(out_, std::uint64_t{lane + 1});
    }

    void key(const char* name) {
        out_ += ",\"";
        out_ += name;
        out_ += "\":";
    }

    void text(const char* name, std::string_view value) {
        key(name);
        append_string(out_, value);
    }

    /// The format's times are microseconds. Three digits are the nanoseconds, so nothing is rounded.
    void time(const char* name, std::int64_t ns) {
        key(name);
        if (ns < 0)
            out_ += '-';
        const std::int64_t size = ns < 0 ? -ns : ns;
        const std::string rest = std::to_string(size % 1000);
        out_ += std::to_string(size / 1000) + '.' + std::string(3 - rest.size(), '0') + rest;
    }

    /// A string of hexadecimal digits: readers would round a number.
    void id(std::uint64_t value) {
        char digits[16];
        const auto done = std::to_chars(digits, digits + sizeof digits, value, 16);
        text("id", "0x" + std::string(digits, done.ptr));
    }

    void metadata(const char* what, std::size_t lane, const char* argument,
                  std::string_view value) {
        begin('M', lane);
        text("name", what);
        out_ += ",\"args\":{\"" + std::string(argument) + "\":";
        append_string(out_, value);
        out_ += "}}";
    }

    void names() {
        metadata("process_name", 0, "name", capture_.title.empty() ? "takt" : capture_.title);
        for (std::size_t lane = 0; lane < capture_.lanes.size(); ++lane) {
            const CapturedLane& of = capture_.lanes[lane];
            const std::string cpu = of.cpu < 0 ? "" : " (CPU " + std::to_string(of.cpu) + ")";
            metadata("thread_name", lane, "name", of.name + cpu);
            begin('M', lane);
            text("name", "thread_sort_index");
            out_ += ",\"args\":{\"sort_index\":" + std::to_string(lane) + "}}";
        }
    }

    std::string label(const CapturedScope& scope) const {
        if (scope.kind == ScopeKind::frame)
            return "frame " + std::to_string(scope.note);
        const std::string& name = capture_.name(scope.name);
        return name.empty() ? name_of(scope.kind) : name;
    }

    void complete(std::size_t lane, const CapturedScope& scope) {
        begin('X', lane);
        time("ts", scope.begin_ns);
        time("dur", scope.end_ns - scope.begin_ns);
        text("cat", name_of(scope.kind));
        text("name", label(scope));
        out_ += ",\"args\":{\"note\":";
        append_number(out_, scope.note);
        if (scope.actor != kNoIndex)
            text("actor", capture_.name(scope.actor));
        if (scope.task != 0) {
            key("task");
            append_number(out_, scope.task);
        }
        out_ += "}}";
    }

    void tasks() {
        std::map<std::uint64_t, Span> spans;
        for (std::size_t lane = 0; lane < capture_.lanes.size(); ++lane)
            for (const CapturedScope& scope : capture_.lanes[lane].scopes)
                if (scope.task != 0)
                    widen(spans.try_emplace(scope.task, Span{lane, lane, &scope, &scope})
                              .first->second,
                          lane, scope);
        for (const auto& [task, span] : spans) {
            async('b', task, span, span.first_lane, span.first->begin_ns);
            async('e', task, span, span.last_lane, span.last->end_ns);
        }
    }

    static void widen(Span& span, std::size_t lane, const CapturedScope& scope) {
        if (scope.begin_ns < span.first->begin_ns) {
            span.first = &scope;
            span.first_lane = lane;
        }
        if (scope.end_ns > span.last->end_ns) {
            span.last = &scope;
            span.last_lane = lane;
        }
    }

    void async(char phase, std::uint64_t task, const Span& span, std::size_t lane,
               std::int64_t at_ns) {
        begin(phase, lane);
        time("ts", at_ns);
        id(task);
        text("cat", "task");
        text("name", label(*span.first)); // both ends bear the same name
        out_ += '}';
    }

    void flows() {
        for (std::size_t i = 0; i < capture_.flows.size(); ++i) {
            const CapturedFlow& flow = capture_.flows[i];
            if (std::max(flow.from_lane, flow.to_lane) >= capture_.lanes.size())
                continue; // sent by a thread that has no lane
            flow_end('s', i, flow, flow.from_lane, flow.sent_ns);
            flow_end('f', i, flow, flow.to_lane, flow.handled_ns);
        }
    }

    void flow_end(char phase, std::size_t number, const CapturedFlow& flow, std::size_t lane,
                  std::int64_t at_ns) {
        begin(phase, lane);
        time("ts", at_ns);
        id(number + 1);
        if (phase == 'f')
            text("bp", "e"); // it ends at the scope that is open there, not at the next one
        text("cat", "message");
        const std::string& name = capture_.name(flow.name);
        text("name", name.empty() ? "message" : name);
        out_ += '}';
    }

    void counters() {
        for (const CapturedValue& value : capture_.values) {
            if (!std::isfinite(value.value))
                continue; // a viewer takes it for no number
            begin('C', value.lane);
            time("ts", value.at_ns);
            text("name", capture_.name(value.name));
            out_ += ",\"args\":{\"value\":";
            append_number(out_, value.value);
            out_ += "}}";
        }
    }

    const Capture& capture_;
    std::string out_ = {};
    bool first_ = true;
};

} // namespace

std::string chrome_trace_json(const Capture& capture) {
    return TraceText(capture).text();
}

} // namespace takt
