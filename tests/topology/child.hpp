// SPDX-License-Identifier: MIT
#pragma once
// Runs a piece of a test in a forked child, because it changes what a process cannot change back:
// the environment that hwloc reads, the affinity mask, takt's memory of the mask, the cgroup.

#include <exception>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace takt::test {

/// What `body` returned in the child: the text to compare, by convention "" for success. The text
/// of an exception that escaped it, and the wait status of a child that died, are texts too.
template <class Body>
std::string in_child(Body body) {
    int ends[2];
    if (::pipe(ends) != 0)
        return "no pipe";
    const pid_t child = ::fork();
    if (child == 0) {
        std::string text;
        try {
            text = body();
        } catch (const std::exception& error) {
            text = error.what();
        }
        const ssize_t written = ::write(ends[1], text.data(), text.size());
        ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
    }
    ::close(ends[1]);
    std::string text;
    char chunk[512];
    for (ssize_t got; (got = ::read(ends[0], chunk, sizeof chunk)) > 0;)
        text.append(chunk, static_cast<std::size_t>(got));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    return status == 0 ? text
                       : text + " (child ended with wait status " + std::to_string(status) + ")";
}

} // namespace takt::test
