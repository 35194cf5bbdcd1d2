// SPDX-License-Identifier: MIT
#pragma once
// What the example programs share: how a run went, as a row of one table, and a progress line.

#include "takt/takt.hpp"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace example {

/// The sample below which `share` (0 to 1) of them lie; 0 without samples. They are sorted.
std::int64_t percentile(const std::vector<std::int64_t>& samples, double share);

/// max / mean: 1 is even. 1 when there is nothing.
double balance(const std::vector<std::uint64_t>& loads);

/// "2 on CPUs 0,1", "4 on CPUs 0,1 (shared)"
std::string workers_text(const takt::Runtime& runtime);

/// Counts frames.
class FrameLog {
  public:
    void add(const takt::FrameReport& report);
    std::uint64_t frames() const noexcept { return durations_ns_.size(); }
    std::uint64_t rounds() const noexcept { return rounds_; }
    std::uint64_t messages() const noexcept { return messages_; }
    /// Sorted.
    std::vector<std::int64_t> durations_ns() const;

  private:
    std::vector<std::int64_t> durations_ns_;
    std::uint64_t rounds_ = 0;
    std::uint64_t messages_ = 0;
};

/// A row of the closing table.
struct Row {
    std::string program;
    std::string workers;
    FrameLog log;
    double balance = 1; ///< max / mean load
};

/// The table; with a file, its row is added there too, below a head if the file is new.
void print_table(std::ostream& out, const Row& row, const std::string& file);

/// "\r terrain: 42 of 100 frames" on stderr, when that is a terminal; gone when this object is.
class Progress {
  public:
    Progress(std::string_view what, std::uint64_t total);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    void at(std::uint64_t done);

  private:
    std::string what_;
    std::uint64_t total_;
    std::int64_t shown_ns_ = 0;
    bool terminal_;
};

} // namespace example
