// SPDX-License-Identifier: MIT
#pragma once
// The protocols of gate, outlet and credit as small scenarios, written once: model_test.cpp runs
// them under the explorer, stress_test.cpp on real threads. P is Model or Threads.

#include "gate/stand_in.hpp"
#include "takt/mailbox.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gate_test {

using takt::GateConfig;
using takt::Publishing;
using takt::SendResult;

/// What is sent: who sent it and which of his it is.
template <class P>
struct Letter {
    Letter(int sender, int number) : from(sender), sequence(number) {}
    typename P::template Plain<int> from;
    typename P::template Plain<int> sequence;
};

/// The bounds that hold so many letters of a sender.
template <class P>
takt::Bounds room_for(std::uint64_t letters) {
    return {.share_bytes = letters * takt::units_for<P>(sizeof(Letter<P>)) * takt::kRecordUnit};
}

enum class Way { lane, lane_in_batch, queue };

/// The sending end of a gate, whichever way it is.
template <class P, class Queue>
class Sender {
  public:
    Sender(takt::Gate<P, Queue>& gate, Way way) {
        if (way == Way::queue)
            sender_ = std::make_unique<takt::GateSender<P, Queue>>(gate.sender());
        else
            producer_ = gate.register_producer(way == Way::lane ? Publishing::at_once
                                                                : Publishing::in_batch);
    }
    template <class T, class... Args>
    SendResult send(Args&&... args) {
        return sender_ ? sender_->template send<T>(7, std::forward<Args>(args)...)
                       : producer_.template send<T>(7, std::forward<Args>(args)...);
    }
    template <class T, class... Args>
    SendResult send_until(std::int64_t deadline_ns, Args&&... args) {
        return sender_
                   ? sender_->template send_until<T>(deadline_ns, 7, std::forward<Args>(args)...)
                   : producer_.template send_until<T>(deadline_ns, 7, std::forward<Args>(args)...);
    }

  private:
    takt::Producer<P> producer_;
    std::unique_ptr<takt::GateSender<P, Queue>> sender_;
};

/// A gate and what its owner has found in it.
template <class P, class Queue>
struct Mailroom {
    Mailroom(const GateConfig& config, int senders)
        : gate(bell, config), next(static_cast<std::size_t>(senders), 0) {}

    std::size_t route() {
        return gate.route([this](std::uint64_t address, const takt::RecordType&, void* payload) {
            const auto& letter = *static_cast<Letter<P>*>(payload);
            P::check(address == 7, "the address is another one");
            int& expected = next[static_cast<std::size_t>(letter.from.get())];
            P::check(letter.sequence.get() == expected, "mail is lost, doubled or out of order");
            ++expected;
        });
    }
    /// One round; returns how much it routed.
    std::size_t round() {
        gate.admit();
        return route();
    }

    takt::Doorbell<P> bell;
    takt::Gate<P, Queue> gate;
    std::vector<int> next; // by sender: the sequence number that comes next
};

struct GateOptions {
    std::vector<Way> senders = {Way::lane};
    int letters = 1;
    GateConfig config = {};
    bool sleep = false; // the owner sleeps when it finds nothing
};

// Senders come, send and leave while rounds run. All arrives, in order, and no door is left over.
template <class P, class Queue>
auto come_send_and_leave(GateOptions options) {
    return [=](auto& x) {
        const int senders = static_cast<int>(options.senders.size());
        auto state = std::make_shared<Mailroom<P, Queue>>(options.config, senders);
        for (int number = 0; number < senders; ++number)
            x.thread("sender " + std::to_string(number), [=] {
                const Way way = options.senders[static_cast<std::size_t>(number)];
                Sender<P, Queue> sender(state->gate, way);
                for (int letter = 0; letter < options.letters; ++letter)
                    P::check(sender.template send<Letter<P>>(number, letter) == SendResult::ok,
                             "an open gate refuses");
            });
        x.thread("owner", [=] {
            const auto expected = static_cast<std::size_t>(senders * options.letters);
            for (std::size_t routed = 0; routed < expected;) {
                const std::size_t count = state->round();
                routed += count;
                if (count == 0 && options.sleep)
                    state->gate.sleep([] { return false; });
                else if (count == 0)
                    P::yield();
            }
            for (state->gate.admit(); state->gate.senders() != 0; state->gate.admit())
                P::yield();
            const takt::GateCounts counts = state->gate.counts();
            P::check(counts.entered == expected && counts.routed == expected &&
                         counts.inside() == 0,
                     "entered = routed + inside");
        });
    };
}

