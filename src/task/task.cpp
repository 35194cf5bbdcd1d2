// SPDX-License-Identifier: MIT
#include "takt/task.hpp"

#include <utility>

namespace takt::detail {

bool resume_task(RootTask& task) noexcept {
    const UncheckedScope* const unchecked = unchecked_scope();
    set_unchecked_scope(nullptr);
    TaskThread& thread = task_thread();
    const TaskThread outer = thread; // a task may start another one at once
    thread = TaskThread{task.leaf, nullptr, task.errand, outer.holds_up_frames};
    while (thread.next)
        std::exchange(thread.next, nullptr).resume();
    const bool ended = thread.finished != nullptr;
    thread = outer;
    set_unchecked_scope(unchecked); // what the task has left of its own goes
    return ended;
}

void PromiseBase::unhandled_exception() noexcept {
    (awaited_by ? failure : root->failure) = std::current_exception();
}

TaskGroup::~TaskGroup() {
    for (GroupMember& member : members_) {
        if (member.root != nullptr)
            member.root->host->abandon(*member.root); // and its frame with it
        else if (member.frame)
            member.frame.destroy();
    }
}

bool TaskGroup::begin(RootTask& parent) {
    TaskHost& host = need_task_host("takt::when_all, takt::when_any");
    parent_ = &parent;
    for (GroupMember& member : members_) {
        if (is_over())
            break;
        ++running_;
        member.group = this;
        host.begin_member(parent, member);
    }
    has_begun_ = true;
    if (is_over())
        return false;
    host.await_group(parent);
    return true;
}

bool TaskGroup::ended(GroupMember& member) noexcept {
    const RootTask& root = *std::exchange(member.root, nullptr);
    --running_;
    if (failure_ == nullptr)
        failure_ = root.failure;
    if (wants_one_ && first_ == nullptr) {
        first_ = &member;
        for (GroupMember& other : members_)
            if (RootTask* const loser = std::exchange(other.root, nullptr)) {
                other.frame = nullptr;
                loser->host->abandon(*loser);
            }
    }
    return has_begun_ && is_over();
}

} // namespace takt::detail
