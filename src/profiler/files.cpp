// SPDX-License-Identifier: MIT
#include "takt/profiler/files.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace takt {
namespace {

/// Names to try beside the file: others may have left theirs there.
constexpr int kAttempts = 100;

std::string refusal(const std::string& path, const std::string& problem, const char* remedy) {
    return "takt: \"" + path + "\" was not written: " + problem + ". " + remedy + ".";
}

std::string refusal(const std::string& path, int error) {
    const char* remedy = error == ENOENT   ? "Make its directory first"
                         : error == ENOSPC ? "Make room, or name a file on another disk"
                                           : "Name a file that this program may write";
    return refusal(path, std::generic_category().message(error), remedy);
}

/// Why what is at `path` must not be replaced.
std::optional<std::string> objection(const std::string& path) {
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0)
        return std::nullopt; // nothing is there, or the attempt to write will say why not
    if (S_ISDIR(status.st_mode))
        return refusal(path, "it is a directory", "Name a file in it");
    if (S_ISLNK(status.st_mode))
        return refusal(path, "it is a symbolic link", "Name the file that it leads to");
    if (!S_ISREG(status.st_mode))
        return refusal(path, "it is a device or a pipe, not a file", "Name a file");
    return std::nullopt;
}

/// A new file beside the one that is meant. It is gone at the end unless it was renamed to that.
class NewFile {
  public:
    explicit NewFile(const std::string& path) {
        for (int attempt = 0; attempt < kAttempts; ++attempt) {
            name_ = path + ".new-" + std::to_string(::getpid()) + "-" + std::to_string(attempt);
            fd_ = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
            if (fd_ >= 0 || errno != EEXIST)
                break;
        }
        error_ = fd_ >= 0 ? 0 : errno;
    }
    ~NewFile() {
        if (fd_ >= 0)
            ::close(fd_);
        if (!name_.empty())
            ::unlink(name_.c_str());
    }
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    /// 0 or the errno of the first step that failed; what follows it does nothing.
    int error() const noexcept { return error_; }

    void write(std::string_view text) {
        while (error_ == 0 && !text.empty()) {
            const ssize_t written = ::write(fd_, text.data(), text.size());
            if (written > 0)
                text.remove_prefix(static_cast<std::size_t>(written));
            else if (written == 0 || errno != EINTR)
                error_ = written == 0 ? ENOSPC : errno;
        }
    }

    void rename_to(const std::string& path) {
        // On the disk before it has the name: else a power cut could leave the name on nothing.
        step(::fsync(fd_));
        step(::close(fd_));
        fd_ = -1;
        if (error_ == 0)
            step(::rename(name_.c_str(), path.c_str()));
        if (error_ == 0)
            name_.clear();
    }

  private:
    void step(int outcome) {
        if (outcome != 0 && error_ == 0)
            error_ = errno;
    }

    std::string name_ = {};
    int fd_ = -1;
    int error_ = 0;
};

} // namespace

std::optional<std::string> write_capture(const Capture& capture, const std::string& path) {
    if (std::optional<std::string> no = objection(path))
        return no;
    NewFile file(path);
    if (file.error() == 0)
        file.write(path.ends_with(".json") ? chrome_trace_json(capture) : frame_view_html(capture));
    if (file.error() == 0)
        file.rename_to(path);
    if (file.error() != 0)
        return refusal(path, file.error());
    return std::nullopt;
}

} // namespace takt
