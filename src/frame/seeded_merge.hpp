// SPDX-License-Identifier: MIT
#pragma once
// Layer 7, frame. The order of mail in a test: drawn from a seed, within what is promised. Below:
// nothing. Above: frame_worker.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

namespace takt::detail {

/// Numbers that follow from a seed, the same ones on every machine: SplitMix64 (G. Steele, D. Lea,
/// C. Flood: "Fast splittable pseudorandom number generators", 2014).
class SeededNumbers {
  public:
    explicit SeededNumbers(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        std::uint64_t bits = state_ += 0x9e37'79b9'7f4a'7c15;
        bits = (bits ^ (bits >> 30)) * 0xbf58'476d'1ce4'e5b9;
        bits = (bits ^ (bits >> 27)) * 0x94d0'49bb'1331'11eb;
        return bits ^ (bits >> 31);
    }
    /// From 0 to `end` - 1, as good as evenly.
    std::uint64_t below(std::uint64_t end) noexcept { return next() % end; }
    template <class T>
    void shuffle(std::vector<T>& list) noexcept {
        for (std::size_t left = list.size(); left > 1; --left)
            std::swap(list[left - 1], list[below(left)]);
    }

  private:
    std::uint64_t state_;
};

/// Merges streams: what one sender has for one receiver keeps its order, all else is drawn.
///
/// A stream has a priority, which is drawn. With every other seed the first stream's next is taken,
/// and now and then its priority is drawn anew; that is PCT (S. Burckhardt, P. Kothari, M. Musuvathi,
/// S. Nagarakatte: "A randomized scheduler with probabilistic guarantees of finding bugs", 2010), and
/// some streams come long before all others, or long after them. With the other seeds each take is
/// from any stream, which mixes finely, and would next to never show that.
class SeededMerge {
  public:
    explicit SeededMerge(std::uint64_t seed)
        : numbers_(seed), by_priorities_(numbers_.below(2) == 0),
          takes_per_change_(std::uint64_t{1} << numbers_.below(kRates)) {}

    bool empty() const noexcept { return by_priority_.empty(); }
    void clear() noexcept {
        by_priority_.clear();
        streams_.clear();
    }
    void add(std::uint64_t sender, std::uint64_t receiver, std::size_t item) {
        const Key key{sender, receiver};
        const auto known = streams_.find(key);
        if (known != streams_.end())
            known->second->second.items.push_back(item);
        else
            streams_[key] = by_priority_.insert({numbers_.next(), {key, {item}}});
    }
    /// There is one.
    std::size_t take() {
        auto chosen = by_priority_.begin();
        if (!by_priorities_)
            if (const auto any = by_priority_.lower_bound(numbers_.next());
                any != by_priority_.end())
                chosen = any;
        Stream& stream = chosen->second;
        const std::size_t item = stream.items.front();
        stream.items.pop_front();
        if (stream.items.empty()) {
            streams_.erase(stream.key);
            by_priority_.erase(chosen);
        } else if (!by_priorities_ || numbers_.below(takes_per_change_) == 0) {
            auto changed = by_priority_.extract(chosen);
            changed.key() = numbers_.next();
            const Key key = changed.mapped().key;
            streams_[key] = by_priority_.insert(std::move(changed));
        }
        return item;
    }

  private:
    static constexpr std::uint64_t kRates = 7; // from each take to one in 64
    using Key = std::pair<std::uint64_t, std::uint64_t>;
    struct Stream {
        Key key;
        std::deque<std::size_t> items;
    };
    using ByPriority = std::multimap<std::uint64_t, Stream>;

    SeededNumbers numbers_;
    const bool by_priorities_;
    const std::uint64_t takes_per_change_;
    ByPriority by_priority_;
    std::map<Key, ByPriority::iterator> streams_; // looked up only: its order means nothing
};

} // namespace takt::detail
