// SPDX-License-Identifier: MIT
#pragma once
// Parallel phases in which workers gather their mail by shards and claim each other's, as small
// scenarios, written once: model_test.cpp runs them under the explorer, stress_test.cpp on real
// threads. P is protocol::Model or protocol::Threads.

#include "frame/resting.hpp"
#include "takt/frame.hpp"
#include "takt/mailbox.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace claim_test {

/// A message to an actor, which is a shard of its own here.
struct Letter {
    int actor;
    int from;   ///< an actor; the last one is the frame thread
    int number; ///< of that sender's to that receiver
    int hops;   ///< that are to follow
};

struct ClaimOptions {
    int workers = 2;
    int actors = 2;
    int owner = 1;      ///< of all actors, at first
    bool moves = false; ///< they get another one after each phase that leaves no mail
    int phases = 1;     ///< before which letters are written
    int letters = 1;
    int hops = 0;
    int serial_sender = -1; ///< an actor that also writes in each serial phase
    int budget = 1'000'000; ///< messages that a worker takes in one phase
    int phases_max = 1;     ///< then all letters have come
};

template <class P>
struct Piece : takt::Claimable<P> {
    typename P::template Plain<int> actor{0}; // finds who reads what was not handed over
    std::vector<Letter> letters;
};

/// What the workers of one scenario share.
template <class P>
struct Crew {
    template <class T>
    using Plain = typename P::template Plain<T>;
    using Pieces = takt::Claims<P, Piece<P>>;

    explicit Crew(const ClaimOptions& given)
        : options(given), mailboxes(std::vector<int>(static_cast<std::size_t>(given.workers), 0)),
          phases(given.workers), owner(given.owner) {
        for (int worker = 0; worker < given.workers; ++worker)
            members.push_back(std::make_unique<Member>());
        for (int actor = 0; actor <= given.actors; ++actor) {
            actors.push_back(std::make_unique<Actor>());
            actors.back()->sent.resize(static_cast<std::size_t>(given.actors));
            actors.back()->received.resize(static_cast<std::size_t>(given.actors) + 1);
        }
    }

    struct Actor {
        Plain<int> handled{0}; // finds two who run it at once
        std::vector<int> sent; // by receiver
        std::vector<int> received;
        int runner = -1; // the owner's
        unsigned epoch = 0;
        bool has_sent = false;
    };
    struct Member {
        std::uint64_t sent = 0;
        std::uint64_t taken = 0;
        Pieces pieces;
    };
    Member& member(int worker) { return *members[static_cast<std::size_t>(worker)]; }
    Actor& actor(int number) { return *actors[static_cast<std::size_t>(number)]; }

    /// `lane_of` is whose outbox is used, `counts_for` who does it.
    void send(int lane_of, int counts_for, int from, int to, int hops) {
        const int number = actor(from).sent[static_cast<std::size_t>(to)]++;
        push(lane_of, counts_for, owner.get(), {to, from, number, hops});
    }
    void push(int lane_of, int counts_for, int worker, const Letter& letter) {
        P::check(mailboxes.outbox(lane_of).template push<Letter>(worker, 0, letter),
                 "there is memory");
        ++member(counts_for).sent;
    }

    const ClaimOptions options;
    takt::Mailboxes<P> mailboxes;
    takt::Quiescence<P> phases;
    std::vector<std::unique_ptr<Member>> members;
    std::vector<std::unique_ptr<Actor>> actors; // the last one is the frame thread
    Plain<int> owner;                           // these three are written in serial phases only
    Plain<int> phase{0};
    Plain<unsigned> epoch{1};
};

/// A worker in a phase: src/frame/frame_worker.cpp and sharing.cpp, line by line.
template <class P>
class Worker {
  public:
    using Phases = takt::Quiescence<P>;
    using Number = typename Phases::Number;

    Worker(Crew<P>& crew, int index)
        : crew_(crew), options_(crew.options), index_(index), self_(crew.member(index)),
          mailbox_(crew.mailboxes.mailbox(index)), outbox_(crew.mailboxes.outbox(index)) {}

