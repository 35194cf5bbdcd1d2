// SPDX-License-Identifier: MIT
#pragma once
// Parallel phases, their beginning and their end, as small scenarios, written once: model_test.cpp
// runs them under the explorer, stress_test.cpp on real threads. P is protocol::Model or
// protocol::Threads.

#include "frame/resting.hpp"
#include "takt/frame.hpp"
#include "takt/mailbox.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace frame_test {

/// A message that is passed on until it has made its hops.
struct Ball {
    int hops;
    int phase;  ///< that it is for, or a later one if a budget was used up
    int sender; ///< a worker
    int number; ///< of the sender's to that receiver
};

struct PhaseOptions {
    int workers = 2;
    int phases = 2;                  ///< before which balls are thrown
    int balls = 1;                   ///< that each thrower throws
    std::vector<int> throwers = {0}; ///< in whose name the serial phase throws them
    int hops = 0;                    ///< after the first flight
    int budget = 1'000'000;          ///< messages of one worker in one phase
    int yields = 0;                  ///< polls before a worker sleeps
    int drain_limit = 1'000'000;
    bool to_itself = false;  ///< a ball goes to its handler, too
    bool next_round = false; ///< what is sent in a phase is for the next one
    bool dismiss = false;    ///< the workers leave after each phase
    int phases_max = 2;      ///< then no ball is in the air

    bool has_left_over() const { return next_round || budget < 1'000'000; }
};

/// What the workers of one scenario share.
template <class P>
struct Crew {
    template <class T>
    using Plain = typename P::template Plain<T>;

    explicit Crew(const PhaseOptions& given)
        : options(given), mailboxes(std::vector<int>(static_cast<std::size_t>(given.workers), 0)),
          phases(given.workers), members(static_cast<std::size_t>(given.workers)) {
        for (Member& member : members) {
            member.thrown = std::vector<int>(static_cast<std::size_t>(given.workers), 0);
            member.caught = member.thrown;
        }
    }

    /// A worker's in the parallel phase, worker 0's in the serial one.
    struct Member {
        std::uint64_t sent = 0;
        std::uint64_t taken = 0;
        Plain<int> outbox_used{0}; // finds two who use an outbox at once
        Plain<int> landed{0};      // balls, for the serial phase
        std::vector<int> thrown;   // by receiver
        std::vector<int> caught;   // by sender
    };
    Member& member(int worker) { return members[static_cast<std::size_t>(worker)]; }

    // In the name of `worker`; `counts_for` is who does it.
    void send(int worker, int counts_for, int to, int hops, int for_phase) {
        Member& sender = member(worker);
        sender.outbox_used.set(sender.outbox_used.get() + 1);
        const int number = sender.thrown[static_cast<std::size_t>(to)]++;
        P::check(mailboxes.outbox(worker).template push<Ball>(
                     to, 0, Ball{hops, for_phase, worker, number}),
                 "there is memory");
        ++member(counts_for).sent;
    }
    void publish(int worker) {
        Member& sender = member(worker);
        sender.outbox_used.set(sender.outbox_used.get() + 1);
        mailboxes.outbox(worker).publish();
    }

    const PhaseOptions options;
    takt::Mailboxes<P> mailboxes;
    takt::Quiescence<P> phases;
    std::deque<Member> members;
    Plain<int> phase{0}; // written in serial phases only
    // The turns of the workers, which are not what is tested.
    typename P::template Atomic<std::uint32_t> called{0};
    typename P::template Atomic<std::uint32_t> left{0};
};

/// A worker in a phase: src/frame/frame_worker.cpp, line by line, with balls for mail.
template <class P>
class Worker {
  public:
    using Phases = takt::Quiescence<P>;
    using Number = typename Phases::Number;

    Worker(Crew<P>& crew, int index)
        : crew_(crew), options_(crew.options), index_(index), self_(crew.member(index)),
          mailbox_(crew.mailboxes.mailbox(index)) {}

    void serve() {
        for (Number number = crew_.phases.phase(); number != Phases::kLeave;
             number = crew_.phases.phase())
            run_phase(Phases::opened(number));
    }
    void run_phase(Number number) {
        bool used_up = options_.next_round;
        bool is_begun = false;
        do {
            if (!std::exchange(is_begun, true))
                begin_phase();
            used_up |= !work();
        } while (rest_until_mail(number, used_up) == Seen::mail);
    }

