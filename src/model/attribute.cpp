// SPDX-License-Identifier: MIT
// Attributes in the tree: where they are added, taken out and refused, and who hears of it.
#include "takt/model/instance_tree.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace takt::detail {

namespace {

// "double" of "... [with T = double]", as compilers spell a function's name.
std::string text_of(const AttributeType& type) {
    std::string_view text(type.name);
    const std::size_t begin = text.find("T = ");
    if (begin == std::string_view::npos)
        return std::string(text);
    text.remove_prefix(begin + 4);
    return std::string(text.substr(0, text.find_last_of(']')));
}

} // namespace

void InstanceTree::refuse_type(std::uint32_t slot, const AttributeValue& there,
                               const AttributeType& type) const {
    throw Error("attribute", there.name.name(),
                "\"" + full_name(slot) + "\" has it as " + text_of(there.type) +
                    ", and it is used as " + text_of(type),
                "Use one name for one type");
}

void InstanceTree::add_attribute(std::uint32_t slot,
                                 std::unique_ptr<AttributeValue> added) noexcept {
    std::unique_ptr<AttributeValue>* end = &node(slot).attributes;
    while (*end != nullptr)
        end = &(*end)->next;
    *end = std::move(added);
}

std::unique_ptr<AttributeValue> InstanceTree::take_attribute(std::uint32_t slot,
                                                             const HashedName& name,
                                                             const AttributeType& type) {
    AttributeValue* const found = attribute(slot, name, type);
    if (found == nullptr)
        return nullptr;
    std::unique_ptr<AttributeValue>* at = &node(slot).attributes;
    while (at->get() != found)
        at = &(*at)->next;
    std::unique_ptr<AttributeValue> taken = std::move(*at);
    *at = std::move(taken->next);
    return taken;
}

namespace {

const std::shared_ptr<SignalCore>* signal_of(const InstanceBonds& bonds,
                                             const HashedName& attribute, Firing firing) noexcept {
    for (const InstanceBonds::ChangeSignal& signal : bonds.signals)
        if (signal.attribute == attribute && signal.firing == firing)
            return &signal.core;
    return nullptr;
}

} // namespace

std::shared_ptr<SignalCore>
InstanceTree::change_signal(std::uint32_t slot, const HashedName& attribute, Firing firing) {
    InstanceBonds& bonds = need_bonds(slot);
    if (const std::shared_ptr<SignalCore>* const there = signal_of(bonds, attribute, firing))
        return *there;
    auto made = world_.make_signal(attribute.name(), firing == Firing::deferred);
    bonds.signals.push_back({attribute, firing, made});
    return made;
}

// The deferred one only notes its fire, so the bonds are still there for the other one.
void InstanceTree::fire_signals(std::uint32_t slot, const HashedName& attribute) const {
    for (const Firing firing : {Firing::deferred, Firing::immediate})
        if (const std::shared_ptr<SignalCore>* const core =
                signal_of(*node(slot).bonds, attribute, firing))
            SignalRef<>(runtime_, (*core)->id(), (*core)->name()).fire();
}

} // namespace takt::detail
