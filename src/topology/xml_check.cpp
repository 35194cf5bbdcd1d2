// SPDX-License-Identifier: MIT
#include "topology/xml_check.hpp"

#include "takt/topology/cpu_set.hpp"
#include "topology/file.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>

namespace takt::detail {
namespace {

using Attributes = std::map<std::string_view, std::string_view>;

constexpr std::ptrdiff_t kSetWordsMax = kCpuLimit / 32;

/// Reads ` name="value" name="value"`; nothing when it is anything else.
std::optional<Attributes> read_attributes(std::string_view text) {
    Attributes attributes;
    while (!text.empty() && text != "/") {
        const std::size_t equals = text.find("=\"");
        if (text.front() != ' ' || equals == text.npos)
            return std::nullopt;
        const std::size_t close = text.find('"', equals + 2);
        if (close == text.npos)
            return std::nullopt;
        const std::string_view name = text.substr(1, equals - 1);
        if (!attributes.emplace(name, text.substr(equals + 2, close - equals - 2)).second)
            return std::nullopt;
        text.remove_prefix(close + 1);
    }
    return attributes;
}

bool is_word(std::string_view text) {
    return text.size() >= 3 && text.size() <= 10 && text.starts_with("0x") &&
           text.find_first_not_of("0123456789abcdef", 2) == text.npos;
}

/// "0x0000ffff,,0x1": words of 32 bits, empty for 0 except at the ends. The endless form
/// "0xf...f" is no set of anything real, and anything else fails an assertion in hwloc.
bool is_set(std::string_view text) {
    if (text.starts_with(',') || std::count(text.begin(), text.end(), ',') >= kSetWordsMax)
        return false;
    for (std::size_t comma; (comma = text.find(',')) != text.npos; text.remove_prefix(comma + 1))
        if (comma > 0 && !is_word(text.substr(0, comma)))
            return false;
    return is_word(text);
}

bool has_sets(const Attributes& object, std::initializer_list<std::string_view> names) {
    return std::all_of(names.begin(), names.end(), [&](std::string_view name) {
        const auto found = object.find(name);
        return found != object.end() && is_set(found->second);
    });
}

bool is_device(std::string_view type) {
    return type == "Bridge" || type == "PCIDev" || type == "OSDev" || type == "Misc";
}

bool is_complete(const Attributes& object) {
    const auto type = object.find("type");
    if (type == object.end())
        return false;
    if (is_device(type->second))
        return true;
    if (type->second == "Machine" && !has_sets(object, {"allowed_cpuset", "allowed_nodeset"}))
        return false;
    return has_sets(object, {"cpuset", "complete_cpuset", "nodeset", "complete_nodeset"});
}

std::string fault_of_object(std::string_view attributes) {
    const std::size_t close = attributes.find('>');
    const auto object = read_attributes(attributes.substr(0, close));
    if (close != attributes.npos && object && is_complete(*object))
        return {};
    return "the file has an incomplete object:" + printable(attributes);
}

/// Sets stand outside objects, too: in the kinds of cores, for one.
std::string fault_of_sets(std::string_view xml) {
    constexpr std::string_view kSet = "set=\"";
    for (std::size_t at = xml.find(kSet); at != xml.npos; at = xml.find(kSet, at + 1)) {
        const std::string_view value = xml.substr(at + kSet.size());
        if (!is_set(value.substr(0, value.find('"'))))
            return "the file has a broken set: " + printable(value);
    }
    return {};
}

} // namespace

std::string find_xml_fault(std::string_view xml) {
    // No exported topology has these. Entities are how small files become large ones; comments and
    // CDATA would make the objects read here others than those that hwloc reads.
    for (const std::string_view foreign : {"<!ENTITY", "<!--", "<![CDATA["})
        if (xml.find(foreign) != xml.npos)
            return "the file contains " + std::string(foreign);
    if (xml.find("<topology version=\"2.") == xml.npos)
        return "the file is not a topology exported by hwloc 2";
    constexpr std::string_view kObject = "<object";
    for (std::size_t at = xml.find(kObject); at != xml.npos; at = xml.find(kObject, at + 1))
        if (std::string fault = fault_of_object(xml.substr(at + kObject.size())); !fault.empty())
            return fault;
    return fault_of_sets(xml);
}

} // namespace takt::detail
