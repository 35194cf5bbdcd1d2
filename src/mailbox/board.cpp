// SPDX-License-Identifier: MIT
#include "takt/mailbox/board.hpp"

#include <algorithm>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace takt {

BoardLayout::BoardLayout(std::span<const int> cache_groups) : slots_(cache_groups.size()) {
    std::vector<std::pair<int, int>> by_group; // group, writer
    for (std::size_t writer = 0; writer < cache_groups.size(); ++writer)
        by_group.emplace_back(cache_groups[writer], static_cast<int>(writer));
    std::sort(by_group.begin(), by_group.end());
    for (std::size_t at = 0; at < by_group.size(); ++at) {
        if (at > 0 && by_group[at].first != by_group[at - 1].first)
            writers_.resize((writers_.size() + kTailsPerLine - 1) / kTailsPerLine * kTailsPerLine,
                            kNobody);
        const int writer = by_group[at].second;
        slots_[static_cast<std::size_t>(writer)] = static_cast<std::uint32_t>(writers_.size());
        writers_.push_back(writer);
    }
    writers_.resize((writers_.size() + kTailsPerLine - 1) / kTailsPerLine * kTailsPerLine, kNobody);
}

#if defined(__x86_64__)

namespace detail {
namespace {

// Until it is initialised, before main, SSE2 serves.
const bool avx2_works = __builtin_cpu_supports("avx2") != 0;

__attribute__((target("avx2"))) const __m256i* halves(const TailVector& words) noexcept {
    return reinterpret_cast<const __m256i*>(&words);
}

__attribute__((target("avx2"))) void subtract(__m256i& low, __m256i& high,
                                              const TailVector& tails) noexcept {
    low = _mm256_sub_epi32(low, halves(tails)[0]);
    high = _mm256_sub_epi32(high, halves(tails)[1]);
}

// Whether `sums` minus all tails leaves anything. Sixteen lines at a time without a branch, in four
// independent chains: so the loads are what takes the time.
__attribute__((target("avx2"))) bool differ_avx2(const TailVector* tails, const TailVector& sums,
                                                 std::size_t lines) noexcept {
    const __m256i zero = _mm256_setzero_si256();
    __m256i low[] = {halves(sums)[0], zero, zero, zero};
    __m256i high[] = {halves(sums)[1], zero, zero, zero};
    const TailVector* const end = tails + lines;
    for (; end - tails >= 16; tails += 16)
#pragma GCC unroll 16
        for (std::size_t line = 0; line < 16; ++line)
            subtract(low[line % 4], high[line % 4], tails[line]);
    for (; tails != end; ++tails)
        subtract(low[0], high[0], *tails);
    const __m256i all_low =
        _mm256_add_epi32(_mm256_add_epi32(low[0], low[1]), _mm256_add_epi32(low[2], low[3]));
    const __m256i all_high =
        _mm256_add_epi32(_mm256_add_epi32(high[0], high[1]), _mm256_add_epi32(high[2], high[3]));
    const __m256i left = _mm256_or_si256(all_low, all_high);
    return _mm256_testz_si256(left, left) == 0;
}

const __m128i* quarters(const TailVector& words) noexcept {
    return reinterpret_cast<const __m128i*>(&words);
}

bool differ_sse2(const TailVector* tails, const TailVector& sums, std::size_t lines) noexcept {
    __m128i left0 = _mm_load_si128(quarters(sums));
    __m128i left1 = _mm_load_si128(quarters(sums) + 1);
    __m128i left2 = _mm_load_si128(quarters(sums) + 2);
    __m128i left3 = _mm_load_si128(quarters(sums) + 3);
    for (std::size_t line = 0; line < lines; ++line) {
        left0 = _mm_sub_epi32(left0, quarters(tails[line])[0]);
        left1 = _mm_sub_epi32(left1, quarters(tails[line])[1]);
        left2 = _mm_sub_epi32(left2, quarters(tails[line])[2]);
        left3 = _mm_sub_epi32(left3, quarters(tails[line])[3]);
    }
    const __m128i left = _mm_or_si128(_mm_or_si128(left0, left1), _mm_or_si128(left2, left3));
    return _mm_movemask_epi8(_mm_cmpeq_epi32(left, _mm_setzero_si128())) != 0xffff;
}

} // namespace

// The tails change behind the compiler's back: it must not keep them from call to call.

bool any_moved(const TailVector* tails, const TailVector& head_sums, std::size_t lines) noexcept {
    std::atomic_signal_fence(std::memory_order_acquire); // fence scan: compiler only
    return avx2_works ? differ_avx2(tails, head_sums, lines) : differ_sse2(tails, head_sums, lines);
}

MovedTails find_moved(const TailVector* tails, const TailVector* heads, std::size_t first,
                      std::size_t lines) noexcept {
    std::atomic_signal_fence(std::memory_order_acquire); // fence scan: compiler only
    for (std::size_t line = first; line < lines; ++line)
        if (const std::uint32_t mask = differing(tails[line], heads[line]); mask != 0)
            return {line, mask};
    return {};
}

} // namespace detail

#endif

} // namespace takt
