// SPDX-License-Identifier: MIT
#include "takt/base.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <locale>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using takt::Histogram;
using Values = std::vector<std::int64_t>;

constexpr std::size_t kLast = Histogram::kBuckets - 1;

Histogram recorded(const Values& values) {
    Histogram histogram;
    for (const std::int64_t value : values)
        histogram.record(value);
    return histogram;
}

// The distributions that percentiles, merges and exports are held against.

constexpr int kMany = 20'011; // a prime: no percentile falls between two values by luck

template <class Distribution>
Values drawn(Distribution distribution, unsigned seed = 1) {
    std::mt19937_64 random(seed);
    Values values;
    for (int draw = 0; draw < kMany; ++draw)
        values.push_back(static_cast<std::int64_t>(distribution(random)));
    return values;
}

Values uniform() {
    return drawn(std::uniform_int_distribution<std::int64_t>(0, 5'000'000));
}

Values exponential() {
    return drawn(std::exponential_distribution<double>(1.0 / 40'000));
}

Values bimodal() {
    Values values = drawn(std::normal_distribution<double>(900, 40));
    for (std::size_t slow = 0; slow < values.size(); slow += 50)
        values[slow] = values[slow] * 3000;
    return values;
}

std::vector<std::pair<std::string, Values>> distributions() {
    return {{"uniform", uniform()},   {"exponential", exponential()},
            {"bimodal", bimodal()},   {"constant", Values(1000, 123'456'789)},
            {"one value", {77'777}},  {"zeros", Values(10, 0)},
            {"zero and one", {0, 1}}, {"every second", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}};
}

// Of `thousandths` / 1000 %, by nearest rank, in whole numbers.
std::int64_t exact_percentile(const Values& sorted, std::int64_t thousandths) {
    const auto count = static_cast<std::int64_t>(sorted.size());
    const std::int64_t rank = std::max<std::int64_t>((thousandths * count + 99'999) / 100'000, 1);
    return sorted[static_cast<std::size_t>(rank - 1)];
}

double exact_mean(const Values& values) {
    double sum = 0;
    for (const std::int64_t value : values)
        sum += static_cast<double>(value);
    return sum / static_cast<double>(values.size());
}

double exact_stddev(const Values& values) {
    const double mean = exact_mean(values);
    double squares = 0;
    for (const std::int64_t value : values)
        squares += std::pow(static_cast<double>(value) - mean, 2);
    return std::sqrt(squares / static_cast<double>(values.size()));
}

void expect_same(const Histogram& one, const Histogram& other) {
    EXPECT_EQ(one.count(), other.count());
    EXPECT_EQ(one.clamped(), other.clamped());
    EXPECT_EQ(one.min(), other.min());
    EXPECT_EQ(one.max(), other.max());
    EXPECT_EQ(one.mean(), other.mean());
    EXPECT_EQ(one.stddev(), other.stddev());
    for (int percent = 0; percent <= 100; ++percent)
        EXPECT_EQ(one.percentile(percent), other.percentile(percent)) << percent << " %";
}

TEST(Histogram, a_value_lies_in_its_bucket_at_every_power_of_two) {
    for (unsigned power = 0; power < 63; ++power)
        for (const std::int64_t by : {-1, 0, 1}) {
            const std::int64_t value = (std::int64_t{1} << power) + by;
            const std::size_t bucket = Histogram::bucket_of(value);
            ASSERT_LE(bucket, kLast) << value;
            EXPECT_LE(Histogram::lowest_of(bucket), value) << value;
            EXPECT_GE(Histogram::highest_of(bucket), value) << value;
        }
}

TEST(Histogram, buckets_follow_one_another_without_gap_or_overlap) {
    EXPECT_EQ(Histogram::lowest_of(0), 0);
    for (std::size_t bucket = 0; bucket < kLast; ++bucket) {
        ASSERT_LE(Histogram::lowest_of(bucket), Histogram::highest_of(bucket)) << bucket;
        ASSERT_EQ(Histogram::lowest_of(bucket + 1), Histogram::highest_of(bucket) + 1) << bucket;
    }
    EXPECT_EQ(Histogram::lowest_of(kLast), Histogram::kTrackedEnd);
    EXPECT_EQ(Histogram::highest_of(kLast), INT64_MAX);
}

TEST(Histogram, the_ends_of_a_bucket_are_in_that_bucket) {
    for (std::size_t bucket = 0; bucket <= kLast; ++bucket) {
        ASSERT_EQ(Histogram::bucket_of(Histogram::lowest_of(bucket)), bucket);
        ASSERT_EQ(Histogram::bucket_of(Histogram::highest_of(bucket)), bucket);
    }
}

TEST(Histogram, a_bucket_is_no_wider_than_a_64th_of_its_values) {
    for (std::size_t bucket = 0; bucket < kLast; ++bucket) {
        const std::int64_t lowest = Histogram::lowest_of(bucket);
        ASSERT_LE((Histogram::highest_of(bucket) - lowest) * 64, lowest) << bucket;
    }
    EXPECT_EQ(Histogram::bucket_of(127), 127u) << "one bucket for each value below 128";
}

TEST(Histogram, percentiles_are_those_of_an_exact_sort_within_a_64th) {
    for (auto [name, values] : distributions()) {
        SCOPED_TRACE(name);
        const Histogram histogram = recorded(values);
        std::sort(values.begin(), values.end());
        for (std::int64_t thousandths = 0; thousandths <= 100'000; ++thousandths) {
            const std::int64_t exact = exact_percentile(values, thousandths);
            const std::int64_t told =
                histogram.percentile(static_cast<double>(thousandths) / 1000.0);
            ASSERT_GE(told, exact) << thousandths;
            ASSERT_LE(told, std::min(exact + exact / 64, values.back())) << thousandths;
        }
    }
}

TEST(Histogram, a_percentile_is_the_highest_value_of_its_bucket) {
    const Histogram histogram = recorded({1000, 1'000'000});
    EXPECT_EQ(histogram.percentile(50), Histogram::highest_of(Histogram::bucket_of(1000)));
    EXPECT_GT(histogram.percentile(50), 1000);
}

TEST(Histogram, a_percentile_is_never_above_the_maximum) {
    const Histogram histogram = recorded({1'000'000});
    ASSERT_GT(Histogram::highest_of(Histogram::bucket_of(1'000'000)), 1'000'000);
    EXPECT_EQ(histogram.percentile(50), 1'000'000);
    EXPECT_EQ(histogram.percentile(100), 1'000'000);
}

TEST(Histogram, a_percentile_between_two_ranks_is_that_of_the_higher) {
    Values hundredth;
    for (std::int64_t value = 1; value <= 100; ++value)
        hundredth.push_back(value);
    const Histogram histogram = recorded(hundredth);
    EXPECT_EQ(histogram.percentile(50), 50);
    EXPECT_EQ(histogram.percentile(50.001), 51);
    EXPECT_EQ(histogram.percentile(99), 99);
    EXPECT_EQ(histogram.percentile(99.001), 100);
}

TEST(Histogram, a_percentile_is_meant_as_the_decimal_it_was_written_as) {
    // In doubles 0.81 * 10'000 / 100 is above 81 and 0.035 * 100'000 / 100 above 35.
    const struct {
        double percent;
        int below, count;
    } cases[] = {
        {0.81, 81, 10'000}, {0.035, 35, 100'000}, {99.9, 999, 1000}, {99.99, 9999, 10'000}};
    for (const auto& [percent, below, count] : cases) {
        Histogram histogram;
        for (int value = 0; value < count; ++value)
            histogram.record(value < below ? 1 : 2);
        EXPECT_EQ(histogram.percentile(percent), 1) << percent;
        EXPECT_EQ(histogram.percentile(percent + 1e-9), 2) << percent;
    }
}

TEST(Histogram, a_percentage_out_of_range_means_the_end_it_lies_beyond) {
    const Histogram histogram = recorded({3, 5, 100'000'001});
    EXPECT_EQ(histogram.percentile(0), 3);
    EXPECT_EQ(histogram.percentile(-1), 3);
    EXPECT_EQ(histogram.percentile(-INFINITY), 3);
    EXPECT_EQ(histogram.percentile(101), 100'000'001);
    EXPECT_EQ(histogram.percentile(INFINITY), 100'000'001);
    EXPECT_EQ(histogram.percentile(NAN), 100'000'001);
}

TEST(Histogram, count_minimum_maximum_and_mean_are_exact) {
    for (const auto& [name, values] : distributions()) {
        SCOPED_TRACE(name);
        const Histogram histogram = recorded(values);
        EXPECT_EQ(histogram.count(), values.size());
        EXPECT_EQ(histogram.clamped(), 0u);
        EXPECT_EQ(histogram.min(), *std::min_element(values.begin(), values.end()));
        EXPECT_EQ(histogram.max(), *std::max_element(values.begin(), values.end()));
        EXPECT_DOUBLE_EQ(histogram.mean(), exact_mean(values));
    }
}

TEST(Histogram, the_standard_deviation_is_right_within_a_64th) {
    for (const auto& [name, values] : distributions()) {
        SCOPED_TRACE(name);
        const double exact = exact_stddev(values);
        EXPECT_NEAR(recorded(values).stddev(), exact, exact / 64);
    }
}

TEST(Histogram, an_empty_histogram_is_all_zeros) {
    const Histogram histogram;
    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_EQ(histogram.clamped(), 0u);
    EXPECT_EQ(histogram.min(), 0);
    EXPECT_EQ(histogram.max(), 0);
    EXPECT_EQ(histogram.mean(), 0);
    EXPECT_EQ(histogram.stddev(), 0);
    for (const double percent : {0.0, 50.0, 100.0})
        EXPECT_EQ(histogram.percentile(percent), 0);
}

TEST(Histogram, a_negative_value_counts_as_zero) {
    const Histogram histogram = recorded({-1, INT64_MIN, 4});
    EXPECT_EQ(histogram.count(), 3u);
    EXPECT_EQ(histogram.min(), 0);
    EXPECT_EQ(histogram.percentile(66), 0);
    EXPECT_DOUBLE_EQ(histogram.mean(), 4.0 / 3);
    EXPECT_EQ(recorded({-5}).max(), 0);
}

TEST(Histogram, values_from_18_minutes_on_share_the_last_bucket_and_are_told) {
    const std::int64_t end = Histogram::kTrackedEnd;
    const Histogram histogram = recorded({1, end - 1, end, 3 * end});
    EXPECT_EQ(histogram.count(), 4u);
    EXPECT_EQ(histogram.clamped(), 2u);
    EXPECT_EQ(histogram.percentile(50), end - 1) << "the highest value that is told apart";
    EXPECT_EQ(histogram.percentile(75), 3 * end) << "never too low, so as long as the longest";
    EXPECT_EQ(histogram.max(), 3 * end);
    EXPECT_DOUBLE_EQ(histogram.mean(), static_cast<double>(5 * end) / 4);
}

TEST(Histogram, the_mean_of_enormous_values_does_not_wrap) {
    Histogram histogram = recorded(Values(4, INT64_MAX)); // twice 2^64, less 4: a full low word
    EXPECT_DOUBLE_EQ(histogram.mean(), 9223372036854775807.0);
    EXPECT_EQ(histogram.max(), INT64_MAX);
    EXPECT_EQ(histogram.percentile(50), INT64_MAX);
    Histogram merged = histogram;
    merged.merge(histogram);
    EXPECT_DOUBLE_EQ(merged.mean(), 9223372036854775807.0);
    histogram.merge(histogram);
    EXPECT_DOUBLE_EQ(histogram.mean(), 9223372036854775807.0);
}

TEST(Histogram, merging_is_as_recording_all_in_one) {
    Histogram one, merged;
    for (const auto& [name, values] : distributions()) {
        for (const std::int64_t value : values)
            one.record(value);
        merged.merge(recorded(values));
        SCOPED_TRACE("up to " + name);
        expect_same(merged, one);
    }
    one.record(INT64_MAX);
    merged.merge(recorded({INT64_MAX}));
    expect_same(merged, one);
}

TEST(Histogram, merging_nothing_changes_nothing) {
    const Histogram histogram = recorded(exponential());
    Histogram merged = histogram;
    merged.merge(Histogram{});
    expect_same(merged, histogram);
    Histogram empty;
    empty.merge(histogram);
    expect_same(empty, histogram);
    empty.reset();
    empty.merge(Histogram{});
    expect_same(empty, Histogram{});
}

TEST(Histogram, merged_with_itself_has_everything_twice) {
    const Values values = bimodal();
    Histogram histogram = recorded(values);
    histogram.merge(histogram);
    Values twice = values;
    twice.insert(twice.end(), values.begin(), values.end());
    expect_same(histogram, recorded(twice));
}

TEST(Histogram, reset_forgets_all) {
    Histogram histogram = recorded({5, 70'000, INT64_MAX, INT64_MAX, INT64_MAX});
    histogram.reset();
    expect_same(histogram, Histogram{});
    histogram.record(9);
    expect_same(histogram, recorded({9}));
}

// The text form, read back as the plotter and its users do.

struct Row {
    double value = 0;
    double level = 0;
    std::uint64_t passed = 0;
    double inverse = 0; // 0: the column is missing
};

struct Text {
    std::vector<std::string> header;
    std::vector<Row> rows;
    std::vector<std::string> trailer;
};

Text parsed(const std::string& hgrm) {
    Text text;
    std::istringstream lines(hgrm);
    for (std::string line; std::getline(lines, line);)
        if (text.header.size() < 2)
            text.header.push_back(line);
        else if (line.front() == '#')
            text.trailer.push_back(line);
        else {
            EXPECT_TRUE(text.trailer.empty()) << "rows come before the trailer";
            Row row;
            std::istringstream columns(line);
            EXPECT_TRUE(columns >> row.value >> row.level >> row.passed) << line;
            columns >> row.inverse;
            text.rows.push_back(row);
        }
    return text;
}

std::string exported(const Histogram& histogram, double unit_ns = 1000.0) {
    std::ostringstream out;
    histogram.write_hdr(out, unit_ns);
    return std::move(out).str();
}

// The number behind `name =` in a line of the trailer.
double number(const std::string& line, const std::string& name) {
    const std::size_t at = line.find(name);
    EXPECT_NE(at, std::string::npos) << line;
    return std::stod(line.substr(line.find('=', at) + 1));
}

TEST(HistogramText, is_the_text_of_hdr_histogram_to_the_letter) {
    EXPECT_EQ(exported(recorded({1000, 2000, 3000, 4000})),
              "       Value     Percentile TotalCount 1/(1-Percentile)\n"
              "\n"
              "       1.007 0.000000000000          1           1.00\n"
              "       1.007 0.100000000000          1           1.11\n"
              "       1.007 0.200000000000          1           1.25\n"
              "       2.015 0.300000000000          2           1.43\n"
              "       2.015 0.400000000000          2           1.67\n"
              "       2.015 0.500000000000          2           2.00\n"
              "       3.007 0.550000000000          3           2.22\n"
              "       3.007 0.600000000000          3           2.50\n"
              "       3.007 0.650000000000          3           2.86\n"
              "       3.007 0.700000000000          3           3.33\n"
              "       3.007 0.750000000000          3           4.00\n"
              "       4.000 0.775000000000          4           4.44\n"
              "       4.000 1.000000000000          4\n"
              "#[Mean    =        2.500, StdDeviation   =        1.115]\n"
              "#[Max     =        4.000, Total count    =            4]\n"
              "#[Buckets =           34, SubBuckets     =          128]\n");
}

TEST(HistogramText, rows_rise_from_0_to_100_percent_and_end_with_all_values) {
    for (const auto& [name, values] : distributions()) {
        SCOPED_TRACE(name);
        const Text text = parsed(exported(recorded(values)));
        ASSERT_GE(text.rows.size(), 2u);
        EXPECT_EQ(text.rows.front().level, 0);
        for (std::size_t row = 1; row < text.rows.size(); ++row) {
            EXPECT_GE(text.rows[row].value, text.rows[row - 1].value) << row;
            EXPECT_GT(text.rows[row].level, text.rows[row - 1].level) << row;
            EXPECT_GE(text.rows[row].passed, text.rows[row - 1].passed) << row;
        }
        EXPECT_EQ(text.rows.back().level, 1.0);
        EXPECT_EQ(text.rows.back().passed, values.size());
        const std::int64_t max = *std::max_element(values.begin(), values.end());
        EXPECT_NEAR(text.rows.back().value, static_cast<double>(max) / 1000, 0.0005);
    }
}

TEST(HistogramText, a_row_says_how_many_values_its_value_covers) {
    for (const auto& [name, values] : distributions()) {
        SCOPED_TRACE(name);
        for (const Row& row : parsed(exported(recorded(values), 1)).rows) {
            const auto covered = std::count_if(values.begin(), values.end(), [&](auto value) {
                return static_cast<double>(value) <= row.value;
            });
            EXPECT_EQ(row.passed, static_cast<std::uint64_t>(covered)) << row.level;
            EXPECT_GE(static_cast<double>(row.passed),
                      row.level * static_cast<double>(values.size()) * (1 - 1e-9));
        }
    }
}

TEST(HistogramText, a_row_tells_what_percentile_tells) {
    for (const auto& [name, values] : distributions()) {
        SCOPED_TRACE(name);
        const Histogram histogram = recorded(values);
        for (const Row& row : parsed(exported(histogram, 1)).rows)
            EXPECT_EQ(row.value, static_cast<double>(histogram.percentile(row.level * 100)))
                << row.level;
    }
}

TEST(HistogramText, has_five_ticks_in_each_halving_of_the_distance) {
    const std::vector<Row> rows = parsed(exported(recorded(exponential()))).rows;
    ASSERT_GT(rows.size(), 50u);
    for (std::size_t row = 0; row + 1 < rows.size(); ++row) {
        const double half = std::ldexp(1, -static_cast<int>(row / 5));
        const double level = 1 - half + half / 10 * static_cast<double>(row % 5);
        EXPECT_NEAR(rows[row].level, level, 1e-12) << row;
        EXPECT_NEAR(rows[row].inverse, 1 / (1 - level), 0.005 + 1e-9 / (1 - level)) << row;
    }
    EXPECT_EQ(rows.back().inverse, 0) << "the row of 100 % has no fourth column";
    EXPECT_LT(rows[rows.size() - 3].passed, rows.back().passed) << "one tick covers all, not more";
}

TEST(HistogramText, the_trailer_sums_up_in_the_unit_asked_for) {
    for (const double unit_ns : {1.0, 1000.0, 1e6})
        for (const auto& [name, values] : distributions()) {
            SCOPED_TRACE(name);
            const Histogram histogram = recorded(values);
            const Text text = parsed(exported(histogram, unit_ns));
            ASSERT_EQ(text.trailer.size(), 3u);
            EXPECT_NEAR(number(text.trailer[0], "Mean"), exact_mean(values) / unit_ns, 0.00051);
            EXPECT_NEAR(number(text.trailer[0], "StdDeviation"), histogram.stddev() / unit_ns,
                        0.00051);
            EXPECT_NEAR(number(text.trailer[1], "Max"),
                        static_cast<double>(histogram.max()) / unit_ns, 0.00051);
            EXPECT_EQ(number(text.trailer[1], "Total count"), static_cast<double>(values.size()));
            EXPECT_EQ(number(text.trailer[2], "Buckets"), 34);
            EXPECT_EQ(number(text.trailer[2], "SubBuckets"), 128);
        }
}

TEST(HistogramText, of_nothing_is_a_header_and_a_trailer) {
    const Text text = parsed(exported(Histogram{}));
    EXPECT_EQ(text.header.size(), 2u);
    EXPECT_TRUE(text.rows.empty());
    ASSERT_EQ(text.trailer.size(), 3u);
    EXPECT_EQ(number(text.trailer[1], "Total count"), 0);
}

struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
};

TEST(HistogramText, takes_neither_locale_nor_format_from_the_stream_and_leaves_them) {
    const Histogram histogram = recorded(uniform());
    const std::locale before = std::locale::global(std::locale(std::locale(), new Comma));
    std::ostringstream out; // of the new global locale
    out << std::hex << std::showpos;
    out.width(100'000);
    histogram.write_hdr(out);
    std::locale::global(before);
    EXPECT_EQ(out.str(), exported(histogram));
    EXPECT_TRUE(out.flags() & std::ios::hex);
    EXPECT_TRUE(out.flags() & std::ios::showpos);
}

} // namespace