    void serve() {
        Number number = Phases::kLeave;
        while ((number = crew_.phases.phase()) == Phases::kLeave)
            P::yield();
        for (; number != Phases::kLeave; number = crew_.phases.phase())
            run_phase(Phases::opened(number));
    }
    void run_phase(Number number) {
        bool used_up = false;
        bool is_begun = false;
        do {
            if (!std::exchange(is_begun, true))
                begin_phase();
            used_up |= !work(used_up);
        } while (rest_until_mail(number, used_up) == Seen::mail);
    }

  private:
    using Seen = resting::Seen;

    void begin_phase() {
        phase_ = crew_.phase.get();
        epoch_ = crew_.epoch.get();
        outbox_.publish(); // N5
        budget_ = options_.budget;
        run_claimed();
    }
    bool work(bool used_up) {
        run_claimed();
        if (used_up) {
            while (help()) {
            }
            return false;
        }
        for (;;) {
            const bool more = share_some();
            if (budget_ == 0)
                return false;
            if (!more && !help())
                return true;
        }
    }
    bool share_some() {
        const auto gather = [this](std::uint64_t, const takt::RecordType&, void* payload) {
            ++self_.taken;
            --budget_;
            take(*static_cast<Letter*>(payload));
        };
        const auto limit = [this] { return static_cast<std::size_t>(budget_); };
        const std::size_t others = mailbox_.drain(gather, limit());
        const std::size_t own = mailbox_.drain_own(gather, limit());
        run_gathered();
        return others + own != 0;
    }
    void take(const Letter& letter) {
        if (crew_.owner.get() != index_) {
            own_.push_back(letter);
            return;
        }
        auto& actor = crew_.actor(letter.actor);
        if (actor.epoch != epoch_) {
            actor.epoch = epoch_;
            actor.runner = std::exchange(actor.has_sent, false) ? index_ : -1;
        }
        if (actor.runner >= 0 && actor.runner != index_) {
            crew_.push(index_, index_, actor.runner, letter);
        } else if (actor.runner == index_) {
            own_.push_back(letter);
        } else {
            const auto known =
                std::find_if(gathered_.begin(), gathered_.end(),
                             [&](const auto& one) { return one.first == letter.actor; });
            if (known == gathered_.end())
                gathered_.push_back({letter.actor, {letter}});
            else
                known->second.push_back(letter);
        }
    }
    void run_gathered() {
        const std::size_t count = gathered_.size();
        Piece<P>* const first = offer();
        outbox_.publish_to_others();
        for (const Letter& letter : std::exchange(own_, {}))
            handle(letter);
        while (Piece<P>* const piece = self_.pieces.claim()) {
            piece->set_claimer(index_);
            run(*piece);
        }
        for (std::size_t at = 0; at < count; ++at) { // N6
            while (first[at].claimer() == Piece<P>::kNobody)
                P::yield();
            crew_.actor(first[at].actor.get()).runner = first[at].claimer();
        }
    }
    Piece<P>* offer() {
        if (gathered_.empty())
            return nullptr;
        kept_.push_back(std::make_unique<Piece<P>[]>(gathered_.size()));
        Piece<P>* const first = kept_.back().get();
        for (std::size_t at = 0; at < gathered_.size(); ++at) {
            first[at].actor.set(gathered_[at].first);
            first[at].letters = gathered_[at].second;
        }
        self_.pieces.offer(first, static_cast<std::uint32_t>(gathered_.size()));
        gathered_.clear();
        for (int worker = 0; worker < options_.workers; ++worker)
            if (worker != index_)
                crew_.mailboxes.mailbox(worker).bell().look();
        return first;
    }
    void run(Piece<P>& piece) {
        for (const Letter& letter : piece.letters) {
            P::check(letter.actor == piece.actor.get(), "a letter is in another actor's list");
            handle(letter);
        }
    }
    void handle(const Letter& letter) {
        P::check(crew_.phase.get() == phase_, "a phase began while somebody handled");
        auto& actor = crew_.actor(letter.actor);
        actor.handled.set(actor.handled.get() + 1);
        P::check(letter.number == actor.received[static_cast<std::size_t>(letter.from)]++,
                 "a letter was lost, came twice, or out of order");
        if (letter.hops > 0) {
            crew_.send(index_, index_, letter.actor, (letter.actor + 1) % options_.actors,
                       letter.hops - 1);
            crew_.send(index_, index_, letter.actor, letter.actor, 0);
        }
        outbox_.publish_to_others();
    }

