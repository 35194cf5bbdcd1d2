// SPDX-License-Identifier: MIT
#include "takt/actor/handler.hpp"

#include "takt/base.hpp"

#include <string>

namespace takt::detail {

void refuse_second_handler(const TopicHandlers& entry) {
    if (entry.signature->is_request)
        throw Error("request", entry.name, "it has a handler already, and it has one answer",
                    "Bind one handler");
    throw Error("topic", entry.name,
                "it has a handler already, and its arguments cannot be copied for a second one",
                "Bind one handler, or send copyable arguments");
}

std::uint64_t HandlerTable::add(Phase phase, std::uint64_t topic, const char* name,
                                const Signature& signature, std::unique_ptr<Handler> handler) {
    TopicHandlers* entry = const_cast<TopicHandlers*>(find(topic));
    if (entry == nullptr) {
        topics_.push_back({topic, name, &signature, nullptr, nullptr, nullptr});
        entry = &topics_.back();
    }
    if (std::string_view(entry->name) != name)
        throw Error("topic", name,
                    std::string("its name has the same hash as that of \"") + entry->name + "\"",
                    "Rename one of the two");
    if (entry->signature != &signature)
        throw Error("topic", name,
                    std::string("it is bound with ") + entry->signature->name +
                        " already, now with " + signature.name,
                    "Use one name for one list of types");
    if (!signature.copyable && entry->has_any())
        refuse_second_handler(*entry);
    handler->id = next_id_++;
    std::unique_ptr<Handler>* end = &entry->list(phase);
    while (*end != nullptr)
        end = &(*end)->next;
    *end = std::move(handler);
    settle(*entry);
    return next_id_ - 1;
}

void HandlerTable::settle(TopicHandlers& entry) noexcept {
    Handler* const first = entry.parallel.get();
    const bool is_only = first != nullptr && first->connected && first->next == nullptr &&
                         entry.serial == nullptr &&
                         !entry.signature->is_request; // which may have ended before it is opened
    entry.only = is_only ? first : nullptr;
}

void HandlerTable::disconnect(std::uint64_t id) noexcept {
    for_each_list([id](std::unique_ptr<Handler>& list) {
        for (Handler* handler = list.get(); handler != nullptr; handler = handler->next.get())
            if (handler->id == id)
                handler->connected = false;
    });
    for (TopicHandlers& entry : topics_)
        settle(entry);
}

bool HandlerTable::has(std::uint64_t id) const noexcept {
    for (const TopicHandlers& entry : topics_)
        for (const Handler* first : {entry.parallel.get(), entry.serial.get()})
            for (const Handler* handler = first; handler != nullptr; handler = handler->next.get())
                if (handler->id == id)
                    return handler->connected;
    return false;
}

void HandlerTable::sweep() noexcept {
    for_each_list([](std::unique_ptr<Handler>& list) {
        for (std::unique_ptr<Handler>* at = &list; *at != nullptr;) {
            if ((*at)->connected || (*at)->tasks != 0)
                at = &(*at)->next;
            else
                *at = std::move((*at)->next);
        }
    });
    std::erase_if(topics_, [](const TopicHandlers& entry) {
        return entry.parallel == nullptr && entry.serial == nullptr;
    });
    for (TopicHandlers& entry : topics_)
        settle(entry);
}

} // namespace takt::detail
