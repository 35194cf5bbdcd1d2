// SPDX-License-Identifier: MIT
#pragma once
// Layer 11, profiler. Makes a Capture of the records in rings. Below: recording, capture.

#include "takt/profiler/capture.hpp"
#include "takt/runtime.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace takt::detail {

class CaptureBuilder {
  public:
    CaptureBuilder(const RecordingView& view, std::int64_t budget_ns)
        : view_(view), scale_(view.recording->began(), TickPair::now()) {
        capture_.budget_ns = budget_ns;
    }
    /// Throws std::bad_alloc.
    Capture build(std::size_t frames_max);

  private:
    struct Phase {
        std::int64_t begin_ns;
        std::int64_t end_ns;
    };

    void find_window(std::size_t frames_max);
    void read_worker(int worker);
    void read_lane(std::uint32_t lane, const ProbeRing& ring);
    void add_rest(CapturedLane& lane, ScopeKind before, std::int64_t begin_ns, std::int64_t end_ns);
    void add_sent(std::uint32_t lane, const CapturedScope& scope, const ProbeRecord& record);
    static void nest(CapturedLane& lane);
    void describe_phases();
    void make_rows();
    const Phase* phase_at(std::int64_t ns) const noexcept;
    std::int64_t ns_of(std::uint64_t tick) const noexcept { return scale_.ns_of(tick) - zero_ns_; }
    std::uint32_t name_index(const char* name);
    std::uint32_t actor_index(std::uint64_t address);
    std::uint32_t index_of(const std::string& name);

    const RecordingView& view_;
    const TickScale scale_;
    std::int64_t zero_ns_ = 0;
    std::vector<Phase> phases_; // parallel ones, by time
    struct Wait {
        ScopeKind kind;
        std::uint32_t name;
        std::uint32_t actor;
        std::int64_t ns;
    };
    std::vector<Wait> waits_; // from sends to handlers
    std::unordered_map<std::string, std::uint32_t> indices_;
    std::unordered_map<const char*, std::uint32_t> names_;
    std::unordered_map<std::uint64_t, std::uint32_t> actors_;
    Capture capture_;
};

} // namespace takt::detail
