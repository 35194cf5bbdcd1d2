// SPDX-License-Identifier: MIT
#include "takt/mailbox/event_fd.hpp"

#include "takt/base.hpp"

#include <cerrno>
#include <cstring>

#include <sys/eventfd.h>
#include <unistd.h>

namespace takt {

EventFd::~EventFd() {
    if (is_open())
        ::close(fd_);
}

int EventFd::open() {
    if (!is_open())
        fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!is_open())
        throw Error(
            "outlet.event_fd", std::strerror(errno), "the system grants no eventfd",
            "Raise the limit of open files (ulimit -n), or wait for the outlet without one");
    return fd_;
}

// Neither can fail in a way that matters: a full counter is readable already, an empty one is
// clear.
void EventFd::raise() noexcept {
    eventfd_write(fd_, 1);
}

void EventFd::clear() noexcept {
    eventfd_t count = 0;
    eventfd_read(fd_, &count);
}

} // namespace takt
