// SPDX-License-Identifier: MIT
#include "mailbox/moodycamel_mailboxes.hpp"
#include "round_trip/config.hpp"

#include <array>

namespace takt::bench::round_trip {
namespace {

template <class M>
class Mail {
  public:
    void send(int from, int to, std::uint64_t number) {
        auto& outbox = mailboxes_.outbox(from);
        if (!outbox.template push<std::uint64_t>(to, 0, number))
            throw std::bad_alloc();
        outbox.publish();
        // As at the barrier after a round.
        if (number % 4'096 == 0)
            outbox.recycle();
    }
    std::uint64_t receive(int at) {
        auto& mailbox = mailboxes_.mailbox(at);
        std::uint64_t number = 0;
        const auto visit = [&](std::uint64_t, const RecordType&, void* payload) {
            number = *static_cast<const std::uint64_t*>(payload);
        };
        while (mailbox.drain(visit) == 0)
            spin_step();
        return number;
    }

  private:
    static constexpr std::array<int, 2> kOneCache{0, 0};
    M mailboxes_{kOneCache};
};

} // namespace

void add_mailboxes() {
    add<Mail<Mailboxes<StdPolicy>>>("takt");
    add<Mail<MoodycamelMailboxes>>("moodycamel");
}

} // namespace takt::bench::round_trip
