// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. Counts of mail by topic, kept by one worker. Below: actor.

#include "takt/actor.hpp"

#include <cstdint>
#include <vector>

namespace takt::detail {

/// The mail of one topic. Two lines for each, of which places are computed by a shift; what expires
/// alone writes the second.
struct alignas(64) TopicCounts {
    std::uint64_t topic = 0; // 0: free
    const char* name = nullptr;
    MailCounts counts = {};
    alignas(64) ExpiryCounts expired = {};
};
static_assert(sizeof(TopicCounts) == 128);

/// An open-addressing table (linear probing), half full at most.
class TopicTable {
  public:
    TopicTable() : places_(64), mask_(places_.size() - 1) {}

    /// The counts of a topic, made if need be. Valid until the next call.
    MailCounts& of(std::uint64_t topic, const char* name) { return place_of(topic, name).counts; }
    TopicCounts& place_of(std::uint64_t topic, const char* name) {
        for (std::size_t at = topic;; ++at) {
            TopicCounts& place = places_[at & mask_];
            if (place.topic == topic) [[likely]]
                return place;
            if (place.topic == 0)
                return add(topic, name);
        }
    }
    MailCounts sum() const noexcept {
        MailCounts all;
        for_each([&all](const TopicCounts& one) { all += one.counts; });
        return all;
    }
    template <class Each>
    void for_each(Each each) const {
        for (const TopicCounts& place : places_)
            if (place.topic != 0)
                each(place);
    }

  private:
    TopicCounts& add(std::uint64_t topic, const char* name);

    std::vector<TopicCounts> places_;
    std::size_t mask_; // their number less 1
    std::size_t used_ = 0;
};

} // namespace takt::detail
