// SPDX-License-Identifier: MIT
#include "profiler/capture_builder.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

namespace takt::detail {

namespace {

std::optional<ScopeKind> scope_kind(const ProbeRecord& record) noexcept {
    switch (static_cast<ProbeKind>(record.kind)) {
    case ProbeKind::frame:
        return ScopeKind::frame;
    case ProbeKind::stage:
        return ScopeKind::stage;
    case ProbeKind::round:
        return ScopeKind::round;
    case ProbeKind::parallel:
        return ScopeKind::parallel;
    case ProbeKind::serial:
        return ScopeKind::serial;
    case ProbeKind::handler:
        return ScopeKind::handler;
    case ProbeKind::commit:
        return ScopeKind::commit;
    case ProbeKind::task:
        return ScopeKind::task;
    case ProbeKind::claim:
        return ScopeKind::claim;
    case ProbeKind::user:
        return ScopeKind::user;
    case ProbeKind::rest: // these are cut where the phase ends
    case ProbeKind::park:
    case ProbeKind::plot: // these are no scopes
    case ProbeKind::sent:
    case ProbeKind::number:
        break;
    }
    return std::nullopt;
}

bool is(const ProbeRecord& record, ProbeKind kind) noexcept {
    return static_cast<ProbeKind>(record.kind) == kind;
}

bool is_about_another(const ProbeRecord& record) noexcept {
    return is(record, ProbeKind::sent) || is(record, ProbeKind::number);
}

std::uint64_t end_tick(const ProbeRecord& record) noexcept {
    return record.begin + record.ticks;
}

/// Does the handler, task, commit or user scope count for itself?
bool has_row(ScopeKind kind) noexcept {
    return kind == ScopeKind::handler || kind == ScopeKind::commit || kind == ScopeKind::task ||
           kind == ScopeKind::user;
}

/// The smallest of them that at least `part` of them do not exceed; they are sorted.
std::int64_t percentile(const std::vector<std::int64_t>& sorted, double part) noexcept {
    if (sorted.empty())
        return 0;
    const auto rank =
        static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
    return sorted[std::max<std::size_t>(rank, 1) - 1];
}

} // namespace

Capture CaptureBuilder::build(std::size_t frames_max) {
    const int workers = static_cast<int>(view_.plan->workers.size());
    find_window(frames_max);
    CapturedLane serial;
    serial.name = "serial";
    capture_.lanes.push_back(std::move(serial));
    for (const PlannedWorker& worker : view_.plan->workers) {
        CapturedLane lane;
        lane.worker = static_cast<int>(capture_.lanes.size()) - 1;
        lane.name = "worker " + std::to_string(lane.worker);
        lane.cpu = worker.cpu;
        lane.cache_group = worker.llc;
        capture_.lanes.push_back(std::move(lane));
    }
    if (!capture_.frames.empty()) {
        read_lane(0, view_.recording->ring_of_serial());
        for (int worker = 0; worker < workers; ++worker)
            read_worker(worker);
        for (CapturedLane& lane : capture_.lanes)
            nest(lane);
        describe_phases();
        make_rows();
    }
    for (const CapturedLane& lane : capture_.lanes)
        capture_.dropped += lane.dropped;
    return std::move(capture_);
}

// The frames of which no ring has overwritten a record, and their parallel phases.
void CaptureBuilder::find_window(std::size_t frames_max) {
    std::int64_t known_ns = INT64_MIN; // from here on all is there
    const auto look_at = [&](const ProbeRing& ring) {
        std::uint64_t oldest = ring.dropped();
        while (oldest != 0 && oldest < ring.written() && is_about_another(ring.record(oldest)))
            ++oldest;
        if (oldest != 0 && oldest < ring.written())
            known_ns = std::max(known_ns, scale_.ns_of(end_tick(ring.record(oldest))));
    };
    const ProbeRing& serial = view_.recording->ring_of_serial();
    look_at(serial);
    for (int worker = 0; worker < static_cast<int>(view_.plan->workers.size()); ++worker)
        look_at(view_.recording->probe_of(worker).ring());
    for (std::uint64_t at = serial.dropped(); at < serial.written(); ++at) {
        const ProbeRecord& record = serial.record(at);
        const std::int64_t begin_ns = scale_.ns_of(record.begin);
        if (is(record, ProbeKind::parallel) && begin_ns >= known_ns)
            phases_.push_back({begin_ns, scale_.ns_of(end_tick(record))});
        if (!is(record, ProbeKind::frame) || at + 1 == serial.written())
            continue;
        CapturedFrame frame;
        frame.number = serial.record(at + 1).subject;
        frame.begin_ns = begin_ns;
        frame.end_ns = scale_.ns_of(end_tick(record));
        if (begin_ns >= known_ns)
            capture_.frames.push_back(std::move(frame));
    }
    std::vector<CapturedFrame>& frames = capture_.frames;
    if (frames.size() > frames_max)
        frames.erase(frames.begin(), frames.end() - static_cast<std::ptrdiff_t>(frames_max));
    else if (!frames.empty())
        capture_.dropped_frames = frames.front().number - view_.recording->first_frame();
    if (frames.empty())
        return;
    zero_ns_ = frames.front().begin_ns;
    capture_.begin_ns = zero_ns_;
    capture_.end_ns = frames.back().end_ns - zero_ns_;
    for (CapturedFrame& frame : frames) {
        frame.begin_ns -= zero_ns_;
        frame.end_ns -= zero_ns_;
    }
    std::erase_if(phases_, [this](const Phase& phase) { return phase.begin_ns < zero_ns_; });
    for (Phase& phase : phases_) {
        phase.begin_ns -= zero_ns_;
        phase.end_ns -= zero_ns_;
    }
}

// Since the last record of a worker it is at rest.
void CaptureBuilder::read_worker(int worker) {
    const Probe& probe = view_.recording->probe_of(worker);
    const auto lane = static_cast<std::uint32_t>(worker) + 1;
    read_lane(lane, probe.ring());
    if (probe.rest_tick != 0 && ns_of(probe.rest_tick) < capture_.end_ns)
        add_rest(capture_.lanes[lane], ScopeKind::wait, ns_of(probe.rest_tick), capture_.end_ns);
}

void CaptureBuilder::read_lane(std::uint32_t index, const ProbeRing& ring) {
    CapturedLane& lane = capture_.lanes[index];
    lane.dropped = ring.dropped();
    for (std::uint64_t at = ring.dropped(); at < ring.written(); ++at) {
        const ProbeRecord& record = ring.record(at);
        CapturedScope scope;
        scope.begin_ns = ns_of(record.begin);
        scope.end_ns = ns_of(end_tick(record));
        if (scope.begin_ns >= capture_.end_ns || scope.end_ns < 0)
            continue;
        if (is(record, ProbeKind::rest))
            add_rest(lane, ScopeKind::wait, scope.begin_ns, scope.end_ns);
        if (is(record, ProbeKind::park))
            add_rest(lane, ScopeKind::park, scope.begin_ns, scope.end_ns);
        if (is(record, ProbeKind::plot)) {
            double value = 0;
            static_assert(sizeof value == sizeof record.subject);
            std::memcpy(&value, &record.subject, sizeof value);
            if (scope.begin_ns >= 0)
                capture_.values.push_back({index, name_index(record.name), scope.begin_ns, value});
        }
        const std::optional<ScopeKind> kind = scope_kind(record);
        if (!kind || scope.begin_ns < 0)
            continue;
        scope.end_ns = std::min(scope.end_ns, capture_.end_ns);
        scope.kind = *kind;
        scope.name = name_index(record.name);
        scope.actor = actor_index(record.subject);
        if (at + 1 < ring.written()) {
            const ProbeRecord& more = ring.record(at + 1);
            if (is(more, ProbeKind::number))
                (*kind == ScopeKind::task ? scope.task : scope.note) = more.subject;
            if (is(more, ProbeKind::sent))
                add_sent(index, scope, more);
        }
        lane.scopes.push_back(scope);
    }
}

// Up to the end of the parallel phase that it began in a worker waits for the others; then it is idle.
void CaptureBuilder::add_rest(CapturedLane& lane, ScopeKind before, std::int64_t begin_ns,
                              std::int64_t end_ns) {
    begin_ns = std::max<std::int64_t>(begin_ns, 0);
    end_ns = std::min(end_ns, capture_.end_ns);
    const Phase* const phase = phase_at(begin_ns);
    const std::int64_t cut_ns =
        phase == nullptr ? begin_ns : std::min(std::max(phase->end_ns, begin_ns), end_ns);
    const auto add = [&lane](ScopeKind kind, std::int64_t from_ns, std::int64_t to_ns) {
        if (from_ns >= to_ns)
            return;
        CapturedScope scope;
        scope.kind = kind;
        scope.begin_ns = from_ns;
        scope.end_ns = to_ns;
        lane.scopes.push_back(scope);
    };
    add(before, begin_ns, cut_ns);
    add(before == ScopeKind::wait ? ScopeKind::idle : before, cut_ns, end_ns);
}

void CaptureBuilder::add_sent(std::uint32_t lane, const CapturedScope& scope,
                              const ProbeRecord& record) {
    CapturedFlow flow;
    flow.sent_ns = std::min(ns_of(record.begin), scope.begin_ns);
    flow.handled_ns = scope.begin_ns;
    flow.to_lane = lane;
    // Worker 0 is the frame thread in the serial phase.
    const bool is_serial = record.aux == 0 && phase_at(flow.sent_ns) == nullptr;
    flow.from_lane = is_serial ? 0 : static_cast<std::uint32_t>(record.aux) + 1;
    flow.name = scope.name;
    flow.actor = scope.actor;
    waits_.push_back({scope.kind, scope.name, scope.actor, flow.handled_ns - flow.sent_ns});
    if (flow.sent_ns >= 0)
        capture_.flows.push_back(flow);
}

// Scopes are recorded as they end. Stamps are shared, so those of one begin are told apart by their ends,
// and those of one moment by what can be in what.
void CaptureBuilder::nest(CapturedLane& lane) {
    std::stable_sort(lane.scopes.begin(), lane.scopes.end(),
                     [](const CapturedScope& one, const CapturedScope& other) {
                         return std::tuple(one.begin_ns, -one.end_ns, one.kind) <
                                std::tuple(other.begin_ns, -other.end_ns, other.kind);
                     });
    std::vector<std::int64_t> open; // ends, outermost first
    for (CapturedScope& scope : lane.scopes) {
        while (!open.empty() && open.back() <= scope.begin_ns &&
               (open.back() < scope.begin_ns || scope.end_ns > scope.begin_ns))
            open.pop_back();
        if (!open.empty())
            scope.end_ns = std::min(scope.end_ns, open.back());
        scope.depth = static_cast<std::uint8_t>(std::min<std::size_t>(open.size(), 255));
        open.push_back(scope.end_ns);
    }
}

const CaptureBuilder::Phase* CaptureBuilder::phase_at(std::int64_t ns) const noexcept {
    const auto after = std::upper_bound(
        phases_.begin(), phases_.end(), ns,
        [](std::int64_t value, const Phase& phase) { return value < phase.begin_ns; });
    if (after == phases_.begin() || std::prev(after)->end_ns < ns)
        return nullptr;
    return &*std::prev(after);
}

// Who held the barrier of each phase, and the sums of the frames.
void CaptureBuilder::describe_phases() {
    std::vector<std::size_t> next(capture_.lanes.size(), 0);
    std::size_t phase_number = 0;
    for (CapturedFrame& frame : capture_.frames) {
        for (; phase_number < phases_.size() && phases_[phase_number].begin_ns < frame.end_ns;
             ++phase_number) {
            const Phase& phase = phases_[phase_number];
            CapturedPhase described;
            described.begin_ns = phase.begin_ns;
            described.end_ns = phase.end_ns;
            std::int64_t last_rest_ns = -1;
            for (std::uint32_t lane = 1; lane < capture_.lanes.size(); ++lane) {
                const std::vector<CapturedScope>& scopes = capture_.lanes[lane].scopes;
                const CapturedScope* last_run = nullptr;
                std::int64_t rest_ns = -1;
                std::size_t& at = next[lane];
                for (; at < scopes.size() && scopes[at].begin_ns < phase.end_ns; ++at) {
                    if (scopes[at].begin_ns < phase.begin_ns)
                        continue;
                    if (scopes[at].kind == ScopeKind::wait) {
                        rest_ns = scopes[at].begin_ns;
                        frame.wait_ns += scopes[at].end_ns - scopes[at].begin_ns;
                    } else if (scopes[at].kind == ScopeKind::handler ||
                               scopes[at].kind == ScopeKind::task) {
                        last_run = &scopes[at];
                    }
                }
                if (rest_ns > last_rest_ns) {
                    last_rest_ns = rest_ns;
                    described.last_lane = lane;
                    described.last_name = last_run == nullptr ? kNoIndex : last_run->name;
                    described.last_actor = last_run == nullptr ? kNoIndex : last_run->actor;
                }
            }
            frame.parallel_ns += phase.end_ns - phase.begin_ns;
            frame.phases.push_back(described);
        }
        frame.serial_ns = frame.end_ns - frame.begin_ns - frame.parallel_ns;
    }
}

void CaptureBuilder::make_rows() {
    using Key = std::tuple<ScopeKind, std::uint32_t, std::uint32_t>;
    struct Sums {
        std::vector<std::int64_t> run_ns;
        std::vector<std::int64_t> wait_ns;
        std::int64_t critical_ns = 0;
    };
    std::map<Key, Sums> sums;
    std::vector<CapturedPhase> phases;
    for (const CapturedFrame& frame : capture_.frames)
        phases.insert(phases.end(), frame.phases.begin(), frame.phases.end());
    for (std::uint32_t lane = 0; lane < capture_.lanes.size(); ++lane) {
        std::size_t phase = 0;
        for (const CapturedScope& scope : capture_.lanes[lane].scopes) {
            if (!has_row(scope.kind))
                continue;
            while (phase < phases.size() && phases[phase].end_ns <= scope.begin_ns)
                ++phase;
            Sums& row = sums[{scope.kind, scope.name, scope.actor}];
            const std::int64_t ns = scope.end_ns - scope.begin_ns;
            row.run_ns.push_back(ns);
            const bool holds = phase < phases.size() && phases[phase].begin_ns <= scope.begin_ns &&
                               phases[phase].last_lane == lane;
            if (lane == 0 || holds)
                row.critical_ns += ns;
        }
    }
    for (const Wait& wait : waits_)
        sums[{wait.kind, wait.name, wait.actor}].wait_ns.push_back(wait.ns);
    for (auto& [key, row] : sums) {
        std::sort(row.run_ns.begin(), row.run_ns.end());
        std::sort(row.wait_ns.begin(), row.wait_ns.end());
        CapturedRow made;
        std::tie(made.kind, made.name, made.actor) = key;
        made.count = row.run_ns.size();
        for (const std::int64_t ns : row.run_ns)
            made.total_ns += ns;
        made.run_p50_ns = percentile(row.run_ns, 0.5);
        made.run_p99_ns = percentile(row.run_ns, 0.99);
        made.run_max_ns = row.run_ns.empty() ? 0 : row.run_ns.back();
        made.waits = row.wait_ns.size();
        made.wait_p50_ns = percentile(row.wait_ns, 0.5);
        made.wait_p99_ns = percentile(row.wait_ns, 0.99);
        made.critical_ns = row.critical_ns;
        capture_.rows.push_back(made);
    }
    std::sort(capture_.rows.begin(), capture_.rows.end(),
              [](const CapturedRow& one, const CapturedRow& other) {
                  return one.total_ns > other.total_ns;
              });
}

std::uint32_t CaptureBuilder::name_index(const char* name) {
    if (name == nullptr || *name == '\0')
        return kNoIndex;
    const auto [found, is_new] = names_.try_emplace(name, kNoIndex);
    if (is_new)
        found->second = index_of(name);
    return found->second;
}

std::uint32_t CaptureBuilder::actor_index(std::uint64_t address) {
    if (address == 0)
        return kNoIndex;
    const auto [found, is_new] = actors_.try_emplace(address, kNoIndex);
    if (is_new)
        found->second = index_of(view_.name_of_actor(address));
    return found->second;
}

std::uint32_t CaptureBuilder::index_of(const std::string& name) {
    const auto [found, is_new] =
        indices_.try_emplace(name, static_cast<std::uint32_t>(capture_.names.size()));
    if (is_new)
        capture_.names.push_back(name);
    return found->second;
}

} // namespace takt::detail
