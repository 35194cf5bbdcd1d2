// SPDX-License-Identifier: MIT
#include "takt/frame.hpp"

namespace takt {

namespace {

std::string what_of(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "something that is no std::exception";
    }
}

} // namespace

std::string Failure::text() const {
    std::string line = "takt: frame " + std::to_string(frame) + ": ";
    line += name.empty() ? "code outside actors" : "actor \"" + name + "\"";
    if (!topic.empty())
        line += ", topic \"" + topic + "\"";
    return line + ", failed: " + (exception == nullptr ? "no exception" : what_of(exception));
}

const char* name_of(DeadLetter::Reason reason) noexcept {
    switch (reason) {
    case DeadLetter::Reason::gone:
        return "gone";
    case DeadLetter::Reason::destroyed:
        return "destroyed";
    case DeadLetter::Reason::stopped:
        return "stopped";
    case DeadLetter::Reason::kept_full:
        return "kept_full";
    case DeadLetter::Reason::no_memory:
        return "no_memory";
    }
    return "unknown";
}

} // namespace takt
