// SPDX-License-Identifier: MIT
#include "support/report.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

namespace example {
namespace {

constexpr std::int64_t kShowEveryNs = 100'000'000;

using Cells = std::vector<std::string>;

std::string fixed(double value, int digits) {
    std::ostringstream text;
    text << std::fixed << std::setprecision(digits) << value;
    return text.str();
}

/// The first two cells are words, the others numbers.
std::string line_of(const Cells& cells) {
    static constexpr int kWidths[]{-24, -20, 8, 13, 10, 9, 9, 9, 9};
    std::ostringstream line;
    for (std::size_t at = 0; at < cells.size(); ++at)
        line << (kWidths[at] < 0 ? std::left : std::right) << std::setw(std::abs(kWidths[at]))
             << cells[at] << ' ';
    line << '\n';
    return line.str();
}

std::string head_text() {
    return line_of({"program", "workers", "frames", "rounds/frame", "messages", "max/mean",
                    "p50 us", "p99 us", "max us"});
}

std::string text_of(const Row& row) {
    const std::vector<std::int64_t> durations = row.log.durations_ns();
    const auto us = [&](double share) {
        return fixed(static_cast<double>(percentile(durations, share)) / 1e3, 1);
    };
    const auto frames = static_cast<double>(std::max<std::uint64_t>(1, row.log.frames()));
    return line_of({row.program, row.workers, std::to_string(row.log.frames()),
                    fixed(static_cast<double>(row.log.rounds()) / frames, 2),
                    std::to_string(row.log.messages()), fixed(row.balance, 2), us(0.5), us(0.99),
                    us(1)});
}

} // namespace

std::int64_t percentile(const std::vector<std::int64_t>& samples, double share) {
    if (samples.empty())
        return 0;
    const auto last = static_cast<double>(samples.size() - 1);
    return samples[static_cast<std::size_t>(last * share + 0.5)];
}

double balance(const std::vector<std::uint64_t>& loads) {
    const auto sum = std::accumulate(loads.begin(), loads.end(), std::uint64_t{0});
    if (sum == 0)
        return 1;
    return static_cast<double>(std::ranges::max(loads)) * static_cast<double>(loads.size()) /
           static_cast<double>(sum);
}

std::string workers_text(const takt::Runtime& runtime) {
    std::string text = std::to_string(runtime.workers());
    const takt::Plan& plan = runtime.plan();
    if (!plan.pin)
        return text + ", not pinned";
    text += " on CPU";
    char before = ' ';
    for (const takt::PlannedWorker& worker : plan.workers) {
        text += before + std::to_string(worker.cpu);
        before = ',';
    }
    return text;
}

void FrameLog::add(const takt::FrameReport& report) {
    durations_ns_.push_back(report.duration_ns);
    rounds_ += report.rounds;
    messages_ += report.messages;
}

std::vector<std::int64_t> FrameLog::durations_ns() const {
    std::vector<std::int64_t> sorted = durations_ns_;
    std::ranges::sort(sorted);
    return sorted;
}

void print_table(std::ostream& out, const Row& row, const std::string& file) {
    const std::string text = text_of(row);
    out << "\n" << head_text() << text << std::flush;
    if (file.empty())
        return;
    std::ofstream table(file, std::ios::app);
    if (table.tellp() == 0)
        table << head_text();
    table << text;
    if (!table.flush())
        throw std::runtime_error("cannot write " + file + ". Name a file that can be written.");
}

Progress::Progress(std::string_view what, std::uint64_t total)
    : what_(what), total_(total), terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
    if (terminal_)
        std::fputs("\r\033[K", stderr);
}

void Progress::at(std::uint64_t done) {
    if (!terminal_ || takt::now_ns() - shown_ns_ < kShowEveryNs)
        return;
    shown_ns_ = takt::now_ns();
    std::fprintf(stderr, "\r%s: %llu of %llu", what_.c_str(), static_cast<unsigned long long>(done),
                 static_cast<unsigned long long>(total_));
    std::fflush(stderr);
}

} // namespace example
