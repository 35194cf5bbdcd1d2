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
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace takt {

namespace detail {

class TaskGroup;

/// A task of a group. One that has not begun or has ended is `frame`, owned; one that runs is `root`,
/// which owns the frame.
struct GroupMember {
    /// It goes with its actor, and so will the task that awaits the group.
    void forget() noexcept {
        root = nullptr;
        frame = nullptr;
    }

    std::coroutine_handle<> frame;
    PromiseBase* promise;
    TaskGroup* group = nullptr;
    RootTask* root = nullptr;
};

/// The members are tasks of the actor of the task that awaits them, each suspended, or running, on
/// its own. Lies in the frame of the task that awaits; when that goes, members that have not ended
/// are cancelled.
class TaskGroup {
  public:
    TaskGroup(std::span<GroupMember> members, bool wants_one) noexcept
        : members_(members), wants_one_(wants_one) {}
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    ~TaskGroup();

    /// Runs each member up to where it first waits. True: `parent` has to wait.
    bool begin(RootTask& parent);
    /// A member has ended, and its frame is the group's. True: the parent goes on.
    bool ended(GroupMember& member) noexcept;
    RootTask& parent() const noexcept { return *parent_; }
    /// Of who ended first; where all are wanted, of who failed first.
    void rethrow_failure() const {
        if (failure_)
            std::rethrow_exception(failure_);
    }
    /// Where one is wanted: it.
    std::size_t first() const noexcept {
        return static_cast<std::size_t>(first_ - members_.data());
    }

  private:
    bool is_over() const noexcept {
        return wants_one_ ? first_ != nullptr : has_begun_ && running_ == 0;
    }

    const std::span<GroupMember> members_;
    const bool wants_one_;
    bool has_begun_ = false;
    std::size_t running_ = 0;
    GroupMember* first_ = nullptr;
    RootTask* parent_ = nullptr;
    std::exception_ptr failure_;
};

template <class T>
using ResultOf = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
GroupMember member_for(Task<T> task) noexcept {
    const std::coroutine_handle<TaskPromise<T>> frame = task.release();
    TAKT_CHECK(frame, "when_all() and when_any() take tasks that have not been moved from",
               "Give each task once");
    return {frame, &frame.promise()};
}

template <class T>
ResultOf<T> take_result(GroupMember& member) {
    auto& promise = static_cast<TaskPromise<T>&>(*member.promise);
    if constexpr (std::is_void_v<T>)
        return {};
    else
        return promise.take();
}

/// `Members`: an array or a vector of them.
template <class Members>
class GroupAwaiter {
  public:
    GroupAwaiter(bool wants_one, Members members) noexcept
        : members_(std::move(members)), group_(members_, wants_one) {}

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
    Members members_;
    TaskGroup group_;
};

template <class... Ts>
using TypedMembers = std::array<GroupMember, sizeof...(Ts)>;

template <class... Ts>
struct WhenAll : GroupAwaiter<TypedMembers<Ts...>> {
    explicit WhenAll(Task<Ts>... tasks) noexcept
        : GroupAwaiter<TypedMembers<Ts...>>(false, {member_for(std::move(tasks))...}) {}

    auto await_resume() {
        this->group_.rethrow_failure();
        if constexpr (!(std::is_void_v<Ts> && ...))
            return take_all(std::index_sequence_for<Ts...>());
    }

  private:
    template <std::size_t... kAt>
    std::tuple<ResultOf<Ts>...> take_all(std::index_sequence<kAt...>) {
        return {take_result<Ts>(this->members_[kAt])...};
    }
};

template <class... Ts>
struct WhenAny : GroupAwaiter<TypedMembers<Ts...>> {
    using Result = std::variant<ResultOf<Ts>...>;

    explicit WhenAny(Task<Ts>... tasks) noexcept
        : GroupAwaiter<TypedMembers<Ts...>>(true, {member_for(std::move(tasks))...}) {}

    Result await_resume() {
        this->group_.rethrow_failure();
        return take_at(this->group_.first(), std::index_sequence_for<Ts...>());
    }

  private:
    template <std::size_t... kAt>
    Result take_at(std::size_t first, std::index_sequence<kAt...>) {
        using Take = Result (*)(WhenAny&);
        constexpr Take kTakes[] = {[](WhenAny& self) {
            return Result(std::in_place_index<kAt>, take_result<Ts>(self.members_[kAt]));
        }...};
        return kTakes[first](*this);
    }
};

template <class T>
std::vector<GroupMember> members_for(std::vector<Task<T>> tasks) {
    std::vector<GroupMember> members;
    members.reserve(tasks.size());
    for (Task<T>& task : tasks)
        members.push_back(member_for(std::move(task)));
    return members;
}

template <class T>
struct WhenAllOf : GroupAwaiter<std::vector<GroupMember>> {
    explicit WhenAllOf(std::vector<Task<T>> tasks)
        : GroupAwaiter(false, members_for(std::move(tasks))) {}

    auto await_resume() {
        group_.rethrow_failure();
        if constexpr (!std::is_void_v<T>) {
            std::vector<T> results;
            results.reserve(members_.size());
            for (GroupMember& member : members_)
                results.push_back(take_result<T>(member));
            return results;
        }
    }
};

template <class T>
struct WhenAnyOf : GroupAwaiter<std::vector<GroupMember>> {
    explicit WhenAnyOf(std::vector<Task<T>> tasks)
        : GroupAwaiter(true, members_for(std::move(tasks))) {
        if (members_.empty())
            throw std::invalid_argument("takt::when_any of no tasks would never go on");
    }

    auto await_resume() {
        group_.rethrow_failure();
        if constexpr (std::is_void_v<T>)
            return group_.first();
        else
            return std::pair<std::size_t, T>(group_.first(),
                                             take_result<T>(members_[group_.first()]));
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
    return detail::WhenAll<Ts...>(std::move(tasks)...);
}

/// Goes on in the caller's phase when the first of the tasks has ended, with a std::variant whose
/// index() says which (std::monostate for void), or throws what that one threw. The others are
/// cancelled; those that have not begun by then do not begin.
template <class... Ts>
requires(sizeof...(Ts) > 0) [[nodiscard]] auto when_any(Task<Ts>... tasks) {
    return detail::WhenAny<Ts...>(std::move(tasks)...);
}

/// The same for any number of tasks of one type: gives a std::vector of the results, in the order of
/// `tasks`; of void, nothing. Of no tasks: at once. Allocates.
template <class T>
[[nodiscard]] auto when_all(std::vector<Task<T>> tasks) {
    return detail::WhenAllOf<T>(std::move(tasks));
}
/// The same for any number of tasks of one type: gives the place in `tasks` of the first that ended,
/// and, in a std::pair with it, its result, if there is one. Of no tasks: std::invalid_argument.
/// Allocates.
template <class T>
[[nodiscard]] auto when_any(std::vector<Task<T>> tasks) {
    return detail::WhenAnyOf<T>(std::move(tasks));
}

} // namespace takt