struct Unmakeable {
    Unmakeable() { throw std::runtime_error("no"); }
};

// A payload's constructor throws, and the sender goes on. Nothing comes of the first send, and
// what it left behind is destroyed when nobody uses it any more.
template <class P, class Queue>
auto throw_against_rounds(Way way) {
    return [=](auto& x) {
        auto state = std::make_shared<Mailroom<P, Queue>>(GateConfig{}, 1);
        x.thread("sender", [=] {
            Sender<P, Queue> sender(state->gate, way);
            bool thrown = false;
            try {
                (void)sender.template send<Unmakeable>();
            } catch (const std::runtime_error&) {
                thrown = true;
            }
            P::check(thrown, "an exception is lost");
            P::check(sender.template send<Letter<P>>(0, 0) == SendResult::ok, "refused");
        });
        x.thread("owner", [=] {
            while (state->round() == 0)
                P::yield();
            for (state->gate.admit(); state->gate.senders() != 0; state->gate.admit())
                P::yield();
            P::check(state->gate.counts().entered == 1, "something came of it");
        });
    };
}

enum class Closer { owner, another };

// What close_against_senders shares.
template <class P, class Queue>
struct ClosedMailroom : Mailroom<P, Queue> {
    ClosedMailroom(const GateConfig& config, int senders)
        : Mailroom<P, Queue>(config, senders), accepted(static_cast<std::size_t>(senders), 0) {}

    std::vector<int> accepted; // by sender
    std::uint64_t routed = 0;
    typename P::template Plain<bool> last_words{false}; // the closer's, before it closes
};

// Senders send until they are refused or through; meanwhile somebody closes. Once the gate is
// quiet, one more round finds all that was answered `ok`.
template <class P, class Queue>
auto close_against_senders(GateOptions options, Closer closer) {
    return [=](auto& x) {
        const int senders = static_cast<int>(options.senders.size());
        auto state = std::make_shared<ClosedMailroom<P, Queue>>(options.config, senders);
        bool batches = false; // these may hold something back that comes after the gate is quiet
        for (const Way way : options.senders)
            batches = batches || way == Way::lane_in_batch;
        for (int number = 0; number < senders; ++number)
            x.thread("sender " + std::to_string(number), [=] {
                const auto at = static_cast<std::size_t>(number);
                Sender<P, Queue> sender(state->gate, options.senders[at]);
                int letter = 0;
                while (letter < options.letters &&
                       sender.template send<Letter<P>>(number, letter) == SendResult::ok)
                    ++letter;
                P::check(letter == options.letters ||
                             sender.template send<Letter<P>>(number, letter) == SendResult::closed,
                         "a closed gate opens again");
                state->accepted[at] = letter;
            });
        if (closer == Closer::another)
            x.thread("closer", [=] {
                state->last_words.set(true);
                state->gate.close();
            });
        x.thread("owner", [=] {
            if (closer == Closer::owner) {
                state->routed += state->round();
                state->gate.close();
            }
            while (!state->gate.quiet())
                P::yield();
            P::check(closer == Closer::owner || state->last_words.get(), "quiet and not closed");
            state->routed += state->round();
            state->routed += state->round(); // the first may only have finished an admission
            const takt::GateCounts counts = state->gate.counts();
            P::check(counts.routed == state->routed, "a count is wrong");
            if (batches)
                return;
            P::check(counts.entered == state->routed && counts.inside() == 0,
                     "something is inside a quiet gate, or came out of nothing");
        });
        x.finally([=] {
            if (batches)
                state->routed += state->round();
            std::uint64_t accepted = 0;
            for (const int each : state->accepted)
                accepted += static_cast<std::uint64_t>(each);
            const takt::GateCounts counts = state->gate.counts();
            P::check(state->routed == accepted, "what was answered ok was not routed, or more was");
            P::check(counts.entered == accepted && counts.routed == accepted &&
                         counts.inside() == 0,
                     "entered = routed + inside");
        });
    };
}

