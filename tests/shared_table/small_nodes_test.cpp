// SPDX-License-Identifier: MIT
// Random histories on a trie with nodes of two slots, so that few keys make many levels, by threads
// that give way to each other at any of its atomics: the calls must be linearizable, clones must stay
// as they are, and the original of a clone too.
#include "shared_table/linearizable.hpp"
#include "shared_table/scenarios.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <compare>
#include <map>
#include <random>
#include <thread>

namespace {

using namespace shared_table;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr unsigned kRounds = 1'000;
#else
constexpr unsigned kRounds = 5'000;
#endif

// --- giving way ----------------------------------------------------------------------------------

thread_local std::minstd_rand g_random;
std::atomic<unsigned> g_every{0}; // so many atomics, once

void maybe_give_way() {
    if (const unsigned every = g_every.load(std::memory_order_relaxed);
        every != 0 && g_random() % every == 0)
        std::this_thread::yield();
}

template <class T>
class Yielding {
  public:
    Yielding(T value = {}) : atomic_(value) {}
    T load(std::memory_order order) const {
        maybe_give_way();
        return atomic_.load(order);
    }
    void store(T value, std::memory_order order) {
        maybe_give_way();
        atomic_.store(value, order);
    }
    bool compare_exchange_strong(T& expected, T desired, std::memory_order success,
                                 std::memory_order failure) {
        maybe_give_way();
        return atomic_.compare_exchange_strong(expected, desired, success, failure);
    }
    T fetch_or(T value, std::memory_order order) {
        maybe_give_way();
        return atomic_.fetch_or(value, order);
    }
    T fetch_add(T value, std::memory_order order) {
        maybe_give_way();
        return atomic_.fetch_add(value, order);
    }
    T fetch_sub(T value, std::memory_order order) {
        maybe_give_way();
        return atomic_.fetch_sub(value, order);
    }

  private:
    std::atomic<T> atomic_;
};

struct YieldingCell : takt::table::WideCell {
    using WideCell::WideCell;
    std::uint64_t value() const noexcept {
        maybe_give_way();
        return WideCell::value();
    }
    bool try_change(std::uint64_t expected, std::uint64_t desired) noexcept {
        maybe_give_way();
        return WideCell::try_change(expected, desired);
    }
    bool try_seal(std::uint64_t value) noexcept {
        maybe_give_way();
        return WideCell::try_seal(value);
    }
};

struct Small : takt::StdPolicy {
    template <class T>
    using Atomic = Yielding<T>;
    using Cell = YieldingCell;
    static constexpr unsigned kDigitBits = 1;
    static void hold_table(std::uint64_t) noexcept {}
    static void drop_table(std::uint64_t) noexcept {}
};

using Trie = takt::table::Trie<Small>;
using Reader = takt::table::Reader<Small>;
using Snapshot = takt::table::Snapshot<Small>;

// --- histories -----------------------------------------------------------------------------------

using Content = std::map<std::uint32_t, std::uint64_t>;
constexpr std::uint32_t kKeys[] = {0, 1, 2, 4, 8, 6, 5}; // that part at different levels

enum class What { get, set, erase, add, retype, clear, clone };

struct Call {
    What what = What::get;
    std::uint32_t key = 0;
    std::uint64_t value = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    Content result; // the element that was, or a clone's
};

/// What a table without threads answers.
struct Sequential {
    Content content;

