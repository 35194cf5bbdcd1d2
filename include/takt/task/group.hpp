// SPDX-License-Identifier: MIT
#pragma once
// Layer 5, task. Several tasks that one task awaits together. Below: task. Above: the frame, which
// tells a group when a member has ended.

#include "takt/task/task.hpp"

#include <array>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace takt {

namespace detail {

/// The members are tasks of the actor of the task that awaits them, each suspended, or running, on
/// its own. Lies in the frame of the task that awaits; when that goes, members that have not ended
/// are cancelled.
class TaskGroup {
  public:
    /// A member that has not begun or has ended is `frame`, owned; one that runs is `root`, which
    /// owns the frame.
    struct Member {
        std::coroutine_handle<> frame;
        PromiseBase* promise;
        RootTask* root = nullptr;
    };

    TaskGroup(std::span<Member> members, bool wants_one) noexcept
        : members_(members), wants_one_(wants_one), first_(members.size()) {}
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    ~TaskGroup();

    /// Runs each member up to where it first waits. True: `parent` has to wait.
    bool begin(RootTask& parent);
    /// A member has ended, and its frame is the group's. True: the parent goes on.
    bool ended(RootTask& member) noexcept;
    /// A member goes with its actor, and so will the parent.
    void forget(RootTask& member) noexcept;
    RootTask& parent() const noexcept { return *parent_; }
    /// Of who ended first; where all are wanted, of who failed first.
    void rethrow_failure() const {
        if (failure_)
            std::rethrow_exception(failure_);
    }
    /// Where one is wanted: it.
    std::size_t first() const noexcept { return first_; }

  private:
    Member& member_of(const RootTask& root) noexcept;
    bool is_over() const noexcept {
        return wants_one_ ? first_ != members_.size() : has_begun_ && running_ == 0;
    }

    const std::span<Member> members_;
    const bool wants_one_;
    bool has_begun_ = false;
    std::size_t running_ = 0;
    std::size_t first_;
    RootTask* parent_ = nullptr;
    std::exception_ptr failure_;
};

template <class T>
using ResultOf = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

/// The members of a group, by type.
template <class... Ts>
class GroupAwaiter {
  public:
    GroupAwaiter(bool wants_one, std::coroutine_handle<TaskPromise<Ts>>... frames) noexcept
        : members_{TaskGroup::Member{frames, &frames.promise()}...}, group_(members_, wants_one) {}

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> self) {
        static_assert(std::is_base_of_v<PromiseBase, Promise>,
                      "takt: only a takt::Task may await this");
        RootTask& root = *self.promise().root;
        root.leaf = self;
        return group_.begin(root);
    }

  protected:
    template <std::size_t kAt>
    auto take() {
        using T = typename std::tuple_element_t<kAt, std::tuple<std::type_identity<Ts>...>>::type;
        auto& promise = static_cast<TaskPromise<T>&>(*members_[kAt].promise);
        if constexpr (std::is_void_v<T>)
            return std::monostate();
        else
            return promise.take();
    }

    std::array<TaskGroup::Member, sizeof...(Ts)> members_;
    TaskGroup group_;
};

template <class... Ts>
struct WhenAll : GroupAwaiter<Ts...> {
    using GroupAwaiter<Ts...>::GroupAwaiter;

    auto await_resume() {
        this->group_.rethrow_failure();
        if constexpr (!(std::is_void_v<Ts> && ...))
            return take_all(std::index_sequence_for<Ts...>());
    }

  private:
    template <std::size_t... kAt>
    std::tuple<ResultOf<Ts>...> take_all(std::index_sequence<kAt...>) {
        return {this->template take<kAt>()...};
    }
};

template <class... Ts>
struct WhenAny : GroupAwaiter<Ts...> {
    using GroupAwaiter<Ts...>::GroupAwaiter;
    using Result = std::variant<ResultOf<Ts>...>;

    Result await_resume() {
        this->group_.rethrow_failure();
        return take_at(this->group_.first(), std::index_sequence_for<Ts...>());
    }

  private:
    template <std::size_t... kAt>
    Result take_at(std::size_t first, std::index_sequence<kAt...>) {
        using Take = Result (*)(WhenAny&);
        constexpr Take kTakes[] = {[](WhenAny& self) {
            return Result(std::in_place_index<kAt>, self.template take<kAt>());
        }...};
        return kTakes[first](*this);
    }
};

} // namespace detail

/// Runs the tasks beside each other, in the name of the actor of the task that awaits, and goes on
/// in the caller's phase when all have ended, with a std::tuple of their results (std::monostate for
/// void; nothing at all where all are void). Where some throw, the first exception is thrown on, after
/// the others have ended too. In a phase only.
///
///     auto [path, target] = co_await takt::when_all(find_path(from, to), choose_target());
template <class... Ts>
requires(sizeof...(Ts) > 0) [[nodiscard]] auto when_all(Task<Ts>... tasks) {
    return detail::WhenAll<Ts...>(false, tasks.release()...);
}

/// Goes on in the caller's phase when the first of the tasks has ended, with a std::variant whose
/// index() says which (std::monostate for void), or throws what that one threw. The others are
/// cancelled; those that have not begun by then do not begin.
template <class... Ts>
requires(sizeof...(Ts) > 0) [[nodiscard]] auto when_any(Task<Ts>... tasks) {
    return detail::WhenAny<Ts...>(true, tasks.release()...);
}

} // namespace takt
