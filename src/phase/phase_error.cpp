// SPDX-License-Identifier: MIT
#include "takt/phase.hpp"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace takt {

const char* name_of(Phase phase) noexcept {
    switch (phase) {
    case Phase::outside:
        return "outside";
    case Phase::serial:
        return "the serial phase";
    case Phase::parallel:
        return "the parallel phase";
    }
    return "unknown";
}

const char* name_of(Level level) noexcept {
    switch (level) {
    case Level::unsafe:
        return "Unsafe";
    case Level::read_parallel:
        return "Read Parallel";
    case Level::local_safe:
        return "Local Safe";
    case Level::safe:
        return "Safe";
    case Level::in_frame:
        return "In Frame";
    case Level::between_frames:
        return "Between Frames";
    case Level::outside:
        return "Outside";
    }
    return "unknown";
}

namespace {

const char* meaning_of(Level level) noexcept {
    switch (level) {
    case Level::unsafe:
        return "in the serial phase only";
    case Level::read_parallel:
        return "read in both phases, written in the serial phase";
    case Level::local_safe:
        return "in the parallel phase its owner's";
    case Level::safe:
        return "from every thread";
    case Level::in_frame:
        return "in both phases, and not outside";
    case Level::between_frames:
        return "on the frame thread, when no frame runs";
    case Level::outside:
        return "from threads that run no frame";
    }
    return "unknown";
}

std::string sentence(const std::string& member, Level level, Phase phase, const std::string& actor,
                     const std::string& remedy) {
    std::string text = "takt: " + member + " was used ";
    text += phase == Phase::outside ? "outside the frame" : std::string("in ") + name_of(phase);
    if (!actor.empty())
        text += " by actor \"" + actor + "\"";
    return text + ". It is " + name_of(level) + ": " + meaning_of(level) + ". " + remedy + ".";
}

} // namespace

PhaseError::PhaseError(std::string member, Level level, Phase phase, std::string actor,
                       const std::string& remedy)
    : std::logic_error(sentence(member, level, phase, actor, remedy)), member_(std::move(member)),
      level_(level), phase_(phase), actor_(std::move(actor)) {}

void detail::check_failed(const char* member, Level level, const char* remedy) {
    const Context* const context = current_context();
    if (unchecked_scope() == nullptr && (context == nullptr || context->checks))
        violated(member, remedy, level);
}

void detail::violated(const char* member, const char* remedy, Level level) {
    const Context* const context = current_context();
    const PhaseError error(
        member, level, current_phase(),
        name_of_current_actor == nullptr ? std::string() : name_of_current_actor(), remedy);
    if (context != nullptr && context->on_violation == OnViolation::abort) {
        std::fprintf(stderr, "%s\n", error.what());
        std::abort();
    }
    throw PhaseError(error);
}

} // namespace takt
