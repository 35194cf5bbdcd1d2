// SPDX-License-Identifier: MIT
#include "takt/actor/listener.hpp"

#include "takt/actor/send.hpp"

#include <algorithm>
#include <string>

namespace takt::detail {

SignalEvent::SignalEvent(MailHead& args, const char* signal, const SignalEvent* cause)
    : mail(args), depth(cause == nullptr ? 1 : cause->depth + 1) {
    if (cause != nullptr)
        chain = cause->chain;
    chain[depth - 1] = signal;
}

void check_chain(const char* signal, const SignalEvent* cause) {
    if (cause == nullptr || cause->depth < kChainMax) [[likely]]
        return;
    std::string names;
    for (const char* const name : cause->chain)
        names += std::string(name) + " > ";
    throw Error("signal", signal,
                "its fire ends a chain of " + std::to_string(kChainMax) +
                    " that led to it: " + names + signal,
                "Let one of these listeners not fire, or send a message instead");
}

SignalWait::~SignalWait() {
    if (listener == nullptr)
        return;
    listener->wait = nullptr;
    if (ActorContext* const here = context_in(listener->runtime)) // else the runtime ends
        here->host->disconnect(*listener);
}

} // namespace takt::detail