    Content answer(const Call& call) {
        const auto found = content.find(call.key);
        const Content old = found == content.end() ? Content{} : Content{*found};
        switch (call.what) {
        case What::get:
            return old;
        case What::set:
            content[call.key] = call.value;
            return old;
        case What::erase:
            content.erase(call.key);
            return old;
        case What::add:
        case What::retype:
            if (!old.empty())
                found->second += call.value;
            return old;
        case What::clear:
            content.clear();
            return {};
        case What::clone:
            return content;
        }
        return {};
    }
    auto operator<=>(const Sequential&) const = default;
};

Content content_of(const Snapshot& snapshot) {
    Content content;
    snapshot.for_each(
        [&](const KeyView& key, const Item& item) { content[key.index()] = item.word; });
    return content;
}

/// The calls of one thread, and the clones that it made, which are looked at again in the end.
struct Plan {
    std::vector<Call> calls;
    std::vector<Snapshot> clones;
};

Decision decide(const Call& call, const Item* now) {
    const bool is_number = now != nullptr && now->type == Type::number;
    const Type same = is_number ? Type::number : Type::integer;
    const Type other = is_number ? Type::integer : Type::number;
    switch (call.what) {
    case What::set:
        return Decision::put({same, call.value, {}});
    case What::erase:
        return Decision::erase();
    case What::add: // in place
    case What::retype:
        return now == nullptr
                   ? Decision()
                   : Decision::put(
                         {call.what == What::add ? same : other, now->word + call.value, {}});
    default:
        return {};
    }
}

void make_clone(Trie& trie, Reader& me, Call& call, std::vector<Snapshot>& clones) {
    Snapshot clone = trie.snapshot(me);
    call.result = content_of(clone);
    if (call.value % 2 == 0) { // and write to it
        Trie other(clone.copy(), false);
        other.change(me, call.key, [](const Item*) {
            return Decision::put({Type::integer, 99, {}});
        });
        other.change(me, kKeys[0], [](const Item*) { return Decision::erase(); });
        static_cast<void>(other.size(me));
    }
    clones.push_back(std::move(clone));
}

void run(Trie& trie, Reader& me, Call& call, std::vector<Snapshot>& clones) {
    if (call.what == What::clear)
        return trie.clear(me);
    if (call.what == What::clone)
        return make_clone(trie, me, call, clones);
    if (call.what == What::get) {
        const takt::table::Pin<Small> pin(me);
        if (const auto found = trie.find(call.key))
            call.result = {{call.key, found.item().word}};
        return;
    }
    trie.change(me, call.key, [&](const Item* now) {
        call.result = now == nullptr ? Content{} : Content{{call.key, now->word}};
        return decide(call, now);
    });
}

std::vector<Call> random_calls(std::mt19937_64& random, std::size_t keys, std::size_t calls) {
    constexpr What kOften[] = {What::get,   What::set,   What::set,    What::erase, What::add,
                               What::add,   What::add,   What::retype, What::clone, What::clone,
                               What::clone, What::erase, What::set,    What::clear, What::retype};
    std::vector<Call> made(calls);
    for (Call& call : made) {
        call.what = kOften[random() % std::size(kOften)];
        call.key = kKeys[random() % keys];
        call.value = random() % 6;
    }
    return made;
}

/// A trie with some of the keys, or a clone of one; and threads at it.
class Round {
  public:
    Round(takt::table::Reclaimer<Small>& reclaimer, std::uint64_t seed) : random_(seed) {
        for (std::size_t thread = 0; thread <= 4; ++thread)
            readers_.push_back(&reclaimer.join());
        const std::size_t keys = 2 + random_() % 6;
        for (std::size_t key = 0; key < keys; ++key)
            if (random_() % 2 == 0)
                put(kKeys[key], random_() % 5);
        if (random_() % 3 == 0)
            clone_ = std::make_unique<Trie>(original_.snapshot(mine()), false);
        plans_.resize(3 + random_() % 2);
        for (Plan& plan : plans_)
            plan.calls = random_calls(random_, keys, plans_.size() == 3 ? 10 : 8);
    }
    ~Round() {
        for (Reader* const reader : readers_)
            reader->reclaim();
    }

    void run_threads() {
        std::atomic<std::size_t> ready{0};
        std::atomic<std::uint64_t> clock{0};
        std::vector<std::thread> threads;
        for (std::size_t at = 0; at < plans_.size(); ++at)
            threads.emplace_back([&, at, seed = random_()] {
                g_random.seed(static_cast<unsigned>(seed));
                ready.fetch_add(1);
                while (ready.load() < plans_.size())
                    std::this_thread::yield();
                for (Call& call : plans_[at].calls) {
                    call.begin = clock.fetch_add(1);
                    run(trie(), *readers_[at], call, plans_[at].clones);
                    call.end = clock.fetch_add(1);
                    if (call.value == 0)
                        readers_[at]->reclaim();
                }
            });
        for (std::thread& thread : threads)
            thread.join();
    }
    void check() {
        std::vector<Call> calls;
        for (const Plan& plan : plans_) {
            auto clone = plan.clones.begin();
            for (const Call& call : plan.calls) {
                if (call.what == What::clone) {
                    EXPECT_EQ(content_of(*clone++), call.result) << "a clone changed";
                }
                calls.push_back(call);
            }
        }
        const Content last = content_of(trie().snapshot(mine()));
        calls.push_back({What::clone, 0, 0, UINT64_MAX - 1, UINT64_MAX, last});
        EXPECT_TRUE((LinearizableHistory<Sequential, Call>({initial_}, calls).is_linearizable()));
        EXPECT_EQ(trie().size(mine()), last.size());
        if (clone_ != nullptr) {
            EXPECT_EQ(content_of(original_.snapshot(mine())), initial_) << "the original changed";
        }
    }

  private:
    Trie& trie() { return clone_ == nullptr ? original_ : *clone_; }
    Reader& mine() { return *readers_.back(); }
    void put(std::uint32_t key, std::uint64_t value) {
        original_.change(mine(), key, [&](const Item*) {
            return Decision::put({Type::integer, value, {}});
        });
        initial_[key] = value;
    }

    std::mt19937_64 random_;
    std::vector<Reader*> readers_;
    Trie original_;
    std::unique_ptr<Trie> clone_;
    Content initial_;
    std::vector<Plan> plans_;
};

TEST(TrieWithSmallNodes, random_histories_are_linearizable) {
    for (unsigned round = 0; round < kRounds; ++round) {
        takt::table::Reclaimer<Small> reclaimer(takt::table::drop<Small>);
        g_every.store(2 + round % 12);
        Round one(reclaimer, 4711 + round);
        one.run_threads();
        g_every.store(0);
        one.check();
        ASSERT_FALSE(HasFailure()) << "round " << round;
    }
}

} // namespace
