// SPDX-License-Identifier: MIT
#pragma once
// Layer 11, testing. An actor that records what is sent to it. Below: test_runtime.

#include "takt/testing/test_failure.hpp"
#include "takt/testing/test_runtime.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace takt::testing {

namespace detail {

/// What a probe has recorded, in the order of its handling.
class ProbeLog {
  public:
    ProbeLog(std::string name, std::uint64_t seed) : name_(std::move(name)), seed_(seed) {}

    struct Message {
        std::uint64_t topic;
        const char* topic_name;
        std::shared_ptr<void> args; // a std::tuple of the topic's types
    };

    template <class... Args>
    void know(const Topic<Args...>& topic) {
        known_.push_back({topic.hash(), &takt::detail::signature_of<Args...>});
    }
    /// Throws Error when the probe does not record the topic, or by other types.
    template <class... Args>
    void require_known(const Topic<Args...>& topic) const {
        require_known(topic.hash(), topic.name(), takt::detail::signature_of<Args...>);
    }
    void add(Message message) { messages_.push_back(std::move(message)); }
    /// The first one of that topic, which goes; null: there is none.
    std::shared_ptr<void> take(std::uint64_t topic) noexcept;
    std::size_t count(std::uint64_t topic) const noexcept;
    const std::deque<Message>& messages() const noexcept { return messages_; }
    /// Throws TestFailure: `probe "market": <problem>; it has 2 of topic "Trade"`.
    [[noreturn]] void fail(const std::string& problem) const;

  private:
    struct Known {
        std::uint64_t topic;
        const takt::detail::Signature* types;
    };

    void require_known(std::uint64_t topic, const char* topic_name,
                       const takt::detail::Signature& types) const;

    const std::string name_;
    const std::uint64_t seed_;
    std::vector<Known> known_;
    std::deque<Message> messages_;
};

} // namespace detail

/// Stands in for an actor: give it to the code under test as an ActorRef, run frames, and look at
/// what it got. Records in the parallel phase. A handle: copies see the same, and what was recorded
/// stays when the TestRuntime goes; only send() wants that. Messages of topics that it was not made
/// for are kept, and unaccounted().
class Probe {
  public:
    ActorRef ref() const noexcept { return ref_; }
    operator ActorRef() const noexcept { return ref_; }

    /// The first message of that topic, which is then gone from the probe; empty where there is none.
    /// Throws Error for a topic that the probe was not made for; so do the others.
    template <class... Args>
    std::optional<std::tuple<Args...>> take(const Topic<Args...>& topic) {
        log_->require_known(topic);
        const std::shared_ptr<void> args = log_->take(topic.hash());
        if (args == nullptr)
            return std::nullopt;
        return std::move(*static_cast<std::tuple<Args...>*>(args.get()));
    }
    /// The same; TestFailure, with what there is instead, where there is none.
    template <class... Args>
    std::tuple<Args...> expect(const Topic<Args...>& topic) {
        std::optional<std::tuple<Args...>> args = take(topic);
        if (!args)
            log_->fail("there is no message of topic \"" + std::string(topic.name()) + "\"");
        return *std::move(args);
    }
    /// Messages of that topic that have not been taken.
    template <class... Args>
    std::size_t count(const Topic<Args...>& topic) const {
        log_->require_known(topic);
        return log_->count(topic.hash());
    }
    /// True when no message is there that has not been taken.
    bool empty() const noexcept { return log_->messages().empty(); }
    /// TestFailure, with what there is, when it is not empty.
    void expect_empty() const;
    /// The topics of the messages that have not been taken, in the order in which they were handled.
    std::vector<std::string> topics() const;

    /// Sends as the probe: in order with what it sent before, and in none with other senders.
    template <class... Args, class... Given>
    SendResult send(ActorRef to, const Topic<Args...>& topic, Given&&... given) const {
        SendResult result = SendResult::ok;
        test_->run_as(ref_, [&] { result = to.send(topic, std::forward<Given>(given)...); });
        return result;
    }

  private:
    friend class TestRuntime;
    Probe(TestRuntime& test, ActorRef ref, std::shared_ptr<detail::ProbeLog> log) noexcept
        : test_(&test), ref_(ref), log_(std::move(log)) {}

    TestRuntime* test_;
    ActorRef ref_;
    std::shared_ptr<detail::ProbeLog> log_;
};

namespace detail {

template <class... Args>
void record(Actor& actor, const std::shared_ptr<ProbeLog>& log, const Topic<Args...>& topic) {
    log->know(topic);
    actor.bind_parallel(topic, [log, hash = topic.hash(), name = topic.name()](Args... args) {
        log->add({hash, name, std::make_shared<std::tuple<Args...>>(std::move(args)...)});
    });
}

} // namespace detail

template <class... Topics>
Probe TestRuntime::probe(std::string name, const Topics&... topics) {
    const auto log = std::make_shared<detail::ProbeLog>(name, seed_);
    const ActorRef ref = spawn_actor(ActorOptions{.name = std::move(name)}, [&](Actor& actor) {
        (detail::record(actor, log, topics), ...);
    });
    return Probe(*this, ref, log);
}

} // namespace takt::testing
