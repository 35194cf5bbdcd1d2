// SPDX-License-Identifier: MIT
#include "shared_table/config.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include <malloc.h>
#include <sched.h>

namespace takt::bench::shared_table {
namespace {

constexpr std::size_t kOrder = 1 << 16; // keys drawn for each thread
constexpr std::size_t kBatch = 256;     // operations between two readings of the clock
constexpr std::size_t kBatches = 400;   // of each thread and window, at least

using Make = std::unique_ptr<Contender> (*)(KeyKind kind, std::uint32_t keys);

/// The keys of one thread.
Order draw(std::uint32_t keys, bool zipf, unsigned thread) {
    std::mt19937_64 random(4711 + thread);
    Order order(kOrder);
    if (!zipf) {
        for (std::uint32_t& key : order)
            key = static_cast<std::uint32_t>(random() % keys);
        return order;
    }
    std::vector<double> sums(keys);
    double sum = 0;
    for (std::uint32_t rank = 0; rank < keys; ++rank)
        sums[rank] = sum += 1 / std::pow(rank + 1, 0.99);
    std::uniform_real_distribution<double> uniform(0, sum);
    for (std::uint32_t& key : order) {
        const auto rank =
            std::lower_bound(sums.begin(), sums.end(), uniform(random)) - sums.begin();
        key = static_cast<std::uint32_t>(static_cast<std::uint64_t>(rank) * 2'654'435'761u % keys);
    }
    return order;
}

enum class What { get, get_frozen, increment, update, mixed95, mixed50, clone, clone_under_write };

struct Operation {
    const char* name;
    What what;
    bool zipf = false;
    KeyKind kind = KeyKind::text;
};

constexpr Operation kOperations[] = {
    {"get", What::get},
    {"get_zipf", What::get, true},
    {"get_frozen", What::get_frozen},
    {"increment", What::increment},
    {"increment_zipf", What::increment, true},
    {"update", What::update},
    {"update_zipf", What::update, true},
    {"mixed95", What::mixed95},
    {"mixed95_zipf", What::mixed95, true},
    {"mixed50", What::mixed50},
    {"mixed50_zipf", What::mixed50, true},
    {"clone", What::clone},
    {"clone_under_write", What::clone_under_write},
    {"get_index", What::get, false, KeyKind::index},
    {"get_frozen_index", What::get_frozen, false, KeyKind::index},
    {"increment_index", What::increment, false, KeyKind::index},
    {"mixed95_index", What::mixed95, false, KeyKind::index},
};

bool is_clone(What what) {
    return what == What::clone || what == What::clone_under_write;
}

std::uint64_t run(Contender& table, What what, const Order& order, std::size_t operations,
                  std::size_t thread) {
    switch (what) {
    case What::get:
        return table.get(order, operations);
    case What::get_frozen:
        return table.get_frozen(order, operations);
    case What::increment:
        return table.increment(order, operations);
    case What::update:
        return table.update(order, operations);
    case What::mixed95:
        return table.mixed(order, operations, 95);
    case What::mixed50:
        return table.mixed(order, operations, 50);
    case What::clone:
        return table.clone(operations);
    case What::clone_under_write:
        return thread == 0 ? table.clone(operations) : table.mixed(order, operations, 0);
    }
    return 0;
}

/// A contender with its keys, made when the first of its rows runs, and what its elements take.
struct Filled {
    std::unique_ptr<Contender> table;
    double bytes_per_element = 0;
};

struct Row {
    std::string contender;
    Make make;
    Operation operation;
    std::uint32_t keys;
    std::size_t threads;
    /// What rows with the same contender share.
    std::string table() const {
        return contender + (operation.kind == KeyKind::index ? "/index/" : "/text/") +
               std::to_string(keys);
    }
    // A copy of a million elements is no matter of nanoseconds.
    std::size_t batch() const {
        return is_clone(operation.what) && contender != "takt" ? 1 : kBatch;
    }
    std::size_t batches(std::size_t thread) const {
        if (operation.what == What::clone_under_write && thread > 0)
            return 1; // it writes as long as clones are made
        // Threads that share a CPU take turns of milliseconds.
        const std::size_t turns = plan_for(static_cast<int>(threads)).oversubscribed ? 20 : 1;
        return batch() == 1 ? std::max<std::size_t>(2, turns * 20'000 / keys) : turns * kBatches;
    }
};

/// That of the row. All of them stay, 2 GB: rows are interleaved, and a million elements take seconds.
Filled& filled(const Row& row) {
    static std::map<std::string, Filled> all;
    Filled& one = all[row.table()];
    if (one.table != nullptr)
        return one;
    const auto in_use = [] {
        const struct mallinfo2 info = mallinfo2();
        return static_cast<double>(info.uordblks + info.hblkhd);
    };
    one.table = row.make(row.operation.kind, row.keys);
    const double before = in_use();
    one.table->fill();
    // Twice: the table, and its frozen copy, which shares nothing by then.
    one.bytes_per_element = (in_use() - before) / 2 / row.keys;
    return one;
}

/// What one batch must answer; nothing for what depends on the other threads.
std::optional<std::uint64_t> answer_of(const Row& row, std::size_t thread) {
    const auto gets = [&](unsigned of_a_hundred) {
        std::uint64_t count = 0;
        for (std::size_t at = 0; at < row.batch(); ++at)
            count += is_get(at, of_a_hundred);
        return count;
    };
    switch (row.operation.what) {
    case What::get:
    case What::get_frozen:
    case What::clone:
        return row.batch();
    case What::mixed95:
        return gets(95);
    case What::mixed50:
        return gets(50);
    case What::clone_under_write:
        return thread == 0 ? row.batch() : 0;
    case What::increment:
    case What::update:
        break;
    }
    return std::nullopt;
}

/// After a window of so many operations: what is there is what was done. The table is as it was before.
bool is_right_after(const Row& row, Contender& table, std::uint64_t operations) {
    if (is_clone(row.operation.what)) {
        const bool right = table.sum_of_a_clone() == row.keys;
        table.reset();
        return right;
    }
    if (row.operation.what != What::increment && row.operation.what != What::update)
        return true;
    const bool right = table.sum_of_all() == row.keys + operations;
    table.reset();
    return right;
}

/// What one thread of a window did.
struct Ran {
    measure::Span span;
    measure::Samples samples; // ns of an operation in each batch
    std::size_t warm_batches = 0;
    std::size_t batches = 0;
    bool right = true;
};

// All run until each has done what it has to: what is measured is measured beside the others.
Ran run_thread(const Row& row, Contender& table, std::size_t thread,
               std::atomic<std::size_t>& ready, std::atomic<std::size_t>& ended) {
    const Order order = draw(row.keys, row.operation.zipf, static_cast<unsigned>(thread));
    const Plan plan = plan_for(static_cast<int>(row.threads));
    const ScopedPin pin(plan.workers[thread].cpu);
    Ran ran;
    for (; ran.warm_batches <= row.batches(thread) / 8; ++ran.warm_batches)
        (void)run(table, row.operation.what, order, row.batch(), thread);
    ready.fetch_add(1, std::memory_order_acq_rel);
    while (ready.load(std::memory_order_acquire) < row.threads)
        std::this_thread::yield(); // to the threads that share its CPU
    ran.span = {measure::ticks(), 0, sched_getcpu()};
    std::uint64_t sum = 0;
    while (ended.load(std::memory_order_acquire) < row.threads) {
        const std::uint64_t begin = measure::ticks();
        sum += run(table, row.operation.what, order, row.batch(), thread);
        ran.samples.add(static_cast<double>(measure::ticks() - begin) * measure::ns_per_tick() /
                        static_cast<double>(row.batch()));
        if (++ran.batches == row.batches(thread))
            ended.fetch_add(1, std::memory_order_acq_rel);
    }
    ran.span.end = measure::ticks();
    const std::optional<std::uint64_t> answer = answer_of(row, thread);
    ran.right = !answer || sum == *answer * ran.batches;
    benchmark::DoNotOptimize(sum);
    return ran;
}

Window window(const Row& row) {
    Filled& contender = filled(row);
    Contender& table = *contender.table;
    std::atomic<std::size_t> ready{0};
    std::atomic<std::size_t> ended{0};
    std::vector<Ran> ran(row.threads);
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < row.threads; ++thread)
        threads.emplace_back(
            [&, thread] { ran[thread] = run_thread(row, table, thread, ready, ended); });
    for (std::thread& thread : threads)
        thread.join();
    Window result;
    std::size_t batches = 0;
    std::size_t warm_batches = 0;
    std::uint64_t begin = UINT64_MAX;
    std::uint64_t end = 0;
    for (const Ran& one : ran) {
        result.spans.push_back(one.span);
        begin = std::min(begin, one.span.begin);
        end = std::max(end, one.span.end);
        result.wrong |= !one.right;
        batches += one.batches;
        warm_batches += one.warm_batches;
        // clone_under_write: of the cloner alone.
        if (row.operation.what != What::clone_under_write || &one == &ran.front())
            result.samples.add(one.samples);
    }
    // Of who is alone, or clones alone, the median, which other programs disturb least. Of more
    // threads ns of the whole table's operations, and of each clone: the median would hide what they
    // wait for each other.
    const double ns_of_all = static_cast<double>(end - begin) * measure::ns_per_tick();
    if (row.threads == 1 || row.operation.what == What::clone_under_write)
        result.ns_per_operation = result.samples.percentile(0.5);
    else
        result.ns_per_operation =
            ns_of_all / static_cast<double>(batches * row.batch()) *
            (row.operation.what == What::clone ? measure::distinct_cpus(result.spans) : 1);
    result.counters["bytes_per_element"] = contender.bytes_per_element;
    result.wrong |= !is_right_after(row, table, (batches + warm_batches) * row.batch());
    return result;
}

void run_row(benchmark::State& state, const Row& row) {
    double bytes = 0;
    bool wrong = false;
    run_windows(state, [&] {
        Window taken = window(row);
        bytes = taken.counters["bytes_per_element"];
        wrong |= taken.wrong;
        return taken;
    });
    state.counters["bytes_per_element"] = bytes;
    if (wrong)
        state.SkipWithError("the elements do not add up");
}

} // namespace
} // namespace takt::bench::shared_table

int main(int argc, char** argv) {
    using namespace takt::bench::shared_table;
    const std::pair<const char*, Make> contenders[] = {{"takt", make_takt},
                                                       {"shared_mutex_map", make_shared_mutex_map},
                                                       {"tbb_hash_map", make_tbb_hash_map}};
    for (const auto& [name, make] : contenders)
        for (const std::uint32_t keys : {1'000u, 1'000'000u})
            for (const Operation& operation : kOperations)
                for (const std::size_t threads : {1u, 2u, 4u}) {
                    const bool writers = operation.what == What::clone_under_write;
                    const bool tbb = make == make_tbb_hash_map;
                    if ((writers && (threads == 1 || tbb)) ||
                        (tbb && make(KeyKind::index, 1) == nullptr))
                        continue; // tbb has no copy of a moment
                    const Row row{name, make, operation, keys, threads};
                    const std::string label = std::string("shared_table/") + name + "/" +
                                              operation.name + "/" + std::to_string(keys) + "/" +
                                              std::to_string(threads);
                    benchmark::RegisterBenchmark(
                        label.c_str(), [row](benchmark::State& state) { run_row(state, row); })
                        ->Iterations(kWindows)
                        ->UseManualTime();
                }
    return takt::bench::run(argc, argv);
}
