// SPDX-License-Identifier: MIT
#include "takt/mailbox/gate.hpp"

#include <list>
#include <new>

namespace takt::detail {
namespace {

using Sender = GateSender<StdPolicy>;

// A thread's senders. Each holds the core of its gate, so that an address stands for one gate only.
// A list, because a payload's constructor may send through another gate.
struct Senders {
    ~Senders();
    std::list<Sender> list;
};

// Without a destructor of its own, so that it can be asked when the senders are gone.
thread_local bool senders_gone = false;
thread_local Senders senders;

Senders::~Senders() {
    senders_gone = true;
}

} // namespace

Sender* sender_of_this_thread(const std::shared_ptr<GateCore<StdPolicy, GateQueue>>& core,
                              SendResult& reason) noexcept {
    reason = SendResult::closed;
    if (senders_gone)
        return nullptr;
    std::list<Sender>& list = senders.list;
    for (Sender& sender : list)
        if (sender.core() == core.get())
            return &sender;
    list.remove_if([](const Sender& sender) { return sender.closed() && !sender.sending(); });
    reason = SendResult::no_memory;
    try {
        list.emplace_back(core);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
    if (list.back().registered())
        return &list.back();
    reason = core->closing.closed() ? SendResult::closed : SendResult::no_memory;
    list.pop_back(); // the next send tries again
    return nullptr;
}

} // namespace takt::detail
