// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox. A file descriptor that becomes readable when somebody raises it, for threads
// that wait in epoll (eventfd(2); the system call is in src/). Above: outlet.

namespace takt {

class EventFd {
  public:
    EventFd() = default;
    ~EventFd();
    EventFd(const EventFd&) = delete;
    EventFd& operator=(const EventFd&) = delete;

    /// The descriptor, not blocking, closed with this object. Opens it at the first call; throws
    /// Error when the system grants none.
    int open();
    bool is_open() const noexcept { return fd_ >= 0; }

    /// Makes it readable: one write(2).
    void raise() noexcept;
    /// Makes it unreadable: one read(2).
    void clear() noexcept;

  private:
    int fd_ = -1;
};

} // namespace takt
