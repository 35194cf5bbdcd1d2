// SPDX-License-Identifier: MIT
#pragma once
// Test support, explorer. The text of one execution, line by line; only written when a failing run
// is run again. No neighbours below.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace explorer {

class Trace {
  public:
    void begin(bool on) {
        on_ = on;
        text_.clear();
        names_.clear();
        nameless_.clear();
    }
    bool on() const { return on_; }

    void line(std::uint64_t step, std::string_view thread, std::string_view what) {
        const std::string number = std::to_string(step);
        text_.append(number.size() < 5 ? 5 - number.size() : 0, ' ').append(number).append("  ");
        text_.append(thread).append(thread.size() < 14 ? 14 - thread.size() : 1, ' ');
        text_.append(what).append("\n");
    }

    void name(const void* begin, std::size_t bytes, const char* label, int index) {
        const auto address = reinterpret_cast<std::uintptr_t>(begin);
        names_.push_back({address, address + bytes, label, index});
    }

    /// Empty if nobody named it. The smallest named object around the address wins: a member before
    /// the structure that holds it.
    std::string name_of(const void* address) const {
        const auto wanted = reinterpret_cast<std::uintptr_t>(address);
        const Name* best = nullptr;
        for (const Name& name : names_)
            if (name.begin <= wanted && wanted < name.end &&
                (best == nullptr || name.end - name.begin <= best->end - best->begin))
                best = &name;
        if (best == nullptr)
            return {};
        return best->label + (best->index < 0 ? "" : "[" + std::to_string(best->index) + "]") +
               (wanted == best->begin ? "" : "+" + std::to_string(wanted - best->begin));
    }

    /// Addresses differ from run to run; a trace must not.
    std::string pointer(const void* pointer) {
        if (pointer == nullptr)
            return "null";
        if (const std::string name = name_of(pointer); !name.empty())
            return "&" + name;
        auto at = std::find(nameless_.begin(), nameless_.end(), pointer);
        if (at == nameless_.end())
            at = nameless_.insert(at, pointer);
        return "pointer#" + std::to_string(at - nameless_.begin() + 1);
    }

    /// A livelock has 20,000 lines: how it began and how it goes round are enough.
    std::string text() const {
        constexpr std::size_t kHead = 8'000, kTail = 3'000;
        if (text_.size() <= kHead + kTail)
            return text_;
        return text_.substr(0, text_.find('\n', kHead) + 1) + "  ...\n" +
               text_.substr(text_.find('\n', text_.size() - kTail) + 1);
    }

  private:
    struct Name {
        std::uintptr_t begin, end;
        const char* label;
        int index;
    };
    bool on_ = false;
    std::string text_;
    std::vector<Name> names_;
    std::vector<const void*> nameless_; // in the order of their appearance
};

} // namespace explorer
