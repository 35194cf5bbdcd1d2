// SPDX-License-Identifier: MIT
#pragma once
// The protocols of gate, outlet and credit as small scenarios, written once: model_test.cpp runs
// them under the explorer, stress_test.cpp on real threads. P is Model or Threads.

#include "gate/stand_in.hpp"
#include "takt/mailbox.hpp"

#include <memory>
#include <string>
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
    SendResult send(Args... args) {
        return sender_ ? sender_->template send<T>(7, args...)
                       : producer_.template send<T>(7, args...);
    }
    template <class T, class... Args>
    SendResult send_until(std::int64_t deadline_ns, Args... args) {
        return sender_ ? sender_->template send_until<T>(deadline_ns, 7, args...)
                       : producer_.template send_until<T>(deadline_ns, 7, args...);
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

enum class Closer { owner, another };

// Senders send until they are refused or through; meanwhile somebody closes. Once the gate is
// quiet, one more round finds all that was answered `ok`.
template <class P, class Queue>
auto close_against_senders(GateOptions options, Closer closer) {
    return [=](auto& x) {
        const int senders = static_cast<int>(options.senders.size());
        struct State : Mailroom<P, Queue> {
            State(const GateConfig& config, int count)
                : Mailroom<P, Queue>(config, count), accepted(static_cast<std::size_t>(count), 0) {}
            std::vector<int> accepted; // by sender
            std::uint64_t routed = 0;
        };
        auto state = std::make_shared<State>(options.config, senders);
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
            x.thread("closer", [=] { state->gate.close(); });
        x.thread("owner", [=] {
            if (closer == Closer::owner) {
                state->routed += state->round();
                state->gate.close();
            }
            while (!state->gate.quiet())
                P::yield();
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

// A sender with room for one letter at a time waits for each; the owner routes. Who gets room sees
// what the owner did with the letter before (C1, C3).
template <class P, class Queue>
auto credit_against_route(Way way, int letters, bool sleep, std::uint32_t start = 0) {
    return [=](auto& x) {
        struct State {
            State(const GateConfig& config, int count)
                : gate(bell, config), handled(static_cast<std::size_t>(count)) {}
            takt::Doorbell<P> bell;
            takt::Gate<P, Queue> gate;
            std::deque<typename P::template Plain<bool>> handled; // by letter
        };
        GateConfig config{.bounds = room_for<P>(1)};
        config.lane.start = start;
        auto state = std::make_shared<State>(config, letters);
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

// A payload whose constructor waits for somebody: a sender that is stopped in mid-send.
template <class P>
struct Stuck {
    Stuck(typename P::template Atomic<std::uint32_t>& go) {
        while (go.load(std::memory_order_acquire) == 0)
            P::yield();
    }
};

// A sender stops in mid-send; the mail of another one is routed all the same, and then its own.
template <class P, class Queue>
auto stuck_in_mid_send(Way stuck_way, Way other_way) {
    return [=](auto& x) {
        struct State {
            takt::Doorbell<P> bell;
            takt::Gate<P, Queue> gate{bell};
            typename P::template Atomic<std::uint32_t> go{0};
        };
        auto state = std::make_shared<State>();
        x.thread("stuck", [=] {
            Sender<P, Queue> sender(state->gate, stuck_way);
            auto& go = state->go;
            P::check(sender.template send<Stuck<P>, decltype(go)>(go) == SendResult::ok, "refused");
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
                outlet->drain([&](const Letter<P>& letter) {
                    int& expected = next[static_cast<std::size_t>(letter.from.get())];
                    P::check(letter.sequence.get() == expected, "a result is lost or out of order");
                    ++expected;
                    --missing;
                });
            }
            P::check(outlet->signal().raised() <= static_cast<std::uint64_t>(armings),
                     "raised more often than armed");
            P::check(outlet->counts().inside() == 0, "pushed = received + inside");
        });
    };
}

} // namespace gate_test
