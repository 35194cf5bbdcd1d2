// SPDX-License-Identifier: MIT
#pragma once
// Layer 0, base. Where the nanoseconds went: a latency histogram that one worker fills while it
// works and a reader takes apart afterwards. Below: nothing.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iosfwd>

namespace takt {

/// Counts of durations in log-linear buckets: each power of two is cut into 64 buckets of one
/// width, so that the values of a bucket differ by less than 1/64 of the lowest (Gil Tene's
/// HdrHistogram). Values are nanoseconds. Below 128 every value has its own bucket; a negative one
/// counts as 0. Values of kTrackedEnd (18 minutes) and above share the last bucket, and clamped()
/// says how many.
///
/// One thread at a time, nothing is atomic: a reader reads while the writer stands still, for
/// example after a join or behind the writer's barrier. 18 KiB in itself, nothing on the heap.
///
/// | operation                   | progress                                                  |
/// |-----------------------------|-----------------------------------------------------------|
/// | record                      | wait-free, no allocation, no branch: some 30 instructions |
/// | merge, reset                | wait-free, no allocation, one pass over the buckets       |
/// | percentile, stddev          | wait-free, no allocation, one pass over the buckets       |
/// | count, min, max, mean, ...  | wait-free                                                 |
/// | write_hdr                   | allocates, and does what the stream does                  |
class Histogram {
  public:
    /// The relative error is at most 2^-kSubBucketBits.
    static constexpr unsigned kSubBucketBits = 6;
    /// Buckets in a power of two. Below twice this, in ns, they are one wide.
    static constexpr std::size_t kSubBuckets = std::size_t{1} << kSubBucketBits;
    /// Powers of two between 1 ns and the end of what is told apart.
    static constexpr unsigned kTrackedBits = 40;
    /// The first value, in ns, of the last bucket.
    static constexpr std::int64_t kTrackedEnd = std::int64_t{1} << kTrackedBits;
    /// Buckets in all.
    static constexpr std::size_t kBuckets = (kTrackedBits - kSubBucketBits + 1) * kSubBuckets + 1;

    /// Number of the bucket of a value in ns, 0 .. kBuckets - 1; greater values, greater buckets.
    static constexpr std::size_t bucket_of(std::int64_t value_ns) noexcept;
    /// Lowest value of a bucket, in ns.
    static constexpr std::int64_t lowest_of(std::size_t bucket) noexcept;
    /// Highest value of a bucket, in ns. INT64_MAX of the last.
    static constexpr std::int64_t highest_of(std::size_t bucket) noexcept;

    /// Counts one duration in ns.
    void record(std::int64_t value_ns) noexcept;
    /// Counts all that `other` has counted; as if both had been recorded here.
    void merge(const Histogram& other) noexcept;
    /// Forgets all.
    void reset() noexcept { *this = Histogram{}; }

    /// Values recorded.
    std::uint64_t count() const noexcept { return count_; }
    /// Values of kTrackedEnd and more: for percentiles they are all as long as max().
    std::uint64_t clamped() const noexcept { return counts_.back(); }
    /// Smallest value in ns, exact. 0 if empty.
    std::int64_t min() const noexcept { return count_ == 0 ? 0 : min_ns_; }
    /// Largest value in ns, exact, also above kTrackedEnd. 0 if empty.
    std::int64_t max() const noexcept { return max_ns_; }
    /// Mean in ns, of the values themselves and not of their buckets. 0 if empty.
    double mean() const noexcept;
    /// Standard deviation in ns, of the middles of the buckets. 0 if empty.
    double stddev() const noexcept;
    /// The smallest value, in ns, that at least `percent` % of all values do not exceed: nearest
    /// rank, given as the highest value of its bucket, but never above max(). Hence never too low,
    /// and below kTrackedEnd too high by at most 1/64. `percent` is the decimal it was written as:
    /// 99.9 of 1000 values is the 999th. 0 and less: the first value; 100 and more, or not a
    /// number: max(), exact. 0 if empty.
    std::int64_t percentile(double percent) const noexcept;

    /// Writes HdrHistogram's text form of a percentile distribution (.hgrm), five ticks in each
    /// halving of the distance to 100 %, for hdrhistogram.github.io/HdrHistogram/plotFiles.html.
    /// Values are in units of `unit_ns` > 0 nanoseconds with three decimals: by default
    /// microseconds. Rows of an empty histogram: none. Numbers do not depend on any locale; the
    /// stream's format is left as it was. Throws std::bad_alloc, and what the stream is set to
    /// throw; its state tells of a failure.
    void write_hdr(std::ostream& out, double unit_ns = 1000.0) const;

  private:
    void write_rows(std::ostream& text, double unit_ns) const;
    void write_trailer(std::ostream& text, double unit_ns) const;
    std::int64_t shown_of(std::size_t bucket) const noexcept;

    std::uint64_t sum_low_ = 0; // 128 bits in two words: exact, whatever is recorded
    std::uint64_t sum_high_ = 0;
    std::int64_t min_ns_ = INT64_MAX;
    std::int64_t max_ns_ = 0;
    std::uint64_t count_ = 0;
    std::array<std::uint64_t, kBuckets> counts_{};
};

constexpr std::size_t Histogram::bucket_of(std::int64_t value_ns) noexcept {
    const auto value =
        static_cast<std::uint64_t>(std::clamp(value_ns, std::int64_t{0}, kTrackedEnd));
    // The bit makes all below kSubBuckets as wide as kSubBuckets: nothing is shifted out of it.
    const auto width = static_cast<unsigned>(std::bit_width(value | kSubBuckets));
    const unsigned shift = width - (kSubBucketBits + 1);
    // What is left is kSubBuckets .. 2 * kSubBuckets - 1, so that each shift goes on where the one
    // before it ended.
    return shift * kSubBuckets + static_cast<std::size_t>(value >> shift);
}

constexpr std::int64_t Histogram::lowest_of(std::size_t bucket) noexcept {
    if (bucket < 2 * kSubBuckets)
        return static_cast<std::int64_t>(bucket);
    const std::size_t shift = bucket / kSubBuckets - 1;
    return static_cast<std::int64_t>((bucket - shift * kSubBuckets) << shift);
}

constexpr std::int64_t Histogram::highest_of(std::size_t bucket) noexcept {
    return bucket + 1 < kBuckets ? lowest_of(bucket + 1) - 1 : INT64_MAX;
}

inline void Histogram::record(std::int64_t value_ns) noexcept {
    const std::int64_t value = std::max(value_ns, std::int64_t{0});
    ++counts_[bucket_of(value)];
    ++count_;
    sum_low_ += static_cast<std::uint64_t>(value);
    sum_high_ += sum_low_ < static_cast<std::uint64_t>(value) ? 1u : 0u;
    min_ns_ = std::min(min_ns_, value);
    max_ns_ = std::max(max_ns_, value);
}

static_assert(Histogram::bucket_of(0) == 0);
static_assert(Histogram::bucket_of(INT64_MAX) == Histogram::kBuckets - 1);
static_assert(Histogram::lowest_of(Histogram::kBuckets - 1) == Histogram::kTrackedEnd);

} // namespace takt
