// SPDX-License-Identifier: MIT
#include "topology/file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace takt::detail {
namespace {

class OpenFile {
  public:
    // O_NONBLOCK: opening a FIFO for reading would wait for its writer.
    explicit OpenFile(const char* path) : fd_(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    ~OpenFile() {
        if (fd_ >= 0)
            ::close(fd_);
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    int fd() const { return fd_; }

  private:
    int fd_;
};

// Sizes of files in /proc and /sys say nothing, so the cap counts what was read.
int append_all(int fd, std::size_t bytes_max, std::string& text) {
    char chunk[4096];
    for (;;) {
        const ssize_t got = ::read(fd, chunk, sizeof chunk);
        if (got == 0)
            return 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        text.append(chunk, static_cast<std::size_t>(got));
        if (text.size() > bytes_max)
            return EFBIG;
    }
}

std::string error_name(int error) {
    switch (error) {
    case EACCES:
        return "EACCES";
    case EFBIG:
        return "EFBIG";
    case EINVAL:
        return "EINVAL";
    case ENOENT:
        return "ENOENT";
    case EPERM:
        return "EPERM";
    default:
        return "errno " + std::to_string(error);
    }
}

} // namespace

FileText read_file(const std::string& path, std::size_t bytes_max) {
    const OpenFile file(path.c_str());
    if (file.fd() < 0)
        return {.error = errno};
    struct stat status = {};
    if (::fstat(file.fd(), &status) != 0)
        return {.error = errno};
    if (!S_ISREG(status.st_mode))
        return {.error = EINVAL};
    FileText result;
    result.error = append_all(file.fd(), bytes_max, result.text);
    if (result.error != 0)
        result.text.clear();
    return result;
}

std::string printable(std::string_view text) {
    std::string shown(text.substr(0, 40));
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return shown;
}

std::string error_text(int error) {
    return error_name(error) + ": " + std::generic_category().message(error);
}

} // namespace takt::detail