// What credit_against_route shares.
template <class P, class Queue>
struct HandledMail {
    HandledMail(const GateConfig& config, int letters)
        : gate(bell, config), handled(static_cast<std::size_t>(letters)) {}

    takt::Doorbell<P> bell;
    takt::Gate<P, Queue> gate;
    std::deque<typename P::template Plain<bool>> handled; // by letter
};

// A sender with room for one letter at a time waits for each; the owner routes. Who gets room sees
// what the owner did with the letter before (C1, C3).
template <class P, class Queue>
auto credit_against_route(Way way, int letters, bool sleep, std::uint32_t start = 0) {
    return [=](auto& x) {
        GateConfig config{.bounds = room_for<P>(1)};
        config.lane.start = start;
        auto state = std::make_shared<HandledMail<P, Queue>>(config, letters);
        x.thread("sender", [=] {
            Sender<P, Queue> sender(state->gate, way);
            for (int letter = 0; letter < letters; ++letter) {
                P::check(sender.template send_until<Letter<P>>(takt::kNever, 0, letter) ==
                             SendResult::ok,
                         "who may wait for ever was refused");
                if (letter > 0)
                    P::check(state->handled[static_cast<std::size_t>(letter - 1)].get(),
                             "two letters in the room of one");
            }
        });
        x.thread("owner", [=] {
            int handled = 0;
            while (handled < letters) {
                state->gate.admit();
                const auto count = state->gate.route([&](auto, const auto&, void* payload) {
                    P::check(static_cast<Letter<P>*>(payload)->sequence.get() == handled,
                             "mail is out of order");
                    state->handled[static_cast<std::size_t>(handled++)].set(true);
                });
                if (count == 0 && sleep)
                    state->gate.sleep([] { return false; });
                else if (count == 0)
                    P::yield();
            }
        });
    };
}

// A sender waits for room that never comes, and somebody closes the gate.
template <class P, class Queue>
auto close_against_waiting_sender(Way way) {
    return [=](auto& x) {
        auto state = std::make_shared<Mailroom<P, Queue>>(GateConfig{.bounds = room_for<P>(1)}, 1);
        x.thread("sender", [=] {
            Sender<P, Queue> sender(state->gate, way);
            const SendResult first = sender.template send<Letter<P>>(0, 0);
            P::check(first == SendResult::ok || first == SendResult::closed, "the first has room");
            P::check(sender.template send_until<Letter<P>>(takt::kNever, 0, 1) ==
                         SendResult::closed,
                     "there is no room");
        });
        x.thread("closer", [=] { state->gate.close(); });
    };
}

struct DeadlineOptions {
    Way way = Way::lane;
    bool routes = true; // the owner does, once
    std::int64_t wait_ns = 5'000;
    // Between the sender's last look and its last look at the clock no more than this passes.
    std::int64_t blink_ns = 1'000;
};

// What deadline_against_route sends.
struct Gift {
    explicit Gift(std::unique_ptr<int>&& from) noexcept : content(std::move(from)) {}
    std::unique_ptr<int> content;
};

// What deadline_against_route shares.
template <class P, class Queue>
struct RoomForOneGift {
    takt::Doorbell<P> bell;
    takt::Gate<P, Queue> gate{
        bell, {.bounds = {.share_bytes = takt::units_for<P>(sizeof(Gift)) * takt::kRecordUnit}}};
    std::int64_t deadline_ns = 0;          // the sender's
    SendResult second = SendResult::ok;    // the sender's
    std::int64_t routed_ns = takt::kNever; // the owner's: when there was room again
};

