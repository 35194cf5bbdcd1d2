// SPDX-License-Identifier: MIT
#include "round_trip/config.hpp"

#include <array>

namespace takt::bench::round_trip {
namespace {

// takt's own sleep on the same mailboxes: each message wakes a sleeper.
class Futex {
  public:
    void send(int from, int to, std::uint64_t number) {
        Outbox<StdPolicy>& outbox = mailboxes_.outbox(from);
        if (!outbox.push<std::uint64_t>(to, 0, number))
            throw std::bad_alloc();
        outbox.publish();
        outbox.recycle();
    }
    std::uint64_t receive(int at) {
        Mailbox<StdPolicy>& mailbox = mailboxes_.mailbox(at);
        std::uint64_t number = 0;
        const auto visit = [&](std::uint64_t, const RecordType&, void* payload) {
            number = *static_cast<const std::uint64_t*>(payload);
        };
        while (mailbox.drain(visit) == 0)
            mailbox.sleep();
        return number;
    }

  private:
    static constexpr std::array<int, 2> kOneCache{0, 0};
    Mailboxes<StdPolicy> mailboxes_{kOneCache};
};

} // namespace

void add_futex() {
    add<Futex>("futex", 1'000);
}

} // namespace takt::bench::round_trip