    bool claim() {
        for (int step = 1; step < options_.workers; ++step) {
            auto& theirs = crew_.member((index_ + step) % options_.workers).pieces;
            if (theirs.has_some() && (claimed_ = theirs.claim()) != nullptr)
                return true;
        }
        return false;
    }
    void run_claimed() {
        Piece<P>* const piece = std::exchange(claimed_, nullptr);
        if (piece == nullptr)
            return;
        piece->set_claimer(index_); // N7
        run(*piece);
        budget_ -= std::min(budget_, static_cast<int>(piece->letters.size()));
    }
    bool help() {
        if (budget_ == 0 || !claim())
            return false;
        run_claimed();
        return true;
    }

    Seen rest_until_mail(Number number, bool used_up) {
        rest(number, used_up);
        Seen seen = Seen::nothing;
        while (seen == Seen::nothing) {
            seen = look(number, used_up, false);
            if (seen == Seen::nothing)
                mailbox_.bell().sleep(
                    [&] { return (seen = look(number, used_up, true)) != Seen::nothing; });
        }
        if (seen == Seen::mail)
            crew_.phases.wake(index_);
        return seen;
    }
    void rest(Number number, bool used_up) {
        crew_.phases.rest(index_, number, self_.sent, self_.taken, used_up, false);
        if (index_ != 0)
            crew_.mailboxes.mailbox(0).bell().look(); // N4
    }
    Seen look(Number number, bool& used_up, bool exact) {
        if (budget_ != 0 && claim())
            return Phases::opened(crew_.phases.phase()) == number ? Seen::mail : Seen::over;
        return resting::look<P>(crew_, index_, number, used_up, exact,
                                [&] { rest(number, used_up); });
    }

    Crew<P>& crew_;
    const ClaimOptions& options_;
    const int index_;
    typename Crew<P>::Member& self_;
    takt::Mailbox<P>& mailbox_;
    takt::Outbox<P>& outbox_;
    int phase_ = 0;
    unsigned epoch_ = 0;
    int budget_ = 0;
    std::vector<Letter> own_;
    std::vector<std::pair<int, std::vector<Letter>>> gathered_;
    std::vector<std::unique_ptr<Piece<P>[]>> kept_;
    Piece<P>* claimed_ = nullptr;
};

/// The frame: serial phases that write letters, until all have come.
template <class P>
class Frame {
  public:
    explicit Frame(std::shared_ptr<Crew<P>> crew)
        : kept_(std::move(crew)), crew_(*kept_), options_(crew_.options), self_(crew_, 0) {}

    void run() {
        bool has_left = false;
        for (int phase = 1; phase <= options_.phases || has_left; ++phase) {
            P::check(phase <= options_.phases_max, "letters do not come");
            crew_.phase.set(phase);
            if (phase <= options_.phases)
                write_letters(has_left);
            if (!has_left)
                crew_.epoch.set(crew_.epoch.get() + 1);
            crew_.phases.begin(phase);
            crew_.mailboxes.outbox(0).publish(); // N5
            resting::wake_sleepers(crew_);
            self_.run_phase(takt::Quiescence<P>::opened(crew_.phases.phase()));
            has_left = crew_.phases.left() != 0;
            if (options_.moves && !has_left) // A2
                crew_.owner.set((crew_.owner.get() + 1) % options_.workers);
        }
        crew_.phases.leave();
        resting::wake_sleepers(crew_);
    }
    void check_letters() const {
        for (int from = 0; from <= options_.actors; ++from)
            for (int to = 0; to < options_.actors; ++to)
                P::check(crew_.actor(from).sent[static_cast<std::size_t>(to)] ==
                             crew_.actor(to).received[static_cast<std::size_t>(from)],
                         "a letter did not come");
    }