// A sender with room for one gift waits for room for the second until a deadline; the owner makes
// room, before that or after. Whoever is refused keeps the gift, and was refused in time: not
// before the deadline, and not although there was room.
template <class P, class Queue>
auto deadline_against_route(DeadlineOptions options) {
    return [=](auto& x) {
        auto state = std::make_shared<RoomForOneGift<P, Queue>>();
        x.thread("sender", [=] {
            Sender<P, Queue> sender(state->gate, options.way);
            auto gift = std::make_unique<int>(0);
            P::check(sender.template send<Gift>(std::move(gift)) == SendResult::ok, "refused");
            gift = std::make_unique<int>(1);
            state->deadline_ns = P::now_ns() + options.wait_ns;
            state->second = sender.template send_until<Gift>(state->deadline_ns, std::move(gift));
            const bool sent = state->second == SendResult::ok;
            P::check(sent || state->second == SendResult::full, "neither sent nor full");
            P::check(sent == (gift == nullptr),
                     "who is refused keeps the gift, who is not does not");
            P::check(sent || P::now_ns() >= state->deadline_ns, "refused before the deadline");
        });
        if (options.routes)
            x.thread("owner", [=] {
                const auto visit = [](auto, const auto&, void* payload) {
                    P::check(*static_cast<Gift*>(payload)->content == 0, "the wrong gift");
                };
                for (state->gate.admit(); state->gate.route(visit, 1) == 0; state->gate.admit())
                    P::yield();
                state->routed_ns = P::now_ns();
            });
        x.finally([=] {
            const bool sent = state->second == SendResult::ok;
            P::check(options.routes || !sent, "there is no room");
            P::check(sent || state->routed_ns >= state->deadline_ns - options.blink_ns,
                     "refused though there was room");
            const takt::GateCounts counts = state->gate.counts();
            P::check(counts.entered == 1U + sent && counts.refused_full == 1U - sent,
                     "a count is wrong");
        });
    };
}

// A payload whose constructor waits for somebody: a sender that is stopped in mid-send.
template <class P>
struct Stuck {
    Stuck(typename P::template Atomic<std::uint32_t>& go) {
        while (go.load(std::memory_order_acquire) == 0)
            P::yield();
    }
};

// What stuck_in_mid_send shares.
template <class P, class Queue>
struct GateAndGo {
    takt::Doorbell<P> bell;
    takt::Gate<P, Queue> gate{bell};
    typename P::template Atomic<std::uint32_t> go{0};
};

// A sender stops in mid-send; the mail of another one is routed all the same, and then its own.
template <class P, class Queue>
auto stuck_in_mid_send(Way stuck_way, Way other_way) {
    return [=](auto& x) {
        auto state = std::make_shared<GateAndGo<P, Queue>>();
        x.thread("stuck", [=] {
            Sender<P, Queue> sender(state->gate, stuck_way);
            auto& go = state->go;
            P::check(sender.template send<Stuck<P>>(go) == SendResult::ok, "refused");
        });
        x.thread("other", [=] {
            Sender<P, Queue> sender(state->gate, other_way);
            P::check(sender.template send<Letter<P>>(0, 0) == SendResult::ok, "refused");
        });
        x.thread("owner", [=] {
            const auto route_one = [&] {
                const takt::RecordType* found = nullptr;
                while (found == nullptr) {
                    state->gate.admit();
                    state->gate.route([&](auto, const takt::RecordType& type, void*) {
                        P::check(found == nullptr, "more than one message");
                        found = &type;
                    });
                    if (found == nullptr)
                        P::yield();
                }
                return found;
            };
            P::check(route_one() == &takt::record_type_of<Letter<P>>, "the stuck one came first");
            state->go.store(1, std::memory_order_release);
            P::check(route_one() == &takt::record_type_of<Stuck<P>>, "the other came twice");
        });
    };
}

struct OutletOptions {
    int workers = 1;
    int results = 1; // of each worker
    bool flush_each = true;
    bool epoll = false; // the receiver waits for the descriptor
};