  private:
    using Seen = resting::Seen;

    void begin_phase() {
        phase_ = crew_.phase.get();
        P::check(crew_.phases.due_ns() == phase_, "another phase's due time");
        crew_.publish(index_); // N5
        budget_ = options_.budget;
        if (options_.next_round)
            mailbox_.drain(visit());
    }
    bool work() {
        if (options_.next_round)
            return false;
        for (;;) {
            const int count = drain_some(budget_);
            budget_ -= count;
            if (budget_ == 0)
                return false;
            if (count == 0)
                return true;
        }
    }
    int drain_some(int left) {
        const auto limit = [&](std::size_t taken) {
            return std::min(static_cast<std::size_t>(left) - taken,
                            static_cast<std::size_t>(options_.drain_limit));
        };
        self_.outbox_used.set(self_.outbox_used.get() + 1);
        const std::size_t others = mailbox_.drain(visit(), limit(0));
        return static_cast<int>(others + mailbox_.drain_own(visit(), limit(others)));
    }
    auto visit() {
        return [this](std::uint64_t, const takt::RecordType&, void* payload) {
            ++self_.taken;
            handle(*static_cast<Ball*>(payload));
            if (!options_.next_round) {
                self_.outbox_used.set(self_.outbox_used.get() + 1);
                crew_.mailboxes.outbox(index_).publish_to_others();
            }
        };
    }
    void handle(const Ball& ball) {
        P::check(crew_.phase.get() == phase_, "a phase began while somebody handled");
        P::check(ball.phase <= phase_, "mail of a phase that has not begun here");
        P::check(options_.has_left_over() || ball.phase == phase_, "mail was left");
        int& caught = self_.caught[static_cast<std::size_t>(ball.sender)];
        P::check(ball.number == caught++, "mail was lost, came twice, or out of order");
        const int next = phase_ + (options_.next_round ? 1 : 0);
        if (ball.hops == 0) {
            self_.landed.set(self_.landed.get() + 1);
            return;
        }
        crew_.send(index_, index_, (index_ + 1) % options_.workers, ball.hops - 1, next);
        if (options_.to_itself)
            crew_.send(index_, index_, index_, 0, next);
    }
    Seen rest_until_mail(Number number, bool used_up) {
        rest(number, used_up);
        const int polls_per_look = index_ != 0 ? 1 : 1 + options_.workers / 4;
        int yields = options_.yields;
        Seen seen = Seen::nothing;
        for (int polls = 0; seen == Seen::nothing; ++polls) {
            if (polls % polls_per_look == 0)
                seen = look(number, used_up, false);
            if (seen != Seen::nothing)
                break;
            if (yields > 0 && yields-- > 0)
                P::yield();
            else
                seen = sleep(number, used_up);
        }
        if (seen == Seen::mail)
            crew_.phases.wake(index_);
        return seen;
    }
    void rest(Number number, bool used_up) {
        crew_.phases.rest(index_, number, self_.sent, self_.taken, used_up,
                          self_.landed.get() != 0);
        if (index_ != 0)
            crew_.mailboxes.mailbox(0).bell().look(); // N4
    }
    Seen look(Number number, bool& used_up, bool exact) {
        return resting::look<P>(crew_, index_, number, used_up, exact,
                                [&] { rest(number, used_up); });
    }
    Seen sleep(Number number, bool& used_up) {
        Seen seen = Seen::nothing;
        mailbox_.bell().sleep(
            [&] { return (seen = look(number, used_up, true)) != Seen::nothing; });
        return seen;
    }

    Crew<P>& crew_;
    const PhaseOptions& options_;
    const int index_;
    typename Crew<P>::Member& self_;
    takt::Mailbox<P>& mailbox_;
    int phase_ = 0;
    int budget_ = 0;
};

/// The frame: src/frame/engine.cpp. Serial phases that throw balls, and what comes of them.
template <class P>
class Frame {
  public:
    explicit Frame(std::shared_ptr<Crew<P>> crew)
        : kept_(std::move(crew)), crew_(*kept_), options_(crew_.options), self_(crew_, 0) {}

