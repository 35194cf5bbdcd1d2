// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor. The other end of a ticket: the mail that asks, and the handler that answers. Below:
// mail, ticket. Beside: handler. Above: actor (which binds it), dispatcher (which sends it).

#include "takt/actor/mail.hpp"
#include "takt/actor/ticket.hpp"
#include "takt/actor/topic.hpp"

#include <concepts>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace takt::detail {

/// How tickets end whose Answer goes unused, on this thread: with their actor, unless somebody says
/// otherwise.
TicketStatus lost_answer_status() noexcept;

/// While it lives, answers that are lost on this thread are lost for that reason.
class LosingAnswers {
  public:
    explicit LosingAnswers(TicketStatus why) noexcept;
    ~LosingAnswers();
    LosingAnswers(const LosingAnswers&) = delete;
    LosingAnswers& operator=(const LosingAnswers&) = delete;

  private:
    TicketStatus before_;
};

/// Who has it owes the answer. Ends the ticket when it goes without.
template <class R>
class Answer {
  public:
    explicit Answer(TicketCoreOf<R>& core) noexcept : core_(core) {}
    Answer(Answer&& other) noexcept
        : core_(std::move(other.core_)), is_owed_(std::exchange(other.is_owed_, false)) {}
    ~Answer() {
        if (is_owed_)
            lose();
    }

    TicketCoreOf<R>& core() const noexcept { return static_cast<TicketCoreOf<R>&>(*core_); }
    /// Null: the answer is given, or somebody else owes it.
    TicketCore* owed() const noexcept { return is_owed_ ? core_.get() : nullptr; }
    void give() noexcept { end(TicketStatus::answered); }
    void fail(std::exception_ptr failure) noexcept {
        if (!is_owed_) // it was lost on the way to a task
            return;
        core_->failure = std::move(failure);
        end(TicketStatus::threw);
    }
    void lose() noexcept { end(lost_answer_status()); }
    /// Nobody has been told of the ticket.
    void forget() noexcept { is_owed_ = false; }

  private:
    void end(TicketStatus status) noexcept {
        is_owed_ = false;
        end_ticket(*core_, status);
    }

    TicketHold core_;
    bool is_owed_ = true;
};

/// A message that is to be answered. Where a dispatcher sends it, it counts on its receiver's load until
/// it has been handled, or is destroyed.
template <class R, class... Args>
struct RequestMail : TopicMail<Args...> {
    template <class... Given>
    RequestMail(const MailHead& head, Load<StdPolicy>* load, Answer<R>& owed, Given&&... given)
        : TopicMail<Args...>(head, std::forward<Given>(given)...), answer(std::move(owed)) {
        if (load != nullptr)
            busy.emplace(*load);
    }

    std::optional<Busy> busy;
    Answer<R> answer;
};

template <class R, class... Args>
inline constexpr Signature request_signature_of{type_name<R(Args...)>(), false, true};

/// The request that the running code answers, for as long as this lives.
class ErrandScope {
  public:
    explicit ErrandScope(TicketCore& core) noexcept
        : before_(std::exchange(task_thread().errand, &core)) {}
    ~ErrandScope() { task_thread().errand = before_; }
    ErrandScope(const ErrandScope&) = delete;
    ErrandScope& operator=(const ErrandScope&) = delete;

  private:
    TicketCore* const before_;
};

/// The task that awaits this answers the request from now on. It does not wait.
struct BeginErrand {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> self) const noexcept {
        self.promise().root->errand = task_thread().errand = &core;
        return false;
    }
    void await_resume() const noexcept {}

    TicketCore& core;
};

/// Comes home from a background thread.
struct ComeHome : HostAwaiter<ComeHome> {
    bool await_ready() const noexcept { return current_context() != nullptr; }
    void hand_over(RootTask& root) const { root.host->synchronize(root); }
    void await_resume() const noexcept {}
};

/// What becomes of the result of a handler's task; it answers in a phase of its actor's.
template <class R>
Task<> answer_by(Answer<R> answer,
                 Task<R> task) { // which goes first, with all that asks cancelled()
    co_await BeginErrand{answer.core()};
    std::exception_ptr failure;
    try {
        if constexpr (std::is_void_v<R>)
            co_await std::move(task);
        else
            answer.core().value.emplace(co_await std::move(task));
    } catch (...) {
        failure = std::current_exception();
    }
    co_await ComeHome();
    if (failure == nullptr) {
        answer.give();
        co_return;
    }
    answer.fail(failure);
    std::rethrow_exception(failure);
}

} // namespace takt::detail

namespace takt {

template <class R, class... Args>
inline constexpr detail::MailType record_type_of<detail::RequestMail<R, Args...>> =
    detail::mail_type<detail::RequestMail<R, Args...>>(
        &detail::request_signature_of<R, Args...>,
        [](detail::MailHead& mail) noexcept {
            auto& busy = static_cast<detail::RequestMail<R, Args...>&>(mail).busy;
            return busy ? &*busy : nullptr;
        },
        nullptr,
        [](detail::MailHead& mail) noexcept {
            return static_cast<detail::RequestMail<R, Args...>&>(mail).answer.owed();
        });

} // namespace takt
