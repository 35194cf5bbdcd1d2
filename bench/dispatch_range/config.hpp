// SPDX-License-Identifier: MIT
#pragma once
// dispatch_range/<contender>/<items>/<body>: so many calls of one function, each with its index, and
// their results in one buffer, in the order of the indices.
//
//   caller    --+ begin +--  0 .. grain, ...  --+ all done +--    one operation = one range, from the
//   worker n    +-------+--  .. 2 grain, ...  --+----------+--    caller's last line before it to its
//                                                                 first line after
//
//   takt             dispatch_range() and the frame that runs it, its serial phase included
//   openmp_static    schedule(static): a share for each thread, fixed
//   openmp_dynamic   schedule(dynamic), in chunks of takt's automatic grain: chunks of one, which is
//                    OpenMP's own choice, would be a bad match for small bodies
//   tbb              parallel_for, auto_partitioner
//
// Each call does arithmetic of the body's length (0: a multiplication). All have the same number of
// pinned threads (`workers`), the caller among them. The time is that of the median operation.
//
//   ns_per_item   time by items
//   off_caller    share of the calls that ran on another thread than the caller's
//   body_ns       what the arithmetic took by itself, when it was measured

#include "support/window.hpp"
#include "support/work.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sched.h>

namespace takt::bench::dispatch_range {

/// A function of an index, and where its results go. Called by several threads at once.
class Job {
  public:
    struct Shape {
        std::size_t items;
        std::uint64_t rounds; // of work
    };

    explicit Job(const Shape& shape) : shape_(shape), results_(shape.items) {}

    std::size_t items() const noexcept { return results_.size(); }
    /// Before each operation: what is left of the one before counts as wrong.
    void begin() noexcept {
        ++operation_;
        caller_ = this_thread_mark();
    }
    void run(std::size_t index) noexcept {
        const bool is_off_caller = this_thread_mark() != caller_;
        results_[index] = value(index) << 1 | static_cast<std::uint64_t>(is_off_caller);
    }

    /// Of the operation that has ended.
    bool is_wrong() const;
    double off_caller() const;

  private:
    // What the work of an index starts from repeats itself, so that checking does not take as long.
    static constexpr std::size_t kSeeds = 64;
    std::uint64_t value(std::size_t index) const noexcept {
        return work(index % kSeeds + 1, shape_.rounds) + salt(index);
    }
    std::uint64_t salt(std::size_t index) const noexcept {
        return (index + 1) * 0x9e37'79b9'7f4a'7c15 + operation_;
    }

    const Shape shape_;
    std::uint64_t operation_ = 0;
    const char* caller_ = nullptr;
    std::vector<std::uint64_t> results_; // value << 1, and whether it was off the caller
};

struct Size {
    std::size_t items;
    double body_ns;
    const char* body;
};

int windows_of(const Size& size) noexcept;
/// Before each window: the threads of the contender before it are to have gone to sleep.
void rest();

/// Contender C: a constructor (workers, job), and range(), which runs the job for each index.
template <class C>
Window window(const Size& size, Job& job) {
    rest();
    C contender(bench_workers(), job);
    const double expected_ns = static_cast<double>(size.items) * (size.body_ns + 1);
    const auto operations = static_cast<int>(std::clamp(20e6 / expected_ns, 1.0, 2'000.0));
    const int warm_up = expected_ns > 1e9 ? 0 : operations / 5 + 1;
    for (int operation = 0; operation < warm_up; ++operation) {
        job.begin();
        contender.range();
    }
    Window result;
    measure::Span span{measure::ticks(), 0, sched_getcpu()};
    for (int operation = 0; operation < operations; ++operation) {
        job.begin();
        const std::uint64_t begin = measure::ticks();
        contender.range();
        result.samples.add(static_cast<double>(measure::ticks() - begin) * measure::ns_per_tick());
    }
    span.end = measure::ticks();
    result.spans = {span};
    result.ns_per_operation = result.samples.percentile(0.5);
    result.wrong = job.is_wrong();
    result.counters["off_caller"] = job.off_caller();
    result.counters["ns_per_item"] = result.ns_per_operation / static_cast<double>(size.items);
    result.counters["body_ns"] = static_cast<double>(rounds_of(size.body_ns)) / rounds_per_ns();
    result.counters["workers"] = bench_workers();
    return result;
}

template <class C>
void add(Field& field, const std::string& name, const Size& size, const std::shared_ptr<Job>& job) {
    field.add("dispatch_range/" + name + "/" + std::to_string(size.items) + "/" + size.body,
              [=] { return [=] { return window<C>(size, *job); }; });
}

} // namespace takt::bench::dispatch_range
