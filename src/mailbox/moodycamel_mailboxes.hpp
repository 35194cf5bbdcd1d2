// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox, private. Mailboxes on moodycamel's ConcurrentQueue alone, with the face of
// takt::Mailboxes: a contender for the benches, and a switch when a lane is suspected.

#include "takt/mailbox.hpp"

#include <concurrentqueue.h>

#include <array>
#include <cstring>
#include <iterator>
#include <new>
#include <span>
#include <vector>

namespace takt {

/// A record on its way. Small payloads that may be copied as bytes travel in it, others on the
/// heap.
class MoodycamelRecord {
  public:
    MoodycamelRecord() = default;
    template <class T, class... Args>
    static MoodycamelRecord make(std::uint64_t address, Args&&... args) {
        MoodycamelRecord record;
        record.address_ = address;
        if constexpr (kInline<T>) {
            ::new (record.bytes_.data()) T(std::forward<Args>(args)...);
        } else {
            record.align_ = std::align_val_t{std::max(alignof(T), kRecordUnit)};
            void* const memory = ::operator new(sizeof(T), record.align_);
            record.heap_ = memory;
            ::new (memory) T(std::forward<Args>(args)...); // when it throws, release() frees
        }
        record.type_ = &record_type_of<T>;
        return record;
    }
    MoodycamelRecord(MoodycamelRecord&& other) noexcept { *this = std::move(other); }
    MoodycamelRecord& operator=(MoodycamelRecord&& other) noexcept {
        release();
        std::memcpy(static_cast<void*>(this), &other, sizeof(*this));
        other.heap_ = nullptr;
        other.type_ = nullptr;
        return *this;
    }
    ~MoodycamelRecord() { release(); }

    std::uint64_t address() const noexcept { return address_; }
    const RecordType& type() const noexcept { return *type_; }
    void* payload() noexcept { return heap_ != nullptr ? heap_ : bytes_.data(); }

  private:
    static constexpr std::size_t kInlineMax = 32;
    template <class T>
    static constexpr bool kInline = std::is_trivially_copyable_v<T> && sizeof(T) <= kInlineMax &&
                                    alignof(T) <= kRecordUnit;

    void release() noexcept {
        if (type_ != nullptr && type_->destroy != nullptr)
            type_->destroy(payload());
        if (heap_ != nullptr)
            ::operator delete(heap_, align_);
    }

    alignas(kRecordUnit) std::array<std::byte, kInlineMax> bytes_{};
    const RecordType* type_ = nullptr;
    std::uint64_t address_ = 0;
    void* heap_ = nullptr;
    std::align_val_t align_{kRecordUnit};
};

class MoodycamelMailboxes {
    using Queue = moodycamel::ConcurrentQueue<MoodycamelRecord>;

  public:
    class Outbox {
      public:
        template <class T, class... Args>
        [[nodiscard]] bool push(int to, std::uint64_t address, Args&&... args) {
            Lane& lane = lanes_[static_cast<std::size_t>(to)];
            if (!lane.make_room())
                return false;
            lane.held_back.push_back(
                MoodycamelRecord::make<T>(address, std::forward<Args>(args)...));
            return true;
        }
        void publish() {
            for (std::size_t to = 0; to < lanes_.size(); ++to)
                lanes_[to].publish((*queues_)[to]);
        }
        void recycle() noexcept {}

      private:
        friend class MoodycamelMailboxes;
        struct Lane {
            bool make_room() noexcept;
            void publish(Queue& queue);
            std::vector<MoodycamelRecord> held_back;
            std::unique_ptr<moodycamel::ProducerToken> token;
        };
        explicit Outbox(std::vector<Queue>& queues) : queues_(&queues), lanes_(queues.size()) {}
        std::vector<Queue>* queues_;
        std::vector<Lane> lanes_;
    };

    class Mailbox {
      public:
        template <class Visit>
        std::size_t drain(Visit&& visit, std::size_t limit = SIZE_MAX);

      private:
        friend class MoodycamelMailboxes;
        explicit Mailbox(Queue& queue) : queue_(&queue), token_(queue) {}
        Queue* queue_;
        moodycamel::ConsumerToken token_;
        std::array<MoodycamelRecord, 64> taken_;
    };

    explicit MoodycamelMailboxes(std::span<const int> cache_groups) {
        for (std::size_t worker = 0; worker < cache_groups.size(); ++worker)
            queues_.emplace_back(0);
        for (Queue& queue : queues_) {
            outboxes_.emplace_back(new Outbox(queues_));
            mailboxes_.emplace_back(new Mailbox(queue));
        }
    }
    int workers() const noexcept { return static_cast<int>(outboxes_.size()); }
    Outbox& outbox(int worker) noexcept { return *outboxes_[static_cast<std::size_t>(worker)]; }
    Mailbox& mailbox(int worker) noexcept { return *mailboxes_[static_cast<std::size_t>(worker)]; }

  private:
    std::vector<Queue> queues_;
    std::vector<std::unique_ptr<Outbox>> outboxes_;
    std::vector<std::unique_ptr<Mailbox>> mailboxes_;
};

inline bool MoodycamelMailboxes::Outbox::Lane::make_room() noexcept {
    try {
        if (held_back.size() == held_back.capacity())
            held_back.reserve(std::max<std::size_t>(64, 2 * held_back.capacity()));
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

inline void MoodycamelMailboxes::Outbox::Lane::publish(Queue& queue) {
    if (held_back.empty())
        return;
    if (token == nullptr)
        token = std::make_unique<moodycamel::ProducerToken>(queue);
    // It takes all or none; what it refuses for want of memory goes with the next publish.
    if (queue.enqueue_bulk(*token, std::make_move_iterator(held_back.begin()), held_back.size()))
        held_back.clear();
}

template <class Visit>
std::size_t MoodycamelMailboxes::Mailbox::drain(Visit&& visit, std::size_t limit) {
    std::size_t count = 0;
    while (count < limit) {
        const std::size_t taken = queue_->try_dequeue_bulk(token_, taken_.begin(),
                                                           std::min(taken_.size(), limit - count));
        if (taken == 0)
            break;
        count += taken;
        for (std::size_t at = 0; at < taken; ++at) {
            MoodycamelRecord record = std::move(taken_[at]);
            visit(record.address(), record.type(), record.payload());
        }
    }
    return count;
}

} // namespace takt
