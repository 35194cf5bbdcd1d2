// SPDX-License-Identifier: MIT
#include "takt/topology/cpu_set.hpp"

#include "takt/base.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

namespace takt {
namespace {

constexpr int kWordBits = 64;
constexpr std::string_view kBlanks = " \t\r\n";

std::size_t word_of(int cpu) {
    return static_cast<std::size_t>(cpu / kWordBits);
}
std::uint64_t bit_of(int cpu) {
    return std::uint64_t{1} << (cpu % kWordBits);
}
bool is_cpu_number(int cpu) {
    return cpu >= 0 && cpu < kCpuLimit;
}

std::string_view without_blanks(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// One reading of one text: what it refuses carries the key and the whole text.
class ListReader {
  public:
    ListReader(std::string_view key, std::string_view text) : key_(key), text_(text) {}

    std::vector<int> read() {
        if (text_.size() > kCpuListBytesMax)
            refuse("is longer than " + std::to_string(kCpuListBytesMax) + " bytes");
        std::string_view rest = text_;
        for (;;) {
            const std::size_t comma = rest.find(',');
            read_item(without_blanks(rest.substr(0, comma)));
            if (comma == std::string_view::npos)
                return std::move(cpus_);
            rest.remove_prefix(comma + 1);
        }
    }

  private:
    [[noreturn]] void refuse(std::string problem) const {
        throw Error(std::string(key_), std::string(text_), std::move(problem),
                    "Write CPU numbers and ranges separated by commas, each CPU once, like 2-7,10");
    }

    void read_item(std::string_view item) {
        const std::size_t dash = item.find('-');
        const int first = read_number(item.substr(0, dash), item);
        const int last =
            dash == std::string_view::npos ? first : read_number(item.substr(dash + 1), item);
        if (last < first)
            refuse("the range " + std::string(item) + " is reversed");
        for (int cpu = first; cpu <= last; ++cpu) // both ends are below kCpuLimit
            add(cpu);
    }

    int read_number(std::string_view digits, std::string_view item) const {
        int number = 0;
        const char* const end = digits.data() + digits.size();
        const auto [stop, failure] = std::from_chars(digits.data(), end, number);
        if (failure == std::errc::result_out_of_range ||
            (failure == std::errc{} && stop == end && number >= kCpuLimit))
            refuse("CPU numbers end at " + std::to_string(kCpuLimit - 1) + ", and it says " +
                   std::string(digits.substr(0, 24)));
        if (failure != std::errc{} || stop != end || number < 0)
            refuse(item.empty() ? "a CPU number is missing"
                                : "\"" + std::string(item.substr(0, 24)) +
                                      "\" is neither a CPU number nor a range");
        return number;
    }

    // Refusing repetitions also bounds the work: no CPU is added twice.
    void add(int cpu) {
        if (seen_.contains(cpu))
            refuse("CPU " + std::to_string(cpu) + " is listed twice");
        seen_.insert(cpu);
        cpus_.push_back(cpu);
    }

    std::string_view key_;
    std::string_view text_;
    CpuSet seen_;
    std::vector<int> cpus_;
};

} // namespace

CpuSet::CpuSet(std::initializer_list<int> cpus) {
    for (const int cpu : cpus)
        insert(cpu);
}

CpuSet CpuSet::parse(std::string_view key, std::string_view text) {
    if (text.size() <= kCpuListBytesMax && without_blanks(text).empty())
        return {};
    CpuSet set;
    for (const int cpu : parse_cpu_list(key, text))
        set.insert(cpu);
    return set;
}

void CpuSet::insert(int cpu) {
    if (!is_cpu_number(cpu))
        throw Error("cpu", std::to_string(cpu), "is not a CPU number",
                    "Use numbers from 0 to " + std::to_string(kCpuLimit - 1));
    if (word_of(cpu) >= words_.size())
        words_.resize(word_of(cpu) + 1);
    words_[word_of(cpu)] |= bit_of(cpu);
}

void CpuSet::erase(int cpu) noexcept {
    if (!contains(cpu))
        return;
    words_[word_of(cpu)] &= ~bit_of(cpu);
    trim();
}

bool CpuSet::contains(int cpu) const noexcept {
    return is_cpu_number(cpu) && word_of(cpu) < words_.size() &&
           (words_[word_of(cpu)] & bit_of(cpu)) != 0;
}

int CpuSet::count() const noexcept {
    int members = 0;
    for (const std::uint64_t word : words_)
        members += std::popcount(word);
    return members;
}

std::string CpuSet::to_string() const {
    std::string text;
    for (Iterator at = begin(); at != end();) {
        const int first = *at;
        int last = first;
        while (++at != end() && *at == last + 1)
            last = *at;
        text += (text.empty() ? "" : ",") + std::to_string(first);
        if (last > first)
            text += "-" + std::to_string(last);
    }
    return text;
}

CpuSet operator|(const CpuSet& left, const CpuSet& right) {
    const bool left_is_longer = left.words_.size() >= right.words_.size();
    CpuSet both = left_is_longer ? left : right;
    const CpuSet& shorter = left_is_longer ? right : left;
    for (std::size_t i = 0; i < shorter.words_.size(); ++i)
        both.words_[i] |= shorter.words_[i];
    return both;
}

CpuSet operator&(const CpuSet& left, const CpuSet& right) {
    CpuSet common = left;
    common.words_.resize(std::min(left.words_.size(), right.words_.size()));
    for (std::size_t i = 0; i < common.words_.size(); ++i)
        common.words_[i] &= right.words_[i];
    common.trim();
    return common;
}

CpuSet operator-(const CpuSet& left, const CpuSet& right) {
    CpuSet rest = left;
    const std::size_t words = std::min(left.words_.size(), right.words_.size());
    for (std::size_t i = 0; i < words; ++i)
        rest.words_[i] &= ~right.words_[i];
    rest.trim();
    return rest;
}

int CpuSet::at_or_after(int cpu) const noexcept {
    for (std::size_t i = word_of(cpu); i < words_.size(); ++i) {
        const bool first_word = i == word_of(cpu);
        const std::uint64_t word = first_word ? words_[i] & ~(bit_of(cpu) - 1) : words_[i];
        if (word != 0)
            return static_cast<int>(i) * kWordBits + std::countr_zero(word);
    }
    return kCpuLimit;
}

void CpuSet::trim() noexcept {
    while (!words_.empty() && words_.back() == 0)
        words_.pop_back();
}

std::vector<int> parse_cpu_list(std::string_view key, std::string_view text) {
    return ListReader(key, text).read();
}

} // namespace takt
