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

} // namespace takt