  private:
    void write_letters(bool has_left) {
        for (int actor = 0; actor < options_.actors; ++actor)
            for (int letter = 0; letter < options_.letters; ++letter)
                crew_.send(0, 0, options_.actors, actor, options_.hops);
        if (options_.serial_sender < 0)
            return;
        auto& sender = crew_.actor(options_.serial_sender);
        const bool was_run = has_left && sender.epoch == crew_.epoch.get() && sender.runner >= 0;
        const int runner = was_run ? sender.runner : crew_.owner.get();
        for (int to = 0; to < options_.actors; ++to)
            crew_.send(runner, 0, options_.serial_sender, to, 0);
        if (sender.epoch == crew_.epoch.get() && sender.runner < 0)
            sender.runner = crew_.owner.get();
        sender.has_sent = true;
    }

    // The last look at it comes when its threads are gone.
    const std::shared_ptr<Crew<P>> kept_;
    Crew<P>& crew_;
    const ClaimOptions& options_;
    Worker<P> self_;
};

/// Letters come once and in order for each sender and receiver, each actor runs on one worker at a
/// time, and nobody runs anything when the phase is over (N6 to N8).
template <class P>
auto letters_until_the_end(ClaimOptions options) {
    return [=](auto& x) {
        auto crew = std::make_shared<Crew<P>>(options);
        auto frame = std::make_shared<Frame<P>>(crew);
        P::name(crew->phases, "phases");
        for (int index = 0; index < options.workers; ++index) {
            P::name(crew->mailboxes.mailbox(index), "mailbox", index);
            P::name(crew->member(index).pieces, "claims", index);
        }
        x.thread("worker 0", [frame] { frame->run(); });
        for (int index = 1; index < options.workers; ++index)
            x.thread("worker " + std::to_string(index), [=] { Worker<P>(*crew, index).serve(); });
        x.finally([=] { frame->check_letters(); });
    };
}

/// Two lists, which the owner offers one after the other and claims from as `others` do, who stop
/// anywhere: each piece is claimed once, by somebody who sees what its maker wrote.
template <class P>
auto each_piece_is_claimed_once(int others, int pieces) {
    struct Offered : takt::Claimable<P> {
        typename P::template Plain<int> made{0};
        typename P::template Plain<int> runs{0};
    };
    struct State {
        explicit State(int pieces)
            : lists{std::vector<Offered>(static_cast<std::size_t>(pieces)),
                    std::vector<Offered>(static_cast<std::size_t>(pieces))} {}
        bool run_one(int worker) {
            Offered* const piece = claims.claim();
            if (piece == nullptr)
                return false;
            piece->set_claimer(worker);
            P::check(piece->made.get() == 1, "a piece was claimed before it was made");
            piece->runs.set(piece->runs.get() + 1);
            return true;
        }
        takt::Claims<P, Offered> claims;
        std::vector<Offered> lists[2];
    };
    return [=](auto& x) {
        auto state = std::make_shared<State>(pieces);
        P::name(state->claims, "claims");
        x.thread("owner", [=] {
            for (std::vector<Offered>& list : state->lists) {
                for (Offered& piece : list)
                    piece.made.set(1);
                state->claims.offer(list.data(), static_cast<std::uint32_t>(list.size()));
                while (state->run_one(0)) {
                }
            }
            for (const std::vector<Offered>& list : state->lists)
                for (const Offered& piece : list)
                    while (piece.claimer() == Offered::kNobody)
                        P::yield();
        });
        for (int worker = 1; worker <= others; ++worker)
            x.thread("worker " + std::to_string(worker), [=] {
                if (state->claims.has_some())
                    state->run_one(worker);
            });
        x.finally([=] {
            for (const std::vector<Offered>& list : state->lists)
                for (const Offered& piece : list)
                    P::check(piece.runs.get() == 1, "a piece was not claimed once");
        });
    };
}

} // namespace claim_test
