// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. What a gate's queue carries: a block with room for a payload, queued before the
// payload is made, so that a queue without memory leaves the arguments alone. Below: gate_door,
// record. Above: gate.

#include "takt/mailbox/gate_door.hpp"

#include <cstddef>
#include <cstdint>
#include <new>

namespace takt::detail {

/// G3  A box that is queued and not yet made waits with the gate's owner, who looks again in the
///     next round and goes on with the mail of others. It is its sender's newest: what the sender
///     queues later is taken out later.
template <class P>
class GateBox {
  public:
    /// Null: no memory.
    static GateBox* allocate(std::size_t bytes, std::size_t align, GateDoor<P>& from) noexcept {
        if (align < alignof(GateBox))
            align = alignof(GateBox);
        const std::size_t head = (sizeof(GateBox) + align - 1) / align * align;
        void* const memory = ::operator new (head + bytes, std::align_val_t{align}, std::nothrow);
        return memory == nullptr ? nullptr : ::new (memory) GateBox(from, head, align);
    }
    /// Destroys the payload if there is one.
    static void destroy(GateBox* box) noexcept {
        if (const RecordType* const type = box->type_.get(); type != nullptr && type->destroy)
            type->destroy(box->payload());
        const std::align_val_t align{box->align_};
        box->~GateBox();
        ::operator delete(box, align);
    }
    void* payload() noexcept { return reinterpret_cast<std::byte*>(this) + head_; }

    // --- the sender, once ------------------------------------------------------------------------
    void commit(const RecordType& type, std::uint64_t address) noexcept {
        type_.set(&type);
        address_.set(address);
        state_.store(kReady, std::memory_order_release); // edge box, release side
    }
    /// There is no payload: its constructor has thrown.
    void abandon() noexcept {
        state_.store(kAbandoned, std::memory_order_release); // edge box, release side
    }

    // --- the owner of the gate ---
    enum State : std::uint32_t { kMaking, kReady, kAbandoned };
    State state() const noexcept {
        return State(state_.load(std::memory_order_acquire)); // edge box, acquire side
    }
    /// Of a ready box:
    const RecordType& type() const noexcept { return *type_.get(); }
    std::uint64_t address() const noexcept { return address_.get(); }
    std::uint32_t units() const noexcept {
        return static_cast<std::uint32_t>(units_for<P>(type().payload_bytes));
    }
    GateDoor<P>& from() const noexcept { return from_; }

    GateBox* next = nullptr; // of the owner's GateBoxes

  private:
    GateBox(GateDoor<P>& from, std::size_t head, std::size_t align) noexcept
        : from_(from), head_(head), align_(align) {}

    GateDoor<P>& from_;
    const std::size_t head_;
    const std::size_t align_;
    // Both: written by the sender, read by the owner when the box is ready (edge box).
    typename P::template Plain<const RecordType*> type_{nullptr};
    typename P::template Plain<std::uint64_t> address_{0};
    // state_:   writes: the sender   reads: the owner
    typename P::template Atomic<std::uint32_t> state_{kMaking};
};

/// Boxes in order, for one thread.
template <class P>
class GateBoxes {
  public:
    GateBoxes() = default;
    ~GateBoxes() {
        while (GateBox<P>* const box = pop())
            GateBox<P>::destroy(box);
    }
    GateBoxes(const GateBoxes&) = delete;
    GateBoxes& operator=(const GateBoxes&) = delete;

    bool empty() const noexcept { return first_ == nullptr; }
    void push(GateBox<P>* box) noexcept {
        box->next = nullptr;
        (last_ == nullptr ? first_ : last_->next) = box;
        last_ = box;
    }
    /// Null when there is none.
    GateBox<P>* pop() noexcept {
        GateBox<P>* const box = first_;
        if (box == nullptr)
            return nullptr;
        first_ = box->next;
        if (first_ == nullptr)
            last_ = nullptr;
        return box;
    }

  private:
    GateBox<P>* first_ = nullptr;
    GateBox<P>* last_ = nullptr;
};

} // namespace takt::detail
