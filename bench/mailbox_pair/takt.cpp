// SPDX-License-Identifier: MIT
#include "mailbox_pair/config.hpp"

namespace takt::bench::pair {
namespace {

// The whole way that worker mail takes: outbox, lane, board, mailbox, with a look for sleepers.
template <std::size_t Bytes>
class Takt {
  public:
    void push(const Message<Bytes>& message) {
        if (!outbox_.template push<Message<Bytes>>(1, 0, message)) [[unlikely]]
            throw std::bad_alloc();
    }
    void publish() { outbox_.publish(); }
    void end_round() {}
    void meet() { outbox_.recycle(); }
    template <class Visit>
    void drain(Visit&& visit) {
        mailbox_.drain([&](std::uint64_t, const RecordType&, void* payload) {
            visit(*static_cast<const Message<Bytes>*>(payload));
        });
    }

  private:
    static constexpr std::array<int, 2> kOneCache{0, 0};
    Mailboxes<StdPolicy> mailboxes_{kOneCache};
    Outbox<StdPolicy>& outbox_ = mailboxes_.outbox(0);
    Mailbox<StdPolicy>& mailbox_ = mailboxes_.mailbox(1);
};

} // namespace

void add_takt() {
    add<Takt>("takt");
}

} // namespace takt::bench::pair