    void run() {
        bool has_left = false;
        for (int phase = 1; phase <= options_.phases || has_left; ++phase) {
            P::check(phase <= options_.phases_max, "balls do not land");
            crew_.phase.set(phase);
            if (phase <= options_.phases)
                throw_balls(phase);
            parallel_phase(phase);
            has_left = serial_phase();
            if (options_.dismiss)
                dismiss();
        }
        dismiss();
        crew_.called.store(kNoMore, std::memory_order_release);
    }

    /// What Workers does with the others.
    static void serve(Crew<P>& crew, int index) {
        for (std::uint32_t turn = 1;; ++turn) {
            std::uint32_t called = 0;
            while ((called = crew.called.load(std::memory_order_acquire)) < turn)
                P::yield();
            if (called == kNoMore)
                return;
            Worker<P>(crew, index).serve();
            crew.left.fetch_add(1, std::memory_order_release);
        }
    }

  private:
    static constexpr std::uint32_t kNoMore = 0xffff'ffff;

    void throw_balls(int phase) {
        for (const int thrower : options_.throwers)
            for (int ball = 0; ball < options_.balls; ++ball)
                crew_.send(thrower, 0, (thrower + 1) % options_.workers, options_.hops, phase);
    }
    void parallel_phase(int phase) {
        if (options_.next_round)
            publish_all();
        crew_.phases.begin(phase);
        if (!std::exchange(crew_serves_, true))
            crew_.called.store(++turn_, std::memory_order_release);
        crew_.publish(0); // N5
        resting::wake_sleepers(crew_);
        self_.run_phase(takt::Quiescence<P>::opened(crew_.phases.phase()));
    }
    void publish_all() {
        for (int worker = 0; worker < options_.workers; ++worker)
            crew_.publish(worker);
    }
    void dismiss() {
        if (!std::exchange(crew_serves_, false))
            return;
        crew_.phases.leave();
        resting::wake_sleepers(crew_);
        const auto others = static_cast<std::uint32_t>(options_.workers - 1);
        while (crew_.left.load(std::memory_order_acquire) != turn_ * others)
            P::yield();
    }
    // True: there is mail left.
    bool serial_phase() {
        std::uint64_t sent = 0;
        std::uint64_t taken = 0;
        for (int worker = 0; worker < options_.workers; ++worker) {
            auto& member = crew_.member(worker);
            P::check(crew_.phases.has_more(worker) == (member.landed.get() != 0),
                     "has_more() is of another rest");
            landed_ += member.landed.get();
            member.landed.set(0);
            member.outbox_used.set(0);
            sent += member.sent;
            taken += member.taken;
            P::check(options_.next_round || crew_.phases.left() != 0 ||
                         !crew_.mailboxes.mailbox(worker).moved(),
                     "over with mail under way");
        }
        P::check(crew_.phases.left() == sent - taken, "left() does not add up");
        P::check(crew_.phases.taken() == taken, "taken() does not add up");
        P::check(options_.has_left_over() || sent == taken, "over with mail left");
        return sent != taken;
    }

  public:
    void check_landed() const {
        const int each = 1 + (options_.to_itself ? options_.hops : 0);
        P::check(landed_ == options_.phases * options_.balls * each *
                                static_cast<int>(options_.throwers.size()),
                 "a ball did not land");
    }

  private:
    // The last look at it comes when its threads are gone.
    const std::shared_ptr<Crew<P>> kept_;
    Crew<P>& crew_;
    const PhaseOptions& options_;
    Worker<P> self_;
    bool crew_serves_ = false;
    std::uint32_t turn_ = 0;
    int landed_ = 0;
};

/// In each serial phase balls are thrown, and in the parallel one they fly from worker to worker.
/// That is over, for all, when the last one has landed, or a budget is used up: then what is left
/// opens the next one (N1 to N5).
template <class P>
auto balls_until_the_end(PhaseOptions options) {
    return [=](auto& x) {
        auto crew = std::make_shared<Crew<P>>(options);
        auto frame = std::make_shared<Frame<P>>(crew);
        P::name(crew->phases, "phases");
        for (int index = 0; index < options.workers; ++index)
            P::name(crew->mailboxes.mailbox(index), "mailbox", index);
        x.thread("worker 0", [frame] { frame->run(); });
        for (int index = 1; index < options.workers; ++index)
            x.thread("worker " + std::to_string(index), [=] { Frame<P>::serve(*crew, index); });
        x.finally([=] { frame->check_landed(); });
    };
}

} // namespace frame_test
