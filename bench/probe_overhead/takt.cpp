// SPDX-License-Identifier: MIT
#include "probe_overhead/config.hpp"

#include "takt/profiler.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace takt::bench::probe_overhead {
namespace {

using detail::Probe;
using detail::ProbeKind;
using detail::ProbeRecord;
using detail::ProbeRing;
using detail::t_probe;

constexpr Label kName{"scope"};

void run_scopes() {
    for (std::uint64_t count = 0; count < kScopes; ++count) {
        const Scope scope(kName);
        benchmark::ClobberMemory(); // it stands for code that the compiler cannot see
    }
}

// Since `first` records were written, between `begin` and `end`; as many of them as are still there.
bool is_right(const ProbeRing& ring, std::uint64_t first, std::uint64_t begin, std::uint64_t end) {
    if (ring.written() != first + kScopes)
        return false;
    std::uint64_t last = begin;
    for (std::uint64_t at = std::max(first, ring.dropped()); at < ring.written(); ++at) {
        const ProbeRecord& record = ring.record(at);
        if (record.kind != static_cast<std::uint8_t>(ProbeKind::user) ||
            record.name != kName.name() || record.begin < last)
            return false;
        last = record.begin + record.ticks;
    }
    return last <= end;
}

Window off() {
    return time_batches(run_scopes,
                        [](std::uint64_t, std::uint64_t) { return t_probe == nullptr; });
}

Window on(Probe& probe) {
    const ProbeRing& ring = probe.ring();
    std::uint64_t first = ring.written();
    t_probe = &probe;
    Window window = time_batches(run_scopes, [&](std::uint64_t begin, std::uint64_t end) {
        return is_right(ring, std::exchange(first, ring.written()), begin, end);
    });
    t_probe = nullptr;
    return window;
}

void add_on(Field& field, const std::string& name, std::size_t records) {
    field.add("probe_overhead/takt/" + name, [records] {
        const auto probe = std::make_shared<Probe>(records);
        for (std::size_t record = 0; record < records; ++record) // its pages are there from now on
            probe->write(ProbeKind::user, 0, 0, kName.name(), 0);
        return [probe] { return on(*probe); };
    });
}

Window ticks() {
    std::uint64_t backwards = 0;
    std::uint64_t last = 0;
    return time_batches(
        [&] {
            for (std::uint64_t count = 0; count < kScopes; ++count) {
                const std::uint64_t now = tick();
                backwards += now < last;
                last = now;
            }
        },
        [&](std::uint64_t begin, std::uint64_t end) {
            return backwards == 0 && begin <= last && last <= end;
        });
}

} // namespace

void add_takt(Field& field) {
    field.add("probe_overhead/takt/off", [] { return [] { return off(); }; });
    add_on(field, "on", RecorderOptions().records);
    add_on(field, "wrapping", 256);
    field.add("probe_overhead/tick", [] { return [] { return ticks(); }; });
}

} // namespace takt::bench::probe_overhead
