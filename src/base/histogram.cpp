// SPDX-License-Identifier: MIT
#include "takt/base/histogram.hpp"

#include <cmath>
#include <iomanip>
#include <limits>
#include <locale>
#include <sstream>
#include <string>
#include <utility>

namespace takt {

namespace {

constexpr double kTwoTo64 = 18446744073709551616.0;

// HdrHistogram's ticks: five equal steps over each halving of the distance that is left to 100 %.
// Kept as that distance, in tenths of a power of 1/2, for 1 - level has lost its digits where it
// matters.
class PercentileTick {
  public:
    /// Share of the values that lie beyond the tick, from 1 towards 0.
    double distance() const noexcept { return std::ldexp(tenths_ / 10.0, -halvings_); }
    /// Whether `beyond` of `count` values are no more than that share. Exact below 2^49 values.
    bool covers(std::uint64_t beyond, std::uint64_t count) const noexcept {
        return 10.0 * static_cast<double>(beyond) <=
               std::ldexp(tenths_ * static_cast<double>(count), -halvings_);
    }
    void step() noexcept {
        if (--tenths_ == 5) {
            tenths_ = 10;
            ++halvings_;
        }
    }

  private:
    int tenths_ = 10;
    int halvings_ = 0;
};

// The place, from 1, of the value asked for in the order of size. `percent` is 0 .. 100.
std::uint64_t rank_of(double percent, std::uint64_t count) noexcept {
    // Decimals are no doubles: 0.81 % of 10'000 comes out above 81, and would ask for the 82nd
    // value.
    constexpr double kMargin = 1 - 4 * std::numeric_limits<double>::epsilon();
    const double rank = std::ceil(percent * static_cast<double>(count) / 100 * kMargin);
    return std::max(static_cast<std::uint64_t>(rank), std::uint64_t{1});
}

} // namespace

void Histogram::merge(const Histogram& other) noexcept {
    const std::uint64_t low = other.sum_low_; // a copy: other may be this histogram
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket)
        counts_[bucket] += other.counts_[bucket];
    count_ += other.count_;
    sum_high_ += other.sum_high_;
    sum_low_ += low;
    sum_high_ += sum_low_ < low ? 1u : 0u;
    min_ns_ = std::min(min_ns_, other.min_ns_);
    max_ns_ = std::max(max_ns_, other.max_ns_);
}

double Histogram::mean() const noexcept {
    if (count_ == 0)
        return 0;
    const double sum = static_cast<double>(sum_high_) * kTwoTo64 + static_cast<double>(sum_low_);
    return sum / static_cast<double>(count_);
}

double Histogram::stddev() const noexcept {
    if (count_ == 0)
        return 0;
    const double centre = mean();
    double squares = 0;
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
        if (counts_[bucket] == 0)
            continue;
        // No further out than the values are, so that equal values deviate by nothing.
        const std::int64_t low = std::max(lowest_of(bucket), min_ns_);
        const double middle =
            (static_cast<double>(low) + static_cast<double>(shown_of(bucket))) / 2;
        squares += static_cast<double>(counts_[bucket]) * (middle - centre) * (middle - centre);
    }
    return std::sqrt(squares / static_cast<double>(count_));
}

std::int64_t Histogram::percentile(double percent) const noexcept {
    if (count_ == 0)
        return 0;
    if (!(percent < 100))
        return max_ns_;
    const std::uint64_t rank = rank_of(std::max(percent, 0.0), count_);
    std::size_t bucket = 0;
    for (std::uint64_t passed = counts_[0]; passed < rank; passed += counts_[bucket])
        ++bucket;
    return shown_of(bucket);
}

void Histogram::write_hdr(std::ostream& out, double unit_ns) const {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text << std::fixed << "       Value     Percentile TotalCount 1/(1-Percentile)\n\n";
    write_rows(text, unit_ns);
    write_trailer(text, unit_ns);
    const std::string whole = std::move(text).str();
    out.write(whole.data(), static_cast<std::streamsize>(whole.size()));
}

// A row for each tick up to the first that covers all values, and one more for 100 %. That has no
// fourth column, as 1/0 has no place on the plotter's axis.
void Histogram::write_rows(std::ostream& text, double unit_ns) const {
    const auto row = [&](std::size_t bucket, double level, std::uint64_t passed) -> std::ostream& {
        return text << std::setprecision(3) << std::setw(12)
                    << static_cast<double>(shown_of(bucket)) / unit_ns << ' '
                    << std::setprecision(12) << level << ' ' << std::setw(10) << passed;
    };
    if (count_ == 0)
        return;
    std::size_t bucket = bucket_of(min_ns_);
    std::uint64_t passed = counts_[bucket];
    for (PercentileTick tick;; tick.step()) {
        while (!tick.covers(count_ - passed, count_))
            passed += counts_[++bucket];
        row(bucket, 1 - tick.distance(), passed)
            << ' ' << std::setprecision(2) << std::setw(14) << 1 / tick.distance() << '\n';
        if (passed == count_)
            break;
    }
    row(bucket, 1, passed) << '\n';
}

void Histogram::write_trailer(std::ostream& text, double unit_ns) const {
    // HdrHistogram's buckets are the powers of two and its sub-buckets the linear start.
    constexpr std::size_t kPowers = kBuckets / kSubBuckets - 1;
    text << std::setprecision(3) << "#[Mean    = " << std::setw(12) << mean() / unit_ns
         << ", StdDeviation   = " << std::setw(12) << stddev() / unit_ns << "]\n"
         << "#[Max     = " << std::setw(12) << static_cast<double>(max_ns_) / unit_ns
         << ", Total count    = " << std::setw(12) << count_ << "]\n"
         << "#[Buckets = " << std::setw(12) << kPowers << ", SubBuckets     = " << std::setw(12)
         << 2 * kSubBuckets << "]\n";
}

// What a bucket is reported as: never above what was recorded.
std::int64_t Histogram::shown_of(std::size_t bucket) const noexcept {
    return std::min(highest_of(bucket), max_ns_);
}

} // namespace takt
