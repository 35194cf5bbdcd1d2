// SPDX-License-Identifier: MIT
#pragma once
// The protocols of lanes, boards and doorbells as small scenarios, written once: model_test.cpp
// runs them under the explorer, stress_test.cpp on real threads. P is Model or Threads.

#include "takt/mailbox.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace protocol {

/// A payload with something to race on; counts its destructions.
template <class P>
struct Letter {
    using Count = typename P::template Plain<int>;
    Letter(int number, Count& destroyed_count) : content(number), destroyed(&destroyed_count) {}
    Letter(const Letter&) = delete;
    Letter& operator=(const Letter&) = delete;
    ~Letter() { destroyed->set(destroyed->get() + 1); }

    typename P::template Plain<int> content;
    Count* destroyed; // of the sender's letters; written by whoever destroys them
};

/// How many units a letter takes; segments are given in letters.
template <class P>
inline constexpr std::uint32_t kLetterUnits = takt::units_for<P>(sizeof(Letter<P>));

struct LaneOptions {
    int letters = 2;
    int batch = 1;
    std::uint32_t letters_in_a_segment = 2;
    std::uint32_t odd_units = 0; // what remains of a segment behind its last letter
    std::size_t limit = SIZE_MAX;
    std::uint32_t start = 0;
    int unread = 0; // that many the reader leaves to the lane's destruction
};

// What push_and_drain shares.
template <class P>
struct OneLane {
    explicit OneLane(const LaneOptions& o)
        : tail(o.start),
          lane(std::make_unique<takt::Lane<P>>(
              tail, takt::LaneConfig{
                        .segment_units = o.letters_in_a_segment * kLetterUnits<P> + o.odd_units,
                        .start = o.start,
                    })) {}

    takt::Tail<P> tail;
    typename P::template Plain<int> destroyed;
    std::unique_ptr<takt::Lane<P>> lane;
};

// One writer pushes, publishes and takes segments back; one reader drains (M1 to M6).
template <class P>
auto push_and_drain(LaneOptions options) {
    return [=](auto& x) {
        auto state = std::make_shared<OneLane<P>>(options);
        P::name(state->tail, "tail");
        P::name(*state->lane, "lane");
        x.thread("writer", [=] {
            takt::LaneWriter<P>& writer = state->lane->writer();
            for (int number = 0; number < options.letters; ++number) {
                const auto address = static_cast<std::uint64_t>(number);
                P::check(writer.template push<Letter<P>>(address, number, state->destroyed),
                         "there is memory");
                if ((number + 1) % options.batch == 0 || number + 1 == options.letters) {
                    writer.publish();
                    writer.recycle();
                }
            }
        });
        x.thread("reader", [=] {
            takt::LaneReader<P>& reader = state->lane->reader();
            int next = 0;
            while (next < options.letters - options.unread) {
                const auto left = static_cast<std::size_t>(options.letters - options.unread - next);
                const std::size_t count = reader.drain(
                    [&](std::uint64_t address, const takt::RecordType& type, void* payload) {
                        P::check(&type == &takt::record_type_of<Letter<P>>,
                                 "a record of another type");
                        P::check(address == static_cast<std::uint64_t>(next),
                                 "a record is lost, doubled or out of order");
                        P::check(static_cast<Letter<P>*>(payload)->content.get() == next,
                                 "the payload is not what was pushed");
                        ++next;
                    },
                    std::min(options.limit, left));
                if (count == 0)
                    P::yield();
            }
        });
        x.finally([=] {
            P::check(state->lane->writer().tail() - state->lane->reader().head() ==
                         static_cast<std::uint32_t>(options.unread) * kLetterUnits<P>,
                     "tail and head do not agree on what is unread");
            state->lane.reset();
            P::check(state->destroyed.get() == options.letters,
                     "a payload was not destroyed exactly once");
        });
    };
}

struct MailOptions {
    int writers = 1;
    int letters = 1; // of each writer
    bool sleeps = false;
    bool by_writer = false; // drains writer by writer
    bool one_cache = false; // all workers, so that the board has one line
    std::size_t limit = SIZE_MAX;
    std::uint32_t start = 0;
};

// What mail_to_one_reader shares. Every second worker sits in another cache, unless told.
template <class P>
struct MailOfAll {
    explicit MailOfAll(const MailOptions& o)
        : mailboxes(caches(o.writers + 1, o.one_cache ? 1 : 2),
                    {.segment_units = 2 * kLetterUnits<P>, .start = o.start}),
          destroyed(static_cast<std::size_t>(o.writers + 1)) {}
    static std::vector<int> caches(int workers, int count) {
        std::vector<int> groups;
        for (int worker = 0; worker < workers; ++worker)
            groups.push_back(worker % count);
        return groups;
    }

