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

namespace {

std::string sentence(const std::string& member, Phase phase, const std::string& actor,
                     const std::string& remedy) {
    std::string text = "takt: " + member + " was used ";
    text += phase == Phase::outside ? "outside the frame" : std::string("in ") + name_of(phase);
    if (!actor.empty())
        text += " by actor \"" + actor + "\"";
    return text + ", which is not allowed. " + remedy + ".";
}

} // namespace

PhaseError::PhaseError(std::string member, Phase phase, std::string actor,
                       const std::string& remedy)
    : std::logic_error(sentence(member, phase, actor, remedy)), member_(std::move(member)),
      phase_(phase), actor_(std::move(actor)) {}

void detail::violated(const char* member, const char* remedy) {
    const Context* const context = current_context();
    const PhaseError error(
        member, current_phase(),
        name_of_current_actor == nullptr ? std::string() : name_of_current_actor(), remedy);
    if (context != nullptr && context->on_violation == OnViolation::abort) {
        std::fprintf(stderr, "%s\n", error.what());
        std::abort();
    }
    throw PhaseError(error);
}

} // namespace takt
