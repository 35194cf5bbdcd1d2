// SPDX-License-Identifier: MIT
#include "takt/testing.hpp"

#include <algorithm>
#include <map>

namespace takt::testing {

namespace detail {

std::shared_ptr<void> ProbeLog::take(std::uint64_t topic) noexcept {
    const auto first = std::find_if(messages_.begin(), messages_.end(),
                                    [&](const Message& one) { return one.topic == topic; });
    if (first == messages_.end())
        return nullptr;
    std::shared_ptr<void> args = std::move(first->args);
    messages_.erase(first);
    return args;
}

std::size_t ProbeLog::count(std::uint64_t topic) const noexcept {
    return static_cast<std::size_t>(
        std::count_if(messages_.begin(), messages_.end(),
                      [&](const Message& one) { return one.topic == topic; }));
}

void ProbeLog::require_known(std::uint64_t topic, const char* topic_name,
                             const takt::detail::Signature& types) const {
    const auto known = std::find_if(known_.begin(), known_.end(),
                                    [&](const Known& one) { return one.topic == topic; });
    if (known == known_.end())
        throw Error("topic", topic_name, "probe \"" + name_ + "\" does not record it",
                    "Name it where the probe is made");
    if (known->types != &types)
        throw Error("topic", topic_name,
                    "probe \"" + name_ + "\" records it with " + known->types->name +
                        " and is asked for it with " + types.name,
                    "Use one name for one list of types");
}

void ProbeLog::fail(const std::string& problem) const {
    std::map<std::string, std::size_t> counts;
    for (const Message& one : messages_)
        ++counts[one.topic_name];
    std::string text = "probe \"" + name_ + "\": " + problem + "; it has ";
    const char* before = "";
    for (const auto& [topic, count] : counts) {
        text += before + std::to_string(count) + " of topic \"" + topic + "\"";
        before = ", ";
    }
    throw TestFailure(seed_, counts.empty() ? text + "none" : text);
}

} // namespace detail

void Probe::expect_empty() const {
    if (!empty())
        log_->fail("there is more than the test expects");
}

std::vector<std::string> Probe::topics() const {
    std::vector<std::string> topics;
    for (const detail::ProbeLog::Message& one : log_->messages())
        topics.emplace_back(one.topic_name);
    return topics;
}

} // namespace takt::testing