    takt::Mailboxes<P> mailboxes;
    std::deque<typename P::template Plain<int>> destroyed; // by writer
};

// Each writer makes its lane with its first letter; worker 0 reads all, and sleeps when there is
// nothing (M7, D1, D2).
template <class P>
auto mail_to_one_reader(MailOptions options) {
    return [=](auto& x) {
        auto state = std::make_shared<MailOfAll<P>>(options);
        P::name(state->mailboxes.mailbox(0), "mailbox");
        for (int from = 1; from <= options.writers; ++from)
            x.thread("writer " + std::to_string(from), [=] {
                takt::Outbox<P>& outbox = state->mailboxes.outbox(from);
                for (int number = 0; number < options.letters; ++number) {
                    const auto address = static_cast<std::uint64_t>(1'000'000 * from + number);
                    P::check(
                        outbox.template push<Letter<P>>(
                            0, address, number, state->destroyed[static_cast<std::size_t>(from)]),
                        "there is memory");
                    outbox.publish();
                    outbox.recycle();
                }
            });
        x.thread("reader", [=] {
            takt::Mailbox<P>& mailbox = state->mailboxes.mailbox(0);
            std::vector<int> next(static_cast<std::size_t>(options.writers + 1));
            for (int left = options.letters * options.writers; left > 0;) {
                const auto visit = [&](std::uint64_t address, const takt::RecordType&,
                                       void* payload) {
                    const auto number = static_cast<int>(address % 1'000'000);
                    P::check(number == next[address / 1'000'000]++,
                             "a writer's mail is lost, doubled or out of order");
                    P::check(static_cast<Letter<P>*>(payload)->content.get() == number,
                             "the payload is not what was pushed");
                };
                std::size_t count = 0;
                if (options.by_writer)
                    for (int from = 1; from <= options.writers; ++from)
                        count += mailbox.drain_from(from, visit, options.limit);
                else
                    count = mailbox.drain(visit, options.limit);
                left -= static_cast<int>(count);
                if (count != 0)
                    continue;
                if (options.sleeps)
                    P::check(mailbox.sleep(), "the reader rose without mail");
                else
                    P::yield();
            }
        });
        x.finally([=] {
            for (int from = 1; from <= options.writers; ++from)
                P::check(state->destroyed[static_cast<std::size_t>(from)].get() == options.letters,
                         "a payload was not destroyed exactly once");
        });
    };
}

struct BellOptions {
    int letters = 1;
    int rings = 0; // by a third thread
    std::int64_t sleep_ns = takt::kNever;
};

// What sleep_against_publish shares.
template <class P>
struct LaneWithBell {
    takt::Tail<P> tail{0};
    takt::Lane<P> lane{tail, {.segment_units = 4 * takt::units_for<P>(sizeof(int))}};
    takt::Doorbell<P> bell;
};

// The doorbell alone with one lane: smaller than a board.
template <class P>
auto sleep_against_publish(BellOptions options) {
    return [=](auto& x) {
        auto state = std::make_shared<LaneWithBell<P>>();
        P::name(state->tail, "tail");
        P::name(state->bell, "bell");
        x.thread("writer", [=] {
            for (int number = 0; number < options.letters; ++number) {
                P::check(state->lane.writer().template push<int>(0, number), "there is memory");
                state->bell.publish(state->lane.writer());
            }
        });
        if (options.rings > 0)
            x.thread("ringer", [=] {
                for (int ring = 0; ring < options.rings; ++ring)
                    state->bell.ring();
            });
        x.thread("reader", [=] {
            takt::LaneReader<P>& reader = state->lane.reader();
            for (int next = 0; next < options.letters;) {
                const std::size_t count =
                    reader.drain([&](std::uint64_t, const takt::RecordType&, void* payload) {
                        P::check(*static_cast<int*>(payload) == next++, "out of order");
                    });
                if (count != 0)
                    continue;
                const std::int64_t deadline_ns = options.sleep_ns == takt::kNever
                                                     ? takt::kNever
                                                     : P::now_ns() + options.sleep_ns;
                const bool moved = state->bell.sleep(
                    [&] { return state->tail.load(std::memory_order_seq_cst) != reader.head(); },
                    deadline_ns);
                P::check(moved || deadline_ns != takt::kNever, "the reader rose without mail");
                P::check(!moved || !reader.empty(),
                         "the reader was told of mail that is not there");
            }
        });
    };
}

} // namespace protocol