// Workers push and flush, the receiver waits; all comes, in each worker's order (O1, O2).
template <class P>
auto push_against_wait(OutletOptions options) {
    using Outlet = takt::Outlet<Letter<P>, P, StandInSignal<P>>;
    return [=](auto& x) {
        auto outlet = std::make_shared<Outlet>(options.workers);
        for (int worker = 0; worker < options.workers; ++worker)
            x.thread("worker " + std::to_string(worker), [=] {
                auto sender = outlet->sender(worker);
                for (int number = 0; number < options.results; ++number) {
                    P::check(sender.push(worker, number) == SendResult::ok, "refused");
                    if (options.flush_each)
                        sender.flush();
                }
                sender.flush();
            });
        x.thread("receiver", [=] {
            std::vector<int> next(static_cast<std::size_t>(options.workers), 0);
            int armings = 0;
            for (int missing = options.workers * options.results; missing > 0;) {
                if (!options.epoll) {
                    P::check(outlet->wait(), "wait() ended for nothing");
                } else if (++armings, outlet->arm()) {
                    outlet->signal().epoll();
                }
                const std::size_t count = outlet->drain([&](const Letter<P>& letter) {
                    int& expected = next[static_cast<std::size_t>(letter.from.get())];
                    P::check(letter.sequence.get() == expected, "a result is lost or out of order");
                    ++expected;
                });
                missing -= static_cast<int>(count);
            }
            P::check(outlet->signal().raised() <= static_cast<std::uint64_t>(armings),
                     "raised more often than armed");
            P::check(outlet->counts().inside() == 0, "pushed = received + inside");
        });
    };
}

/// A result that counts its destructions.
template <class P>
struct CountedResult {
    using Count = typename P::template Plain<int>;
    CountedResult(int which, Count& destroyed_count) : number(which), destroyed(&destroyed_count) {}
    CountedResult(const CountedResult&) = delete;
    CountedResult& operator=(const CountedResult&) = delete;
    ~CountedResult() { destroyed->set(destroyed->get() + 1); }

    typename P::template Plain<int> number;
    Count* destroyed; // of the worker's results; written by whoever destroys them
};

// What push_against_death shares.
template <class P>
struct MortalReceiver {
    using Outlet = takt::Outlet<CountedResult<P>, P, StandInSignal<P>>;
    using Sender = takt::OutletSender<CountedResult<P>, P, StandInSignal<P>>;

    explicit MortalReceiver(int workers)
        : outlet(std::make_unique<Outlet>(workers)), pushed(static_cast<std::size_t>(workers)),
          destroyed(static_cast<std::size_t>(workers)) {
        for (int worker = 0; worker < workers; ++worker)
            senders.push_back(outlet->sender(worker));
    }

    std::unique_ptr<Outlet> outlet;
    std::vector<Sender> senders;
    std::vector<int> pushed;                               // by worker
    std::deque<typename P::template Plain<int>> destroyed; // by worker
};

// Workers push and flush until they are refused; the receiver takes some results, and dies. Each
// result is destroyed exactly once: by the receiver, by its death, or with the last sender.
template <class P>
auto push_against_death(int workers, int received) {
    return [=](auto& x) {
        auto state = std::make_shared<MortalReceiver<P>>(workers);
        for (int worker = 0; worker < workers; ++worker)
            x.thread("worker " + std::to_string(worker), [=] {
                const auto at = static_cast<std::size_t>(worker);
                auto& sender = state->senders[at];
                int& pushed = state->pushed[at];
                SendResult result = SendResult::ok;
                while ((result = sender.push(pushed, state->destroyed[at])) == SendResult::ok) {
                    ++pushed;
                    if (pushed % 2 == 1) // the last one may be held back
                        sender.flush();
                    P::yield();
                }
                P::check(result == SendResult::closed, "refused for another reason");
                P::check(sender.push(pushed, state->destroyed[at]) == SendResult::closed,
                         "a dead receiver rises");
                sender.flush();
            });
        x.thread("receiver", [=] {
            for (int count = 0; count < received;) {
                P::check(state->outlet->wait(), "wait() ended for nothing");
                count += static_cast<int>(state->outlet->drain([](CountedResult<P>&&) {}));
            }
            state->outlet.reset();
        });
        x.finally([=] {
            state->senders.clear();
            for (std::size_t at = 0; at < state->pushed.size(); ++at)
                P::check(state->destroyed[at].get() == state->pushed[at],
                         "a result was not destroyed exactly once");
        });
    };
}

} // namespace gate_test
