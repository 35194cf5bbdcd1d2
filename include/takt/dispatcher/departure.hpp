// SPDX-License-Identifier: MIT
#pragma once
// Layer 9, dispatcher. Actors that leave a dispatcher: they finish what they have, or not, and go. Below:
// frame (World), actor (loads, tickets). Above: dispatcher.

#include "takt/frame.hpp"

#include <cstdint>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace takt {

/// Which actors of a dispatcher leave first.
enum class Leaving : std::uint8_t {
    newest, ///< the last ones by target
    oldest, ///< the first ones: after an allocate(), this renews a dispatcher
};

/// What becomes of the work of a dispatcher that is closed.
enum class Closing : std::uint8_t {
    drain,  ///< it is finished
    cancel, ///< what is not finished is dropped, and its tickets end as `actor_gone`
};

/// What became of the work of actors that have left a dispatcher. Where all of it had been dispatched:
///     load when they left = finished + dropped
struct CloseReport {
    std::uint64_t actors = 0;   ///< that have left
    std::uint64_t finished = 0; ///< messages that they have handled since, or failed
    std::uint64_t dropped = 0;  ///< messages from dispatchers that they have not
    /// Tasks of those dropped that were on background threads then, and may be still.
    std::uint64_t still_running = 0;
};

namespace detail {

/// Actors that leave together. The frame thread's, in the serial phase.
class Departure {
  public:
    /// `deadline_ns`: frame time, from which on nothing is finished any more.
    Departure(World world, std::shared_ptr<LoadBoard<StdPolicy>> loads, Answer<CloseReport> answer,
              std::int64_t deadline_ns);

    /// `load`: what was taken out of the board. Before settle() is called.
    void add(ActorRef actor, Load<StdPolicy>& load);
    /// From now on nothing is finished any more.
    void cancel() noexcept { is_cancelled_ = true; }
    /// Nobody leaves.
    void fail(std::exception_ptr why) noexcept { answer_.fail(std::move(why)); }
    /// The runtime ends.
    void give_up() noexcept {
        if (!std::exchange(is_over_, true))
            answer_.lose();
    }
    /// Lets those go that have finished. True: all are gone, and the answer is given.
    bool settle();

  private:
    struct One {
        ActorRef actor; // empty: it is gone
        Load<StdPolicy>* load;
        std::uint64_t handled_before;
        std::uint64_t dropped_before;
        std::uint64_t finished = 0;
    };
    void look_at(One& one);
    void report();

    const World world_;
    const std::shared_ptr<LoadBoard<StdPolicy>> loads_;
    Answer<CloseReport> answer_;
    const std::int64_t deadline_ns_;
    std::vector<One> leaving_;
    bool is_cancelled_ = false;
    std::uint64_t late_frame_ = 0; // the first one at or after the deadline; 0: not yet
    bool is_over_ = false;
    std::uint64_t still_running_ = 0;
};

/// Gives the departure up, unless it is over, when the task goes that has this.
class Farewell {
  public:
    explicit Farewell(std::shared_ptr<Departure> departure) noexcept
        : departure_(std::move(departure)) {}
    Farewell(Farewell&&) noexcept = default;
    ~Farewell() {
        if (departure_ != nullptr)
            departure_->give_up();
    }
    Departure* operator->() const noexcept { return departure_.get(); }

  private:
    std::shared_ptr<Departure> departure_;
};

/// Looks at the departure in each frame, until it is over.
Task<> see_off(Farewell departure);

} // namespace detail
} // namespace takt
