// SPDX-License-Identifier: MIT
#include "takt/dispatcher/range.hpp"

namespace takt::detail {

RangeJob::RangeJob(const Shape& shape)
    : shape_(shape), chunks_(std::min(kNoMore, shape.size / shape.grain +
                                                   (shape.size % shape.grain != 0 ? 1 : 0))),
      shares_(shape.parts), failures_(shape.parts) {
    const std::size_t each = chunks_ / shape.parts;
    const std::size_t more = chunks_ % shape.parts; // have one more
    std::size_t next = 0;
    for (std::uint32_t part = 0; part < shape.parts; ++part) {
        // relaxed: what hands the parts over hands this over
        shares_[part].next.store(next, std::memory_order_relaxed);
        next += each + (part < more ? 1 : 0);
        shares_[part].end = next;
    }
}

// Of its own share one chunk; of another's, what that has left by the number of parts, at least one: where
// two claim in turns, each waits for the line.
RangeJob::Chunks RangeJob::claim(std::uint32_t part, std::uint32_t& done_shares) noexcept {
    for (; done_shares < shape_.parts; ++done_shares) {
        Share& share = shares_[(std::size_t{part} + done_shares) % shape_.parts];
        std::size_t wanted = 1;
        if (done_shares != 0) {
            const std::size_t seen = share.next.load(std::memory_order_relaxed); // relaxed: a guess
            if (seen >= share.end)
                continue;
            wanted = std::max<std::size_t>(1, (share.end - seen) / shape_.parts);
        }
        // relaxed: a claim
        const std::size_t first = share.next.fetch_add(wanted, std::memory_order_relaxed);
        if (first < share.end)
            return {first, std::min(first + wanted, share.end)};
    }
    return {};
}

void RangeJob::end_claims() noexcept {
    for (Share& share : shares_)
        share.next.store(kNoMore, std::memory_order_relaxed); // relaxed: no more claims
}

bool RangeJob::is_ended(std::uint32_t part) const noexcept {
    // relaxed: who sees it later does one chunk more
    return shares_[part].next.load(std::memory_order_relaxed) >= kNoMore || is_given_up();
}

// Returns how many indices it had.
std::size_t RangeJob::run_one(std::uint32_t part, std::size_t chunk, std::exception_ptr& failure) {
    const std::size_t begin = chunk * shape_.grain;
    const std::size_t end = begin + std::min(shape_.grain, shape_.size - begin);
    try {
        run_chunk(begin, end, failure);
    } catch (...) {
        failures_[part] = {begin, std::current_exception()};
        if (!shape_.is_static)
            end_claims();
        throw;
    }
    return end - begin;
}

void RangeJob::run(std::uint32_t part) {
    if (is_complete()) // it is too late: there is nothing to fetch the shares' lines for
        return;
    std::size_t done = 0;
    std::exception_ptr failure;
    if (shape_.is_static) {
        for (std::size_t chunk = part; chunk < chunks_ && !is_given_up(); chunk += shape_.parts)
            done += run_one(part, chunk, failure);
    } else {
        std::uint32_t done_shares = 0;
        while (!is_ended(part)) {
            const Chunks claimed = claim(part, done_shares);
            if (claimed.first == claimed.end)
                break;
            for (std::size_t chunk = claimed.first; chunk != claimed.end && !is_ended(part);
                 ++chunk)
                done += run_one(part, chunk, failure);
        }
    }
    // edge range_done, both sides
    if (done != 0 && done_.fetch_add(done, std::memory_order_acq_rel) + done == shape_.size)
        complete();
    if (failure != nullptr)
        std::rethrow_exception(failure);
}

bool RangeJob::is_complete() const noexcept {
    // relaxed: where that matters, what std::shared_ptr counts hands over what the others wrote
    return done_.load(std::memory_order_relaxed) == shape_.size;
}

std::exception_ptr RangeJob::failure() const noexcept {
    return std::ranges::min_element(failures_, {}, &Failure::index)->exception;
}

} // namespace takt::detail
