// SPDX-License-Identifier: MIT
#include "takt/base/probe.hpp"

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace takt {

Label Label::of(std::string_view name) {
    static std::mutex mutex;
    // Never destroyed: records name them to the last.
    static auto& names = *new std::set<std::string, std::less<>>();
    const std::lock_guard lock(mutex);
    auto found = names.find(name);
    if (found == names.end())
        found = names.emplace(name).first;
    return Label(Kept{found->c_str()});
}

namespace detail {

// They are linked innermost first; `below_` of the outermost is what was open before them.
ScopeMark* ScopeMark::suspend(Probe& probe, ScopeMark* below) noexcept {
    ScopeMark* const innermost = probe.open == below ? nullptr : probe.open;
    if (innermost == nullptr)
        return nullptr;
    const std::uint64_t now = tick();
    for (ScopeMark* mark = innermost; mark != below;) {
        probe.write(ProbeKind::user, mark->begin_, now, mark->name_, 0);
        mark->probe_ = nullptr;
        ScopeMark* const next = mark->below_;
        if (next == below)
            mark->below_ = nullptr;
        mark = next;
    }
    probe.open = below;
    return innermost;
}

void ScopeMark::resume(Probe* probe, ScopeMark* innermost) noexcept {
    if (probe == nullptr || innermost == nullptr)
        return;
    const std::uint64_t now = tick();
    ScopeMark* mark = innermost;
    for (;; mark = mark->below_) {
        mark->probe_ = probe;
        mark->begin_ = now;
        if (mark->below_ == nullptr)
            break;
    }
    mark->below_ = std::exchange(probe->open, innermost);
}

} // namespace detail

} // namespace takt
