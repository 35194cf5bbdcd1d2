// SPDX-License-Identifier: MIT
#pragma once
// Layer 1, topology. Sets and lists of CPUs by the number the operating system gives them, and the
// text form that people and kernels write them in: "0-3,7".

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace takt {

/// CPU numbers are below this; Linux supports 8192 at most on the machines takt is built for.
inline constexpr int kCpuLimit = 65536;

/// A longer CPU list is refused before it is read.
inline constexpr std::size_t kCpuListBytesMax = 64 * 1024;

/// An ordered set of CPU numbers. A value: copies share nothing, equality compares the members.
class CpuSet {
  public:
    class Iterator;

    CpuSet() = default;
    CpuSet(std::initializer_list<int> cpus);

    /// Reads the kernel's list format, where an empty text is the empty set and blanks and a final
    /// newline are ignored. Throws Error{key, text, ...} for everything else that is not a list.
    static CpuSet parse(std::string_view key, std::string_view text);

    /// Throws Error when `cpu` is not in [0, kCpuLimit).
    void insert(int cpu);
    void erase(int cpu) noexcept;
    bool contains(int cpu) const noexcept;
    int count() const noexcept;
    bool empty() const noexcept { return words_.empty(); }

    /// Ascending.
    Iterator begin() const noexcept;
    Iterator end() const noexcept;

    /// "0-3,7"; empty for the empty set. parse() reads it back.
    std::string to_string() const;

    friend CpuSet operator|(const CpuSet& left, const CpuSet& right);
    friend CpuSet operator&(const CpuSet& left, const CpuSet& right);
    friend CpuSet operator-(const CpuSet& left, const CpuSet& right);
    friend bool operator==(const CpuSet&, const CpuSet&) = default;

  private:
    int at_or_after(int cpu) const noexcept;
    void trim() noexcept;

    std::vector<std::uint64_t> words_; // the last word is never 0, so that equal sets are equal
};

/// Walks the members of a CpuSet in ascending order.
class CpuSet::Iterator {
  public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    using pointer = const int*;
    using reference = int;

    Iterator() = default;
    int operator*() const noexcept { return cpu_; }
    Iterator& operator++() noexcept {
        cpu_ = set_->at_or_after(cpu_ + 1);
        return *this;
    }
    Iterator operator++(int) noexcept {
        Iterator before = *this;
        ++*this;
        return before;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

  private:
    friend class CpuSet;
    Iterator(const CpuSet* set, int cpu) noexcept : set_(set), cpu_(cpu) {}

    const CpuSet* set_ = nullptr;
    int cpu_ = kCpuLimit;
};

inline CpuSet::Iterator CpuSet::begin() const noexcept {
    return {this, at_or_after(0)};
}
inline CpuSet::Iterator CpuSet::end() const noexcept {
    return {this, kCpuLimit};
}

/// Reads a list as a person writes it, "2-7,10", and keeps the order given. Refuses, with
/// Error{key, text, ...}: nothing at all, malformed items, reversed ranges, a CPU listed twice,
/// numbers of kCpuLimit and above, texts above kCpuListBytesMax. The work is bounded by kCpuLimit.
std::vector<int> parse_cpu_list(std::string_view key, std::string_view text);

} // namespace takt
